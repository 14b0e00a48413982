"""Benchmarks with a hidden truth: quotas, queue, boards, rounds and what is hidden, on both databases."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from holotype.benchmark.booth.outside import Bounds
from holotype.catalog import Catalog
from holotype.catalog.benchmarks import KeptTeam
from holotype.errors import AccountError, BenchmarkError, NotTaken, PredictionError, UnknownBenchmark
from holotype.project.benchmarks import Settings
from organisers import DAY, ITEMS, TOY, TRUTH, Organiser, answers


@pytest.fixture(autouse=True)
def _the_toy_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(TOY)


@pytest.fixture
def letters(catalog: Catalog, tmp_path: Path) -> Organiser:
    return Organiser(tmp_path, catalog).create()


# Making one


@pytest.mark.parametrize(
    ("name", "task", "settings", "said"),
    [
        ("letters", "toy", {}, "there is a benchmark 'letters' already"),
        ("../x", "toy", {}, "small letters, digits and hyphens"),
        ("Letters", "toy", {}, "small letters, digits and hyphens"),
        ("new", "toys", {}, "did you mean toy?"),
        ("new", "toy", {"public": 0.0}, "above 0 and at most 1"),
        ("new", "toy", {"public": float("nan")}, "above 0 and at most 1"),
        ("new", "toy", {"quota": 0}, "1 to 10,000 submissions a day"),
        ("new", "toy", {"title": "a\nb"}, "characters that can be printed"),
        ("new", "toy", {"most_bytes": 0}, "at least a byte"),
    ],
)
def test_what_cannot_be_a_benchmark(
    letters: Organiser, name: str, task: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises((BenchmarkError, PredictionError)) as error:
        letters.rooms.create(name, task, letters.file(TRUTH), Settings(**settings))
    assert said in str(error.value)
    assert [one.name for one in letters.rooms.everything()] == ["letters"]
    assert len(list((letters.folder / "benchmarks/letters/truths").iterdir())) == 1


def test_a_hidden_truth_of_masks_tells_the_sizes_of_images(catalog: Catalog, tmp_path: Path) -> None:
    mask = {"image_id": 1, "category_id": 7, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 0}
    mask["segmentation"] = {"size": [2, 2], "counts": [0, 4]}
    truth = {"images": [{"id": 1}], "categories": [{"id": 7, "name": "cat"}], "annotations": [mask]}
    organiser = Organiser(tmp_path, catalog)
    path = organiser.file(truth, "truth.json")
    with pytest.raises(PredictionError, match="width and height"):
        organiser.rooms.create("masks", "segmentation", path)


def test_the_files_are_for_nobody_else_to_read(letters: Organiser) -> None:
    letters.send(letters.team("ann"), TRUTH)
    letters.work()
    paths = [letters.folder / "benchmarks", *(letters.folder / "benchmarks").rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in paths}
    assert modes == {0o700, 0o600}
    assert len([path for path in paths if path.is_file()]) == 3


def test_there_is_no_other_benchmark(letters: Organiser) -> None:
    for name in ("", "digits", "..", "\0", "a" * 1000):
        with pytest.raises(UnknownBenchmark):
            letters.rooms.board(name)


# Teams and tokens


def test_a_token_is_kept_nowhere_and_the_newest_holds(letters: Organiser) -> None:
    first = letters.rooms.teams.add("letters", "Ann & co")
    assert letters.rooms.teams.with_token("letters", first) == letters.rooms.teams.of("letters")[0]
    second = letters.rooms.teams.new_token("letters", "ann & CO")
    assert letters.rooms.teams.with_token("letters", first) is None
    assert letters.rooms.teams.with_token("letters", second) is not None
    for wrong in ("", "x", "\0", "\ud800", second[:-1], second + "x"):
        assert letters.rooms.teams.with_token("letters", wrong) is None
    with pytest.raises(BenchmarkError, match="no team of letters is called 'bob'"):
        letters.rooms.teams.new_token("letters", "bob")


def test_two_teams_are_not_called_alike(letters: Organiser) -> None:
    letters.team("Team One")
    for name in ("team one", "Team 0ne", "TEAM  ONE"):
        with pytest.raises(BenchmarkError, match="or nearly so"):
            letters.rooms.teams.add("letters", name)
    with pytest.raises(AccountError):
        letters.rooms.teams.add("letters", "\n")


# The quota


def test_what_counts_on_a_day(letters: Organiser) -> None:
    """Case 51, of three a day: scored ones and those in flight count, refused ones apart, the evaluator's own faults
    not; and the day ends at midnight UTC."""
    team = letters.team("ann")
    letters.send(team, answers(10))
    letters.send(team, "no json")
    letters.send(team, {"do": "tell"})
    assert letters.rooms.left("letters", team) == 0, "all three are in flight"
    with pytest.raises(NotTaken, match="nothing more is taken today: 3 submissions a day"):
        letters.send(team, answers(11))
    assert letters.work() == ["scored", "refused", "failed"]
    assert letters.rooms.left("letters", team) == 2
    letters.clock.now = (letters.clock.now // DAY + 1) * DAY - 1
    letters.send(team, answers(12))
    letters.send(team, answers(13))
    with pytest.raises(NotTaken):
        letters.send(team, answers(14))
    letters.clock.now += 1
    assert letters.rooms.left("letters", team) == 3
    letters.send(team, answers(14))


def test_the_same_file_again_is_the_submission_that_it_was(letters: Organiser) -> None:
    team, other = letters.team("ann"), letters.team("bob")
    number, new = letters.send(team, answers(10))
    assert new
    assert letters.send(team, answers(10), "again.json") == (number, False)
    assert letters.rooms.left("letters", team) == 2
    assert letters.send(other, answers(10))[1], "of another team it is another one"
    assert len(list((letters.folder / "benchmarks/letters/submissions").iterdir())) == 2


def test_what_the_evaluator_failed_at_may_be_sent_again(letters: Organiser) -> None:
    team = letters.team("ann")
    number, _ = letters.send(team, {"do": "crash"})
    assert letters.work() == ["failed"]
    assert letters.send(team, {"do": "crash"}) == (number + 1, True)


@pytest.mark.parametrize("grouped", [True, False])
def test_of_many_at_the_last_slot_one_passes(catalog: Catalog, tmp_path: Path, grouped: bool) -> None:
    """Case 51: an upload is counted where it is written, so that none goes by a count of before."""
    letters = Organiser(tmp_path, catalog).create()
    team = letters.team("ann")
    letters.send(team, answers(1))
    letters.send(team, answers(2))
    begin = Barrier(8)

    def one(number: int) -> str:
        incoming = letters.rooms.incoming("letters", team, "a.json")
        incoming.write(json.dumps(answers(10 + number)).encode())
        received = incoming.finish()
        begin.wait()
        try:
            return f"taken {letters.rooms.submit('letters', team, received)[1]}"
        except NotTaken:
            return "not taken"

    with catalog.grouped() if grouped else nullcontext(), ThreadPoolExecutor(8) as threads:
        ended = sorted(threads.map(one, range(8)))
    assert ended == ["not taken"] * 7 + ["taken True"]
    assert len(letters.rooms.submissions("letters", team)) == 3
    folder = letters.folder / "benchmarks/letters"
    assert len(list((folder / "submissions").iterdir())) == 3
    assert not list((folder / "incoming").iterdir())


def test_a_file_that_is_too_long_is_not_kept(catalog: Catalog, tmp_path: Path) -> None:
    letters = Organiser(tmp_path, catalog).create(most_bytes=100)
    incoming = letters.rooms.incoming("letters", letters.team("ann"), "a.json")
    incoming.write(bytes(100))
    with pytest.raises(BenchmarkError, match="at most 100 bytes"):
        incoming.write(b"x")
    incoming.discard()
    assert not list((tmp_path / "benchmarks/letters/incoming").iterdir())


def test_a_file_of_this_machine_is_taken_by_its_token(letters: Organiser) -> None:
    token = letters.rooms.teams.add("letters", "ann")
    assert letters.rooms.submit_file("letters", token, letters.file(answers(3)))[1]
    with pytest.raises(BenchmarkError, match="is not known"):
        letters.rooms.submit_file("letters", "x", letters.file(answers(3)))
    with pytest.raises(OSError, match="No such file"):
        letters.rooms.submit_file("letters", token, letters.folder / "none.json")
    assert not list((letters.folder / "benchmarks/letters/incoming").iterdir())


# The queue


def test_a_team_is_told_of_its_place_of_errors_in_its_file_and_of_numbers(letters: Organiser) -> None:
    ann, bob = letters.team("ann"), letters.team("bob")
    letters.send(ann, answers(30), "/home/ann/first.json")
    letters.send(bob, {"item-999": "a"})
    waiting = letters.rooms.submissions("letters", bob)[0]
    assert (waiting.state, waiting.place, waiting.rung) == ("waiting", 2, None)
    letters.work()
    told, refused = (letters.rooms.submissions("letters", team)[0] for team in (ann, bob))
    assert (told.name, told.state, told.place, told.detail) == ("first.json", "scored", 0, "")
    assert told.rung is not None
    assert told.rung.new
    assert (refused.state, refused.detail) == ("refused", "the file: there is no item 'item-999'")


def test_nobody_but_the_organiser_hears_of_it_before_the_time(letters: Organiser) -> None:
    team = letters.team("ann")
    letters.send(team, answers(30))
    letters.rooms.evaluate_next()
    letters.clock.now += 59
    assert letters.sees(team) == [("waiting", None)]
    assert letters.board() == []
    assert letters.board(open_eyed=True) == [(1, "ann")]
    letters.clock.now += 1
    assert letters.sees(team)[0][0] == "scored"
    assert letters.board() == [(1, "ann")]


def test_two_processes_do_not_evaluate_the_same(letters: Organiser, catalog: Catalog) -> None:
    other = Organiser(letters.folder, catalog)
    team = letters.team("ann")
    for wrong in (10, 20, 30):
        letters.send(team, answers(wrong))
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda one: one.work(), (letters, other)))
    inside = letters.rooms.inside("letters")
    assert [one.sent.state for one in inside] == ["scored"] * 3
    assert [len(letters.rooms.evaluations("letters", one.sent.id)) for one in inside] == [1, 1, 1]


def test_an_evaluation_that_never_ends_is_given_up_and_not_counted(catalog: Catalog, tmp_path: Path) -> None:
    """Whoever begins it may be killed: others begin it again, thrice, and then the evaluator is said to have failed."""
    letters = Organiser(tmp_path, catalog, bounds=Bounds(seconds=100)).create()
    team = letters.team("ann")
    letters.send(team, answers(1))
    killed = letters.rooms._queue(letters.rooms["letters"])
    for _ in range(3):
        assert catalog.transact(killed._claim) is not None
        assert letters.rooms.evaluate_next() is None, "another one has it"
        letters.clock.now += 261
    assert letters.work() == ["failed"]
    letters.clock.now += 300
    assert letters.rooms.left("letters", team) == 3
    assert "begun 3 times" in letters.rooms.inside("letters")[0].sent.detail


def test_a_file_that_is_not_there_any_more_is_no_fault_of_the_team(letters: Organiser) -> None:
    team = letters.team("ann")
    letters.send(team, answers(1))
    (path,) = (letters.folder / "benchmarks/letters/submissions").iterdir()
    path.unlink()
    assert letters.work() == ["failed"]
    assert letters.rooms.left("letters", team) == 3


def test_what_a_killed_process_left_of_an_upload_is_gone_after_a_day(letters: Organiser) -> None:
    team, folder = letters.team("ann"), letters.folder / "benchmarks/letters/incoming"
    for name, at in (("old", letters.clock.now - DAY - 1), ("new", letters.clock.now - DAY + 1)):
        (folder / name).touch()
        os.utime(folder / name, (at, at))
    letters.send(team, answers(1))
    assert [path.name for path in folder.iterdir()] == ["new"]


# The board


def test_the_board_tells_no_more_than_the_ladder(letters: Organiser) -> None:
    ann, bob = letters.team("ann"), letters.team("bob")
    letters.send(ann, answers(150))
    letters.send(ann, answers(149))
    letters.send(ann, answers(60))
    letters.send(bob, answers(100))
    letters.work()
    states = letters.sees(ann)
    assert states[0] == states[1], "one item more is not told"
    assert states[2][1] is not None
    assert states[0][1] is not None
    assert states[2][1] < states[0][1]
    assert letters.board() == [(1, "ann"), (2, "bob")]
    place = letters.rooms.board("letters").places[0]
    assert place.estimate is not None
    assert place.estimate.low < place.estimate.value == states[2][1] < place.estimate.high


def test_what_failed_is_never_ranked(letters: Organiser) -> None:
    """Case 52."""
    good, bad, broken = (letters.team(name) for name in ("good", "bad", "broken"))
    letters.send(bad, "no json")
    letters.send(broken, {"do": "crash"})
    letters.send(good, answers(290))
    letters.work()
    assert letters.board() == [(1, "good")]


def test_a_withdrawn_entry_leaves_the_board_and_not_the_organisers_sight(letters: Organiser) -> None:
    ann, bob = letters.team("ann"), letters.team("bob")
    first, second = letters.send(ann, answers(100))[0], letters.send(ann, answers(20))[0]
    letters.send(bob, answers(60))
    letters.work()
    assert letters.board() == [(1, "ann"), (2, "bob")]
    with pytest.raises(BenchmarkError, match="there is no submission"):
        letters.rooms.withdraw("letters", second, "bob", team=bob.id)
    letters.rooms.withdraw("letters", second, "ann", team=ann.id)
    assert letters.board() == [(1, "bob"), (2, "ann")], "what stood before stands again"
    letters.rooms.withdraw("letters", first, "ann", team=ann.id)
    assert letters.board() == [(1, "bob")]
    inside = {one.sent.id: one.sent.withdrawn for one in letters.rooms.inside("letters")}
    assert (inside[first], inside[second]) == (True, True)
    letters.rooms.restore("letters", second, "the organiser")
    assert letters.board()[0] == (1, "ann")


def test_the_private_part_is_revealed_once(letters: Organiser) -> None:
    team = letters.team("ann")
    letters.send(team, answers(100))
    letters.work()
    with pytest.raises(BenchmarkError, match="is not revealed"):
        letters.rooms.board("letters", "private")
    letters.rooms.say("letters", "reveal", "the organiser", "it is over")
    board = letters.rooms.board("letters", "private")
    assert board.items + letters.rooms.board("letters").items == len(ITEMS)
    assert [place.team for place in board.places] == ["ann"]
    for kind in ("reveal", "open", "pause", "close"):
        with pytest.raises(BenchmarkError, match="is revealed, and it stays as it is"):
            letters.rooms.say("letters", kind, "the organiser")
    with pytest.raises(NotTaken, match="letters is closed"):
        letters.send(team, answers(1))
    with pytest.raises(BenchmarkError, match="what stands there stays"):
        letters.rooms.withdraw("letters", 1, "ann", team=team.id)
    letters.rooms.withdraw("letters", 1, "the organiser", "it was copied")
    assert letters.board() == letters.board(side="private") == []


def test_a_benchmark_pauses_and_opens_again(letters: Organiser) -> None:
    team = letters.team("ann")
    letters.rooms.say("letters", "pause", "the organiser")
    with pytest.raises(NotTaken, match="letters is paused"):
        letters.send(team, answers(1))
    letters.rooms.say("letters", "open", "the organiser")
    letters.send(team, answers(1))


def test_without_a_private_part_there_is_nothing_to_reveal(catalog: Catalog, tmp_path: Path) -> None:
    letters = Organiser(tmp_path, catalog).create(public=1.0)
    letters.send(letters.team("ann"), answers(1))
    assert letters.work() == ["scored"]
    with pytest.raises(BenchmarkError, match="has no private part"):
        letters.rooms.say("letters", "reveal", "the organiser")
    assert letters.board(side="private", open_eyed=True) == []


# Rounds


def test_another_truth_is_another_round_and_the_old_rows_stay(letters: Organiser) -> None:
    """Case 53: all are scored anew as new rows that point to the old; until all are, the board is the old one."""
    ann, bob = letters.team("ann"), letters.team("bob")
    letters.send(ann, answers(0))
    letters.send(bob, answers(100))
    letters.work()
    before = letters.rooms.board("letters")
    letters.rooms.correct("letters", letters.file(answers(100)), "the organiser", "labels were wrong")
    letters.clock.now += 1
    assert letters.rooms.board("letters") == before
    assert letters.rooms.evaluate_next() is not None
    letters.clock.now += 60
    assert letters.rooms.board("letters") == before, "half of it is not shown"
    letters.work()
    after = letters.rooms.board("letters")
    assert [place.team for place in after.places] == ["bob", "ann"]
    assert (before.truth, after.truth) == (1, 2)
    old, new = letters.rooms.evaluations("letters", 1)
    assert (new.previous, old.previous) == (old.id, None)
    assert old.truth != new.truth
    assert old.digest == new.digest
    assert letters.rooms.evaluate_next() is None


def test_scored_anew_by_the_same_all_is_the_same(letters: Organiser) -> None:
    team = letters.team("ann")
    for wrong in (150, 149, 60):
        letters.send(team, answers(wrong))
    letters.work()
    before = letters.sees(team)
    letters.rooms.rescore("letters", "the organiser", "to be sure")
    letters.send(letters.team("bob"), answers(5))
    assert letters.work() == ["scored"] * 4
    assert letters.sees(team) == before
    assert letters.board() == [(1, "bob"), (2, "ann")]


def test_a_truth_that_lost_items_is_refused_before_it_empties_the_board(letters: Organiser) -> None:
    """Every submission names them, and would be refused: the board was empty after one wrong file."""
    fewer = {item: letter for item, letter in TRUTH.items() if item > "item-009"}
    with pytest.raises(BenchmarkError, match=r"10 items .* 'item-000', 'item-001', 'item-002', \.\.\.; .*keep them"):
        letters.rooms.correct("letters", letters.file(fewer), "the organiser", "a short file")
    assert len(letters.rooms.events("letters")) == 1
    letters.rooms.correct("letters", letters.file({**TRUTH, "item-300": "a"}), "the organiser", "one more")


def test_a_truth_that_cannot_be_read_is_no_truth(letters: Organiser) -> None:
    with pytest.raises(ValueError, match="JSON|Expecting"):
        letters.rooms.correct("letters", letters.file("no json"), "the organiser", "")
    assert len(list((letters.folder / "benchmarks/letters/truths").iterdir())) == 1


# What is alike


def test_another_teams_submission_that_says_the_same_is_flagged(letters: Organiser) -> None:
    ann, bob, cat = (letters.team(name) for name in ("ann", "bob", "cat"))
    first = letters.send(ann, answers(50))[0]
    letters.send(ann, answers(51))
    copied = letters.send(bob, dict(sorted(answers(51).items(), reverse=True)))[0]
    other = letters.send(cat, answers(50, 150))[0]
    letters.work()
    inside = {one.sent.id: one.alike for one in letters.rooms.inside("letters")}
    assert inside[copied] == {first: pytest.approx(299 / 300, abs=0.001), first + 1: 1.0}
    assert inside[first] == {copied: inside[copied][first]}
    assert inside[other] == {}, "nor are a team's own"
    letters.rooms.rescore("letters", "the organiser", "")
    letters.work()
    assert {one.sent.id: one.alike for one in letters.rooms.inside("letters")} == inside


# What is hidden


def told(letters: Organiser, teams: list[KeptTeam]) -> dict[str, Any]:
    """All that teams and the public are told."""
    return {
        "board": letters.rooms.board("letters"),
        "submissions": [letters.rooms.submissions("letters", team) for team in teams],
        "left": [letters.rooms.left("letters", team) for team in teams],
    }


def test_nothing_that_is_told_follows_from_private_labels(
    new_project: Callable[[Path], Path], template_catalog: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Case 50: where the private labels are shuffled, all that is told stays the same, and what is logged."""
    from holotype.benchmark.parts import public_items

    found = []
    for name in ("as it is", "shuffled"):
        folder = tmp_path / name
        folder.mkdir()
        catalog = Catalog(f"sqlite:///{folder / 'c.sqlite'}")
        letters = Organiser(folder, catalog)
        key = letters.rooms._key(letters.create(quota=20).rooms["letters"])
        private = [item for item, public in zip(ITEMS, public_items(ITEMS, 0.5, key), strict=True) if not public]
        assert 100 < len(private) < 200
        if name == "shuffled":
            others = dict(zip(private, [TRUTH[item] for item in private[1:]] + [TRUTH[private[0]]], strict=True))
            path = letters.folder / "benchmarks/letters" / letters.rooms._story("letters").truth
            path.write_text(json.dumps(TRUTH | others))
        teams = [letters.team(one) for one in ("ann", "bob")]
        some: list[Any] = [TRUTH, answers(40), {}, dict.fromkeys(private, "a"), "no json", {"x": "a"}]
        for content in [*some, {"do": "tell"}, {private[0]: ["a"]}]:
            letters.send(teams[0], content)
        letters.send(teams[1], answers(200))
        outcomes = letters.work()
        found.append((told(letters, teams), outcomes, [record.getMessage() for record in caplog.records]))
        hidden = letters.rooms.board("letters", "private", open_eyed=True)
        found[-1][0]["hidden"] = [place.estimate for place in hidden.places]
        catalog.close()
    (one, *rest), (other, *others_rest) = found
    assert one.pop("hidden") != other.pop("hidden"), "or nothing was shuffled"
    assert (one, rest) == (other, others_rest)
