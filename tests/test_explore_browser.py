"""The exploration site as people use it: in Chromium, with and without script, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from browser import Browsing, axe, served
from conftest import encoded, photo
from holotype.crowd.expert import Nobody, Source
from holotype.geometry.masks import encoded as runs_of
from holotype.geometry.masks import text_of_runs
from holotype.project import Project
from said_boxes import MANY, images, say

if TYPE_CHECKING:
    from playwright.sync_api import Page

WHIPPET, CAT, ANIMAL, ENTITY = "n02091134", "n02121808", "n00015388", "n00001740"


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def sideways(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_everybody_can_use_every_page(phone: bool, browsing: Browsing, db: Project) -> None:
    first = next(iter(db.images.find("state:yes"))).sha256
    receipt = db.removals.ask("nothing", "because").receipt
    paths = (
        *("/", "/tree", f"/tree/{ANIMAL}?all=1", f"/synset/{ANIMAL}", f"/synset/{WHIPPET}", f"/map/{ENTITY}"),
        *("/images", "/images?q=state", f"/image/{first}", "/search?q=dog", "/releases", "/releases/v1"),
        *(f"/synset/{CAT}?release=v1", f"/image/{first}?release=v1", "/removal", f"/removal/{receipt}", "/image/x"),
    )
    with served(db) as site:
        page = browsing.page(site, phone=phone)
        for path in paths:
            page.goto(path)
            assert axe(page) == []
            assert sideways(page) <= 0, path


def test_a_branch_opens_in_place_and_again_without_asking(browsing: Browsing, db: Project) -> None:
    with served(db) as site:
        page = browsing.page(site)
        page.goto(f"/tree/{ANIMAL}?all=1")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        line = page.locator("li.twig", has=page.get_by_role("link", name="chordate", exact=True)).first
        line.locator("summary").first.click()
        line.locator("ul.kids li.twig").first.wait_for()
        assert "vertebrate" in line.inner_text()
        line.locator("summary").first.click()
        line.locator("summary").first.click()
        assert len([url for url in asked if "/tree/" in url]) == 1


def test_synsets_are_found_while_somebody_types(browsing: Browsing, db: Project) -> None:
    with served(db) as site:
        page = browsing.page(site)
        page.goto("/")
        page.get_by_label("Find a thing").press_sequentially("whipp", delay=20)
        found = page.locator("#finder-found").get_by_role("link", name="whippet").first
        found.click()
        page.wait_for_url(f"**/synset/{WHIPPET}")
        assert page.get_by_role("heading", level=1).inner_text() == "whippet"


def test_more_pictures_come_as_the_reader_goes_on(browsing: Browsing, project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "p" / WHIPPET
    folder.mkdir(parents=True)
    for seed in range(130):
        (folder / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    project.images.ingest(tmp_path / "p")
    project.crowd.run(Nobody(), Source())
    with served(project) as site:
        page = browsing.page(site)
        page.goto(f"/synset/{WHIPPET}")
        for _ in range(30):
            page.mouse.wheel(0, 4_000)
            page.wait_for_timeout(100)
            if page.locator("li.cell").count() == 130:
                break
        assert page.locator("li.cell").count() == 130
        links = page.locator("li.cell a").evaluate_all("found => found.map(one => one.href)")
        assert len(set(links)) == 130
        plain = browsing.page(site, script=False)
        plain.goto(f"/synset/{WHIPPET}")
        assert plain.locator("li.cell").count() == 60
        plain.get_by_role("link", name="More pictures").click()
        assert plain.locator("li.cell").count() == 60
        plain.get_by_role("link", name="More pictures").click()
        assert plain.locator("li.cell").count() == 10


def test_somebody_asks_for_a_picture_to_be_taken_down(browsing: Browsing, db: Project) -> None:
    first = next(iter(db.images.find("state:yes"))).sha256
    with served(db) as site:
        page = browsing.page(site, script=False)
        page.goto(f"/image/{first}")
        page.get_by_role("link", name="Ask for this picture to be taken down").click()
        page.get_by_label("Why").fill("it is my cat")
        page.get_by_label("How to reach you").fill("me@example.org")
        page.get_by_role("button", name="Ask").click()
        page.wait_for_url("**/removal/*")
        assert page.get_by_role("heading", level=1).inner_text() == "Your request was received"
        page.goto(f"/image/{first}")
        assert page.get_by_role("heading", level=1).inner_text() == "Taken down"
        assert [one.images for one in db.removals.pending()] == [(first,)]


def test_boxes_lie_where_they_were_drawn(browsing: Browsing, db: Project) -> None:
    from holotype.catalog import schema as t

    first = next(iter(db.images.find("state:yes")))
    with db.catalog.write() as connection:
        image = connection.execute(t.image.select().where(t.image.c.name == first.sha256)).one()
        box = {"image_id": image.id, "wnid": first.wnid, "x_min": 20, "y_min": 15, "x_max": 59, "y_max": 44}
        connection.execute(t.box.insert().values(**box, file_id=image.file_id))
    with served(db) as site:
        page = browsing.page(site)
        page.goto(f"/image/{first.sha256}")
        picture, drawn = page.locator(".frame img").bounding_box(), page.locator(".boxes rect").last.bounding_box()
        assert picture is not None
        assert drawn is not None
        scale = picture["width"] / 80
        wanted = (picture["x"] + 20 * scale, picture["y"] + 15 * scale, 40 * scale, 30 * scale)
        found = (drawn["x"], drawn["y"], drawn["width"], drawn["height"])
        assert found == pytest.approx(wanted, abs=2.5)  # half a line, and rounding


def test_boxes_say_by_whom_they_are(browsing: Browsing, db: Project, tmp_path: Path) -> None:
    """Those of machines are dashed; a legend tells all, grids say how many, and pictures are narrowed by them."""
    (first, wnid), *_ = images(db)
    say(db, [(first, wnid, one) for one in MANY])
    with served(db) as site:
        page = browsing.page(site)
        page.goto("/images?q=boxes%3E%3D1")
        assert page.locator(".boxed").all_inner_texts() == ["4"]
        assert "4 boxes" in (page.locator(".cell img").get_attribute("alt") or "")
        assert axe(page) == []
        page.get_by_text("Narrow it").click()
        page.get_by_label("boxes by").select_option("people")
        page.get_by_label("a box that takes").select_option("0.01")
        page.get_by_role("button", name="Show").click()
        assert page.get_by_label("Query").input_value() == "boxes>=1 boxes.by:people boxes.area>=0.01"
        assert axe(page) == []
        page.locator(".cell a").click()
        dashes = {
            by: page.locator(f".boxes .by-{by}").first.evaluate("one => getComputedStyle(one).strokeDasharray")
            for by in ("people", "archive", "machine")
        }
        assert dashes == {"people": "none", "archive": "none", "machine": "7px, 5px"}
        told = page.locator(".legend").inner_text()
        assert "16 × 16 pixels; 67 % of those who looked drew it; partly hidden" in told
        assert "80 × 60 pixels; a group" in told
        assert [one.strip() for one in page.locator(".legend dt").all_inner_texts()] == [
            "people drew",
            "came with the picture",
            "a machine drew",
        ]
        assert axe(page) == []
        page.locator(".crumbs a").last.click()
        page.get_by_role("link", name="with boxes").click()
        assert page.locator(".boxed").all_inner_texts() == ["4"]


def test_masks_lie_where_they_are_and_are_put_away_with_the_boxes(browsing: Browsing, db: Project) -> None:
    from holotype.catalog import masks
    from holotype.catalog import schema as t

    first = next(iter(db.images.find("state:yes")))
    with db.catalog.write() as connection:
        image = connection.execute(t.image.select().where(t.image.c.name == first.sha256)).one()
        box = {"image_id": image.id, "wnid": first.wnid, "x_min": 20, "y_min": 15, "x_max": 59, "y_max": 44}
        connection.execute(t.box.insert().values(**box, file_id=image.file_id))
        rows = [
            masks.MaskRow(first.wnid, 80, 60, _block(20, 15, 59, 44), 1, 20, 15, 59, 44, 0),
            masks.MaskRow(ENTITY, 80, 60, _block(0, 50, 79, 59), 1, 0, 50, 79, 59, 1),
            masks.MaskRow(CAT, 10, 10, "T3", 1, 0, 0, 9, 9, 0),  # of another size, which is not drawn
        ]
        masks.add(connection, {image.id: rows}, image.file_id)
    with served(db) as site:
        page = browsing.page(site)
        page.goto(f"/image/{first.sha256}")
        picture = page.locator(".frame img").bounding_box()
        drawn = page.locator(".masks path:not(.crowd)").bounding_box()
        assert picture is not None
        assert drawn is not None
        scale = picture["width"] / 80
        wanted = (picture["x"] + 20 * scale, picture["y"] + 15 * scale, 40 * scale, 30 * scale)
        assert (drawn["x"], drawn["y"], drawn["width"], drawn["height"]) == pytest.approx(wanted, abs=2.5)
        assert page.locator(".masks path").count() == 2
        assert "Masks: 1 × entity, 1 ×" in page.inner_text("main").replace("\n", " ")
        assert axe(page) == []
        page.get_by_label("boxes and masks").uncheck()
        assert not page.locator(".masks").is_visible()
        assert not page.locator(".boxes").is_visible()


def _block(left: int, top: int, right: int, bottom: int) -> str:
    """A rectangle of an image of 80 x 60 pixels as COCO's compressed text."""
    pixels = np.zeros((60, 80), np.bool_)
    pixels[top : bottom + 1, left : right + 1] = True
    return text_of_runs(runs_of(pixels))
