"""A release made anew from what it ships: labels from votes and policy, and all that follows from them."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holotype.consensus.ballot import Floats
from holotype.crowd.conclusion import Policy
from holotype.crowd.division import Rule
from holotype.crowd.policy_names import parse_rule
from holotype.errors import ReleaseError
from holotype.files import sha256_file
from holotype.ontology import Ontology
from holotype.releases.follow import TOLERANCE, Followed, differences, follow, wrong_states
from holotype.releases.layout import (
    CHECKSUMS,
    EVIDENCE,
    EVIDENCE_SCHEMA,
    MANIFEST,
    STATISTICS,
    SUMMARY,
    TAKEN_DOWN,
    manifest_schema,
)
from holotype.releases.quantities import plural
from holotype.releases.relabel import Relabelled, relabel
from holotype.releases.release import Release
from holotype.releases.said import outvoted, unchecked
from holotype.releases.shipped import Shipped
from holotype.releases.statistics import labelled_by, statistics
from holotype.releases.writing import write_json, write_table

_LIMITS: Final = ("query", "removal_asked", "datasets", "per_synset", "at_least", "balance", "licences", TAKEN_DOWN)
"""What of a summary says why accepted candidates are not in the release."""
_DRAWN: Final = ("state", "policy", "score")
"""The kinds of differences that come of a model that heard other votes."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of making a release anew.

    `checksum` is the sha256 of the checksum file that was made, `expected` that of the release's own; `differences` say
    what does not follow, a line each, and `remarks` what else there is to know of it. `labels` were drawn again from
    votes, gold and rulings; `stated` are the others, which are a dataset's word.
    """

    checksum: str
    expected: str
    labels: int
    stated: int
    differences: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the very bytes came out."""
        return self.checksum == self.expected


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A release, and its labels drawn again; in `heard_less` of it votes are gone that its labels were drawn from."""

    release: Release
    shipped: Shipped
    label: Relabelled
    followed: Followed

    @property
    def heard_less(self) -> bool:
        return TAKEN_DOWN in self.release.summary


def rebuild_release(release: Release, ontology: Ontology, policy: Policy | None = None) -> Rebuilt:
    """Make a release anew from its shards, its votes and what else is known of the candidates, in a temporary folder.

    Labels are drawn by the rule that it names, or by `policy` where that is one of the user's own. The manifest,
    the evidence, the statistics, the summary and the checksums are written anew; votes, boxes, shards and what auditors
    said are the facts that they follow from, and stay as they are. Splits and groups are taken from the manifest.

    Raises `ReleaseError` where a file cannot be read, or the folder not be written, and `CrowdError` where the policy
    that labels were drawn by is not holotype's own, and none is given.
    """
    if release.evidence is None:
        raise ReleaseError(f"{release.path} has no {EVIDENCE}: it does not ship what its labels follow from")
    rule = policy or _rule(release)
    shipped = Shipped.of(release.evidence, release.votes)
    label = relabel(shipped, rule, ontology)
    drawn = _Drawn(release, shipped, label, follow(release.manifest, shipped, label))
    listed = release.listed
    try:
        with tempfile.TemporaryDirectory() as folder:
            _write(Path(folder), drawn)
            made = {path.name: sha256_file(path) for path in Path(folder).iterdir()}
            other = [name for name in made if listed.get(name) != made[name]]
            told = [_told(release, Path(folder), name) for name in sorted(other)]
    except OSError as error:
        raise ReleaseError(f"a temporary folder cannot be written: {error.strerror or error}") from error
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted({**listed, **made}.items()))
    stated = int(drawn.followed.stated.sum())
    return Rebuilt(
        hashlib.sha256(lines.encode()).hexdigest(),
        sha256_file(release.path / CHECKSUMS),
        len(release.manifest) - stated,
        stated,
        (*_differences(drawn), *(line for line, alike in told if not alike)),
        (*_remarks(drawn), *(line for line, alike in told if alike)),
    )


def _rule(release: Release) -> Rule | None:
    """What the labels were drawn by. Raises `CrowdError` where that is not holotype's own."""
    name = release.summary.get("rule", "")
    return parse_rule(str(name)) if name else None


def _differences(drawn: _Drawn) -> Iterator[str]:
    release, label, followed = drawn.release, drawn.label, drawn.followed
    leave_out = _DRAWN if drawn.heard_less else ()
    yield from differences(release.manifest, followed, label, leave_out)
    if followed.left_out and not _is_limited(release):
        yield f"{MANIFEST} lacks {plural(followed.left_out, 'label')} of those that follow from votes and policy"
    if drawn.heard_less:
        return
    if number := int(wrong_states(drawn.shipped, label).sum()):
        told = plural(number, f"candidate of {EVIDENCE} is", f"candidates of {EVIDENCE} are")
        yield f"{told} in another state than follows"
    if _alarms(drawn) != _as_set(release.summary.get("alarms", ())):
        yield f"the alarms in {SUMMARY} are not those of the votes"


