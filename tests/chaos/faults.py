"""Other ways in which things go wrong: a full disk, one that is read-only, a clock that goes back, a database that is
started anew, a store that answers badly, a node that is lost. The same command again, when that is over, must end as
if nothing had been."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest import mock

from chaos.beside import Beside, asked, ports
from chaos.facts import checked, facts_of
from chaos.running import answered, in_a_process
from chaos.stages import IN_BUCKET, Facts, Stage, empty, ingest, ingest_step_by_step, labelled, lacking, release

ROOM = 24 << 20
MOMENT = timedelta(milliseconds=1)
SIZES = (30_000, 200_000, 600_000, 900_000)


class Left(Exception):
    """A fault that cannot be made here, and why."""


def full_disk(stage: Stage, root: Path) -> None:
    """No file may grow beyond some sizes, one after the other, as where the disk is full; then all may."""
    made = _made(stage, root)
    for size in SIZES:
        work = _copied(made, root)

        def limited(work: Path = work, size: int = size) -> object:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            return stage.run(work)

        ended = in_a_process(limited, root / "log")
        assert ended.code in (0, 2), f"files of {size:,} bytes at most: {ended.code}\n{ended.said}"
        assert "Traceback" not in ended.said, ended.said
        _goes_on(stage, work, root, f"after files could have {size:,} bytes")


def small_disk(stage: Stage, root: Path) -> None:
    """The project lies on a disk that something else fills up; then that goes."""
    with _mounted(root, f"size={ROOM}") as work:
        stage.make(work)
        left = os.statvfs(work)
        (work / "ballast").write_bytes(bytes(max(0, left.f_bavail * left.f_frsize - 150_000)))
        ended = in_a_process(lambda: stage.run(work), root / "log")
        assert ended.code in (0, 2), f"on a full disk: {ended.code}\n{ended.said}"
        assert "Traceback" not in ended.said, ended.said
        (work / "ballast").unlink()
        _goes_on(stage, work, root, "after the disk was full")


def read_only_disk(stage: Stage, root: Path) -> None:
    """The disk is read-only for a while: nothing can be changed, which is said in one line, and looking goes on."""
    with _mounted(root, f"size={4 * ROOM}") as work:
        stage.make(work)
        before = answered(lambda: facts_of(work / "project"), root / "log")
        subprocess.run(["mount", "-o", "remount,ro", str(work)], check=True)
        ended = in_a_process(lambda: stage.run(work), root / "log")
        assert ended.code == 2, f"on a read-only disk: {ended.code}\n{ended.said}"
        assert len(ended.said.strip().splitlines()) == 1, ended.said
        assert answered(lambda: facts_of(work / "project"), root / "log") == before
        subprocess.run(["mount", "-o", "remount,rw", str(work)], check=True)
        _goes_on(stage, work, root, "after the disk was read-only")


def clock_back(stage: Stage, root: Path) -> None:
    """The clock is a day ahead, is put right while the stage runs, and later goes back by a year."""
    work = _copied(_made(stage, root), root)
    real, began = time.time, time.monotonic()

    def jumping() -> float:
        return real() + (86_400 if time.monotonic() - began < 0.2 else -31_536_000)

    def run() -> object:
        with mock.patch("time.time", jumping):
            return stage.run(work)

    ended = in_a_process(run, root / "log")
    assert ended.code == 0, f"with a clock that jumps: {ended.code}\n{ended.said}"
    _goes_on(stage, work, root, "after the clock went back")


def database_restarted(stage: Stage, root: Path) -> None:
    """PostgreSQL is killed and started anew while the stage writes to it."""
    from conftest import BINARIES

    if not BINARIES or os.geteuid():
        raise Left("PostgreSQL is not installed, or this is not root")
    shutil.rmtree(root, ignore_errors=True)
    folder = root / "pg"
    folder.mkdir(parents=True)
    for path in (folder, root, root.parent):
        path.chmod(0o755)
    shutil.chown(folder, "postgres")

    def execute(program: str, *arguments: str) -> None:
        line = [str(BINARIES[-1] / program), *arguments]
        subprocess.run(line, check=True, user="postgres", cwd=folder, capture_output=True)

    started = "start", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} -h ''"
    execute("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "holotype")
    execute("pg_ctl", *started)
    os.environ["HOLOTYPE_CATALOG"] = f"postgresql+psycopg://holotype@/postgres?host={folder}"
    try:
        work = root / "work"
        work.mkdir()
        _done(lambda: stage.make(work), root, "made")
        for wait in (0.3, 0.6):
            child = os.fork()
            if child == 0:
                time.sleep(wait)
                execute("pg_ctl", "stop", "-D", f"{folder}/data", "-m", "immediate")
                execute("pg_ctl", *started)
                os._exit(0)
            ended = in_a_process(lambda: stage.run(work), root / "log")
            os.waitpid(child, 0)
            assert ended.code in (0, 2), f"where PostgreSQL ends after {wait} s: {ended.code}\n{ended.said}"
            assert "Traceback" not in ended.said, ended.said
        _goes_on(stage, work, root, "after PostgreSQL was started anew", compare=False)
    finally:
        del os.environ["HOLOTYPE_CATALOG"]
        execute("pg_ctl", "stop", "-D", f"{folder}/data", "-m", "immediate")


def store_answers_badly(stage: Stage, root: Path) -> None:
    """A store answers some requests late, with other bytes, in part or not at all, and few are asked again; then all
    goes well."""
    if stage.lacks:
        raise Left(stage.lacks)
    few = {"max_retries": 2, "backoff": {"init_backoff": MOMENT, "max_backoff": MOMENT, "base": 2}}
    beside = Beside(stage.beside)
    try:
        shutil.rmtree(root, ignore_errors=True)
        work = root / "work"
        work.mkdir(parents=True)
        _done(beside.known_to(lambda: stage.make(work)), root, "made")

        def impatient() -> object:
            with mock.patch("holotype.store.bucket._RETRIES", few):
                return stage.run(work)

        for number, share in enumerate((0.8, 0.6, 0.3)):
            beside.ask(f"/badly?seed={number}&share={share}")
            ended = in_a_process(beside.known_to(impatient), root / "log")
            assert ended.code in (0, 2), f"where {share} of the answers are bad: {ended.code}\n{ended.said}"
            assert "Traceback" not in ended.said, ended.said
        beside.ask("/badly?seed=0&share=0")
        _goes_on(stage, work, root, "after a store had answered badly", beside=beside)
    finally:
        beside.end()


def node_lost(stage: Stage, root: Path) -> None:
    """A node of a Ray cluster is lost once the first answers are here: it ends as on threads."""
    if lacks := lacking("ray", "daft"):
        raise Left(lacks)
    made = _made(stage, root)
    beside = Beside("ray")
    try:
        work = _copied(made, root)

        def losing() -> object:
            from holotype.engine import queries

            real = queries.read

            def read(reference: object) -> object:
                found = list(real(reference))
                asked(ports()[-1], "/lose")
                return found

            with mock.patch("holotype.engine.answers.read", read):
                return stage.run(work)

        _done(beside.known_to(losing), root, "where a node is lost")
        assert beside.ask("/nodes") == [1], "no answer came from the cluster"
        there = answered(lambda: facts_of(work / "project"), root / "log")
    finally:
        beside.end()
    work = _copied(made, root)
    _goes_on(stage, work, root, "on threads")
    here = answered(lambda: facts_of(work / "project"), root / "log")
    assert there == here, f"where a node is lost it is another:\n{there}\n{here}"


WRITERS = Stage("ingest", empty, ingest), Stage("release", labelled, release)
"""Stages that are commands: what they say when they fail is one line."""
MANY = Stage("ingest", empty, ingest_step_by_step)
FAULTS: tuple[tuple[Callable[[Stage, Path], None], Sequence[Stage]], ...] = (
    (full_disk, WRITERS),
    (small_disk, WRITERS),
    (read_only_disk, WRITERS),
    (clock_back, WRITERS),
    (database_restarted, WRITERS),
    (store_answers_badly, IN_BUCKET),
    (node_lost, [MANY]),
)


def _done(work: Callable[[], object], root: Path, what: str) -> None:
    ended = in_a_process(work, root / "log")
    assert ended.code == 0, f"{what}: {ended.code}\n{ended.said}"


def _made(stage: Stage, root: Path) -> Path:
    """What there is before a stage, made where it will be worked on."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "work").mkdir(parents=True)
    _done(lambda: stage.make(root / "work"), root, "made")
    (root / "work").rename(root / "made")
    return root / "made"


