"""Small releases of any content, and what changed from one to another, read off plainly, a label at a time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.releases import Release
from holotype.releases.diff import ADDED, MOVED, REMOVED, Reason
from holotype.releases.layout import (
    EVIDENCE,
    EVIDENCE_SCHEMA,
    FORMAT,
    ID_LENGTH,
    MANIFEST,
    MANIFEST_SCHEMA,
    SUMMARY,
    VOTES,
    VOTES_EXTRAS,
    VOTES_SCHEMA,
)

Pair = tuple[str, str]
Row = Mapping[str, Any]
Change = tuple[str, str, str, str, str, str]
WNIDS = ("n00000001", "n00000002")
UNREAD = "0123456789abcdef"
IMAGES = (*(hashlib.sha256(b"%d" % number).hexdigest() for number in range(2)), UNREAD)
_ASKED = ("query", "datasets", "per_synset", "at_least", "balance", "outvoted", "manifest_only", "variant")


@dataclass(frozen=True)
class Told:
    """A release: its labels by image and wnid, the candidates with that sha256 and wnid, and the votes on them."""

    labels: Mapping[Pair, Row] = field(default_factory=dict)
    evidence: Mapping[Pair, Sequence[Row]] | None = field(default_factory=dict)
    votes: Sequence[Row] = ()
    summary: Row = field(default_factory=dict)

    @property
    def manifest(self) -> list[Row]:
        """The rows of the manifest, by wnid and id."""
        order = sorted(self.labels, key=lambda pair: pair[::-1])
        return [{**_image(image), "wnid": wnid, **self.labels[image, wnid]} for image, wnid in order]

    @property
    def candidates(self) -> list[Row]:
        """The rows of the evidence, by wnid and sha256."""
        held = self.evidence or {}
        order = sorted(held, key=lambda pair: pair[::-1])
        return [
            {"sha256": one[0], "wnid": one[1], "copy": at, **row} for one in order for at, row in enumerate(held[one])
        ]


def _image(name: str) -> Row:
    return {"id": name[:ID_LENGTH], "sha256": "" if name == UNREAD else name}


def written(folder: Path, told: Told) -> Release:
    """The release in a new folder, without what `diff_releases` does not read."""
    folder.mkdir()
    _write(folder / MANIFEST, told.manifest, MANIFEST_SCHEMA)
    if told.evidence is not None:
        _write(folder / EVIDENCE, told.candidates, EVIDENCE_SCHEMA)
    extra = VOTES_EXTRAS if len(told.votes) % 2 else ()
    _write(folder / VOTES, told.votes, pa.schema([*VOTES_SCHEMA, *extra]))
    classes = [{"wnid": wnid, "lemmas": [], "gloss": ""} for wnid in WNIDS]
    about = {"format": FORMAT, "name": folder.name, "ontology": "", "classes": classes, **told.summary}
    (folder / SUMMARY).write_text(json.dumps(about))
    return Release(folder)


def _write(path: Path, rows: Iterable[Row], schema: pa.Schema) -> None:
    nothing: dict[str, Any] = {
        one.name: [] if pa.types.is_list(one.type) else "" if one.type == pa.string() else 0 for one in schema
    }
    nothing |= {one.name: False for one in schema if one.type == pa.bool_()}
    pq.write_table(pa.Table.from_pylist([{**nothing, **row} for row in rows], schema), path)


def changes(before: Told, after: Told) -> list[Change]:
    """The rows of what changed: labels that went, labels that came, and images that moved."""
    return [
        *(
            (REMOVED, row["id"], row["wnid"], row["split"], "", _removed(before, after, row))
            for row in _gone(before, after)
        ),
        *(
            (ADDED, row["id"], row["wnid"], "", row["split"], _added(before, after, row))
            for row in _gone(after, before)
        ),
        *_moved(before, after),
    ]


def ids(told: Told) -> set[str]:
    """The images of a release."""
    return {row["id"] for row in told.manifest}


def redrawn(before: Told, after: Told) -> int:
    """How many labels of both have another score or policy."""
    both = before.labels.keys() & after.labels.keys()
    return sum(any(before.labels[one][name] != after.labels[one][name] for name in ("score", "policy")) for one in both)


def _gone(before: Told, after: Told) -> list[Row]:
    held = {(row["id"], row["wnid"]) for row in after.manifest}
    return [row for row in before.manifest if (row["id"], row["wnid"]) not in held]


def _removed(before: Told, after: Told, row: Row) -> Reason:
    was, now = _candidate(before, row), _candidate(after, row)
    away = row["id"] not in ids(after) and not _heard_of(after, row)
    withdrawn = bool(after.summary.get("removal_asked", 0) or after.summary.get("not_sound", 0))
    if away and _taken(after) > _taken(before):
        return Reason.TAKEN_DOWN
    if now is not None and now["state"] == "yes":
        if _asked(before, after, _ASKED):
            return Reason.ASKED
        if withdrawn:
            return Reason.WITHDRAWN
    elif found := next(_redecided(before, after, row, "no"), None):
        return found
    if was is None and _asked(before, after, _ASKED):
        return Reason.ASKED
    if away and (was is not None or withdrawn or row["policy"].startswith("imported:")):
        return Reason.WITHDRAWN
    return Reason.UNEXPLAINED


def _added(before: Told, after: Told, row: Row) -> Reason:
    was, asked = _candidate(before, row), _asked(before, after, _ASKED)
    known = row["id"] in ids(before) or _heard_of(before, row)
    accepted = was is not None and was["state"] == "yes"
    if accepted and asked:
        return Reason.ASKED
    if not known and _candidate(after, row) is not None:
        return Reason.NEW_IMAGE
    if not accepted and (found := next(_redecided(before, after, row, "yes"), None)):
        return found
    if not known:
        return Reason.ASKED if asked else Reason.NEW_IMAGE
    return Reason.NEW_CANDIDATE if was is None else Reason.UNEXPLAINED


def _redecided(before: Told, after: Told, row: Row, said: str) -> Iterator[Reason]:
    """The reasons why a label is drawn otherwise now, the first one first."""
    was, now = _candidate(before, row), _candidate(after, row)
    both = was is not None and now is not None
    old, new = ({"gold": "", "ruling": ""} if one is None else one for one in (was, now))
    for name, reason in (("gold", Reason.GOLD), ("ruling", Reason.CURATOR)):
        taken_back = both and old[name] != "" and new[name] == ""
        if (new[name] == said != old[name]) or taken_back:
            yield reason
    if not both:
        return
    if _lost(after, before, row):
        yield Reason.NEW_VOTES
    if lost := _lost(before, after, row):
        heard = {vote["worker"] for vote in after.votes}
        yield Reason.VOTES_GONE if any(vote["worker"] in heard for vote in lost) else Reason.BLOCKED
    yield Reason.POLICY if _rule(before) != _rule(after) else Reason.MODEL


def _candidate(told: Told, row: Row) -> Row | None:
    """The first candidate that a label may be of."""
    same = (one for one in told.candidates if (one["sha256"], one["wnid"]) == (row["sha256"], row["wnid"]))
    return next(same, None)


def _heard_of(told: Told, row: Row) -> bool:
    return any(one["sha256"] == row["sha256"] for one in told.candidates)


def _lost(told: Told, other: Told, row: Row) -> list[Row]:
    """The votes on a label that another release does not have."""
    names = ("sha256", "wnid", "worker", "answer")
    held = {tuple(vote[name] for name in names) for vote in other.votes}
    mine = [vote for vote in told.votes if (vote["sha256"], vote["wnid"]) == (row["sha256"], row["wnid"])]
    return [vote for vote in mine if tuple(vote[name] for name in names) not in held]


def _moved(before: Told, after: Told) -> Iterator[Change]:
    old, new = _first(before), _first(after)
    shares = _asked(before, after, ("fractions", "splits", "seed", "together"))
    for one in (one for one in new if one in old and old[one]["split"] != new[one]["split"]):
        another = Reason.GROUP if old[one]["group"] != new[one]["group"] else Reason.DEALT
        reason = Reason.SHARES if shares else another
        yield MOVED, one, "", old[one]["split"], new[one]["split"], reason


def _first(told: Told) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in told.manifest:
        found.setdefault(row["id"], row)
    return found


def _asked(before: Told, after: Told, names: Iterable[str]) -> bool:
    one, other = ({**told.summary, **told.summary.get("recipe", {})} for told in (before, after))
    return any(one.get(name) != other.get(name) for name in names)


def _rule(told: Told) -> str:
    return re.sub("since=[0-9]+", "", told.summary.get("rule", ""))


def _taken(told: Told) -> int:
    return int(told.summary.get("taken_down", {"images": 0})["images"])
