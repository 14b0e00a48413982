"""Audits planned and done on pages: blind, one picture at a time, by somebody independent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from holotype.consensus.votes import Answer
from holotype.crowd.keys import audit_key
from holotype.project import Project
from visitors import Site, Visitor, said

WHIPPET = "n02091134"
DOG = "n02084071"


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


@pytest.fixture
def site(db: Project) -> Site:
    return Site(db)


def hidden(page: str) -> dict[str, str]:
    """The fields of a page's form that are not for people to see."""
    return dict(re.findall(r'<input type="hidden" name="(position|k)" value="([^"]*)"', page))


def look(auditor: Visitor, target: str, answer: str, **more: str) -> dict[str, str]:
    """Answer what is asked next: the fields that were sent."""
    fields = hidden(auditor.get(f"/audit/{target}"))
    assert auditor.post(f"/audit/{target}", **fields, answer=answer, **more) == f"/audit/{target}"
    return fields


def test_a_curator_finds_a_synset_and_draws(site: Site) -> None:
    curator = site.as_("curator")
    page = curator.get("/project/audits?q=whippet")
    assert 'value="n02091134" required checked' in page
    assert "No synset is called so" in said(curator.get("/project/audits?q=zqxw"))
    assert curator.post("/project/audits", synset=DOG, size="3") == "/project/audits"
    (plan,) = site.db.audits.progress()
    assert (plan.wnid, plan.size, plan.done) == (DOG, 3, 0)
    assert "dog" in said(curator.get("/project/audits"))
    curator.post("/project/audits", 400, synset=DOG, size="0")
    curator.post("/project/audits", 404, synset="n99999999", size="3")
    assert "nothing below" in said(curator.post("/project/audits", 400, synset="n01503061", size="3")).lower()
    curator.post("/project/audits", 400, synset=DOG, size="4")  # there is a plan of another size
    curator.post("/project/audits", synset="n00015388", size="2", each="yes")
    assert {plan.wnid for plan in site.db.audits.progress()} > {"n00015388", WHIPPET}


def test_an_audit_is_done_to_its_certificate(site: Site) -> None:
    db, auditor = site.db, site.as_("auditor", "Eve")
    accepted = len(list(db.images.find(f"under:{DOG} state:yes")))
    db.audits.draw([DOG], 5)
    assert "0 of 5 looked at" in said(auditor.get("/audit"))
    seen = [look(auditor, DOG, answer)["position"] for answer in ("yes", "yes", "no", "unsure", "yes")]
    assert sorted(seen) == ["1", "2", "3", "4", "5"]
    assert "Nothing is left for you here All 5 are looked at" in said(auditor.get(f"/audit/{DOG}"))
    (certificate,) = db.audits.certificates()
    assert (certificate.correct, certificate.audited) == (3, 5)
    words = f"3 of 5 are right: with 95% confidence at least {100 * certificate.lower:.1f} % of {accepted}"
    assert words in said(auditor.get("/audit"))
    assert words in said(site.as_("curator").get("/project/audits"))


def test_nothing_is_told_before_all_is_looked_at(site: Site) -> None:
    site.db.audits.draw([DOG], 3)
    auditor, curator = site.as_("auditor", "Eve"), site.as_("curator")
    look(auditor, DOG, "no")
    page = curator.get("/project/audits")
    assert "1 of 3" in said(page)
    assert "right" not in said(page).partition("Plans")[2]


def test_an_auditor_sees_the_picture_and_its_question_and_no_more(site: Site) -> None:
    db = site.db
    db.audits.draw([DOG], 4)
    digests = {task.sha256 for task in db.candidates.tasks()}
    page = site.as_("auditor", "Eve").get(f"/audit/{DOG}")
    assert "Does it show a whippet ?" in said(page)
    for secret in (*digests, *(sha256[:8] for sha256 in digests), *(vote.worker for vote in db.crowd.votes())):
        assert secret not in page
    for word in ("posterior", "votes", "undecided", "policy"):
        assert word not in page


def test_the_picture_is_the_labels_for_who_has_its_key(site: Site) -> None:
    db, auditor, other = site.db, site.as_("auditor", "Eve"), site.as_("auditor", "Max")
    db.audits.draw([DOG], 3)
    (path,) = re.findall(r'src="(/audit/[^"]+)"', auditor.get(f"/audit/{DOG}"))
    first, second = auditor.client.get(path), auditor.client.get(path)
    assert first.headers["Content-Type"] == "image/jpeg"
    assert first.headers["Cache-Control"] == "no-store"
    assert first.content[:3] == b"\xff\xd8\xff" != second.content
    assert first.content != second.content
    other.get(path, 404)
    auditor.get(path.replace("k=", "k=0"), 404)
    auditor.get(path.replace(".jpg", "9.jpg"), 404)
    auditor.get(f"/audit/{WHIPPET}/1.jpg?k=x", 404)


def test_two_auditors_look_at_different_ones_first_and_at_none_twice(site: Site) -> None:
    site.db.audits.draw([DOG], 7)
    people = [site.as_("auditor", name) for name in ("Eve", "Max")]
    seen = [look(people[number % 2], DOG, "yes")["position"] for number in range(7)]
    assert len(set(seen)) == 7
    assert "Nothing is left" in said(people[1].get(f"/audit/{DOG}"))


