"""What lies there where a page of the documentation begins: projects with something in them, and what people do."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

import holotype
from conftest import encoded, photo
from holotype.benchmark.orders import order
from holotype.crowd.policies import Fixed
from holotype.imports.discover import find_ilsvrc2012
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Release
from miniatures import CHIHUAHUA, RETRIEVER, write_ilsvrc2012
from official import Picture, tar_of, write_tree

SPANIEL = "n02085782"
"""The Japanese spaniel: a toy dog, as the Chihuahua is."""
EACH = 24


def write_photographs(folder: Path) -> None:
    """Photographs of three breeds of dogs in folders named by wnid, and what is never missing: a copy, a file that was
    cut off, and one that nobody has sorted."""
    for row, wnid in enumerate((CHIHUAHUA, SPANIEL, RETRIEVER)):
        (folder / wnid).mkdir(parents=True)
        for each in range(EACH):
            picture = encoded(photo(1000 * row + each, 480, 360))
            (folder / wnid / f"IMG_{100 * row + each}.jpg").write_bytes(picture)
    (folder / RETRIEVER / "copy.jpg").write_bytes(picture)
    (folder / RETRIEVER / "cut off.jpg").write_bytes(picture[:-2000])
    (folder / "unsorted").mkdir()
    (folder / "unsorted/IMG_900.jpg").write_bytes(encoded(photo(9000, 480, 360)))


def fill(db: Project, photographs: Path) -> None:
    """Take in photographs and have them voted on by simulated workers."""
    db.images.ingest(photographs)
    db.crowd.run(db.crowd.simulated(seed=1), Fixed(3))


def vote(db: Project, worker: str) -> None:
    """A yes of a worker to the first ten candidates."""
    tasks = db.candidates.tasks()[:10]
    votes = {"sha256": [one.sha256 for one in tasks], "wnid": [one.wnid for one in tasks]}
    db.crowd.append({**votes, "worker": [worker] * len(tasks), "answer": ["yes"] * len(tasks)})


def import_miniature(db: Project, folder: Path) -> None:
    write_ilsvrc2012(folder)
    sources, problems = find_ilsvrc2012([folder])
    db.datasets.add(sources, "ilsvrc2012", problems=problems)


def propose(folder: Path) -> None:
    """A model's proposals for an image of the miniature, where there are none."""
    if not (folder / "proposals.csv").exists():
        rows = [("ILSVRC2012_val_00000293", "n02123159", 0.55)]
        write_table(folder / "proposals.csv", ("image", "wnid", "score"), rows)


def write_shards(folder: Path) -> None:
    """WebDataset shards of two images, and the classes that their numbers count."""
    members = [
        member
        for number in range(2)
        for member in ((f"{number}.jpg", encoded(photo(9100 + number))), (f"{number}.cls", str(number).encode()))
    ]
    (folder / "s-000000.tar").write_bytes(tar_of(members))
    (folder / "right.txt").write_text(f"{RETRIEVER}\n{CHIHUAHUA}\n")


def import_old_disk(folder: Path, ontology: Ontology) -> None:
    """Another training image of the project's dataset, on a disk of its own."""
    disk = folder.parent / "old/disk"
    write_tree(disk, [Picture(f"{RETRIEVER}_90", "train", RETRIEVER, encoded(photo(9200)))])
    with holotype.open(folder / "imagenet", ontology) as db:
        sources, problems = find_ilsvrc2012([disk])
        db.datasets.add(sources, "ilsvrc2012", problems=problems)


def write_orders(folder: Path) -> None:
    """Predictions in the order of the sorted wnids, all right, and Kaggle's solution file for them."""
    wnids = order("sorted").wnids
    np.save(folder / "predictions.npy", np.arange(len(wnids))[:, None])
    rows = [(f"ILSVRC2012_val_{number:08d}", f"{wnid} 1 1 9 9") for number, wnid in enumerate(wnids, 1)]
    write_table(folder / "LOC_val_solution.csv", ("ImageId", "PredictionString"), rows)


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def fill_in(table: Path, answer: str = "yes") -> None:
    """An answer into the last column of every row."""
    with table.open(newline="") as file:
        header, *rows = csv.reader(file)
    write_table(table, header, [(*row[:-1], answer) for row in rows])


def other_answer(table: Path, name: str) -> None:
    """The first row of a table with a no, in a table of its own beside it."""
    with table.open(newline="") as file:
        header, row, *_ = csv.reader(file)
    write_table(table.with_name(name), header, [(*row[:-1], "no")])


def some_of(folder: Path, name: str, ontology: Ontology, answers: Mapping[int, str] | None = None) -> None:
    """A table with answers about some of a project's candidates, by their place, or a yes to all."""
    if (folder / name).exists():
        return
    with holotype.open(next(path.parent for path in folder.rglob("holotype.json")), ontology) as db:
        tasks = db.candidates.tasks()
    said = answers or dict.fromkeys(range(len(tasks)), "yes")
    rows = [(tasks[place].sha256, tasks[place].wnid, answer) for place, answer in said.items()]
    write_table(folder / name, ("sha256", "wnid", "answer"), rows)


def guess(folder: Path) -> None:
    """A model's predictions for the release v1 in a folder, where there are none: it always says the same."""
    if (folder / "predictions.csv").exists():
        return
    (made,) = folder.rglob("releases/v1")
    rows = [(row["id"], RETRIEVER) for row in Release(made).rows("test")]
    write_table(folder / "predictions.csv", ("image", "guess1"), rows)


def copied(made: Path, place: Path) -> Path:
    return Path(shutil.copytree(made, place, dirs_exist_ok=True))
