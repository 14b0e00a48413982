"""The stages that write: what a project is before, what is done that may be killed, and what must be so afterwards."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import holotype
from chaos.beside import asked, ports
from chaos.facts import facts_of
from chaos.hosts import BUCKET, PICTURES
from chaos.running import command
from conftest import encoded, photo
from holotype.crowd.policies import Fixed
from holotype.project import courses

DOG, CAT = "n02091134", "n02121808"
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Stage:
    """A stage: in a folder, `make` makes what there is before, `run` is done until it ends or is killed, and `facts`
    are the same however often that was. `lacks` says why it cannot be done here.

    A project lies at ``project`` in the folder, and `checked` says whether it is held against itself. `beside` is what
    of `chaos.hosts` runs meanwhile, and is never killed; its ports are in the environment.
    """

    name: str
    make: Callable[[Path], object]
    run: Callable[[Path], object]
    facts: Callable[[Path], Facts] = field(default=lambda folder: facts_of(folder / "project"))
    lacks: str = ""
    checked: bool = True
    beside: str = ""


def lacking(*modules: str) -> str:
    """Which of some modules are not installed; "" where all are."""
    return ", ".join(f"{name} is not installed" for name in modules if not find_spec(name))


def write_photographs(folder: Path, count: int = 40, size: tuple[int, int] = (240, 180)) -> None:
    """Photographs of two synsets, one of them twice, one cut off."""
    for row, wnid in enumerate((DOG, CAT)):
        (folder / wnid).mkdir(parents=True)
        for each in range(count):
            (folder / wnid / f"{each}.jpg").write_bytes(encoded(photo(1000 * row + each, *size)))
    shutil.copy(folder / DOG / "0.jpg", folder / DOG / "again.jpg")
    (folder / CAT / "cut.jpg").write_bytes((folder / CAT / "1.jpg").read_bytes()[:-900])


def empty(folder: Path, count: int = 40, store: str | None = None) -> None:
    """A project of WordNet with nothing in it, and photographs beside it."""
    holotype.init(folder / "project", store=store).close()
    write_photographs(folder / "photos", count)
    with holotype.open(folder / "project") as db:
        assert db.ontology


def filled(folder: Path, count: int = 40, store: str | None = None) -> None:
    """A project with photographs."""
    empty(folder, count, store)
    with holotype.open(folder / "project") as db:
        db.images.ingest(folder / "photos")


def labelled(folder: Path, count: int = 40, store: str | None = None) -> None:
    """A project with photographs that a crowd has looked at."""
    filled(folder, count, store)
    with holotype.open(folder / "project") as db:
        db.crowd.run(db.crowd.simulated(seed=1), Fixed(3))


def released(folder: Path) -> None:
    """A project with a release."""
    labelled(folder)
    with holotype.open(folder / "project") as db:
        db.releases.create("v1", outvoted=True)


def _archives(folder: Path) -> None:
    from miniatures import write_ilsvrc2012

    holotype.init(folder / "project").close()
    (folder / "disk").mkdir()
    write_ilsvrc2012(folder / "disk")


def _imported(folder: Path) -> None:
    from holotype.imports.discover import find_ilsvrc2012

    _archives(folder)
    with holotype.open(folder / "project") as db:
        sources, problems = find_ilsvrc2012([folder / "disk"])
        db.datasets.add(sources, "ilsvrc2012", problems=problems)


def _import(folder: Path) -> object:
    return command("datasets", "add", "ilsvrc2012", folder / "disk", "-p", folder / "project")()


def _small_pages() -> Any:
    """Pages of eight pictures: many are put up, and counted one by one."""
    return mock.patch.object(courses, "PAGE_SIZE", 8)


def _crowd(folder: Path) -> None:
    with _small_pages(), holotype.open(folder / "project") as db:
        db.crowd.run(db.crowd.simulated(seed=7), Fixed(3))


def _people(folder: Path) -> None:
    """People who answer all pages of the site at its desk, while a campaign puts pages up and counts."""
    from holotype.consensus.votes import Answer
    from holotype.crowd.lending import Nothing
    from holotype.crowd.lessons import Lesson
    from holotype.project.ledger import CatalogLedger

    with _small_pages(), holotype.open(folder / "project") as db, db.catalog.grouped():
        while True:
            db.crowd.run(db.crowd.web(), Fixed(2))
            done = 0
            for worker in ("ann", "bob", "cyd"):
                while not isinstance(page := db.desk.next_page(worker, 1e9), Nothing):
                    while isinstance(sight := db.desk.page(worker, page, 1e9), Lesson):
                        attempt = db.desk.attempts(worker, sight.wnid, sight.kind)
                        quiz = db.desk.quiz(worker, sight.wnid, attempt)
                        assert quiz is not None
                        db.desk.answer_quiz(worker, sight.wnid, attempt, quiz.right, 1e9)
                    tasks = CatalogLedger(db.catalog, sight.crowd, "").pages([page])[page].tasks
                    answers = [Answer.NO if one.sha256 < "5" else Answer.YES for one in tasks]
                    done += db.desk.hand_in(worker, page, answers, 9.0, 1e9 + 20)
            if not done:
                break


def _boxes(folder: Path) -> None:
    from box_people import campaign

    with holotype.open(folder / "project") as db:
        campaign(db)


def _box_facts(folder: Path) -> Facts:
    from test_box_campaigns import facts

    with holotype.open(folder / "project") as db:
        replies = sorted(map(repr, facts(db).items()))
    return {"project": facts_of(folder / "project", {*_COMINGS, "box_question"}), "replies": replies}


_COMINGS = frozenset({"lease", "learned", "meta", "page", "posting", "sheet", "counted"})


def release(folder: Path) -> object:
    """Make a release, unless there is one: of the same name there is no other."""
    with holotype.open(folder / "project") as db:
        if "v1" in db.releases.checksums():
            return 0
    return command("release", "create", "v1", "--outvoted", "-p", folder / "project")()


def _takedown(folder: Path) -> object:
    with holotype.open(folder / "project") as db:
        first = sorted(row["id"] for row in db.releases["v1"].rows())[0]
        known = "v2" in db.releases.checksums()
    if known:
        return 0
    said = "--image", first, "--reason", "asked for", "--curator", "me"
    return command("release", "takedown", "v1", "v2", *said, "-p", folder / "project")()


def _embed(folder: Path) -> None:
    from embedded import Colours
    from holotype.project import embedding_intake

    with mock.patch.object(embedding_intake, "COMMIT", 4), holotype.open(folder / "project") as db:
        db.embeddings.add(Colours())


def _old(folder: Path) -> None:
    """A project whose catalog is of version 0006."""
    from alembic import command as alembic
    from sqlalchemy import create_engine

    from test_catalog import _by_reference, fill_old, migration, rows_before

    holotype.init(folder / "project").close()
    catalog = folder / "project/catalog.sqlite"
    for path in catalog.parent.glob("catalog.sqlite*"):
        path.unlink()
    engine, held = create_engine(f"sqlite:///{catalog}"), rows_before()
    with engine.begin() as connection:
        alembic.upgrade(migration(connection), "0006")
        for table in _by_reference(connection):
            fill_old(connection, table, held.get(table, []))
    engine.dispose()


def _migrate(folder: Path) -> None:
    from holotype.catalog import Catalog

    Catalog(folder / "project/catalog.sqlite").close()


def _rows(folder: Path) -> Facts:
    from sqlalchemy import func, select

    from holotype.catalog import Catalog, invariants, schema

    catalog = Catalog(folder / "project/catalog.sqlite")
    with catalog.read() as connection:
        found: dict[str, Any] = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in schema.metadata.sorted_tables
        }
        found["dangling"] = list(invariants.dangling(connection))
    catalog.close()
    return found


def _read_on(folder: Path) -> None:
    """Read the batches of a release, and note each with where the loader is after it."""
    from holotype.files import write_atomically

    state, notes = folder / "state.json", folder / "seen.txt"
    with holotype.open(folder / "project") as db:
        loader = db.releases["v1"].loader("train", batch_size=2, size=64, workers=1)
        known = json.loads(state.read_text()) if state.exists() else None
        if known:
            loader.load_state_dict(known["loader"])
        seen = known["seen"] if known else []
        for batch in loader if len(seen) < len(loader) else ():
            seen = [*seen, sorted(batch.numbers.tolist())]
            told = {"loader": loader.state_dict(batch.position), "seen": seen}
            write_atomically(state, json.dumps(told).encode())
        write_atomically(notes, json.dumps(seen).encode())


def _train(folder: Path) -> None:
    import torch

    from holotype.recognition.networks.training import train
    from tiny_networks import BUSY, coloured, tiny

    torch.set_num_threads(1)
    samples = coloured(folder / "images", 41)
    train(samples, tiny(drop=0.3), BUSY, folder / "run", device="cpu", workers=1, minutes=0, resume=_begun(folder))


def _begun(folder: Path) -> bool:
    return (folder / "run").is_dir() and any((folder / "run").iterdir())


def _weights(folder: Path) -> Facts:
    import hashlib

    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "run").glob("*.safetensors")}


def _collect(folder: Path) -> None:
    """Fetch the pictures of a list from a host on this machine."""
    from holotype.collect.net.agent import Agent
    from holotype.collect.net.pace import Limits, Rate
    from holotype.collect.net.web import Web

    port = ports()[0]
    fast = Limits(Rate(4, 0.0, 4), Rate(4, 0.0, 4))
    with holotype.open(folder / "project") as db:
        db.collect.read_list(folder / "urls.txt", DOG)
        db.collect.fetch(Web(Agent("me@example.org"), fast, local=[("127.0.0.1", port)]))


def _listed(folder: Path) -> None:
    holotype.init(folder / "project").close()
    rows = [f"http://127.0.0.1:{ports()[0]}/{number}.jpg\n" for number in range(PICTURES)]
    (folder / "urls.txt").write_text("".join(rows))


def _turk(folder: Path) -> None:
    """A campaign on Mechanical Turk, whose people answer all that is up whenever it has nothing more to do."""
    from decimal import Decimal

    from holotype.crowd.mturk.terms import Terms
    from holotype.project.ledger import CatalogLedger
    from test_mturk import filled as form_of

    service, people = ports()
    os.environ |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
    terms = Terms("https://pages.example/q?page={page}&lang=en", Decimal("0.10"))
    with _small_pages(), holotype.open(folder / "project") as db:
        while True:
            crowd = db.crowd.mturk(terms, endpoint=f"http://127.0.0.1:{service}")
            db.crowd.run(crowd, Fixed(2))
            done = 0
            for hit in asked(people, "/hits"):
                page = re.search(r"page=(\d+-[0-9a-f]+)&amp;", hit["question"])
                assert page
                kept = CatalogLedger(db.catalog, "mturk-sandbox", "").pages([page[1]])[page[1]]
                voted = {vote.worker for vote in db.crowd.votes() if vote.task in {one.number for one in kept.tasks}}
                free = [f"W{n}" for n in range(9) if f"W{n}" not in voted.union(hit["taken"])]
                for worker in free[: hit["most"] - len(hit["taken"])]:
                    told = form_of(kept, lambda task: "yes" if task.sha256 < "a" else "no")
                    asked(people, f"/submit?hit={hit['hit']}&worker={worker}", told)
                    done += 1
            if not done:
                return


def _backup(folder: Path) -> object:
    return command("backup", folder / "backup", "-p", folder / "project")()


def _backed_up(folder: Path) -> None:
    """A project with a backup, and more in it than that has."""
    labelled(folder)
    with holotype.open(folder / "project") as db:
        db.backup(folder / "backup")
        db.releases.create("v1", outvoted=True)


def _restorable(folder: Path) -> None:
    released(folder)
    with holotype.open(folder / "project") as db:
        db.backup(folder / "backup")
    shutil.rmtree(folder / "project")


def _restored(folder: Path) -> Facts:
    """What a project is that is made of a backup."""
    from holotype.project.restoring import restore

    restore(folder / "backup", folder / "again")
    return facts_of(folder / "again")


def _restore(folder: Path) -> object:
    if (folder / "project").exists():
        return 0
    return command("restore", folder / "backup", folder / "project")()


def _move(folder: Path) -> object:
    if (folder / "moved.sqlite").exists():
        return 0
    return command("catalog", "move", f"sqlite:///{folder / 'moved.sqlite'}", "-p", folder / "project")()


def _moved(folder: Path) -> Facts:
    before = facts_of(folder / "project")
    os.environ["HOLOTYPE_CATALOG"] = f"sqlite:///{folder / 'moved.sqlite'}"
    return {"before": before, "after": facts_of(folder / "project")}


def ingest(folder: Path) -> object:
    """Take in the photographs."""
    return command("ingest", folder / "photos", "-p", folder / "project")()


def ingest_step_by_step(folder: Path) -> object:
    """Take them in by small batches, each of them a commit."""
    from holotype.project import intake
    from holotype.store.pack_objects import PackObjects
    from holotype.store.packs import Commit

    small = functools.partial(intake._batches, count=4)
    with mock.patch.object(PackObjects, "commit_at", Commit(4, 1 << 20)), mock.patch.object(intake, "_batches", small):
        return ingest(folder)


PLACE = f"s3://{BUCKET}/birds"
_no_bucket = lacking("obstore", "moto")
IN_BUCKET = (
    Stage(
        "bucket ingest", lambda folder: empty(folder, store=PLACE), ingest_step_by_step, lacks=_no_bucket, beside="s3"
    ),
    Stage("bucket release", lambda folder: labelled(folder, store=PLACE), release, lacks=_no_bucket, beside="s3"),
)
"""Stages of a project whose packs and releases lie in an object store."""

STAGES = (
    Stage("ingest", empty, ingest),
    Stage("datasets add", _archives, _import),
    Stage(
        "datasets fingerprint", _imported, lambda folder: command("datasets", "fingerprint", "-p", folder / "project")()
    ),
    Stage("crowd", filled, _crowd),
    Stage("people", filled, _people, lambda folder: facts_of(folder / "project", _COMINGS)),
    Stage("boxes", lambda folder: labelled(folder, 6), _boxes, _box_facts),
    Stage("release", labelled, release),
    Stage("takedown", released, _takedown),
    Stage("embeddings", filled, _embed),
    Stage("migration", _old, _migrate, _rows, checked=False),
    Stage("loader", released, _read_on, lambda folder: {"seen": json.loads((folder / "seen.txt").read_text())}),
    Stage("collect", _listed, _collect, beside="pictures"),
    Stage(
        "mturk",
        lambda folder: filled(folder, 12),
        _turk,
        lambda folder: {**facts_of(folder / "project"), "there": asked(ports()[1], "/facts")},
        lacks=lacking("boto3"),
        beside="mturk",
    ),
    Stage("backup", _backed_up, _backup, _restored),
    Stage("restore", _restorable, _restore),
    Stage("catalog move", released, _move, _moved),
    Stage(
        "training",
        lambda folder: None,
        _train,
        _weights,
        lacks=lacking("torch"),
        checked=False,
    ),
    *IN_BUCKET,
)
