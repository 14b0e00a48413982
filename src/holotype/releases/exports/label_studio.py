"""Label Studio: tasks whose predictions are the release's labels and boxes, for people to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.detection import UPRIGHT, Categories, Noted, as_json
from holotype.releases.exports.listing import write_classes
from holotype.releases.exports.samples import ExportedBox, Sample
from holotype.releases.layout import WORKS

_LOCAL: Final = "/data/local-files/?d="
"""How Label Studio is told of a file below its document root."""


def write_label_studio(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``tasks.json``, ``config.xml`` with the labels, and ``images/SPLIT/ID.jpg``.

    Tasks name pictures as files below Label Studio's document root, which is this folder. Labels are called by lemma
    and wnid; boxes are in percent. They are predictions by holotype, which become annotations when somebody takes them.
    """
    categories, noted = Categories(chosen), Noted()
    with (folder / "tasks.json").open("w", encoding="utf-8") as tasks:
        place = 0
        for split, samples in chosen.by_split(advance):
            (folder / "images" / split).mkdir(parents=True)
            for sample in samples:
                file = f"images/{split}/{sample.id}.{sample.extension}"
                (folder / file).write_bytes(sample.data)
                boxes = noted.boxes_of(sample, needs_size=True)
                task = _task(sample, file, boxes, categories.labels, categories, chosen.release.name)
                tasks.write(("[" if place == 0 else ",") + f"\n{as_json(task)}")
                place += 1
        tasks.write("]\n" if place else "[]\n")
    (folder / "config.xml").write_text(_config(categories.labels), encoding="utf-8")
    write_classes(chosen, folder)
    root = "set LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT to this folder, and serve local files"
    return [*noted.remarks(UPRIGHT), root]


def _task(
    sample: Sample, file: str, boxes: Sequence[ExportedBox], labels: Sequence[str], categories: Categories, name: str
) -> dict[str, Any]:
    row = sample.rows[0]
    told = {key: row[key] for key in ("split", "licence", "author", "url", *WORKS) if row.get(key)}
    data = {"image": f"{_LOCAL}{file}", "id": sample.id, "sha256": row["sha256"], **told}
    choices = {
        **{"id": f"{sample.id}-0", "type": "choices", "from_name": "labels", "to_name": "image"},
        "value": {"choices": [labels[categories.number[wnid]] for wnid in sample.wnids]},
    }
    regions = [
        _region(f"{sample.id}-{number}", box, labels[categories.number[box.wnid]], *sample.size)
        for number, box in enumerate(boxes, 1)
    ]
    return {"data": data, "predictions": [{"model_version": f"holotype {name}", "result": [choices, *regions]}]}


def _region(key: str, box: ExportedBox, label: str, width: int, height: int) -> dict[str, Any]:
    return {
        **{"id": key, "type": "rectanglelabels", "from_name": "boxes", "to_name": "image"},
        **{"original_width": width, "original_height": height, "image_rotation": 0},
        "value": {
            "x": 100 * box.x_min / width,
            "y": 100 * box.y_min / height,
            "width": 100 * (box.x_max + 1 - box.x_min) / width,
            "height": 100 * (box.y_max + 1 - box.y_min) / height,
            "rotation": 0,
            "rectanglelabels": [label],
        },
    }


def _config(labels: Sequence[str]) -> str:
    """The labelling interface: which labels an image has, and which its boxes."""

    def lines() -> Iterator[str]:
        yield '<View>\n  <Image name="image" value="$image" zoom="true"/>'
        yield '  <Choices name="labels" toName="image" choice="multiple">'
        yield from (f"    <Choice value={quoteattr(label)}/>" for label in labels)
        yield '  </Choices>\n  <RectangleLabels name="boxes" toName="image" canRotate="false">'
        yield from (f"    <Label value={quoteattr(label)}/>" for label in labels)
        yield "  </RectangleLabels>\n</View>\n"

    return "\n".join(lines())
