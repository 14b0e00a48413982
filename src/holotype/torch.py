"""Batches on the device that trains, for PyTorch: ``holotype[torch]``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

try:
    import torch
    from torch.utils.data import IterableDataset, get_worker_info
except (ImportError, OSError, RuntimeError) as error:  # also where it is there, but for another machine
    raise ImportError(f"this needs PyTorch, an extra: pip install 'holotype[torch]' ({error})") from error

from holotype.releases.loaders import Batch, Damaged, Loader
from holotype.releases.loaders.draws import Numbers
from holotype.releases.loaders.mixing import Mix, Mixed
from holotype.releases.loaders.settings import IMAGENET_MEAN, IMAGENET_STD, Position

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "DeviceLoader", "Mix", "shard"]

_AHEAD: Final = 2
Change = Callable[[Any, Numbers, int], Any]
"""What is made of normalised pictures ``(n, 3, size, size)`` on their device, with the numbers of their samples, in an
epoch. What is random in it has to follow from those."""


def shard() -> tuple[int, int]:
    """This process's rank and how many there are, where `torch.distributed` was initialised; else ``(0, 1)``."""
    together = torch.distributed
    if not (together.is_available() and together.is_initialized()):
        return 0, 1
    return together.get_rank(), together.get_world_size()


class DeviceLoader(IterableDataset):  # type: ignore[misc]
    """The batches of a loader as tensors on a device: images ``(n, 3, size, size)`` less `mean` and over `std`, which
    are for levels from 0 to 1, in channels-last memory (or not, with `channels_last` False) and of a `dtype`; labels
    ``(n,)`` int64, or, of a loader with several labels or with `mix`, ``(n, classes)`` floats, whose rows sum up to 1
    with `mix`.

    Bytes go to the device, two batches ahead, from pinned memory on a stream of their own; there they are turned into
    numbers, made what `change` makes of them, and mixed. It is a `torch.utils.data.IterableDataset`: a
    ``DataLoader(it, batch_size=None)`` takes it, but needs no workers, for the loader has threads. It has a position of
    its own, and `state_dict` tells of the batches that it handed out.
    """

    def __init__(
        self,
        loader: Loader,
        device: Any = "cpu",
        *,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        dtype: Any = torch.float32,
        channels_last: bool = True,
        mix: Mix | None = None,
        change: Change | None = None,
    ) -> None:
        super().__init__()
        self.device = torch.device(device)
        self._pinned = self.device.type == "cuda"
        allocate = self._pin if self._pinned else None
        self._loader = loader.again(hold=_AHEAD + 1, allocate=allocate)
        self._scale = torch.tensor([1 / (255 * one) for one in std], device=self.device).view(1, 3, 1, 1)
        shift = [-middle / one for middle, one in zip(mean, std, strict=True)]
        self._shift = torch.tensor(shift, device=self.device).view(1, 3, 1, 1)
        self._dtype = dtype
        self._channels_last = channels_last
        self._mix = mix
        self._change = change
        self._position = self._loader.position

    @property
    def classes(self) -> tuple[str, ...]:
        """The wnids that labels are indices of."""
        return self._loader.classes

    @property
    def epoch(self) -> int:
        """The epoch that the next batch is of, from 0."""
        return self._position.epoch

    @property
    def damaged(self) -> Mapping[str, Damaged]:
        """The damaged images that were left out so far, by id; those of batches ahead are among them."""
        return self._loader.damaged

    def __len__(self) -> int:
        """How many batches an epoch has for this rank."""
        return len(self._loader)

    def seek(self, epoch: int, batch: int = 0) -> None:
        """Let the next batch be number `batch` of `epoch`, both from 0."""
        self._loader.seek(epoch, batch)
        self._position = self._loader.position

    def state_dict(self) -> dict[str, Any]:
        """Where this is after the last batch that was handed out: see `Loader.state_dict`."""
        return self._loader.state_dict(self._position)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where another was. Raises `ReleaseError` where that was of other images or settings."""
        self._loader.load_state_dict(state)
        self._position = self._loader.position

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if get_worker_info() is not None:
            raise RuntimeError("each worker would give all batches: take num_workers=0, for the loader has threads")
        self._loader.seek(self._position.epoch, self._position.batch)
        stream = torch.cuda.Stream(self.device) if self._pinned else None
        before, sent = self._position, deque[tuple[Any, Any, Any, Position]]()
        for batch in self._loader:
            sent.append((*self._sent(batch, before, stream), batch.position))
            before = batch.position
            if len(sent) > _AHEAD:
                yield self._arrived(*sent.popleft())
        while sent:
            yield self._arrived(*sent.popleft())
        self._position = self._loader.position

    def _pin(self, shape: tuple[int, ...]) -> Any:
        return torch.empty(shape, dtype=torch.uint8, pin_memory=True).numpy()

    def _sent(self, batch: Batch, before: Position, stream: Any) -> tuple[Any, Any, Any]:
        """A batch on its way to the device, and the event that it is there."""
        if stream is None:
            return *self._made(batch, before), None
        with torch.cuda.stream(stream):
            made = self._made(batch, before)
            return *made, stream.record_event()

    def _arrived(self, images: Any, labels: Any, event: Any, position: Position) -> tuple[Any, Any]:
        """A batch that may be used, and whose pinned memory may be used again."""
        if event is not None:
            event.synchronize()
            now = torch.cuda.current_stream(self.device)
            images.record_stream(now)
            labels.record_stream(now)
        self._position = position
        return images, labels

    def _made(self, batch: Batch, before: Position) -> tuple[Any, Any]:
        images = torch.from_numpy(batch.images).to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        images = torch.addcmul(self._shift, images.float(), self._scale)
        if self._change is not None:
            images = self._change(images, batch.numbers, before.epoch)
        labels = torch.from_numpy(batch.labels).to(self.device, non_blocking=True)
        several = labels.dim() == 2
        if several or self._mix is not None:
            labels = labels.float() if several else _one_hot(labels, len(self.classes))
        mixed = self._mixed(before)
        if mixed is not None:
            images, labels = mix_batch(images, labels, mixed)
        layout = torch.channels_last if self._channels_last else torch.contiguous_format
        return images.to(self._dtype).contiguous(memory_format=layout), labels

    def _mixed(self, before: Position) -> Mixed | None:
        settings = self._loader.settings
        if self._mix is None:
            return None
        rank, world = settings.shard
        return self._mix.drawn(settings.seed, before.epoch, before.batch * world + rank, settings.size)


def mix_batch(images: Any, labels: Any, mixed: Mixed) -> tuple[Any, Any]:
    """Pictures ``(n, channels, height, width)`` mixed with the one before each, and float labels ``(n, classes)``."""
    others = images.roll(1, 0)
    if mixed.box is None:
        images = images.lerp(others, 1 - mixed.share)
    else:
        left, top, right, bottom = mixed.box
        images[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return images, labels.lerp(labels.roll(1, 0), 1 - mixed.share)


def _one_hot(labels: Any, classes: int) -> Any:
    """Rows with a 1 for each label; of zeros where there is none."""
    rows = torch.zeros((len(labels), classes), device=labels.device)
    known = (labels >= 0).float().unsqueeze(1)
    return rows.scatter_(1, labels.clamp(min=0).unsqueeze(1), known)
