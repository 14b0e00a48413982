"""Reading comprehension: a task that is no task of images, scored as SQuAD v1.1 scores it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from conftest import run
from holotype.benchmark import evaluate, standings
from holotype.benchmark.squad import SQUAD, exact_match, f1, measure, normalised, read_questions, read_replies
from holotype.benchmark.task import task
from holotype.benchmark.tasks import OURS
from holotype.errors import PredictionError

TORCHMETRICS: Sequence[tuple[list[str], str, float, float]] = [
    (["Denver Broncos"], "denver broncos!", 1.0, 1.0),
    (["Denver Broncos", "The Denver Broncos"], "Broncos of Denver", 0.0, 0.8),
    (["a dog and a cat"], "dog cat dog", 0.0, 0.666667),
    (["it's 10.5%"], "its 105", 1.0, 1.0),
    (["Santa Clara, California", "Levi's Stadium"], "Levis stadium in Santa Clara", 0.0, 0.571429),
    (["États-Unis"], "étatsunis", 1.0, 1.0),
    (["“quoted”"], "quoted", 0.0, 0.0),
    (["the theatre"], "theatre", 1.0, 1.0),
    (["a-team"], "ateam", 1.0, 1.0),
    (["an\xa0apple"], "apple", 1.0, 1.0),
    (["gold gold gold"], "gold gold", 0.0, 0.8),
    (["1 2 3 4"], "4 3 2 1", 0.0, 1.0),
    (["ends in a", "b"], "ends in", 1.0, 1.0),
    (["x", "x y", "x y z"], "y z", 0.0, 0.8),
    (["İstanbul"], "istanbul", 0.0, 0.0),
    (["no"], "yes", 0.0, 0.0),
]
"""Reference answers, an answer, and what ``torchmetrics.functional.text.squad`` 1.9.0 says of it, divided by 100."""


@pytest.mark.parametrize(("references", "answer", "exact", "overlap"), TORCHMETRICS)
def test_scores_are_those_of_torchmetrics(references: list[str], answer: str, exact: float, overlap: float) -> None:
    assert exact_match(references, answer) == exact
    assert f1(references, answer) == pytest.approx(overlap, abs=1e-6)


def test_the_means_are_those_of_torchmetrics() -> None:
    truth = {str(at): row[0] for at, row in enumerate(TORCHMETRICS)}
    (result,), _, _ = evaluate(SQUAD, truth, [{str(at): row[1] for at, row in enumerate(TORCHMETRICS)}], 10)
    assert result["exact match"].value == 0.4375
    assert result["F1"].value == pytest.approx(sum(row[3] for row in TORCHMETRICS) / 16, abs=1e-6)


def test_values_worked_out_by_hand() -> None:
    """Three of the four tokens said are among five: precision 3/4, recall 3/5, so F1 is 2/3."""
    assert f1(["one two three four five"], "five three one nine") == pytest.approx(2 / 3)
    assert measure(["a"], None) == (0, 0)
    assert normalised(" The\tcat,\n sat on AN anthem. ") == "cat sat on anthem"


def test_two_articles_match_and_have_nothing_in_common() -> None:
    """So ``evaluate-v1.1.py`` has it; torchmetrics and SQuAD v2.0 give an F1 of 1."""
    assert measure(["the"], "an") == (1, 0)


def squad(path: Path, questions: Mapping[str, Sequence[str]]) -> Path:
    """A file of SQuAD v1.1, two questions a paragraph."""
    qas = [
        {"id": key, "question": "?", "answers": [{"text": text, "answer_start": 0} for text in texts]}
        for key, texts in questions.items()
    ]
    paragraphs = [{"context": "", "qas": qas[at : at + 2]} for at in range(0, len(qas), 2)]
    path.write_text(json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": paragraphs}]}))
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return squad(tmp_path / "dev.json", {"q1": ["Paris", "paris, France"], "q2": ["1066"], "q3": ["the cat"]})


def answers(path: Path, said: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(said))
    return path


def test_truth_and_answers_are_read_as_squad_writes_them(tmp_path: Path, truth: Path) -> None:
    files = answers(tmp_path / "a.json", {"q2": "in 1066", "q1": "Paris"}), tmp_path / "b.csv", tmp_path / "c.jsonl"
    files[1].write_text("id,answer\nq1,Paris\nq2,in 1066\n")
    files[2].write_text('{"id": "q1", "answer": "Paris"}\n{"id": "q2", "answer": "in 1066"}\n')
    found = [json.loads(run("evaluate", path, "--truth", truth, "--task", "squad", "--json")) for path in files]
    assert found[0] == found[1] == found[2]
    assert found[0]["metrics"]["exact match"]["value"] == pytest.approx(1 / 3)
    assert found[0]["metrics"]["F1"]["value"] == pytest.approx((1 + 2 / 3) / 3)
    assert found[0]["remarks"] == ["questions without an answer, which score 0: 1 of 3"]
    assert found[0]["evaluator"] == "squad 1/1"


def test_the_truth_fed_back_is_perfect_and_nothing_is_all_missed(tmp_path: Path, truth: Path) -> None:
    known = read_questions(truth)
    best = read_replies(answers(tmp_path / "best.json", {key: texts[-1] for key, texts in known.items()}), known)
    none = read_replies(answers(tmp_path / "none.json", {}), known)
    results, judges, drawn = evaluate(SQUAD, known, [best, none], 100)
    assert [[one.value for one in result.metrics.values()] for result in results] == [[1, 1], [0, 0]]
    assert results[1].remarks == ("questions without an answer, which score 0: 3 of 3",)
    assert [one.name for one in standings(["best", "none"], judges, drawn, 0)] == ["best", "none"]


def test_more_references_never_lower_a_score() -> None:
    for references, answer, _, _ in TORCHMETRICS:
        more = measure([*references, "something else"], answer)
        assert all(one >= before for one, before in zip(more, measure(references, answer), strict=True))


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"q1": "Paris", "q9": "x"}, "a.json, answer 2: 'q9' is no question of the truth"),
        ({"q1": 1066}, "answer 1: the answer to 'q1' is no text"),
        ({"q1": None}, "answer 1: the answer to 'q1' is no text"),
        ({f"x{at}": "" for at in range(7)}, r"\(and 2 more\)"),
    ],
)
def test_answers_that_are_refused(tmp_path: Path, truth: Path, said: Mapping[str, Any], refused: str) -> None:
    with pytest.raises(PredictionError, match=refused):
        read_replies(answers(tmp_path / "a.json", said), read_questions(truth))


@pytest.mark.parametrize(
    ("document", "refused"),
    [
        ({}, "a list 'data' is missing"),
        ([], "a list 'data' is missing"),
        ({"data": [{"paragraphs": [{"context": ""}]}]}, "a list 'qas' is missing"),
        ({"data": []}, "has no questions"),
        ({"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": []}]}]}]}, "question 1: an id and answers"),
        ({"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": 3}]}]}]}, "question 1: an id and answers"),
        ({"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": [{"text": 3}]}]}]}]}, "question 1: an id and"),
        ({"data": [{"paragraphs": [{"qas": [{"answers": [{"text": "x"}]}]}]}]}, "question 1: an id and answers"),
        ({"data": [{"paragraphs": [{"qas": [7]}]}]}, "question 1: an id and answers"),
    ],
)
def test_truths_that_are_refused(tmp_path: Path, document: Any, refused: str) -> None:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(document))
    with pytest.raises(PredictionError, match=refused):
        read_questions(path)


def test_a_question_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = squad(tmp_path / "dev.json", {"q": ["x"]})
    path.write_text(path.read_text().replace('"qas": [', '"qas": [{"id": "q", "answers": [{"text": "y"}]}, '))
    with pytest.raises(PredictionError, match="question 2: 'q' is there twice"):
        read_questions(path)


def test_it_is_a_task_that_ships() -> None:
    assert task("squad", OURS) is SQUAD
