"""Loading for training: ours, its peers, and the bare decoding of the same files, in one run.

    python bench/loader.py [FOLDER] [--images 2000] [--rounds 5] [--workers 2]

The files are JPEGs of FOLDER (real ones by default), taken again until they are enough, once as they are and once as a
release with short sides of 256 pixels has them (quality 90, 4:2:0). All show a random part of 224 x 224 pixels,
mirrored or not, in batches of 256. Each loader lives in a process of its own and is asked in turn for an epoch, so that
what disturbs the machine disturbs all; the first epoch is not counted. Images per second and core are those by CPU time
of the process and its workers; those by the clock depend on how busy the machine is. What is not installed is left out.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import simplejpeg
from PIL import Image

from holotype.engine import map_batches
from holotype.releases.loaders import Loader, RandomCrop, Samples, Settings
from holotype.store.location import Location
from holotype.store.places import Places
from holotype.store.store import Store

DATA = Path(__file__).resolve().parents[2] / "shared/data/imagenet-train-sample"
BATCH, SIZE, CLASSES, SHARDS = 256, 224, 100, 4
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLAIMS = """
FFCV's own figures, on 96 virtual CPUs (p3dn.24xlarge): JPEGs of 512 px, quality 90, from memory 31,278 images/s, 326
per virtual CPU; 256 px uncompressed from memory 172,801, 1,800 per virtual CPU. Not run here."""

Epoch = Callable[[], int]
"""Goes through all images once, and says how many there were."""


# the files


def small(data: bytes) -> bytes:
    """A JPEG as a release with short sides of 256 pixels has it."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    share = min(1.0, 256 / min(image.size))
    wide, tall = (round(side * share) for side in image.size)
    pixels = np.asarray(image.resize((wide, tall), Image.Resampling.LANCZOS))
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=90, colorsubsampling="420"))


def write(folder: Path, source: Path, images: int, change: Callable[[bytes], bytes]) -> None:
    """The same files as a folder a class, and as shards."""
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not paths:
        raise SystemExit(f"{source} has no JPEGs: name a folder that has")
    held = [change(path.read_bytes()) for path in paths[:images]]
    tars = [tarfile.TarFile(folder / f"train-{number:06}.tar", "w") for number in range(SHARDS)]
    index: dict[str, list[int]] = {"file": [], "offset": [], "length": [], "label": []}
    for number in range(images):
        data, label = held[number % len(held)], number % CLASSES
        tree = folder / "tree" / f"n{label:08}"
        tree.mkdir(parents=True, exist_ok=True)
        (tree / f"{number}.jpg").write_bytes(data)
        tar = tars[number % SHARDS]
        index["offset"].append(tar.offset + 512)
        for name, value in ((f"{number}.jpg", data), (f"{number}.cls", str(label).encode())):
            info = tarfile.TarInfo(name)
            info.size = len(value)
            tar.addfile(info, io.BytesIO(value))
        for name, fact in (("file", number % SHARDS), ("length", len(data)), ("label", label)):
            index[name].append(fact)
    for tar in tars:
        tar.close()
    (folder / "index.json").write_text(json.dumps(index))


def samples(folder: Path) -> Samples:
    index = json.loads((folder / "index.json").read_text())
    files = tuple(Location(f"train-{number:06}.tar", 0, 0) for number in range(SHARDS))
    file, label = (np.array(index[name], np.int32) for name in ("file", "label"))
    offset, length = (np.array(index[name], np.int64) for name in ("offset", "length"))
    ids = pa.array([str(number) for number in range(len(file))], pa.string())
    classes = tuple(f"n{number:08}" for number in range(CLASSES))
    return Samples(Places(files, file, offset, length), Store(folder), label, ids, classes)


# who reads them


def decoding(folder: Path, workers: int) -> Epoch:
    """The limit: every file decoded whole into memory that is there already, and nothing else."""
    found = samples(folder)
    data = [found.read(number) for number in range(len(found))]

    def decode(numbers: range) -> int:
        memory = np.empty(1 << 26, np.uint8)
        for number in numbers:
            simplejpeg.decode_jpeg(data[number], "RGB", buffer=memory)
        return len(numbers)

    pieces = [range(first, min(first + BATCH, len(data))) for first in range(0, len(data), BATCH)]
    return lambda: sum(map_batches(decode, pieces, workers=workers))


