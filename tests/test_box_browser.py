"""Boxes drawn and judged in Chromium: exact pixels at every zoom, by mouse, touch, keys and numbers, and hand-ins that
a broken line does not lose."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from sqlalchemy import select

import holotype
from box_site import DOG, RULES, encoded, known, learn, make, picture, reply_to, work
from browser import Browsing, Served, axe, served
from conftest import photo
from holotype.boxes.values import Corners, Kind
from holotype.catalog import schema
from holotype.ontology import Ontology
from holotype.project import Project

if TYPE_CHECKING:
    from playwright.sync_api import Page

ZOOMS = (50, 75, 100, 150, 200, 250, 300)
EDGES = ("left", "top", "right", "bottom")


@pytest.fixture(scope="module")
def boxed_once(
    new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Twenty-four pictures to box, nothing to learn by."""
    return make(tmp_path_factory.mktemp("boxed"), new_project, wordnet, 24)


@pytest.fixture(scope="module")
def taught_once(
    new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Fourteen pictures to box, and gold to learn by."""
    return make(tmp_path_factory.mktemp("taught"), new_project, wordnet, 14, gold=24)


@pytest.fixture
def site(boxed_once: Path, copy_of: Callable[[Path], Project]) -> Iterator[Served]:
    with served(copy_of(boxed_once)) as found:
        yield found


@pytest.fixture
def school(taught_once: Path, copy_of: Callable[[Path], Project]) -> Iterator[Served]:
    with served(copy_of(taught_once)) as found:
        yield found


def start(page: Page) -> Page:
    """On to the first page of boxes."""
    page.goto("/tasks")
    page.get_by_role("button", name="boxes").click()
    return ready(page)


def ready(page: Page) -> Page:
    """The page when its picture is there and its script runs."""
    page.locator("#sheet[data-ready]").wait_for()
    page.wait_for_function("() => [...document.images].every(one => one.complete)")
    return page


def edges(page: Page) -> list[str]:
    """What the fields of the box say."""
    return [page.locator(f"#{edge}").input_value() for edge in EDGES]


def sheets(db: Project) -> list[Any]:
    """What was handed in, oldest first: of each sheet its page and its replies."""
    with db.catalog.read() as connection:
        rows = connection.execute(select(schema.sheet.c.page, schema.sheet.c.answers).order_by(schema.sheet.c.id)).all()
    return [(page, json.loads(answers)) for page, answers in rows]


def zoom_to(page: Page, percent: int) -> None:
    for _ in range(24):
        now = int(page.locator("#zoom").inner_text().removesuffix(" %"))
        if now == percent:
            return
        page.locator("#zoom-in" if now < percent else "#zoom-out").click()
    raise AssertionError(f"there is no zoom of {percent} %")


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the picture, in its pixels, is in the window; scrolled to, if need be."""
    found: list[float] = page.evaluate(
        """([x, y]) => {
            const surface = document.getElementById("surface"), view = document.getElementById("view");
            const width = Number(surface.viewBox.baseVal.width), scale = surface.getBoundingClientRect().width / width;
            view.scrollIntoView({block: "center"});
            view.scrollTo(x * scale - view.clientWidth / 2, y * scale - view.clientHeight / 2);
            const box = surface.getBoundingClientRect();
            return [box.left + x * scale, box.top + y * scale];
        }""",
        [x, y],
    )
    return found[0], found[1]


def hand_in(page: Page, ready_again: bool = True) -> None:
    """Hand in, and on to what comes next."""
    here = page.url
    page.locator("#hand-in").click()
    page.wait_for_url(lambda url: url != here)
    if ready_again and "/boxes/" in page.url:
        ready(page)


def click(page: Page, x: float, y: float) -> None:
    page.mouse.click(*at(page, x, y))


def draw(page: Page, box: Corners, how: str) -> None:
    """Draw a box by the middles of pixels on its four sides, or from one corner to the other."""
    left, top, right, bottom = box
    page.locator(f"[data-tool={how}]").click()
    if how == "extreme":
        across, down = (left + right) // 2, (top + bottom) // 2
        for x, y in [(right, down), (across, top), (left, down), (across, bottom)]:
            click(page, x + 0.5, y + 0.5)
    else:
        page.mouse.move(*at(page, left + 0.5, bottom + 0.5))
        page.mouse.down()
        page.mouse.move(*at(page, right + 0.5, top + 0.5), steps=3)
        page.mouse.up()


def some_box(seed: int, width: int, height: int) -> Corners:
    chance = random.Random(seed)
    left, top = chance.randrange(width - 20), chance.randrange(height - 20)
    corners = [(0, 0), (width - 1, height - 1)]
    if seed % 7 == 0:
        return (*corners[0], *corners[1])
    return left, top, chance.randrange(left + 15, width), chance.randrange(top + 15, height)


def test_twenty_one_drawings_at_seven_zooms_are_exact(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker"))
    drawn = []
    for number, (zoom, how) in enumerate((zoom, how) for zoom in ZOOMS for how in ("extreme", "drag", "extreme")):
        zoom_to(page, zoom)
        box = some_box(number, 320, 240)
        draw(page, box, how)
        assert edges(page) == [str(edge) for edge in box], (zoom, how)
        drawn.append({"box": list(box), "method": how})
        hand_in(page)
    kept = [replies[0] for _, replies in sheets(site.db)]
    assert [{name: one[name] for name in ("box", "method")} for one in kept] == drawn
    assert [len(one["points"]) for one in kept] == [4, 0, 4] * 7


def test_two_device_pixels_to_a_css_pixel_change_nothing(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker"))
    screen = {"width": 1366, "height": 900, "deviceScaleFactor": 2, "mobile": False}
    page.context.new_cdp_session(page).send("Emulation.setDeviceMetricsOverride", screen)
    assert page.evaluate("devicePixelRatio") == 2
    for number, zoom in enumerate((50, 150, 250)):
        zoom_to(page, zoom)
        box = some_box(50 + number, 320, 240)
        draw(page, box, "extreme")
        assert edges(page) == [str(edge) for edge in box], zoom
        page.keyboard.press("Escape")
    assert edges(page) == [""] * 4


def test_a_side_is_dragged_to_the_line_between_pixels(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker"))
    zoom_to(page, 200)
    draw(page, (50, 60, 149, 139), "extreme")
    for start_at, end_at in [
        ((50, 100), (41.2, 100)),
        ((150, 100), (170.3, 90)),
        ((90, 60), (90, 300)),
        ((90, 140), (90, 229.9)),
    ]:
        page.mouse.move(*at(page, *start_at))
        page.mouse.down()
        page.mouse.move(*at(page, *end_at), steps=4)
        page.mouse.up()
    assert edges(page) == ["41", "139", "169", "229"], "no side goes beyond the one across"
    click(page, 10, 10)
    assert "move its edges" in page.locator("#said").inner_text()
    for expected in [["41", "139", "169", "139"], ["41", "60", "169", "139"], ["41", "60", "149", "139"]]:
        page.keyboard.press("Control+z")
        assert edges(page) == expected
    hand_in(page)
    assert sheets(site.db)[0][1][0]["method"] == "extreme"


def test_everything_goes_by_keys(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker"))
    press = page.keyboard.press
    press("l")
    press("ArrowRight")
    for _ in range(3):
        press("Shift+ArrowRight")
    press("ArrowUp")  # which moves no left side
    press("b")
    press("ArrowUp")
    press("Shift+ArrowUp")
    press("t")
    press("ArrowDown")
    press("Shift+ArrowDown")
    press("r")
    press("ArrowLeft")
    assert edges(page) == ["30", "10", "319", "229"], "the first arrow takes the picture's own edge"
    press("Shift+ArrowLeft")
    press("ArrowRight")
    press("Shift+ArrowLeft")
    assert page.locator("#seen").inner_text() == "271 × 220 pixels"
    press("m")
    press("?")
    assert page.locator("#keys").is_visible()
    press("Escape")
    press("n")
    assert (edges(page), page.locator("#seen").inner_text()) == ([""] * 4, "nothing is left to box")
    press("Control+z")
    here = page.url
    press("Control+Enter")
    page.wait_for_url(lambda url: url != here)
    [(_, [reply])] = sheets(site.db)
    assert (reply["box"], reply["method"], reply["more"]) == ([30, 10, 300, 229], "keys", True)


def test_a_french_keyboard_and_none_at_all(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker"))
    page.keyboard.press("?")
    page.locator("[data-action=left] .change").click()
    page.keyboard.press("g")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    assert page.evaluate("document.activeElement.id") == "left"
    page.keyboard.press("?")
    page.locator("#letters").uncheck()
    page.locator("#keys .close").click()
    page.locator("#view").focus()
    page.keyboard.press("n")
    assert not page.locator("[name=nothing]").is_checked()


def test_four_taps_make_a_box_and_only_dragging_takes_the_touch(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker", phone=True))
    for x, y in [(30.5, 100.5), (120.5, 20.5), (250.5, 90.5), (100.5, 180.5)]:
        page.touchscreen.tap(*at(page, x, y))
    assert edges(page) == ["30", "20", "250", "180"]
    action = "getComputedStyle(document.getElementById('surface')).touchAction"
    assert page.evaluate(action) == "manipulation"
    page.locator("[data-tool=drag]").click()
    assert page.evaluate(action) == "manipulation", "there is a box, so that the page may be moved"
    page.get_by_role("button", name="Undo").click()
    for _ in range(4):
        if page.get_by_role("button", name="Undo").is_enabled():
            page.get_by_role("button", name="Undo").click()
    assert page.evaluate(action) == "none"
    finger = page.context.new_cdp_session(page)
    down, up = at(page, 40.5, 60.5), at(page, 200.5, 160.5)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    before = page.evaluate("scrollY")
    touch("touchStart", down)
    for part in range(1, 6):
        touch("touchMove", tuple(a + (b - a) * part / 5 for a, b in zip(down, up, strict=True)))  # type: ignore[arg-type]
    touch("touchEnd")
    assert edges(page) == ["40", "60", "200", "160"]
    assert page.evaluate("scrollY") == before


def test_numbers_are_taken_as_they_are_and_odd_ones_are_told(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker"))
    for edge, value in zip(EDGES, ("10", "20", "400", "99"), strict=True):
        page.locator(f"#{edge}").fill(value)
    page.locator("#hand-in").dispatch_event("click")
    assert page.locator("#said").inner_text() == "the picture has columns 0 to 319 and rows 0 to 239"
    page.locator("#right").fill("5")
    page.locator("#hand-in").dispatch_event("click")
    assert page.locator("#said").inner_text() == "left is beyond right"
    page.locator("#right").fill("ten")
    assert page.locator("#right").get_attribute("aria-invalid") == "true"
    page.locator("#right").fill("10")
    hand_in(page)
    assert sheets(site.db)[0][1][0]["box"] == [10, 20, 10, 99]
    assert sheets(site.db)[0][1][0]["method"] == "numbers"


def test_it_works_without_script(browsing: Browsing, site: Served) -> None:
    page = browsing.page(site, "worker", script=False)
    page.goto("/tasks")
    page.get_by_role("button", name="boxes").click()
    first = page.url
    for edge, value in zip(EDGES, ("10", "20", "200", "99"), strict=True):
        page.locator(f"#{edge}").fill(value)
    page.locator("[name=truncated]").check()
    page.locator("#hand-in").click()
    assert page.url != first
    page.locator("[name=nothing]").check()
    page.locator("#hand-in").click()
    kept = [replies[0] for _, replies in sheets(site.db)]
    assert [one["box"] for one in kept] == [[10, 20, 200, 99], None]
    assert (kept[0]["method"], kept[0]["truncated"], kept[0]["occluded"]) == ("numbers", True, False)
    page.locator("#hand-in").click()
    assert "say that nothing is left" in page.locator("main").inner_text()


def turned(image: Image.Image, orientation: int) -> bytes:
    """The file that a browser turns into this picture by an EXIF orientation."""
    way = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image.transpose(way[orientation]) if orientation > 1 else image, exif=exif)


def test_eight_orientations_give_the_same_upright_box(
    browsing: Browsing, new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path: Path
) -> None:
    photos = tmp_path / "photos" / DOG
    photos.mkdir(parents=True)
    for orientation in range(1, 9):
        (photos / f"{orientation}.jpg").write_bytes(turned(picture(4), orientation))
    with holotype.open(new_project(tmp_path / "project"), wordnet) as db, served(db) as site:
        db.images.ingest(tmp_path / "photos")
        db.boxes.run(db.boxes.web(), RULES, "state:open")
        page = start(browsing.page(site, "worker"))
        for _ in range(8):
            size = page.evaluate("[picture.naturalWidth, picture.naturalHeight]")
            assert size == [320, 240]
            draw(page, (20, 30, 199, 149), "extreme")
            hand_in(page)
        kept = [replies[0]["box"] for _, replies in sheets(db)]
    assert kept == [[20, 30, 199, 149]] * 8


def test_a_picture_of_another_size_is_not_drawn_on(browsing: Browsing, site: Served) -> None:
    page = browsing.page(site, "worker")
    page.route("**/1.jpg?*", lambda route: route.fulfill(body=encoded(photo(1, 240, 320)), content_type="image/jpeg"))
    start(page)
    assert "another size than we know" in page.locator("#said").inner_text()
    draw(page, (20, 30, 199, 149), "extreme")
    assert edges(page) == [""] * 4
    page.locator("[name=nothing]").check()
    page.locator("#hand-in").dispatch_event("click")
    assert sheets(site.db) == []


def test_a_large_picture_comes_smaller_and_its_pixels_stay_its_own(
    browsing: Browsing, new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path: Path
) -> None:
    photos = tmp_path / "photos" / DOG
    photos.mkdir(parents=True)
    (photos / "large.jpg").write_bytes(encoded(photo(1, 4100, 2731)))
    with holotype.open(new_project(tmp_path / "project"), wordnet) as db, served(db) as site:
        db.images.ingest(tmp_path / "photos")
        db.boxes.run(db.boxes.web(), RULES, "state:open")
        page = start(browsing.page(site, "worker"))
        assert page.evaluate("[picture.naturalWidth, picture.naturalHeight]") == [2048, 1364]
        zoom_to(page, 50)
        draw(page, (101, 301, 3900, 2001), "extreme")
        hand_in(page)
        assert sheets(db)[0][1][0]["box"] == [101, 301, 3900, 2001]


def test_a_broken_line_loses_nothing_and_neither_does_a_closed_page(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker"))
    first = page.url
    draw(page, (20, 30, 199, 149), "extreme")
    page.locator("[name=occluded]").check()
    page.goto("/tasks")
    page.goto(first)
    ready(page)
    assert edges(page) == ["20", "30", "199", "149"]
    assert page.locator("[name=occluded]").is_checked()
    page.context.set_offline(True)
    page.locator("#hand-in").click()
    page.locator("#ended", has_text="is kept on this device").wait_for()
    assert sheets(site.db) == []
    page.context.set_offline(False)
    page.wait_for_url(lambda url: url != first)
    [(_, [reply])] = sheets(site.db)
    assert (reply["box"], reply["occluded"], len(reply["points"])) == ([20, 30, 199, 149], True, 4)


def test_another_tab_hears_that_a_box_was_handed_in(browsing: Browsing, site: Served) -> None:
    page = start(browsing.page(site, "worker"))
    other = page.context.new_page()
    other.goto(page.url)
    ready(other)
    draw(page, (20, 30, 199, 149), "drag")
    other.wait_for_function("() => document.getElementById('right').value === '199'")
    page.locator("#hand-in").click()
    other.locator("#ended", has_text="handed in from another tab").wait_for()
    assert len(sheets(site.db)) == 1


def lent(site: Served, kind: Kind, browsing: Browsing, **options: Any) -> Page:
    """A worker's page of a kind."""
    id = work(site.db, "Kim", kind)
    with site.db.catalog.read() as connection:
        lease = schema.lease.c
        name = (
            connection.execute(select(lease.worker).where(lease.page == id).order_by(lease.id.desc())).scalars().first()
        )
    assert name is not None
    page = browsing.page(site, "worker", name=name, **options)
    page.goto(f"/boxes/{id}")
    return ready(page) if options.get("script", True) else page


def test_boxes_are_judged_by_keys(browsing: Browsing, site: Served) -> None:
    page = lent(site, Kind.QUALITY, browsing)
    press = page.keyboard.press
    count = page.locator(".judged").count()
    page.locator("[name=answer-1]").first.focus()
    for key in ("y", "l", "w", "t", "s", "u"):
        press(key)
    press("ArrowLeft")
    press("1")
    press("Control+z")
    for _ in range(5):
        press("ArrowRight")
    press("Home")
    press("ArrowDown")  # of radio buttons: the next answer
    press("z")
    assert page.locator("#enlarged").is_visible()
    assert page.locator("#enlarged rect").count() == page.locator(".judged").first.locator("rect").count()
    press("y")
    press("z")
    page.locator("#hand-in").dispatch_event("click")
    assert page.locator("#said").inner_text() == "first answer those that are left"
    for n in range(7, count + 1):
        page.locator(f"[name=answer-{n}]").first.focus()
        press("y")
    here = page.url
    press("Control+Enter")
    page.wait_for_url(lambda url: url != here)
    [(_, replies)] = sheets(site.db)[-1:]
    said = [(one["answer"], one["reason"]) for one in replies]
    assert said[:6] == [(2, ""), (0, "loose"), (0, "wrong"), (0, "repeated"), (0, "several"), (1, "")]
    assert said[6:] == [(2, "")] * (count - 6)


def test_coverage_is_judged_without_script(browsing: Browsing, site: Served) -> None:
    page = lent(site, Kind.COVERAGE, browsing, script=False)
    for n in range(1, page.locator(".judged").count() + 1):
        page.locator(f"[name=answer-{n}]").nth(n % 3).check()
    page.locator("#hand-in").click()
    [(_, replies)] = sheets(site.db)[-1:]
    assert [one["answer"] for one in replies] == [(2, 0, 1)[n % 3] for n in range(1, len(replies) + 1)]


@pytest.mark.parametrize("phone", [False, True])
def test_every_page_of_boxes_is_for_everybody(browsing: Browsing, school: Served, phone: bool) -> None:
    page = browsing.page(school, "worker", phone=phone)
    found = []

    def look(page: Page, *dialogs: str) -> None:
        found.extend(axe(page))
        for opener, dialog in zip(dialogs[::2], dialogs[1::2], strict=True):
            page.locator(opener).first.dispatch_event("click")
            page.locator(f"{dialog}[open]").wait_for()
            found.extend(axe(page))
            page.keyboard.press("Escape")
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], page.url

    start(page)
    assert "/boxes/lesson/draw/" in page.url
    look(page, "#show-keys", "#keys", "#show-rules", "#rules")
    for _ in range(6):
        ready(page)
        page.locator("[name=nothing]").check()
        page.locator("#hand-in").click()
        page.locator(".marked").wait_for()
        look(page)
        page.locator(".done .button").click()
    for kind in (Kind.QUALITY, Kind.COVERAGE):
        page.goto(f"/boxes/lesson/{kind}/{DOG}")
        ready(page)
        look(page, "#show-keys", "#keys", "#show-rules", "#rules", ".enlarge", "#enlarged")
        for n in range(1, page.locator(".judged").count() + 1):
            page.locator(f"[name=answer-{n}]").first.check()
        page.locator("#hand-in").click()
        page.locator(".marks").wait_for()
        look(page)
    judging = lent(school, Kind.QUALITY, browsing, phone=phone)
    look(judging, "#show-keys", "#keys", ".enlarge", "#enlarged")
    for n in range(1, judging.locator(".judged").count() + 1):
        judging.locator(f"[name=answer-{n}]").first.check()
    here = judging.url
    judging.locator("#hand-in").click()
    judging.wait_for_url(lambda url: url != here)
    look(judging)
    judging.goto(here)
    look(judging)
    assert "can only be looked at" in judging.locator("main").inner_text()
    page.goto("/tasks")
    look(page)
    assert found == []


def test_a_lesson_is_passed_by_drawing_what_is_there(browsing: Browsing, school: Served) -> None:
    page = start(browsing.page(school, "worker", name="ann"))
    for step in range(6):
        ready(page)
        sight = school.db.box_desk.lesson("ann", Kind.DRAW, DOG, 1.0)
        assert sight is not None
        reply: Any = reply_to(sight, 0)
        if reply.box is None:
            page.locator("[name=nothing]").check()
        else:
            draw(page, reply.box, "extreme")
        page.locator("#hand-in").click()
        page.locator(".is-right").wait_for()
        assert f"{step + 1} of" in page.locator(".done").inner_text()
        page.locator(".done .button").click()
    ready(page)
    assert "/boxes/draw-001-" in page.url


def test_learned_is_learned(school: Served) -> None:
    learn(school.db, "bob", Kind.COVERAGE)
    assert school.db.box_desk.lesson("bob", Kind.COVERAGE, DOG, 3.0) is None
    assert known(1)[1] != known(2)[1]
