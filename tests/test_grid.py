"""The verification grid in Chromium: what people click, type, lose and hand in."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

import pytest

from browser import ARGUMENTS, Browsing, Served, another_site, axe, come_in
from grid_site import CAT, Desk, desk_site
from holotype.project import Project
from holotype.web import statics

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page, Playwright

Error = pytest.importorskip("playwright.sync_api").Error


@pytest.fixture
def desk() -> Desk:
    return Desk(size=12)


@pytest.fixture
def site(project: Project, desk: Desk) -> Iterator[Served]:
    with desk_site(project, desk) as found:
        yield found


@pytest.fixture
def opened(browsing: Browsing, site: Served) -> Callable[..., Page]:
    """A worker's page at an address; its clock can be turned."""

    def open(address: str = "/tasks/p-1", **options: Any) -> Page:
        page = browsing.page(site, "worker", **options)
        if options.get("script", True):
            page.clock.install()
        page.goto(address)
        ready(page)
        return page

    return open


def ready(page: Page) -> Page:
    """The page when its script runs, if it has pictures and a script."""
    if page.locator("#sheet").count() and page.locator("html.scripted").count():
        page.locator("#sheet[data-ready]").wait_for()
    return page


def ticked(page: Page) -> tuple[list[int], list[int]]:
    """The numbers of the pictures that are said to show it, and of those that nobody is sure of."""
    boxes = "boxes => boxes.filter(box => box.checked).map(box => Number(box.closest('.cell').dataset.number))"
    yes, unsure = (page.locator(f".{kind} input").evaluate_all(boxes) for kind in ("yes", "unsure"))
    return yes, unsure


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def click(page: Page, number: int, *modifiers: str) -> None:
    page.get_by_alt_text(f"Picture {number}", exact=True).click(modifiers=list(modifiers))  # type: ignore[arg-type]


def box(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=name, exact=True)


def look(page: Page, *, patiently: bool = True) -> None:
    """Look at every picture that loads, and for long enough."""
    for n in range(page.locator(".cell").count()):
        cell = page.locator(".cell").nth(n)
        cell.scroll_into_view_if_needed()
        cell.and_(page.locator("[data-seen], .failed")).wait_for()
    if patiently:
        page.clock.fast_forward(60_000)


def button(page: Page) -> str:
    return page.locator("#hand-in").inner_text()


def wait_until(page: Page, number: int) -> None:
    page.wait_for_url(f"**/tasks/p-{number}")


def test_the_whole_picture_is_the_target_and_ranges_are_undone_as_one(opened: Callable[..., Page]) -> None:
    page = opened()
    click(page, 2)
    click(page, 5, "Shift")
    assert ticked(page) == ([2, 3, 4, 5], [])
    assert button(page) == "Hand in: 8 do not show it"
    click(page, 3)
    box(page, "Picture 4 not sure").click()
    assert ticked(page) == ([2, 5], [4])
    box(page, "Picture 4 shows it").check()
    assert ticked(page) == ([2, 4, 5], [])
    for expected in [([2, 5], [4]), ([2, 4, 5], []), ([2, 3, 4, 5], []), ([2], []), ([], [])]:
        page.get_by_role("button", name="Undo").click()
        assert ticked(page) == expected
    assert page.get_by_role("button", name="Undo").is_disabled()
    box(page, "Picture 9 shows it").click(modifiers=["Shift"])
    assert ticked(page) == ([4, 5, 6, 7, 8, 9], [])
    box(page, "Picture 7 shows it").click(modifiers=["Shift"])
    assert ticked(page) == ([4, 5, 6], [])


def test_everything_goes_by_keys(opened: Callable[..., Page]) -> None:
    page = opened()
    press = page.keyboard.press
    page.locator("#yes-1").focus()
    for key in ("y", "n", "u", "1"):
        press(key)
    assert (ticked(page), focused(page)) == (([1, 4], [3]), "yes-4")
    press("3")
    press("ArrowRight")
    press("Space")
    assert ticked(page) == ([1, 5], [3, 4])
    press("2")
    press("Control+z")
    assert (ticked(page), focused(page)) == (([1, 5], [3, 4]), "yes-5")
    press("End")
    press("Shift+ArrowLeft")
    assert (ticked(page)[0], focused(page)) == ([1, 5, 11, 12], "yes-11")
    press("Home")
    press("ArrowDown")
    assert focused(page) == "yes-8"  # seven columns at this width
    press("ArrowDown")
    press("ArrowUp")
    press("ArrowUp")
    assert focused(page) == "yes-1"
    press("Enter")
    assert ticked(page)[0] == [1, 5, 11, 12]


