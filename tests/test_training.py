"""Training a classifier: what it learns, what it leaves, and that it goes on exactly."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from holotype.errors import Diverged, OtherRun, RecognitionError, RunExists
from holotype.recognition.curves import read_log
from holotype.recognition.recipes import Optimizer, Recipe
from holotype.recognition.runs import read_run
from holotype.recognition.schedules import Sizes
from holotype.releases.loaders import CentreCrop, Samples

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.torch

from holotype.recognition.networks.models import create_model  # noqa: E402
from holotype.recognition.networks.scoring import right  # noqa: E402
from holotype.recognition.networks.training import Trained, train  # noqa: E402
from holotype.recognition.networks.weights import weights_digest  # noqa: E402
from tiny_networks import BUSY, RECIPE, WNIDS, coloured, tiny  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return coloured(tmp_path_factory.mktemp("training") / "images", 41)


def trained(samples: Samples, out: Path, recipe: Recipe = RECIPE, network: Any = None, **asked: Any) -> Trained:
    return train(samples, network or tiny(), recipe, out, workers=2, device="cpu", **asked)


class Stop:
    """Says so when it was asked so many times."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_network_learns_colours(samples: Samples, tmp_path: Path) -> None:
    done = trained(samples, tmp_path / "run", val=samples)
    assert done.ran.finished
    assert done.ran.scores["top1"] > 0.9
    losses = [line["loss"] for line in read_log(tmp_path / "run")]
    assert losses[-1] < losses[0]


def test_a_run_says_what_it_follows_from_and_is_a_network(samples: Samples, tmp_path: Path) -> None:
    seen: dict[str, list[Any]] = {"started": [], "told": [], "logged": []}
    done = trained(
        samples,
        tmp_path / "run",
        val=samples,
        source={"release": "v1", "sha256": "00"},
        started=seen["started"].append,
        told=lambda at, steps, measures: seen["told"].append((at.total, steps, sorted(measures))),
        logged=seen["logged"].append,
    )
    said = read_run(tmp_path / "run").value
    assert said["source"] == {"release": "v1", "sha256": "00"}
    assert said["images"] == samples.digest()
    assert said["recipe"] == json.loads(json.dumps(replace(RECIPE).value()))
    assert [line["epoch"] for line in seen["logged"]] == [0, 1, 2]
    assert seen["logged"] == read_log(tmp_path / "run")
    assert seen["logged"][-1].keys() >= {"loss", "norm", "lr", "top1", "top5", "size", "damaged", "seconds"}
    assert seen["told"] == [(step, 5, ["loss", "lr", "norm"]) for step in range(15)]
    (started,) = seen["started"]
    assert (started.images, started.classes, started.batch, started.steps) == (41, 4, 8, 5)
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left == {"run.json", "log.jsonl", "curves.png", "weights.safetensors", "checkpoints"}
    kept = {path.name for path in (tmp_path / "run/checkpoints").iterdir()}
    assert kept == {"last.pt", "before.pt", "best.pt"}
    curves = np.asarray(Image.open(tmp_path / "run/curves.png").convert("L"))
    assert (curves < 128).mean() > 0.005
    network = tiny(seed=5)
    from safetensors.torch import load_file

    network.module.load_state_dict(load_file(tmp_path / "run/weights.safetensors"))
    assert right(network, samples).top1 == done.ran.scores["top1"]
    assert weights_digest(network.module) == weights_digest(done.network.module)


def test_a_network_by_name_comes_back_from_its_run(samples: Samples, tmp_path: Path) -> None:
    network = create_model("timm:test_convnext", WNIDS)
    done = trained(samples, tmp_path / "run", replace(RECIPE, epochs=1, lr=0.01).sized(32), network)
    again = create_model(str(tmp_path / "run"))
    assert again.classes == WNIDS
    assert again.preprocessing == done.network.preprocessing
    assert (again.preprocessing.size, again.preprocessing.resize) == (32, 36)
    assert weights_digest(again.module) == weights_digest(done.network.module)
    last = create_model("timm:test_convnext", WNIDS, weights=str(tmp_path / "run/checkpoints/last.pt"))
    assert weights_digest(last.module) == weights_digest(done.network.module)
    other = create_model("timm:test_convnext", WNIDS[:2], weights=str(tmp_path / "run/checkpoints/last.pt"))
    assert (other.classes, other.outputs) == (WNIDS[:2], 2)