def ours(folder: Path, workers: int) -> Epoch:
    """Batches of uint8, from shards."""
    loader = Loader(samples(folder), Settings(BATCH, SIZE, RandomCrop()), workers)
    return lambda: sum(len(labels) for _, labels in loader)


def ours_normalised(folder: Path, workers: int) -> Epoch:
    """The same as normalised tensors, made on the CPU for want of another device."""
    from holotype.torch import DeviceLoader

    loader = DeviceLoader(Loader(samples(folder), Settings(BATCH, SIZE, RandomCrop()), workers))
    return lambda: sum(len(labels) for _, labels in loader)


def transforms(numbers: bool = True) -> Any:
    from torchvision import transforms as t

    made = [t.ToTensor(), t.Normalize(MEAN, STD)] if numbers else [t.PILToTensor()]
    return t.Compose([t.RandomResizedCrop(SIZE), t.RandomHorizontalFlip(), *made])


def batches(dataset: Any, workers: int, **asked: Any) -> Epoch:
    from torch.utils.data import DataLoader

    loader = DataLoader(dataset, num_workers=workers, persistent_workers=True, **{"batch_size": BATCH} | asked)
    return lambda: sum(len(batch["label"] if isinstance(batch, dict) else batch[1]) for batch in loader)


def image_folder(folder: Path, workers: int) -> Epoch:
    """torchvision's ImageFolder with Pillow, normalised tensors."""
    from torchvision.datasets import ImageFolder

    return batches(ImageFolder(str(folder / "tree"), transforms()), workers, shuffle=True)


def image_folder_bytes(folder: Path, workers: int) -> Epoch:
    """The same as uint8 tensors."""
    from torchvision.datasets import ImageFolder

    return batches(ImageFolder(str(folder / "tree"), transforms(numbers=False)), workers, shuffle=True)


def our_images(folder: Path, workers: int) -> Epoch:
    """Our images one by one in the place of ImageFolder's."""
    from holotype.releases.loaders import ImageDataset

    return batches(ImageDataset(samples(folder), transforms()), workers, shuffle=True)


def webdataset(folder: Path, workers: int) -> Epoch:
    """webdataset with Pillow, normalised tensors."""
    import webdataset as wds

    shards = [str(path) for path in sorted(folder.glob("*.tar"))]
    found = wds.WebDataset(shards, shardshuffle=SHARDS, nodesplitter=None).shuffle(1000).decode("pil")
    found = found.to_tuple("jpg", "cls").map_tuple(transforms(), int).batched(BATCH)
    return batches(found, workers, batch_size=None)


def hugging_face(folder: Path, workers: int) -> Epoch:
    """Hugging Face's datasets with Pillow, normalised tensors."""
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent]
    peer = import_module("datasets")  # not the file beside this one that is called so
    shown = transforms()
    found = peer.load_dataset(
        "imagefolder", data_dir=str(folder / "tree"), split="train", cache_dir=str(folder / "cache")
    )

    def change(rows: dict[str, Any]) -> dict[str, Any]:
        return {"image": [shown(one.convert("RGB")) for one in rows["image"]], "label": rows["label"]}

    return batches(found.with_transform(change), workers, shuffle=True)


LIMIT, PEER = "decoding alone", "ImageFolder, Pillow"
LOADERS: dict[str, Callable[[Path, int], Epoch]] = {
    LIMIT: decoding,
    "holotype": ours,
    "holotype, normalised": ours_normalised,
    PEER: image_folder,
    "ImageFolder, uint8": image_folder_bytes,
    "ImageDataset of holotype": our_images,
    "webdataset, Pillow": webdataset,
    "datasets, Pillow": hugging_face,
}


# the measuring