def test_one_picture_is_in_the_order_of_the_tab_key(opened: Callable[..., Page]) -> None:
    page = opened()
    page.locator("#yes-3").focus()
    stops = "some => some.filter(one => one.tabIndex === 0).map(one => one.closest('.cell').dataset.number)"
    assert page.locator(".cell :is(input, button)").evaluate_all(stops) == ["3", "3", "3"]
    for expected in ("unsure-3", "", "show-keys"):  # the second is the button that enlarges; nothing is there to undo
        page.keyboard.press("Tab")
        assert focused(page) == expected


def test_a_picture_is_enlarged_and_the_focus_comes_back(opened: Callable[..., Page]) -> None:
    page = opened()
    large = page.get_by_role("dialog")
    page.locator("#yes-2").focus()
    page.keyboard.press("z")
    assert large.get_by_role("heading").inner_text() == "Picture 2"
    page.wait_for_function("() => document.querySelector('#enlarged img').naturalWidth > 256")
    page.keyboard.press("y")
    assert (ticked(page)[0], large.get_by_role("heading").inner_text()) == ([2], "Picture 3")
    large.get_by_role("button", name="not sure").click()
    assert large.get_by_role("button", name="not sure").get_attribute("aria-pressed") == "true"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.locator("#yes-4:focus").wait_for()
    assert ticked(page) == ([2], [3])
    page.keyboard.down("z")
    page.keyboard.down("z")
    assert large.is_visible()
    page.keyboard.up("z")
    assert not large.is_visible()
    page.get_by_role("button", name="Enlarge picture 7").click()
    assert large.get_by_role("heading").inner_text() == "Picture 7"
    large.get_by_role("button", name="Close").click()
    page.locator("#yes-7:focus").wait_for()


def test_keys_are_listed_changed_and_switched_off(opened: Callable[..., Page]) -> None:
    page = opened()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    assert "not sure, and on to the next" in keys.inner_text()
    keys.get_by_role("button", name="Change the key for: shows it, and on to the next").click()
    page.keyboard.press("F2")
    assert "cannot be taken" in keys.inner_text()
    page.keyboard.press("n")  # that of another action, which gets the old one
    page.keyboard.press("Escape")
    page.reload()
    ready(page)
    page.locator("#yes-1").focus()
    page.keyboard.press("n")
    page.keyboard.press("y")
    assert (ticked(page)[0], focused(page)) == ([1], "yes-3")
    page.get_by_role("button", name="Keys").click()
    keys.get_by_label("Use the single keys below").uncheck()
    keys.get_by_role("button", name="Close").click()
    page.reload()
    ready(page)
    page.locator("#yes-5").focus()
    page.keyboard.press("n")
    page.keyboard.press("?")
    assert (ticked(page)[0], focused(page), keys.is_visible()) == ([1], "yes-5", False)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert ticked(page)[0] == [1, 6]
    page.get_by_role("button", name="Keys").click()
    keys.get_by_role("button", name="All keys as they were at first").click()
    assert keys.locator("kbd").first.inner_text() == "Y"


@pytest.mark.parametrize(("key", "code"), [("н", "KeyY"), ("&", "Digit1"), ("Y", "KeyY")])
def test_other_keyboards_have_the_keys_where_they_lie(opened: Callable[..., Page], key: str, code: str) -> None:
    page = opened()
    send = "([key, code]) => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, code, bubbles: true}))"
    page.evaluate(send, [key, code])
    assert ticked(page)[0] == [1]


