"""A classifier's scores, a function, a vision model behind an endpoint: what they say becomes votes of a machine."""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from conftest import command, encoded, photo, run
from holotype.consensus.votes import Answer
from holotype.crowd.expert import Nobody
from holotype.crowd.machines import wire
from holotype.crowd.machines.endpoint import Endpoint, score_of
from holotype.crowd.machines.voter import Machine, Question, Thresholds
from holotype.crowd.policies import Fixed, Posterior
from holotype.errors import CrowdError, PlatformError
from holotype.imports.scores import read_scores
from holotype.project import Project
from holotype.releases import MANIFEST_SCHEMA, verify_release
from vision_server import VisionServer

DOG, CAT = "n02084071", "n02121808"
DOGS, CATS = 8, 4
KEY = "sk-holotype-0123456789abcdef"


@pytest.fixture
def db(project: Project, tmp_path: Path) -> Project:
    """Eight dogs and four cats; the first dog, with a place and an orientation in its EXIF, is wide."""
    for wnid, first, count in ((DOG, 0, DOGS), (CAT, DOGS, CATS)):
        (tmp_path / "photos" / wnid).mkdir(parents=True)
        for seed in range(first, first + count):
            (tmp_path / "photos" / wnid / f"IMG_{seed}.jpg").write_bytes(encoded(photo(seed)))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "at the king's"
    wide = encoded(photo(0, 2000, 1000), exif=exif)
    (tmp_path / "photos" / DOG / "IMG_0.jpg").write_bytes(wide)
    project.images.ingest(tmp_path / "photos")
    return project


@pytest.fixture
def server() -> Iterator[VisionServer]:
    made = VisionServer(lambda image, question: "0.9" if "dog" in question else "0.02", KEY)
    yield made
    made.close()


def votes(db: Project, worker: str) -> dict[tuple[str, str], Answer]:
    """What a worker said, by the name of the file and the wnid."""
    file = {one.sha256: Path(one.file).name for one in db.images.inputs()}
    tasks = {task.number: task for task in db.candidates.tasks()}
    return {
        (file[tasks[vote.task].sha256], tasks[vote.task].wnid): vote.answer
        for vote in db.crowd.votes()
        if vote.worker == worker
    }


def scores_file(path: Path, rows: Sequence[tuple[object, ...]], header: str = "image,wnid,probability") -> Path:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


ALL_DOGS = [(f"IMG_{number}.jpg", DOG, number / 10) for number in range(DOGS)]


# Files of scores


def test_scores_become_answers_by_thresholds(db: Project, tmp_path: Path) -> None:
    file = scores_file(tmp_path / "resnet50.csv", [*ALL_DOGS, ("IMG_0.jpg", CAT, 0.9)])
    report = db.crowd.run(db.crowd.machine("resnet50", file, Thresholds(yes=0.6, no=0.2)))
    said = votes(db, "machine:resnet50")
    assert [said[f"IMG_{number}.jpg", DOG] for number in range(DOGS)] == [0, 0, 0, 1, 1, 1, 2, 2]
    heard = report.machine
    assert heard is not None
    assert (heard.voted, heard.known, heard.silent, heard.left, heard.elsewhere) == (DOGS, 0, CATS, 0, 1)
    assert str(heard) == (
        "machine:resnet50: 12 candidates = 8 voted on + 0 before + 4 without a score + 0 unreadable + "
        "0 left for another run; 1 scores are of no candidate"
    )
    assert report.new_votes == DOGS
    assert report.states == {"open": DOGS + CATS}


def test_the_same_scores_again_change_nothing_and_new_images_are_voted_on(db: Project, tmp_path: Path) -> None:
    file = scores_file(tmp_path / "s.csv", ALL_DOGS[:3])
    db.crowd.run(db.crowd.machine("m", file))
    before = db.crowd.votes()
    assert db.crowd.run(db.crowd.machine("m", file)).new_votes == 0
    assert db.crowd.votes() == before
    report = db.crowd.run(db.crowd.machine("m", {(name, wnid): chance for name, wnid, chance in ALL_DOGS}))
    assert (report.new_votes, report.machine and report.machine.known) == (DOGS - 3, 3)


