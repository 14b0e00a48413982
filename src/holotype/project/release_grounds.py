"""What labels follow from, read from the catalog as a release ships it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, labels, priors, releases, sightings, votes
from holotype.consensus.ballot import Floats, Ints
from holotype.crowd.division import Division, Rule
from holotype.crowd.layers import layers_of
from holotype.crowd.policy_names import IMPORTED, parse_rule, rule_without_names
from holotype.errors import CrowdError
from holotype.project.facts import read_gold, read_layer, read_rulings
from holotype.project.label_plans import rank_of
from holotype.project.parts import Parts
from holotype.releases.grounds import Candidates, Grounds, copies_of

Hide = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Found:
    """Candidates by rank, sha256 and id, those that are `asked` and those beside them with the same bytes and synset
    that only a dataset labels, by id with what they were labelled by."""

    number: Ints
    sha256: Sequence[str]
    wnid: Sequence[str]
    beside: Mapping[int, str]


def read_grounds(connection: Connection, parts: Parts, hide: Hide) -> Grounds:
    """All that labels follow from but votes; `hide` hashes the names of people."""
    last = labels.last_policy(connection)
    rule = _rule(last)
    found = _candidates(connection, parts)
    numbers = found.number.tolist()
    asked = np.array([number not in found.beside for number in numbers], bool)
    held = Candidates(
        found.number,
        found.sha256,
        found.wnid,
        np.array([rank_of(parts.ontology, wnid) for wnid in found.wnid], np.int32),
        copies_of(found.sha256, found.wnid),
        asked,
        _states(connection, found),
        _rounds(connection, parts, rule, found.number),
        _priors(connection, found.number),
    )
    seen = _sources(connection) | {number: [policy] for number, policy in found.beside.items()}
    gold = {task.number: yes for task, yes in read_gold(connection).items()}
    said = "" if last is None else last if rule is None else rule_without_names(_counted(connection, rule), hide)
    return Grounds(said, held, gold, read_rulings(connection), seen)


def _rule(last: str | None) -> Rule | None:
    """What labels were drawn by; None where nothing drew them, or a policy that only who made it knows."""
    try:
        return None if last is None else parse_rule(last)
    except CrowdError:
        return None


def _counted(connection: Connection, rule: Rule) -> Rule:
    """A rule whose parts begin after so many of the votes that are released."""
    if not isinstance(rule, Division):
        return rule
    parts = [replace(part, since=votes.counting_until(connection, part.since)) for part in rule.parts]
    return Division(tuple(parts), rule.rest)


def _candidates(connection: Connection, parts: Parts) -> _Found:
    tasks = candidates.tasks(connection)
    numbers = tasks.candidate.tolist()
    digests = candidates.digests(connection, numbers)
    wnids = [tasks.wnids[synset] for synset in tasks.synset.tolist()]
    pairs = set(zip(digests, wnids, strict=True))
    others = [row for row in candidates.unasked(connection, digests) if (row[2], row[1]) in pairs]
    drawn = releases.policies(connection, [number for number, _, _ in others])
    beside = {number: policy for number, policy in drawn.items() if policy.startswith(IMPORTED)}
    if not beside:
        return _Found(tasks.candidate, digests, wnids, {})
    rank = partial(rank_of, parts.ontology)
    rows = [
        *zip(numbers, digests, wnids, strict=True),
        *((number, sha256, wnid) for number, wnid, sha256 in others if number in beside),
    ]
    rows.sort(key=lambda row: (rank(row[2]), row[1], row[0]))
    return _Found(np.array([row[0] for row in rows]), [row[1] for row in rows], [row[2] for row in rows], beside)


def _states(connection: Connection, found: _Found) -> list[str]:
    held = labels.read(connection)
    drawn = dict(zip(held.candidate.tolist(), held.state.tolist(), strict=True))
    names = [*map(str, held.states), "open"]
    numbers = found.number.tolist()
    return ["yes" if number in found.beside else names[drawn.get(number, -1)] for number in numbers]


def _rounds(connection: Connection, parts: Parts, rule: Rule | None, number: Ints) -> Ints:
    """The round in which each layer first heard of a candidate, ``(candidates, layers)``."""
    layers = [] if rule is None else layers_of(rule, parts.ontology)
    found = np.zeros((len(number), max(len(layers), 1)), np.int32)
    order = np.argsort(number)
    for column, layer in enumerate(layers):
        tally = read_layer(connection, parts.catalog, layer)
        at = order[np.searchsorted(number, tally.tasks.number, sorter=order)]
        found[at, column] = tally.first_rounds
    return found


def _priors(connection: Connection, number: Ints) -> Floats:
    chances = priors.read(connection)
    held = dict(zip(chances.candidate.tolist(), chances.chance.tolist(), strict=True))
    return np.array([held.get(one, 0.0) for one in number.tolist()], np.float64)


def _sources(connection: Connection) -> dict[int, Sequence[str]]:
    seen = sightings.sources(connection)
    found: dict[int, Sequence[str]] = {}
    for number, source in zip(seen.candidate.tolist(), seen.source.tolist(), strict=True):
        found[number] = [*found.get(number, ()), seen.names[source]]
    return found
