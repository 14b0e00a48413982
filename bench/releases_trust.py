"""What releases are trusted by, at a million labels and three million votes: seconds and peak memory.

    python bench/releases_trust.py [--labels 1000000] [--only diff ...] [FOLDER]

Two manifest-only releases are written to FOLDER, or a temporary one, by the project's own code: `v1` has the answers of
2,000 workers to candidates of 1,000 synsets, three each, and `fixed(3)`. In `v2` 1 % of the images are withdrawn and
1 % are new, 1 % of the workers are blocked, 3 % of the candidates have two more votes, gold and a curator speak of a
few, some images are in another split, and the policy is `lead(2, 5)`. The images are eight bytes each in one archive.
Each step runs in a process of its own; memory is the peak of that process (VmHWM), with all that it read. `verify`
reads and hashes every image, `takedown` takes down a thousand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import queries
from holotype.crowd.policy_names import parse_rule
from holotype.ontology import load_wordnet
from holotype.releases import Recipe, Release, verify_release
from holotype.releases.build import seal, workshop
from holotype.releases.diff import diff_releases
from holotype.releases.layout import (
    BOXES,
    BOXES_SCHEMA,
    EVIDENCE,
    EVIDENCE_SCHEMA,
    FILES,
    FILES_SCHEMA,
    FORMAT,
    ID_LENGTH,
    LEAKS,
    MANIFEST,
    MANIFEST_SCHEMA,
    STATISTICS,
    SUMMARY,
    VOTES,
    VOTES_SCHEMA,
)
from holotype.releases.rebuild import rebuild_release
from holotype.releases.relabel import Relabelled, relabel
from holotype.releases.shipped import Shipped
from holotype.releases.statistics import labelled_by, statistics
from holotype.releases.takedown import Unwanted, take_down
from holotype.releases.writing import write_json, write_table

SYNSETS, WORKERS = 1_000, 2_000
YES, RIGHT = 0.8, 0.9
Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """Candidates by rank and sha256, each with a `lot`, and the votes on them, oldest first."""

    candidates: pa.Table
    lot: npt.NDArray[np.float64]
    on: Numbers
    worker: Numbers
    yes: Mask
    round: Numbers


def world(count: int) -> World:
    """So many candidates, with five votes each."""
    random, ontology = np.random.default_rng(0), load_wordnet()
    ranks = np.sort([ontology.rank(synset) for synset in ontology.leaves("n00001740")[:SYNSETS]])
    digests = pa.array([hashlib.sha256(number.to_bytes(8, "little")).hexdigest() for number in range(count)])
    rank = pa.array(ranks[random.integers(0, SYNSETS, count)], pa.int32())
    table = pa.table({"sha256": digests, "rank": rank, "image": np.arange(count)})
    table = table.sort_by([("rank", "ascending"), ("sha256", "ascending")])
    wnids = pa.array([ontology.at_rank(int(one)).wnid for one in ranks])
    wnids = wnids.take(pa.array(np.searchsorted(ranks, table["rank"].to_numpy())))
    on = np.concatenate([random.permutation(count) for _ in range(5)])
    number = np.repeat(np.arange(5), count)
    worker = (np.argsort(on[:count])[on] * 31 + number * 7) % WORKERS
    yes = (random.random(len(on)) < RIGHT) == (random.random(count) < YES)[on]
    return World(table.append_column("wnid", wnids), random.random(count), on, worker, yes, number)


def evidence(table: pa.Table, gold: Mask, ruled: Mask) -> pa.Table:
    """What is known of candidates; gold and a curator, who speak of some, say no."""
    count, none = len(table), np.zeros(len(table), np.int64)
    columns: dict[str, Any] = {
        **{name: table[name] for name in ("sha256", "wnid", "rank")},
        "copy": none.astype(np.int32),
        "asked": np.ones(count, bool),
        "state": pa.array([""]).take(pa.array(none)),
        "rounds": pa.ListArray.from_arrays(np.arange(count + 1, dtype=np.int32), np.ones(count, np.int32)),
        "prior": none.astype(float),
        "gold": pc.if_else(pa.array(gold), "no", ""),
        "ruling": pc.if_else(pa.array(ruled), "no", ""),
        "curator": pc.if_else(pa.array(ruled), "0f" * 8, ""),
        "sources": pa.ListArray.from_arrays(np.zeros(count + 1, np.int32), pa.array([], pa.string())),
    }
    return pa.table([columns[name] for name in EVIDENCE_SCHEMA.names], schema=EVIDENCE_SCHEMA)


def votes(held: World, chosen: Mask) -> pa.Table:
    """The votes on candidates that were chosen of all."""
    which = np.flatnonzero(chosen)
    on = pa.array(held.on[which])
    workers = pa.array([hashlib.sha256(b"%d" % one).hexdigest()[:16] for one in range(WORKERS)])
    columns: dict[str, Any] = {
        **{name: held.candidates[name].take(on) for name in ("sha256", "wnid")},
        "worker": workers.take(pa.array(held.worker[which])),
        "answer": pc.if_else(pa.array(held.yes[which]), "yes", "no"),
        "page": pa.array([f"p{one}" for one in range(1000)]).take(pa.array(which // 50 % 1000)),
        "seconds": 1.0 + which % 9,
        "at": 1.7e9 + which,
    }
    return pa.table([columns[name] for name in VOTES_SCHEMA.names], schema=VOTES_SCHEMA)


def manifest(table: pa.Table, lot: npt.NDArray[np.float64], shipped: Shipped, label: Relabelled) -> pa.Table:
    """The labels of candidates that are accepted; by lot in one split or another."""
    rows = np.flatnonzero(label.accepted)
    held, size = table.take(pa.array(rows)), len(rows)
    image, answers = held["image"].to_numpy(), shipped.peoples_answers()[rows]
    ids = pc.utf8_slice_codeunits(held["sha256"], 0, ID_LENGTH)
    name = pc.binary_join_element_wise(held["wnid"], pa.array(image).cast(pa.string()), "_")
    columns: dict[str, Any] = {
        **{column: held[column] for column in ("wnid", "rank", "sha256")},
        **dict.fromkeys(("id", "near_group", "group"), ids),
        **{answer: pa.array(answers[:, 2 - place], pa.int32()) for place, answer in enumerate(("yes", "unsure", "no"))},
        **dict.fromkeys(("width", "height"), np.full(size, 500, np.int32)),
        "split": pa.array(["train", "val", "test"]).take(pa.array(np.digitize(lot[rows], (0.8, 0.9)))),
        "shard": pa.array(["file-000000"]).take(pa.array(np.zeros(size, np.int64))),
        "offset": image * 8,
        "length": np.full(size, 8),
        "score": label.score[rows],
        "policy": pa.array(label.policies).take(pa.array(label.policy[rows])),
        "origin": pc.binary_join_element_wise("made/", name, ""),
        "url": pc.binary_join_element_wise("http://farm4.static.example.com/3210/", name, ".jpg", ""),
        "author": pc.binary_join_element_wise("author", pa.array(image % 50_000).cast(pa.string()), " "),
    }
    nothing = {one.name: "" if one.type == pa.string() else 0 for one in MANIFEST_SCHEMA}
    made = [
        columns[one.name]
        if one.name in columns
        else pa.array([nothing[one.name]], one.type).take(pa.array(np.zeros(size, np.int64)))
        for one in MANIFEST_SCHEMA
    ]
    return pa.table(made, names=MANIFEST_SCHEMA.names).cast(MANIFEST_SCHEMA)


def ship(folder: Path, archive: Path, held: World, here: Mask, heard: Mask, said: Mask, rule: str, lot: Any) -> None:
    """Write a release of the candidates that are here."""
    ontology, rows = load_wordnet(), np.flatnonzero(here)
    table = held.candidates.take(pa.array(rows))
    cast = votes(held, heard & here[held.on])
    gold, ruled = said[rows] & (held.lot[rows] < 0.003), said[rows] & (held.lot[rows] >= 0.003)
    known = evidence(table, gold, ruled)
    shipped = Shipped.of(known, cast)
    label = relabel(shipped, parse_rule(rule), ontology)
    known = known.set_column(known.column_names.index("state"), "state", label.states())
    labels = manifest(table, lot[rows], shipped, label)
    wnids = sorted(pc.unique(labels["wnid"]).to_pylist())
    state = archive.stat()
    files = [
        {"shard": "file-000000", "dataset": "made", "kind": "tar", "path": str(archive)}
        | {"size": state.st_size, "mtime_ns": state.st_mtime_ns}
    ]
    with workshop(folder) as made:
        made.clear()
        made.partial.mkdir()
        for name, one in ((MANIFEST, labels), (BOXES, BOXES_SCHEMA.empty_table()), (VOTES, cast), (EVIDENCE, known)):
            write_table(made.partial / name, one)
        write_table(made.partial / FILES, pa.Table.from_pylist(files, FILES_SCHEMA))
        write_json(made.partial / STATISTICS, statistics(labels, wnids))
        write_json(made.partial / LEAKS, {"checks": []})
        classes = [{"index": at, "wnid": wnid, "lemmas": [wnid], "gloss": ""} for at, wnid in enumerate(wnids)]
        about = {"format": FORMAT, "name": folder.name, "ontology": ontology.digest, "classes": classes, "seed": 0}
        about |= {"rule": rule, "query": "", "outvoted": 0, "alarms": [asdict(one) for one in label.alarms]}
        about |= {"recipe": Recipe(manifest_only=True).value(), **labelled_by(labels)}
        write_json(made.partial / SUMMARY, about)
        seal(made, {})


def make(folder: Path, labels: int) -> None:
    """Write the archive and both releases."""
    count = int(labels * 1.3)
    held = world(count)
    archive = folder / "images.tar"
    archive.write_bytes(np.arange(count, dtype="<u8").tobytes())
    first, lot = held.round < 3, held.lot
    early, late = lot < 0.99, lot >= 0.01
    ship(folder / "v1", archive, held, early, first, np.zeros(count, bool), "fixed(3)", lot)
    heard = (first | ((lot > 0.5) & (lot < 0.53))[held.on]) & (held.worker >= WORKERS // 100)
    moved = np.where((lot > 0.7) & (lot < 0.71), 0.95, lot)
    ship(folder / "v2", archive, held, late, heard, (lot >= 0.1) & (lot < 0.104), "lead(2, 5)", moved)


def diff(folder: Path) -> str:
    found = diff_releases(Release(folder / "v1"), Release(folder / "v2"))
    return f"{found.before:,} and {found.after:,} images, {len(found.rows):,} changes: " + json.dumps(found.counts)


def verify(folder: Path) -> str:
    return f"{len(verify_release(folder / 'v1', ontology=load_wordnet()))} problems"


def rebuild(folder: Path) -> str:
    found = rebuild_release(Release(folder / "v1"), load_wordnet())
    return f"{found.labels:,} labels, {'the same bytes' if found.same else found.differences}"


def takedown(folder: Path) -> str:
    release = Release(folder / "v1")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        found = take_down(release, Path(place) / "v1.1", Unwanted(release.manifest["id"].slice(0, 1000).to_pylist()))
    return f"{found.images:,} images"


STEPS: dict[str, Callable[[Path], str]] = {
    "diff": diff,
    "rebuild": rebuild,
    "takedown": takedown,
    "verify": verify,
}


def measure(name: str, folder: Path) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    told = STEPS[name](folder)
    taken, spent = time.perf_counter() - began, time.process_time() - cpu
    print(f"{name:10}{taken:8.1f} s {spent:8.1f} s CPU {queries.peak() / 1e6:8,.0f} MB   {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", choices=list(STEPS), default=list(STEPS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place)
        folder.mkdir(exist_ok=True)
        if not (folder / "v2").exists():
            alone(make, folder, options.labels)
        rows = {name: len(pq.read_table(folder / "v1" / name, columns=["sha256"])) for name in (MANIFEST, VOTES)}
        print(f"{rows[MANIFEST]:,} labels, {rows[VOTES]:,} votes, {len(os.sched_getaffinity(0))} cores", flush=True)
        for name in options.only:
            alone(measure, name, folder)


def alone(work: Callable[..., None], *values: object) -> None:
    """Do something in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=values)
    process.start()
    process.join()


if __name__ == "__main__":
    main()
