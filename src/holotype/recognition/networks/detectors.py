"""Detectors of torchvision by name: Faster R-CNN, RetinaNet, FCOS, SSD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.recognition.detections import Found
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch, torchvision
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.weights import put_weights, weights_in
from holotype.recognition.preprocessing import LARGEST
from holotype.recognition.runs import WEIGHTS, read_run

JOB: Final = "detector"
PRETRAINED: Final = "pretrained"
_OTHERS: Final = ("maskrcnn", "keypointrcnn")
_FIXED: Final = "ssd"
_LAST: Final = np.array([0.0, 0, 1, 1])
_LEAST_FITTING: Final = 0.5


class TorchDetector(torch.nn.Module):  # type: ignore[misc]
    """A detector of torchvision, `module`, called `name`, that tells `classes` apart, wnids in class order: its label 0
    is the background, as there. `size` is how long it makes the shorter side of a picture, 0 for what it is made for.
    Where it is `frozen`, the batch norms of its backbone stay as they are.
    """

    def __init__(self, module: Any, name: str, classes: Sequence[str], size: int = 0, frozen: bool = False) -> None:
        super().__init__()
        self.module = module
        self.name = name
        self.classes = tuple(classes)
        self.size = size
        self.frozen = frozen

    @property
    def device(self) -> Any:
        """Where it is."""
        return next(self.parameters()).device

    def looked(self, pixels: Pixels) -> Any:
        """A picture ``(height, width, 3)`` as a tensor ``(3, height, width)`` of levels from 0 to 1."""
        return torch.tensor(np.ascontiguousarray(pixels), device="cpu").permute(2, 0, 1).float().div_(255)

    def found(self, looked: Any) -> Found:
        """The objects in a picture that `looked` gave."""
        self.eval()
        with torch.inference_mode():
            (said,) = self.module([looked.to(self.device)])
        corners = said["boxes"].double().cpu().numpy() - _LAST
        label = said["labels"].cpu().numpy().astype(np.int64) - 1
        return Found(label, said["scores"].double().cpu().numpy(), np.maximum(corners, np.tile(corners[:, :2], 2)))


def list_detectors() -> list[str]:
    """The names that `create_detector` takes."""
    models = torchvision.models
    return [name for name in models.list_models(module=models.detection) if not name.startswith(_OTHERS)]


def create_detector(
    name: str,
    classes: Sequence[str],
    weights: str = "",
    backbone: Network | None = None,
    size: int = 0,
    seed: int = 0,
) -> TorchDetector:
    """A detector by name for some classes, wnids.

    Its weights are random, drawn by `seed`. With `weights`, ``pretrained`` or a file, those of them that fit are taken:
    not those that tell the classes apart. With a `backbone`, such as a ``resnet50`` that was trained here, its layers
    are, and its batch norms then stay as they are (torchvision's `FrozenBatchNorm2d`).

    Raises `RecognitionError` where there is no such detector, or the weights are of another one.
    """
    if name not in list_detectors():
        raise RecognitionError(f"there is no detector {name[:60]!r}; there are {', '.join(list_detectors())}")
    if size and name.startswith(_FIXED):
        raise RecognitionError(f"{name} looks at pictures of one size")
    if weights and backbone is not None:
        raise RecognitionError("a detector begins with weights of its own or with those of a backbone, not with both")
    sizes = {"min_size": size, "max_size": size * 5 // 3} if size else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = torchvision.models.get_model(
            name, weights=None, weights_backbone=None, num_classes=len(classes) + 1, **sizes
        )
    if weights:
        _take(module, _published(name) if weights == PRETRAINED else weights_in(Path(weights)), name)
    if backbone is not None:
        _stand_on(module, backbone, name)
    return TorchDetector(module, name, classes, size, backbone is not None)


def read_detector(folder: Path, device: str = "auto") -> TorchDetector:
    """The detector that was trained in a folder. Raises `RecognitionError` where there is none, or it is damaged."""
    run = read_run(folder)
    if run.value.get("job") != JOB:
        raise RecognitionError(f"the run in {folder} is no detector")
    size = run.value.get("size", 0)
    if not isinstance(size, int) or not 0 <= size <= LARGEST:
        raise RecognitionError(f"the run in {folder} is damaged: it shows pictures of {size!r} pixels")
    detector = create_detector(run.model, run.classes, size=size)
    if run.value.get("frozen"):
        _freeze_norms(detector.module.backbone)
        detector.frozen = True
    put_weights(detector.module, weights_in(folder / WEIGHTS), str(folder))
    detector.to(device_named(device))
    return detector


def _published(name: str) -> Mapping[str, Any]:
    try:
        return dict(torchvision.models.get_model_weights(name).DEFAULT.get_state_dict(check_hash=True))
    except OSError as error:
        raise RecognitionError(f"the weights of {name} cannot be had: {error}") from error


def _take(module: Any, weights: Mapping[str, Any], name: str) -> None:
    """Take the weights that fit by name and shape. Raises `RecognitionError` where most do not."""
    own = module.state_dict()
    tensors = {key: value for key, value in weights.items() if key in own and isinstance(value, torch.Tensor)}
    fitting = {key: value for key, value in tensors.items() if own[key].shape == value.shape}
    if len(fitting) < _LEAST_FITTING * len(own):
        raise RecognitionError(f"the weights are of another detector than {name}: {len(fitting)} of {len(own)} fit")
    module.load_state_dict(own | fitting)


def _stand_on(module: Any, backbone: Network, name: str) -> None:
    """Take the layers of a classifier for those that a detector shares with it. Raises `RecognitionError`."""
    body = getattr(module.backbone, "body", None)
    if body is None:
        raise RecognitionError(f"{name} has layers of its own, which no other network has")
    held = backbone.module.state_dict()
    own = body.state_dict()
    found = {key: held.get(key, held.get(f"features.{key}")) for key in own}
    lost = [key for key, value in found.items() if value is None or value.shape != own[key].shape]
    if lost:
        raise RecognitionError(f"{name} does not stand on {backbone.name}: its {lost[0]} is another")
    body.load_state_dict(found)
    _freeze_norms(module.backbone)


def _freeze_norms(module: Any) -> None:
    """Put norms that do not change in the place of batch norms, which small batches would spoil."""
    for name, layer in list(module.named_children()):
        if isinstance(layer, torch.nn.BatchNorm2d):
            frozen = torchvision.ops.FrozenBatchNorm2d(layer.num_features, layer.eps)
            held = layer.state_dict()
            held.pop("num_batches_tracked", None)
            frozen.load_state_dict(held)
            setattr(module, name, frozen)
        else:
            _freeze_norms(layer)