def test_it_is_handed_in_only_when_all_was_looked_at(opened: Callable[..., Page], desk: Desk) -> None:
    desk.size = 48
    page = opened()
    page.set_viewport_size({"width": 1366, "height": 700})
    page.reload()
    ready(page)
    hand_in = page.locator("#hand-in")
    page.locator(".cell[data-number='14'][data-seen]").wait_for()
    assert page.locator(".cell[data-number='48'][data-seen]").count() == 0
    click(page, 3)
    hand_in.evaluate("button => button.click()")  # a click of Playwright's would scroll
    assert int(focused(page).removeprefix("yes-")) > 14
    assert desk.sheets == []
    page.locator("#said", has_text="first look at those that are left").wait_for()
    look(page, patiently=False)
    assert page.locator("#seen").inner_text() == "all 48 looked at: take a moment"
    assert page.locator("#said").inner_text() == ""
    hand_in.click(force=True)
    assert (desk.asked["hand in"], hand_in.get_attribute("aria-disabled")) == (0, "true")
    page.clock.fast_forward(15_000)
    page.locator("#hand-in[aria-disabled=false]").wait_for()
    page.keyboard.press("Control+Enter")
    wait_until(page, 2)
    ((id, fields),) = desk.sheets
    assert id == "p-1"
    assert fields[0][0] == "seconds"
    assert float(fields[0][1]) >= 14.4
    assert fields[1:] == [("yes", "3")]


def test_what_does_not_load_has_to_be_answered(opened: Callable[..., Page], desk: Desk) -> None:
    desk.broken = {4}
    page = opened()
    page.locator(".cell.failed").wait_for()
    look(page)
    assert page.locator("#seen").inner_text() == "11 of 12 looked at; 1 did not load"
    page.locator("#hand-in").click(force=True)
    assert "tick “not sure”" in page.locator("#said").inner_text()
    box(page, "Picture 4 not sure").check()
    page.locator("#hand-in").click()
    wait_until(page, 2)
    assert desk.sheets[0][1][1:] == [("unsure", "4")]


def test_a_picture_that_loads_after_all_is_looked_at(opened: Callable[..., Page], desk: Desk) -> None:
    desk.broken = {4}
    page = opened()
    page.locator(".cell.failed").wait_for()
    look(page)
    desk.broken.clear()
    page.locator("#hand-in").click(force=True)
    page.locator(".cell[data-number='4'][data-seen]").wait_for()
    page.locator("#hand-in").click()
    wait_until(page, 2)


def test_a_draft_outlives_a_reload_and_a_crash_and_is_of_its_worker_alone(
    site: Served, opened: Callable[..., Page]
) -> None:
    page = opened()
    click(page, 2)
    box(page, "Picture 5 not sure").check()
    look(page, patiently=False)
    page.reload()
    ready(page)
    assert ticked(page) == ([2], [5])
    assert "as you left them" in page.locator("#said").inner_text()
    assert page.locator("#seen").inner_text().startswith("all 12 looked at")
    click(page, 3)
    with page.expect_event("crash"):
        _crash(page)
    again = page.context.new_page()
    again.goto("/tasks/p-1")
    ready(again)
    assert ticked(again) == ([2, 3], [5])
    come_in(again, site, "worker", "Somebody else")
    again.goto("/tasks/p-1")
    ready(again)
    assert ticked(again) == ([], [])


def _crash(page: Page) -> None:
    with pytest.raises(Error):
        page.goto("chrome://crash")


def test_a_draft_outlives_a_crash_of_the_browser(
    browsing: Browsing, site: Served, playwright: Playwright, tmp_path: Path
) -> None:
    def start() -> BrowserContext:
        return playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=shutil.which("chromium"), args=ARGUMENTS, base_url=site.address
        )

    first = start()
    page = first.new_page()
    come_in(page, site, "worker", "ann")
    cookies = [{key: one[key] for key in ("name", "value", "domain", "path")} for one in first.cookies()]
    page.goto("/tasks/p-1")
    ready(page)
    click(page, 2)
    box(page, "Picture 5 not sure").check()
    page.evaluate(KEPT)
    with pytest.raises(Error):
        first.new_cdp_session(page).send("Browser.crash")
    second = start()
    second.add_cookies(cookies)  # type: ignore[arg-type]
    again = second.new_page()
    again.goto("/tasks/p-1")
    ready(again)
    again.locator("#said", has_text="as you left them").wait_for()
    assert ticked(again) == ([2], [5])
    second.close()


