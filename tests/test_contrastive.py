"""Networks that learn from images alone; left out where PyTorch is not installed."""

from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holotype.errors import OtherRun, RecognitionError
from holotype.recognition.contrasts import RECIPES, ContrastRecipe, Look
from holotype.recognition.schedules import Schedule
from holotype.releases.loaders import Samples
from learned import after, digest, exactly, losses, photographs

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
torchvision: Any = pytest.importorskip("torchvision", exc_type=ImportError)
pytestmark = pytest.mark.torch

QUEUED = replace(
    RECIPES["moco-v2"], epochs=2, batch_size=4, lr=0.05, queue=8, momentum=0.9, projection=(16, 8), group=0
)
SYMMETRIC = replace(
    RECIPES["moco-v3"], epochs=2, batch_size=4, lr=0.5, projection=(16, 8), prediction=(16, 8), momentum=0.9
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with exactly(torch):
        yield


def network(norm: str = "batch", seed: int = 0) -> Any:
    """A small network of convolutions."""
    from holotype.recognition.networks.network import Network
    from holotype.recognition.preprocessing import Preprocessing

    def normal(width: int) -> Any:
        return torch.nn.BatchNorm2d(width) if norm == "batch" else torch.nn.GroupNorm(2, width)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [
            *(torch.nn.Conv2d(3, 8, 3, 2, 1), normal(8), torch.nn.ReLU()),
            *(torch.nn.Conv2d(8, 16, 3, 2, 1), normal(16), torch.nn.ReLU()),
            *(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 3)),
        ]
        return Network(torch.nn.Sequential(*layers), "small", Preprocessing(24, 28))


def job(samples: Samples, recipe: ContrastRecipe, held_out: Samples | None = None) -> Any:
    from holotype.recognition.networks.contrastive_job import ContrastJob

    return ContrastJob(samples, network(), recipe, held_out, 0, torch.device("cpu"), 2)


def learn(samples: Samples, out: Path, recipe: ContrastRecipe = QUEUED, **more: Any) -> Any:
    from holotype.recognition.networks.contrastive import contrast

    given = more.pop("network", None) or network()
    return contrast(samples, given, recipe, out, device="cpu", workers=2, **more)


def stepped(learning: Any, count: int = 1) -> list[float]:
    from holotype.recognition.networks.running import At

    found = []
    for at, batch in enumerate(learning.batches(0, 0)):
        if at == count:
            break
        found.append(float(learning.step(batch, At(0, at, at))["loss"]))
    return found


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return photographs(tmp_path_factory.mktemp("contrast") / "files", 16)


def test_the_newest_keys_take_the_place_of_the_oldest(samples: Samples) -> None:
    learning = job(samples, QUEUED)
    before = learning.queue.clone()
    assert torch.allclose(before.norm(dim=1), torch.ones(8))
    stepped(learning)
    assert (learning.queue[4:] == before[4:]).all()
    assert (learning.queue[:4] != before[:4]).any(dim=1).all()
    assert learning.next == 4
    learning._enqueue(torch.nn.functional.normalize(torch.arange(48.0).view(6, 8) + 1, dim=1))
    assert learning.next == 2
    assert torch.allclose(learning.queue[[4, 5, 6, 7, 0, 1]] @ torch.ones(8) > 0, torch.ones(6, dtype=torch.bool))
    learning._enqueue(torch.nn.functional.normalize(torch.ones(20, 8), dim=1))
    assert torch.allclose(learning.queue, torch.full((8, 8), 8**-0.5))


def test_keys_are_made_by_a_network_that_follows_and_learns_nothing(samples: Samples) -> None:
    learning = job(samples, QUEUED)
    keys = copy.deepcopy(dict(learning.keys.named_parameters()))
    stepped(learning)
    queries = dict(learning.queries.named_parameters())
    for name, one in learning.keys.named_parameters():
        assert one.grad is None
        assert torch.allclose(one, 0.9 * keys[name] + 0.1 * queries[name], atol=1e-6)
    weight = "network.module.0.weight"
    assert not torch.equal(queries[weight], keys[weight])
    assert torch.equal(queries["network.module.8.weight"], keys["network.module.8.weight"])


@pytest.mark.parametrize("recipe", [QUEUED, SYMMETRIC], ids=["queue", "symmetric"])
def test_at_first_nothing_is_told_apart(samples: Samples, recipe: ContrastRecipe) -> None:
    """A loss near that of guessing: ln of how many there are to choose from, for each direction."""
    (first,) = stepped(job(samples, replace(recipe, temperature=1.0)))
    wanted = math.log(9) if recipe.queue else 2 * 2 * math.log(4)
    assert first == pytest.approx(wanted, rel=0.4)