def test_thirty_two_images_are_learned_by_heart(tmp_path: Path) -> None:
    """Labels that mean nothing: only who knows each image by itself gets them right."""
    samples = coloured(tmp_path / "images", 32)
    mixed = replace(samples, labels=np.random.default_rng(1).permutation(samples.labels).astype(np.int32))
    adam, network = Optimizer("adamw", 0.0), create_model("timm:test_resnet", WNIDS)
    recipe = replace(RECIPE, epochs=40, batch_size=32, lr=0.01, smoothing=0.0, optimizer=adam, augment=CentreCrop())
    done = trained(mixed, tmp_path / "run", recipe.sized(32), network)
    assert right(done.network, mixed).top1 > 0.9


@pytest.mark.parametrize("recipe", [RECIPE, BUSY, replace(BUSY, repeats=3)], ids=["plain", "busy", "repeated"])
@pytest.mark.parametrize("after", [1, 7, 10])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    samples: Samples, tmp_path: Path, recipe: Recipe, after: int
) -> None:
    whole = trained(samples, tmp_path / "whole", recipe, tiny(drop=0.3), val=samples)
    part = trained(samples, tmp_path / "part", recipe, tiny(drop=0.3), val=samples, stopping=Stop(after))
    assert not part.ran.finished
    assert not (tmp_path / "part/weights.safetensors").exists()
    torch.manual_seed(99)  # whatever else is random in the process
    rest = trained(samples, tmp_path / "part", recipe, tiny(drop=0.3), val=samples, resume=True)
    assert rest.ran == whole.ran
    assert (tmp_path / "part/weights.safetensors").read_bytes() == (tmp_path / "whole/weights.safetensors").read_bytes()
    logs = [[{**line, "seconds": 0} for line in read_log(tmp_path / name)] for name in ("whole", "part")]
    assert logs[0] == logs[1]


