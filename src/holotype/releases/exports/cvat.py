"""CVAT for images 1.1: an XML file with the tags and boxes of each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from holotype.releases.census import batches
from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.detection import UPRIGHT, Categories, Noted, as_json
from holotype.releases.exports.listing import write_classes
from holotype.releases.exports.samples import ExportedBox, Sample
from holotype.releases.layout import BOXES, FLAGS, UNSAID
from holotype.releases.release import columns_of

OCCLUDED: Final = "occluded"


def write_cvat(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``annotations.xml``, ``labels.json`` for the constructor of a task, and ``images/SPLIT/ID.jpg``.

    Labels are called by lemma and wnid, an image's are its tags. The edges of a box are in pixels: xbr = x_max + 1. It
    says itself whether it is occluded, 0 where nobody said; other flags are attributes, where any box has one.
    """
    categories, noted = Categories(chosen), Noted()
    with (folder / "annotations.xml").open("w", encoding="utf-8") as file:
        attributes = _attributes(chosen)
        file.write(_head(chosen, categories.labels, attributes))
        place = 0
        for split, samples in chosen.by_split(advance):
            (folder / "images" / split).mkdir(parents=True)
            for sample in samples:
                name = f"{split}/{sample.id}.{sample.extension}"
                (folder / "images" / name).write_bytes(sample.data)
                file.write("\n".join(_image(place, name, sample, noted.boxes_of(sample), categories)) + "\n")
                place += 1
        file.write("</annotations>\n")
    _write_labels(folder / "labels.json", categories.labels, attributes)
    write_classes(chosen, folder)
    return noted.remarks(UPRIGHT)


def _attributes(chosen: Chosen) -> list[str]:
    """The flags but occluded that any box of the release has."""
    path = chosen.release.path / BOXES
    known = [name for name in FLAGS if name != OCCLUDED and name in columns_of(path)]
    said = {name for table in batches(path, known) for name in known if (table[name].to_numpy() != UNSAID).any()}
    return [name for name in known if name in said]


def _head(chosen: Chosen, labels: Sequence[str], attributes: Sequence[str]) -> str:
    inside = "".join(
        f"<attribute><name>{name}</name><mutable>False</mutable><input_type>checkbox</input_type>"
        "<default_value>false</default_value><values>false</values></attribute>"
        for name in attributes
    )
    named = "".join(
        f"<label><name>{escape(label)}</name><type>any</type><attributes>{inside}</attributes></label>\n"
        for label in labels
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta>\n<task>\n'
        f"<name>{escape(chosen.release.name)}</name><size>{len(chosen.images)}</size><mode>annotation</mode>\n"
        f"<labels>\n{named}</labels>\n</task>\n</meta>\n"
    )


def _image(
    place: int, name: str, sample: Sample, boxes: Sequence[ExportedBox], categories: Categories
) -> Iterator[str]:
    width, height = sample.size
    yield f'<image id="{place}" name="{name}" width="{width}" height="{height}">'
    for wnid in sample.wnids:
        yield f'  <tag label={quoteattr(categories.labels[categories.number[wnid]])} source="file"></tag>'
    for box in boxes:
        edges = f'xtl="{box.x_min}.00" ytl="{box.y_min}.00" xbr="{box.x_max + 1}.00" ybr="{box.y_max + 1}.00"'
        label = quoteattr(categories.labels[categories.number[box.wnid]])
        occluded = int(box.flags.get(OCCLUDED, False))
        told = "".join(
            f'<attribute name="{name}">{str(said).lower()}</attribute>'
            for name, said in box.flags.items()
            if name != OCCLUDED
        )
        yield f'  <box label={label} source="file" occluded="{occluded}" {edges} z_order="0">{told}</box>'
    yield "</image>"


def _write_labels(path: Path, labels: Sequence[str], attributes: Sequence[str]) -> None:
    boxes = {"input_type": "checkbox", "mutable": False, "values": ["false"], "default_value": "false"}
    told = [{"name": name, **boxes} for name in attributes]
    rows = [{"name": label, "type": "any", "attributes": told} for label in labels]
    path.write_text(as_json(rows) + "\n", encoding="utf-8")
