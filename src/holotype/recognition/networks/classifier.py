"""A classifier that learns: a job of `holotype.recognition.networks.running.run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

from holotype.errors import RecognitionError
from holotype.recognition.networks.averaging import Average
from holotype.recognition.networks.distributed import gathered
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.freezing import Frozen
from holotype.recognition.networks.losses import Loss, with_auxiliary
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.optimizers import optimizer_of
from holotype.recognition.networks.running import At
from holotype.recognition.networks.scoring import right
from holotype.recognition.networks.shown import Shown
from holotype.recognition.recipes import Recipe
from holotype.releases.loaders import Damaged, Samples
from holotype.releases.loaders.draws import key_of

_DROPPED: Final = 7
_MASK: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """Where a classifier learns: this process's `device` and place among all, `shard`; of a batch it is given so many
    pictures `at_once`, or all; with `compiled` the network is compiled."""

    device: Any
    shard: tuple[int, int] = (0, 1)
    at_once: int | None = None
    compiled: bool = False

    def cast(self) -> Any:
        """A context in which networks compute: in bfloat16 on a GPU that can, else in float32."""
        if self.device.type == "cuda" and torch.cuda.is_bf16_supported():
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()

    def prepared(self, network: Network) -> Any:
        """The network as it is asked in training: gradients are then the mean over all processes."""
        asked = torch.compile(network) if self.compiled else network
        if self.shard[1] == 1:
            return asked
        places = [self.device.index] if self.device.type == "cuda" else None
        return torch.nn.parallel.DistributedDataParallel(asked, device_ids=places)


class Classifier:
    """A network that learns classes by a recipe, from batches that are `shown`."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        shown: Shown,
        loss: Loss,
        machine: Machine,
        frozen: Frozen,
        val: Samples | None = None,
        seed: int = 0,
    ) -> None:
        self._network = network.to(machine.device, memory_format=torch.channels_last)
        self._recipe = recipe
        self._shown = shown
        self._loss = loss
        self._machine = machine
        self._frozen = frozen
        self._val = val
        self._seed = seed
        self._asked = machine.prepared(network)
        self._optimizer = optimizer_of(network, recipe.optimizer, recipe.lr)
        self._learning = [one for group in self._optimizer.param_groups for one in group["params"]]
        self._average = Average(network.module, recipe.averaging) if recipe.averaging else None

    def steps(self, epoch: int) -> int:  # noqa: ARG002
        """How many steps an epoch has."""
        return self._shown.steps

    def batches(self, epoch: int, first: int) -> Iterator[tuple[Any, Any]]:
        """Pictures and targets of the steps of an epoch, from step `first` on."""
        self._network.train()
        self._frozen.keep()
        yield from self._shown.batches(epoch, first)

    def step(self, batch: tuple[Any, Any], at: At) -> Mapping[str, Any]:
        """Learn from a batch: the loss, over all processes, the norm of its gradient, and the learning rate."""
        rank, world = self._machine.shard
        torch.manual_seed(key_of(self._seed, at.epoch, at.step * world + rank, _DROPPED) & _MASK)
        rate = self._recipe.lr * self._recipe.schedule.share(
            at.epoch + at.step / self._shown.steps, self._recipe.epochs
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        try:
            loss = self._learned(*batch)
        except torch.OutOfMemoryError as error:
            told = f"{len(batch[1]):,} pictures are too many for {self._machine.device} at once"
            raise RecognitionError(f"{told}: {str(error).splitlines()[0]}") from error
        if world > 1:
            torch.distributed.all_reduce(loss)
            loss /= world
        norm = torch.nn.utils.get_total_norm([one.grad for one in self._learning if one.grad is not None])
        if self._recipe.clip:
            torch.nn.utils.clip_grads_with_norm_(self._learning, self._recipe.clip, norm)
        self._optimizer.step()
        if self._average is not None:
            self._average.update()
        return {"loss": loss, "norm": norm, "lr": rate}

    def _learned(self, images: Any, targets: Any) -> Any:
        """The loss of a batch, whose gradient is added up. What damaged pictures left of it counts as the share of the
        batch that it is, so that all pictures of all processes count the same."""
        share = len(targets) / self._shown.batch_size
        images, targets = _two_at_least(images, targets)
        count = len(targets)
        total = torch.zeros((), device=self._machine.device)
        for first, stop in pieces(count, self._machine.at_once or count):
            with self._alone() if stop < count else nullcontext():
                with self._machine.cast():
                    loss = with_auxiliary(self._loss, self._asked(images[first:stop]), targets[first:stop])
                loss = loss * (share * (stop - first) / count)
                loss.backward()
            total += loss.detach()
        return total

    def _alone(self) -> Any:
        """A context in which gradients are not yet shared among processes."""
        return self._asked.no_sync() if self._machine.shard[1] > 1 else nullcontext()

    def scored(self, epoch: int) -> Mapping[str, float]:
        """The size of pictures in an epoch, and, where there are images to score, the shares of right guesses. Raises
        `RecognitionError` where none of the pictures of the first epoch was sound."""
        for one in gathered(self._shown.damaged):
            self._shown.damaged |= one
        shown = self._shown.steps * self._recipe.batch_size
        if epoch == 0 and len(self._shown.damaged) >= shown:
            raise RecognitionError(f"none of {shown:,} images is sound")
        told = {"size": float(self._shown.size(epoch)), "damaged": float(len(self._shown.damaged))}
        if self._val is None:
            return told
        with self._kept(), self._machine.cast():
            found = right(self._network, self._val, self._machine.device)
        told["unscored"] = float(len(self._val) - found.images)
        return {**told, "top1": found.top1, "top5": found.top5, "best": found.top1}

    def _kept(self) -> Any:
        """A context in which the network has the weights that are kept at the end."""
        return nullcontext() if self._average is None else self._average.shown()

    def weights(self) -> dict[str, Any]:
        """The weights that are kept, of the average where there is one."""
        held = self._network.module.state_dict() if self._average is None else self._average.state()["kept"]
        return dict(held)

    def settle(self) -> None:
        """Let the network have the weights that are kept, and be set to evaluation."""
        self._network.module.load_state_dict(self.weights())
        self._network.eval()

    def state(self) -> dict[str, Any]:
        """All of it; the ``weights`` are those that are kept, of ``classes``."""
        network = self._network.module.state_dict()
        average = {} if self._average is None else {"network": network, "average": self._average.steps}
        damaged = [[one.number, one.id, one.reason, one.detail] for one in self._shown.damaged.values()]
        weights = {"weights": self.weights(), "classes": list(self._network.classes)}
        return {**weights, "optimizer": self._optimizer.state_dict(), "damaged": damaged, **average}

    def load(self, state: Mapping[str, Any]) -> None:
        """Become what had that state."""
        self._network.module.load_state_dict(state.get("network", state["weights"]))
        self._optimizer.load_state_dict(state["optimizer"])
        self._shown.damaged = {one[1]: Damaged(*one) for one in state["damaged"]}
        if self._average is not None:
            self._average.load({"steps": state["average"], "kept": state["weights"]})


def pieces(count: int, most: int) -> list[tuple[int, int]]:
    """Ranges of so many pictures, of `most` each, but two at least, for a norm needs two.

    >>> pieces(9, 4)
    [(0, 4), (4, 9)]
    """
    firsts = list(range(0, count, max(most, 2)))
    if len(firsts) > 1 and count - firsts[-1] < 2:
        firsts.pop()
    return list(zip(firsts, [*firsts[1:], count], strict=True))


def _two_at_least(images: Any, targets: Any) -> tuple[Any, Any]:
    """A batch as it is, or, where it is of one picture, that one twice, for a norm needs two; of none, two black ones,
    which count nothing."""
    if len(targets) > 1:
        return images, targets
    if len(targets) == 1:
        return torch.cat([images, images]), torch.cat([targets, targets])
    return images.new_zeros((2, *images.shape[1:])), targets.new_zeros((2, *targets.shape[1:]))