def test_parquet_and_any_names_and_words_for_synsets(db: Project, tmp_path: Path) -> None:
    tasks = [task for task in db.candidates.tasks() if task.wnid == DOG]
    names = [tasks[0].sha256, tasks[1].sha256[:16], tasks[2].sha256[:10]]
    table = pa.table({"score": [0.9, 0.0, 1], "sha256": names, "synset": ["dog", DOG, "dog"], "other": [1, 2, 3]})
    pq.write_table(table, tmp_path / "s.parquet")
    db.crowd.run(db.crowd.machine("m", tmp_path / "s.parquet"))
    cast = {vote.task: vote.answer for vote in db.crowd.votes()}
    assert cast == {tasks[0].number: 2, tasks[1].number: 0, tasks[2].number: 2}


def test_cells_as_excel_writes_them(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("File;Synset;Probability;top\na.jpg;dog;0,25;x\n")
    assert read_scores(tmp_path / "s.csv") == {("a.jpg", "dog"): 0.25}


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([("a.jpg", DOG, 1.5)], "image,wnid,probability", "row 2: a score is a chance between 0 and 1, not '1.5'"),
        ([("a.jpg", DOG, "nan")], "image,wnid,probability", "row 2: a score is a chance"),
        ([("a.jpg", DOG, "")], "image,wnid,probability", "row 2: a score is a chance"),
        ([("", DOG, 0.5)], "image,wnid,probability", "row 2: a cell is empty"),
        ([("a.jpg", DOG, 0.5), ("a.jpg", DOG, 0.6)], "image,wnid,probability", "row 3: a row above has another score"),
        ([("a.jpg", DOG, 0.5, 1)], "image,wnid,probability", "row 2: 4 cells in 3 columns"),
        ([("a.jpg", DOG)], "image,wnid", "has no column probability or score or chance"),
        ([("a.jpg", DOG, 0.5, 0.5)], "image,wnid,score,score", "has the column score 2 times"),
        ([], "image,wnid,probability", "holds no scores"),
    ],
)
def test_a_file_that_is_none_is_refused(
    rows: list[tuple[object, ...]], header: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(CrowdError, match=message):
        read_scores(scores_file(tmp_path / "s.csv", rows, header))


def test_a_parquet_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(CrowdError, match="cannot read"):
        read_scores(tmp_path / "s.parquet")


def test_scores_of_no_candidate_are_refused(db: Project) -> None:
    with pytest.raises(CrowdError, match="none of 2 scores is of a candidate"):
        db.crowd.machine("m", {("IMG_0.jpg", CAT): 0.5, ("nobody.jpg", DOG): 0.5})


# Who a machine is


@pytest.mark.parametrize("name", ["", " ", "machine:", "a\nb", " resnet", "x" * 101])
def test_a_machine_needs_a_name(db: Project, name: str) -> None:
    with pytest.raises(CrowdError, match="a machine needs a name"):
        db.crowd.machine(name, {("IMG_0.jpg", DOG): 0.5})


@pytest.mark.parametrize(("yes", "no"), [(0.1, 0.5), (0.5, 0.5), (1.1, 0.1), (0.5, -0.1), (float("nan"), 0.1)])
def test_thresholds_that_cannot_be_are_refused(yes: float, no: float) -> None:
    with pytest.raises(CrowdError, match="thresholds need"):
        Thresholds(yes, no)


def test_other_thresholds_are_another_machine(db: Project) -> None:
    said = {("IMG_0.jpg", DOG): 0.5}
    db.crowd.run(db.crowd.machine("m", said))
    with pytest.raises(CrowdError, match="give this one another name"):
        db.crowd.run(db.crowd.machine("m", {("IMG_1.jpg", DOG): 0.5}, Thresholds(0.9)))
    db.crowd.run(db.crowd.machine("m strict", {("IMG_1.jpg", DOG): 0.5}, Thresholds(0.9)))
    assert votes(db, "machine:m strict") == {("IMG_1.jpg", DOG): Answer.UNSURE}


def test_a_machine_that_has_not_voted_yet_may_be_set_right(db: Project, server: VisionServer) -> None:
    """A wrong address or model is found out by the first question, and is no machine of that name."""
    with pytest.raises(PlatformError, match="404: The model 'loker' does not exist"):
        db.crowd.run(db.crowd.machine("m", Endpoint(server.url, "loker", KEY)))
    assert db.crowd.run(db.crowd.machine("m", Endpoint(server.url, "looker", KEY), most=1)).new_votes == 1
    with pytest.raises(CrowdError, match="has voted before as another machine"):
        db.crowd.run(db.crowd.machine("m", Endpoint(server.url, "other", KEY)))


def test_a_blocked_machine_is_not_asked(db: Project) -> None:
    db.crowd.run(db.crowd.machine("m", {("IMG_0.jpg", DOG): 0.5}))
    db.workers.block("machine:m", "it hallucinates")
    with pytest.raises(CrowdError, match="machine:m is blocked"):
        db.crowd.run(db.crowd.machine("m", {("IMG_1.jpg", DOG): 0.5}))


# Functions


def test_a_function_sees_bytes_and_meanings_and_may_be_silent(db: Project) -> None:
    seen: list[Question] = []

    def look(questions: Sequence[Question]) -> list[float | None]:
        seen.extend(questions)
        return [float("nan") if "cat" in one.lemmas else None if one.task.wnid == CAT else 0.7 for one in questions]

    report = db.crowd.run(db.crowd.machine("mine", look))
    assert (report.new_votes, report.machine and report.machine.silent) == (DOGS, CATS)
    assert len(seen) == DOGS + CATS
    assert seen[0].image.startswith(b"\xff\xd8")
    dog = next(one for one in seen if one.task.wnid == DOG)
    assert "domestic dog" in dog.lemmas
    assert dog.gloss.startswith("a member of the genus Canis")


@pytest.mark.parametrize(("scores", "message"), [([0.5], "1 scores to 12 questions"), ([2.0] * 12, "not 2.0")])
def test_a_function_that_answers_nonsense_is_refused(db: Project, scores: list[float], message: str) -> None:
    with pytest.raises(CrowdError, match=message):
        db.crowd.run(db.crowd.machine("mine", lambda _: scores))
    assert not db.crowd.votes()


class Stopped(Exception):
    """As good as a kill: nothing after it runs."""


def one_by_one(function: Callable[[Question], float]) -> Machine:
    from holotype.crowd.machines.voter import Asked

    return Machine("slow", Asked(lambda questions: [function(one) for one in questions], batch=1))


def test_what_was_answered_is_durable_and_not_asked_again(db: Project) -> None:
    asked: list[int] = []

    def look(question: Question) -> float:
        if len(asked) == 7:
            raise Stopped
        asked.append(question.task.number)
        return 0.9

    with pytest.raises(Stopped):
        db.crowd.run(one_by_one(look))
    held = {vote.task for vote in db.crowd.votes()}
    assert held <= set(asked)
    assert len(held) >= 5
    again: list[int] = []

    def go_on(question: Question) -> float:
        again.append(question.task.number)
        return 0.9

    report = db.crowd.run(one_by_one(go_on))
    assert not held & set(again)
    assert held | set(again) == {task.number for task in db.candidates.tasks()}
    assert report.machine is not None
    assert report.machine.known == len(held)


def test_gold_is_asked_first_and_what_is_decided_last(db: Project) -> None:
    tasks = db.candidates.tasks()
    gold, decided = tasks[5], tasks[2:4]
    db.gold.add({(gold.sha256, gold.wnid): True}, "me")
    sure = {"sha256": [one.sha256 for one in decided], "wnid": [one.wnid for one in decided]}
    for worker in ("ann", "bob"):
        db.crowd.append({**sure, "worker": [worker] * 2, "answer": ["yes"] * 2})
    db.crowd.run(Nobody(), Fixed(2))
    asked: list[int] = []

    def look(questions: Sequence[Question]) -> list[float]:
        asked.extend(one.task.number for one in questions)
        return [0.5] * len(questions)

    report = db.crowd.run(db.crowd.machine("m", look, most=1), Fixed(2))
    assert asked == [gold.number]
    assert report.machine is not None
    assert report.machine.left == DOGS + CATS - 1
    db.crowd.run(db.crowd.machine("m", look), Fixed(2))
    assert asked[-2:] == [one.number for one in decided]
    assert sorted(asked) == sorted(task.number for task in tasks)


def test_an_image_that_is_gone_gets_no_vote_and_the_others_do(db: Project, tmp_path: Path) -> None:
    (pack,) = (db.path / "packs").glob("*.tar")
    data = pack.read_bytes()
    pack.write_bytes(data[: len(data) // 2])
    report = db.crowd.run(db.crowd.machine("m", lambda questions: [0.9] * len(questions)))
    heard = report.machine
    assert heard is not None
    assert heard.unreadable > 0
    assert heard.voted + heard.unreadable == DOGS + CATS


# A campaign with machines and people


def test_machines_decide_nothing_without_people_unless_the_policy_says_so(db: Project) -> None:
    perfect = {(task.sha256, task.wnid): float(task.wnid == DOG) for task in db.candidates.tasks()}
    machine = db.crowd.machine("m", perfect)
    assert db.crowd.run(machine, Posterior(minimum=1, pilot=0)).states == {"open": DOGS + CATS}
    assert db.crowd.run(machine, Fixed(1)).states == {"open": DOGS + CATS}
    assert db.crowd.run(machine, Fixed(1, min_human=0)).states == {"yes": DOGS, "no": CATS}


def test_people_go_on_where_a_machine_has_voted(db: Project) -> None:
    perfect = {(task.sha256, task.wnid): 0.99 for task in db.candidates.tasks()}
    db.crowd.run(db.crowd.machine("m", perfect), Fixed(3))
    report = db.crowd.run(db.crowd.simulated(seed=1), Fixed(3))
    assert not report.waiting
    people = [vote for vote in db.crowd.votes() if vote.worker != "machine:m"]
    assert len(people) == 2 * (DOGS + CATS)
    assert {vote.round for vote in people} == {1, 2}


# The endpoint


def endpoint(server: VisionServer, key: str = KEY, **more: object) -> tuple[Endpoint, list[float]]:
    slept: list[float] = []
    return Endpoint(server.url, "looker", key, sleep=slept.append, **more), slept  # type: ignore[arg-type]


def test_an_endpoint_is_shown_small_pictures_and_nothing_else(db: Project, server: VisionServer) -> None:
    model, slept = endpoint(server)
    report = db.crowd.run(db.crowd.machine("looker", model))
    assert report.new_votes == DOGS + CATS
    said = votes(db, "machine:looker")
    assert {answer for (_, wnid), answer in said.items() if wnid == DOG} == {Answer.YES}
    assert {answer for (_, wnid), answer in said.items() if wnid == CAT} == {Answer.NO}
    assert (model.requests, model.tokens, model.unclear, slept) == (12, 12 * 93, 0, [])
    sizes = {image.size for image, _ in server.seen}
    assert sizes == {(384, 768), (80, 60)}
    assert all(not image.getexif() and image.format == "JPEG" for image, _ in server.seen)
    assert not any(b"king" in file for file in server.files)
    question = next(text for _, text in server.seen if "dog" in text)
    assert question.startswith(
        "Does this picture show dog or domestic dog or Canis familiaris? What is meant: a member"
    )
    assert {header["Authorization"] for header in server.headers} == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        ((429, {"error": {"message": "slow down"}}, {"Retry-After": "7"}), [7.0]),
        ((429, {"error": {"message": "slow down"}}, {"Retry-After": "100000"}), [60.0]),
        ((429, {"error": {"message": "slow down"}}, {"Retry-After": "\xb2"}), [1.0]),
        ((500, {"error": "oops"}), [1.0]),
        ((500, {"error": "oops"}, {"Transfer-Encoding": "chunked", "Connection": "close"}), [1.0]),
        ((200, {"error": "oops"}, {"Transfer-Encoding": "chunked", "Connection": "close"}), [1.0]),
        ((503, "oops"), [1.0]),
        ("cut", [1.0]),
        ("garbage", [1.0]),
    ],
)
def test_what_may_pass_is_tried_again(db: Project, server: VisionServer, fault: object, waits: list[float]) -> None:
    server.faults.append(fault)
    model, slept = endpoint(server, at_once=1)
    assert db.crowd.run(db.crowd.machine("looker", model)).new_votes == DOGS + CATS
    assert slept == waits
    assert model.requests == server.requests == DOGS + CATS + 1


class Trickle:
    """An answer that never ends, of which every byte takes a minute."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given = 0
        monkeypatch.setattr("holotype.crowd.machines.wire.time.monotonic", lambda: 60.0 * self.given)

    def read1(self, _: int) -> bytes:
        self.given += 1
        return b" "


def test_an_answer_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Trickle(monkeypatch)
    with pytest.raises(TimeoutError):
        wire._read(answer)
    assert answer.given == 3


def test_waits_grow_and_end(db: Project, server: VisionServer) -> None:
    server.faults.extend([(503, {"error": {"message": "tired"}})] * 4)
    model, slept = endpoint(server, at_once=1, tries=4)
    with pytest.raises(PlatformError, match="127.0.0.1 failed 4 times: 503: tired"):
        db.crowd.run(db.crowd.machine("looker", model, most=1))
    assert slept == [1.0, 2.0, 4.0]
    assert not db.crowd.votes()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ((400, {"error": {"message": "bad image"}}), "127.0.0.1 refused: 400: bad image"),
        ((402, {"error": {"message": "pay first"}}), "refused: 402: pay first"),
        ("moved", "it is elsewhere"),
        ((200, {"choices": []}), "no chat completion"),
        ((200, {"error": "x"}), "no chat completion"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(db: Project, server: VisionServer, fault: object, message: str) -> None:
    server.faults.append(fault)
    model, slept = endpoint(server, at_once=1)
    with pytest.raises(PlatformError, match=message):
        db.crowd.run(db.crowd.machine("looker", model, most=1))
    assert (slept, server.requests) == ([], 1)


def test_a_failure_on_the_way_loses_nothing_that_was_paid(db: Project, server: VisionServer) -> None:
    server.faults.extend(["none"] * 5 + [(400, {"error": {"message": "bad"}})])
    model, _ = endpoint(server, at_once=2)
    with pytest.raises(PlatformError):
        db.crowd.run(db.crowd.machine("looker", model))
    assert len(db.crowd.votes()) == len(server.seen)
    again, _ = endpoint(server, at_once=2)
    db.crowd.run(db.crowd.machine("looker", again))
    assert len(server.seen) == DOGS + CATS


def test_the_bound_on_questions_holds_and_the_next_run_goes_on(db: Project, server: VisionServer) -> None:
    for done, left in ((5, 7), (10, 2), (12, 0)):
        model, _ = endpoint(server)
        report = db.crowd.run(db.crowd.machine("looker", model, most=5))
        assert report.machine is not None
        assert (len(server.seen), report.machine.left) == (done, left)


def everything(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + str(error.__dict__)


@pytest.mark.parametrize(
    "fault",
    [
        None,
        (403, {"error": {"message": f"key {KEY} may not"}}),
        (400, {"error": {"message": f"you sent Bearer {KEY}"}}),
        (500, {"error": {"message": f"you sent Bearer {KEY}"}}),
        (500, {"error": KEY}),
    ],
)
def test_no_error_holds_the_key(
    db: Project, server: VisionServer, fault: object, caplog: pytest.LogCaptureFixture
) -> None:
    """The service may echo it: wherever it stands, it is not in what is told."""
    server.key = "" if fault else "another"
    if fault:
        server.faults.extend([fault] * 5)
    model, _ = endpoint(server, at_once=1)
    with pytest.raises(PlatformError) as caught:
        db.crowd.run(db.crowd.machine("looker", model))
    assert KEY not in everything(caught.value)
    assert KEY not in repr(model)
    assert KEY not in caplog.text
    assert not any(KEY.encode() in file.read_bytes() for file in db.path.rglob("*") if file.is_file())
    if fault is None:
        assert str(caught.value) == "127.0.0.1 refused: the key is not accepted (401)"


@pytest.mark.parametrize(
    ("url", "key", "message"),
    [
        ("http://example.org/v1", KEY, "the key would go to example.org readable by everybody"),
        ("ftp://example.org/v1", "", "an endpoint is a URL"),
        ("example.org/v1", "", "an endpoint is a URL"),
        ("https://[::1/v1", "", "an endpoint is a URL"),
        ("https://me:secret@example.org/v1", "", "holds no password"),
        ("https://example.org/v1", "sk-\nX-Other: 1", "characters that no key has"),
        ("https://example.org/v1", "schlüssel", "characters that no key has"),
    ],
)
def test_an_endpoint_that_would_be_unsafe_is_refused(url: str, key: str, message: str) -> None:
    with pytest.raises(CrowdError, match=message) as caught:
        Endpoint(url, "looker", key)
    assert "secret" not in str(caught.value)
    assert not key or key not in str(caught.value)


def test_nobody_answers_there(db: Project, server: VisionServer) -> None:
    server.close()
    model, slept = endpoint(server, at_once=1, tries=2)
    with pytest.raises(PlatformError, match="failed 2 times: it could not be reached"):
        db.crowd.run(db.crowd.machine("looker", model, most=1))
    assert slept == [1.0]
    server.close = lambda: None  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("0.85", 0.85),
        ("1", 1.0),
        (".5", 0.5),
        ("90%", 0.9),
        ("The probability is 0.3.", 0.3),
        ('```json\n{"probability": 0.25}\n```', 0.25),
        ("<think>it has 4 legs, 2 ears</think>\n0.95", 0.95),
        ("Yes.", 1.0),
        ("**no**", 0.0),
        ("I cannot help with identifying people.", None),
        ("between 0.2 and 0.4", None),
        ("7", None),
        ("-0.5e9999", None),
        ("", None),
        ("9" * 20_000, None),
        ("yes and no", None),
        ("0.2-0.4", None),
        ("version 2.0.1", None),
    ],
)
def test_an_answer_is_its_one_number(text: str, score: float | None) -> None:
    assert score_of(text) == score


@pytest.mark.parametrize("said", ["I would rather not say.", None, [{"type": "text", "text": "hm"}], 5])
def test_an_answer_that_is_no_number_is_unsure(db: Project, server: VisionServer, said: object) -> None:
    server.answer = lambda *_: said
    model, _ = endpoint(server)
    db.crowd.run(db.crowd.machine("looker", model, most=3))
    assert set(votes(db, "machine:looker").values()) == {Answer.UNSURE}
    assert model.unclear == 3


# The command


def crowd_run(db: Project, *options: object, expect: int = 0) -> str:
    return run("crowd", "run", "--crowd", "machine", *options, "-p", db.path, expect=expect)


def test_the_command_takes_scores(db: Project, tmp_path: Path) -> None:
    file = scores_file(tmp_path / "resnet50.csv", ALL_DOGS)
    said = crowd_run(db, "--scores", file, "--yes-from", 0.6, "--no-to", 0.2)
    assert said.startswith("machine:resnet50: 12 candidates = 8 voted on + 0 before + 4 without a score")
    assert [votes(db, "machine:resnet50")[f"IMG_{number}.jpg", DOG] for number in (2, 3, 6)] == [0, 1, 2]
    listed = json.loads(run("workers", "list", "--json", "-p", db.path))
    assert [one["worker"] for one in listed["workers"]] == ["machine:resnet50"]
    told = json.loads(crowd_run(db, "--scores", file, "--yes-from", 0.6, "--no-to", 0.2, "--json"))
    assert (told["machine"]["known"], told["new_votes"], told["states"]) == (8, 0, {"open": 12})


def test_the_command_asks_an_endpoint_and_shows_no_key(
    db: Project, server: VisionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    there = "--endpoint", server.url, "--model", "looker", "--key-variable", "MY_KEY"
    said = crowd_run(db, *there, "--most", 5, "--name", "eye")
    assert "machine:eye: 12 candidates = 5 voted on" in said
    assert "7 left for another run; 5 requests, 465 tokens" in said
    monkeypatch.setenv("MY_KEY", KEY[:-1])
    ended = command("crowd", "run", "--crowd", "machine", *there, "--name", "eye", "-p", db.path)
    assert ended.code == 2
    assert "the key is not accepted (401)" in ended.stderr
    assert KEY[:-1] not in said + ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--crowd machine goes by --scores or by --endpoint"),
        (["--endpoint", "http://localhost:1/v1"], "--endpoint needs a --model"),
        (["--seed", 1], "--crowd machine does not heed --seed"),
        (["--endpoint", "http://example.org/v1", "--model", "x", "--yes-from", 0.05], "thresholds need"),
        (["--endpoint", "nonsense", "--model", "x"], "an endpoint is a URL"),
    ],
)
def test_the_command_says_what_is_wrong(db: Project, options: list[object], message: str) -> None:
    assert message in crowd_run(db, *options, expect=2)


def test_options_of_a_machine_are_lost_on_nobody_else(db: Project, tmp_path: Path) -> None:
    file = scores_file(tmp_path / "s.csv", ALL_DOGS)
    for who in ("simulated", "nobody"):
        said = run("crowd", "run", "--crowd", who, "--scores", file, "-p", db.path, expect=2)
        assert f"--crowd {who} does not heed --scores" in said
    said = run("crowd", "run", "--trust", "ann", "--scores", file, "-p", db.path, expect=2)
    assert "--trust does not heed --scores" in said


def test_a_machine_audits_nothing(db: Project) -> None:
    task = db.candidates.tasks()[0]
    with pytest.raises(CrowdError, match="an auditor is a person"):
        db.audits.record({(task.sha256, task.wnid): Answer.YES}, " machine:m")


# What a release and statistics say


@pytest.fixture
def helped(db: Project) -> Project:
    """Two machines voted on some of the dogs, people on everything, and of one dog gold tells."""
    db.crowd.run(db.crowd.machine("a", {(f"IMG_{number}.jpg", DOG): 0.9 for number in range(1, 6)}))
    db.crowd.run(db.crowd.machine("b", {(f"IMG_{number}.jpg", DOG): 0.0 for number in range(4, 6)}))
    gold = next(task for task in db.candidates.tasks() if ("IMG_1.jpg", DOG) in names_of(db, task.sha256, task.wnid))
    db.gold.add({(gold.sha256, gold.wnid): True}, "me")
    db.crowd.run(db.crowd.simulated(seed=3), Fixed(4))
    return db


def names_of(db: Project, sha256: str, wnid: str) -> list[tuple[str, str]]:
    return [(Path(one.file).name, wnid) for one in db.images.inputs() if one.sha256 == sha256]


def test_a_release_says_which_labels_machines_helped_with(helped: Project) -> None:
    release = helped.releases.create("v1", outvoted=True)
    assert release.verify() == []
    rows = {names_of(helped, row["sha256"], row["wnid"])[0]: row for row in release.rows()}
    told = {key: row["machines"] for key, row in rows.items() if row["machines"]}
    assert told == {
        ("IMG_2.jpg", DOG): ["machine:a"],
        ("IMG_3.jpg", DOG): ["machine:a"],
        ("IMG_4.jpg", DOG): ["machine:a", "machine:b"],
        ("IMG_5.jpg", DOG): ["machine:a", "machine:b"],
    }
    assert rows["IMG_1.jpg", DOG]["policy"] == "gold"
    two = rows["IMG_2.jpg", DOG]
    assert two["yes"] + two["unsure"] + two["no"] == 3, "people's votes: the machine's is the fourth"
    by_machine = {"machine:a": 4, "machine:b": 2}
    assert release.summary["machines"] == {"labels": 4, "labels_by_machine": by_machine}
    workers = set(pq.read_table(release.path / "votes.parquet")["worker"].to_pylist())
    assert {name for name in workers if ":" in name} == {"machine:a", "machine:b"}
    assert helped.counts()["machines"] == {"labels": 4, "labels_by_machine": by_machine}
    assert "machines helped with 4 labels: machine:a 4, machine:b 2" in run("statistics", "-p", helped.path)


def test_a_release_that_names_other_machines_is_found_out(helped: Project, tmp_path: Path) -> None:
    release = helped.releases.create("v1", outvoted=True)
    path = release.path / "manifest.parquet"
    table = pq.read_table(path)
    lied = [["machine:b"] if names else [] for names in table["machines"].to_pylist()]
    place = table.schema.get_field_index("machines")
    pq.write_table(table.set_column(place, table.schema.field("machines"), [lied]), path)
    listing = release.path / "SHA256SUMS"
    sums = dict(line.split("  ")[::-1] for line in listing.read_text().splitlines())
    sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    listing.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    assert any("the machines that manifest.parquet names" in line for line in verify_release(release.path))


def test_where_no_machine_helped_a_release_is_as_it_always_was(db: Project) -> None:
    db.crowd.run(db.crowd.simulated(seed=3), Fixed(3))
    release = db.releases.create("v1", outvoted=True)
    assert list(release.manifest.schema.remove_metadata())[: len(MANIFEST_SCHEMA)] == list(MANIFEST_SCHEMA)
    assert "machines" not in release.manifest.schema.names
    assert "machines" not in release.summary
    assert db.counts()["machines"] == {}
    assert "machine" not in run("statistics", "-p", db.path)
