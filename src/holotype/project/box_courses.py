"""The course of a campaign for boxes: what is known of it, kept up with the catalog, and what is concluded."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection

from holotype.boxes.campaign import Standing, run_boxes
from holotype.boxes.port import BoxCrowd
from holotype.boxes.rules import Rules, parse_rules
from holotype.boxes.tally import OPEN, Boxed, Given, Tally
from holotype.boxes.values import Question
from holotype.catalog import box_conclusions, box_facts, box_subjects, candidates, schema
from holotype.catalog.box_conclusions import DETECTIONS, DRAWINGS, PEOPLE, ConcludedBox, Covered
from holotype.consensus.votes import is_machine
from holotype.project.box_records import CatalogRecord, read_boxes, read_known
from holotype.project.box_reports import RulesChange
from holotype.project.parts import Parts


@runtime_checkable
class Marking(Protocol):
    """A crowd that tells whether anything of it is new."""

    def mark(self) -> object:
        """What changes whenever a sheet comes in, or a page is put up or taken down."""


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Do something short that makes millions of values which stay: who looks for garbage among them, again and again,
    takes as long as all else."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


EVERY = 2_000
"""Replies after which what is concluded is written, while more come in."""


class Course:
    """A campaign of some candidates, or of all that were ever asked about, under rules.

    Facts that another process appends meanwhile are read before anything is asked on.
    """

    def __init__(self, parts: Parts, rules: Rules, asked: Collection[int] | None) -> None:
        self.new = 0
        """How many replies were appended."""
        self.rules = rules
        self._parts, self._asked = parts, asked
        self._record = CatalogRecord(parts.catalog, parts.clock)
        self._written = 0
        self._last: tuple[tuple[object, ...], Standing] | None = None
        with parts.catalog.read() as connection, _without_pauses():
            self._read(connection)

    def _read(self, connection: Connection) -> None:
        self._there, self._sights = box_facts.count(connection), box_subjects.sights(connection)
        self._waiting: set[int] = set()
        self.tally = read_boxes(connection, self._asked)

    @property
    def boxes(self) -> int:
        """How many boxes the candidates have that are asked about."""
        return self.tally.boxes()

    def go(
        self, crowd: BoxCrowd, budget: int | None = None, progress: Callable[[Standing], None] = lambda _: None
    ) -> Standing:
        """Ask a crowd until it has no more for now, and write what is concluded.

        Where nothing is new since that was done last, which a crowd that can `mark` tells, all stands as it did."""
        mark = self._mark(crowd, budget)
        if self._last is not None and mark is not None and self._last[0] == mark:
            standing = replace(self._last[1], new=0, refused=())
            progress(standing)
            return standing
        self._keep_up()

        def step(standing: Standing) -> None:
            if self.tally.replies - self._written >= EVERY:
                self.write()
            progress(standing)

        short = isinstance(crowd, Marking)  # all that it has is there: nobody is waited for
        with _without_pauses() if short else nullcontext():
            standing = run_boxes(self.tally, crowd, self.rules, self, step, budget)
            self.write()
        self._last = None if mark is None else (mark, standing)
        return standing

    def _mark(self, crowd: BoxCrowd, budget: int | None) -> tuple[object, ...] | None:
        """What changes with all that is asked next follows from; None where the crowd does not tell."""
        if not isinstance(crowd, Marking):
            return None
        with self._parts.catalog.read() as connection:
            facts, known, sights = box_facts.newest(connection), read_known(connection), box_subjects.sights(connection)
            return crowd.mark(), budget, facts, known, sights, self._is_relabelled(connection)

    def change(self) -> RulesChange | None:
        """What the rules change of what was concluded by others last; None where those are the same, or none were."""
        with self._parts.catalog.read() as connection:
            before, held = box_conclusions.last_policy(connection), box_conclusions.states(connection)
        if before is None or before == str(self.rules):
            return None
        self.tally.conclude(self.rules)
        now = {
            number: (str(self.tally.outcome(number) or OPEN), len(self.tally.boxed(number)))
            for number in held.keys() & self.tally.subjects.keys()
        }
        moved = [(held[number][1], found[1]) for number, found in now.items() if held[number] != found]
        boxes = sum(was for was, _ in moved), sum(become for _, become in moved)
        return RulesChange(before, str(self.rules), len(moved), *boxes)

    def _keep_up(self) -> None:
        with self._parts.catalog.read() as connection, _without_pauses():
            if self._is_behind(connection):
                self._read(connection)
            else:
                self.tally.learn(*read_known(connection))

    def _is_behind(self, connection: Connection) -> bool:
        """Whether there are replies or questions that are not held here, labels are others now, or images were
        withdrawn, taken down or forgotten since."""
        if box_facts.count(connection) != self._there or self._is_relabelled(connection):
            return True
        if (sights := box_subjects.sights(connection)) == self._sights:
            return False
        self._sights = sights
        return {one.candidate for one in box_subjects.subjects(connection)} != self.tally.questioned

    def _is_relabelled(self, connection: Connection) -> bool:
        """Whether candidates that have boxes are not labelled yes any more, or others are now."""
        if box_subjects.fallen(connection):
            return True
        return bool(box_subjects.labelled_yes(connection, self._waiting))

    # The record of the campaign

    def ask(self, questions: Sequence[Question]) -> list[int]:
        """The ids of questions, which are appended where they are new."""
        return self._record.ask(questions)

    def reply(self, given: Sequence[Given]) -> list[Given]:
        """Append replies; those that are new, with their ids."""
        found = self._record.reply(given)
        self._there += len(found)
        self.new += len(found)
        return found

    # What is concluded

    def conclude(self) -> None:
        """Conclude of all there is, and write it; nobody is asked."""
        with _without_pauses():
            self.tally.conclude(self.rules)
            self.write()

    def write(self) -> int:
        """Write what was concluded since that was done last; of how many candidates it is something else.

        Nothing is concluded where the label is not yes, and what was goes."""
        numbers = sorted(number for number in self.tally.decided if self.tally.is_known(number))
        self.tally.decided.clear()
        self._written = self.tally.replies
        return self._parts.catalog.transact(lambda connection: self._put(connection, numbers))

    def _put(self, connection: Connection, known: Sequence[int]) -> int:
        now = self._parts.clock()
        box_conclusions.drop(connection, fallen := box_subjects.fallen(connection))
        numbers = sorted(box_subjects.labelled_yes(connection, known).difference(fallen))
        self._waiting = self._waiting.union(known).difference(numbers)
        files: dict[str, int] = {}

        def file_of(machine: str) -> int:
            if machine not in files:
                kind, path = (DETECTIONS, machine) if machine else (DRAWINGS, PEOPLE)
                files[machine] = box_conclusions.by_file(connection, kind, path, now)
            return files[machine]

        policy = candidates.policy_id(connection, str(self.rules))
        found = {
            number: Covered(_state(self.tally, number), list(_rows(self.tally.boxed(number), file_of)))
            for number in numbers
        }
        return box_conclusions.put(connection, found, policy, now)


def _state(tally: Tally, number: int) -> int:
    return schema.COVERAGES.index(str(tally.outcome(number) or OPEN))


def _rows(boxed: Sequence[Boxed], file_of: Callable[[str], int]) -> Iterator[ConcludedBox]:
    for one in boxed:
        said = (
            None if flag is None else int(flag)
            for flag in (one.flags.truncated, one.flags.occluded, one.flags.group_of)
        )
        truncated, occluded, group_of = said
        corners, support = one.instance.box, one.instance.support
        flags = truncated, occluded, group_of
        yield ConcludedBox(one.instance.head, file_of(drawer(one)), *corners, support, *flags)


def drawer(boxed: Boxed) -> str:
    """The machine that drew a box, "" where any person did."""
    return boxed.workers[0] if all(map(is_machine, boxed.workers)) else ""


def last_rules(connection: Connection) -> Rules | None:
    """The rules by which boxes were concluded last; None where none ever were."""
    text = box_conclusions.last_policy(connection)
    return None if text is None else parse_rules(text)


def conclude_again(parts: Parts) -> None:
    """Conclude of boxes again by the rules as last, where anything was concluded: a block or other gold changes it."""
    with parts.catalog.read() as connection:
        rules = last_rules(connection)
    if rules is not None:
        Course(parts, rules, None).conclude()
