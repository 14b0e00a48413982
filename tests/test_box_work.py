"""Pages of boxes, asked over HTTP and of the desk: what is refused and why, who is asked what, and many at once."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import holotype
from box_site import DOG, learn, make, reply_to, run, work
from browser import Browsing, served
from holotype.boxes.forms import read_replies
from holotype.boxes.port import BoxPage
from holotype.boxes.values import Drawn, Judged, Kind, Method, Reason
from holotype.catalog import box_facts, box_known, schema
from holotype.consensus.votes import Answer
from holotype.crowd.keys import crowd_secret, page_key
from holotype.crowd.lending import LEASE, Nothing
from holotype.errors import CrowdError, NotLent
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.box_inbox import CatalogBoxInbox
from test_lending import at_once
from visitors import Site, Visitor, said

GOOD = {"left": "10", "top": "20", "right": "99", "bottom": "79", "seconds": "4.5"}


@pytest.fixture(scope="module")
def asked_once(
    new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return make(tmp_path_factory.mktemp("asked"), new_project, wordnet, 13)


@pytest.fixture(scope="module")
def taught_once(
    new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return make(tmp_path_factory.mktemp("taught"), new_project, wordnet, 4, gold=24)


@pytest.fixture
def site(asked_once: Path, copy_of: Callable[[Path], Project]) -> Site:
    return Site(copy_of(asked_once))


@pytest.fixture
def school(taught_once: Path, copy_of: Callable[[Path], Project]) -> Site:
    return Site(copy_of(taught_once))


def sheets(db: Project) -> list[tuple[str, str, str]]:
    with db.catalog.read() as connection:
        sheet = schema.sheet.c
        rows = connection.execute(select(sheet.page, sheet.worker, sheet.answers).where(sheet.crowd == "web-boxes"))
        return [tuple(row) for row in rows.all()]


def lent(site: Site, name: str = "ann") -> tuple[Visitor, str]:
    visitor = site.as_("worker", name)
    return visitor, visitor.post("/boxes/next")


# What is refused


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"right": "320"}, "320 x 240 pixels"),
        ({"bottom": "240"}, "320 x 240 pixels"),
        ({"left": "-1"}, "four whole numbers"),
        ({"left": "nan"}, "four whole numbers"),
        ({"left": "1e2"}, "four whole numbers"),
        ({"left": "10.5"}, "four whole numbers"),
        ({"left": "９"}, "four whole numbers"),
        ({"left": "100"}, "ends before it begins"),
        ({"top": "80"}, "ends before it begins"),
        ({"left": ""}, "all its four sides"),
        ({"nothing": "1"}, "say one of them"),
        ({"method": "machine"}, "extreme, drag, keys or numbers"),
        ({"points": "1,1 2,2 3,3 4,4 5,5"}, "at most 4 points"),
        ({"points": "1,1 400,2"}, "320 x 240 pixels"),
        ({"points": "nan,1"}, "at most 4 points"),
        ({"answer-1": "good"}, "not of this page"),
        ({"gold": "1"}, "not of this page"),
        ({"seconds": "nan"}, "time in seconds"),
        ({"seconds": "1e9"}, "time in seconds"),
    ],
)
def test_a_box_that_cannot_be_is_refused_with_the_reason(site: Site, fields: dict[str, str], why: str) -> None:
    ann, address = lent(site)
    answer = ann.client.post(address, content=urlencode(GOOD | fields), headers=FORM)
    assert answer.status_code == 400
    assert why in said(answer.text), said(answer.text)
    assert sheets(site.db) == []


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_fields_that_are_there_twice_are_refused(site: Site) -> None:
    ann, address = lent(site)
    ann.send(address, [*GOOD.items(), ("left", "11")], 400)
    assert sheets(site.db) == []


def test_a_page_that_was_not_lent_is_neither_shown_nor_taken(site: Site) -> None:
    _, address = lent(site)
    bob = site.as_("worker", "bob")
    for path in (address, "/boxes/draw-001-ffffffffffffffff", "/boxes/x"):
        bob.get(path, 403)
        bob.post(path, 403, **GOOD)
        bob.post(f"{path}/draft", 403)
    assert sheets(site.db) == []


def test_the_desk_refuses_what_no_form_can_say(site: Site) -> None:
    desk = site.db.box_desk
    page = desk.next_page("ann", 1.0)
    assert isinstance(page, str)
    box = (10, 20, 99, 79)
    bad: list[list[Drawn | Judged | None]] = [
        [],
        [Drawn(box, Method.DRAG)] * 2,
        [Judged(Answer.YES)],
        [None],
        [Drawn((10, 20, 320, 79), Method.DRAG)],
        [Drawn((99, 20, 10, 79), Method.DRAG)],
        [Drawn((10**400, 20, 10, 79), Method.DRAG)],
        [Drawn(box, Method.DRAG, ((10**400, 1.0),))],
        [Drawn((float("nan"), 20, 10, 79), Method.DRAG)],  # type: ignore[arg-type]
        [Drawn((10.5, 20, 99, 79), Method.DRAG)],  # type: ignore[arg-type]
    ]
    for replies in bad:
        with pytest.raises(CrowdError):
            desk.hand_in("ann", page, replies, 1.0, 2.0)
    with pytest.raises(NotLent):
        desk.hand_in("bob", page, [Drawn(box, Method.DRAG)], 1.0, 2.0)
    assert desk.hand_in("ann", page, [Drawn(box, Method.DRAG)], 1.0, 2.0)
    assert not desk.hand_in("ann", page, [Drawn(None, Method.DRAG)], 1.0, 3.0)
    assert len(sheets(site.db)) == 1


def test_a_page_to_judge_wants_every_answer_in_its_words(site: Site) -> None:
    id = work(site.db, "Kim", Kind.QUALITY)
    name = holder(site.db, id)
    kim, address = site.as_("worker", name), f"/boxes/{id}"
    count = len(site.db.box_desk.asked(name, id).page.items)
    every = {f"answer-{n}": "good" for n in range(1, count + 1)} | {"seconds": "31"}
    assert "Answer picture 2" in said(kim.post(address, 400, **every | {"answer-2": ""}))
    assert "Answer picture 1" in said(kim.post(address, 400, **every | {"answer-1": "complete"}))
    kim.post(address, 400, **every | {f"answer-{count + 1}": "good"})
    kim.post(address, 400, **GOOD)
    before = len(sheets(site.db))
    kim.post(address, 303, **every | {"answer-1": "several", "answer-2": "unsure"})
    assert len(sheets(site.db)) == before + 1
    shown = kim.get(address)
    assert re.findall(r'value="(\w+)"[^>]* checked', shown)[:3] == ["several", "unsure", "good"]


def holder(db: Project, page: str) -> str:
    """Whose a page is."""
    lease = schema.lease.c
    with db.catalog.read() as connection:
        return str(
            connection.execute(select(lease.worker).where(lease.page == page).order_by(lease.id.desc()))
            .scalars()
            .first()
        )


# What is told, and what is not


def test_a_second_hand_in_of_a_page_answers_the_same(site: Site) -> None:
    ann, address = lent(site)
    first, again = (ann.post(address, 303, **GOOD) for _ in range(2))
    other = ann.post(address, 303, **GOOD | {"left": "0"})
    assert first == again == other
    assert len(sheets(site.db)) == 1
    assert "can only be looked at" in ann.get(address)


def test_addresses_of_pictures_are_one_workers_and_their_bytes_differ(site: Site) -> None:
    ann, address = lent(site)
    src = re.findall(r'src="(/boxes/[^"]+)"', ann.get(address))[0].replace("&amp;", "&")
    one, two = (ann.client.get(src) for _ in range(2))
    assert (one.status_code, one.headers["content-type"]) == (200, "image/jpeg")
    assert one.content != two.content
    assert not {"etag", "last-modified"} & {name.lower() for name in one.headers}
    bob = site.as_("worker", "bob")
    assert bob.client.get(src).status_code == 404
    assert ann.client.get(src.replace("/1.jpg", "/2.jpg")).status_code == 404
    assert ann.client.get(src.replace("size=whole", "size=huge")).status_code == 404


def test_nothing_tells_gold_from_the_rest(school: Site) -> None:
    id = work(school.db, "Kim", Kind.COVERAGE)
    name = holder(school.db, id)
    text = school.as_("worker", name).get(f"/boxes/{id}")
    sight = school.db.box_desk.asked(name, id)
    with school.db.catalog.read() as connection:
        gold = set(box_known.gold(connection))
    assert {item.number for item in sight.page.items} & gold, "or this tests nothing"
    plain = re.sub(r"\?k=[0-9a-f]{32}", "", text)
    cells = [
        re.sub(r"<rect[^>]*>|<svg class=.boxes.[^>]*>", "", cell)
        for cell in re.findall(r'<li class="judged".*?</li>', plain, re.DOTALL)
    ]
    shapes = {re.sub(r"\d+", "0", " ".join(cell.split())) for cell in cells}
    assert len(cells) == len(sight.page.items)
    assert len(shapes) == 1
    assert not any(item.sha256 in text or f"{item.number}," in text for item in sight.page.items)


def test_a_picture_that_was_taken_down_is_a_placeholder_and_nothing_is_kept_of_it(site: Site) -> None:
    ann, address = lent(site)
    [item] = site.db.box_desk.asked("ann", address.rpartition("/")[2]).page.items
    site.db.images.withdraw([item.sha256], "a curator", "somebody asked")
    text = ann.get(address)
    assert "taken down" in text
    assert 'width="256" height="192"' in text
    ann.post(address, 303, **GOOD)
    assert [answers for _, _, answers in sheets(site.db)] == ["[null]"]
    run(site.db)
    with site.db.catalog.read() as connection:
        assert box_facts.drawings(connection) == []


def test_of_a_picture_taken_down_an_answer_is_kept_as_unsure(site: Site) -> None:
    id = work(site.db, "Kim", Kind.QUALITY)
    name = holder(site.db, id)
    sight = site.db.box_desk.asked(name, id)
    site.db.images.withdraw([sight.page.items[1].sha256], "a curator", "somebody asked")
    replies = [Judged(Answer.NO, Reason.LOOSE)] * len(sight.page.items)
    assert site.db.box_desk.hand_in(name, id, replies, 3.0, 20.0)
    kept = site.db.box_desk.page(name, id, 21.0)
    assert not hasattr(kept, "wnid")
    assert [one.answer for one in kept.replies][:3] == [Answer.NO, Answer.UNSURE, Answer.NO]  # type: ignore[union-attr]


def test_what_there_is_to_do_offers_boxes_where_there_are_some(site: Site) -> None:
    ann = site.as_("worker", "ann")
    assert "Begin with boxes" in ann.get("/tasks")
    assert "Come back later" not in ann.get("/tasks"), "there are no pages of pictures, and nobody has to wait for any"
    address = ann.post("/boxes/next")
    assert "Go on with your boxes" in ann.get("/tasks")
    assert ann.post("/boxes/next") == address
    assert ann.post(f"{address}/leave") == "/tasks"
    assert "Begin with boxes" in ann.get("/tasks")
    ann.post(ann.post("/boxes/next"), 303, **GOOD)
    assert "Your boxes so far" in ann.get("/tasks")


def test_where_nothing_is_asked_about_boxes_nobody_is_told_of_them(project: Project) -> None:
    assert "boxes" not in said(Site(project).as_("worker").get("/tasks"))


def test_a_flag_says_what_is_wrong_with_a_picture(site: Site) -> None:
    ann, address = lent(site)
    page = address.rpartition("/")[2]
    assert ann.post("/boxes/flag", 303, page=page, number="1", kind="offensive", text="oh") == address
    ann.post("/boxes/flag", 400, page=page, number="2", kind="offensive", text="")
    site.as_("worker", "bob").post("/boxes/flag", 403, page=page, number="1", kind="offensive", text="")
    [flag] = site.db.flags.open()
    assert flag.wnid == DOG


# Lessons


def test_who_knows_nothing_learns_first_and_fails_as_often_as_they_like(school: Site) -> None:
    ann, address = lent(school)
    assert ann.client.get(address).headers["Location"] == f"/boxes/lesson/draw/{DOG}"
    for attempt in range(2):
        for _ in range(6):
            text = ann.get(f"/boxes/lesson/draw/{DOG}")
            page = re.findall(r'name="page" value="([^"]+)"', text)[0]
            told = said(
                ann.post(
                    f"/boxes/lesson/draw/{DOG}", 200, page=page, left="0", top="0", right="1", bottom="1", seconds="2"
                )
            )
            assert "another thing" in told
            again = said(ann.post(f"/boxes/lesson/draw/{DOG}", 200, page=page, nothing="1"))
            assert told == again, "what was handed in first counts"
        assert "five of six are wanted" in told
        assert attempt in (0, 1)
    learn(school.db, "ann", Kind.DRAW)
    assert "Put a box round one" in ann.get(address) or "Box one that has no box yet" in ann.get(address)
    bob = school.as_("worker", "bob")
    bob.post(f"/boxes/lesson/draw/{DOG}", 403, page=page, nothing="1")
    bob.post(f"/boxes/lesson/quality/{DOG}", 403, page=page, nothing="1")
    assert bob.client.get(f"/boxes/lesson/juggling/{DOG}").status_code == 404


def test_where_nothing_is_known_there_is_no_lesson(site: Site) -> None:
    ann, address = lent(site)
    assert "Put a box round one" in ann.get(address)
    assert ann.client.get(f"/boxes/lesson/draw/{DOG}").headers["Location"] == address


def test_a_lesson_is_not_the_same_for_two_people(school: Site) -> None:
    def questions(name: str) -> list[int]:
        sight = school.db.box_desk.lesson(name, Kind.QUALITY, DOG, 1.0)
        assert sight is not None
        return [item.number for item in sight.page.items]

    assert questions("ann") == questions("ann") != questions("bob")


# Two people at once


def test_ten_at_once_get_ten_pages_and_fifty_equal_hand_ins_are_one_sheet(site: Site) -> None:
    desk = site.db.box_desk
    got = at_once(10, lambda number: desk.next_page(f"w{number}", 1.0))
    assert len(set(got)) == 10
    page = got[0]

    def send(_: int) -> tuple[bool, Any]:
        return desk.hand_in("w0", page, [Drawn((1, 2, 30, 40), Method.DRAG)], 9.0, 2.0), desk.next_page("w0", 2.0)

    new, following = zip(*at_once(25, send), strict=True)
    assert sum(new) == 1
    assert len(set(following)) == 1
    assert len(sheets(site.db)) == 1


ACTIONS = st.lists(
    st.tuples(st.sampled_from("nnhhhgprt"), st.integers(0, 2), st.sampled_from([60.0, 700.0, 2000.0])), max_size=40
)


@given(ACTIONS)
@settings(max_examples=15, deadline=None)
def test_no_schedule_lends_a_page_twice_nor_asks_anybody_about_their_own_box(
    small: Path, wordnet: Ontology, actions: list[tuple[str, int, float]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(small, Path(folder) / "project")
        with holotype.open(copy, wordnet) as db:
            desk, now = db.box_desk, 0.0
            live: dict[tuple[str, str], float] = {}
            handed: set[tuple[str, str]] = set()
            asked: dict[str, set[int]] = {}
            for what, number, passed in actions:
                worker = f"w{number}"
                mine = [page for page, who in live if who == worker]
                if what == "t":
                    now += passed
                elif what == "r":
                    run(db)
                elif what == "n":
                    page = desk.next_page(worker, now)
                    if isinstance(page, Nothing):
                        assert page.again > now
                        continue
                    assert not [
                        1 for (one, who), until in live.items() if one == page and who != worker and until > now
                    ]
                    numbers = [item.number for item in desk.asked(worker, page).page.items]
                    assert asked.get(worker, set()).isdisjoint(numbers), "nobody is asked a question again"
                    with db.catalog.read() as connection:
                        assert not any(worker in names for names in box_facts.involved(connection, numbers).values())
                    live[page, worker] = max(live.get((page, worker), 0.0), now + LEASE)
                elif what == "p" and mine:
                    live[mine[-1], worker] = desk.renew(worker, mine[-1], now) or 0.0
                elif what == "g" and mine:
                    desk.give_back(worker, mine[-1], now)
                    live[mine[-1], worker] = min(live[mine[-1], worker], now)
                elif what == "h" and mine:
                    sight = desk.asked(worker, mine[-1])
                    replies = [reply_to(sight, place) for place in range(len(sight.page.items))]
                    assert desk.hand_in(worker, mine[-1], replies, 1.0, now) is ((mine[-1], worker) not in handed)
                    handed.add((mine[-1], worker))
                    asked.setdefault(worker, set()).update(item.number for item in sight.page.items)
                    live[mine[-1], worker] = min(live[mine[-1], worker], now)
            run(db)
            with db.catalog.read() as connection:
                drawn = box_facts.drawings(connection)
                judged = box_facts.answers(connection)
            assert len({(one.question, one.worker) for one in drawn}) == len(drawn)
            assert len(drawn) + len(judged) <= sum(len(numbers) for numbers in asked.values())


@pytest.fixture(scope="module")
def small(new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small"), new_project, wordnet, 3)


# Mechanical Turk


@pytest.fixture
def platform(site: Site) -> dict[Kind, tuple[BoxPage, str]]:
    """Pages of each kind that lie on Mechanical Turk, with the addresses at which it shows them."""
    found = {}
    inbox = CatalogBoxInbox(site.db.catalog, lambda: 1.0, "mturk-boxes")
    for kind in (Kind.DRAW, Kind.QUALITY, Kind.COVERAGE):
        id = work(site.db, f"Kim {kind}", kind)
        page = site.db.box_desk.asked(holder(site.db, id), id).page
        inbox.post([page.page])
        key = page_key(crowd_secret(site.db._parts.salt, "mturk-boxes"), id)
        found[kind] = page, f"/box-page/{id}?k={key}"
        site.db.box_desk.give_back(holder(site.db, id), id, 5.0)
    return found


TURK = "&assignmentId=3XYZ&turkSubmitTo=https://workersandbox.mturk.com"


def test_mechanical_turk_shows_a_page_in_its_frame_without_a_cookie(
    site: Site, platform: dict[Kind, tuple[BoxPage, str]]
) -> None:
    nobody = site.nobody()
    for _, address in platform.values():
        answer = nobody.client.get(address + TURK)
        assert answer.status_code == 200
        assert "frame-ancestors https://worker.mturk.com" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers
        assert "X-Frame-Options" not in answer.headers
        src = re.findall(r'src="(/box-page/[^"]+)"', answer.text)[0].replace("&amp;", "&")
        assert nobody.client.get(src).headers["content-type"] == "image/jpeg"
        assert "Accept the HIT first" in nobody.get(address)
        nobody.get(f"{address}0", 404)
        nobody.get(f"{address}&assignmentId=3XYZ&turkSubmitTo=https://evil.example", 400)


def test_a_browser_hands_mechanical_turk_what_is_read_there(
    site: Site, platform: dict[Kind, tuple[BoxPage, str]], browsing: Browsing
) -> None:
    with served(site.db) as running:
        for kind, (page, address) in platform.items():
            tab = browsing.page(running)
            tab.route("https://workersandbox.mturk.com/**", lambda route: route.fulfill(body="Thank you"))
            tab.goto(address + TURK)
            tab.locator("#sheet[data-ready]").wait_for()
            tab.wait_for_function("() => [...document.images].every(one => one.complete)")
            if kind is Kind.DRAW:
                for edge, value in (("left", "10"), ("top", "20"), ("right", "99"), ("bottom", "79")):
                    tab.locator(f"#{edge}").fill(value)
                tab.locator("[name=truncated]").check()
            else:
                for n in range(1, len(page.items) + 1):
                    tab.locator(f"[name=answer-{n}]").nth(n % 3).check()
            with tab.expect_request("**/mturk/externalSubmit") as sent:
                tab.locator("#hand-in").click()
            fields = dict(parse_qsl(sent.value.post_data or "", keep_blank_values=True))
            assert fields.pop("assignmentId") == "3XYZ"
            replies, seconds = read_replies(fields, page)
            assert seconds >= 0
            if kind is Kind.DRAW:
                assert replies == (Drawn((10, 20, 99, 79), Method.NUMBERS, (), False, True, False, False),)
            elif kind is Kind.QUALITY:
                three = Judged(Answer.YES), Judged(Answer.NO, Reason.LOOSE), Judged(Answer.NO, Reason.WRONG)
                assert replies == tuple(three[n % 3] for n in range(1, len(page.items) + 1))
            else:
                three = Judged(Answer.YES), Judged(Answer.NO), Judged(Answer.UNSURE)
                assert replies == tuple(three[n % 3] for n in range(1, len(page.items) + 1))
            assert tab.context.cookies() == []