def test_batch_norms_see_groups_and_keys_come_back_in_order(samples: Samples) -> None:
    learning = job(samples, replace(QUEUED, batch_size=16, group=4))
    images = torch.arange(16.0).view(16, 1, 1, 1).expand(16, 3, 24, 24)
    sizes: list[int] = []

    def same(part: Any) -> Any:
        sizes.append(len(part))
        return torch.stack([part[:, 0, 0, 0], torch.ones(len(part))], 1) * torch.ones((), requires_grad=True)

    learning.queries, learning.keys = same, same
    learning.queue = torch.nn.functional.normalize(torch.randn(8, 2), dim=1)
    from holotype.recognition.networks.running import At

    _, keys = learning._queued(images, images, At())
    assert sizes == [4] * 8
    assert torch.allclose(keys[:, 0] / keys[:, 1], torch.arange(16.0))


@pytest.mark.parametrize("recipe", [QUEUED, SYMMETRIC], ids=["queue", "symmetric"])
def test_a_run_that_was_stopped_goes_on_exactly(samples: Samples, tmp_path: Path, recipe: ContrastRecipe) -> None:
    held, told = losses()
    learn(samples, tmp_path / "whole", recipe, told=told)
    assert len(held) == 8
    assert not learn(samples, tmp_path / "parts", recipe, stopping=after(3)).ran.finished
    assert learn(samples, tmp_path / "parts", recipe, resume=True).ran.finished
    assert digest(tmp_path / "parts") == digest(tmp_path / "whole")
    with pytest.raises(OtherRun, match="recipe.momentum was 0.9, and is 0.5"):
        learn(samples, tmp_path / "whole", replace(recipe, momentum=0.5), resume=True)


def test_an_image_with_several_labels_is_shown_once(samples: Samples, tmp_path: Path) -> None:
    """It would have to be told from itself."""
    twice = samples.take(np.arange(32) % 16)
    learn(samples, tmp_path / "one")
    learn(twice, tmp_path / "two")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_what_was_learned_is_a_network_without_classes(samples: Samples, tmp_path: Path) -> None:
    from holotype.recognition.networks.models import create_model

    given = create_model("timm:test_resnet", seed=3)
    found = learn(samples.take(np.arange(4)), tmp_path / "run", replace(QUEUED, epochs=1), network=given, size=32)
    assert found.network.classes == ()
    again = create_model(str(tmp_path / "run"))
    assert (again.classes, again.preprocessing.size, again.preprocessing.resize) == ((), 32, 37)
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(again.eval().features(images), found.network.eval().features(images))
    other = create_model(str(tmp_path / "run"), classes=("n00000000", "n00000001"))
    assert torch.equal(other.eval().features(images), again.features(images))
    assert all(one.requires_grad for one in found.network.parameters())


def test_retrieval_of_held_out_views_is_logged(samples: Samples, tmp_path: Path) -> None:
    held, told = losses()
    held_out = photographs(tmp_path / "others", 30).take(np.arange(16, 30))
    recipe = replace(QUEUED, epochs=8, batch_size=8)
    found = learn(samples, tmp_path / "run", recipe, held_out=held_out, told=told)
    assert len(held) == 16
    assert np.mean(held[-4:]) < math.log(9)
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(8))
    for name in ("retrieval", "retrieval_by_features"):
        assert lines[-1][name] == found.ran.scores[name]
        assert found.ran.scores[name] * 14 == pytest.approx(round(found.ran.scores[name] * 14))


def test_patches_stay_as_they_were_drawn(samples: Samples, tmp_path: Path) -> None:
    given = network()
    before = given.module[0].weight.detach().clone()
    learn(samples, tmp_path / "run", replace(SYMMETRIC, patches_fixed=True), network=given)
    assert torch.equal(given.module[0].weight, before)
    from holotype.recognition.networks.encoders import patches_of

    with pytest.raises(RecognitionError, match="no convolution"):
        patches_of(torch.nn.Linear(3, 3))


def test_images_that_are_damaged_are_in_neither_view(tmp_path: Path) -> None:
    found = learn(photographs(tmp_path / "files", 9, damaged=(2, 5)), tmp_path / "run", replace(QUEUED, epochs=3))
    assert sorted(one.id for one in found.damaged) == ["002.jpg", "005.jpg"]
    assert found.ran.finished


