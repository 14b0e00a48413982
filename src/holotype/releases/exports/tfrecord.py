"""TFRecord shards of `tf.train.Example`, with the keys that TensorFlow's own conversion of ImageNet has."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.crc32c import masked_crc32c
from holotype.releases.exports.listing import second_labels, write_classes
from holotype.releases.exports.parquet import SPLITS
from holotype.releases.exports.samples import ExportedBox, Sample
from holotype.releases.exports.shards import write_shards
from holotype.releases.layout import FLAGS, SHARD_BYTES

Feature = Sequence[bytes] | Sequence[int] | Sequence[float]

_BYTES: Final = 1
_FLOATS: Final = 2
_INTS: Final = 3


def write_tfrecord(chosen: Chosen, folder: Path, advance: Advance, shard_bytes: int = SHARD_BYTES) -> list[str]:
    """``train-00000-of-00003``, ``validation-...`` and ``test-...``, and ``labels.txt``.

    Images are in the order of their ids, which is as good as shuffled. ``image/class/label`` counts classes from 1, as
    ImageNet's conversion does: 0 is the background. Sizes and boxes are those of the picture as stored: TensorFlow
    knows no EXIF.
    """
    write_classes(chosen, folder)
    lines = "".join(f"{one.number + 1}:{one.wnid}\n" for one in chosen.classes)
    (folder / "labels.txt").write_text(f"0:background\n{lines}")
    names = {one.wnid: ", ".join(one.lemmas) for one in chosen.classes}
    for split, samples in chosen.by_split(advance, shuffled=True):
        records = (record(encode_example(_features(sample, chosen.numbers, names))) for sample in samples)
        parts = write_shards(records, "{:05d}", folder, shard_bytes)
        for number, part in enumerate(parts):
            part.rename(folder / f"{SPLITS[split]}-{number:05d}-of-{len(parts):05d}")
    return second_labels(chosen, "image/class/label is the first, image/class/labels are all")


def record(data: bytes) -> bytes:
    """A record of TFRecord: its length and its data, each with its checksum."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, struct.pack("<I", masked_crc32c(length)), data, struct.pack("<I", masked_crc32c(data))))


def encode_example(features: Mapping[str, Feature]) -> bytes:
    """A `tf.train.Example` of lists of bytes, whole numbers or floats, in protobuf's encoding; keys sorted."""
    entries = (_field(1, _field(1, name.encode()) + _field(2, _encoded(features[name]))) for name in sorted(features))
    return _field(1, b"".join(entries))


def _encoded(values: Feature) -> bytes:
    if values and isinstance(values[0], float):
        return _field(_FLOATS, _field(1, struct.pack(f"<{len(values)}f", *values)))
    if values and isinstance(values[0], int):
        return _field(_INTS, _field(1, b"".join(_varint(int(one)) for one in values)))
    return _field(_BYTES, b"".join(_field(1, one) for one in values if isinstance(one, bytes)))


def _field(number: int, data: bytes) -> bytes:
    """A field of protobuf that has bytes, with their length before them."""
    return b"".join((_varint(number << 3 | 2), _varint(len(data)), data))


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def _features(sample: Sample, numbers: Mapping[str, int], names: Mapping[str, str]) -> dict[str, Feature]:
    labels = [numbers[wnid] + 1 for wnid in sample.wnids]
    width, height = sample.stored_size
    return {
        "image/encoded": [sample.data],
        "image/format": [sample.format.encode()],
        "image/filename": [f"{sample.id}.{sample.extension}".encode()],
        "image/colorspace": [sample.rows[0]["mode"].encode()],
        "image/width": [width],
        "image/height": [height],
        "image/class/label": labels[:1],
        "image/class/labels": labels,
        "image/class/synset": [sample.wnids[0].encode()],
        "image/class/synsets": [wnid.encode() for wnid in sample.wnids],
        "image/class/text": [names[sample.wnids[0]].encode()],
        **_boxes(sample, numbers),
    }


def _boxes(sample: Sample, numbers: Mapping[str, int]) -> dict[str, Feature]:
    """The boxes as shares of width and height; of classes that are none of the export, label 0."""
    width, height = sample.stored_size
    boxes = sample.stored_boxes if width and height else []
    if not boxes:
        return {}
    return {
        "image/object/bbox/xmin": [box.x_min / width for box in boxes],
        "image/object/bbox/xmax": [(box.x_max + 1) / width for box in boxes],
        "image/object/bbox/ymin": [box.y_min / height for box in boxes],
        "image/object/bbox/ymax": [(box.y_max + 1) / height for box in boxes],
        "image/object/bbox/label": [numbers.get(box.wnid, -1) + 1 for box in boxes],
        "image/object/bbox/synset": [box.wnid.encode() for box in boxes],
        **{f"image/object/{name}": [int(box.flags.get(name, False)) for box in boxes] for name in _said(boxes)},
    }


def _said(boxes: Sequence[ExportedBox]) -> list[str]:
    """The flags that are said of any of these boxes; where one is not, it stands for no."""
    return [name for name in FLAGS if any(name in box.flags for box in boxes)]
