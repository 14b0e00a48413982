"""R-CNN on a network of any library: fitted to a release's boxes, kept in a folder, and made of it again."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal
from zipfile import BadZipFile

import numpy as np

from holotype.errors import RecognitionError
from holotype.files import write_atomically
from holotype.recognition.boxed import BoxedImages
from holotype.recognition.networks.models import as_many_outputs, create_model
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.region_features import RegionFeatures
from holotype.recognition.networks.weights import put_weights, weights_digest, weights_in, write_weights
from holotype.recognition.preprocessing import LARGEST
from holotype.recognition.rcnn import RCNN, RegionHead
from holotype.recognition.rcnn_fitting import Fitting, fit_head
from holotype.recognition.regions import describe_regions
from holotype.recognition.runs import FORMAT, NO_SOURCE, RUN, WEIGHTS, RunInfo, read_run
from holotype.recognition.selective_search import LIMIT, MODES, Mode, selective_search
from holotype.releases.loaders import Damaged
from holotype.version import VERSION

JOB: Final = "rcnn"
HEAD: Final = "head.npz"
REGIONS: Final = "regions"
_MOST: Final = 1_000_000
Stage = Literal["regions", "fitting"]
Told = Callable[[Stage, int, int], None]


@dataclass(frozen=True, slots=True)
class Looking:
    """Where R-CNN looks: at most `limit` proposals of selective search by a `mode`, each warped to `size` pixels (0:
    those that the network was trained on)."""

    mode: Mode = "fast"
    limit: int = LIMIT
    size: int = 0


LOOKING: Final = Looking()
FITTING: Final = Fitting()


@dataclass(frozen=True, slots=True, eq=False)
class FittedRCNN:
    """An R-CNN, and the images that are damaged and were not learned from."""

    detector: RCNN
    damaged: tuple[Damaged, ...]


def fit_rcnn(
    images: BoxedImages,
    network: Network,
    out: Path,
    looking: Looking = LOOKING,
    fitting: Fitting = FITTING,
    *,
    device: str = "auto",
    batch_size: int = 64,
    source: Mapping[str, str] = NO_SOURCE,
    told: Told = lambda *_: None,
) -> FittedRCNN:
    """Fit an R-CNN to the boxes of images, on what a network says of regions, in a folder that becomes a run:
    ``run.json``, ``head.npz``, and ``weights.safetensors``, those of the network.

    The regions are kept in the folder while it is at work: killed, it loses those of some images, and goes on with the
    others. Raises `RecognitionError` where there is a run already, or something cannot be fitted or written, and
    `OtherRun` where regions of something else are kept there.
    """
    if (out / RUN).exists():
        raise RecognitionError(f"there is a run in {out} already: give another folder")
    propose = partial(selective_search, mode=looking.mode, limit=looking.limit)
    describe = RegionFeatures(network, looking.size, device, batch_size)
    identity = {"model": network.name, "weights": weights_digest(network.module), **asdict(looking)}
    regions = describe_regions(
        images, propose, describe, out / REGIONS, identity, lambda done, total: told("regions", done, total)
    )
    head = fit_head(regions, fitting, lambda done, total: told("fitting", done, total))
    damaged = regions.damaged
    described = {
        "format": FORMAT,
        "holotype": VERSION,
        "job": JOB,
        "model": network.name,
        "classes": list(head.classes),
        "preprocessing": network.preprocessing.value(),
        "outputs": network.outputs,
        "looking": asdict(looking),
        "fitting": asdict(fitting),
        "boxes": images.digest(),
        "weights": identity["weights"],
        "source": dict(source),
    }
    _write(out, network, head, described)
    regions.parts.remove()
    return FittedRCNN(RCNN(head, propose, describe), damaged)


def _write(out: Path, network: Network, head: RegionHead, described: Mapping[str, Any]) -> None:
    held = io.BytesIO()
    np.savez(held, weights=head.weights, biases=head.biases, shifts=head.shifts)
    try:
        write_atomically(out / HEAD, held.getvalue())
        write_weights(network.module, out / WEIGHTS)
        write_atomically(out / RUN, json.dumps(described, indent=1).encode())
    except OSError as error:
        raise RecognitionError(f"the run in {out} could not be written: {error}") from error


def read_rcnn(folder: Path, device: str = "auto", batch_size: int = 64, moving: bool = True) -> RCNN:
    """The R-CNN that was fitted in a folder. Raises `RecognitionError` where there is none, or it is damaged."""
    run = read_run(folder)
    if run.value.get("job") != JOB:
        raise RecognitionError(f"the run in {folder} is no R-CNN")
    try:
        looking = Looking(**run.value["looking"])
        if looking.mode not in MODES or not 0 < looking.limit <= _MOST or not 0 <= looking.size <= LARGEST:
            raise ValueError(f"it looks at {looking}")
        with (folder / HEAD).open("rb") as file, np.load(file, allow_pickle=False) as held:
            head = RegionHead(run.classes, *(_numbers(held[name]) for name in ("weights", "biases", "shifts")))
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, EOFError, BadZipFile, zlib.error) as error:
        raise RecognitionError(f"the R-CNN in {folder} is damaged: {error}") from error
    describe = RegionFeatures(_network_of(run), looking.size, device, batch_size)
    width, classes = describe.width, len(run.classes)
    shapes = (width, classes), (classes,), (width + 1, classes, 4)
    if tuple(one.shape for one in (head.weights, head.biases, head.shifts)) != shapes:
        raise RecognitionError(f"the R-CNN in {folder} is damaged: its head is of another network")
    return RCNN(head, partial(selective_search, mode=looking.mode, limit=looking.limit), describe, moving)


def _network_of(run: RunInfo) -> Network:
    weights = weights_in(run.folder / WEIGHTS)
    network = create_model(run.model)
    as_many_outputs(network, weights)
    network.preprocessing = run.preprocessing
    put_weights(network.module, weights, str(run.folder))
    return network


def _numbers(held: Any) -> Any:
    if not isinstance(held, np.ndarray) or held.dtype.kind != "f" or not np.isfinite(held).all():
        raise ValueError("its head is of something else than numbers")
    return held
