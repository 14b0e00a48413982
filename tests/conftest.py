from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import holotype
from holotype.ontology import NounRow, Ontology, load_wordnet, senses_from_rows
from holotype.project import Project

SHARED = Path(__file__).resolve().parents[2] / "shared/data"


@pytest.fixture(scope="session")
def wordnet() -> Ontology:
    return load_wordnet()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED


@pytest.fixture
def project(tmp_path: Path, wordnet: Ontology) -> Iterator[Project]:
    holotype.init(tmp_path / "project").close()
    with holotype.open(tmp_path / "project", wordnet) as db:
        yield db


def photo(seed: int, width: int = 80, height: int = 60) -> Image.Image:
    """A smooth random picture: every seed another one, far from all others by hash."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def fill() -> Callable[..., None]:
    """Write `count` different JPEGs to a folder."""

    def write(folder: Path, count: int, first: int = 0, **size: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + count):
            (folder / f"{seed:04d}.jpg").write_bytes(encoded(photo(seed, **size)))

    return write


def small_ontology(parents: dict[int, list[int]], instances: dict[int, list[int]] | None = None) -> Ontology:
    """An ontology of synsets named s0, s1, ... from lists of parents."""
    rows = [
        NounRow(number, (f"s{number}",), "", tuple(above), tuple((instances or {}).get(number, ())))
        for number, above in parents.items()
    ]
    return Ontology.build(rows, senses_from_rows(rows), "small")