KEPT = """() => new Promise(resolve => {
  const asked = indexedDB.open("holotype", 1)
  asked.onsuccess = () => {
    const all = asked.result.transaction("kept").objectStore("kept").getAll()
    all.onsuccess = () => resolve(all.result.length)
  }
})"""  # which comes after what was written before


def test_offline_it_waits_and_is_handed_in_when_the_line_is_back(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened()
    click(page, 2)
    look(page)
    page.context.set_offline(True)
    page.locator("#hand-in").click()
    page.locator("#ended", has_text="is kept on this device").wait_for()
    assert "A page waits on this device" in page.locator("#unsent").inner_text()
    assert page.locator("#saved").inner_text() == "saved on this device, not handed in yet"
    assert desk.sheets == []
    page.context.set_offline(False)
    wait_until(page, 2)
    assert [(id, fields[1:]) for id, fields in desk.sheets] == [("p-1", [("yes", "2")])]
    assert page.evaluate("Object.keys(localStorage).filter(key => /unsent|p-1/.test(key))") == []


def test_a_busy_site_is_asked_again_and_again(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened()
    look(page)
    desk.fails = 503
    page.locator("#hand-in").click()
    for tries, wait in enumerate([1, 2, 4, 8, 16, 32, 60], 1):
        page.locator("#unsent", has_text=re.compile(f"in {wait} s")).wait_for()
        assert desk.asked["hand in"] == tries
        if wait == 60:
            desk.fails = 0
        page.clock.fast_forward(1000 * wait)
    wait_until(page, 2)
    assert len(desk.sheets) == 1


def test_what_waits_is_handed_in_from_any_page_later(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened()
    click(page, 7)
    look(page)
    desk.fails = 503
    page.locator("#hand-in").click()
    page.locator("#ended").get_by_role("link", name="Go on").click()
    page.locator("#unsent", has_text="A page waits").wait_for()
    desk.fails = 0
    page.reload()
    ready(page)
    page.locator("#unsent:empty").wait_for(state="attached")
    page.wait_for_function("() => Object.keys(localStorage).every(key => !key.includes('unsent'))")
    assert [id for id, _ in desk.sheets] == ["p-1"]


def test_a_page_that_waits_shows_what_was_answered_and_takes_no_more(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened()
    click(page, 7)
    look(page)
    desk.fails = 503
    page.locator("#hand-in").click()
    page.locator("#ended").wait_for()
    page.reload()
    ready(page)
    page.locator("#ended").wait_for()
    assert ticked(page) == ([7], [])
    assert box(page, "Picture 1 shows it").is_disabled()


def test_a_sheet_that_is_refused_is_said_to_be_and_not_sent_for_ever(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened()
    look(page)
    desk.fails = 403
    page.locator("#hand-in").click()
    page.locator("#ended", has_text="could not be handed in").wait_for()
    assert page.locator("#unsent").inner_text() == "A page could not be handed in: The desk is closed."
    page.goto("/tasks")
    page.clock.fast_forward(600_000)
    assert desk.asked["hand in"] == 1
    assert page.evaluate("Object.keys(localStorage).some(key => key.startsWith('holotype refused'))")


def test_three_clicks_are_one_hand_in_and_back_shows_what_was_handed_in(
    opened: Callable[..., Page], desk: Desk
) -> None:
    page = opened()
    click(page, 2)
    look(page)
    page.evaluate(
        "() => { const button = document.getElementById('hand-in'); for (let n = 0; n < 3; n++) button.click() }"
    )
    wait_until(page, 2)
    assert desk.asked["hand in"] == 1
    page.go_back()
    page.get_by_text("You handed this page in").wait_for()
    assert ticked(page) == ([2], [])
    assert box(page, "Picture 1 shows it").is_disabled()
    assert page.locator("#hand-in").count() == 0
    page.keyboard.press("z")
    assert page.get_by_role("dialog").is_visible()


def test_two_tabs_agree(opened: Callable[..., Page], desk: Desk) -> None:
    first = opened()
    second = first.context.new_page()
    second.goto("/tasks/p-1")
    ready(second)
    click(first, 2)
    second.wait_for_function("() => document.getElementById('yes-2').checked")
    second.bring_to_front()
    click(second, 3)
    first.wait_for_function("() => document.getElementById('yes-3').checked")
    first.bring_to_front()
    look(first)
    first.locator("#hand-in").click()
    wait_until(first, 2)
    second.locator("#ended", has_text="handed in from another tab").wait_for()
    assert box(second, "Picture 1 shows it").is_disabled()
    assert desk.asked["hand in"] == 1


def test_the_next_page_is_there_before_it_is_wanted(opened: Callable[..., Page], desk: Desk) -> None:
    desk.size = 48
    page = opened()
    page.locator(".cell").nth(13).and_(page.locator("[data-seen]")).wait_for()
    assert desk.asked["following"] == 0
    with page.expect_response("**/tasks/p-2/12.jpg"):
        look(page)
    page.locator("#hand-in").click()
    wait_until(page, 2)
    page.wait_for_function("() => document.querySelectorAll('.cell[data-seen]').length >= 14")
    assert desk.asked["following"] == 1
    assert [desk.asked[f"/tasks/p-2/{n}.jpg"] for n in (1, 12, 14)] == [1, 1, 1]


def test_without_script_it_is_a_form(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened(script=False)
    assert not page.get_by_role("button", name="Enlarge picture 1").is_visible()
    assert not page.get_by_role("button", name="Undo").is_visible()
    click(page, 2)
    box(page, "Picture 4 not sure").check()
    page.get_by_role("button", name="Hand in").click()
    assert desk.sheets == []  # the browser asks whether all was looked at
    page.get_by_label("I have looked at every picture").check()
    page.get_by_role("button", name="Hand in").click()
    wait_until(page, 2)
    assert desk.sheets == [("p-1", [("seconds", ""), ("yes", "2"), ("unsure", "4")])]
    page.get_by_text("Something is wrong with a picture or the question").click()
    page.locator("#plain-number").fill("3")
    page.locator(".report-plain").get_by_label("Broken").check()
    page.locator(".report-plain").get_by_role("button", name="Send").click()
    box(page, "Picture 1 not sure").wait_for()
    assert desk.flags == [[("page", "p-2"), ("number", "3"), ("kind", "broken"), ("text", "")]]


def test_flags_are_said_without_leaving_the_page(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened()
    click(page, 2)
    page.get_by_role("button", name="Enlarge picture 3").click()
    page.get_by_role("button", name="Something is wrong", exact=True).click()
    report = page.get_by_role("dialog")
    assert report.get_by_role("heading").inner_text() == "Something is wrong with picture 3"
    assert not report.get_by_label("The definition is wrong").is_visible()
    report.get_by_label("Offensive").check()
    page.keyboard.press("Enter")
    page.locator("#said", has_text="Thank you").wait_for()
    page.get_by_role("button", name="Something is wrong with the question").click()
    report.get_by_label("The definition is wrong").check()
    report.get_by_label("In your words").fill("two meanings: y, n & <b>")
    report.get_by_role("button", name="Send").click()
    page.wait_for_function("() => !document.getElementById('report').open")
    page.wait_for_load_state("networkidle")
    assert desk.flags[0] == [("page", "p-1"), ("number", "3"), ("kind", "offensive"), ("text", "")]
    assert desk.flags[1][1:] == [("number", ""), ("kind", "wrong"), ("text", "two meanings: y, n & <b>")]
    assert ticked(page) == ([2], [])


def test_a_phone_has_two_columns_and_no_sideways_scroll(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened(phone=True)
    tops = page.locator(".cell").evaluate_all("cells => cells.map(cell => cell.offsetTop)")
    assert tops[0] == tops[1] < tops[2]
    assert page.evaluate("document.documentElement.scrollWidth") == page.evaluate("innerWidth")
    page.get_by_alt_text("Picture 3", exact=True).tap()
    assert ticked(page) == ([3], [])
    look(page)
    page.locator("#hand-in").tap()
    wait_until(page, 2)
    assert desk.sheets[0][1][1:] == [("yes", "3")]


def test_a_very_narrow_window_has_no_sideways_scroll_either(opened: Callable[..., Page]) -> None:
    page = opened()
    page.set_viewport_size({"width": 320, "height": 480})
    for address in PAGES:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, address


def test_a_browser_that_keeps_nothing_works_and_says_so(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened("/tasks")
    for name in ("localStorage", "indexedDB"):
        page.add_init_script(
            f"Object.defineProperty(window, '{name}', {{get() {{ throw new DOMException('no', 'SecurityError') }}}})"
        )
    page.goto("/tasks/p-1")
    ready(page)
    click(page, 2)
    assert page.locator("#saved").inner_text() == "this browser keeps nothing: do not close this page"
    look(page)
    desk.fails = 503
    page.locator("#hand-in").click()
    page.locator("#unsent", has_text="in 1 s").wait_for()
    desk.fails = 0
    page.clock.fast_forward(1_000)
    wait_until(page, 2)
    assert desk.sheets[0][1][1:] == [("yes", "2")]


def test_examples_are_open_until_somebody_closes_them(opened: Callable[..., Page]) -> None:
    page = opened()
    summary, example = page.get_by_text("Examples", exact=True), page.get_by_text("not this: Persian cat").first
    remembered = "closed => (JSON.parse(localStorage.getItem('holotype examples')) ?? {}).closed === closed"
    assert example.is_visible()
    summary.click()
    page.wait_for_function(remembered, arg=True)
    page.reload()
    ready(page)
    assert not example.is_visible()
    summary.click()
    page.wait_for_function(remembered, arg=False)
    page.reload()
    ready(page)
    assert example.is_visible()


def test_training_tells_what_was_right(opened: Callable[..., Page], desk: Desk) -> None:
    page = opened("/training/n02123597")
    look(page)
    click(page, 1)
    page.locator("#hand-in").click()
    page.get_by_role("heading", name="6 of 10 were right").wait_for()
    assert [key for key, _ in desk.sheets[0][1]] == ["page", "attempt", "seconds", "yes"]
    said = page.locator(".marks .caption").all_inner_texts()
    assert (said[0], said[1], said[9]) == ("Right: it shows it.", "Not so: it shows it.", "Right: it does not show it.")
    page.get_by_role("link", name="Try again").click()
    page.locator("#hand-in").wait_for()


TURK = (
    "<html lang=en><title>Turk</title><h1>Mechanical Turk</h1>"
    "<iframe title=HIT width=1200 height=800 src='{}'></iframe>"
)
ASSIGNED = "/page/t-1?assignmentId=3XYZ&submit="


def test_mechanical_turk_gets_a_word_for_each_picture_from_a_frame_without_cookies(
    browsing: Browsing, site: Served, desk: Desk
) -> None:
    with another_site("<title>Thank you</title>") as platform:
        desk.platform = platform
        with another_site(TURK.format(f"{site.address}{ASSIGNED}{platform}/mturk/externalSubmit")) as frame:
            page = browsing.page(site)
            page.clock.install()
            page.goto(frame)
            hit = page.frame_locator("iframe")
            hit.get_by_alt_text("Picture 2", exact=True).click()
            hit.get_by_label("Picture 5 not sure").check()
            for n in range(desk.size):
                cell = hit.locator(".cell").nth(n)
                cell.scroll_into_view_if_needed()
                cell.and_(hit.locator("[data-seen]")).wait_for()
            page.clock.fast_forward(60_000)
            with page.expect_request("**/mturk/externalSubmit") as sent:
                hit.locator("#hand-in").click()
            fields = dict(parse_qsl(sent.value.post_data or "", keep_blank_values=True))
    said = {f"picture-{n}": {2: "yes", 5: "unsure"}.get(n, "no") for n in range(1, desk.size + 1)}
    assert float(fields.pop("seconds")) > 3.6
    assert fields == {"assignmentId": "3XYZ", **said}
    assert page.context.cookies() == []


def test_a_preview_can_be_looked_at_but_not_handed_in(browsing: Browsing, site: Served) -> None:
    page = browsing.page(site)
    page.goto("/page/t-1?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE")
    look(page, patiently=False)
    assert (button(page), page.locator("#hand-in").is_disabled()) == ("Accept the HIT first", True)
    assert "return the HIT" in page.locator("main").inner_text()
    plain = browsing.page(site, script=False)
    plain.goto("/page/t-1?assignmentId=3XYZ")
    assert "needs JavaScript" in plain.locator("main").inner_text()


PAGES = [
    "/tasks/p-1",
    "/training/n02123597",
    "/quiz/n02123597",
    "/quiz/n02123597?step=ask",
    "/quiz/n02123597?step=wrong",
]
PAGES += ["/tasks", "/tasks?why=lent", "/tasks?why=blocked", "/page/t-1?assignmentId=3XYZ"]


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_everybody_can_use_the_pages(opened: Callable[..., Page], phone: bool) -> None:
    page = opened(phone=phone)
    click(page, 2)
    box(page, "Picture 3 not sure").check()
    for address in PAGES:
        page.goto(address)
        assert axe(page) == []
    page.goto("/tasks/p-1")
    ready(page)
    page.get_by_role("button", name="Enlarge picture 2").click()
    assert axe(page) == []
    page.get_by_role("button", name="Something is wrong", exact=True).click()
    assert axe(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert axe(page) == []
    page.keyboard.press("Escape")
    look(page)
    page.locator("#hand-in").click()
    wait_until(page, 2)
    page.goto("/tasks/p-1")
    ready(page)
    assert axe(page) == []


def test_what_is_in_focus_is_not_under_the_bar(opened: Callable[..., Page], desk: Desk) -> None:
    desk.size = 48
    page = opened()
    page.locator("#yes-1").focus()
    hidden = """() => {
      const box = document.activeElement.getBoundingClientRect()
      const bar = document.querySelector('.bar').getBoundingClientRect()
      return box.top < 0 || box.bottom > bar.top
    }"""
    under = []
    for n in range(1, 49):
        if page.evaluate(hidden):
            under.append(n)
        page.keyboard.press("ArrowRight")
    assert under == []


def test_nothing_moves_while_it_loads(opened: Callable[..., Page], desk: Desk) -> None:
    desk.size = 48
    page = opened()
    look(page, patiently=False)
    shifts = """() => new Promise(resolve => new PerformanceObserver(list =>
      resolve(list.getEntries().reduce((sum, one) => sum + (one.hadRecentInput ? 0 : one.value), 0))
    ).observe({type: 'layout-shift', buffered: true}) || setTimeout(() => resolve(0), 0))"""
    assert page.evaluate(shifts) < 0.001  # a word of a status line that is drawn anew, on a slow machine


def test_a_page_is_light(opened: Callable[..., Page], desk: Desk) -> None:
    desk.size = 48
    page = opened()
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    with urlopen(Request(page.url, headers={"Cookie": cookies, "Accept-Encoding": "gzip"})) as answer:  # noqa: S310
        sent = answer.read()
    assert len(gzip.decompress(sent)) > 20_000
    assert len(sent) <= 30_000
    scripts = [
        static.compressed for name, static in statics.statics().items() if re.match(r"(grid|early|work)\b", name)
    ]
    assert sum(map(len, scripts)) <= 20_000


def test_scripts_are_kept_by_browsers_for_good(opened: Callable[..., Page]) -> None:
    kept = {}
    page = opened("/tasks")
    page.on("response", lambda got: kept.update({got.url: got.headers.get("cache-control", "")}))
    page.goto("/tasks/p-1")
    ready(page)
    scripts = [address for address in kept if address.partition("?")[0].endswith(".js")]
    assert any("/grid/answers.js" in address for address in scripts)
    assert {kept[address] for address in scripts} == {"public, max-age=31536000, immutable"}


def test_hostile_words_are_words(opened: Callable[..., Page], desk: Desk) -> None:
    evil = "<script>document.title='evil'</script>\"><img src=x onerror=alert(1)>"
    desk.question = replace(CAT, name=evil, lemmas=(evil, evil), gloss=evil, local=(evil,))
    page = opened()
    assert page.locator("h1").inner_text().endswith(evil)
    for address in PAGES:
        page.goto(address)
        assert page.title() != "evil"
        assert page.locator("img[onerror]").count() == 0
