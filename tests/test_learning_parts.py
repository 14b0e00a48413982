"""Optimizers, losses, averages, first weights, frozen layers and changes on the device."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from holotype.errors import RecognitionError
from holotype.recognition.recipes import RECIPES, Optimizer
from holotype.releases.loaders.draws import key_of, uniforms

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.torch

from holotype.recognition.networks.augmenting import OnDevice, colour_shift, erase_parts, erased_parts  # noqa: E402
from holotype.recognition.networks.averaging import Average  # noqa: E402
from holotype.recognition.networks.classifier import pieces  # noqa: E402
from holotype.recognition.networks.freezing import frozen  # noqa: E402
from holotype.recognition.networks.initialising import initialise, with_prelu  # noqa: E402
from holotype.recognition.networks.losses import binary_cross_entropy, cross_entropy, loss_of, with_auxiliary  # noqa: E402
from holotype.recognition.networks.models import create_model  # noqa: E402
from holotype.recognition.networks.network import Network  # noqa: E402
from holotype.recognition.networks.optimizers import Lamb, Lars, optimizer_of, parameter_groups  # noqa: E402
from holotype.recognition.networks.stochastic_depth import dropped_paths  # noqa: E402
from tiny_networks import tiny  # noqa: E402


def test_norms_biases_and_slopes_do_not_decay() -> None:
    layers = [torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.PReLU(4), torch.nn.Linear(4, 2)]
    conv, norm, slope, linear = layers
    module = torch.nn.Sequential(*layers)
    decaying, others = parameter_groups(module, Optimizer(weight_decay=0.1))
    assert set(decaying["params"]) == {conv.weight, linear.weight}
    assert set(others["params"]) == {conv.bias, norm.weight, norm.bias, slope.weight, linear.bias}
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.1, 0)
    everything, slopes = parameter_groups(module, Optimizer(weight_decay=0.1, decay_all=True))
    assert slopes["params"] == [slope.weight]
    assert len(everything["params"]) == 6


def test_what_is_shared_or_frozen_is_changed_once_or_never() -> None:
    shared = torch.nn.Linear(3, 3)
    module = torch.nn.ModuleList([shared, shared, torch.nn.Linear(3, 3).requires_grad_(False)])
    module.append(torch.nn.Linear(3, 3))
    module[3].weight = shared.weight
    groups = parameter_groups(module, Optimizer())
    assert [len(group["params"]) for group in groups] == [1, 2]


@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop", "lamb", "lars"])
def test_every_optimizer_goes_down_a_bowl(name: str) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 4)
    rate = {"lars": 10.0, "sgd": 0.1}.get(name, 0.02)
    asked = optimizer_of(layer, Optimizer(name, weight_decay=0.0), rate)  # type: ignore[arg-type]
    wanted = torch.randn(4, 4)

    def far() -> Any:
        return (layer.weight - wanted).pow(2).mean()

    first = far().item()
    for _ in range(200):
        asked.zero_grad()
        far().backward()
        asked.step()
    assert far().item() < 0.05 * first


def test_lamb_is_adam_where_nothing_decays_and_steps_by_the_length_of_weights_elsewhere() -> None:
    """You et al., ICLR 2020, algorithm 2: the first step of Adam is the sign of the gradient; LAMB makes it as long as
    the weights are."""
    weights, gradient = torch.tensor([3.0, -4.0]), torch.tensor([0.5, -2.0])
    plain, adam = (torch.nn.Parameter(weights.clone()) for _ in range(2))
    mine, theirs = Lamb([plain], lr=0.1, eps=1e-8), torch.optim.AdamW([adam], lr=0.1, weight_decay=0.0)
    for _ in range(3):
        plain.grad, adam.grad = gradient.clone(), gradient.clone()
        mine.step()
        theirs.step()
    assert torch.allclose(plain, adam, atol=1e-6)
    one = torch.nn.Parameter(weights.clone())
    one.grad = gradient.clone()
    Lamb([one], lr=0.1, weight_decay=0.01).step()
    update = gradient.sign() + 0.01 * weights
    assert torch.allclose(one, weights - 0.1 * 5 * update / update.norm(), atol=1e-5)


def test_lars_steps_by_a_share_of_the_length_of_weights() -> None:
    """You et al., 2017, algorithm 1."""
    weights, gradient = torch.tensor([[3.0, -4.0]]), torch.tensor([[6.0, 8.0]])
    matrix, vector = torch.nn.Parameter(weights.clone()), torch.nn.Parameter(weights[0].clone())
    matrix.grad, vector.grad = gradient.clone(), gradient[0].clone()
    Lars([matrix, vector], lr=1.0, momentum=0.9, trust=0.1).step()
    assert torch.allclose(matrix, weights - 0.1 * 5 / 10 * gradient)
    assert torch.allclose(vector, weights[0] - gradient[0])


@pytest.mark.parametrize("kind", [Lamb, Lars])
def test_nothing_is_divided_by_0(kind: Any) -> None:
    one = torch.nn.Parameter(torch.zeros(2, 2))
    one.grad = torch.zeros(2, 2)
    kind([one], weight_decay=0.1).step()
    assert torch.equal(one, torch.zeros(2, 2))


@pytest.mark.parametrize("loss", [cross_entropy(0.1), cross_entropy(), binary_cross_entropy(0.1)])
def test_a_label_and_the_row_that_says_the_same_have_the_same_loss(loss: Any) -> None:
    outputs, labels = torch.randn(5, 7), torch.tensor([0, 6, 3, 3, 1])
    assert float(loss(outputs, labels)) == pytest.approx(float(loss(outputs, torch.eye(7)[labels])), abs=1e-6)


def test_labels_of_mixed_pictures_are_smoothed_once() -> None:
    """Smoothing what is mixed is mixing what is smoothed: the loss is linear in the target."""
    outputs, one, other = torch.randn(4, 5), torch.eye(5)[[0, 1, 2, 3]], torch.eye(5)[[4, 4, 0, 1]]
    loss = cross_entropy(0.1)
    mixed = 0.3 * loss(outputs, one) + 0.7 * loss(outputs, other)
    assert float(loss(outputs, 0.3 * one + 0.7 * other)) == pytest.approx(float(mixed), abs=1e-6)
    smoothed = 0.9 * one + 0.1 / 5
    by_hand = -(smoothed * outputs.log_softmax(1)).sum(1).mean()
    assert float(loss(outputs, one)) == pytest.approx(float(by_hand), abs=1e-6)


def test_a_mixed_picture_shows_both_classes_to_the_binary_loss() -> None:
    outputs = torch.randn(2, 4)
    mixed = torch.tensor([[0.7, 0.3, 0, 0], [0.0, 0.1, 0, 0.9]])
    both = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 1]])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(outputs, both)
    assert float(binary_cross_entropy()(outputs, mixed)) == pytest.approx(float(expected), abs=1e-6)
    assert float(loss_of(RECIPES["rsb-a3"])(outputs, mixed)) == pytest.approx(float(expected), abs=1e-6)


def test_auxiliary_heads_count_three_tenths() -> None:
    main, first, labels = torch.randn(3, 4), torch.randn(3, 4), torch.tensor([0, 1, 2])
    loss = cross_entropy()
    expected = loss(main, labels) + 0.3 * loss(first, labels)
    assert float(with_auxiliary(loss, (main, first, None), labels)) == pytest.approx(float(expected))


def test_an_average_is_of_weights_and_of_statistics_and_leaves_the_network_as_it_was() -> None:
    network = tiny(norm="batch")
    average = Average(network.module, 0.5)
    first = {name: value.clone() for name, value in network.module.state_dict().items()}
    network.train()
    network(torch.randn(8, 3, 16, 16))
    with torch.no_grad():
        network.head.weight.add_(1)
    now = {name: value.clone() for name, value in network.module.state_dict().items()}
    average.update()  # the part of the old is (1 + 1) / (10 + 1) at first
    with average.shown():
        shown = {name: value.clone() for name, value in network.module.state_dict().items()}
    for name in ("1.running_mean", "6.weight"):
        assert torch.allclose(shown[name], now[name].lerp(first[name], 2 / 11), atol=1e-6)
        assert not torch.allclose(shown[name], now[name])
    assert int(shown["1.num_batches_tracked"]) == 1
    assert all(torch.equal(value, now[name]) for name, value in network.module.state_dict().items())


def plain_net(depth: int) -> Any:
    layers: list[Any] = [torch.nn.Conv2d(3, 32, 3, padding=1), torch.nn.ReLU()]
    for _ in range(depth - 1):
        layers += [torch.nn.Conv2d(32, 32, 3, padding=1), torch.nn.ReLU()]
    module = torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 10))
    return Network(module, "plain")


@pytest.mark.parametrize("prelu", [False, True])
def test_thirty_layers_pass_on_what_they_see_with_hes_weights_and_not_with_glorots(prelu: bool) -> None:
    """He et al., ICCV 2015, section 2.2: a network of 30 layers learns with the one, and not with the other."""
    torch.manual_seed(0)
    images = torch.randn(8, 3, 32, 32)
    spread, gradient = {}, {}
    for how in ("he", "xavier"):
        network = plain_net(30)
        if prelu:
            assert with_prelu(network.module) == 30
        initialise(network, how, seed=1)
        features = network.module[:60](images)
        spread[how] = features.std().item()
        features.pow(2).mean().backward()
        gradient[how] = network.module[0].weight.grad.norm().item()
    assert 0.1 < spread["he"] < 10
    assert spread["xavier"] < 1e-3
    assert gradient["xavier"] < 1e-4 * gradient["he"]


def test_first_weights_are_as_large_as_the_papers_say() -> None:
    network = Network(torch.nn.Sequential(torch.nn.Linear(400, 600), torch.nn.ReLU(), torch.nn.Linear(600, 100)), "two")
    for how, std in (("he", math.sqrt(2 / 400)), ("xavier", math.sqrt(2 / 1000)), ("gaussian", 0.01)):
        initialise(network, how, seed=0)  # type: ignore[arg-type]
        assert network.module[0].weight.std().item() == pytest.approx(std, rel=0.02)
        assert network.head.weight.std().item() == pytest.approx(0.01, rel=0.02)
        assert not network.module[0].bias.any()
    before = network.module[0].weight.clone()
    initialise(network, "gaussian", seed=0)
    assert torch.equal(network.module[0].weight, before)
    initialise(network, "gaussian", seed=1)
    assert not torch.equal(network.module[0].weight, before)
    with pytest.raises(ValueError, match="orthogonal"):
        initialise(network, "orthogonal")  # type: ignore[arg-type]


COUNTS = {
    "alexnet": 61_100_840,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "googlenet": 13_004_888,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}


@pytest.mark.parametrize("name", COUNTS)
def test_networks_have_as_many_parameters_as_published(name: str) -> None:
    from torchvision.models import get_model

    more = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        module = get_model(name, weights=None, **more)
    assert sum(one.numel() for one in module.parameters()) == COUNTS[name]
    assert Network(module, name).outputs == 1000


def test_a_network_of_prelus_is_called_so_and_comes_back_from_its_weights(tmp_path: Any) -> None:
    network = create_model("resnet18+prelu", ("n01440764", "n01443537"))
    assert network.name == "resnet18+prelu"
    slopes = [one for one in network.modules() if isinstance(one, torch.nn.PReLU)]
    assert len(slopes) == 9
    assert all(one.weight.item() == 0.25 for one in slopes)
    with pytest.raises(RecognitionError, match="googlenet has no layers that are ReLUs"):
        create_model("googlenet+prelu")


def test_a_frozen_backbone_asks_for_no_gradient_and_learns_no_statistics() -> None:
    network = tiny(norm="batch", drop=0.5)
    kept = frozen(network, "backbone")
    network.train()
    kept.keep()
    assert {name for name, one in network.named_parameters() if one.requires_grad} == {
        "module.6.weight",
        "module.6.bias",
    }
    before = network.module[1].running_mean.clone()
    network(torch.randn(4, 3, 16, 16))
    assert torch.equal(network.module[1].running_mean, before)


def test_frozen_norms_leave_the_rest_to_learn() -> None:
    network = tiny(norm="batch")
    frozen(network, "bn")
    still = {name for name, one in network.named_parameters() if not one.requires_grad}
    assert still == {"module.1.weight", "module.1.bias"}
    frozen(network, "none")
    assert all(one.requires_grad for one in network.parameters())
    with pytest.raises(ValueError, match="head"):
        frozen(network, "head")  # type: ignore[arg-type]


def test_branches_are_dropped_in_training_alone_and_only_while_it_lasts() -> None:
    from torchvision.models.resnet import BasicBlock

    network = torch.nn.Sequential(BasicBlock(4, 4), BasicBlock(4, 4))
    images = torch.randn(64, 4, 4, 4)
    with dropped_paths(network, 1.0) as branches:
        assert branches == 2
        with torch.no_grad():
            network.train()
            first = network[0](images)
            assert torch.equal(network[1](first), first.relu())  # the last branch is always left out
            network.eval()
            assert not torch.equal(network[1](first), first.relu())
    network.train()
    with torch.no_grad():
        assert not torch.equal(network[1](first), first.relu())
    with dropped_paths(tiny(), 0.5) as none:
        assert none == 0


def test_colours_are_shifted_along_their_principal_components() -> None:
    """Krizhevsky et al., 2012: N(0, .1) times the eigenvalues; most along grey."""
    shift = colour_shift(uniforms(key_of(1), np.arange(20_000), 3), 0.1)
    values = np.linalg.eigvalsh(np.cov(shift.T))
    assert np.sqrt(values)[::-1] == pytest.approx([0.02175, 0.00188, 0.00045], rel=0.03)
    assert abs(shift.mean()) < 1e-3


def test_erased_parts_lie_inside_and_are_as_large_as_they_should_be() -> None:
    """Zhong et al., 2020: 2 to 33 % of the area, a ratio from .3 to 3.3."""
    parts = erased_parts(uniforms(key_of(2), np.arange(5000), 5), 0.25, 64)
    erased = parts[:, 2] > 0
    assert erased.mean() == pytest.approx(0.25, abs=0.02)
    wide, tall = (parts[erased, 2] - parts[erased, 0]), (parts[erased, 3] - parts[erased, 1])
    area = wide * tall / 64**2
    assert area.min() > 0.015
    assert area.max() < 0.35
    assert parts.min() == 0
    assert parts.max() <= 64
    assert (wide / tall).min() > 0.25
    assert (wide / tall).max() < 4


def test_what_is_erased_is_erased_and_nothing_else() -> None:
    images = torch.ones(2, 3, 8, 8)
    erase_parts(images, np.array([[1, 2, 4, 7], [0, 0, 0, 0]]))
    assert float(images[0].sum()) == 3 * (64 - 15)
    assert not images[0, :, 2:7, 1:4].any()
    assert bool(images[1].all())


def test_what_is_done_on_the_device_follows_from_seed_epoch_and_number() -> None:
    change = OnDevice(3, (0.2, 0.2, 0.2), 0.1, 0.5)
    images = torch.randn(6, 3, 16, 16)
    numbers = np.array([5, 1, 9, 2, 7, 4])
    whole = change(images.clone(), numbers, 1)
    part = change(images[3:].clone(), numbers[3:], 1)
    assert torch.equal(whole[3:], part)
    assert not torch.equal(whole, change(images.clone(), numbers, 2))
    assert not torch.equal(whole, replace(change, seed=4)(images.clone(), numbers, 1))
    assert len(change(images[:0].clone(), numbers[:0], 1)) == 0


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(1, 1, [(0, 1)]), (4, 4, [(0, 4)]), (5, 4, [(0, 5)]), (6, 4, [(0, 4), (4, 6)]), (6, 1, [(0, 2), (2, 4), (4, 6)])],
)
def test_a_batch_in_pieces_leaves_none_alone(count: int, most: int, expected: list[tuple[int, int]]) -> None:
    assert pieces(count, most) == expected
