"""The votes of a campaign in the order they came, block by block: in memory, or where they are many in files."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Floats, Ints
from holotype.crowd.columns import Votes
from holotype.crowd.sharded import LARGE, no_room

AT_ONCE: Final = 2_000_000
"""Votes of a block that is read from files."""

MOST_LOOSE: Final = 100_000
"""New pairs of task and worker that are looked up one by one before they are sorted in among the others."""


@dataclass(frozen=True, slots=True)
class Block:
    """Votes that follow each other, ``(votes,)`` each: the place of the task among those of a campaign, the place of
    the worker among all names, the answer, the round; and where they are wanted the seconds taken and the Unix time."""

    place: Ints
    worker: Ints
    answer: Ints
    round: Ints
    seconds: Floats | None = None
    at: Floats | None = None

    @classmethod
    def of(cls, votes: Votes, place: Ints) -> Block:
        """Votes on tasks at these places."""
        return cls(place, votes.worker, votes.answer, votes.round, votes.seconds, votes.at)

    def __len__(self) -> int:
        return len(self.place)

    def take(self, chosen: npt.NDArray[np.generic]) -> Block:
        """The chosen votes (a mask or indices)."""
        return _block(None if column is None else column[chosen] for column in _columns(self))

    def on(self, tasks: Ints, workers: Sequence[str]) -> Votes:
        """The votes by the numbers of their tasks."""
        return Votes(tasks[self.place], self.worker, self.answer, self.round, workers, self.seconds, self.at)


_KINDS: Final = {
    "place": np.int32,
    "worker": np.int32,
    "answer": np.int8,
    "round": np.int32,
    "seconds": np.float64,
    "at": np.float64,
}
NOTHING: Final = Block(*(np.zeros(0, kind) for kind in _KINDS.values()))


def _columns(block: Block) -> list[Any]:
    return [getattr(block, field.name) for field in fields(block)]


def joined(blocks: Iterable[Block]) -> Block:
    """Votes of several blocks; they have times where all do."""
    columns = zip(*map(_columns, [NOTHING, *blocks]), strict=True)
    return _block(None if any(part is None for part in parts) else np.concatenate(parts) for parts in columns)


def _block(columns: Iterable[Any]) -> Block:
    return Block(*columns)


class Cast:
    """The votes of a campaign, which are only added to.

    From `LARGE` on they are in files without a name, 13 bytes a vote (29 with times), and memory holds a block of
    them. Raises `CrowdError` where these cannot be written.
    """

    def __init__(self) -> None:
        self.last_round = 0
        """The newest round that any vote is of; 0 where none is of a round."""
        self.of_pages = 0
        """How many votes are of a round, and so of a page."""
        self._length = 0
        self._blocks: list[Block] = []
        self._files: dict[str, Column] | None = None

    def __len__(self) -> int:
        return self._length

    @property
    def in_files(self) -> bool:
        """Whether there are so many that they are in files."""
        return self._files is not None

    def add(self, block: Block) -> None:
        """Add votes. Where the first came without times, times of later ones are not kept."""
        if not len(block):
            return
        self.last_round = max(self.last_round, int(block.round.max(initial=0)))
        self.of_pages += int(np.count_nonzero(block.round > 0))
        self._length += len(block)
        if self._files is None:
            self._blocks.append(block)
            if self._length >= LARGE:
                self._to_files()
        else:
            self._append(self._files, block)

    def _to_files(self) -> None:
        timed = not any(one is None for block in self._blocks for one in (block.seconds, block.at))
        kinds = {name: kind for name, kind in _KINDS.items() if timed or name not in ("seconds", "at")}
        self._files = {name: Column(kind) for name, kind in kinds.items()}
        while self._blocks:
            self._append(self._files, self._blocks.pop(0))

    def _append(self, files: dict[str, Column], block: Block) -> None:
        for name, file in files.items():
            file.add(getattr(block, name))

    def blocks(self) -> Iterator[Block]:
        """All votes, oldest first."""
        if self._files is None:
            if len(self._blocks) > 1:
                self._blocks = [joined(self._blocks)]
            yield from self._blocks
            return
        for start in range(0, self._length, AT_ONCE):
            stop = min(start + AT_ONCE, self._length)
            yield Block(**{name: file.read(start, stop) for name, file in self._files.items()})


class Column:
    """Numbers in a file without a name where `TMPDIR` says: it is gone when nobody holds it, and when the process ends,
    however it ends. Raises `CrowdError` where it cannot be written."""

    def __init__(self, kind: npt.DTypeLike) -> None:
        self._kind = np.dtype(kind)
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="holotype-")  # noqa: SIM115 - held as long as this is
        except OSError as error:
            raise no_room(tempfile.gettempdir(), error) from error
        weakref.finalize(self, _close, self._file)

    def add(self, values: npt.NDArray[Any]) -> None:
        """Add numbers at the end."""
        try:
            self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(values, self._kind).tobytes())
            self._file.flush()
        except OSError as error:
            raise no_room(tempfile.gettempdir(), error) from error

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """The numbers from `start` to `stop`, without that."""
        self._file.seek(start * self._kind.itemsize)
        return np.frombuffer(self._file.read((stop - start) * self._kind.itemsize), self._kind)

    def mapped(self) -> npt.NDArray[Any]:
        """All numbers, of which memory holds what is looked at."""
        return np.asarray(np.memmap(self._file, self._kind, "r"))


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # what could not be written
        file.close()


def gathered(parts: Iterable[Sequence[Ints]], columns: int) -> list[npt.NDArray[np.int64]]:
    """So many columns of parts that follow each other; from `LARGE` rows on they are in files, of which memory holds
    what is looked at."""
    held: list[Sequence[Ints]] = []
    files: list[Column] = []
    rows = 0
    for part in parts:
        held.append(part)
        rows += len(part[0])
        if rows >= LARGE:
            files = files or [Column(np.int64) for _ in range(columns)]
            for some in held:
                for file, column in zip(files, some, strict=True):
                    file.add(column)
            held = []
    if files:
        return [file.mapped() for file in files]
    return [np.concatenate([np.zeros(0, np.int64), *(part[at] for part in held)]) for at in range(columns)]


class Pairs:
    """Which pairs of a task and a worker there are, as sorted runs, in memory or in files."""

    def __init__(self, blocks: Iterable[Block], in_files: bool) -> None:
        self._in_files = in_files
        self._runs = [self._run(pairs_of(block.place, block.worker)) for block in blocks if len(block)]
        self._recent = np.zeros(0, np.int64)
        self._loose: set[int] = set()

    def _run(self, pairs: Ints) -> Ints:
        pairs.sort()
        if not self._in_files:
            return pairs
        file = Column(np.int64)
        file.add(pairs)
        return file.mapped()

    def new(self, pairs: Ints) -> list[int]:
        """Which of these were not there, by their places; they are from now on, so of equal ones the first is."""
        known = np.any([_among(pairs, run) for run in (*self._runs, self._recent)], axis=0)
        kept = []
        for at in np.flatnonzero(~known).tolist():
            if (pair := int(pairs[at])) not in self._loose:
                self._loose.add(pair)
                kept.append(at)
        if len(self._loose) > MOST_LOOSE:
            self._settle()
        return kept

    def _settle(self) -> None:
        """Sort the loose ones in among the recent ones; where these are many they are a run."""
        loose = np.fromiter(self._loose, np.int64, len(self._loose))
        self._recent, self._loose = np.sort(np.concatenate([self._recent, loose])), set()
        if len(self._recent) > AT_ONCE:
            self._runs.append(self._run(self._recent))
            self._recent = np.zeros(0, np.int64)


def pairs_of(place: Ints, worker: Ints) -> Ints:
    """A number for each pair of task and worker."""
    return np.asarray(place.astype(np.int64) << 32 | worker)


def _among(wanted: Ints, run: Ints) -> npt.NDArray[np.bool_]:
    if not len(run):
        return np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(run, wanted), len(run) - 1)
    return np.asarray(run[at] == wanted)
