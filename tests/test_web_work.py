"""The worker's pages, asked over HTTP: the way from the first click to votes, and what anybody may send instead."""

from __future__ import annotations

import hashlib
import html
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import Connection

import holotype
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Fixed
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.web.visit import Refused
from holotype.web.work.forms import read_sheet
from holotype.web.work.turk import HOSTS
from holotype.web.work.views import languages
from test_lending import at_once
from test_web_crowd import GREYHOUND, WHIPPET, gold_of, says
from visitors import Site, Visitor, said

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE
SRC = re.compile(r'<img[^>]* src="(/(?:tasks|page)/[^"]+)"')


@pytest.fixture(scope="module")
def asked_once(
    new_project: Callable[[Path], Path],
    wordnet: Ontology,
    fill: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project of two synsets with some gold, whose first pages are up."""
    folder = tmp_path_factory.mktemp("asked")
    fill(folder / "photos" / WHIPPET, 24)
    fill(folder / "photos" / GREYHOUND, 24, first=100, width=400, height=200)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        db.gold.add(gold_of(db, 4), "a curator")
        db.crowd.run(db.crowd.web(), Fixed(2))
        return db.path


@pytest.fixture
def db(asked_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(asked_once)


@pytest.fixture
def site(db: Project) -> Site:
    return Site(db)


def learn(site: Site, name: str, *wnids: str) -> None:
    """Let a worker have learned synsets."""
    desk, now = site.db.desk, time.time()
    for wnid in wnids or (WHIPPET, GREYHOUND):
        while (lesson := desk.lesson(name, wnid)) is not None:
            attempt = desk.attempts(name, wnid, lesson.kind)
            if lesson.kind == "quiz":
                quiz = desk.quiz(name, wnid, attempt)
                assert quiz is not None
                desk.answer_quiz(name, wnid, attempt, quiz.right, now)
            else:
                sight = desk.training(name, wnid, now)
                assert sight is not None
                answers = [says(sha256) for sha256 in digests(site.db, sight.page, "training")]
                assert desk.train(name, sight.page, attempt, answers, 9.0, now).passed


def digests(db: Project, page: str, crowd: str = "web") -> list[str]:
    from holotype.project.ledger import CatalogLedger

    return [task.sha256 for task in CatalogLedger(db.catalog, crowd, "").pages([page])[page].tasks]


def sheet(db: Project, address: str, crowd: str = "web") -> list[tuple[str, str]]:
    """The right answers to a page as a form has them."""
    pictures = enumerate(digests(db, address.rpartition("/")[2], crowd), 1)
    return [*(("yes", str(number)) for number, sha256 in pictures if says(sha256) is YES), ("seconds", "31.5")]


def addresses(text: str) -> list[str]:
    return [html.unescape(found) for found in SRC.findall(text)]


def lent(site: Site, name: str = "ann") -> tuple[Visitor, str]:
    """A worker who has learned all, and the address of the page they were lent."""
    visitor = site.as_("worker", name)
    learn(site, name)
    return visitor, visitor.post("/tasks/next")


# The way of a worker


def test_a_worker_reads_is_asked_trains_and_votes(site: Site) -> None:
    ann = site.as_("worker", "ann")
    assert "Begin" in said(ann.get("/tasks"))
    address = ann.post("/tasks/next")
    assert re.fullmatch(r"/tasks/001-[0-9a-f]{16}", address)
    ann.get(address, 303)
    wnid = site.db.desk.page("ann", address.rpartition("/")[2], time.time()).wnid
    synset = site.db.ontology[wnid]
    assert synset.gloss in html.unescape(ann.get(f"/quiz/{wnid}"))
    asked = html.unescape(ann.get(f"/quiz/{wnid}?ask=1"))
    quiz = site.db.desk.quiz("ann", wnid, 0)
    assert quiz is not None
    assert [asked.count(gloss) for gloss in quiz.glosses] == [1, 1, 1]
    wrong = ann.post(f"/quiz/{wnid}", attempt="0", choice=str((quiz.right + 1) % 3))
    assert "another thing" in ann.get(wrong)
    again = site.db.desk.quiz("ann", wnid, 1)
    assert again is not None
    assert ann.post(f"/quiz/{wnid}", attempt="1", choice=str(again.right)) == f"/training/{wnid}"
    training = ann.get(f"/training/{wnid}")
    page = re.search(r'name="page" value="([^"]+)"', training)
    assert page
    assert len(addresses(training)) == 4
    fields = [("page", page[1]), ("attempt", "0")]
    told = said(ann.send(f"/training/{wnid}", [*fields, ("seconds", "4")], 200))
    assert "Try again" in told
    assert "2 of 4 were right" in told
    fields = [("page", page[1]), ("attempt", "1"), *sheet(site.db, page[1], "training")]
    ann.send(f"/training/{wnid}", fields, 403)
    page = re.search(r'name="page" value="([^"]+)"', ann.get(f"/training/{wnid}"))
    assert page
    fields = [("page", page[1]), ("attempt", "1"), *sheet(site.db, page[1], "training")]
    assert "4 of 4 were right" in said(ann.send(f"/training/{wnid}", fields, 200))
    assert ann.post("/tasks/next") == address
    grid = ann.get(address)
    assert len(addresses(grid)) == len(digests(site.db, address.rpartition("/")[2]))
    onward = ann.send(address, sheet(site.db, address))
    assert onward != address
    assert ann.send(address, sheet(site.db, address)) == onward
    assert "You handed this page in" in said(ann.get(address))
    assert "page handed in 1 pictures" in said(ann.get("/tasks"))
    assert site.db.crowd.run(site.db.crowd.web(), Fixed(2)).new_votes >= 16


def test_a_whole_campaign_over_http_ends_with_the_right_labels(site: Site) -> None:
    people = [site.as_("worker", f"person {n}") for n in range(3)]
    for n in range(3):
        learn(site, f"person {n}")
    for _ in range(4):
        for person in people:
            address = person.post("/tasks/next")
            while address != "/tasks":
                address = person.send(address, sheet(site.db, address))
        if not site.db.crowd.run(site.db.crowd.web(), Fixed(2)).waiting:
            break
    states = {(image.sha256, image.wnid): image.state for image in site.db.images.find()}
    assert set(states.values()) == {"yes", "no"}
    assert states == {pair: "yes" if says(pair[0]) is YES else "no" for pair in states}
    assert "looked at all pictures" in said(people[0].get("/tasks")) or "No page is open" in said(
        people[0].get("/tasks")
    )


def test_a_script_is_answered_in_json(site: Site) -> None:
    ann, address = lent(site)
    wants = {"Accept": "application/json"}
    ahead = ann.client.post("/tasks/next", data={"after": address.rpartition("/")[2]}, headers=wants).json()
    assert ahead["next"] not in ("", None, address)
    assert len(ahead["pictures"]) == len(digests(site.db, ahead["next"].rpartition("/")[2]))
    assert ann.client.get(ahead["pictures"][0]).status_code == 200
    body = urlencode(sheet(site.db, address))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        answer = ann.client.post(address, content=body, headers=wants | kind)
        assert answer.json() == {"handed_in": True, "next": ahead["next"]}
    bob = site.as_("worker", "bob")
    answer = bob.client.post("/tasks/next", headers=wants).json()
    assert answer == {"next": None, "pictures": []}


def test_a_draft_ping_says_whether_the_page_is_still_theirs(site: Site) -> None:
    ann, address = lent(site)
    page = address.rpartition("/")[2]
    ann.post(f"{address}/draft", 204)
    site.as_("worker", "bob").post(f"{address}/draft", 403)
    from holotype.catalog import schema

    past = schema.lease.update().values(until=1.0)
    site.db.catalog.transact(lambda connection: connection.execute(past))
    held = {"page": page, "crowd": "web", "worker": "carl", "at": time.time(), "until": time.time() + 900}
    site.db.catalog.transact(lambda connection: connection.execute(schema.lease.insert().values(**held)))
    ann.post(f"{address}/draft", 409)
    assert ann.send(address, sheet(site.db, address)) != address, "it counts all the same"


def test_a_page_can_be_given_back(site: Site) -> None:
    ann, address = lent(site)
    assert "Give it back" in said(ann.get("/tasks"))
    lent(site, "bob")
    carl = site.as_("worker", "carl")
    assert carl.post("/tasks/next") == "/tasks"
    assert ann.post(f"{address}/leave") == "/tasks"
    assert "Give it back" not in said(ann.get("/tasks"))
    assert carl.post("/tasks/next") == address


def test_who_has_nothing_to_do_is_told_when_to_look_again(site: Site) -> None:
    for name in ("ann", "bob"):
        lent(site, name)
    carl = site.as_("worker", "carl")
    assert carl.post("/tasks/next") == "/tasks"
    assert "in about 30 minutes" in said(carl.get("/tasks"))


def test_lemmas_in_a_persons_language_come_with_it(site: Site, tmp_path: Path) -> None:
    from holotype.catalog import translations

    row = {"language": "deu", "wnid": WHIPPET, "lemma": "Whippet-Hund", "key": "whippet-hund", "source": "x"}
    rows = [row, row | {"wnid": GREYHOUND}]
    site.db.catalog.transact(lambda connection: translations.add_translations(connection, rows))
    ann, address = lent(site)
    text = ann.client.get(address, headers={"Accept-Language": "de-CH,en;q=0.8"}).text
    assert '<span lang="de">Whippet-Hund</span>' in text
    assert "https://de.wikipedia.org/wiki/Special:Search?search=Whippet-Hund" in html.unescape(text)
    assert "Whippet-Hund" not in ann.get(address)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        ("en", []),
        ("de", ["de"]),
        ("fr;q=0.5,de", ["de", "fr"]),
        ("en-GB,de", []),
        ("*", []),
        (";;,q=x,\0,de-", ["de"]),
        ("de;q=1.5.2,fr;q=²", ["de", "fr"]),
        ("x" * 100_000, []),
    ],
)
def test_languages_are_read_as_browsers_send_them(header: str, found: list[str]) -> None:
    assert languages(header) == found


# What anybody may send


@pytest.mark.parametrize(
    "fields",
    [
        [("yes", "0")],
        [("yes", "6")],
        [("yes", "-1")],
        [("yes", "1.5")],
        [("yes", "１")],
        [("yes", "")],
        [("yes", "9" * 500)],
        [("yes", "1"), ("yes", "1")],
        [("yes", "1"), ("yes", "01")],
        [("unsure", "x")],
        [("answer-1", "yes")],
        [("yes", "1"), ("worker", "bob")],
        [("", "")],
        [("seconds", "nan")],
        [("seconds", "inf")],
        [("seconds", "-1")],
        [("seconds", "1e3")],
        [("seconds", "9999999")],
        [("seconds", "1"), ("seconds", "1")],
        [("<script>", "1")],
    ],
)
def test_a_form_that_no_page_of_ours_sends_is_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as refused:
        read_sheet(fields, 5)
    assert refused.value.status == 400


def test_a_form_says_no_by_saying_nothing_and_unsure_before_yes() -> None:
    assert read_sheet([], 3) == ([NO, NO, NO], None)
    form = [("yes", "1"), ("unsure", "2"), ("yes", "2"), ("seconds", " 12.25 ")]
    assert read_sheet(form, 3) == ([YES, UNSURE, NO], 12.25)


def test_hostile_sheets_leave_nothing_behind(site: Site) -> None:
    ann, address = lent(site)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    bodies = [
        (b"yes=99", 400),
        (b"yes=1&answer-3=yes", 400),
        (b"&".join(b"yes=%d" % n for n in range(300)), 400),
        (b"seconds=nan", 400),
        (b"yes=%ff", 400),
        (b"yes=\xff", 400),
        (b"x" * 70_000, 413),
    ]
    for body, status in bodies:
        assert ann.client.post(address, content=body, headers=kind).status_code == status, body[:40]
    assert ann.client.post(address, json={"yes": [1]}).status_code == 415
    assert (
        ann.client.post(address, content=b"yes=1", headers=kind | {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    )
    site.nobody().send(address, [("yes", "1")], 401)
    assert site.db.crowd.web().collect() == []
    ann.send(address, sheet(site.db, address))
    assert len(site.db.crowd.web().collect()) == 1


def test_fifty_of_the_same_at_once_are_one_sheet_and_fifty_equal_replies(site: Site) -> None:
    ann, address = lent(site)
    body = urlencode(sheet(site.db, address))

    def send(_: int) -> tuple[int, str]:
        answer = ann.client.post(address, content=body, headers={"Content-Type": FORM, "Accept": "application/json"})
        return answer.status_code, answer.text

    with site.db.catalog.grouped():
        replies = at_once(50, send)
    assert len(set(replies)) == 1, set(replies)
    assert replies[0][0] == 200
    assert len(site.db.crowd.web().collect()) == 1


def test_a_page_of_another_is_refused_as_one_that_is_not(site: Site) -> None:
    _, address = lent(site)
    eve = site.as_("worker", "eve")
    texts = set()
    for path in (address, "/tasks/001-0000000000000000", "/tasks/'"):
        texts.add(said(eve.get(path, 403)))
        texts.add(said(eve.send(path, [("yes", "1")], 403)))
        texts.add(said(eve.post("/flag", 403, page=path.rpartition("/")[2], kind="broken")))
    assert len(texts) == 1
    viewer = site.as_("viewer", "vic")
    for path in ("/tasks", address):
        viewer.get(path, 403)
    site.nobody().get(address, 303)


def test_flags_are_kept_once_and_decided(site: Site) -> None:
    ann, address = lent(site)
    page = address.rpartition("/")[2]
    for _ in range(2):
        assert ann.post("/flag", page=page, kind="nobody-can-tell", number="", text="<b>what?</b>") == address
        ann.post("/flag", page=page, kind="offensive", number="3", text="")
    for wrong in ({"kind": "rude"}, {"kind": "wrong-definition", "number": "1"}, {"kind": "broken", "number": "900"}):
        ann.post("/flag", 400, page=page, **wrong)
    whole, one = site.db.flags.open()
    assert (whole.kind, whole.text, whole.sha256, whole.worker) == ("nobody-can-tell", "<b>what?</b>", None, "ann")
    assert (one.kind, one.sha256) == ("offensive", digests(site.db, page)[2])
    assert site.db.flags.workers() == {(whole.wnid, "nobody-can-tell"): 1}
    assert site.db.flags.decide([one.id, 10**6], "upheld", "carol", "it is") == 1
    assert site.db.flags.decide([one.id], "dismissed", "carol", "second thoughts") == 0
    assert site.db.flags.open() == [whole]
    assert [flag.outcome for flag in site.db.flags.everything(whole.wnid)] == [None, "upheld"]
    ann.post("/flag", page=page, kind="offensive", number="3", text="still")
    assert len(site.db.flags.open()) == 2


# Pictures


def test_pictures_have_the_size_that_is_said_and_a_large_form(site: Site) -> None:
    import io

    from PIL import Image

    ann, address = lent(site)
    text = ann.get(address)
    told = re.findall(r'src="(/tasks/[^"]+)" width="(\d+)" height="(\d+)"', text)
    assert told
    for src, width, height in told[:4]:
        small = ann.client.get(html.unescape(src))
        assert Image.open(io.BytesIO(small.content)).size == (int(width), int(height))
        large = ann.client.get(f"{html.unescape(src)}&large=1")
        assert max(Image.open(io.BytesIO(large.content)).size) >= max(int(width), int(height))
        assert large.headers["Content-Type"] == small.headers["Content-Type"] == "image/jpeg"
        assert small.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_picture_is_only_at_the_address_that_was_given_out(site: Site) -> None:
    ann, address = lent(site)
    first, second = addresses(ann.get(address))[:2]
    key = first.partition("k=")[2]
    for wrong in (first[:-1], first.partition("?")[0], f"{second.partition('=')[0]}={key}", f"{first}&k={key}"):
        assert ann.client.get(wrong).status_code in (400, 404)
    assert ann.client.get(f"{first.partition('?')[0]}?k=%C3%A9").status_code == 404
    assert site.as_("worker", "bob").client.get(first).status_code == 404, "it is ann's"
    assert site.nobody().client.get(first).status_code == 303
    assert ann.client.get(address + "/0.jpg?k=" + key).status_code == 404


def test_what_is_taken_down_meanwhile_is_a_placeholder_and_its_answer_unsure(site: Site) -> None:
    ann, address = lent(site)
    page = address.rpartition("/")[2]
    taken = digests(site.db, page)[0]
    site.db.images.withdraw([taken], "a curator", "asked to")
    served = ann.client.get(addresses(ann.get(address))[0])
    assert served.status_code == 200
    from holotype.images.served import placeholder

    assert placeholder()[2:] in served.content
    length = len(digests(site.db, page))
    ann.send(address, [("yes", str(number)) for number in range(1, length + 1)])
    (found,) = site.db.crowd.web().collect()
    answers = dict(zip([task.sha256 for task in found.page.tasks], found.answers, strict=True))
    assert answers.pop(taken, UNSURE) is UNSURE
    assert set(answers.values()) == {YES}


def test_examples_are_shown_and_never_asked(db: Project) -> None:
    gold = [pair for pair, yes in gold_of(db, 4).items() if yes]
    public = [pair for pair in gold if pair[1] == WHIPPET][:2] + [pair for pair in gold if pair[1] == GREYHOUND][:2]
    assert db.gold.show(public, "a curator") == 4
    assert db.gold.show(public, "a curator") == 0
    assert {(task.sha256, task.wnid) for task in db.gold.examples()} == set(public)
    assert db.gold.hide(public[:1], "a curator") == 1
    assert len(db.gold.examples()) == 3
    db.gold.show(public, "a curator")
    site = Site(db)
    db.crowd.web().take_down()
    from holotype.catalog import schema

    for table in (schema.posting, schema.page):
        db.catalog.transact(partial(Connection.execute, statement=table.delete()))
    db.crowd.run(db.crowd.web(), Fixed(2))
    shown = {sha256 for sha256, _ in public}
    for page in db.crowd.web().waiting():
        assert shown.isdisjoint(task.sha256 for task in page.tasks)
        assert len({task.sha256 for task in page.tasks} & {sha256 for sha256, _ in gold_of(db, 4)}) > 0
    ann, address = lent(site)
    text = ann.get(address)
    own = re.findall(r'src="(/example/[^"]+)"', text)
    assert len(own) == 4
    assert text.count("not this:") == 2
    assert all(ann.client.get(html.unescape(src)).status_code == 200 for src in own)
    assert ann.client.get(html.unescape(own[0])[:-1]).status_code == 404
    with pytest.raises(holotype.errors.CrowdError, match="are no gold"):
        db.gold.show(
            [next((task.sha256, task.wnid) for task in db.candidates.tasks() if task not in db.gold.answers())], "x"
        )


# Gold must not be tellable


def gold_positions(site: Site, address: str) -> list[bool]:
    """Of each picture of a page whether it is gold."""
    gold = {task.sha256 for task in site.db.gold.answers()}
    return [sha256 in gold for sha256 in digests(site.db, address.rpartition("/")[2])]


def test_an_image_on_two_pages_has_nothing_in_common_there(site: Site) -> None:
    """The same picture on a page of the next round, to another worker: address, digest and length differ."""
    first: dict[tuple[str, str], tuple[Visitor, str]] = {}
    for name, (visitor, address) in {name: lent(site, name) for name in ("ann", "bob")}.items():
        wnid = site.db.desk.page(name, address.rpartition("/")[2], time.time()).wnid
        sources = addresses(visitor.get(address))
        pictures = zip(digests(site.db, address.rpartition("/")[2]), sources, strict=True)
        first |= {(sha256, wnid): (visitor, src) for sha256, src in pictures}
        visitor.send(address, sheet(site.db, address))
    site.db.crowd.run(site.db.crowd.web(), Fixed(2))
    dora, address = lent(site, "dora")
    wnid = site.db.desk.page("dora", address.rpartition("/")[2], time.time()).wnid
    again = dict(zip(digests(site.db, address.rpartition("/")[2]), addresses(dora.get(address)), strict=True))
    both = [sha256 for sha256 in again if (sha256, wnid) in first]
    assert len(both) > 10
    lengths = 0
    for sha256 in both:
        visitor, src = first[sha256, wnid]
        there, here = visitor.client.get(src), dora.client.get(again[sha256])
        assert here.status_code == there.status_code == 200
        parts = [re.split(r"[/?=&]", one)[2:] for one in (src, again[sha256])]
        assert parts[0][0] != parts[1][0]
        assert parts[0][-1] != parts[1][-1]
        assert here.content != there.content
        lengths += len(here.content) != len(there.content)
    assert lengths > len(both) * 0.9
    assert len({hashlib.sha256(dora.client.get(again[both[0]]).content).hexdigest() for _ in range(8)}) == 8


def test_headers_of_gold_and_the_rest_are_the_same_but_for_the_length(site: Site) -> None:
    ann, address = lent(site)
    answers = [ann.client.get(src) for src in addresses(ann.get(address))]
    assert any(gold_positions(site, address))
    heads = {tuple(sorted((k, v) for k, v in answer.headers.items() if k != "content-length")) for answer in answers}
    assert len(heads) == 1
    assert not {"etag", "last-modified", "x-", "server-timing"} & {name for name, _ in next(iter(heads))}


def test_the_length_of_a_picture_tells_no_better_than_chance_that_it_was_shown_before(site: Site) -> None:
    """Lengths of one picture, served many times, cover more than those of all pictures differ by."""
    ann, address = lent(site)
    src = addresses(ann.get(address))[0]
    lengths = [int(ann.client.get(src).headers["content-length"]) for _ in range(60)]
    assert max(lengths) - min(lengths) > 300
    assert len(set(lengths)) > 40


def test_gold_and_the_rest_ask_the_database_the_same_questions(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import event

    ann, address = lent(site)
    asked: list[str] = []
    engine = site.db.catalog._engine
    event.listen(engine, "before_cursor_execute", lambda c, cu, statement, *rest: asked.append(statement))
    costs = set()
    for src in addresses(ann.get(address)):
        asked.clear()
        ann.client.get(src)
        costs.add(tuple(asked))
    assert len(costs) == 1


def test_nothing_that_a_worker_gets_names_gold_others_or_candidates(site: Site) -> None:
    """Every answer on the way: no digest of an image, no number of a candidate in markup, no name of another."""
    private = "a-name-nobody-should-see"
    ann, address = lent(site)
    other = site.as_("worker", private)
    learn(site, private)
    other.send(theirs := other.post("/tasks/next"), sheet(site.db, theirs))
    page = address.rpartition("/")[2]
    answers = [
        ann.client.get("/tasks"),
        ann.client.get(address),
        ann.client.get(f"/quiz/{WHIPPET}"),
        ann.client.get(f"/quiz/{WHIPPET}?ask=1"),
        ann.client.get(f"/training/{WHIPPET}"),
        ann.client.post("/tasks/next", headers={"Accept": "application/json"}),
        ann.client.post(f"{address}/draft"),
        ann.client.get(addresses(ann.get(address))[0]),
        ann.client.get(f"/tasks/{page}/999.jpg?k=x"),
        ann.client.post("/flag", data={"page": page, "kind": "broken", "number": "1"}),
        ann.client.post(address, content=urlencode(sheet(site.db, address)), headers={"Content-Type": FORM}),
        ann.client.get(address),
    ]
    known = {task.sha256 for task in site.db.candidates.tasks()}
    for answer in answers:
        text = answer.text + repr(answer.headers)
        assert private not in text
        assert "gold" not in text.lower()
        assert not [sha256 for sha256 in known if sha256[:12] in text]
        assert not {name for name in answer.headers if name.startswith("x-") and name != "x-content-type-options"} - {
            "x-frame-options"
        }


FORM = "application/x-www-form-urlencoded"


def test_the_order_of_a_page_tells_no_gold(site: Site) -> None:
    """Gold stands where a draw by the page's id puts it: over many pages, as often at any place as at any other."""
    from holotype.consensus.votes import Task
    from holotype.crowd.gold import with_gold
    from holotype.crowd.port import Page

    gold = {Task(100 + n, WHIPPET, f"{n:064x}"): True for n in range(10)}
    places = []
    for number in range(300):
        tasks = tuple(Task(n, WHIPPET, hashlib.sha256(b"%d %d" % (number, n)).hexdigest()) for n in range(18))
        page = with_gold(Page(f"001-{number}", WHIPPET, tasks, frozenset(), 1), gold)
        places += [place / (len(page.tasks) - 1) for place, task in enumerate(page.tasks) if task in gold]
    assert abs(sum(places) / len(places) - 0.5) < 0.04
    assert len({round(place, 1) for place in places}) == 11


# Mechanical Turk's frame


def turk_page(db: Project) -> tuple[str, str]:
    """A page of the sandbox, and its address as a HIT has it."""
    from decimal import Decimal

    from holotype.crowd.keys import crowd_secret
    from holotype.crowd.mturk.terms import Terms
    from holotype.project.ledger import CatalogLedger

    page = db.crowd.web().waiting()[0]
    CatalogLedger(db.catalog, "mturk-sandbox", "").remember([page], 1.0)
    secret = crowd_secret(db._parts.salt, "mturk-sandbox")
    terms = Terms("https://site.example/page/{page}?k={key}", Decimal("0.10"), secret=secret)
    return page.id, terms.address(page.id).removeprefix("https://site.example")


TURK = "assignmentId=3ABC&hitId=H&workerId=W&turkSubmitTo=https%3A%2F%2Fworkersandbox.mturk.com"


def test_a_turk_worker_sees_the_page_without_a_cookie_and_posts_to_turk(site: Site) -> None:
    page, address = turk_page(site.db)
    turk = site.nobody()
    answer = turk.client.get(
        f"{address}&{TURK}", headers={"Cookie": "holotype-session=x", "Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert "x-frame-options" not in answer.headers
    assert (
        "frame-ancestors https://worker.mturk.com https://workersandbox.mturk.com"
        in answer.headers["content-security-policy"]
    )
    assert 'action="https://workersandbox.mturk.com/mturk/externalSubmit"' in answer.text
    assert 'name="assignmentId" value="3ABC"' in answer.text
    assert "127.0.0.1 asks you." in said(answer.text)
    named = Site(site.db, replace(site.settings, requester="The <Museum>"))
    assert "The &lt;Museum&gt; asks you." in named.nobody().get(f"{address}&{TURK}")
    assert not re.search(r'name="(yes|unsure)"', answer.text)
    found = addresses(answer.text)
    assert len(found) == len(digests(site.db, page))
    assert all(src.startswith(f"/page/{page}/") for src in found)
    served = turk.client.get(found[0])
    assert (served.status_code, served.headers["content-type"]) == (200, "image/jpeg")
    assert "/flag" not in answer.text


def test_a_preview_shows_all_and_hands_nothing_in(site: Site) -> None:
    _, address = turk_page(site.db)
    for more in ("&assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=H", ""):
        text = site.nobody().get(f"{address}{more}")
        assert "Accept the HIT first" in text


@pytest.mark.parametrize(
    "host",
    [
        "",
        "https://evil.example",
        "http://www.mturk.com",
        "https://www.mturk.com.evil.example",
        "https://www.mturk.com@evil.example",
        "https://evil.example/https://www.mturk.com",
        "//www.mturk.com",
        "javascript:alert(1)//https://www.mturk.com",
        "https://www.mturk.com:8443",
        "https://www.mturk.com/../evil",
        "https://WWW.MTURK.COM",
        "https://www.mturk.com#@evil.example",
        "https://www.mturk.com\\@evil.example",
        "\thttps://www.mturk.com",
        "https://workersandbox.mturk.com?x=",
        "data:text/html,x",
    ],
)
def test_a_sheet_goes_to_turk_and_nowhere_else(site: Site, host: str) -> None:
    _, address = turk_page(site.db)
    query = urlencode({"assignmentId": "3ABC", "turkSubmitTo": host})
    site.nobody().get(f"{address}&{query}", 400)
    assert host not in HOSTS


def test_a_turk_page_needs_its_key(site: Site) -> None:
    page, address = turk_page(site.db)
    for wrong in (address[:-1], f"/page/{page}", f"/page/001-0000000000000000?{address.partition('?')[2]}"):
        site.nobody().get(wrong, 404)
    site.nobody().get(f"{address}&k=again", 400)
    site.nobody().get(f"{address}&assignmentId=%22%3E&turkSubmitTo=https://www.mturk.com", 400)
