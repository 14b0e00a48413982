from __future__ import annotations

import getpass
import io
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import holotype
from holotype.catalog import Catalog
from holotype.consensus.votes import Vote
from holotype.ontology import NounRow, Ontology, load_wordnet, senses_from_rows
from holotype.project import Project

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
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


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[[], str]]:
    """Makes empty databases on an own PostgreSQL server in a temporary folder, where that is installed: their URLs."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed")
    user = getpass.getuser()
    if os.geteuid() == 0:  # initdb refuses to be root
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("root without a user postgres cannot start PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="holotype-pg-"))
    shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(BINARIES[-1] / program), *arguments]
        subprocess.run(command, check=True, user=user if os.geteuid() == 0 else None, cwd=folder, capture_output=True)

    try:
        run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "holotype", "--no-sync")
        run("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h ''", "start")
        numbers = count()

        def make() -> str:
            name = f"test{next(numbers)}"
            run("createdb", "-h", str(folder), "-U", "holotype", name)
            return f"postgresql+psycopg://holotype@/{name}?host={folder}"

        yield make
        run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(new_database: Callable[[], str]) -> str:
    """The URL of an empty PostgreSQL database."""
    return new_database()


@pytest.fixture(params=["sqlite", "postgres"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalog, on SQLite and on PostgreSQL."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else f"sqlite:///{tmp_path / 'c.sqlite'}"
    opened = Catalog(url)
    yield opened
    opened.close()


class Notes(list[Vote]):
    """What a catalog keeps of recorded votes: of a worker's on a task the first."""

    def record(self, votes: Iterable[Vote]) -> None:
        known = {(vote.task, vote.worker) for vote in self}
        for vote in votes:
            if (vote.task, vote.worker) not in known:
                known.add((vote.task, vote.worker))
                self.append(vote)


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
    return Ontology.build(rows, senses_from_rows(rows))
