"""Batches on a device, and what torchvision does to the same pictures; left out where PyTorch is not installed."""

from __future__ import annotations

import io
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import encoded, photo
from holotype.errors import ReleaseError
from holotype.releases.loaders import CentreCrop, ImageDataset, Loader, Order, RandomCrop, Samples, Settings
from holotype.releases.loaders.colours import brightness, contrast, saturation
from holotype.releases.loaders.mixing import Mix, Mixed
from holotype.releases.loaders.randaugment import change
from test_loader import in_folder
from test_loader_parts import apart, textured

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.torch

COUNT = 22


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    folder = tmp_path_factory.mktemp("torch") / "files"
    return in_folder(folder, {f"{seed:03}.jpg": encoded(photo(seed, 50, 40)) for seed in range(COUNT)})


def loader(samples: Samples, **asked: Any) -> Loader:
    small: dict[str, Any] = {"batch_size": 4, "size": 16, "augment": RandomCrop()}
    return Loader(samples, Settings(**small | asked), 2)


def on_device(samples: Samples, mix: Mix | None = None, dtype: Any = None, **asked: Any) -> Any:
    from holotype.torch import DeviceLoader

    return DeviceLoader(loader(samples, **asked), "cpu", mix=mix, dtype=dtype or torch.float32)


def listed(found: Any) -> list[tuple[Any, Any]]:
    return [(images.numpy().tobytes(), labels.tolist()) for images, labels in found]


def test_tensors_are_the_batches_normalised(samples: Samples) -> None:
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    there = [(batch.images.copy(), batch.labels) for batch in loader(samples)]
    found = on_device(samples)
    assert len(found) == len(there) == 6
    for (images, labels), (pixels, wanted) in zip(found, there, strict=True):
        assert images.shape == (len(pixels), 3, 16, 16)
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert np.allclose(images.permute(0, 2, 3, 1).numpy(), (pixels / 255 - mean) / std, atol=1e-5)
        assert labels.tolist() == wanted.tolist()
    assert found.epoch == 1


def test_tensors_have_the_type_and_layout_asked_for(samples: Samples) -> None:
    from holotype.torch import DeviceLoader

    images, _ = next(iter(DeviceLoader(loader(samples), dtype=torch.bfloat16, channels_last=False)))
    assert images.dtype == torch.bfloat16
    assert images.is_contiguous()


def test_resumed_at_any_batch_the_rest_is_the_same(samples: Samples) -> None:
    """What was sent ahead and not handed out is no part of the state."""
    whole = on_device(samples, Mix())
    wanted = [*listed(whole), *listed(whole)]
    stepping, states = on_device(samples, Mix()), []
    for _ in range(2):
        states.append(stepping.state_dict())
        for _ in stepping:
            states.append(stepping.state_dict())  # noqa: PERF401
    for at, state in zip([*range(7), *range(6, 13)], states, strict=True):
        resumed = on_device(samples, Mix())
        resumed.load_state_dict(json.loads(json.dumps(state)))
        rest: list[Any] = []
        while resumed.epoch < 2:
            rest += listed(resumed)
        assert rest == wanted[at:]
    with pytest.raises(ReleaseError):
        on_device(samples, seed=9).load_state_dict(states[0])


def test_a_data_loader_takes_it_but_not_in_workers(samples: Samples) -> None:
    found = listed(torch.utils.data.DataLoader(on_device(samples), batch_size=None))
    assert found == listed(on_device(samples))
    with pytest.raises(RuntimeError, match="num_workers=0"):
        list(torch.utils.data.DataLoader(on_device(samples), batch_size=None, num_workers=1))


@pytest.mark.parametrize("mix", [Mix(mixup=0.4, cutmix=0), Mix(mixup=0, cutmix=1), Mix(0.2, 1.0)])
def test_labels_are_mixed_as_pixels_are(samples: Samples, mix: Mix) -> None:
    """Pictures of one colour each: how much of each is in the mixture is what the label says."""
    from holotype.torch import mix_batch

    colours = torch.rand((8, 3, 1, 1), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows = torch.eye(8, dtype=torch.float64)
    for batch in range(40):
        mixed = mix.drawn(0, 0, batch, 32)
        assert mixed is not None
        images, labels = mix_batch(colours.expand(8, 3, 32, 32).clone(), rows, mixed)
        wanted = labels @ colours.view(8, 3)
        assert torch.allclose(images.mean((2, 3)), wanted)
        assert torch.allclose(labels.sum(1), torch.ones(8, dtype=torch.float64))


def test_mixed_batches_have_shared_labels(samples: Samples) -> None:
    rows = torch.cat([labels for _, labels in on_device(samples, Mix(cutmix=0), last="pad")])
    sums = rows.sum(1)
    assert ((sums > 1e-6) & (sums < 1 - 1e-6)).sum() <= 2  # only beside padding
    assert (rows > 0).sum() > COUNT
    plain = torch.cat([labels for _, labels in on_device(samples, Mix(chance=0))])
    assert plain.max(1).values.eq(1).all()


def test_several_labels_are_rows(samples: Samples) -> None:
    _, labels = next(iter(on_device(samples.merged(), order=Order("none"))))
    assert labels.dtype == torch.float32
    assert labels.argmax(1).tolist() == [0, 1, 2, 3]


def test_a_process_alone_is_rank_0() -> None:
    from holotype.torch import shard

    assert shard() == (0, 1)


def test_two_processes_share_an_epoch(samples: Samples, tmp_path: Path) -> None:
    (tmp_path / "samples").write_bytes(pickle.dumps(samples))
    script = (
        "import pickle, sys, torch, holotype.torch as ours\n"
        "from holotype.releases.loaders import Loader, Settings\n"
        "meet = {'init_method': 'file://' + sys.argv[2], 'rank': int(sys.argv[3]), 'world_size': 2}\n"
        "torch.distributed.init_process_group('gloo', **meet)\n"
        "found = Loader(pickle.load(open(sys.argv[1], 'rb')), Settings(4, 16, shard=ours.shard()), 1)\n"
        "print([number for batch in found for number in batch.numbers.tolist()])\n"
        "torch.distributed.destroy_process_group()\n"
    )
    arguments = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "samples"), str(tmp_path / "meet")]
    started = [subprocess.Popen([*arguments, str(rank)], stdout=subprocess.PIPE, text=True) for rank in range(2)]
    shown = [json.loads(one.communicate(timeout=300)[0]) for one in started]
    assert sorted(shown[0] + shown[1]) == list(range(COUNT))


