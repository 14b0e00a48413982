"""Learning from images alone: momentum contrast (MoCo v1, v2 and v3), written from the papers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.errors import RecognitionError
from holotype.recognition.contrasts import ContrastRecipe, View, view_retrieval
from holotype.recognition.networks.contrastive_views import DRAWS, looked_at
from holotype.recognition.networks.distributed import any_of, gathered, joined, shard
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.feeding import NO_SOURCE, Feed, Shown
from holotype.recognition.networks.moving import move_towards
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.optimizers import optimizer_of
from holotype.recognition.networks.running import At, Logged, Plan, Ran, Told, run
from holotype.recognition.networks.weights import write_weights
from holotype.recognition.preprocessing import Preprocessing
from holotype.recognition.runs import WEIGHTS
from holotype.releases.loaders import Damaged, Order, RandomCrop, Samples, Settings
from holotype.releases.loaders.draws import hashes, key_of, uniforms

MONITORED: Final = 1000
_LEAST: Final = 2
_COLOURS, _SHUFFLE, _QUEUE = 31, 32, 33


@dataclass(frozen=True, slots=True, eq=False)
class Contrasted:
    """A network that learned from images alone, how its run ended, and the damaged samples that it was not shown."""

    network: Network
    ran: Ran
    damaged: tuple[Damaged, ...]


def contrast(
    samples: Samples,
    network: Network,
    recipe: ContrastRecipe,
    out: Path,
    *,
    held_out: Samples | None = None,
    size: int | None = None,
    seed: int = 0,
    source: Mapping[str, Any] = NO_SOURCE,
    resume: bool = False,
    device: str = "auto",
    workers: int | None = None,
    told: Told = lambda *_: None,
    logged: Logged = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Contrasted:
    """Train a network to tell images from each other, in a folder that becomes a run of a network without classes; what
    labels samples have is not looked at.

    After each epoch, how often the embedding of a view of an image that is held out is nearest to that of its other
    view is logged, as ``retrieval``; and the same of features, which are what is left when the run is over. `size` is how large images are shown, the network's own if None. Of several processes
    each takes its share of a batch. All else is as `running.run` says: checkpoints, exact resume, `OtherRun`,
    `Diverged`.

    Raises `RecognitionError` where there are fewer than two images for each process.
    """
    with joined(device) as there:
        fitted = recipe.fitting(len(samples))
        network.preprocessing = _shown_at(network.preprocessing, size)
        job = ContrastJob(samples, network, fitted, held_out, seed, there, workers)
        identity = {
            "model": network.name,
            "classes": [],
            "preprocessing": network.preprocessing.value(),
            "recipe": fitted.value(),
            "seed": seed,
            "source": dict(source),
            "samples": samples.digest(),
        }
        rank, world = shard()
        asked = stopping if world == 1 else lambda: any_of(stopping(), there)
        plan = Plan(fitted.epochs, rank=rank, stopping=asked, logged=logged)
        ran = run(job, plan, out, identity, resume, told)
        if ran.finished and rank == 0:
            write_weights(network.module, out / WEIGHTS)
    network.classes = ()
    network.requires_grad_(True)
    return Contrasted(network, ran, tuple(job.damaged.values()))


def _shown_at(was: Preprocessing, size: int | None) -> Preprocessing:
    return was if size is None or size == was.size else replace(was, size=size, resize=round(size * 8 / 7))


class Encoder(torch.nn.Module):  # type: ignore[misc]
    """A network's features, and the layers behind them that embed them."""

    def __init__(self, network: Network, recipe: ContrastRecipe) -> None:
        super().__init__()
        self.network = network
        self.projection = layers((network.width, *recipe.projection), recipe.normed)

    def forward(self, images: Any) -> Any:
        """Normalised images ``(n, 3, size, size)`` to embeddings ``(n, width)``, of any length."""
        return self.projection(self.network.features(images))


def layers(widths: tuple[int, ...], normed: bool) -> Any:
    """Linear layers with ReLUs between them; `normed` ones with batch norms, that of the last without weights (Chen et
    al., ICCV 2021, 4)."""
    made: list[Any] = []
    for at, (inputs, outputs) in enumerate(pairwise(widths)):
        last = at == len(widths) - 2
        made.append(torch.nn.Linear(inputs, outputs, bias=not normed))
        if normed:
            made.append(torch.nn.BatchNorm1d(outputs, affine=not last))
        if not last:
            made.append(torch.nn.ReLU())
    return torch.nn.Sequential(*made)


