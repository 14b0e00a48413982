"""Changed pictures: what becomes of small files of every format with bytes changed, cut out, repeated and mixed.

    python bench/mutations.py [--first 0] [--count 100000] [--keep FOLDER]

Every picture must be kept or rejected for a reason that is known; nothing else may be raised, nothing may crash or
hang, and memory must stay within 300 MB of what it was. Number N always makes the same picture. Runs in a process of
its own, so that a crash is found too; what goes wrong is written to FOLDER.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import random
import resource
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from holotype.images.fingerprint import Fingerprint, fingerprint_batch, many_at_once

REASONS = ("kept", "empty", "unknown_format", "too_large", "truncated", "damaged", "unsupported")
MEMORY = 300 << 20
PATIENCE = 60  # seconds for one picture, on however loaded a machine
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_PNG = b"\x89PNG\r\n\x1a\n"


At: TypeAlias = "Synchronized[int]"


@cache
def seeds() -> tuple[bytes, ...]:
    """Small files of every format, in several modes and ways of compression."""
    noise = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    image = Image.fromarray(noise).resize((24, 17), Image.Resampling.BICUBIC)
    more = {"save_all": True, "append_images": [image.rotate(90, expand=False)]}
    modes: dict[str, tuple[str, ...]] = {
        "JPEG": ("L", "RGB", "CMYK"),
        "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
        "GIF": ("L", "P"),
        "WEBP": ("RGB", "RGBA"),
        "BMP": ("1", "L", "P", "RGB", "RGBA"),
        "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"),
        "PPM": ("1", "L", "RGB"),
        "JPEG2000": ("L", "LA", "RGB", "RGBA"),
        "AVIF": ("L", "RGB", "RGBA"),
    }
    found = [_encoded(_in(image, mode), kind) for kind, names in modes.items() for mode in names]
    ways = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    found += [_encoded(image, "TIFF", compression=how) for how in ways]
    found += [_encoded(_in(image, "1"), "TIFF", compression=how) for how in ("group3", "group4")]
    found += [_encoded(image, "JPEG", progressive=True), _encoded(image, "WEBP", lossless=True)]
    found += [_encoded(image, kind, **more) for kind in ("PNG", "GIF", "WEBP", "TIFF", "AVIF")]
    found += [b"P2 3 2 9\n1 2 3 4 5 6\n", b"P3\n2 1\n255\n1 2 3 4 5 6\n", b"P1 3 2 101010\n"]
    return (*found, *_heic(image, more))


def _in(image: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert(mode)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _heic(image: Image.Image, more: dict[str, object]) -> list[bytes]:
    try:
        import pillow_heif
    except ImportError:
        return []
    pillow_heif.register_heif_opener()
    return [_encoded(image, "HEIF"), _encoded(_in(image, "RGBA"), "HEIF"), _encoded(image, "HEIF", **more)]


def _set_byte(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.choice((chance.randrange(256), *_INTERESTING[:5]))


def _flip_bit(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set_number(data: bytearray, chance: random.Random) -> None:
    size = chance.choice((2, 4))
    at = chance.randrange(max(1, len(data) - size))
    value = chance.choice((*_INTERESTING, chance.randrange(1 << 32), len(data) + chance.randrange(-9, 9)))
    data[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, chance.choice(("big", "little")))


def _cut_out(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.randrange(1, 40)]


def _repeat(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = data[at : at + chance.randrange(1, 40)] * chance.choice((1, 1, 2, 300))


def _cut_off(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _mix(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(seeds())
    at, start = chance.randrange(len(data)), chance.randrange(len(other))
    data[at : at + 30] = other[start : start + chance.randrange(1, 200)]


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_set_byte, _set_byte, _flip_bit, _flip_bit, _set_number, _set_number, _set_number),
    *(_cut_out, _repeat, _cut_off, _mix),
)


def changed(number: int) -> bytes:
    """The picture of a number: one of the seeds with one to five changes; a PNG's checksums mostly put right again."""
    chance = random.Random(number)  # noqa: S311 nobody is to be kept from guessing it
    data = bytearray(chance.choice(seeds()))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        if data:
            chance.choice(_CHANGES)(data, chance)
    return _with_right_checksums(bytes(data)) if chance.random() < 0.8 else bytes(data)


