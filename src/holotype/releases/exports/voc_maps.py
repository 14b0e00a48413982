"""PASCAL VOC's maps of masks: ``SegmentationClass``, ``SegmentationObject``, and the lists of images that have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from holotype.releases.exports.detection import Categories
from holotype.releases.exports.masks import MOST, VOID, as_png, painted
from holotype.releases.exports.samples import Sample
from holotype.releases.quantities import plural


class VocMaps:
    """Maps of masks that are written below a folder as images come; nothing is, where there are no masks."""

    def __init__(self, root: Path, categories: Categories) -> None:
        self._root, self._number = root, categories.number
        self._too_many = len(categories.classes) > MOST
        self._left_out = self._crowds = 0

    def add(self, sample: Sample) -> None:
        """Write the maps of an image as it is stored, if it has masks."""
        if not sample.masks or self._too_many:
            return
        size, turn = sample.masks_size, sample.rows[0]["orientation"]
        classes = [self._number[mask.wnid] + 1 for mask in sample.masks]
        instances = [min(number, VOID) for number in range(1, len(classes) + 1)]
        kept = [number if instance < VOID else VOID for number, instance in zip(classes, instances, strict=True)]
        self._left_out += instances.count(VOID)
        self._crowds += sum(mask.crowd for mask in sample.masks)
        for folder, numbers in (("SegmentationClass", kept), ("SegmentationObject", instances)):
            data = as_png(painted(sample.masks, numbers, size), turn)
            self._file(folder, f"{sample.id}.png").write_bytes(data)
        with self._file("ImageSets/Segmentation", f"{sample.split}.txt").open("a") as listed:
            listed.write(f"{sample.id}\n")

    def _file(self, folder: str, name: str) -> Path:
        (self._root / folder).mkdir(parents=True, exist_ok=True)
        return self._root / folder / name

    def remarks(self) -> Iterator[str]:
        """What there is no place for in VOC's maps."""
        if self._too_many:
            yield f"masks are left out: maps of this format have {MOST} classes at most"
        if self._left_out:
            yield f"{plural(self._left_out, 'mask is', 'masks are')} void, as maps have {MOST} instances at most"
        if self._crowds:
            yield f"{plural(self._crowds, 'mask', 'masks')} of crowds {'is' if self._crowds == 1 else 'are'} void"
