"""What takes so long to work out that nobody waits for it: done behind the scenes, one at a time, and then kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock, Thread
from typing import Final, Generic, TypeVar

from holotype.errors import HolotypeError

Found = TypeVar("Found")
log: Final = logging.getLogger("holotype.project")


class Worked(Generic[Found]):
    """Something that was worked out, of a state in which the catalog was; many threads may ask."""

    def __init__(self) -> None:
        self._known: tuple[object, Found] | None = None
        self._lock, self._starting = Lock(), Lock()
        self._thread: Thread | None = None
        self.failed = ""
        """Why it could not be worked out when that was tried last behind the scenes; "" where it was."""

    def now(self, state: object, work: Callable[[], Found]) -> Found:
        """What is so in a state: who asks waits for it."""
        with self._lock:
            if self._known is None or self._known[0] != state:
                self._known = state, work()
            return self._known[1]

    def last(self) -> Found | None:
        """What was worked out last; None before anything was."""
        return None if self._known is None else self._known[1]

    @property
    def busy(self) -> bool:
        """Whether it is being worked out behind the scenes."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, state: object, work: Callable[[], Found]) -> None:
        """Have it worked out behind the scenes, unless it already is, or is known."""
        with self._starting:
            if not self.busy and (self._known is None or self._known[0] != state):
                self._thread = Thread(target=self._work, args=(state, work), name="holotype-working-out", daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Until nothing is worked out behind the scenes any more."""
        if self._thread is not None:
            self._thread.join()

    def _work(self, state: object, work: Callable[[], Found]) -> None:
        try:
            self.now(state, work)
            self.failed = ""
        except HolotypeError as error:
            self.failed = str(error)
        except Exception:
            self.failed = "something went wrong, which the server's log tells"
            log.exception("what is shown of the project could not be worked out")