def _with_right_checksums(data: bytes) -> bytes:
    if not data.startswith(_PNG):
        return data
    position, parts = 8, [_PNG]
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        if end + 4 > len(data):
            break
        parts.append(data[position:end] + zlib.crc32(data[position + 4 : end]).to_bytes(4, "big"))
        position = end + 4
    return b"".join((*parts, data[position:]))


def outcome(data: bytes) -> str:
    """``kept``, or the reason of the rejection."""
    (row,) = fingerprint_batch([data])
    return "kept" if isinstance(row, Fingerprint) else row.reason


def peak() -> int:
    """The most memory that this process had, in bytes."""
    told = Path("/proc/self/status")  # what `resource` tells begins, on Linux, with what the parent had
    if told.exists():
        return int(next(line for line in told.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@dataclass
class Found:
    """Outcomes, what went wrong by number, the most memory over what it was, and the slowest picture."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: dict[int, str] = field(default_factory=dict)
    memory: int = 0
    largest: int = 0
    seconds: float = 0
    slowest: int = 0


Answer: TypeAlias = "multiprocessing.SimpleQueue[Found]"


def run(numbers: range, at: At | None = None) -> Found:
    """Read the pictures of some numbers, saying in `at` which is read."""
    found = Found()
    with warnings.catch_warnings(), many_at_once():
        warnings.simplefilter("ignore")
        for seed in seeds():
            outcome(seed)
        before = peak()
        for number in numbers:
            if at is not None:
                at.value = number
            start = time.perf_counter()
            try:
                said = outcome(changed(number))
            except Exception as error:  # noqa: BLE001 it is what is looked for
                said = repr(error)
            taken = time.perf_counter() - start
            found.outcomes[said] += 1
            if said not in REASONS:
                found.wrong[number] = said
            if taken > found.seconds:
                found.seconds, found.slowest = taken, number
            if peak() - before > found.memory:
                found.memory, found.largest = peak() - before, number
    if found.memory > MEMORY:
        found.wrong[found.largest] = f"{found.memory >> 20} MB"
    return found


def _work(numbers: range, at: At, answer: Answer) -> None:
    answer.put(run(numbers, at))


def run_apart(numbers: range, work: Callable[[range, At, Answer], None] = _work) -> Found:
    """The same in a process of its own, in which a picture may crash or hang; after such a one the next are read."""
    context = multiprocessing.get_context("spawn")
    at, answer = context.Value("q", -1), context.SimpleQueue()
    process = context.Process(target=work, args=(numbers, at, answer))
    process.start()
    last = -1
    while process.is_alive() and answer.empty():
        process.join(PATIENCE if at.value >= 0 else 1)
        if process.is_alive() and answer.empty() and 0 <= at.value == last:
            process.kill()
        last = at.value
    if not answer.empty():
        found: Found = answer.get()
        process.join()
        return found
    process.join()
    after = range(at.value + 1, numbers.stop)
    rest = run_apart(after, work) if at.value >= 0 and after else Found()
    rest.wrong[at.value] = f"ended with {process.exitcode}"
    return rest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    wrong = 0
    for first in range(options.first, options.first + options.count, 10_000):
        found = run_apart(range(first, min(first + 10_000, options.first + options.count)))
        said = ", ".join(f"{name} {count:,}" for name, count in found.outcomes.most_common(8))
        print(f"{first:,}: {said}; {found.memory >> 20} MB ({found.largest}), {found.seconds:.2f} s ({found.slowest})")
        wrong += len(found.wrong)
        for number, what in found.wrong.items():
            print(f"  {number}: {what}")
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / str(number)).write_bytes(changed(number))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
