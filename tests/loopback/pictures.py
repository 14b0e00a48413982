"""A host of pictures on loopback: files by path, and whatever else is asked is not there."""

from __future__ import annotations

from collections.abc import Mapping

from loopback.service import Answer, Asked, Service


class Pictures(Service):
    """Files by path; a file may be an answer of its own."""

    def __init__(self, files: Mapping[str, bytes | Answer]) -> None:
        super().__init__()
        self.files = dict(files)

    def answer(self, asked: Asked) -> Answer:
        said = self.files.get(asked.path, Answer(404, b"not here"))
        return said if isinstance(said, Answer) else Answer(200, said, {"Content-Type": "image/jpeg"})

    @property
    def fetched(self) -> list[str]:
        """The files that were asked for, without those that are asked first."""
        first = ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json")
        return [one.path for one in self.seen if one.path not in first]
