"""The museum of the tutorial: draws its photographs, and plays the people who know what they show.

    python photographs.py draw photos           draw them into the folder photos
    python photographs.py truth truth.csv       write what simulated volunteers see
    python photographs.py answer FILE.csv       fill in the answers of somebody who is never wrong

It is no part of holotype: with photographs and people of your own you need none of it.
"""

from __future__ import annotations

import csv
import hashlib
import math
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import holotype

FOLDERS = {
    "Amphorae": "amphora",
    "Bowls": "bowl",
    "Jugs": "jug",
    "Axes": "axe",
    "Hammers": "hammer",
    "Swords": "sword",
}
EACH = 40
MISFILED = (7, 19, 31)
"""Numbers of photographs that lie in the wrong folder: they show what the next folder is for."""
LEFT_OVER = 5
SIZE = 240
PROJECT = Path("museum")
Row = dict[str, str]
Draw = ImageDraw.ImageDraw
Points = list[tuple[float, float]]


def plan() -> Iterator[tuple[str, str, int]]:
    """Folder, thing shown and number of every photograph."""
    kinds = list(FOLDERS.values())
    for row, (folder, kind) in enumerate(FOLDERS.items()):
        for number in range(EACH):
            shown = kinds[(row + 1) % len(kinds)] if number in MISFILED else kind
            yield folder, shown, row * EACH + number
    for number in range(LEFT_OVER):
        yield "To be sorted", kinds[number], len(FOLDERS) * EACH + number


def file_name(number: int) -> str:
    return f"INV-{1000 + number}.jpg"


def turned(profile: Points, rng: np.random.Generator) -> Points:
    """The outline of a vessel from its profile: (half the width, height) from the foot up."""
    stretch = rng.uniform(0.8, 1.2)
    right = [(width * stretch, -height) for width, height in profile]
    return right + [(-x, y) for x, y in reversed(right)]


def amphora(pen: Draw, place: Callable[[Points], Points], rng: np.random.Generator, ink: tuple[int, ...]) -> None:
    neck = rng.uniform(26, 40)
    for side in (-1, 1):
        handle: Points = [
            (side * (14 + 26 * math.sin(t)), -58 - neck * 0.9 * math.cos(t)) for t in np.linspace(0.1, 2.6, 20)
        ]
        pen.line(place(handle), fill=ink, width=7, joint="curve")
    body: Points = [(6, -70), (14, -55), (38, -5), (42, 25), (30, 50), (13, 60), (11, 60 + neck), (18, 66 + neck)]
    pen.polygon(place(turned(body, rng)), fill=ink)


def bowl(pen: Draw, place: Callable[[Points], Points], rng: np.random.Generator, ink: tuple[int, ...]) -> None:
    depth = rng.uniform(35, 60)
    pen.polygon(place(turned([(22, -depth), (24, -depth + 10), (58, -depth / 3), (72, 22), (66, 22)], rng)), fill=ink)


def jug(pen: Draw, place: Callable[[Points], Points], rng: np.random.Generator, ink: tuple[int, ...]) -> None:
    handle: Points = [(22 + 40 * math.sin(t), 2 - 44 * math.cos(t)) for t in np.linspace(0.1, 2.9, 24)]
    pen.line(place(handle), fill=ink, width=9, joint="curve")
    belly = rng.uniform(40, 54)
    pen.polygon(place(turned([(30, -64), (belly, -30), (belly, 0), (24, 40), (22, 58), (28, 66)], rng)), fill=ink)
    spout: Points = [(-20, -66), (-50, -74), (-20, -46)]
    pen.polygon(place(spout), fill=ink)


def shaft(pen: Draw, place: Callable[[Points], Points], length: float) -> None:
    pen.polygon(place([(-6, -length), (6, -length), (8, 90), (-8, 90)]), fill=(116, 82, 50))


def axe(pen: Draw, place: Callable[[Points], Points], rng: np.random.Generator, ink: tuple[int, ...]) -> None:
    shaft(pen, place, 84)
    edge = rng.uniform(40, 60)
    blade: Points = [
        (-12, -74),
        (20, -78),
        (62, -74 - edge / 2),
        (72, -56),
        (62, -38 + edge / 2),
        (20, -38),
        (-12, -42),
    ]
    pen.polygon(place(blade), fill=ink)


def hammer(pen: Draw, place: Callable[[Points], Points], rng: np.random.Generator, ink: tuple[int, ...]) -> None:
    shaft(pen, place, 70)
    head, thick = rng.uniform(42, 58), rng.uniform(15, 22)
    pen.polygon(place([(-head, -70 - thick), (head, -70 - thick), (head, -70 + thick), (-head, -70 + thick)]), fill=ink)


