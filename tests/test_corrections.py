"""Gold and labels corrected by appending, and one expert instead of a crowd: policies, a project, its release."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import holotype
from conftest import run
from holotype.cli.text import moment
from holotype.consensus.ballot import Ballot
from holotype.consensus.votes import Answer, Ruling, Task, Vote
from holotype.crowd.conclusion import Policy, State
from holotype.crowd.expert import NOBODY_CHECKED, Nobody, Source, Trust
from holotype.crowd.imageable import Imageable, unimageable
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.crowd.policy_names import is_unchecked, parse_policy, without_names
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import verify_release
from holotype.simulation.fitting import History

Fill = Callable[..., None]
Copy = Callable[[Path], Path]
DOG, WHIPPET, GREYHOUND = "n02084071", "n02091134", "n02091032"
YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE
TASKS = [Task(number, DOG, f"{number:064x}") for number in range(4)]


def vote(number: int, worker: str, answer: Answer) -> Vote:
    return Vote(number, worker, answer, "001-x", 1.0, 0.0, 1)


# Policies


def test_one_persons_vote_decides_alone() -> None:
    others = [vote(number, f"w{n}", NO) for number in range(4) for n in range(9)]
    mine = [vote(number, "ann", answer) for number, answer in enumerate((YES, NO, UNSURE))]
    found = Tally.of(TASKS, [*others, *mine]).conclude(Trust("ann"))
    assert found.states == [State.YES, State.NO, State.UNDECIDED, State.OPEN]
    assert found.scores.tolist() == [1, 0, 0.5, 0.5]
    assert set(Tally.of(TASKS, others + mine, blocked={"ann"}).conclude(Trust("ann")).states) == {State.OPEN}


def test_a_source_is_taken_at_its_word_whatever_is_voted() -> None:
    found = [(0, "folder:birds"), (0, "web"), (1, "folder:birds of prey"), (2, "folders"), (9, "folder:birds")]
    tally = Tally.of(TASKS, [vote(0, "ann", NO)], found=found)
    yes, undecided = State.YES, State.UNDECIDED
    for name, states in {
        "folder": [yes, yes, undecided, undecided],
        "folder:birds": [yes, undecided, undecided, undecided],
        "web": [yes, undecided, undecided, undecided],
    }.items():
        assert tally.conclude(Source(name)).states == states, name
    with pytest.raises(CrowdError, match="nothing came from 'bird'; there are: folder:birds, web"):
        tally.conclude(Source("bird"))
    assert Tally.of(TASKS).conclude(Source()).states == [undecided] * 4


def test_experts_need_to_know_who_voted_and_where_images_were_found() -> None:
    nothing = np.zeros(0, np.int64)
    empty = Ballot(nothing, nothing, nothing, np.zeros(2, np.int64), 0, 1)
    for policy in (Trust("ann"), Source()):
        with pytest.raises(CrowdError, match="which these votes do not say"):
            policy.conclude(empty)
    with pytest.raises(CrowdError, match="needs a name"):
        Trust("")
    with pytest.raises(CrowdError, match="needs a name"):
        Source("")


NAMES = [
    'a"b',
    "x), least=0.5)",
    "ü, (y=3)",
    'trust("z")',
    ", calibration(slope=1, shift=2))",
    "back\\slash\n",
    "imageable(",
]


@given(st.one_of(st.sampled_from(NAMES), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1000)))
def test_experts_are_named_whatever_they_are_called(name: str) -> None:
    for policy in (Trust(name), Source(name), Imageable(Trust(name)), Imageable(Source(name))):
        assert parse_policy(str(policy)) == policy
        assert is_unchecked(str(policy))
    assert (
        without_names(str(Trust(name)), lambda _: "#") == without_names(str(Trust("b")), lambda _: "#") == 'trust("#")'
    )
    assert without_names(str(Imageable(Trust(name))), str.title) == str(Imageable(Trust(name.title())))
    assert without_names(str(Source(name)), str.upper) == str(Source(name))
    assert without_names(f"curator:{name}", lambda said: f"<{said}>") == f"curator:<{name}>"


@pytest.mark.parametrize("text", ["trust(ann)", "trust()", "source(1)", 'trust("a", "b")', 'trust(["a"])', 'trust("")'])
def test_what_names_no_expert_is_refused(text: str) -> None:
    with pytest.raises(CrowdError, match="name"):
        parse_policy(text)


def test_other_policies_name_nobody() -> None:
    for policy in (Posterior(), Lead(), Imageable(Fixed())):
        assert not is_unchecked(str(policy))
        assert without_names(str(policy), lambda _: "#") == str(policy)


POLICIES: list[Policy] = [
    Fixed(5),
    Lead(2, 5),
    Posterior(),
    Table(seeds=3),
    Imageable(Posterior()),
    Trust("w1"),
    Source(),
]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_what_a_curator_ruled_on_is_so_under_every_policy(policy: Policy) -> None:
    votes = [vote(number, f"w{n}", NO if number == 0 else YES) for number in (0, 1) for n in range(12)]
    rulings = {
        0: Ruling(True, "c"),
        1: Ruling(False, "c"),
        2: Ruling(True, "c"),
        3: Ruling(True, "c"),
        99: Ruling(True, "c"),
    }
    found = Tally.of(TASKS, votes, gold={3: False}, rulings=rulings).conclude(policy)
    assert found.states == [State.YES, State.NO, State.YES, State.NO], "gold goes first"
    assert found.scores.tolist() == [1, 0, 1, 0]


def test_a_ruling_tells_nothing_about_workers_or_synsets() -> None:
    votes = [vote(number, f"w{n}", NO) for number in range(4) for n in range(20)]
    plain, ruled = (Tally.of(TASKS, votes, rulings=said).ballot() for said in ({}, {0: Ruling(True, "c")}))
    model = Posterior().conclude(plain).scores, Posterior().conclude(ruled).scores
    assert model[0][1:].tolist() == model[1][1:].tolist()
    every = Tally.of(TASKS, votes, rulings={task.number: Ruling(False, "c") for task in TASKS}).ballot()
    assert not unimageable(every, Fixed(5).conclude(every)).any(), "a curator chose them: no fair draw"


def test_a_table_does_not_wait_for_votes_on_what_is_ruled() -> None:
    votes = [vote(number, f"w{n}", YES) for number in (1, 2) for n in range(10)]
    waiting = Tally.of(TASKS, votes).conclude(Table(seeds=3)).states
    assert waiting == [State.OPEN, State.YES, State.YES, State.UNDECIDED]
    ruled = Tally.of(TASKS, votes, rulings={0: Ruling(False, "c")}).conclude(Table(seeds=3)).states
    assert ruled == [State.NO, State.YES, State.YES, State.OPEN]


def test_a_history_knows_what_is_ruled() -> None:
    ballot = History.of(Tally.of(TASKS, rulings={1: Ruling(True, "c")})).ballot
    assert Fixed(1).conclude(ballot).states == [State.OPEN, State.YES, State.OPEN, State.OPEN]


# Gold in a project


@pytest.fixture(scope="module")
def collected_once(new_project: Copy, wordnet: Ontology, fill: Fill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected")
    for number, name in enumerate((DOG, WHIPPET, GREYHOUND)):
        fill(folder / "photos" / name, 12, first=100 * number)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        return db.path


@pytest.fixture
def collected(collected_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(collected_once)


@pytest.fixture(scope="module")
def verified_once(collected_once: Path, wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with holotype.open(shutil.copytree(collected_once, tmp_path_factory.mktemp("verified") / "p"), wordnet) as db:
        db.crowd.run(db.crowd.simulated(truth_of(db)), Posterior(accept=0.95, maximum=9))
        return db.path


@pytest.fixture
def verified(verified_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(verified_once)


def truth_of(db: Project) -> dict[tuple[str, str], bool]:
    return {(found.sha256, found.wnid): int(found.sha256, 16) % 4 > 0 for found in db.candidates.tasks()}


def states(db: Project) -> dict[tuple[str, str], str]:
    return {(image.sha256, image.wnid): image.state for image in db.images.find()}


def decided(db: Project, state: str) -> tuple[str, str]:
    return next(pair for pair, found in states(db).items() if found == state)


def policies(db: Project) -> dict[tuple[str, str], str]:
    return {(image.sha256, image.wnid): image.candidate.policy for image in db.images.find()}


def test_withdrawn_gold_leaves_its_label_to_the_votes(verified: Project) -> None:
    before, votes = states(verified), len(verified.crowd.votes())
    pair = decided(verified, "yes")
    verified.gold.add({pair: False}, "x")
    assert (states(verified)[pair], policies(verified)[pair]) == ("no", "gold")
    assert verified.gold.correct({pair: None}, "me", "I looked at the wrong one") == 1
    assert verified.gold.correct({pair: None}, "me", "again") == 0
    assert verified.gold.answers() == {}
    assert (states(verified), len(verified.crowd.votes())) == (before, votes)
    assert policies(verified)[pair].startswith("posterior(")
    said = [(one.sha256, one.answer, one.by, one.reason) for one in verified.gold.history()]
    assert said == [(pair[0], NO, "x", ""), (pair[0], None, "me", "I looked at the wrong one")]


def test_gold_is_corrected_and_corrected_back(verified: Project) -> None:
    pair = decided(verified, "yes")
    verified.gold.add({pair: False}, "x")
    for yes in (True, False, None, True):
        assert verified.gold.correct({pair: yes}, "me", "so it is") == 1
        assert list(verified.gold.answers().values()) == ([] if yes is None else [yes])
        assert states(verified)[pair] == ("no" if yes is False else "yes")
    assert [one.answer for one in verified.gold.history()] == [NO, YES, NO, None, YES]
    (ann,) = [review for review in verified.workers.review() if review.gold][:1]
    assert ann.right in (0, 1), "workers are judged by what counts now"


def test_only_gold_is_corrected_and_with_a_reason(verified: Project) -> None:
    first, second = list(truth_of(verified))[:2]
    verified.gold.add({first: True}, "x")
    with pytest.raises(CrowdError, match=f"1 of these never were gold, the first is {second[0]} for {second[1]}"):
        verified.gold.correct({first: None, second: None}, "me", "r")
    with pytest.raises(CrowdError, match="are of no candidate"):
        verified.gold.correct({("f" * 64, DOG): None}, "me", "r")
    with pytest.raises(CrowdError, match="needs a reason"):
        verified.gold.correct({first: None}, "me", " ")
    verified.gold.correct({first: None}, "me", "r")
    with pytest.raises(CrowdError, match="contradict what gold says, or were withdrawn"):
        verified.gold.add({first: True}, "an old file again")
    assert len(verified.gold.history()) == 2


def test_a_siblings_no_stands_and_falls_with_the_yes_it_follows_from(collected: Project) -> None:
    yes = {pair: True for pair in truth_of(collected) if pair[1] == GREYHOUND}
    collected.gold.add(yes, "x")
    assert collected.gold.add_siblings(5) == 5
    lent = {task.sha256 for task in collected.gold.answers() if task.wnid == WHIPPET}
    wrong = {(sha256, GREYHOUND): None for sha256 in sorted(lent)[:2]}
    assert collected.gold.correct(wrong, "me", "these are whippets") == 2
    left = {task.sha256 for task, good in collected.gold.answers().items() if task.wnid == WHIPPET and not good}
    assert left == lent - {sha256 for sha256, _ in wrong}
    kept = sorted(left)[0]
    collected.gold.correct({(kept, WHIPPET): True}, "me", "shows both")
    collected.gold.correct(dict.fromkeys(wrong, True), "me", "no, greyhounds after all")
    again = {task.sha256: good for task, good in collected.gold.answers().items() if task.wnid == WHIPPET}
    assert again == {**dict.fromkeys(lent, False), kept: True}, "what a person said of a sibling is left"


def test_gold_that_is_all_there_is_can_be_withdrawn(collected: Project) -> None:
    """No label names the policy any more: it is remembered."""
    truth = truth_of(collected)
    collected.crowd.run(collected.crowd.simulated(truth), Lead(2, 5))
    before = states(collected)
    collected.gold.add(truth, "x")
    assert set(policies(collected).values()) == {"gold"}
    collected.gold.correct(dict.fromkeys(truth), "me", "all of it was a draft")
    assert states(collected) == before
    assert set(policies(collected).values()) == {"lead(2, 5)"}


# Overruled labels in a project


def test_a_label_is_what_a_curator_says_until_that_is_withdrawn(verified: Project) -> None:
    before, votes = states(verified), verified.crowd.votes()
    reviews = verified.workers.review()
    yes, no = decided(verified, "yes"), decided(verified, "no")
    said = {yes: False, no: True}
    assert verified.labels.overrule(said, " ann ", "a wax figure") == 2
    assert verified.labels.overrule(said, "ann", "again") == 0
    assert {pair: states(verified)[pair] for pair in said} == {yes: "no", no: "yes"}
    assert {policies(verified)[pair] for pair in said} == {"curator:ann"}
    assert verified.counts()["policies"]["curator:ann"] == 2
    assert verified.workers.review() == reviews, "no worker is judged by it"
    assert verified.gold.answers() == {}
    assert verified.labels.overrule({yes: None}, "bob", "a real one") == 1
    assert verified.labels.overrule({yes: None}, "bob", "a real one") == 0
    assert states(verified) == before | {no: "yes"}
    assert verified.labels.overrule({no: None}, "ann", "I was wrong") == 1
    assert (states(verified), verified.crowd.votes()) == (before, votes)
    assert [(one.answer, one.by) for one in verified.labels.overrulings() if one.sha256 == yes[0]] == [
        (NO, "ann"),
        (None, "bob"),
    ]


def test_nobody_is_asked_about_what_is_overruled(collected: Project) -> None:
    truth = truth_of(collected)
    some = dict.fromkeys(list(truth)[::2], True)
    assert collected.labels.overrule(some, "ann", "I took the photographs") == len(some)
    assert set(states(collected).values()) == {"open"}, "no labels were drawn, so none are"
    assert not collected.crowd.run(collected.crowd.simulated(truth)).waiting
    asked = {vote.task for vote in collected.crowd.votes()}
    assert asked == {task.number for task in collected.candidates.tasks() if (task.sha256, task.wnid) not in some}
    assert all(states(collected)[pair] == "yes" for pair in some)
    collected.labels.overrule(dict.fromkeys(some), "ann", "ask the crowd")
    assert {states(collected)[pair] for pair in some} == {"open"}
    assert collected.crowd.run(collected.crowd.simulated(truth)).new_votes > 0


def test_what_cannot_be_overruled_says_why(verified: Project) -> None:
    first, second = list(truth_of(verified))[:2]
    verified.gold.add({first: True}, "x")
    with pytest.raises(CrowdError, match="gold says otherwise of 1 of these labels: correct the gold"):
        verified.labels.overrule({first: False, second: False}, "ann", "r")
    assert verified.labels.overrule({first: True}, "ann", "r") == 1
    assert policies(verified)[first] == "gold"
    with pytest.raises(CrowdError, match="1 of these labels were never overruled"):
        verified.labels.overrule({second: None}, "ann", "r")
    with pytest.raises(CrowdError, match="1 labels are of no candidate"):
        verified.labels.overrule({("f" * 64, DOG): True}, "ann", "r")
    with pytest.raises(CrowdError, match="a curator needs a name"):
        verified.labels.overrule({second: True}, "\x1b", "r")
    with pytest.raises(CrowdError, match="needs a reason"):
        verified.labels.overrule({second: True}, "ann", "")
    assert len(verified.labels.overrulings()) == 1


def test_a_release_counts_what_was_overruled_and_names_nobody(verified: Project) -> None:
    yes, no = decided(verified, "yes"), decided(verified, "no")
    verified.labels.overrule({yes: False, no: True}, "Dr. Ann Example", "r")
    release = verified.releases.create("v1", outvoted=True)
    hidden = verified.workers.hidden_name("Dr. Ann Example")
    assert release.summary["overruled"] == {hidden: {"yes": 1, "no": 1}}
    assert release.summary["labels_by_policy"][f"curator:{hidden}"] == 1
    assert sum(release.summary["labels_by_policy"].values()) == len(release.rows())
    assert [row["sha256"] for row in release.rows() if row["policy"] == f"curator:{hidden}"] == [no[0]]
    assert "unchecked" not in release.summary
    assert verify_release(release.path) == []
    everything = b"".join(path.read_bytes() for path in release.path.iterdir())
    assert b"Example" not in everything


# One expert in a project


def test_one_trusted_person_decides_everything_with_a_vote_each(collected: Project) -> None:
    truth = truth_of(collected)
    report = collected.crowd.run(collected.crowd.simulated(truth, expert="Dr. Ann"), Trust("Dr. Ann"))
    assert (report.votes, report.policy, report.waiting) == (36, 'trust("Dr. Ann")', False)
    assert states(collected) == {pair: "yes" if good else "no" for pair, good in truth.items()}
    assert {vote.worker for vote in collected.crowd.votes()} == {"Dr. Ann"}
    collected.workers.block("Dr. Ann", "on leave")
    assert set(states(collected).values()) == {"open"}
    waiting = collected.crowd.run(collected.crowd.simulated(truth, expert="Dr. Ann"), Trust("Dr. Ann"))
    assert (waiting.waiting, waiting.new_votes) == (True, 0)
    collected.workers.unblock("Dr. Ann", "back")
    assert set(states(collected).values()) == {"yes", "no"}


def test_nobody_else_is_asked_where_one_person_is_trusted(verified: Project) -> None:
    for policy in (Trust("ann"), Imageable(Trust("ann"))):
        for crowd in (verified.crowd.simulated(), verified.crowd.simulated(expert="bob")):
            with pytest.raises(CrowdError, match="only 'ann' is trusted: simulate them alone"):
                verified.crowd.run(crowd, policy)
        with pytest.raises(CrowdError, match="no vote by 'ann' counts"):
            verified.crowd.run(Nobody(), policy)
    rarest, count = Counter(vote.worker for vote in verified.crowd.votes()).most_common()[-1]
    report = verified.crowd.run(Nobody(), Trust(rarest))
    assert (report.new_votes, report.states["open"]) == (0, 36 - count)


def test_folders_are_taken_at_their_word_and_nobody_is_asked(collected: Project) -> None:
    lent = dict.fromkeys((pair for pair in truth_of(collected) if pair[1] == GREYHOUND), True)
    collected.gold.add(dict(list(lent.items())[:2]), "x")
    collected.gold.add_siblings(1)
    report = collected.crowd.run(Nobody(), Source())
    assert (report.votes, report.waiting, report.states) == (0, False, {"yes": 36, "no": 1})
    release = collected.releases.create("v1")
    assert release.summary["unchecked"]["labels"] == 34
    assert release.summary["labels_by_policy"] == {"gold": 2, 'source("folder")': 34}
    assert verify_release(release.path) == []


def test_a_release_says_that_nobody_checked_an_experts_word_until_an_audit_has(collected: Project) -> None:
    truth = truth_of(collected)
    collected.crowd.run(collected.crowd.simulated(truth, expert="Dr. Ann"), Trust("Dr. Ann"))
    release = collected.releases.create("v1")
    accepted = sum(truth.values())
    assert release.summary["unchecked"] == {
        "labels": accepted,
        "remark": f"{accepted} labels are {NOBODY_CHECKED}",
    }
    policy = str(Trust(collected.workers.hidden_name("Dr. Ann")))
    assert release.summary["policies"] == [policy]
    assert {row["policy"] for row in release.rows()} == {policy}
    assert release.certificates == []
    assert not any(b"Dr. Ann" in path.read_bytes() for path in release.path.iterdir())
    sample = collected.audits.draw([GREYHOUND], 100)
    collected.audits.record({(image.sha256, image.wnid): Answer.YES for image in sample}, "somebody else")
    below = sum(good for (_, wnid), good in truth.items() if wnid == GREYHOUND)
    assert collected.releases.create("v2").summary["unchecked"]["labels"] == accepted - below
    collected.audits.draw([DOG], 100, fresh=True)
    sample = collected.audits.draw([DOG], 100)
    collected.audits.record({(image.sha256, image.wnid): Answer.YES for image in sample}, "somebody else")
    assert "unchecked" not in collected.releases.create("v3").summary


# From the command line


def write(path: Path, rows: Sequence[Sequence[str]], *header: str) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_gold_is_corrected_from_the_command_line(verified: Project, tmp_path: Path) -> None:
    pairs, project = list(truth_of(verified))[:3], ("-p", verified.path)
    file = write(tmp_path / "gold.csv", [(*pair, "yes") for pair in pairs], "sha256", "wnid", "answer")
    contrary = write(tmp_path / "contrary.csv", [(*pairs[0], "no")], "sha256", "wnid", "answer")
    run("gold", "add", file, *project)
    assert "holotype gold correct" in run("gold", "add", contrary, *project, expect=2)
    said = run("gold", "correct", contrary, "--reason", "a \x1bstatue", *project)
    assert said == "1 gold answer changed, and the labels drawn again\n"
    assert run("gold", "withdraw", file, "--reason", "r", *project).startswith("3 gold answers withdrawn")
    assert run("gold", "withdraw", pairs[1][0][:8], pairs[2][0], "--reason", "r", *project).startswith("0 gold answers")
    assert "names no image that this is about" in run("gold", "withdraw", "f" * 8, "--reason", "r", *project, expect=2)
    assert "cannot read" in run("gold", "withdraw", "nothing.csv", "--reason", "r", *project, expect=2)
    empty = write(tmp_path / "empty.csv", [], "sha", "wnid")
    assert "header must begin with sha256,wnid" in run("gold", "withdraw", empty, "--reason", "r", *project, expect=2)
    assert "Missing option '--reason'" in run("gold", "withdraw", file, *project, expect=2)
    history = json.loads(run("gold", "list", "--history", "--json", *project))
    assert [(row["answer"], row["source"], row["reason"]) for row in history if row["sha256"] == pairs[0][0]] == [
        ("yes", "gold.csv", ""),
        ("no", "contrary.csv", "a \x1bstatue"),
        ("withdrawn", "command line", "r"),
    ]
    listed = run("gold", "list", "--history", *project)
    assert "a \\x1bstatue" in listed
    times = [datetime.fromtimestamp(row["at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for row in history]
    assert [line.split("\t")[-1] for line in listed.splitlines()] == ["at", *times]
    run("gold", "correct", file, "--reason", "it was right", *project)
    assert len(json.loads(run("gold", "list", "--json", *project))) == 3


def test_labels_are_overruled_from_the_command_line(verified: Project, tmp_path: Path) -> None:
    pair, project = decided(verified, "yes"), ("-p", verified.path)
    file = write(tmp_path / "said.csv", [(*pair, "no")], "sha256", "wnid", "answer")
    by = "--curator", "ann", "--reason", "a wax figure"
    assert run("labels", "overrule", file, *by, *project) == "1 label overruled\n"
    assert run("labels", "overrule", file, *by, *project) == "0 labels overruled\n"
    assert "curator:ann 1" in run("statistics", *project)
    assert json.loads(run("statistics", "--json", *project))["policies"]["curator:ann"] == 1
    assert run("labels", "withdraw", pair[0][:12], *by, *project).startswith("1 overruling withdrawn")
    assert run("labels", "withdraw", file, *by, *project).startswith("0 overrulings withdrawn")
    listed = json.loads(run("labels", "list", "--json", *project))
    assert [(row["answer"], row["curator"]) for row in listed] == [("no", "ann"), ("withdrawn", "ann")]
    head, *lines = (line.split("\t") for line in run("labels", "list", *project).splitlines())
    assert head == ["sha256", "wnid", "answer", "curator", "reason", "at"]
    assert [line[-1] for line in lines] == [moment(row["at"]) for row in listed]


def test_an_expert_from_the_command_line(collected: Project, tmp_path: Path) -> None:
    project = ("-p", collected.path)
    said = run("crowd", "run", "--accept-source", *project)
    assert said.startswith("36 candidates: open 0, yes 36, no 0, undecided 0; 0 votes")
    assert "nothing came from 'web'" in run("crowd", "run", "--accept-source", "web", *project, expect=2)
    assert "no vote by 'ann' counts" in run("crowd", "run", "--trust", "ann", *project, expect=2)
    said = run("crowd", "run", "--trust", "ann", "--crowd", "simulated", *project)
    assert "36 votes (1.00 per candidate)" in said
    collected.workers.block("ann", "x")
    assert "ann has not answered what is open" in run(
        "crowd", "run", "--trust", "ann", "--crowd", "simulated", *project
    )
    collected.workers.unblock("ann", "x")
    assert "open 0, yes 36" in run("crowd", "run", "--trust", "ann", *project)
    made = run("release", "create", "v1", *project)
    assert "36 labels are taken on one person's or one source's word; nobody independent has checked them" in made
    assert 'trust("ann") 36' in run("statistics", *project)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--trust", "ann", "--policy", "lead(3, 9)"), "--trust does not heed --policy: leave it out"),
        (("--trust", "ann", "--accept-source"), "--accept-source does not heed --trust: leave it out"),
        (("--accept-source", "--crowd", "simulated"), "--accept-source does not heed --crowd: leave it out"),
        (("--trust", "ann", "--crowd", "mturk"), "Invalid value for '--crowd'"),
        (("--trust", ""), "needs a name"),
        (("--crowd", "nobody", "--seed", "3"), "--crowd nobody does not heed --seed: leave it out"),
    ],
)
def test_options_that_an_expert_would_not_heed_are_refused(
    tmp_path: Path, arguments: Sequence[str], message: str
) -> None:
    assert message in run("crowd", "run", *arguments, "-p", tmp_path, expect=2)
