"""Label maps: a PNG of the numbers of classes for each image that has masks."""

from __future__ import annotations

from pathlib import Path

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.detection import UPRIGHT, Categories
from holotype.releases.exports.masks import DEEP_VOID, MOST, VOID, as_png, deep_png, painted
from holotype.releases.quantities import plural


def write_label_maps(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``images/SPLIT/ID.jpg`` and ``masks/SPLIT/ID.png``, whose pixels are numbers of classes, and
    ``masks/labelmap.txt``, which names them by their wnids, a line each, the first is 0, background.

    Maps have VOC's palette, or 16 bits where there are more than 254 classes; they are of the picture turned upright.
    Crowds are void, the highest number. Images without masks have no map.
    """
    categories = Categories(chosen)
    (folder / "masks").mkdir()
    names = ["background", *(one.wnid for one in categories.classes)]
    lines = "".join(f"{name}:::\n" for name in names)
    (folder / "masks/labelmap.txt").write_text(f"# label:color_rgb:parts:actions\n{lines}")
    few = len(categories.classes) <= MOST
    bare = turned = 0
    for split, samples in chosen.by_split(advance):
        pictures, maps = folder / "images" / split, folder / "masks" / split
        pictures.mkdir(parents=True)
        maps.mkdir()
        for sample in samples:
            (pictures / f"{sample.id}.{sample.extension}").write_bytes(sample.data)
            bare += not sample.masks
            if sample.masks:
                turned += sample.rows[0]["orientation"] > 1
                numbers = [categories.number[mask.wnid] + 1 for mask in sample.masks]
                drawn = painted(sample.masks, numbers, sample.masks_size, VOID if few else DEEP_VOID)
                (maps / f"{sample.id}.png").write_bytes(as_png(drawn) if few else deep_png(drawn))
    told = [f"{plural(bare, 'image has', 'images have')} no mask and no map"] if bare else []
    return [*told, *([f"{turned:,} images are stored turned (EXIF): {UPRIGHT}"] if turned else [])]
