from __future__ import annotations

import contextlib
import functools
import getpass
import io
import os
import pickle
import pty
import pwd
import shutil
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from sqlalchemy import Connection, select

import holotype
from browser import browsing, chromium, missing, playwright  # noqa: F401 - fixtures
from holotype.catalog import Catalog, schema
from holotype.catalog.candidates import imported, policy_id
from holotype.cli import main
from holotype.consensus.ballot import Ballot
from holotype.consensus.votes import Vote
from holotype.crowd.conclusion import Conclusion, Policy
from holotype.ontology import NounRow, Ontology, load_wordnet, senses_from_rows
from holotype.project import Project
from object_store import bucket_url, in_bucket, new_bucket, object_store, store_numbers  # noqa: F401 - fixtures

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
SHARED = Path(__file__).resolve().parents[2] / "shared/data"

settings.register_profile("same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")  # no clock and no dice; others are looked for with: pytest --hypothesis-profile=explore


saved_ontology = functools.lru_cache(maxsize=8)(Ontology.from_bytes)
"""What `Ontology.from_bytes` makes, once: an ontology never changes, and finding its subtrees takes long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lacks := missing():
        terminalreporter.line(f"tests in a browser were left out: {lacks}", yellow=True)


@pytest.fixture(scope="session")
def wordnet() -> Ontology:
    with mock.patch.object(Ontology, "from_bytes", saved_ontology):
        load_wordnet()  # leaves it in the user's cache
        return load_wordnet()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED


@pytest.fixture(scope="session")
def template_project(tmp_path_factory: pytest.TempPathFactory, wordnet: Ontology) -> Path:
    """A project of WordNet that nothing has happened to: migrations take long, copies of what they made do not."""
    folder = tmp_path_factory.mktemp("template") / "project"
    holotype.init(folder).close()
    holotype.open(folder, wordnet).close()
    return folder


@pytest.fixture(scope="session")
def new_project(template_project: Path) -> Callable[[Path], Path]:
    """Makes a project in a folder, as `holotype.init` does but for its salt, which all of them share."""

    def make(folder: Path) -> Path:
        return Path(shutil.copytree(template_project, folder))

    return make


@pytest.fixture(scope="session")
def template_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty catalog on SQLite."""
    path = tmp_path_factory.mktemp("template") / "c.sqlite"
    Catalog(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def labelled_once(
    new_project: Callable[[Path], Path],
    wordnet: Ontology,
    fill: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project of twelve labelled images, eight whippets and four cats, with a release; for copies."""
    folder = tmp_path_factory.mktemp("labelled")
    fill(folder / "photos" / "n02091134", 8)
    fill(folder / "photos" / "n02121808", 4, first=50)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        db.crowd.run(db.crowd.simulated())
        db.releases.create("v1", outvoted=True)
        return db.path


@pytest.fixture
def project(tmp_path: Path, wordnet: Ontology, new_project: Callable[[Path], Path]) -> Iterator[Project]:
    with holotype.open(new_project(tmp_path / "project"), wordnet) as db:
        yield db


@pytest.fixture
def copy_of(tmp_path: Path, wordnet: Ontology) -> Iterator[Callable[[Path], Project]]:
    """Opens a copy of a project in this test's own folder, so that what many tests begin with is made once."""
    with contextlib.ExitStack() as stack:
        yield lambda made: stack.enter_context(holotype.open(shutil.copytree(made, tmp_path / "project"), wordnet))


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[..., str]]:
    """Makes databases on an own PostgreSQL server in a temporary folder, where that is installed: their URLs.

    They are empty, or with `migrated=True` an empty catalog's.
    """
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

    def execute(program: str, *arguments: str) -> None:
        command = [str(BINARIES[-1] / program), *arguments]
        subprocess.run(command, check=True, user=user if os.geteuid() == 0 else None, cwd=folder, capture_output=True)

    try:
        execute("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "holotype", "--no-sync")
        execute("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h ''", "start")
        numbers = count()

        def create(name: str, template: str) -> str:
            execute("createdb", "-h", str(folder), "-U", "holotype", "-T", template, name)
            return f"postgresql+psycopg://holotype@/{name}?host={folder}"

        Catalog(create("migrated", "template0")).close()

        def make(migrated: bool = False) -> str:
            return create(f"test{next(numbers)}", "migrated" if migrated else "template0")

        yield make
        execute("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(new_database: Callable[..., str]) -> str:
    """The URL of an empty PostgreSQL database."""
    return new_database()


@pytest.fixture(params=["sqlite", "postgres"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalog, on SQLite and on PostgreSQL."""
    if request.param == "postgres":
        url = request.getfixturevalue("new_database")(migrated=True)
    else:
        shutil.copy(request.getfixturevalue("template_catalog"), tmp_path / "c.sqlite")
        url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    opened = Catalog(url)
    yield opened
    opened.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, and what it said on stdout and on stderr."""

    code: int
    stdout: str
    stderr: str


def command(*arguments: object, cwd: Path | None = None) -> Ended:
    """The program `holotype` run with these arguments in this process, but for WordNet as if it were one of its own."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", ["holotype", *map(str, arguments)]))
        stack.enter_context(mock.patch.object(sys.modules["__main__"], "__package__", ""))  # else Click names pytest's
        stack.enter_context(mock.patch.object(Ontology, "from_bytes", saved_ontology))
        stack.enter_context(contextlib.chdir(cwd or Path.cwd()))
        stack.enter_context(contextlib.redirect_stdout(streams[0]))
        stack.enter_context(contextlib.redirect_stderr(streams[1]))
        end = stack.enter_context(pytest.raises(SystemExit))
        main()
    out, err = (stream.buffer.getvalue().decode() for stream in streams)
    assert isinstance(end.value.code, int)
    return Ended(end.value.code, out, err)


def run(*arguments: object, expect: int = 0, cwd: Path | None = None) -> str:
    """What a command prints on stdout; on an expected failure, on stderr."""
    ended = command(*arguments, cwd=cwd)
    assert ended.code == expect, ended.stderr
    return ended.stderr if expect not in (0, 1) else ended.stdout


def program(*arguments: object) -> list[str]:
    """The command line that runs `holotype` in a process of its own, for tests of what only processes have."""
    return [sys.executable, "-c", "from holotype.cli import main; main()", *map(str, arguments)]


def on_a_terminal(typed: str, *arguments: object, columns: int = 120) -> tuple[int, str]:
    """The exit code of a command on a terminal, and what was to be seen there when somebody typed lines."""
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (40, columns))
    about = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")} | {"TERM": "xterm"}
    started = subprocess.Popen(program(*arguments), stdin=there, stdout=there, stderr=there, env=about)
    os.close(there)
    os.write(here, typed.encode())
    seen = b""
    while True:
        try:
            read = os.read(here, 65536)
        except OSError:  # the other end is closed
            break
        seen += read
    os.close(here)
    return started.wait(), seen.decode()


class Once:
    """A policy that thinks about a ballot once: what a policy concludes is a pure function of the ballot.

    Campaigns that end alike, whatever stopped them, come by the same ballots again and again.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._concluded: dict[bytes, Conclusion] = {}

    def __str__(self) -> str:
        return str(self._policy)

    def conclude(self, ballot: Ballot) -> Conclusion:
        key = pickle.dumps(ballot)
        if key not in self._concluded:
            self._concluded[key] = self._policy.conclude(ballot)
        return self._concluded[key]


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


@pytest.fixture(scope="session")
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


def import_image(connection: Connection, number: int, dataset: int, **row: Any) -> None:
    """An image of a dataset as an import writes it, with what the dataset says that it shows; its file has the
    dataset's id and a thousand."""
    held = {"split": "val", "wnid": "", "rank": -1, "boxes": 0, "path": "", "offset": 0, "length": 1} | row
    wnid, rank = held.pop("wnid"), held.pop("rank")
    told = schema.LABELLED if wnid else 0
    values = {"id": number, "dataset_id": dataset, "file_id": 1000 + dataset, "assigned": told}
    connection.execute(schema.image.insert().values(**values, **held))
    if wnid:
        name = connection.execute(select(schema.dataset.c.name).where(schema.dataset.c.id == dataset)).scalar_one()
        policy = policy_id(connection, imported(name))
        claim = {"image_id": number, "wnid": wnid, "rank": rank, "boxes": held["boxes"], "labelled_by": 1000 + dataset}
        label = {"asked": 0, "state": 1, "posterior": 1.0, "policy_id": policy}
        connection.execute(schema.candidate.insert().values(id=number, **claim, **label))
