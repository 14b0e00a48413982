"""Gold as curators see and change it on pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holotype.project import Project
from visitors import Site, said

WHIPPET = "n02091134"
GOLD = f"/project/gold/{WHIPPET}"


@pytest.fixture
def site(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Site:
    return Site(copy_of(labelled_once))


@pytest.fixture
def images(site: Site) -> list[str]:
    return [image.sha256 for image in site.db.images.find(f"synset:{WHIPPET} state:yes")]


def gold(site: Site) -> dict[str, bool]:
    return {task.sha256: yes for task, yes in site.db.gold.answers().items()}


def test_gold_is_chosen_from_what_is_decided(site: Site, images: list[str]) -> None:
    curator = site.as_("curator", "Ann")
    assert "There is no gold yet" in said(curator.get("/project/gold"))
    assert f'href="{GOLD}"' in curator.get("/project/gold?q=whippet")
    page = curator.get(GOLD)
    assert all(f'name="{sha256}" value="yes"' in page for sha256 in images)
    assert curator.send(GOLD, [(images[0], "yes"), (images[1], "no"), (images[2], "")]) == GOLD
    assert gold(site) == {images[0]: True, images[1]: False}
    assert {one.by for one in site.db.gold.history()} == {"Ann"}
    page = curator.get(GOLD)
    assert f'name="{images[0]}"' not in page
    assert f"/thumb/{images[0]}.jpg" in page
    assert "whippet n02091134 1 1 0" in said(curator.get("/project/gold"))


def test_nothing_chosen_and_what_is_no_candidate_are_refused(site: Site, images: list[str]) -> None:
    curator = site.as_("curator")
    curator.send(GOLD, [(images[0], "")], 400)
    curator.send(GOLD, [("0" * 64, "yes")], 404)
    curator.send(GOLD, [(images[0], "yes"), ("<script>", "no")], 404)
    curator.send("/project/gold/n99999999", [(images[0], "yes")], 404)
    curator.get(f"{GOLD}?state=evil", 400)
    assert not gold(site)


def test_gold_is_corrected_and_withdrawn_with_a_reason(site: Site, images: list[str]) -> None:
    site.db.gold.add({(images[0], WHIPPET): True}, "Bob")
    curator = site.as_("curator", "Ann")
    curator.post(f"{GOLD}/correct", 400, image=images[0], answer="no", reason="")
    curator.post(f"{GOLD}/correct", 400, image=images[0], answer="maybe", reason="hm")
    assert gold(site) == {images[0]: True}
    curator.post(f"{GOLD}/correct", image=images[0], answer="no", reason="it is a greyhound")
    assert gold(site) == {images[0]: False}
    assert "Ann" in (page := said(curator.get(GOLD)))
    assert "it is a greyhound" in page
    curator.post(f"{GOLD}/correct", image=images[0], answer="withdrawn", reason="nobody can tell")
    assert gold(site) == {}
    assert "never were gold" in said(curator.post(f"{GOLD}/correct", 400, image=images[1], answer="no", reason="x"))


def test_gold_is_made_an_example_and_is_one_no_more(site: Site, images: list[str]) -> None:
    db, curator = site.db, site.as_("curator", "Ann")
    db.gold.add({(images[0], WHIPPET): True}, "Bob")
    curator.post(f"{GOLD}/example", image=images[0], shown="yes")
    assert [task.sha256 for task in db.gold.examples()] == [images[0]]
    assert "an example" in said(curator.get(GOLD))
    curator.post(f"{GOLD}/example", image=images[0], shown="no")
    assert not db.gold.examples()
    curator.post(f"{GOLD}/example", 400, image=images[1], shown="yes")


def test_siblings_lend_noes(site: Site, images: list[str]) -> None:
    curator = site.as_("curator")
    site.db.gold.add({(images[0], WHIPPET): True}, "Bob")
    assert curator.post("/project/gold/siblings", number="3") == "/project/gold"
    for wrong in ("0", "101", "x", "1e1"):
        curator.post("/project/gold/siblings", 400, number=wrong)


def test_a_synset_of_many_candidates_comes_a_page_at_a_time(
    project: Project, tmp_path: Path, fill: Callable[..., None]
) -> None:
    fill(tmp_path / "photos" / WHIPPET, 26)
    project.images.ingest(tmp_path / "photos")
    curator = Site(project).as_("curator")
    first, second = curator.get(f"{GOLD}?state=open"), curator.get(f"{GOLD}?state=open&page=2")
    assert (first.count("/thumb/"), second.count("/thumb/")) == (24, 2)
    assert "There is none yet" in said(first)