def test_one_can_be_put_off(site: Site) -> None:
    site.db.audits.draw([DOG], 3)
    auditor = site.as_("auditor", "Eve")
    places, after = [], "0"
    for _ in range(4):
        after = hidden(auditor.get(f"/audit/{DOG}?after={after}"))["position"]
        places.append(after)
    assert len(set(places[:3])) == 3
    assert places[3] == places[0]
    auditor.get(f"/audit/{DOG}?after=x", 400)
    auditor.get(f"/audit/{DOG}?after=999999")


def test_who_voted_on_an_image_is_not_asked_about_it(site: Site) -> None:
    db, eve = site.db, site.as_("auditor", "Eve")
    db.audits.draw([WHIPPET], 8)
    tasks = [task for task in db.candidates.tasks() if task.wnid == WHIPPET][:3]
    votes = {"sha256": [one.sha256 for one in tasks], "wnid": [one.wnid for one in tasks]}
    db.crowd.append({**votes, "worker": ["eve "] * 3, "answer": ["yes"] * 3})
    size, free = db.audits.progress()[0].size, {one.left for one in db.audits.progress("Eve")}
    assert free == {size - 3}
    sight = {_pair_at(db, place, "Eve") for place in range(1, size + 1)}
    asked = {_pair_at(db, int(look(eve, WHIPPET, "yes")["position"]), "Eve") for _ in range(size - 3)}
    assert sight - asked == {(one.sha256, WHIPPET) for one in tasks}
    assert "the rest is for another auditor" in said(eve.get(f"/audit/{WHIPPET}"))
    assert db.audits.progress("Max")[0].left == 3


def _pair_at(db: Project, position: int, name: str) -> tuple[str, str] | None:
    seed = db.audits.status()[0].plan.seed
    return db.audits.pair(WHIPPET, position, name, audit_key(db._parts.salt, seed, position, name))


def test_a_forged_answer_of_who_voted_is_refused(site: Site) -> None:
    db = site.db
    db.audits.draw([WHIPPET], 8)
    eve = site.as_("auditor", "Eve")
    form = hidden(eve.get(f"/audit/{WHIPPET}"))
    sha256, wnid = _pair_at(db, int(form["position"]), "Eve") or ("", "")
    db.crowd.append({"sha256": [sha256], "wnid": [wnid], "worker": ["EVE"], "answer": ["yes"]})
    assert "independent" in said(eve.post(f"/audit/{WHIPPET}", 400, **form, answer="yes"))
    assert db.audits.progress()[0].done == 0


def test_what_was_not_asked_is_not_answered(site: Site) -> None:
    site.db.audits.draw([DOG], 3)
    auditor, other = site.as_("auditor", "Eve"), site.as_("auditor", "Max")
    form = hidden(auditor.get(f"/audit/{DOG}"))
    other.post(f"/audit/{DOG}", 409, **form, answer="yes")
    auditor.post(f"/audit/{DOG}", 409, position="x", k=form["k"], answer="yes")
    auditor.post(f"/audit/{DOG}", 409, position="0", k=form["k"], answer="yes")
    auditor.post(f"/audit/{DOG}", 400, **form, answer="maybe")
    auditor.post(f"/audit/{DOG}", 400, **form)
    assert site.db.audits.progress()[0].done == 0


def test_the_same_answer_again_is_harmless_and_another_needs_a_correction(site: Site) -> None:
    site.db.audits.draw([DOG], 3)
    auditor = site.as_("auditor", "Eve")
    form = look(auditor, DOG, "yes")
    auditor.post(f"/audit/{DOG}", **form, answer="yes")
    assert "otherwise" in said(auditor.post(f"/audit/{DOG}", 400, **form, answer="no"))
    page = auditor.get(f"/audit/{DOG}/last")
    assert "You said yes to" in said(page)
    assert hidden(page) == form
    auditor.post(f"/audit/{DOG}/last", 400, **form, answer="no", reason=" ")
    auditor.post(f"/audit/{DOG}/last", **form, answer="no", reason="it is a greyhound")
    assert site.db.audits.last(DOG, "Eve").said is Answer.NO  # type: ignore[union-attr]
    assert "You said no to" in said(auditor.get(f"/audit/{DOG}/last"))


def test_what_is_asked_to_be_taken_down_waits(site: Site) -> None:
    db = site.db
    db.audits.draw([WHIPPET], 8)
    size = db.audits.progress()[0].size
    sha256 = next(task.sha256 for task in db.candidates.tasks() if task.wnid == WHIPPET)
    receipt = db.removals.ask(sha256, "it is mine").receipt
    drawn = sha256 in {label.sha256 for label in db.audits.status()[0].sample}
    (waiting,) = db.audits.progress("Eve")
    assert (waiting.done, waiting.left) == (0, size - drawn)
    db.removals.accept(receipt, "me", "it is theirs")
    assert db.audits.progress("Eve")[0].done == drawn


def test_there_is_nothing_to_audit_where_nothing_is_planned(site: Site) -> None:
    auditor = site.as_("auditor")
    assert "Nothing is planned" in said(auditor.get("/audit"))
    for path in (f"/audit/{DOG}", f"/audit/{DOG}/last", "/audit/x", f"/audit/{DOG}/1.jpg?k=1"):
        auditor.get(path, 404)
    site.db.audits.draw([DOG], 2)
    auditor.get(f"/audit/{DOG}/last", 404)


def test_only_auditors_audit_be_they_operators(site: Site) -> None:
    site.db.audits.draw([DOG], 2)
    for role in ("viewer", "worker", "curator", "operator"):
        site.as_(role).get(f"/audit/{DOG}", 403)
    site.as_("operator", "both", "auditor").get(f"/audit/{DOG}")