def sword(pen: Draw, place: Callable[[Points], Points], rng: np.random.Generator, ink: tuple[int, ...]) -> None:
    wide, guard = rng.uniform(7, 12), rng.uniform(26, 40)
    pen.polygon(place([(-wide, 52), (-wide, -84), (0, -104), (wide, -84), (wide, 52)]), fill=ink)
    pen.polygon(place([(-guard, 50), (guard, 50), (guard, 60), (-guard, 60)]), fill=(150, 120, 60))
    pen.polygon(place([(-6, 60), (6, 60), (6, 94), (-6, 94)]), fill=(90, 60, 40))


THINGS = {"amphora": amphora, "bowl": bowl, "jug": jug, "axe": axe, "hammer": hammer, "sword": sword}
CLAY, METAL = (
    ((176, 96, 58), (150, 78, 52), (196, 140, 96), (90, 60, 50)),
    ((120, 126, 132), (92, 98, 104), (132, 116, 92)),
)


def photograph(kind: str, number: int) -> Image.Image:
    """A thing on a cloth, in the light of a window: every number another one."""
    rng = np.random.default_rng([2009, number])
    inks = CLAY if kind in ("amphora", "bowl", "jug") else METAL
    ink = tuple(
        int(shade) for shade in np.clip(np.add(inks[rng.integers(len(inks))], rng.integers(-14, 15, 3)), 0, 255)
    )
    angle, scale = rng.uniform(-0.9, 0.9) * (0.3 if inks is CLAY else 1.0), rng.uniform(0.75, 1.05)
    dx, dy = rng.uniform(-16, 16, 2) + SIZE / 2

    def place(points: Points) -> Points:
        turn, lean = math.cos(angle) * scale, math.sin(angle) * scale
        return [(dx + x * turn - y * lean, dy + x * lean + y * turn) for x, y in points]

    cloth = rng.integers(0, 256, (6, 6, 1)) * 0.25 + rng.integers(110, 200) + rng.integers(-10, 11, 3)
    picture = Image.fromarray(np.clip(cloth, 0, 255).astype(np.uint8)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    thing = Image.new("RGBA", (SIZE, SIZE))
    THINGS[kind](ImageDraw.Draw(thing), place, rng, ink)
    shape = thing.getchannel("A")
    picture.paste((30, 30, 30), (7, 9), shape.filter(ImageFilter.GaussianBlur(5)).point(lambda value: value // 2))
    light = np.linspace(rng.uniform(0.6, 0.9), rng.uniform(1.0, 1.3), SIZE)[None, :, None]
    lit = np.clip(np.asarray(thing.convert("RGB")) * light + rng.normal(0, 5, (SIZE, SIZE, 1)), 0, 255)
    picture.paste(Image.fromarray(lit.astype(np.uint8)), (0, 0), shape.filter(ImageFilter.GaussianBlur(0.7)))
    return picture


def draw(folder_of_all: str) -> None:
    """All photographs, and what every collection has: a copy, and a file that a broken transfer left."""
    photos = Path(folder_of_all)
    for folder, kind, number in plan():
        (photos / folder).mkdir(parents=True, exist_ok=True)
        photograph(kind, number).save(photos / folder / file_name(number), quality=88)
    shutil.copy(photos / "Bowls" / file_name(EACH), photos / "Bowls" / "copy of INV-1040.jpg")
    whole = (photos / "Axes" / file_name(3 * EACH)).read_bytes()
    (photos / "Axes" / "INV-1120 (1).jpg").write_bytes(whole[: len(whole) // 2])
    say(f"{len(list(photos.rglob('*.jpg')))} files in {photos}")


def shown() -> dict[str, str]:
    """What every photograph shows, by the sha256 of its file."""
    return {
        hashlib.sha256((Path("photos") / folder / file_name(number)).read_bytes()).hexdigest(): kind
        for folder, kind, number in plan()
    }


def truth(table: str) -> None:
    """What volunteers are to see in each photograph of the project."""
    with holotype.open(PROJECT) as db:
        tasks = [{"sha256": task.sha256, "wnid": task.wnid, "answer": ""} for task in db.candidates.tasks()]
    write(table, answered(tasks))


def answer(table: str) -> None:
    """Fill in the column `answer` of a table."""
    with open(table, newline="") as file:
        write(table, answered(list(csv.DictReader(file))))


def answered(rows: list[Row]) -> list[Row]:
    """Rows with a photograph (by sha256) and what it is to show (by wnid), with the right answer."""
    things = shown()
    with holotype.open(PROJECT) as db:
        lemmas = {row["wnid"]: db.ontology[row["wnid"]].lemmas for row in rows}
    return [row | {"answer": "yes" if things[row["sha256"]] in lemmas[row["wnid"]] else "no"} for row in rows]


def write(table: str, rows: list[Row]) -> None:
    with open(table, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    say(f"{len(rows)} answers in {table}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


TASKS: dict[str, Callable[[str], None]] = {"draw": draw, "truth": truth, "answer": answer}

if __name__ == "__main__":
    TASKS[sys.argv[1]](sys.argv[2])