def test_images_one_by_one_go_through_a_data_loader(samples: Samples) -> None:
    """As a script does that was written for ImageFolder, with processes of its own."""
    transforms = pytest.importorskip("torchvision.transforms", exc_type=ImportError)
    shown = transforms.Compose([transforms.Resize(20), transforms.CenterCrop(16), transforms.ToTensor()])
    found = torch.utils.data.DataLoader(ImageDataset(samples, shown), batch_size=5, num_workers=2)
    batches = list(found)
    assert [tuple(images.shape) for images, _ in batches] == [(5, 3, 16, 16)] * 4 + [(2, 3, 16, 16)]
    assert torch.cat([labels for _, labels in batches]).tolist() == samples.labels.tolist()


def test_centres_are_torchvisions() -> None:
    transforms = pytest.importorskip("torchvision.transforms", exc_type=ImportError)
    theirs = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    for size in ((500, 375), (375, 500), (800, 600), (256, 300), (1000, 333)):
        data = encoded(textured(*size), quality=95)
        out = np.zeros((224, 224, 3), np.uint8)
        CentreCrop().show(data, [], out)
        assert apart(out, np.asarray(theirs(Image.open(io.BytesIO(data))))) < 2


CHANGES: dict[str, Callable[[Any, float], tuple[str, float]]] = {
    "shear_x": lambda s, _: ("ShearX", 0.3 * s),
    "shear_y": lambda s, _: ("ShearY", 0.3 * s),
    "translate_x": lambda s, size: ("TranslateX", 150 / 331 * s * size),
    "translate_y": lambda s, size: ("TranslateY", 150 / 331 * s * size),
    "rotate": lambda s, _: ("Rotate", 30 * s),
    "brightness": lambda s, _: ("Brightness", 0.9 * s),
    "colour": lambda s, _: ("Color", 0.9 * s),
    "contrast": lambda s, _: ("Contrast", 0.9 * s),
    "sharpness": lambda s, _: ("Sharpness", 0.9 * s),
    "posterize": lambda s, _: ("Posterize", 8 - round(4 * abs(s))),
    "solarize": lambda s, _: ("Solarize", 255 - 255 * abs(s)),
    "autocontrast": lambda s, _: ("AutoContrast", 0),
    "equalize": lambda s, _: ("Equalize", 0),
    "identity": lambda s, _: ("Identity", 0),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("strength", [0.3, -0.3, 0.9])
def test_rand_augments_changes_are_torchvisions(name: str, strength: float) -> None:
    module = pytest.importorskip("torchvision.transforms.autoaugment", exc_type=ImportError)
    modes = pytest.importorskip("torchvision.transforms").InterpolationMode
    image = textured(96, 96)
    pixels = np.array(image)
    change(pixels, name, strength)
    operation, magnitude = CHANGES[name](strength, 96)
    theirs = np.asarray(module._apply_op(image, operation, magnitude, interpolation=modes.NEAREST, fill=None))
    differing = (np.abs(pixels.astype(int) - theirs) > 2).mean()
    assert differing < 0.12, "edges of moved pixels may round otherwise"
    assert apart(pixels, theirs) < 4


def test_colours_are_torchvisions() -> None:
    functional = pytest.importorskip("torchvision.transforms.functional", exc_type=ImportError)
    image = textured(80, 80)
    for ours, theirs in (
        (brightness, functional.adjust_brightness),
        (contrast, functional.adjust_contrast),
        (saturation, functional.adjust_saturation),
    ):
        for factor in (0.4, 1.5):
            pixels = np.array(image)
            ours(pixels, factor)
            assert apart(pixels, np.asarray(theirs(image, factor))) < 1.1


def test_a_batch_that_is_not_mixed_stays() -> None:
    from holotype.torch import mix_batch

    images, labels = torch.rand(3, 3, 8, 8), torch.eye(3)
    same, rows = mix_batch(images.clone(), labels, Mixed(1.0, (4, 4, 4, 4)))
    assert torch.equal(same, images)
    assert torch.equal(rows, labels)


def test_what_the_guide_says_of_pytorch_works(samples: Samples) -> None:
    """Its blocks ``py``, which the tests of pages leave out; a loader stands for the release."""

    class Standing:
        def loader(self, _split: str, **asked: Any) -> Loader:
            return loader(samples, **asked)

        def dataset(self, _split: str, transform: Any) -> ImageDataset:
            return ImageDataset(samples, transform)

    page = (Path(__file__).resolve().parents[1] / "docs/guides/loader.md").read_text()
    names: dict[str, Any] = {"release": Standing()}
    found = re.findall(r"^```py\n(.*?)^```$", page, re.M | re.S)
    assert len(found) == 2
    for block in found:
        exec(block, names)  # noqa: S102 our own page
    assert names["labels"].shape == (8, 5)
    assert names["label"] == 0