def cpu() -> float:
    """CPU seconds of this process and of its children that live."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    total, tick = own.ru_utime + own.ru_stime, os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                said = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(said[1]) == os.getpid():
                total += (int(said[11]) + int(said[12])) / tick
    return total


def serve(name: str, folder: Path, workers: int) -> None:
    """One loader: an epoch whenever a line comes, answered with images, CPU seconds and seconds."""
    warnings.simplefilter("ignore")
    cv2.setNumThreads(1)
    if "torch" in sys.modules or name not in (LIMIT, "holotype"):
        import torch

        torch.set_num_threads(1)
    epoch = LOADERS[name](folder, workers)
    for _ in sys.stdin:
        before, start = cpu(), time.perf_counter()
        images = epoch()
        print(json.dumps([images, cpu() - before, time.perf_counter() - start]), flush=True)


class Served:
    """A loader in a process of its own."""

    def __init__(self, name: str, folder: Path, workers: int) -> None:
        command = [sys.executable, __file__, str(folder), "--serve", name, "--workers", str(workers)]
        about = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=about
        )

    def epoch(self) -> tuple[int, float, float] | None:
        """Images, CPU seconds and seconds; None where it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
            return tuple(json.loads(self._process.stdout.readline()))
        except (BrokenPipeError, json.JSONDecodeError):
            return None

    def end(self) -> str:
        """The last line that it said."""
        _, said = self._process.communicate()
        return (said.strip().splitlines() or [""])[-1]


def measured(folder: Path, workers: int, rounds: int, names: list[str]) -> Iterator[tuple[str, list[Any] | str]]:
    """For each loader its epochs, or why there are none."""
    running = {name: Served(name, folder, workers) for name in names}
    found: dict[str, list[Any]] = {name: [] for name in names}
    for _ in range(rounds + 1):
        for name, one in running.items():
            if (epoch := one.epoch()) is not None:
                found[name].append(epoch)
    for name, one in running.items():
        said = one.end()
        yield name, found[name][1:] if len(found[name]) > rounds else said


def report(title: str, results: dict[str, list[Any] | str]) -> None:
    print(f"\n{title}\n{'':<26}images/s a core   of decoding   x ImageFolder   images/s by the clock")
    limit, peer = results[LIMIT], results.get(PEER, "")
    for name, epochs in results.items():
        if isinstance(epochs, str):
            print(f"{name:<26}left out: {epochs[:80]}")
            continue
        rate = statistics.median(images / seconds for images, seconds, _ in epochs)
        clock = statistics.median(images / taken for images, _, taken in epochs)
        share, times = (compared(epochs, other) for other in (limit, peer))
        print(f"{name:<26}{rate:15,.0f}{share:>14}{times:>16}{clock:24,.0f}")


def compared(epochs: list[Any], others: list[Any] | str) -> str:
    """How many times as many images a CPU second as another in the same rounds, by the median."""
    if isinstance(others, str):
        return "-"
    pairs = zip(epochs, others, strict=True)
    return f"{statistics.median(one[0] / one[1] * other[1] / other[0] for one, other in pairs):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.folder, options.workers)
        return
    print(f"{len(os.sched_getaffinity(0))} cores, {options.workers} workers, medians of {options.rounds} rounds")
    results = {}
    with tempfile.TemporaryDirectory() as place:
        for kind, change in (("originals", bytes), ("short side 256", small)):
            folder = Path(place) / kind.split()[0]
            folder.mkdir()
            write(folder, options.folder, options.images, change)
            size = sum(path.stat().st_size for path in folder.glob("tree/*/*")) / options.images
            results[kind] = dict(measured(folder, options.workers, options.rounds, list(LOADERS)))
            report(f"{kind}: {options.images:,} JPEGs of {size / 1000:,.0f} KB", results[kind])
    fast, peer = results["short side 256"]["holotype"], results["originals"][PEER]
    if not isinstance(fast, str):
        print(f"\nholotype on short sides of 256 against ImageFolder on the originals: {compared(fast, peer)} times")
    print(CLAIMS)


if __name__ == "__main__":
    main()
