"""Work on a thread of its own, beside what a program does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def on_a_thread(name: str, run: Callable[[], None], stopped: Event) -> Iterator[None]:
    """Do `run` on a thread of a name while this lasts: it has to end when `stopped` is set, and is waited for."""
    stopped.clear()
    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
