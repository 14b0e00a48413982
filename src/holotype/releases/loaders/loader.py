"""Batches of pixels and labels, decoded ahead by threads; the same ones however many there are."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.engine import cpus, map_batches
from holotype.errors import HolotypeError, ReleaseError
from holotype.images.flatten import Pixels
from holotype.images.rejected import Rejected
from holotype.releases.loaders.draws import Numbers, key_of, uniforms
from holotype.releases.loaders.order import PADDING, share
from holotype.releases.loaders.samples import Samples
from holotype.releases.loaders.settings import Position, Settings, restored, saved

_AUGMENT: Final = 3
_READERS: Final = 4
"""Pieces that are read at once from a bucket; twice as many are read ahead at the most."""
Allocate = Callable[[tuple[int, ...]], Pixels]
Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A sample whose bytes are no sound picture: its number and id, and why, as `Rejected` says it."""

    number: int
    id: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pictures and what they show; unpacks as ``images, labels``.

    `images` are ``(pictures, size, size, 3)`` uint8 RGB, `labels` what `Samples.targets` has of `numbers`, the places
    of the pictures among the loader's samples. `position` is where the loader is after it. **The memory of `images` is
    written to again after some more batches**: see `Loader`.
    """

    images: Pixels
    labels: npt.NDArray[np.int64]
    numbers: Numbers
    damaged: tuple[Damaged, ...]
    position: Position

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        return iter((self.images, self.labels))

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a batch, which one thread decodes: numbers of samples, and where their pixels go."""

    numbers: Numbers
    out: Pixels
    key: int


def new_memory(shape: tuple[int, ...]) -> Pixels:
    """Memory for pixels, of a shape."""
    return np.empty(shape, np.uint8)


