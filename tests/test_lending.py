"""Pages lent to people and handed in by them: whatever they do and however many do it at once."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from holotype.catalog import Catalog, pages, schema, sheets, votes, wants, workers
from holotype.consensus.votes import Answer
from holotype.crowd.inbox import WEB
from holotype.crowd.lending import AHEAD, LATER, LEASE, LONGEST, Nothing, Offer, began, in_order, nothing, unseen
from holotype.errors import CrowdError, NotLent
from holotype.project.desk import Desk
from holotype.project.parts import Parts

CAT, DOG = "n02121808", "n02084071"
YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


def desk_of(catalog: Catalog) -> Desk:
    """A desk, of a project as far as lending needs one."""
    return Desk(Parts(Path(), catalog, cast(Any, None), cast(Any, None), lambda: 0.0, "salt"))


def put_up(catalog: Catalog, tasks: dict[str, Sequence[int]], at: float = 1.0, wnid: str = CAT) -> None:
    rows = [
        {"id": id, "crowd": WEB, "wnid": wnid, "tasks": json.dumps([*numbers]), "round": 1, "at": at}
        for id, numbers in tasks.items()
    ]

    def work(connection: Any) -> None:
        pages.add(connection, rows)
        wants.want(connection, WEB, tasks, at)

    catalog.transact(work)


def pages_of_five(count: int) -> dict[str, Sequence[int]]:
    return {f"001-{number:03d}": range(5 * number, 5 * number + 5) for number in range(count)}


@contextmanager
def new_catalog(template: Path) -> Iterator[Catalog]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Catalog(f"sqlite:///{shutil.copy(template, folder)}")
        yield opened
        opened.close()


# Decisions


def test_pages_are_unseen_of_whose_tasks_a_worker_saw_none() -> None:
    offers = [Offer(f"{n}", frozenset({2 * n, 2 * n + 1})) for n in range(4)]
    assert unseen(offers, ()) == offers
    assert unseen(offers, {3, 6, 99}) == [offers[0], offers[2]]


def test_pages_come_oldest_first_and_then_by_what_a_worker_knows() -> None:
    up = {1.0: {"n2": {"z"}}, 2.0: {CAT: {"c"}, DOG: {"b"}, "n1": {"a"}}}
    assert list(in_order(up, "ann", DOG, {CAT})) == ["z", "b", "c", "a"]
    many = {1.0: {wnid: {wnid} for wnid in (CAT, DOG, "n1")}}
    strangers = {tuple(in_order(many, f"w{n}", "", ())) for n in range(30)}
    assert len(strangers) > 3, "not everybody learns the same synset first"


def test_why_there_is_nothing_and_when_to_look_again() -> None:
    assert nothing(False, [], 100) == Nothing("none", 100 + LATER)
    assert nothing(True, [500, 300], 100) == Nothing("lent", 300)
    assert nothing(True, [], 100) == Nothing("seen", 100 + LATER)


@pytest.mark.parametrize(
    ("leases", "start"),
    [
        ([], None),
        ([(5, 9)], 5),
        ([(5, 9), (8, 12)], 5),
        ([(5, 30), (7, 7), (9, 40)], 9),
        ([(5, 9), (10, 14), (13, 17)], 10),
        ([(5, 30), (6, 9)], 5),
    ],
)
def test_a_lease_begins_where_it_was_not_renewed(leases: list[tuple[float, float]], start: float | None) -> None:
    assert began(leases) == start


# What one worker does


def test_a_worker_gets_the_page_they_have_and_after_it_another(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(2))
    desk = desk_of(catalog)
    first = desk.next_page("ann", 10)
    assert desk.next_page("ann", 11) == first
    second = desk.next_page("ann", 12, after=cast(str, first))
    assert {first, second} == {"001-000", "001-001"}
    assert desk.next_page("bob", 13) == Nothing("lent", 12 + AHEAD)
    assert desk.hand_in("ann", cast(str, first), [YES] * 5, 3.0, 14)
    assert desk.next_page("ann", 15) == second


def test_a_lease_ends_unless_there_is_a_sign_of_life(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(1))
    desk = desk_of(catalog)
    assert desk.next_page("ann", 0) == "001-000"
    assert desk.renew("ann", "001-000", 60) == LEASE, "no row for every ping"
    assert desk.renew("ann", "001-000", 1000) == 1000 + LEASE
    assert desk.next_page("bob", 2000) == Nothing("lent", 1000 + LEASE)
    assert desk.next_page("bob", 1001 + LEASE) == "001-000"
    assert desk.renew("ann", "001-000", 1002 + LEASE) == 1000 + LEASE, "it is bob's now"
    assert desk.renew("eve", "001-000", 5) is None
    assert desk.hand_in("ann", "001-000", [YES] * 5, 1.0, 5000), "a late sheet is a sheet"
    assert desk.hand_in("bob", "001-000", [NO] * 5, 1.0, 5001)
    with catalog.read() as connection:
        took = {sheet.worker: sheet.took for sheet in sheets.uncounted(connection, WEB)}
    assert took == {"ann": 5000, "bob": 5001 - 1001 - LEASE}


def test_nobody_keeps_a_page_from_others_for_good(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(1))
    desk = desk_of(catalog)
    assert desk.next_page("ann", 0) == "001-000"
    for now in range(0, 10 * int(LONGEST), 600):  # a script that says that she is at it
        desk.renew("ann", "001-000", now)
        if desk.next_page("bob", now) == "001-000":
            break
    assert LONGEST <= now <= LONGEST + LEASE + 600
    assert desk.hand_in("ann", "001-000", [YES] * 5, 1.0, now + 1), "what she did is kept"


def test_who_is_blocked_keeps_no_page(catalog: Catalog) -> None:
    candidates_of(catalog, 10)
    put_up(catalog, pages_of_five(2))
    vote(catalog, "ann", [9], "elsewhere")
    desk = desk_of(catalog)
    assert desk.next_page("ann", 0) == "001-000"
    catalog.transact(lambda connection: workers.add_standing(connection, "ann", True, "a spammer", 2.0))
    assert desk.renew("ann", "001-000", 1000) == LEASE


def test_a_page_that_is_given_back_is_anybodys(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(1))
    desk = desk_of(catalog)
    desk.next_page("ann", 0)
    assert not desk.give_back("bob", "001-000", 10)
    assert desk.give_back("ann", "001-000", 100)
    assert not desk.give_back("ann", "001-000", 101)
    assert desk.outlook("ann", 102) == "", "she may take it again"
    assert desk.next_page("bob", 103) == "001-000"
    assert desk.renew("ann", "001-000", 104) == 100
    assert desk.hand_in("ann", "001-000", [NO] * 5, 1.0, 105)


def test_a_sheet_sent_again_changes_nothing(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(1))
    desk = desk_of(catalog)
    desk.next_page("ann", 0)
    assert desk.hand_in("ann", "001-000", [YES, NO, UNSURE, NO, NO], 20.0, 30)
    assert not desk.hand_in("ann", "001-000", [NO] * 5, 1.0, 31)
    with catalog.read() as connection:
        (sheet,) = sheets.uncounted(connection, WEB)
    assert (sheet.answers, sheet.seconds, sheet.took, sheet.at) == ((2, 0, 1, 0, 0), 20.0, 30, 30)


@pytest.mark.parametrize("answers", [[], [YES] * 4, [YES] * 6, [YES] * 4 + [7]])
def test_a_sheet_that_does_not_answer_its_page_is_refused(catalog: Catalog, answers: list[Answer]) -> None:
    put_up(catalog, pages_of_five(1))
    desk_of(catalog).next_page("ann", 0)
    with pytest.raises((CrowdError, ValueError)):
        desk_of(catalog).hand_in("ann", "001-000", answers, 1.0, 1)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, 1e7])
def test_a_time_that_cannot_be_is_refused(catalog: Catalog, seconds: float) -> None:
    put_up(catalog, pages_of_five(1))
    desk_of(catalog).next_page("ann", 0)
    with pytest.raises(CrowdError):
        desk_of(catalog).hand_in("ann", "001-000", [YES] * 5, seconds, 1)


def test_only_who_was_lent_a_page_hands_it_in(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(1))
    for page in ("001-000", "no-such-page", "'"):
        with pytest.raises(NotLent, match="was not given to you"):
            desk_of(catalog).hand_in("eve", page, [YES] * 5, 1.0, 1)


def vote(catalog: Catalog, worker: str, tasks: Sequence[int], page: str) -> None:
    rows = [
        {"candidate_id": n, "worker": worker, "answer": 2, "page": page, "seconds": 1.0, "at": 1.0, "round": 1}
        for n in tasks
    ]
    catalog.transact(lambda connection: votes.add(connection, rows))


def candidates_of(catalog: Catalog, count: int) -> None:
    """Candidates with ids from 0, of images that nobody needs to see."""

    def work(connection: Any) -> None:
        held = {"kind": "pack", "path": "p", "size": 0, "mtime_ns": 0, "at": 0}
        connection.execute(insert(schema.file).values(id=1, dataset_id=0, **held))
        where = {"split": "", "file_id": 1, "path": "", "offset": 0, "length": 1, "boxes": 0, "assigned": 2}
        rows = [{"id": n + 1, "dataset_id": 0, "name": f"{n:064x}", **where} for n in range(count)]
        connection.execute(insert(schema.image), rows)
        about = {"wnid": CAT, "rank": 1, "asked": 1, "boxes": 0, "state": 0}
        connection.execute(insert(schema.candidate), [{"id": n, "image_id": n + 1, **about} for n in range(count)])

    catalog.transact(work)


def test_nobody_gets_a_page_with_a_task_they_voted_on_but_for_gold(catalog: Catalog) -> None:
    candidates_of(catalog, 15)
    put_up(catalog, {"001-a": range(5), "001-b": range(5, 10), "001-c": range(10, 15)})
    vote(catalog, "ann", [4, 12], "elsewhere")
    gold = {"candidate_id": 12, "number": 1, "answer": 2, "source": "x", "reason": "", "at": 0.0}
    catalog.transact(lambda connection: connection.execute(insert(schema.gold).values(**gold)))
    desk = desk_of(catalog)
    got = [desk.next_page("ann", 1)]
    got.append(desk.next_page("ann", 2, after=cast(str, got[0])))
    assert {*got} == {"001-b", "001-c"}
    for page in got:
        desk.hand_in("ann", cast(str, page), [NO] * 5, 1.0, 3)
    assert desk.next_page("ann", 4) == Nothing("seen", 4 + LATER)


def test_tasks_of_a_sheet_that_nobody_counted_yet_are_seen(catalog: Catalog) -> None:
    put_up(catalog, {"001-a": range(5)})
    desk = desk_of(catalog)
    desk.next_page("ann", 1)
    desk.hand_in("ann", "001-a", [NO] * 5, 1.0, 2)
    put_up(catalog, {"002-a": range(4, 9)}, at=3.0)
    assert desk.next_page("ann", 4) == Nothing("seen", 4 + LATER)
    assert desk.next_page("bob", 4) == "002-a"


def test_who_is_blocked_gets_nothing_and_what_they_hand_in_is_kept(catalog: Catalog) -> None:
    candidates_of(catalog, 10)
    put_up(catalog, pages_of_five(2))
    desk = desk_of(catalog)
    page = cast(str, desk.next_page("ann", 1))
    vote(catalog, "ann", [9] if page == "001-000" else [0], "elsewhere")

    catalog.transact(lambda connection: workers.add_standing(connection, "ann", True, "a spammer", 2.0))
    assert desk.next_page("ann", 3) == Nothing("blocked", 3 + LATER)
    assert desk.hand_in("ann", page, [YES] * 5, 1.0, 4)


def test_a_page_that_was_taken_down_is_lent_to_nobody_until_it_is_wanted_again(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(1))
    desk = desk_of(catalog)
    desk.next_page("ann", 1)
    assert catalog.transact(lambda connection: wants.unwant(connection, WEB, ["001-000"], 2.0)) == 1
    assert desk.next_page("ann", 3) == desk.next_page("bob", 3) == Nothing("none", 3 + LATER)
    assert desk.hand_in("ann", "001-000", [YES] * 5, 1.0, 4)
    put_up(catalog, pages_of_five(1))
    assert desk.next_page("bob", 5 + LEASE) == Nothing("none", 5 + LEASE + LATER), "a sheet waits to be counted"


# What many do


ACTIONS = st.lists(st.tuples(st.sampled_from("nahptg"), st.integers(0, 3), st.integers(0, 900)), max_size=40)


@given(ACTIONS)
@settings(max_examples=60)
def test_no_schedule_lends_a_page_twice_or_what_a_worker_has_seen(template_catalog: Path, actions: Any) -> None:
    with new_catalog(template_catalog) as catalog:
        overlapping: dict[str, Sequence[int]] = {
            "001-a": range(5),
            "001-b": range(5, 10),
            "001-c": range(10, 15),
            "002-a": range(3, 8),
        }
        put_up(catalog, overlapping)
        desk, now = desk_of(catalog), 0.0
        live: dict[tuple[str, str], float] = {}
        given_: dict[str, set[int]] = {}
        handed: set[tuple[str, str]] = set()
        for what, number, passed in actions:
            worker, mine = f"w{number}", [page for page, who in live if who == f"w{number}"]
            if what == "t":
                now += passed
            elif what in "na":
                after = mine[-1] if what == "a" and mine else ""
                page = desk.next_page(worker, now, after)
                if isinstance(page, Nothing):
                    assert page.again > now
                    continue
                others = [who for (one, who), until in live.items() if one == page and who != worker and until > now]
                assert not others, "somebody else has it"
                assert not any(one == page for one, _ in handed), "it was answered"
                assert given_.get(worker, set()).isdisjoint(overlapping[page])
                held = live.get((page, worker), 0.0)
                live[page, worker] = held if held > now else now + (AHEAD if after else LEASE)
            elif what == "p" and mine:
                live[mine[0], worker] = desk.renew(worker, mine[0], now) or 0.0
            elif what == "g" and mine:
                had = live[mine[0], worker] > now and (mine[0], worker) not in handed
                assert desk.give_back(worker, mine[0], now) is had
                live[mine[0], worker] = min(live[mine[0], worker], now)
            elif what == "h" and mine:
                assert desk.hand_in(worker, mine[0], [NO] * 5, 1.0, now) is ((mine[0], worker) not in handed)
                handed.add((mine[0], worker))
                given_.setdefault(worker, set()).update(overlapping[mine[0]])
        with catalog.read() as connection:
            assert {(sheet.page, sheet.worker) for sheet in sheets.uncounted(connection, WEB)} == handed


def at_once(count: int, work: Any) -> list[Any]:
    """What calls with the numbers from 0 return that are made by threads at the same time."""
    barrier, found = threading.Barrier(count), [None] * count

    def call(number: int) -> None:
        barrier.wait()
        found[number] = work(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_twelve_at_once_get_twelve_pages(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(12))
    desk = desk_of(catalog)
    got = at_once(12, lambda number: desk.next_page(f"w{number}", 1.0))
    assert sorted(got) == sorted(pages_of_five(12))


def test_fifty_identical_hand_ins_are_one_sheet_and_the_same_next_page(catalog: Catalog) -> None:
    put_up(catalog, pages_of_five(3))
    desk = desk_of(catalog)
    page = cast(str, desk.next_page("ann", 1.0))

    def send(_: int) -> tuple[bool, Any]:
        return desk.hand_in("ann", page, [YES] * 5, 9.0, 2.0), desk.next_page("ann", 2.0)

    new, following = zip(*itertools.chain(at_once(25, send), at_once(25, send)), strict=True)
    assert sum(new) == 1
    assert len(set(following)) == 1
    with catalog.read() as connection:
        assert len(sheets.uncounted(connection, WEB)) == 1