def _copied(made: Path, root: Path) -> Path:
    shutil.rmtree(root / "work", ignore_errors=True)
    return Path(shutil.copytree(made, root / "work"))


def _goes_on(
    stage: Stage, work: Path, root: Path, when: str, compare: bool = True, beside: Beside | None = None
) -> None:
    """Do the stage again, where nothing is in the way; it is as if nothing had been."""
    known_to = (beside or Beside("")).known_to
    _done(known_to(lambda: stage.run(work)), root, when)
    found = answered(known_to(lambda: checked(work / "project")), root / "log")
    assert not found["problems"], f"{when}: {found['problems']}"
    if compare:
        told: Facts = answered(known_to(lambda: facts_of(work / "project")), root / "log")
        _done(known_to(lambda: stage.run(work)), root, when)
        again = answered(known_to(lambda: facts_of(work / "project")), root / "log")
        assert again == told, f"{when}: not the same again"


@contextmanager
def _mounted(root: Path, options: str) -> Iterator[Path]:
    """A disk of its own, in memory."""
    shutil.rmtree(root, ignore_errors=True)
    work = root / "work"
    work.mkdir(parents=True)
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(work)], check=False, capture_output=True
    ).returncode:
        raise Left("no disk can be mounted here")
    try:
        yield work
    finally:
        subprocess.run(["umount", "-l", str(work)], check=True)
