"""How many faces the detector finds: one real face, turned and scaled, in photographs without people; and how fast.

    python bench/faces.py FOLDER [PHOTOGRAPHS]

FOLDER holds photographs, such as ILSVRC's. The face is the astronaut's of scikit-image, so this tells of sizes and
turns, and nothing of how faces differ: no claim about people follows from it.
"""

from __future__ import annotations

import io
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from skimage import data as pictures

from holotype.images.faces import CenterFace, Face, faces_in

HEIGHTS = (8, 12, 16, 24, 32, 64, 128)
TURNS = (0, 15, 30, 60, 90, 180)
FACE = (179, 62, 271, 178)


def portrait(height: int, turn: int) -> tuple[Image.Image, Image.Image]:
    """The face with its surroundings, `height` pixels high and turned, and an ellipse as its mask."""
    left, top, right, bottom = FACE
    around = (left - 30, top - 45, right + 30, bottom + 25)
    astronaut: np.ndarray = pictures.astronaut()  # type: ignore[no-untyped-call]
    face = Image.fromarray(astronaut).crop(around)
    mask = Image.new("L", face.size)
    ImageDraw.Draw(mask).ellipse((4, 4, face.width - 5, face.height - 5), fill=255)
    scale = height / (bottom - top)
    size = max(2, round(face.width * scale)), max(2, round(face.height * scale))
    small = [one.resize(size, Image.Resampling.LANCZOS).rotate(turn, expand=True) for one in (face, mask)]
    return small[0], small[1].filter(ImageFilter.GaussianBlur(max(0.5, height / 40)))


def pasted(background: Image.Image, height: int, turn: int, rng: np.random.Generator) -> tuple[bytes, Face] | None:
    """A photograph with the face somewhere, as JPEG, and where its middle is; None where it is too large."""
    face, mask = portrait(height, turn)
    room = background.width - face.width, background.height - face.height
    if min(room) < 1:
        return None
    x, y = (int(rng.integers(side)) for side in room)
    made = background.copy()
    made.paste(face, (x, y), mask)
    buffer = io.BytesIO()
    made.save(buffer, "JPEG", quality=85)
    half = height / 2
    middle = x + face.width / 2, y + face.height / 2
    return buffer.getvalue(), (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half, 1.0)


def is_found(faces: list[Face], wanted: Face) -> bool:
    """Whether the middle of a found box is in the middle half of the wanted one, and its size is not far off."""
    side = wanted[2] - wanted[0]
    x, y = (wanted[0] + wanted[2]) / 2, (wanted[1] + wanted[3]) / 2
    return any(
        abs((one[0] + one[2]) / 2 - x) < side / 3
        and abs((one[1] + one[3]) / 2 - y) < side / 3
        and 0.4 < (one[3] - one[1]) / side < 2
        for one in faces
    )


def main(folder: Path, photographs: int = 60) -> None:
    detector, rng = CenterFace(), np.random.default_rng(0)
    backgrounds, looked, taken = [], 0, 0.0
    for path in sorted(folder.iterdir()):
        start = time.perf_counter()
        faces = faces_in(path.read_bytes(), detector)
        looked, taken = looked + 1, taken + time.perf_counter() - start
        if not faces:
            backgrounds.append(Image.open(path).convert("RGB"))
        if len(backgrounds) == photographs:
            break
    print(f"{looked} photographs, {looked - len(backgrounds)} with a face; {looked / taken:.1f} a second")
    print("height " + " ".join(f"{turn:>5}°" for turn in TURNS) + "   found, of photographs with the face pasted in")
    for height in HEIGHTS:
        cells = []
        for turn in TURNS:
            made = [one for one in (pasted(back, height, turn, rng) for back in backgrounds) if one is not None]
            hits = sum(is_found(faces_in(data, detector), wanted) for data, wanted in made)
            cells.append(f"{hits / len(made):>5.0%} ")
        print(f"{height:>6} " + " ".join(cells), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, islice(sys.argv, 2, 3)))
