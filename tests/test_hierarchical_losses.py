"""Losses that know what is above the classes; left out where PyTorch is not installed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from conftest import small_ontology
from holotype.recognition.hierarchy import levels, marginals

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("torchvision", exc_type=ImportError)
pytestmark = pytest.mark.torch

TREE = small_ontology({0: [], 1: [0], 2: [0], 3: [1], 4: [1], 5: [2], 6: [2], 7: [6], 8: [6]})
"""s0 above s1 (s3, s4) and s2 (s5, and s6 with s7, s8)."""
DIAMOND = small_ontology({0: [], 1: [0], 2: [0], 3: [1, 2], 4: [1], 5: [2]})
FLAT = small_ontology({0: [], **{number: [0] for number in range(1, 7)}})


def wnids(*numbers: int) -> list[str]:
    return [f"n{number:08d}" for number in numbers]


def made(rows: int, classes: int, seed: int = 0) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(seed)
    outputs = 3 * torch.randn((rows, classes), generator=generator)
    return outputs.requires_grad_(), torch.randint(classes, (rows,), generator=generator)


def marginal(*numbers: int, ontology: Any = TREE, **more: Any) -> Any:
    from holotype.recognition.networks.hierarchical_losses import MarginalLoss

    return MarginalLoss(marginals(wnids(*numbers), ontology), **more)


def semantic(*numbers: int, ontology: Any = TREE, **more: Any) -> Any:
    from holotype.recognition.networks.hierarchical_losses import SemanticSoftmax

    return SemanticSoftmax(levels(wnids(*numbers), ontology), **more)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("soft", [False, True])
def test_without_a_hierarchy_losses_are_the_cross_entropy(smoothing: float, soft: bool) -> None:
    outputs, targets = made(9, 6)
    flat = torch.nn.functional.cross_entropy
    if soft:
        targets = torch.nn.functional.one_hot(targets, 6).float()
        targets = targets.lerp(targets.roll(1, 0), 0.3)
    expected = flat(outputs, targets, label_smoothing=smoothing)
    (wanted,) = torch.autograd.grad(expected, outputs)
    for loss in (
        marginal(1, 2, 3, 4, 5, 6, ontology=FLAT, decay=0.7, smoothing=smoothing),
        semantic(1, 2, 3, 4, 5, 6, ontology=FLAT, smoothing=smoothing),
    ):
        found = loss(outputs, targets)
        (gradient,) = torch.autograd.grad(found, outputs)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(gradient, wanted)


def test_without_decay_leaves_have_the_cross_entropy() -> None:
    outputs, targets = made(9, 5)
    found = marginal(3, 4, 5, 7, 8, decay=0.0)(outputs, targets)
    torch.testing.assert_close(found, torch.nn.functional.cross_entropy(outputs, targets))


def test_on_a_tree_the_loss_is_the_hierarchical_cross_entropy() -> None:
    """Of Bertinetto et al.: each step down by its conditional probability, the deeper the less."""
    outputs, targets = made(8, 5)
    probabilities = outputs.softmax(1)
    below = {1: [0, 1], 2: [2, 3, 4], 6: [3, 4], 3: [0], 4: [1], 5: [2], 7: [3], 8: [4]}
    paths = [[1, 3], [1, 4], [2, 5], [2, 6, 7], [2, 6, 8]]
    decay, rows = 0.4, []
    for row, target in enumerate(targets.tolist()):
        above, total = torch.ones(()), torch.zeros(())
        for depth, node in enumerate(paths[target]):
            here = probabilities[row, below[node]].sum()
            total = total - math.exp(-decay * depth) * (here / above).log()
            above = here
        rows.append(total)
    expected = torch.stack(rows).mean()
    found = marginal(3, 4, 5, 7, 8, decay=decay)(outputs, targets)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*(torch.autograd.grad(one, outputs)[0] for one in (found, expected)))


def test_a_label_that_is_above_other_classes_is_right_with_any_of_them() -> None:
    loss = marginal(1, 3, 4, 5, decay=0.0)
    outputs = torch.tensor([[0.0, 9.0, 0.0, 0.0]], requires_grad=True)
    for target in (0, 1):
        assert loss(outputs, torch.tensor([target])) < 0.01
    assert loss(outputs, torch.tensor([2])) > 8
    both = torch.tensor([[1.0, 1.0, 1.0, 1.0]])
    assert float(loss(both, torch.tensor([0]))) == pytest.approx(math.log(4 / 3))


def test_a_label_that_is_above_all_classes_teaches_nothing() -> None:
    outputs, _ = made(3, 3)
    found = marginal(0, 3, 5)(outputs, torch.zeros(3, dtype=torch.int64))
    (gradient,) = torch.autograd.grad(found, outputs)
    assert found.item() == 0
    assert not gradient.any()


def test_a_synset_with_several_parents_counts_once_for_each_node_above_it() -> None:
    outputs, _ = made(1, 3)
    a, b, c = outputs.softmax(1)[0].tolist()  # s3, s4, s5
    found = marginal(3, 4, 5, ontology=DIAMOND, decay=0.5)(outputs, torch.tensor([0])).item()
    top = 1 - math.exp(-0.5)
    assert found == pytest.approx(-math.exp(-1) * math.log(a) - top * math.log(a + b) - top * math.log(a + c), rel=1e-5)


def test_far_outputs_have_finite_losses_and_gradients() -> None:
    outputs = torch.tensor([[1e4, -1e4, 0.0, 3e4, -3e4]], requires_grad=True)
    for loss in (marginal(3, 4, 5, 7, 8), semantic(3, 4, 5, 7, 8), semantic(1, 2, 3, 4, 5)):
        for target in range(5):
            found = loss(outputs, torch.tensor([target]))
            (gradient,) = torch.autograd.grad(found, outputs, allow_unused=True)
            assert torch.isfinite(found)
            assert gradient is None or torch.isfinite(gradient).all()


def test_semantic_softmax_compares_the_classes_of_each_level() -> None:
    loss = semantic(1, 2, 3, 4, 5)
    outputs, _ = made(2, 5)
    targets = torch.tensor([0, 4])  # s1, of which the second level says nothing, and s5, which is under s2
    first, second = outputs[:, :2].log_softmax(1), outputs[:, 2:].log_softmax(1)
    expected = -(first[0, 0] + first[1, 1]) / 2 - 5 / 3 * second[1, 2] / 2
    torch.testing.assert_close(loss(outputs, targets), expected)


@pytest.mark.parametrize("of", [marginal, semantic])
def test_a_mixed_picture_has_the_mixed_loss(of: Any) -> None:
    loss = of(1, 2, 3, 4, 5, 7, smoothing=0.1)
    outputs, _ = made(1, 6)
    one_hot = torch.nn.functional.one_hot(torch.tensor([2, 5]), 6).float()
    mixed = loss(outputs, (0.3 * one_hot[0] + 0.7 * one_hot[1])[None])
    alone = [loss(outputs, torch.tensor([target])) for target in (2, 5)]
    torch.testing.assert_close(mixed, 0.3 * alone[0] + 0.7 * alone[1])


def test_losses_are_of_32_bits_whatever_outputs_are() -> None:
    outputs, targets = made(4, 6)
    for loss in (marginal(1, 2, 3, 4, 5, 7), semantic(1, 2, 3, 4, 5, 7)):
        found = loss(outputs.bfloat16(), targets)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, loss(outputs.bfloat16().float(), targets))
        assert not list(loss.parameters())
        assert not loss.state_dict()


def test_training_by_it_makes_better_mistakes() -> None:
    """Where inputs tell only what is above, the loss with decay puts probability there sooner."""
    rng = np.random.default_rng(0)
    targets = torch.from_numpy(rng.integers(0, 5, 400))
    side = torch.tensor([0, 0, 1, 1, 1])[targets]
    inputs = torch.nn.functional.one_hot(side, 2).float() + 0.5 * torch.from_numpy(rng.normal(size=(400, 2))).float()

    def coarse(loss: Any) -> float:
        weights = torch.zeros((2, 5), requires_grad=True)
        for _ in range(30):
            (gradient,) = torch.autograd.grad(loss(inputs @ weights, targets), weights)
            weights = (weights - 0.5 * gradient).detach().requires_grad_()
        found = (inputs @ weights).softmax(1)
        right = torch.stack([found[:, :2].sum(1), found[:, 2:].sum(1)], 1)
        return float(torch.nn.functional.nll_loss(right.log(), side).item())

    assert coarse(marginal(3, 4, 5, 7, 8, decay=1.0)) < coarse(marginal(3, 4, 5, 7, 8, decay=0.0))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_losses_are_the_same_on_a_gpu() -> None:
    outputs, targets = made(64, 6)
    for loss in (marginal(1, 2, 3, 4, 5, 7), semantic(1, 2, 3, 4, 5, 7)):
        here = loss(outputs, targets)
        there = loss(outputs.cuda(), targets.cuda())
        torch.testing.assert_close(there.cpu(), here)
        gradients = [torch.autograd.grad(one, outputs)[0] for one in (here, there)]
        torch.testing.assert_close(*gradients)
