"""What takes long to find out, kept for as long as what it was found from stays as it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Final, Generic, TypeVar

from holotype.errors import HolotypeError

Found = TypeVar("Found")
log: Final = logging.getLogger("holotype.project")
SLOW: Final = 0.3
"""Seconds from which on nobody is kept waiting for something to be found anew: they get what was found before."""


@dataclass(frozen=True, slots=True)
class Known(Generic[Found]):
    """Something that was found when the catalog was in a `state`, and in how many seconds."""

    found: Found
    state: object
    seconds: float


class Kept(Generic[Found]):
    """Something found by `find`, which takes what it was asked of; many threads may ask.

    What took longer than `slow` seconds is found anew behind the scenes, one at a time.
    """

    def __init__(self, slow: float = SLOW) -> None:
        self.slow = slow
        self._known: Known[Found] | None = None
        self._lock, self._starting = Lock(), Lock()
        self._thread: Thread | None = None
        self.failed = ""
        """Why it could not be found when that was last tried behind the scenes; "" where it was."""

    def fresh(self, state: object, find: Callable[[], Found]) -> Found:
        """What is so in this state."""
        with self._lock:
            known = self._known
            if known is None or known.state != state:
                start = time.monotonic()
                found = find()
                known = self._known = Known(found, state, time.monotonic() - start)
        return known.found

    def soon(self, state: object, find: Callable[[], Found]) -> Found:
        """What is so in this state, or, where finding that takes long, what was so before."""
        known = self._known
        if known is None or known.seconds <= self.slow or known.state == state:
            return self.fresh(state, find)
        self.begin(state, find)
        return known.found

    def last(self) -> Found | None:
        """What was found last."""
        return None if self._known is None else self._known.found

    def is_of(self, state: object) -> bool:
        """Whether what was found last is so in this state."""
        return self._known is not None and self._known.state == state

    @property
    def busy(self) -> bool:
        """Whether it is being found behind the scenes."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, state: object, find: Callable[[], Found]) -> None:
        """Have it found behind the scenes, unless it is already."""
        with self._starting:
            if not self.busy:
                self._thread = Thread(target=self._find, args=(state, find), name="holotype-finding", daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Until nothing is found behind the scenes any more."""
        if self._thread is not None:
            self._thread.join()

    def _find(self, state: object, find: Callable[[], Found]) -> None:
        try:
            self.fresh(state, find)
            self.failed = ""
        except HolotypeError as error:
            self.failed = str(error)
        except Exception:
            self.failed = "something went wrong, which the server's log tells"
            log.exception("what is shown of the project could not be found anew")