class ContrastJob:
    """Learning to tell images from each other, as a `Job`."""

    def __init__(
        self,
        samples: Samples,
        network: Network,
        recipe: ContrastRecipe,
        held_out: Samples | None,
        seed: int,
        device: Any,
        workers: int | None,
    ) -> None:
        self._recipe, self._seed, self._device = recipe, seed, device
        rank, world = shard()
        size = max(recipe.batch_size // world, 1)
        settings = Settings(size, network.preprocessing.size, seed=seed, shard=(rank, world))
        if len(samples) < _LEAST * world:
            raise RecognitionError(f"{len(samples):,} images are too few to tell from each other")
        self._feeds = self._two(samples, settings, workers, _LEAST)
        self._watched = None if held_out is None else self._watched_of(held_out, settings, workers)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.queries = Encoder(network, recipe)
            prediction = layers((recipe.projection[-1], *recipe.prediction), recipe.normed)
        if recipe.patches_fixed:
            patches_of(network.module).requires_grad_(False)
        network.head.requires_grad_(False)
        self.queries.to(device)
        self.keys = copy.deepcopy(self.queries).requires_grad_(False)
        self.prediction = prediction.to(device)
        learning = torch.nn.ModuleList([self.queries, self.prediction])
        self._optimizer = optimizer_of(learning, recipe.optimizer, recipe.lr)
        self._learning = [one for one in learning.parameters() if one.requires_grad]
        drawing = torch.Generator("cpu").manual_seed(key_of(seed, _QUEUE) >> 1)
        queue = torch.randn((recipe.queue, recipe.projection[-1]), generator=drawing, device="cpu")
        self.queue = _unit(queue).to(device)
        self.next = 0

    @property
    def damaged(self) -> dict[str, Damaged]:
        """The damaged samples that were left out so far, by id."""
        return self._feeds[0].damaged | self._feeds[1].damaged

    def steps(self, epoch: int) -> int:  # noqa: ARG002
        return self._feeds[0].steps()

    def batches(self, epoch: int, first: int) -> Iterator[tuple[Shown, Shown]]:
        return both(self._feeds, epoch, first, _LEAST)

    def step(self, batch: tuple[Shown, Shown], at: At) -> Mapping[str, Any]:
        recipe = self._recipe
        done = at.total / self._feeds[0].steps()
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.lr * recipe.schedule.share(done, recipe.epochs)
        one, other = self._views(batch, at.epoch)
        self.queries.train()
        self.prediction.train()
        self.keys.train()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            loss, keys = self._queued(one, other, at) if recipe.queue else self._symmetric(one, other)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        averaged(self._learning)
        self._optimizer.step()
        move_towards(self.keys, self.queries, recipe.momentum_at(done))
        if keys is not None:
            self._enqueue(keys)
        return {"loss": loss.detach()}

    def scored(self, epoch: int) -> Mapping[str, float]:  # noqa: ARG002
        if self._watched is None:
            return {}
        embedded, features = self.retrieval(self._watched)
        return {"retrieval": embedded, "retrieval_by_features": features, "best": embedded}

    def retrieval(self, feeds: tuple[Feed, Feed]) -> tuple[float, float]:
        """How often what the network makes of an image's view is nearest to that of its other view (see
        `view_retrieval`): by embeddings, and by features, which are what is left of it."""
        self.queries.eval()
        rows: list[list[list[Any]]] = [[[], []], [[], []]]
        with torch.inference_mode():
            for batch in both(feeds, 0, 0, 0):
                if len(batch[0].numbers):
                    for side, view in enumerate(self._views(batch, 0)):
                        features = self.queries.network.features(view)
                        for held, made in zip(rows, (self.queries.projection(features), features), strict=True):
                            held[side].append(made.float().cpu().numpy())
        if not rows[0][0]:
            return 0.0, 0.0
        embedded, kept = (view_retrieval(*(np.concatenate(side) for side in held)) for held in rows)
        return embedded, kept

    def state(self) -> dict[str, Any]:
        return {
            "queries": self.queries.state_dict(),
            "keys": self.keys.state_dict(),
            "prediction": self.prediction.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "queue": self.queue,
            "next": self.next,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.queries.load_state_dict(state["queries"])
        self.keys.load_state_dict(state["keys"])
        self.prediction.load_state_dict(state["prediction"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.queue = state["queue"].to(self._device)
        self.next = int(state["next"])

    def _two(self, samples: Samples, settings: Settings, workers: int | None, least: int) -> tuple[Feed, Feed]:
        crop = RandomCrop(self._recipe.scale)
        first, second = (
            Feed(samples, replace(settings, augment=View(number, crop)), self._device, workers, least)
            for number in (0, 1)
        )
        return first, second

    def _watched_of(self, held_out: Samples, settings: Settings, workers: int | None) -> tuple[Feed, Feed]:
        """Views of what is held out, of all of it on every process."""
        some = np.linspace(0, len(held_out) - 1, min(MONITORED, len(held_out))).astype(np.int64)
        asked = replace(settings, order=Order("none"), shard=(0, 1), batch_size=64)
        return self._two(held_out.take(np.unique(some)), asked, workers, 0)

    def _views(self, batch: tuple[Shown, Shown], epoch: int) -> tuple[Any, Any]:
        """Two views of images, normalised."""
        shown = self.queries.network.preprocessing
        mean, std = (torch.tensor(one, device=self._device).view(1, 3, 1, 1) for one in (shown.mean, shown.std))
        keys = (key_of(self._seed, epoch, _COLOURS, view) for view in (0, 1))
        drawn = (uniforms(key, view.numbers, DRAWS) for key, view in zip(keys, batch, strict=True))
        one, other = (
            (looked_at(view.images, look, draws) - mean) / std
            for view, look, draws in zip(batch, self._recipe.looks, drawn, strict=True)
        )
        return one, other

    def _queued(self, one: Any, other: Any, at: At) -> tuple[Any, Any]:
        """The loss of queries against their keys and those in the queue (He et al., CVPR 2020, algorithm 1), and the
        keys."""
        queries = _unit(torch.cat([self.queries(part) for part in self._groups(one)]).float())
        with torch.no_grad():
            order = np.argsort(hashes(key_of(self._seed, at.total, _SHUFFLE), np.arange(len(other))), kind="stable")
            keys = _unit(torch.cat([self.keys(part) for part in self._groups(other[order])]).float())
            keys = keys[np.argsort(order)]
        own = (queries * keys).sum(1, keepdim=True)
        logits = torch.cat([own, queries @ self.queue.T], 1) / self._recipe.temperature
        right = torch.zeros(len(logits), dtype=torch.long, device=self._device)
        return torch.nn.functional.cross_entropy(logits, right), keys

    def _groups(self, images: Any) -> tuple[Any, ...]:
        """Images in groups that share the statistics of batch norms, none of them of one image."""
        size = self._recipe.group or len(images)
        return tuple(images.chunk(max(len(images) // size, 1)))

    def _symmetric(self, one: Any, other: Any) -> tuple[Any, None]:
        """The loss of each view's predictions against the keys of the other, of all processes (Chen et al., ICCV 2021,
        algorithm 1)."""
        predicted = [_unit(self.prediction(self.queries(view)).float()) for view in (one, other)]
        with torch.no_grad():
            keys = [_unit(self.keys(view).float()) for view in (one, other)]
        return self._contrasted(predicted[0], keys[1]) + self._contrasted(predicted[1], keys[0]), None

    def _contrasted(self, predicted: Any, keys: Any) -> Any:
        rank, _ = shard()
        of_all = gathered(keys.cpu())
        first = sum(len(held) for held in of_all[:rank])
        logits = predicted @ torch.cat(of_all).to(self._device).T / self._recipe.temperature
        right = torch.arange(first, first + len(predicted), device=self._device)
        return 2 * self._recipe.temperature * torch.nn.functional.cross_entropy(logits, right)

    def _enqueue(self, keys: Any) -> None:
        """Put the keys of all processes in place of the oldest ones."""
        new = torch.cat(gathered(keys.cpu())).to(self._device)[-len(self.queue) :]
        places = (self.next + torch.arange(len(new), device=self._device)) % len(self.queue)
        self.queue[places] = new
        self.next = (self.next + len(new)) % len(self.queue)


def both(feeds: tuple[Feed, Feed], epoch: int, first: int, least: int) -> Iterator[tuple[Shown, Shown]]:
    """Batches of two views of the same images: those that are damaged in either are left out of both.

    Raises `RecognitionError` where fewer than `least` are left of a batch.
    """
    for one, other in zip(*(feed.batches(epoch, first) for feed in feeds), strict=True):
        kept = np.isin(one.numbers, other.numbers), np.isin(other.numbers, one.numbers)
        if kept[0].sum() < least:
            raise RecognitionError("too few images of a batch are sound in both of their views")
        yield _taken(one, kept[0]), _taken(other, kept[1])


def _taken(shown: Shown, kept: Any) -> Shown:
    if kept.all():
        return shown
    rows = torch.from_numpy(np.flatnonzero(kept)).to(shown.images.device)
    return Shown(shown.images[rows], shown.numbers[kept], shown.labels[rows])


def patches_of(module: Any) -> Any:
    """The layer of a vision transformer that makes tokens of patches, the first convolution that it has.

    Raises `RecognitionError` where it has none.
    """
    found = next((layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d)), None)
    if found is None:
        raise RecognitionError("this network has no convolution that makes tokens of patches")
    return found


def averaged(parameters: Iterable[Any]) -> None:
    """Let gradients be their means over all processes."""
    _, world = shard()
    if world == 1:
        return
    held = [one.grad for one in parameters if one.grad is not None]
    flat = torch.cat([one.flatten() for one in held])
    torch.distributed.all_reduce(flat)
    flat /= world
    for grad, part in zip(held, flat.split([one.numel() for one in held]), strict=True):
        grad.copy_(part.view_as(grad))


def _unit(rows: Any) -> Any:
    return torch.nn.functional.normalize(rows, dim=1)