def test_little_to_learn_from(tmp_path: Path) -> None:
    two = photographs(tmp_path / "two", 2)
    assert learn(two, tmp_path / "run", held_out=two).ran.scores["retrieval"] >= 0
    with pytest.raises(RecognitionError, match="1 images are too few"):
        learn(two.take(np.arange(1)), tmp_path / "one")
    with pytest.raises(RecognitionError, match="too few images of a batch are sound"):
        learn(photographs(tmp_path / "bad", 2, damaged=(0,)), tmp_path / "lost")


def test_colours_are_changed_as_torchvision_changes_them() -> None:
    from torchvision.transforms.v2 import functional as theirs

    from holotype.recognition.networks import contrastive_views as ours

    images = torch.from_numpy(np.random.default_rng(0).random((5, 3, 20, 20)).astype(np.float32))
    for by in (-0.4, 0.0, 0.3):
        factor = torch.full((5, 1, 1, 1), by)
        for mine, other in (
            (ours.brightened(images, factor), theirs.adjust_brightness(images, 1 + by)),
            (ours.saturated(images, factor), theirs.adjust_saturation(images, 1 + by)),
            (ours.contrasted(images, factor), theirs.adjust_contrast(images, 1 + by)),
            (ours.hued(images, factor), theirs.adjust_hue(images, by)),
        ):
            assert torch.allclose(mine, other, atol=2e-3)
    sigma = torch.tensor([0.3, 0.5, 1.0, 1.5, 2.0])
    wide = torch.nn.functional.interpolate(images, (60, 60))
    for row, one in enumerate(ours.blurred(wide, sigma)):
        assert torch.allclose(one, theirs.gaussian_blur(wide[row], 7, float(sigma[row])), atol=1e-4)


def test_a_view_follows_from_its_draws_alone() -> None:
    from holotype.recognition.networks.contrastive_views import DRAWS, looked_at

    drawn = np.random.default_rng(1)
    images = torch.from_numpy(drawn.integers(0, 256, (6, 24, 24, 3), np.uint8))
    draws = drawn.random((6, DRAWS))
    look = Look((0.4, 0.4, 0.4, 0.1), 0.8, 0.3, 0.5, 0.3)
    whole = looked_at(images, look, draws)
    assert whole.shape == (6, 3, 24, 24)
    assert 0 <= float(whole.min()) <= float(whole.max()) <= 1
    for row in range(6):
        alone = looked_at(images[row : row + 1], look, draws[row : row + 1])
        assert torch.allclose(alone[0], whole[row], atol=1e-5)
    plain = looked_at(images, Look((0, 0, 0, 0), 0, 0), draws)
    assert torch.allclose(plain, images.permute(0, 3, 1, 2) / 255)
    grey = looked_at(images, Look((0, 0, 0, 0), 0, 1.0), draws)
    assert torch.allclose(grey[:, 0], grey[:, 2])
    solarised = looked_at(images, Look((0, 0, 0, 0), 0, 0, 0, 1.0), draws)
    assert float(solarised.max()) == pytest.approx(0.5, abs=0.01)


SCHEDULE = Schedule("constant")
TOGETHER = {
    "queue": replace(QUEUED, batch_size=8, schedule=SCHEDULE),
    "symmetric": replace(QUEUED, batch_size=8, schedule=SCHEDULE, queue=0, prediction=(16, 8)),
}
LEARNING = """
import pickle
import sys
from pathlib import Path

import torch

from test_contrastive import TOGETHER, learn, network

torch.set_num_threads(1)
folder = Path(sys.argv[1])
torch.distributed.init_process_group("gloo")
for name, recipe in TOGETHER.items():
    learn(pickle.loads((folder / "samples").read_bytes()), folder / "two" / name, recipe, network=network("group"))
torch.distributed.destroy_process_group()
"""


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    """Where no batch norm sees a part of a batch only."""
    from safetensors.torch import load_file

    images = photographs(tmp_path / "files", 16)
    (tmp_path / "samples").write_bytes(pickle.dumps(images))
    (tmp_path / "learn.py").write_text(LEARNING)
    together = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = [str(Path(__file__).parent), *(one for one in sys.path if one)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(paths), "OMP_NUM_THREADS": "1"}
    command = [*together, str(tmp_path / "learn.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    begun = network("group").module.state_dict()
    for name, recipe in TOGETHER.items():
        learn(images, tmp_path / "one" / name, recipe, network=network("group"))
        one, two = (load_file(tmp_path / out / name / "weights.safetensors") for out in ("one", "two"))
        for layer, weight in one.items():
            assert torch.allclose(weight, two[layer], atol=1e-5), (name, layer)
        assert not torch.equal(one["0.weight"], begun["0.weight"])
