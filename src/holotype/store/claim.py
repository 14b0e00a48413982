"""Whose a place in an object store is: one project's, which says so in an object that nobody can write over."""

from __future__ import annotations

import json
from contextlib import suppress
from threading import Lock
from typing import Final

from holotype.errors import BucketError, BucketGone, ObjectExists
from holotype.store.bucket import Bucket

CLAIM: Final = "holotype.json"


class Claim:
    """A place in an object store that is written to by one project alone, by its public `identity`. Thread-safe."""

    def __init__(self, bucket: Bucket, identity: str) -> None:
        self.bucket = bucket
        self._data = json.dumps({"version": 1, "project": identity}).encode()
        self._held = False
        self._lock = Lock()

    def check_free(self) -> None:
        """Raises `BucketError` where the place is a project's already, or cannot be reached."""
        try:
            self.bucket.read(CLAIM, 0, 1)  # only answers to GET tell a missing bucket from a missing object
        except BucketGone:
            return
        raise self._taken()

    def make(self) -> None:
        """Claim the place, and try that the store keeps what is there when it is asked to create it again.

        Raises `BucketError` where another project was first, and for a store that writes over what is there: two
        machines could lose each other's pictures in it.
        """
        self._create()
        try:
            self.bucket.create(CLAIM, self._data + b"\n")
        except ObjectExists:
            return
        except BaseException:
            self._give_up()
            raise
        self._give_up()
        raise BucketError(
            self.bucket.url,
            "the store writes over what is there though it is asked not to (If-None-Match), so nothing is safe in it",
        )

    def _give_up(self) -> None:
        with suppress(BucketError):
            self.bucket.remove(CLAIM)

    def check(self) -> None:
        """Claim the place where nobody has, once; raises `BucketError` where it is another project's."""
        with self._lock:
            if not self._held:
                if not self._is_ours():
                    self._create()
                self._held = True

    def _is_ours(self) -> bool:
        state = self.bucket.state(CLAIM)
        if state is None:
            return False
        if state.size != len(self._data) or self.bucket.read(CLAIM, 0, state.size) != self._data:
            raise self._taken()
        return True

    def _create(self) -> None:
        try:
            self.bucket.create(CLAIM, self._data)
        except ObjectExists as error:
            raise self._taken() from error

    def _taken(self) -> BucketError:
        reason = f"it is another project's place, as {CLAIM} there says, and nothing of this one is written to it"
        return BucketError(self.bucket.url, reason)
