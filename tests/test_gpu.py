"""What only a GPU can tell: whether it waits for images, what it holds, and that it computes what a CPU does."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from holotype.recognition.recipes import recipe_named
from holotype.releases.loaders import Samples
from test_loader import in_folder

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = [
    pytest.mark.torch,
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
]

from holotype.recognition.networks.classifier import Classifier, Machine  # noqa: E402
from holotype.recognition.networks.freezing import frozen  # noqa: E402
from holotype.recognition.networks.losses import loss_of  # noqa: E402
from holotype.recognition.networks.models import create_model  # noqa: E402
from holotype.recognition.networks.running import At  # noqa: E402
from holotype.recognition.networks.shown import Shown  # noqa: E402
from holotype.recognition.networks.training import train  # noqa: E402
from holotype.recognition.networks.weights import weights_digest  # noqa: E402
from tiny_networks import BUSY, RECIPE, coloured, tiny  # noqa: E402

BATCH = 256
STEPS = 40


@pytest.fixture(scope="module")
def of_256_px(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Pictures whose shorter side is 256 pixels, as a release may hold them; the same ones again and again."""
    rng = np.random.default_rng(0)
    files = {}
    for number in range(64):
        coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        buffer = io.BytesIO()
        coarse.resize((341, 256), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
        files[f"{number:02}.jpg"] = buffer.getvalue()
    samples = in_folder(tmp_path_factory.mktemp("gpu") / "images", files, classes=10)
    return samples.take(np.arange((STEPS + 10) * BATCH, dtype=np.int64) % 64)


def job_of(samples: Samples) -> tuple[Any, Any]:
    recipe = recipe_named("ffcv16").scaled(BATCH)
    network = create_model("resnet18", samples.classes)
    device = torch.device("cuda")
    shown = Shown(samples, recipe, network.preprocessing, 0, device)
    return Classifier(network, recipe, shown, loss_of(recipe), Machine(device), frozen(network, "none")), shown


def images_a_second(job: Any, batches: Iterator[tuple[Any, Any]]) -> float:
    """Of the steps after the first ten, which make a GPU ready."""
    for number, batch in enumerate(batches):
        if number == 10:
            torch.cuda.synchronize()
            began = time.perf_counter()
        job.step(batch, At(0, number, number))
        if number == 10 + STEPS - 1:
            break
    torch.cuda.synchronize()
    return (STEPS - 1) * BATCH / (time.perf_counter() - began)


def test_a_gpu_does_not_wait_for_images(of_256_px: Samples) -> None:
    """ResNet-18 as FFCV trains it for 16 epochs, beside the same steps on a batch that lies there already."""
    job, _ = job_of(of_256_px)
    torch.cuda.reset_peak_memory_stats()
    fed = images_a_second(job, job.batches(0, 0))
    peak = torch.cuda.max_memory_allocated() / 2**30
    batch = next(job.batches(0, 0))
    idle = images_a_second(job, iter([batch] * (10 + STEPS)))
    print(f"{fed:,.0f} images/s, {idle:,.0f} on synthetic data, {fed / idle:.2f} of it; {peak:.2f} GiB at most")  # noqa: T201
    assert fed > 0.9 * idle
    assert peak < 16


def test_a_gpu_learns_what_a_cpu_does(tmp_path: Path) -> None:
    """Up to the rounding of bfloat16."""
    samples = coloured(tmp_path / "images", 41)
    done = train(samples, tiny(), RECIPE, tmp_path / "run", val=samples, device="cuda")
    assert done.ran.scores["top1"] > 0.9
    there = train(samples, tiny(), RECIPE, tmp_path / "cpu", device="cpu").network
    for name, value in done.network.cpu().module.state_dict().items():
        assert torch.allclose(value, there.module.state_dict()[name], atol=0.05), name


def test_a_deterministic_gpu_goes_on_exactly(tmp_path: Path) -> None:
    samples, recipe = coloured(tmp_path / "images", 41), replace(BUSY, averaging=0.9)
    left = 7

    def stopping() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    asked: dict[str, Any] = {"device": "cuda", "deterministic": True}
    whole = train(samples, tiny(), recipe, tmp_path / "whole", **asked)
    train(samples, tiny(), recipe, tmp_path / "part", stopping=stopping, **asked)
    rest = train(samples, tiny(), recipe, tmp_path / "part", resume=True, **asked)
    assert weights_digest(rest.network.module) == weights_digest(whole.network.module)


def test_a_compiled_network_learns_and_is_kept_under_its_own_names(tmp_path: Path) -> None:
    samples = coloured(tmp_path / "images", 41)
    done = train(samples, tiny(), RECIPE, tmp_path / "run", val=samples, device="cuda", compile=True)
    assert done.ran.scores["top1"] > 0.9
    assert not [name for name in done.network.module.state_dict() if "_orig_mod" in name]
