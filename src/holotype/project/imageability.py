"""Imageability of a project's synsets, from its people's votes, flags and quizzes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, flags, qualifications, votes
from holotype.consensus.ballot import Ints
from holotype.consensus.votes import is_machine
from holotype.crowd.columns import NOWHERE, Places
from holotype.crowd.flags import NOBODY_CAN_TELL
from holotype.ontology import Ontology
from holotype.statistics.imageability import Imageability, imageability


def read_imageability(connection: Connection, ontology: Ontology, wnid: str | None = None) -> list[Imageability]:
    """That of every synset that people voted on, or said something of, or of one; in the order of the ontology.

    Votes that count on gold are among them; those of machines are not.
    """
    ranges = None if wnid is None else ((ontology.rank(wnid), ontology.rank(wnid) + 1),)
    tasks = candidates.tasks(connection, ranges=ranges)
    cast = votes.read(connection, counting=True, candidates=None if wnid is None else tasks.candidate.tolist())
    people = np.array([not is_machine(name) for name in cast.workers], bool)
    place = Places(tasks.candidate).of(cast.candidate)
    heard = place != NOWHERE
    heard[heard] = people[cast.worker[heard]]
    task, worker, answer = place[heard].astype(np.int64), cast.worker[heard].astype(np.int64), cast.answer[heard]
    first, second = _first_two(task)
    voters, unable = defaultdict[str, set[str]](set), _unable(connection, wnid)
    for synset, code in np.unique(np.stack([tasks.synset[task], worker], axis=1), axis=0).tolist():
        voters[tasks.wnids[synset]].add(cast.workers[code])
    answers, who = np.c_[answer[first], answer[second]], np.c_[worker[first], worker[second]]
    synset_of = tasks.synset[task[first]]
    number = {name: at for at, name in enumerate(tasks.wnids)}
    order = np.argsort(synset_of, kind="stable")
    starts = np.searchsorted(synset_of[order], np.arange(len(tasks.wnids) + 1))

    def found() -> Iterator[Imageability]:
        for name in sorted((one for one in voters.keys() | unable.keys() if one in ontology), key=ontology.rank):
            at = number.get(name)
            mine = order[:0] if at is None else order[starts[at] : starts[at + 1]]
            asked = voters[name] | unable.get(name, set())
            yield imageability(name, answers[mine], who[mine], len(asked), len(unable.get(name, ())))

    return list(found())


def _first_two(task: Ints) -> tuple[Ints, Ints]:
    """The places of the first and of the second vote on every task that has two, ``(images,)``."""
    order = np.argsort(task, kind="stable")
    new = np.append(True, task[order][1:] != task[order][:-1])[: len(order)]
    starts = np.flatnonzero(new)
    two = starts[np.diff(np.append(starts, len(order))) >= 2]
    return order[two], order[two + 1]


def _unable(connection: Connection, wnid: str | None) -> Mapping[str, set[str]]:
    """By wnid, who said that nobody can tell, and was not told otherwise, or never found its gloss in the quiz."""
    found = defaultdict[str, set[str]](set)
    for one in flags.listing(connection, False, wnid):
        if one.kind == NOBODY_CAN_TELL and one.sha256 is None and one.outcome != "dismissed":
            found[one.wnid].add(one.worker)
    for name, worker in qualifications.never_right(connection, "quiz", wnid):
        found[name].add(worker)
    return found
