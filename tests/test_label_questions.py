"""Questions about several leaves: which pay, what is asked next, and that no label is lost."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.crowd.conclusion import STATES, State
from holotype.crowd.policies import Fixed, Lead
from holotype.errors import CrowdError, UnknownSynset
from holotype.ontology import Ontology
from holotype.questions.abstract import ABSTRACT
from holotype.questions.covering import covering, synsets_above
from holotype.questions.groups import group_wnid, is_group, read_groups
from holotype.questions.plan import Plan, Question
from holotype.questions.planning import Believed, make_plan, parents_of, plan_of
from holotype.questions.pruning import Verdict, fates, next_questions
from holotype.questions.rates import Caution, learned_rates, verdicts_of
from holotype.simulation.labels import Answerers, by_leaves, by_questions, draw_images, perfect_questions, shown_by

PAPER = {1: 29, 2: 45, 3: 57, 5: 77}
"""The most questions that an image with so many labels of 200 may take."""
DOG, CAT, ANIMAL, SPANIEL, TABBY, SIAMESE = "n02084071", "n02121620", "n00015388", "n02085782", "n02123045", "n02123597"
CHIHUAHUA, BANANA, VIOLIN = "n02085620", "n07753592", "n04536866"
# A piano is a keyboard instrument, a percussion instrument and a stringed one: three hypernyms.
PIANO, ORGAN, DRUM, HARP, MARIMBA = "n03928116", "n03854065", "n03249569", "n03495258", "n03721384"
LEAVES = [SPANIEL, CHIHUAHUA, TABBY, SIAMESE, BANANA, VIOLIN, PIANO, ORGAN, DRUM, HARP, MARIMBA]


@pytest.fixture(scope="module")
def classes(shared: Path) -> list[str]:
    """The 1000 classes of ILSVRC."""
    with (shared / "ilsvrc/LOC_val_solution.csv").open() as file:
        rows = [row["PredictionString"].split() for row in csv.DictReader(file)]
    found = sorted({wnid for row in rows for wnid in row[0::5]})
    assert len(found) == 1000
    return found


def drawn(classes: Sequence[str], seed: int) -> list[str]:
    return [str(one) for one in np.random.default_rng(seed).choice(classes, 200, replace=False)]


def mean_questions(plan: Plan, labels: int, seed: int = 1) -> float:
    truth = draw_images(plan, 400, labels, np.random.default_rng(seed))
    return float(perfect_questions(plan, truth).mean())


def test_200_classes_take_no_more_questions_than_the_paper_says(wordnet: Ontology, classes: list[str]) -> None:
    plans = [make_plan(wordnet, drawn(classes, seed)) for seed in range(10)]
    for labels, most in PAPER.items():
        assert np.mean([mean_questions(plan, labels) for plan in plans]) <= most


def test_with_lists_of_names_each_draw_takes_far_fewer(wordnet: Ontology, classes: list[str]) -> None:
    for seed in range(5):
        plan = make_plan(wordnet, drawn(classes, seed), lists=4)
        for labels, most in PAPER.items():
            assert mean_questions(plan, labels) <= 0.95 * most


@pytest.mark.parametrize("specificity", [1.0, 0.96, 0.9])
def test_labels_are_as_good_as_where_every_leaf_is_asked_for(
    wordnet: Ontology, classes: list[str], specificity: float
) -> None:
    plan = make_plan(wordnet, drawn(classes, 0))
    rng, crowd = np.random.default_rng(7), Answerers(0.9, specificity)
    truth = draw_images(plan, 300, 3, rng)
    every = by_leaves(plan, truth, crowd, Fixed(3), rng)
    few = by_questions(plan, truth, crowd, Fixed(5), rng)
    assert few.votes < 0.6 * every.votes
    assert few.f1 >= every.f1
    same, cheap = by_leaves(plan, truth, crowd, Lead(3, 9), rng), by_questions(plan, truth, crowd, Lead(3, 9), rng)
    assert cheap.votes < 0.4 * same.votes
    assert cheap.f1 >= same.f1 - 0.005, "with the same policy, and a third of its votes"


@given(st.data())
def test_a_perfect_answerer_never_loses_a_leaf(wordnet: Ontology, data: st.DataObject) -> None:
    leaves = data.draw(st.lists(st.sampled_from(LEAVES), min_size=1, unique=True))
    group = Question("q00000001", frozenset(data.draw(st.sets(st.sampled_from(LEAVES), min_size=1))), "Any?")
    lists = data.draw(st.sampled_from([0, 3]))
    plan = make_plan(wordnet, leaves, [group], lists=lists)
    truth = np.array([[data.draw(st.booleans()) for _ in plan.leaves]])
    shows = shown_by(plan, truth)[0]
    known: dict[str, Verdict] = {}
    while asked := next_questions(plan, known):
        one = data.draw(st.sampled_from(asked))  # in any order
        known[one] = Verdict.YES if shows[plan.places[one]] else Verdict.NO
    row = np.zeros((1, len(plan)), np.int8)
    for wnid, verdict in known.items():
        row[0, plan.places[wnid]] = verdict
    found = fates(plan, row)
    assert (found.verdict[0] == np.where(truth[0], Verdict.YES, Verdict.NO)).all()
    assert len(known) <= len(plan)


def test_one_leaf_is_asked_by_itself(wordnet: Ontology) -> None:
    plan = make_plan(wordnet, [SPANIEL])
    assert plan.asked == (SPANIEL,)
    assert next_questions(plan, {}) == [SPANIEL]
    assert next_questions(plan, {SPANIEL: Verdict.NO}) == next_questions(plan, {SPANIEL: Verdict.OPEN}) == []


def test_all_leaves_at_once_ask_for_all_leaves(wordnet: Ontology) -> None:
    plan = make_plan(wordnet, LEAVES)
    everything = perfect_questions(plan, np.ones((1, len(LEAVES)), bool))
    assert everything.tolist() == [len(plan)]


def test_what_has_two_hypernyms_is_kept_by_either(wordnet: Ontology) -> None:
    keys, strings = Question("q00000001", frozenset([PIANO, ORGAN])), Question("q00000002", frozenset([PIANO, HARP]))
    plan = plan_of(wordnet, [PIANO, ORGAN, HARP], [keys, strings])
    said = {"q00000001": Verdict.NO, "q00000002": Verdict.YES}
    assert set(next_questions(plan, said)) == {PIANO, HARP}, "a yes to another parent keeps it"
    assert next_questions(plan, {"q00000001": Verdict.NO}) == ["q00000002"]
    assert next_questions(plan, dict.fromkeys(said, Verdict.NO)) == []


def test_a_doubtful_answer_removes_nothing(wordnet: Ontology) -> None:
    plan = plan_of(wordnet, [SPANIEL, CHIHUAHUA, TABBY], [Question(DOG, frozenset([SPANIEL, CHIHUAHUA]))])
    assert set(next_questions(plan, {DOG: Verdict.DOUBTFUL, TABBY: Verdict.NO})) == {SPANIEL, CHIHUAHUA}
    assert next_questions(plan, {DOG: Verdict.OPEN, TABBY: Verdict.NO}) == []


def test_what_is_known_of_leaves_spares_questions_above(wordnet: Ontology) -> None:
    plan = plan_of(wordnet, [SPANIEL, CHIHUAHUA, TABBY], [Question(DOG, frozenset([SPANIEL, CHIHUAHUA]))])
    assert set(next_questions(plan, {SPANIEL: Verdict.YES})) == {CHIHUAHUA, TABBY}, "it shows a dog"
    assert set(next_questions(plan, {SPANIEL: Verdict.NO})) == {CHIHUAHUA, TABBY}, "one leaf is asked by itself"


def test_a_no_says_by_which_question_a_leaf_is_absent(wordnet: Ontology) -> None:
    plan = plan_of(wordnet, [SPANIEL, CHIHUAHUA, TABBY], [Question(DOG, frozenset([SPANIEL, CHIHUAHUA]))])
    row = np.zeros((1, len(plan)), np.int8)
    row[0, plan.places[DOG]], row[0, plan.places[TABBY]] = Verdict.NO, Verdict.YES
    found = fates(plan, row)
    told: Mapping[str, str] = {leaf: plan.asked[by] for leaf, by in zip(plan.leaves, found.by[0], strict=True)}
    assert told == {SPANIEL: DOG, CHIHUAHUA: DOG, TABBY: TABBY}


def test_a_weak_no_with_much_at_stake_is_doubtful(wordnet: Ontology) -> None:
    plan = plan_of(wordnet, [SPANIEL, CHIHUAHUA], [Question(DOG, frozenset([SPANIEL, CHIHUAHUA]))])
    place = np.array([plan.places[DOG], plan.places[DOG], plan.places[SPANIEL]])
    no = np.full(3, STATES.index(State.NO), np.int8)
    found = verdicts_of(plan, place, no, np.array([0.01, 0.4, 0.4]), Caution(0.3))
    assert found.tolist() == [Verdict.NO, Verdict.DOUBTFUL, Verdict.NO], "a leaf's own no stands"
    with pytest.raises(CrowdError, match="may lose"):
        Caution(0)


def test_rates_are_learned_from_what_is_known(wordnet: Ontology) -> None:
    plan = make_plan(wordnet, [SPANIEL, TABBY])
    row = np.full((80, len(plan)), Verdict.NO, np.int8)
    row[:40, plan.places[TABBY]] = Verdict.YES
    rates = learned_rates(plan, fates(plan, row))
    assert rates[TABBY] > 0.45
    assert rates[SPANIEL] < 0.25


def test_questions_that_do_not_pay_are_left_out_and_dear_ones_too(wordnet: Ontology) -> None:
    leaves = [SPANIEL, CHIHUAHUA, TABBY, SIAMESE]
    rare, common = (make_plan(wordnet, leaves, believed=Believed(labels=labels)) for labels in (0.05, 3.5))
    assert len(rare) > len(leaves)
    assert len(common) == len(leaves), "where nearly every image shows each, a question above only costs"
    dear = make_plan(wordnet, leaves, believed=Believed(seconds=dict.fromkeys(rare.asked[:3], 1e5), labels=0.05))
    assert not ({*rare.asked[:3]} - {*leaves}) & {*dear.asked}
    assert rare.expected[0] < len(leaves) < sum(perfect_questions(rare, np.ones((1, 4), bool)))


def test_general_questions_that_resolve_more_a_second_come_first(wordnet: Ontology) -> None:
    dogs, cats = Question(DOG, frozenset([SPANIEL, CHIHUAHUA])), Question(CAT, frozenset([TABBY, SIAMESE]))
    slow = plan_of(wordnet, LEAVES[:4], [dogs, cats], Believed(seconds={DOG: 9.0}, labels=0.4))
    assert next_questions(slow, {}) == [CAT, DOG]
    assert next_questions(plan_of(wordnet, LEAVES[:4], [dogs, cats], Believed(labels=0.4)), {})[0] == DOG


def test_abstract_synsets_are_not_asked(wordnet: Ontology, classes: list[str]) -> None:
    assert all(wnid in wordnet for wnid in ABSTRACT)
    assert not {one.wnid for one in synsets_above(wordnet, classes)} & ABSTRACT


def test_leaves_above_each_other_are_refused_with_the_pairs(wordnet: Ontology) -> None:
    with pytest.raises(CrowdError, match=f"{DOG} is above {SPANIEL}"):
        make_plan(wordnet, [SPANIEL, DOG])
    with pytest.raises(CrowdError, match="no leaves"):
        make_plan(wordnet, [])
    with pytest.raises(UnknownSynset):
        make_plan(wordnet, ["n99999999"])


def test_groups_cover_what_is_below_what_they_name_and_nothing_unknown(wordnet: Ontology) -> None:
    pets = Question("q00000001", frozenset([DOG, TABBY]), "Is there a pet?")
    found = {one.wnid: one.leaves for one in covering(wordnet, [SPANIEL, TABBY, BANANA], [pets])}
    assert found["q00000001"] == {SPANIEL, TABBY}
    few = Question("q00000002", frozenset([VIOLIN, BANANA]), "Is there a toy?")
    assert "q00000002" not in {one.wnid for one in covering(wordnet, [SPANIEL, TABBY, BANANA], [few])}
    with pytest.raises(UnknownSynset):
        covering(wordnet, [SPANIEL, TABBY], [Question("q00000003", frozenset(["n99999999"]), "What?")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "no YAML"),
        ("", "groups are a list"),
        ("question: a", "groups are a list"),
        ("- question: a", "group 1 needs the keys"),
        ("- {question: a, leaves: [b], colour: red}", "group 1 needs the keys"),
        ("- {question: 3, leaves: [b]}", "question of group 1"),
        ("- {question: a, leaves: []}", "leaves of group 1"),
        ("- {question: a, leaves: [3]}", "leaves of group 1"),
        ("- {question: a, leaves: [b], seconds: -1}", "seconds of group 1"),
        ("- {question: a, leaves: [b], seconds: true}", "seconds of group 1"),
        ("[{question: a, leaves: [b]}, {question: a, leaves: [c]}]", "two groups ask 'a'"),
        ("- {question: a, question: b, leaves: [c]}", "line 1: 'question' stands twice"),
        ("- {question: a, leaves: [&a [b], &c [*a, *a]]}", "aliases are not read"),
        ("[" * 5000 + "]" * 5000, "nested more than 8 deep"),
        ("- {question: a, leaves: [b], seconds: 1" + "0" * 5000 + "}", "a value of more than 1,000 characters"),
        ("- {question: 2020-13-45, leaves: [b]}", "month must be in 1..12"),
        ("- !!python/object/apply:os.system ['id']", "could not determine a constructor"),
        ("- a\n---\n- b", "expected a single document"),
        ("#" * (1 << 20) + "\n", "1,048,577 characters, and 1,048,576 are allowed"),
    ],
)
def test_groups_that_are_none_are_refused(text: str, said: str) -> None:
    with pytest.raises(CrowdError, match=said):
        read_groups(text, str)


def test_groups_are_read(wordnet: Ontology) -> None:
    (one,) = read_groups("- {question: A pet, leaves: [n02084071, tabby], seconds: 2}", str.upper)
    assert one == Question(one.wnid, frozenset(["N02084071", "TABBY"]), "A pet", 2.0)
    assert is_group(one.wnid)
    assert one.wnid == group_wnid("A pet", ["TABBY", "N02084071"]) != group_wnid("Pets", ["TABBY", "N02084071"])
    assert not is_group(DOG)


def test_parents_are_the_smallest_sets_that_hold_one() -> None:
    assert parents_of(0b001, [0b011, 0b101, 0b111]) == (0b011, 0b101)
    assert parents_of(0b111, [0b011, 0b111]) == ()
