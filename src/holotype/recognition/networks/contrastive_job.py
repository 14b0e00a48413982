"""Momentum contrast as a job: what a step learns, and what of it is kept."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from holotype.errors import RecognitionError
from holotype.recognition.contrasts import ContrastRecipe, view_retrieval
from holotype.recognition.networks.distributed import gathered, shard
from holotype.recognition.networks.encoders import Encoder, layers, patches_of
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.moving import move_towards
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.optimizers import optimizer_of
from holotype.recognition.networks.running import At
from holotype.recognition.networks.view_pairs import Pair, Pairs
from holotype.releases.loaders import Damaged, Samples, Settings
from holotype.releases.loaders.draws import hashes, key_of

_LEAST: Final = 2
_SHUFFLE, _QUEUE = 32, 33


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
        self._pairs = Pairs(samples, recipe, settings, device, workers, _LEAST)
        self._watched = None if held_out is None else Pairs.watched(held_out, recipe, settings, device, workers)
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
        return self._pairs.damaged

    def steps(self, epoch: int) -> int:  # noqa: ARG002
        return self._pairs.steps()

    def batches(self, epoch: int, first: int) -> Iterator[Pair]:
        return self._pairs.batches(epoch, first)

    def step(self, batch: Pair, at: At) -> Mapping[str, Any]:
        recipe = self._recipe
        done = at.total / self._pairs.steps()
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.lr * recipe.schedule.share(done, recipe.epochs)
        one, other = self._pairs.looked_at(batch, at.epoch, self.queries.network.preprocessing)
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
        embedded, features = self._retrieval(self._watched)
        return {"retrieval": embedded, "retrieval_by_features": features, "best": embedded}

    def _retrieval(self, pairs: Pairs) -> tuple[float, float]:
        """How often what the network makes of an image's view is nearest to that of its other view (see
        `view_retrieval`): by embeddings, and by features, which are what is left of it."""
        network = self.queries.eval().network
        rows: list[list[list[Any]]] = [[[], []], [[], []]]
        with torch.inference_mode():
            for pair in pairs.batches(0):
                if len(pair[0].numbers):
                    for side, view in enumerate(pairs.looked_at(pair, 0, network.preprocessing)):
                        features = network.features(view)
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
