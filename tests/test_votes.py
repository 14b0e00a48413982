"""Votes come in from files, of whatever kind and spelling."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import command, encoded, photo, run
from holotype.cli.vote_files import read_vote_file
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Lead
from holotype.errors import CrowdError, UnknownImage
from holotype.project import Project
from holotype.project.given_times import time_of
from holotype.project.given_votes import GivenVote

DOG, CAT = "n02084071", "n02121808"
Rows = Sequence[Mapping[str, Any]]


def csv_file(path: Path, rows: Rows) -> Path:
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def json_file(path: Path, rows: Rows) -> Path:
    path = path.with_suffix(".jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def parquet_file(path: Path, rows: Rows) -> Path:
    path = path.with_suffix(".parquet")
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


KINDS = [csv_file, json_file, parquet_file]
Write = Callable[[Path, Rows], Path]


@pytest.fixture
def db(project: Project, tmp_path: Path) -> Project:
    """Dogs 1 to 3, one of which is a candidate for cats, too, and a cat with the name of a dog."""
    for wnid, seeds in ((DOG, (1, 2, 3)), (CAT, (3, 4))):
        (tmp_path / "photos" / wnid).mkdir(parents=True)
        for seed in seeds:
            (tmp_path / "photos" / wnid / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    (tmp_path / "photos" / CAT / "4.jpg").rename(tmp_path / "photos" / CAT / "1.jpg")
    project.images.ingest(tmp_path / "photos")
    return project


def sha256(db: Project, file: str) -> str:
    return next(one.sha256 for one in db.images.inputs() if one.file == file)


def cast(db: Project) -> set[tuple[str, str, str, Answer]]:
    tasks = {task.number: task for task in db.candidates.tasks()}
    told = [(tasks[vote.task], vote) for vote in db.crowd.votes()]
    return {(task.sha256[:8], task.wnid, vote.worker, vote.answer) for task, vote in told}


@pytest.mark.parametrize("write", KINDS)
@pytest.mark.parametrize(
    ("yes", "no"), [("yes", "no"), ("Y", "N"), (1, 0), (1.0, 0.0), (True, False), ("true", "FALSE")]
)
@pytest.mark.parametrize("names", [("image", "wnid", "worker", "answer"), ("file", "synset", "worker_id", "label")])
def test_own_columns_are_read(
    db: Project, tmp_path: Path, write: Write, yes: object, no: object, names: Sequence[str]
) -> None:
    rows = [("1.jpg", DOG, "ann", yes), ("1.jpg", CAT, "ann", no), (sha256(db, f"{DOG}/2.jpg"), DOG, "ann", no)]
    path = write(tmp_path / "v.csv", [dict(zip(names, row, strict=True)) for row in rows])
    report = db.crowd.add(read_vote_file(path)[0])
    assert (report.appended.new, report.refused) == (3, ())
    first, second, third = (sha256(db, file)[:8] for file in (f"{DOG}/1.jpg", f"{CAT}/1.jpg", f"{DOG}/2.jpg"))
    assert cast(db) == {
        (first, DOG, "ann", Answer.YES),
        (second, CAT, "ann", Answer.NO),
        (third, DOG, "ann", Answer.NO),
    }
    again = db.crowd.add(read_vote_file(path)[0])
    assert (again.appended.new, again.appended.known, again.appended.changed) == (0, 3, 0)


@pytest.mark.parametrize("write", KINDS)
def test_crowd_kits_columns_are_read(db: Project, tmp_path: Path, write: Write) -> None:
    whole = sha256(db, f"{DOG}/1.jpg")
    tasks = ["2.jpg", f"{whole} {DOG}", f"3.jpg/{DOG}", f"{CAT}/3.jpg:{CAT}", f"{whole[:16]}|{DOG}"]
    rows = [{"task": task, "worker": f"w{n}", "label": 1} for n, task in enumerate(tasks)]
    report = db.crowd.add(read_vote_file(write(tmp_path / "v.csv", rows))[0])
    assert (report.appended.new, report.refused) == (5, ())
    two, three = (sha256(db, f"{DOG}/{number}.jpg")[:8] for number in (2, 3))
    assert {row[:3] for row in cast(db)} == {
        (two, DOG, "w0"),
        (whole[:8], DOG, "w1"),
        (three, DOG, "w2"),
        (three, CAT, "w3"),
        (whole[:8], DOG, "w4"),
    }


def test_what_fits_nothing_is_told_by_its_line_and_the_rest_is_taken(db: Project, tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(
        "image,synset,worker,answer,seconds,at\n"
        "2.jpg,dog,ann,yes,2.5,2026-01-02T03:04:05+00:00\n"
        f"none.jpg,{DOG},ann,yes,,\n"
        "2.jpg,nonsense word,ann,yes,,\n"
        f"2.jpg,{CAT},ann,yes,,\n"
        "3.jpg,,ann,yes,,\n"
        f"2.jpg,{DOG},bob,perhaps,,\n"
        f"2.jpg,{DOG},,yes,,\n"
        f"2.jpg,{DOG},bob,2,,\n"
        f"2.jpg,{DOG},bob,yes,soon,\n"
        f"2.jpg,{DOG},bob,yes,1,2,3\n"
        f"2.jpg,{DOG},{'b' * 501},yes,,\n"
        f"2.jpg,{DOG},cid,?,,12\n".replace("dog,", f"{DOG},")
    )
    path.write_text(path.read_text().replace("2.jpg,dog,", '2.jpg,"domestic dog",'))
    votes, broken = read_vote_file(path)
    report = db.crowd.add(votes, refused=broken)
    assert (report.appended.new, len(report.refused)) == (3, 9)
    assert [(one.line, one.reason) for one in report.refused] == [
        (3, "unknown_image"),
        (4, "unknown_synset"),
        (5, "no_candidate"),
        (6, "no_synset"),
        (7, "no_answer"),
        (8, "no_worker"),
        (9, "no_answer"),
        (11, "too_many_cells"),
        (12, "no_worker"),
    ]
    assert [(one.line, one.reason) for one in report.untimed] == [(10, "no_seconds")]
    assert [vote.at for vote in db.crowd.votes()][::2] == [1767323045.0, 12.0]
    assert [vote.seconds for vote in db.crowd.votes()] == [2.5, 0.0, 0.0]
    assert [vote.answer for vote in db.crowd.votes()] == [Answer.YES, Answer.YES, Answer.UNSURE]
    told = str(report)
    assert told.startswith("12 votes = 3 new + 0 known + 9 refused (no_answer 2, no_candidate 1,")
    assert "; 1 times cannot be read; " in told


BIRD, MACHINE = "n02012849", "n03126707"


@pytest.fixture
def cranes(project: Project, tmp_path: Path) -> Project:
    """Image 1 is a candidate of the bird, 2 of the machine, 3 of both, and 4 of dogs."""
    for wnid, seeds in ((BIRD, (1, 3)), (MACHINE, (2, 3)), (DOG, (4,))):
        (tmp_path / "cranes" / wnid).mkdir(parents=True)
        for seed in seeds:
            (tmp_path / "cranes" / wnid / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    project.images.ingest(tmp_path / "cranes")
    return project


def test_a_word_of_several_senses_means_the_one_that_the_image_is_a_candidate_of(
    cranes: Project, tmp_path: Path
) -> None:
    path = tmp_path / "v.csv"
    path.write_text("image,wnid,worker,answer\n" + "".join(f"{n}.jpg,crane,ann,yes\n" for n in (1, 2, 3, 4)))
    ended = command("votes", "add", path, "-p", cranes.path)
    one, two = (sha256(cranes, file)[:8] for file in (f"{BIRD}/1.jpg", f"{MACHINE}/2.jpg"))
    assert cast(cranes) == {(one, BIRD, "ann", Answer.YES), (two, MACHINE, "ann", Answer.YES)}
    both, none, _ = ended.stderr.splitlines()
    assert both.startswith("line 4: 'crane' has ")
    assert "and '3.jpg' is a candidate of 2 of them: say the wnid" in both
    assert both.endswith("(ambiguous_synset)")
    assert none.endswith("say the wnid (ambiguous_synset)")
    assert "and '4.jpg' is a candidate of none of them" in none
    assert "\\n" not in both + none


NAMED: dict[str, tuple[Sequence[str], str, str]] = {
    "gold add": (("gold", "add"), "yes", "2 gold answers added"),
    "labels overrule": (
        ("labels", "overrule", "--curator", "ann", "--reason", "seen"),
        "no",
        "2 labels overruled",
    ),
    "candidates priors": (("candidates", "priors", "--source", "model"), "0.7", "2 of 2 priors are new"),
}


@pytest.mark.parametrize("between", [",", ";"])
@pytest.mark.parametrize("names", [("sha256", "wnid"), ("image", "synset"), ("File", "wnid")])
@pytest.mark.parametrize("name", NAMED)
def test_files_of_answers_name_images_and_synsets_as_files_of_votes_do(
    cranes: Project, tmp_path: Path, name: str, names: Sequence[str], between: str
) -> None:
    words, said, told = NAMED[name]
    last = "chance" if name == "candidates priors" else "answer"
    rows = [(*names, last), ("1.jpg", "crane", said), ("4.jpg", "domestic dog", said)]
    (tmp_path / "a.csv").write_text("".join(f"{between.join(row)}\n" for row in rows))
    assert run(*words, tmp_path / "a.csv", "-p", cranes.path).startswith(told)


def test_gold_of_a_word_is_of_the_sense_that_fits_and_is_taken_back_by_it(cranes: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("image,wnid,answer\n1.jpg,crane,yes\n2.jpg,crane,no\n")
    run("gold", "add", path, "-p", cranes.path)
    assert {(task.wnid, yes) for task, yes in cranes.gold.answers().items()} == {(BIRD, True), (MACHINE, False)}
    path.write_text("image,synset\n1.jpg,crane\n")
    assert run("gold", "withdraw", path, "--reason", "r", "-p", cranes.path).startswith("1 gold answer withdrawn")


def test_words_that_fit_no_sense_for_sure_are_refused_with_one_true_line(cranes: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for rows, told in {
        "3.jpg,crane,yes\n": "1 gold answers name no synset for sure, the first: 'crane' has ",
        "4.jpg,crane,yes\n": "and '4.jpg' is a candidate of none of them: say the wnid",
        "4.jpg,doggg,yes\n": "no synset is called 'doggg'",
        f"1.jpg,crane,yes\n1.jpg,{BIRD},no\n": f"gold answers contradict each other on 1.jpg for {BIRD}",
        f"1.jpg,{MACHINE},yes\n": "'1.jpg' for n03126707: the image is no candidate for that",
    }.items():
        path.write_text(f"image,wnid,answer\n{rows}")
        assert told in run("gold", "add", path, "-p", cranes.path, expect=2)
    path.write_text("picture,wnid,answer\n")
    said = run("gold", "add", path, "-p", cranes.path, expect=2)
    assert "the header must be sha256,wnid,answer (sha256 may be called image or id or file" in said
    with pytest.raises(UnknownImage) as found:
        cranes.gold.add({("1.jpg", "crane"): True}, "ann")
    assert found.value.lines == ["'1.jpg' for crane: that is no wnid"]


def test_the_truth_of_a_simulated_crowd_is_named_so_too(cranes: Project, tmp_path: Path) -> None:
    rows = ["1.jpg,crane,yes", "2.jpg,crane,yes", f"3.jpg,{BIRD},yes", f"3.jpg,{MACHINE},no", "4.jpg,domestic dog,no"]
    (tmp_path / "t.csv").write_text("\n".join(["image,synset,answer", *rows]))
    run("crowd", "run", "--crowd", "simulated", "--truth", tmp_path / "t.csv", "--trust", "ann", "-p", cranes.path)
    said = {
        (task.wnid, vote.answer)
        for vote in cranes.crowd.votes()
        for task in cranes.candidates.tasks()
        if task.number == vote.task
    }
    assert said == {(BIRD, Answer.YES), (MACHINE, Answer.YES), (MACHINE, Answer.NO), (DOG, Answer.NO)}


@pytest.mark.parametrize("said", ["2,5", "2.5", " 2.5 "])
@pytest.mark.parametrize(
    "at", ["2026-11-26T10:00", "26.11.2026 10:00", "26/11/2026 10:00", "11/26/2026 10:00:00", "11/26/2026 10:00 AM"]
)
def test_times_are_read_as_people_write_them(db: Project, tmp_path: Path, said: str, at: str) -> None:
    path = tmp_path / "v.csv"
    path.write_text(f"image;wnid;worker;answer;seconds;at\n2.jpg;{DOG};ann;yes;{said};{at}\n")
    report = db.crowd.add(read_vote_file(path)[0])
    assert report.untimed == ()
    assert [(vote.seconds, vote.at) for vote in db.crowd.votes()] == [(2.5, datetime(2026, 11, 26, 10).timestamp())]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("26.11.2026", datetime(2026, 11, 26)),
        ("2026/11/26 9:05 pm", datetime(2026, 11, 26, 21, 5)),
        ("05/05/2026 12:00 AM", datetime(2026, 5, 5)),
        ("2026-11-26 10:00:00+00:00", datetime(2026, 11, 26, 10, tzinfo=UTC)),
    ],
)
def test_dates_that_mean_one_day_are_read(text: str, when: datetime) -> None:
    assert time_of(text) == when.timestamp()


@pytest.mark.parametrize(
    "text", ["05/11/2026", "26.11.26", "31.02.2026", "26.11.2026 25:00", "11/26/2026 13:00 PM", "soon", "-1", "inf"]
)
def test_a_time_that_may_be_several_or_none_is_told_and_the_vote_is_taken(
    db: Project, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "v.csv"
    path.write_text(f"image,wnid,worker,answer,seconds,at\n2.jpg,{DOG},ann,yes,soon,{text}\n")
    ended = command("votes", "add", path, "-p", db.path)
    assert ended.stdout.startswith("1 votes = 1 new + 0 known + 0 refused; 2 times cannot be read; ")
    assert ended.stderr.splitlines()[:-1] == [
        "line 2: seconds are a number, 0 or more, not 'soon'; taken as 0 (no_seconds)",
        f"line 2: a time is as 2026-11-26T10:00 or 26.11.2026 10:00, not {text!r}; taken as now (no_time)",
    ]
    told = json.loads(run("votes", "add", path, "-p", db.path, "--json"))
    assert [one["reason"] for one in told["untimed"]] == ["no_seconds", "no_time"]


def test_an_image_that_may_be_several_is_no_guess(db: Project, tmp_path: Path) -> None:
    (tmp_path / "more" / DOG / "box 7").mkdir(parents=True)
    (tmp_path / "more" / DOG / "box 7/1.jpg").write_bytes(encoded(photo(9)))
    db.images.ingest(tmp_path / "more")
    report = db.crowd.add([GivenVote("1.jpg", DOG, "ann", "yes", line=2)])
    assert [one.reason for one in report.refused] == ["ambiguous_image"]
    assert "may be" in report.refused[0].detail
    assert cast(db) == set()
    assert db.crowd.add([GivenVote("box 7/1.jpg", DOG, "ann", "yes")]).appended.new == 1


def test_a_broken_line_of_json_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text(
        '{"task": "a", "worker": "w", "label": true}\n{"task"\n[1]\n\n{"task": "b", "worker": "w", "label": 0}'
    )
    votes, broken = read_vote_file(path, "dog")
    assert [(one.image, one.synset, one.answer, one.line) for one in votes] == [
        ("a", "dog", "True", 1),
        ("b", "dog", "0", 5),
    ]
    assert [(one.line, one.reason) for one in broken] == [(2, "no_object"), (3, "no_object")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,worker\na,b\n", "has no column answer or label; a file of votes has image, wnid"),
        ("image,answer\na,b\n", "has no column worker or worker_id"),
        ("worker,answer\na,b\n", "has no column task or sha256 or image"),
        ('image,worker,answer\n"a,b\n', "v.csv, line 2: unexpected end of data"),
        ("\xff\xfe", "holds no votes"),
        ("\xff", "line 1: bytes that are not UTF-8"),
    ],
)
def test_what_is_no_file_of_votes_is_one_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "v.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(CrowdError, match=message):
        read_vote_file(tmp_path / "v.csv")
    (tmp_path / "v.parquet").write_bytes(b"no parquet")
    with pytest.raises(CrowdError, match="cannot read"):
        read_vote_file(tmp_path / "v.parquet")


@pytest.mark.parametrize("text", ["", "image,wnid,worker,answer\n"])
def test_an_empty_file_has_no_votes(tmp_path: Path, text: str) -> None:
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(CrowdError, match="holds no votes"):
        read_vote_file(tmp_path / "v.csv")


def test_a_column_that_is_there_twice_is_no_guess(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("image,worker,Answer,answer\na,ann,yes,no\n")
    with pytest.raises(CrowdError, match="the column answer is there 2 times: leave one"):
        read_vote_file(path)
    path.write_text("image,worker,answer,note,note\na,ann,yes,x,y\n")
    assert [one.answer for one in read_vote_file(path)[0]] == ["yes"], "what is not read may be there twice"
    twice = pa.table([["a"], ["ann"], ["yes"], ["no"]], names=["image", "worker", "answer", "answer"])
    pq.write_table(twice, tmp_path / "v.parquet")
    with pytest.raises(CrowdError, match="the column answer is there 2 times"):
        read_vote_file(tmp_path / "v.parquet")
    (tmp_path / "v.jsonl").write_text('{"image": "a", "worker": "ann", "answer": "yes", "answer": "no"}\n')
    votes, (broken,) = read_vote_file(tmp_path / "v.jsonl")
    assert (votes, broken.line, broken.reason) == ([], 1, "no_object")
    assert "the key 'answer' is there twice" in broken.detail


@pytest.mark.parametrize("write", KINDS)
def test_a_name_that_is_empty_leaves_the_word_to_the_next(tmp_path: Path, write: Write) -> None:
    rows = [
        {"sha256": "", "image": "a", "task": "c", "worker": "", "worker_id": "ann", "answer": "yes"},
        {"sha256": "b", "image": "a", "task": "c", "worker": "bob", "worker_id": "ann", "answer": "no"},
        {"sha256": "", "image": " ", "task": "c", "worker": "bob", "worker_id": "", "answer": "no"},
    ]
    votes, _ = read_vote_file(write(tmp_path / "v.csv", rows))
    assert [(one.image, one.worker) for one in votes] == [("a", "ann"), ("b", "bob"), ("c", "bob")]


@pytest.mark.parametrize("bad", ["\\ud800", "a\\u0000b"])
def test_text_that_no_database_takes_is_a_line_that_is_told(db: Project, tmp_path: Path, bad: str) -> None:
    path = tmp_path / "v.jsonl"
    rows = [
        f'{{"image": "{bad}", "wnid": "{DOG}", "worker": "w", "answer": "yes"}}',
        f'{{"image": "{bad}", "worker": "w", "answer": "yes"}}',
        f'{{"task": "{bad} {DOG}", "worker": "w", "label": "yes"}}',
        f'{{"image": "2.jpg", "synset": "{bad}", "worker": "w", "answer": "yes"}}',
        f'{{"image": "2.jpg", "worker": "{bad}", "answer": "yes"}}',
        f'{{"image": "2.jpg", "worker": "w", "answer": "{bad}"}}',
        f'{{"image": "2.jpg", "worker": "w", "answer": "yes", "at": "{bad}"}}',
    ]
    path.write_text("\n".join(rows))
    ended = command("votes", "add", path, "-p", db.path)
    assert (ended.code, len(ended.stderr.splitlines())) == (0, 8)
    assert ended.stdout.startswith(
        "7 votes = 1 new + 0 known + 6 refused (no_answer 1, no_worker 1, unknown_image 3, unknown_synset 1); 1 times"
    )
    with path.open("a") as file:
        file.write('\n{"image": "2.jpg", "worker": "v", "answer": "yes"}\n')
    assert json.loads(run("votes", "add", path, "-p", db.path, "--json"))["new"] == 1


def test_votes_are_added_on_the_command_line(db: Project, tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(f"task,worker,label\n2.jpg,ann,1\n1.jpg,ann,1\nx.jpg {DOG},ann,1\n")
    ended = command("votes", "add", path, "-p", db.path)
    assert ended.code == 0
    assert ended.stderr.splitlines() == [
        "line 3: '1.jpg' is a candidate for 2 synsets: say which (no_synset)",
        "line 4: no image is called 'x.jpg' (unknown_image)",
        "to draw them by votes: holotype crowd run --crowd nobody",
    ]
    assert ended.stdout.startswith("3 votes = 1 new + 0 known + 2 refused (no_synset 1, unknown_image 1)")
    told = json.loads(run("votes", "add", path, "--synset", DOG, "-p", db.path, "--json"))
    assert (told["new"], told["known"], told["reasons"]) == (1, 1, {"unknown_image": 1})
    assert told["refused"] == [{"line": 4, "reason": "unknown_image", "detail": "no image is called 'x.jpg'"}]
    path.write_text("task,worker,label\nx.jpg,ann,1\n")
    run("votes", "add", path, "-p", db.path, expect=1)
    for text in ("task,worker,label\n", ""):
        path.write_text(text)
        assert "holds no votes" in run("votes", "add", path, "-p", db.path, expect=2)


def test_votes_of_a_file_change_the_labels_they_touch(db: Project) -> None:
    db.crowd.run(db.crowd.simulated(), Lead(2, 9))
    before = {(one.sha256, one.wnid): one.state for one in db.images.find()}
    report = db.crowd.add([GivenVote("2.jpg", DOG, f"late {n}", "no") for n in range(9)])
    after = {(one.sha256, one.wnid): one.state for one in db.images.find()}
    assert report.appended.changed == sum(before[pair] != after[pair] for pair in before) == 1