def test_workers_and_random_numbers_of_others_change_nothing(samples: Samples, tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = trained(samples, tmp_path / "one", BUSY, tiny(drop=0.3))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    network = tiny(drop=0.3)
    torch.set_rng_state(before)
    second = train(samples, network, BUSY, tmp_path / "two", workers=1, device="cpu")
    assert weights_digest(first.network.module) == weights_digest(second.network.module)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_seed_learns_something_else(samples: Samples, tmp_path: Path) -> None:
    first = trained(samples, tmp_path / "one")
    other = trained(samples, tmp_path / "two", seed=1)
    assert weights_digest(first.network.module) != weights_digest(other.network.module)


KILLED = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from tiny_networks import BUSY, coloured, tiny
from holotype.recognition.networks.training import train
folder = Path(sys.argv[1])
def told(at, steps, measures):
    if at.total == 8:
        print("now", flush=True)
        sys.stdin.read()
samples = coloured(folder / "images", 41)
train(samples, tiny(drop=0.3), BUSY, folder / "run", device="cpu", workers=2, minutes=0, told=told)
"""


def test_a_run_that_was_killed_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    """SIGKILL while steps are told of, when the last checkpoint is that of the step before."""
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "now\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    samples = coloured(tmp_path / "images", 41)
    whole = trained(samples, tmp_path / "whole", BUSY, tiny(drop=0.3))
    began: list[int] = []
    rest = trained(
        samples,
        tmp_path / "run",
        BUSY,
        tiny(drop=0.3),
        resume=True,
        told=lambda at, *_: began.append(at.total),
    )
    assert began[0] == 8
    assert weights_digest(rest.network.module) == weights_digest(whole.network.module)


def test_a_run_that_is_over_is_not_run_again(samples: Samples, tmp_path: Path) -> None:
    first = trained(samples, tmp_path / "run", val=samples)
    again = trained(samples, tmp_path / "run", val=samples, resume=True, told=lambda *_: pytest.fail("a step"))
    assert again.ran == first.ran
    assert weights_digest(again.network.module) == weights_digest(first.network.module)
    with pytest.raises(RunExists, match="there is a run in .* already"):
        trained(samples, tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"recipe": replace(RECIPE, lr=0.04)}, r"recipe\.lr was 0\.05, and is 0\.04"),
        ({"recipe": replace(RECIPE, epochs=4)}, r"recipe\.epochs was 3, and is 4"),
        ({"seed": 1}, "seed was 0, and is 1"),
        ({"freeze": "bn"}, "freeze was none, and is bn"),
        ({"source": {"release": "v2"}}, r"source\.release was v1, and is v2"),
        ({"network": "other"}, "initial was"),
        ({"network": "reversed"}, "classes, of 4 then and 4 now, at 0 was n01440764, and is n01491361"),
    ],
)
def test_another_run_is_not_gone_on_with(
    samples: Samples, tmp_path: Path, change: Mapping[str, Any], named: str
) -> None:
    trained(samples, tmp_path / "run", source={"release": "v1"}, stopping=Stop(1))
    before = (tmp_path / "run/checkpoints/last.pt").read_bytes()
    asked = {"source": {"release": "v1"}, **change}
    if asked.get("network") == "other":
        asked["network"] = tiny(seed=1)
    elif asked.get("network") == "reversed":
        samples = replace(samples, classes=WNIDS[::-1])
        asked["network"] = tiny(WNIDS[::-1])
    with pytest.raises(OtherRun, match=named):
        trained(samples, tmp_path / "run", resume=True, **asked)
    assert (tmp_path / "run/checkpoints/last.pt").read_bytes() == before


def test_other_images_are_another_run(samples: Samples, tmp_path: Path) -> None:
    trained(samples, tmp_path / "run", stopping=Stop(1))
    with pytest.raises(OtherRun, match="images was"):
        trained(samples.take(np.arange(40)), tmp_path / "run", resume=True)


def test_a_run_that_never_came_to_a_checkpoint_is_begun_anew(samples: Samples, tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        trained(samples, tmp_path / "run", started=lambda _: None, told=fail)
    assert trained(samples, tmp_path / "run", replace(RECIPE, lr=0.01)).ran.finished


def test_damaged_images_are_left_out_and_told(tmp_path: Path) -> None:
    samples = coloured(tmp_path / "images", 41, damaged=(3, 17, 40))
    done = trained(samples, tmp_path / "run", val=samples)
    assert sorted(one.id for one in done.damaged) == ["003.jpg", "017.jpg", "040.jpg"]
    last = read_log(tmp_path / "run")[-1]
    assert last["damaged"] == last["unscored"] == 3
    assert last["top1"] > 0.9


def test_damaged_images_are_told_of_a_run_that_went_on_too(tmp_path: Path) -> None:
    samples = coloured(tmp_path / "images", 16, damaged=(3,))
    recipe = replace(RECIPE, epochs=2)
    trained(samples, tmp_path / "run", recipe, stopping=Stop(2))
    rest = trained(samples, tmp_path / "run", recipe, resume=True)
    assert [one.id for one in rest.damaged] == ["003.jpg"]


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_batches_of_which_no_image_is_sound_teach_nothing(tmp_path: Path, norm: str) -> None:
    """And where no batch has one, that is told, instead of a network that has learned nothing."""
    samples = coloured(tmp_path / "images", 4, damaged=(0, 1, 2, 3))
    recipe = replace(RECIPE, epochs=1, batch_size=2, optimizer=Optimizer(weight_decay=0))
    network = tiny(norm=norm)
    before = network.head.weight.clone()
    with pytest.raises(RecognitionError, match="none of 4 images is sound"):
        trained(samples, tmp_path / "run", recipe, network)
    assert torch.equal(network.head.weight, before)


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_one_image_can_be_learned(tmp_path: Path, norm: str) -> None:
    samples = coloured(tmp_path / "images", 1, 4)
    seen: list[Any] = []
    recipe = replace(RECIPE, epochs=20, lr=0.4)
    done = trained(samples, tmp_path / "run", recipe, tiny(norm=norm), val=samples, started=seen.append)
    assert done.ran.scores["top1"] == 1
    assert seen[0].empty == WNIDS[1:]
    assert (seen[0].batch, seen[0].steps) == (1, 1)
    assert seen[0].recipe.lr == pytest.approx(0.4 / 8)


def test_what_cannot_be_trained_is_refused(samples: Samples, tmp_path: Path) -> None:
    one = replace(coloured(tmp_path / "one", 4, 1), classes=WNIDS[:1])
    with pytest.raises(RecognitionError, match="needs two classes to tell apart; there is one"):
        trained(one, tmp_path / "run", network=tiny(WNIDS[:1]))
    with pytest.raises(RecognitionError, match="there is no image to learn from"):
        trained(samples.take(np.zeros(0, np.int64)), tmp_path / "run")
    with pytest.raises(RecognitionError, match="tells 3 classes apart, which are not the 4"):
        trained(samples, tmp_path / "run", network=tiny(WNIDS[:3]))
    with pytest.raises(ValueError, match="one label here"):
        trained(samples.merged(), tmp_path / "run")
    with pytest.raises(RecognitionError, match="there is no device 'gpu'"):
        train(samples, tiny(), RECIPE, tmp_path / "run", device="gpu")
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number_stops_the_run_and_leaves_the_last_good_checkpoint(
    samples: Samples, tmp_path: Path
) -> None:
    steps = 0

    def loss(outputs: Any, targets: Any) -> Any:
        nonlocal steps
        steps += 1
        found = torch.nn.functional.cross_entropy(outputs, targets)
        return found * float("nan") if steps == 8 else found

    with pytest.raises(Diverged, match=r"epoch 2, step 3; the last good checkpoint is .*last\.pt") as error:
        trained(samples, tmp_path / "run", loss=loss)
    assert (error.value.epoch, error.value.step) == (1, 2)
    kept = torch.load(error.value.kept, weights_only=True)
    assert kept["course"]["at"] == [1, 0, 5]
    assert all(bool(value.isfinite().all()) for value in kept["job"]["weights"].values())


def test_a_gradient_that_is_no_number_is_found_though_its_loss_is_one(samples: Samples, tmp_path: Path) -> None:
    def loss(outputs: Any, targets: Any) -> Any:  # 0 * inf, backwards
        return (outputs * 0).abs().sqrt().sum() + torch.nn.functional.cross_entropy(outputs, targets)

    with pytest.raises(Diverged, match="epoch 1, step 1; there is no checkpoint yet"):
        trained(samples, tmp_path / "run", loss=loss)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As if a disk were full: no file may become larger. Python ignores the signal, so that writing fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_at_a_checkpoint_loses_nothing_that_was_kept(samples: Samples, tmp_path: Path) -> None:
    whole = trained(samples, tmp_path / "whole")
    trained(samples, tmp_path / "run", stopping=Stop(6))
    last = tmp_path / "run/checkpoints/last.pt"
    before = last.read_bytes()
    told = "no checkpoint could be written in epoch 3 after step 0"
    with files_of_at_most(2000), pytest.raises(RecognitionError, match=told):
        trained(samples, tmp_path / "run", resume=True)
    assert last.read_bytes() == before
    assert {path.name for path in last.parent.iterdir()} <= {"last.pt", "before.pt", "best.pt"}
    rest = trained(samples, tmp_path / "run", resume=True)
    assert weights_digest(rest.network.module) == weights_digest(whole.network.module)


def test_a_disk_that_is_full_at_the_end_is_told_and_the_weights_are_written_later(
    samples: Samples, tmp_path: Path
) -> None:
    trained(samples, tmp_path / "run")
    (tmp_path / "run/weights.safetensors").unlink()
    with files_of_at_most(3000), pytest.raises(RecognitionError, match="could not be written"):
        trained(samples, tmp_path / "run", resume=True)
    trained(samples, tmp_path / "run", resume=True)
    assert (tmp_path / "run/weights.safetensors").exists()


def test_a_checkpoint_that_cannot_be_read_gives_way_to_the_one_before(samples: Samples, tmp_path: Path) -> None:
    whole = trained(samples, tmp_path / "whole")
    trained(samples, tmp_path / "run", stopping=Stop(6))
    checkpoints = tmp_path / "run/checkpoints"
    (checkpoints / "last.pt").write_bytes(b"PK" + os.urandom(500))
    rest = trained(samples, tmp_path / "run", resume=True)
    assert weights_digest(rest.network.module) == weights_digest(whole.network.module)
    for name in ("last.pt", "before.pt"):
        (checkpoints / name).write_bytes(b"")
    with pytest.raises(RecognitionError, match=r"last\.pt is no checkpoint"):
        trained(samples, tmp_path / "run", resume=True)


def test_a_checkpoint_that_would_execute_something_is_not_read(samples: Samples, tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "evil"),)

    trained(samples, tmp_path / "run", stopping=Stop(1))
    torch.save({"format": 1, "course": Evil()}, tmp_path / "run/checkpoints/last.pt", pickle_module=pickle)
    with pytest.raises(RecognitionError, match="is no checkpoint"):
        trained(samples, tmp_path / "run", resume=True)
    assert not (tmp_path / "evil").exists()


def test_two_processes_do_not_write_one_run(samples: Samples, tmp_path: Path) -> None:
    def again(*_: object) -> None:
        with pytest.raises(RecognitionError, match="another process writes the run in"):
            trained(samples, tmp_path / "run", resume=True)

    trained(samples, tmp_path / "run", replace(RECIPE, epochs=1), told=again)


def test_checkpoints_without_a_description_are_not_gone_on_with(samples: Samples, tmp_path: Path) -> None:
    trained(samples, tmp_path / "run", stopping=Stop(1))
    (tmp_path / "run/run.json").unlink()
    with pytest.raises(RecognitionError, match="nothing says of which run"):
        trained(samples, tmp_path / "run", resume=True)
    (tmp_path / "run/run.json").write_text("{")
    with pytest.raises(RecognitionError, match="is no description of a run"):
        trained(samples, tmp_path / "run", resume=True)


def test_a_folder_that_cannot_be_made_is_told(samples: Samples, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecognitionError, match="no run can be written in"):
        trained(samples, tmp_path / "file" / "run")


def test_a_batch_in_pieces_teaches_the_same(samples: Samples, tmp_path: Path) -> None:
    whole = trained(samples, tmp_path / "whole")
    parts = trained(samples, tmp_path / "parts", at_once=3)
    for name, value in whole.network.module.state_dict().items():
        assert torch.allclose(value, parts.network.module.state_dict()[name], atol=1e-6)


def test_frozen_layers_are_the_same_bit_for_bit(samples: Samples, tmp_path: Path) -> None:
    network = tiny(norm="batch", drop=0.5)
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    done = trained(samples, tmp_path / "run", replace(BUSY, averaging=0.0), network, freeze="backbone")
    after = done.network.module.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == {"6.weight", "6.bias"}


def test_a_batch_that_is_larger_than_all_images_is_made_as_large_as_they_are(samples: Samples, tmp_path: Path) -> None:
    seen: list[Any] = []
    trained(samples, tmp_path / "run", replace(RECIPE, epochs=1, batch_size=512), started=seen.append)
    assert (seen[0].batch, seen[0].steps) == (41, 1)


def test_pictures_grow_as_the_recipe_says(samples: Samples, tmp_path: Path) -> None:
    recipe = replace(RECIPE, sizes=Sizes(16, 32, (0.0, 0.5)))
    trained(samples, tmp_path / "run", recipe)
    assert [line["size"] for line in read_log(tmp_path / "run")] == [16, 32, 32]


def test_auxiliary_heads_learn_too(tmp_path: Path) -> None:
    """GoogLeNet gives what its three heads say while it learns."""
    network = create_model("googlenet", WNIDS)
    before = network.module.aux1.fc2.weight.clone()
    samples = coloured(tmp_path / "images", 4)
    recipe = replace(RECIPE, epochs=1, batch_size=2).sized(32)
    train(samples, network, recipe, tmp_path / "run", device="cpu", workers=1)
    assert not torch.equal(network.module.aux1.fc2.weight, before)


def test_settings_of_pytorch_are_left_as_they_were(samples: Samples, tmp_path: Path) -> None:
    before = torch.backends.cudnn.benchmark, torch.are_deterministic_algorithms_enabled(), dict(os.environ)
    trained(samples, tmp_path / "run", replace(RECIPE, epochs=1), deterministic=True)
    assert (torch.backends.cudnn.benchmark, torch.are_deterministic_algorithms_enabled(), dict(os.environ)) == before


def test_what_is_learned_is_learned_in_bfloat16_too(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a GPU, computed by a CPU: sums of losses stay in float32."""
    from holotype.recognition.networks.classifier import Machine

    monkeypatch.setattr(Machine, "cast", lambda _: torch.autocast("cpu", torch.bfloat16))
    done = trained(samples, tmp_path / "run", val=samples)
    assert done.ran.scores["top1"] > 0.9
    assert all(value.dtype in (torch.float32, torch.int64) for value in done.network.module.state_dict().values())


def test_no_tensor_is_made_without_a_device() -> None:
    """Nothing says ``.cuda()``, and tensors that are not made of data are told where they go."""
    import re

    folder = Path(train.__code__.co_filename).parent
    makers = re.compile(r"torch\.(zeros|ones|empty|arange|full|randn)\(([^()]|\([^()]*\))*\)")
    for path in folder.glob("*.py"):
        text = path.read_text()
        assert ".cuda()" not in text, path
        for made in makers.finditer(text):
            assert "device=" in made[0] or "generator=" in made[0], f"{path.name}: {made[0]}"