class Loader:
    """Goes through samples epoch by epoch: iterating gives the batches that are left of this epoch, and then it stands
    at the beginning of the next one. Left in the middle, the next iteration goes on there.

    Which pictures a batch has and how they look follows from samples, settings and the epoch alone: not from how many
    `workers` (threads; all CPUs) decode, nor from what came before. So `state_dict` says all that there is to resume.
    Threads decode about two batches ahead, and of what lies in a bucket some read ahead of these; they end with the
    iteration, also where that is left by an exception.

    The memory of a batch's images is its own until more than `hold` further batches are asked for; copy what is needed
    longer. `allocate` makes that memory, of a shape.

    Raises `ReleaseError` where an image is damaged, unless the settings say to leave it out: it is then missing from
    its batch and told there and in `damaged`. Bytes that are not there any more always raise, `PackError` or
    `ArchiveError`.
    """

    def __init__(
        self,
        samples: Samples,
        settings: Settings = Settings(),
        workers: int | None = None,
        hold: int = 1,
        allocate: Allocate = new_memory,
    ) -> None:
        if (workers is not None and workers < 1) or hold < 0:
            raise ValueError(f"workers must be at least 1, and hold 0 or more, not {workers} and {hold}")
        self.samples = samples
        self.settings = settings
        self._workers = workers or cpus()
        self._hold = hold
        self._allocate = allocate
        self._position = Position()
        self._digest = ""
        self._ring: list[Pixels] = []
        self._used = 0
        self._shares: tuple[int, Numbers] = -1, np.zeros(0, np.int64)
        self.damaged: dict[str, Damaged] = {}
        """The damaged images that were left out so far, by id."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The wnids that labels are indices of."""
        return self.samples.classes

    @property
    def position(self) -> Position:
        """Where the loader is: the next batch is the one of that number, from 0."""
        return self._position

    def again(self, hold: int, allocate: Allocate | None = None) -> Loader:
        """Another loader of the same batches, at the same position, with other memory."""
        other = Loader(self.samples, self.settings, self._workers, hold, allocate or self._allocate)
        other._position, other._digest = self._position, self._digest
        return other

    @property
    def epoch(self) -> int:
        """The epoch that the next batch is of, from 0."""
        return self._position.epoch

    def __len__(self) -> int:
        """How many batches an epoch has for this rank."""
        return -(-len(self._share(self._position.epoch)) // self.settings.batch_size)

    def ids(self, batch: Batch) -> list[str]:
        """The ids of the images of a batch, "" in places without one."""
        return ["" if number < 0 else self.samples.ids[number].as_py() for number in batch.numbers.tolist()]

    def seek(self, epoch: int, batch: int = 0) -> None:
        """Let the next batch be number `batch` of `epoch`, both from 0."""
        if epoch < 0 or batch < 0:
            raise ValueError(f"there is no epoch {epoch}, batch {batch}")
        self._position = Position(epoch, batch)

    def state_dict(self, position: Position | None = None) -> dict[str, Any]:
        """Where the loader is after the last batch that was handed out, or after one that had this `position`; of
        values that JSON has, and the same for all ranks."""
        return saved(position or self._position, self.settings, self._samples_digest())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where a loader of the same samples and settings was: what comes next is what came next there.

        Raises `ReleaseError` where they were others, or no loader of these is ever there.
        """
        self._position = restored(state, self.settings, self._samples_digest(), self._most())

    def __iter__(self) -> Iterator[Batch]:
        start = self._position
        count = len(self)
        for batch in self._batches(start, count):
            self._position = batch.position
            self.damaged |= {one.id: one for one in batch.damaged}
            yield batch
        if start.batch >= count:
            self._position = Position(start.epoch + 1)

    def _batches(self, start: Position, count: int) -> Iterator[Batch]:
        size, held = self.settings.batch_size, self._share(start.epoch)
        step = -(-size // self._workers)
        of_batch = [held[first : first + size] for first in range(start.batch * size, len(held), size)]
        memory = self._memory(-(-size // step))
        pieces = (
            _Piece(numbers[first : first + step], memory(at)[first : first + step], self._key(start.epoch))
            for at, numbers in enumerate(of_batch)
            for first in range(0, len(numbers), step)
        )
        with (
            closing(self._read(pieces)) as read,
            closing(map_batches(self._decode, read, workers=self._workers, kind="threads")) as done,
        ):
            for at, numbers in enumerate(of_batch):
                damaged = [one for _ in range(0, len(numbers), step) for one in next(done)]
                after = start.batch + at + 1
                position = Position(start.epoch, after) if after < count else Position(start.epoch + 1)
                self._used += 1
                yield self._assembled(numbers, memory(at), damaged, position)

    def _memory(self, pieces: int) -> Callable[[int], Pixels]:
        """Memory for the batch of a number: that which was not used for longest, of as many as may be decoded or held
        at once; from one iteration to the next too."""
        ring, size = self._ring, self.settings.size
        places = -(-2 * self._workers // pieces) + 2 + self._hold
        first = self._used

        def memory(number: int) -> Pixels:
            place = (first + number) % places
            while place >= len(ring):
                ring.append(self._allocate((self.settings.batch_size, size, size, 3)))
            return ring[place]

        return memory

    def _read(self, pieces: Iterable[_Piece]) -> Generator[tuple[_Piece, Read], None, None]:
        """Pieces with what reads their samples: those in a bucket were read ahead, others are when they are decoded."""
        if not self.samples.store.is_far:
            yield from ((piece, self.samples.read) for piece in pieces)
            return
        with closing(map_batches(self._read_ahead, pieces, workers=_READERS, kind="threads")) as read:
            yield from read

    def _read_ahead(self, piece: _Piece) -> tuple[_Piece, Read]:
        numbers = [number for number in piece.numbers.tolist() if number != PADDING]
        try:
            held = dict(zip(numbers, self.samples.read_many(numbers), strict=True))
        except (HolotypeError, OSError):
            return piece, self.samples.read  # which says what is wrong when it is its turn
        return piece, held.__getitem__

    def _decode(self, piece_read: tuple[_Piece, Read]) -> list[Damaged]:
        """Write the pictures of a piece to their memory; those that are damaged."""
        piece, read = piece_read
        augment, damaged = self.settings.augment, []
        drawn = uniforms(piece.key, piece.numbers, augment.draws).tolist()
        for number, draws, out in zip(piece.numbers.tolist(), drawn, piece.out, strict=False):
            if number == PADDING:
                out[:] = 0
                continue
            try:
                augment.show(read(number), draws, out)
            except Rejected as error:
                damaged.append(Damaged(number, self.samples.ids[number].as_py(), error.reason, error.detail))
        return damaged

    def _assembled(self, numbers: Numbers, memory: Pixels, damaged: list[Damaged], position: Position) -> Batch:
        images = memory[: len(numbers)]
        if damaged and self.settings.damaged == "raise":
            first = damaged[0]
            raise ReleaseError(f"image {first.id} is damaged ({first.reason}): {first.detail}")
        if damaged:
            sound = ~np.isin(numbers, [one.number for one in damaged])
            kept = int(sound.sum())
            images[:kept] = images[sound]
            lost = len(numbers) - kept if self.settings.last == "pad" else 0
            images[kept : kept + lost] = 0
            numbers = np.concatenate([numbers[sound], np.full(lost, PADDING, np.int64)])
            images = images[: kept + lost]
        return Batch(images, self.samples.targets(numbers), numbers, tuple(damaged), position)

    def _share(self, epoch: int) -> Numbers:
        """What this rank shows in an epoch, which is kept while it lasts."""
        if self._shares[0] != epoch:
            asked = self.settings
            order = asked.order.of(len(self.samples), asked.seed, epoch)
            self._shares = epoch, share(order, *asked.shard, asked.batch_size, asked.last, asked.near)
        return self._shares[1]

    def _most(self) -> int:
        """How many batches an epoch has for the rank that has most."""
        count, whole = len(self.samples), self.settings.batch_size * self.settings.shard[1]
        return count // whole if self.settings.last == "drop" else -(-count // whole)

    def _key(self, epoch: int) -> int:
        return key_of(self.settings.seed, epoch, _AUGMENT)

    def _samples_digest(self) -> str:
        self._digest = self._digest or self.samples.digest()
        return self._digest