def _remarks(drawn: _Drawn) -> Iterator[str]:
    """What is to be known beside the differences."""
    followed, score = drawn.followed, drawn.release.manifest["score"].to_numpy()
    off = np.abs(followed.score - score)
    if drawn.heard_less:
        images = drawn.release.summary[TAKEN_DOWN]["images"]
        other = int(np.any([followed.wrong[kind] for kind in _DRAWN], axis=0).sum())
        yield (
            f"{plural(images, 'image was', 'images were')} taken down with their votes, which labels were drawn from: "
            f"without them {other:,} "
            f"of {plural(len(score), 'label')} come out otherwise, "
            f"with scores {off.max(initial=0.0):.2g} apart at most; they "
            "stay as they were drawn"
        )
    elif (least := float(off[off <= TOLERANCE].max(initial=0.0))) > 0:
        yield f"scores come out with other last digits here, by {least:.1g} at most: those of the release are kept"
    if followed.left_out and _is_limited(drawn.release):
        more = plural(followed.left_out, "more candidate is", "more candidates are")
        yield f"{more} labelled yes, and not asked for or left out"


def _is_limited(release: Release) -> bool:
    """Whether something says why accepted candidates are not in a release."""
    recipe = release.summary.get("recipe", {})
    limits = {**recipe, **release.summary}
    return any(limits.get(name) for name in _LIMITS)


def _alarms(drawn: _Drawn) -> set[tuple[str, ...]]:
    return _as_set([asdict(alarm) for alarm in drawn.label.alarms])


def _as_set(alarms: Any) -> set[tuple[str, ...]]:
    return {tuple(map(str, (alarm.get("code"), alarm.get("message"), alarm.get("remedy")))) for alarm in alarms}


def _write(folder: Path, drawn: _Drawn) -> None:
    """Write what follows from the facts of a release."""
    release, shipped = drawn.release, drawn.shipped
    manifest, evidence = release.manifest, shipped.evidence
    if not drawn.heard_less:
        manifest = _manifest(drawn)
        at = evidence.column_names.index("state")
        evidence = evidence.set_column(at, "state", drawn.label.states())
    write_table(folder / MANIFEST, manifest.cast(manifest_schema(manifest.column_names)))
    write_table(folder / EVIDENCE, evidence.cast(EVIDENCE_SCHEMA))
    write_json(folder / STATISTICS, statistics(manifest, release.wnids))
    write_json(folder / SUMMARY, _summary(drawn, manifest, labelled_by(manifest)))


def _manifest(drawn: _Drawn) -> pa.Table:
    """The manifest with the labels that follow: scores but for their last digits, policies, counts of votes."""
    manifest, followed, label = drawn.release.manifest, drawn.followed, drawn.label
    wrong = followed.wrong
    columns: dict[str, pa.Array] = {"score": pa.array(_kept(manifest["score"].to_numpy(), followed.score))}
    if wrong["policy"].any():
        policies = np.array(label.policies, object)[label.policy[followed.row]]
        old = manifest["policy"].to_numpy(zero_copy_only=False)
        columns["policy"] = pa.array(np.where(wrong["policy"], policies, old), pa.string())
    if wrong["votes"].any():
        columns |= {name: pa.array(counts, pa.int32()) for name, counts in followed.counts(drawn.shipped).items()}
    for name, column in columns.items():
        manifest = manifest.set_column(manifest.column_names.index(name), manifest.schema.field(name), column)
    gone = wrong["unknown"] | wrong["state"]
    return manifest.filter(pa.array(~gone)) if gone.any() else manifest


def _kept(old: Floats, new: Floats) -> Floats:
    """The new scores, but the old ones where only last digits differ."""
    return np.where(np.abs(old - new) <= TOLERANCE, old, new)


def _summary(drawn: _Drawn, manifest: pa.Table, told: Mapping[str, Any]) -> dict[str, Any]:
    """The summary with what follows of labels said anew."""
    old = drawn.release.summary
    given = {name: value for name, value in old.items() if name not in ("machines", "unchecked")}
    alarms = old.get("alarms", [])
    if not drawn.heard_less and _as_set(alarms) != _alarms(drawn):
        alarms = [asdict(alarm) for alarm in drawn.label.alarms]
    ranges = [pair for certificate in drawn.release.certificates for pair in certificate.plan.ranges]
    return {**given, **told, **unchecked(manifest, ranges), "outvoted": outvoted(manifest), "alarms": alarms}


def _told(release: Release, folder: Path, name: str) -> tuple[str, bool]:
    """What is to be said of a file that came out in other bytes, and whether it is alike all the same."""
    old, new = release.path / name, folder / name
    if not name.endswith(".parquet"):
        return f"{name} comes out otherwise", False
    if not pq.read_table(old).equals(pq.read_table(new)):
        return f"{name} comes out otherwise", False
    by = [pq.ParquetFile(path).metadata.created_by for path in (old, new)]
    return f"{name} comes out with the same rows in other bytes: it was written by {by[0]}, here by {by[1]}", True
