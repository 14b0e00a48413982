from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holotype.consensus.ballot import Ballot
from holotype.consensus.calibration import Calibration, calibrate, posterior_of_gold, thresholds
from holotype.consensus.confidence import ConfidenceTable, independent, learn_table
from holotype.consensus.posteriors import fit
from holotype.consensus.two_coin import Priors
from holotype.consensus.votes import Answer, Task
from holotype.crowd.backoff import split_images
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.expert import Source, Trust
from holotype.crowd.imageable import Imageable, unimageable
from holotype.crowd.policies import Fixed, Lead, Posterior, Table, known_voters
from holotype.crowd.policy_names import parse_policy
from holotype.errors import CrowdError
from holotype.simulation.replay import replay

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE
POLICIES: list[Policy] = [Fixed(5), Lead(2, 5), Posterior(), Table(seeds=3), Imageable(Posterior())]
every = pytest.mark.parametrize("policy", POLICIES, ids=str)


def ballot(*answers: Sequence[Answer], synsets: Sequence[int] | None = None) -> Ballot:
    """One task per sequence of answers, answered by workers 0, 1, 2, ..."""
    rows = [(task, worker, answer) for task, given in enumerate(answers) for worker, answer in enumerate(given)]
    task, worker, answer = np.array(rows, np.int64).reshape(-1, 3).T
    synset = np.array([0] * len(answers) if synsets is None else synsets, np.int64)
    return Ballot(task, worker, answer, synset, int(worker.max(initial=-1)) + 1, int(synset.max(initial=-1)) + 1)


def crowd_of(
    seed: int, tasks: int, votes: int, base: float = 0.3, sensitivity: float = 0.7, specificity: float = 0.95
) -> tuple[Ballot, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.random(tasks) < base
    yes = generator.random((tasks, votes)) < np.where(truth, sensitivity, 1 - specificity)[:, None]
    worker = np.argsort(generator.random((tasks, 40)), axis=1)[:, :votes]
    columns = np.repeat(np.arange(tasks), votes), worker.ravel(), np.where(yes, YES, NO).ravel()
    return Ballot(*columns, np.zeros(tasks, np.int64), 40, 1), truth


@every
def test_nothing_is_decided_without_votes(policy: Policy) -> None:
    assert policy.conclude(ballot([], [], [])).states == [State.OPEN] * 3
    assert policy.conclude(ballot()).states == []


@every
def test_gold_has_its_known_answer(policy: Policy) -> None:
    asked = replace(ballot([], [NO] * 12, [YES] * 12), known=np.array([-1, 1, 0]))
    found = policy.conclude(asked)
    assert found.states == [State.OPEN, State.YES, State.NO]
    assert found.scores[1:].tolist() == [1, 0]


@every
@pytest.mark.parametrize("answer", [YES, NO, UNSURE])
def test_everybody_agreeing_is_decided_or_undecided(policy: Policy, answer: Answer) -> None:
    states = policy.conclude(ballot(*[[answer] * 12] * 30)).states
    allowed = {YES: {State.YES}, NO: {State.NO}, UNSURE: {State.NO, State.UNDECIDED, State.YES}}[answer]
    assert set(states) <= allowed


def test_lead_counts_yes_and_no() -> None:
    asked = ballot([YES, YES], [YES, NO, YES, YES], [NO, NO, UNSURE], [YES, NO, YES, NO, UNSURE], [YES, UNSURE])
    states = Lead(2, 5).conclude(asked).states
    assert states == [State.YES, State.YES, State.NO, State.UNDECIDED, State.OPEN]


def test_a_single_vote_decides_only_when_its_worker_is_known() -> None:
    """Two-coin models collapse on single votes of strangers."""
    votes, _ = crowd_of(1, 300, 4)
    more = Ballot(
        np.concatenate([votes.task, [300, 301]]),
        np.concatenate([votes.worker, [0, 40]]),
        np.concatenate([votes.answer, [NO, NO]]),
        np.zeros(302, np.int64),
        41,
        1,
    )
    known = known_voters(more)
    few = np.bincount(votes.worker, minlength=40) < 50
    assert known[300] == (not few[0])
    assert not known[301]
    states = Posterior(reject=0.4, miss=1).conclude(more).states
    assert states[301] is State.OPEN
    busy = replace(more, worker=np.where(more.worker < 40, more.worker % 4, 40))
    assert Posterior(reject=0.4, miss=1).conclude(busy).states[300:] == [State.NO, State.OPEN]


def test_rare_good_images_are_not_lost_to_two_noes() -> None:
    """Below `reject` the base rate alone would reject: at three in a hundred, two votes each lose a sixth of them."""
    votes, truth = crowd_of(2, 4000, 2, base=0.03, sensitivity=0.6)
    states = np.array(Posterior().conclude(votes).states)
    assert np.mean(states[truth] == State.NO) <= 0.2


def test_evidence_is_what_votes_add_to_what_was_before() -> None:
    votes, _ = crowd_of(3, 500, 3)
    empty = replace(votes, synset=np.zeros(501, np.int64))
    evidence = fit(empty).evidence
    assert evidence[500] == 0
    assert np.corrcoef(evidence[:500], votes.count(YES))[0, 1] > 0.8


@pytest.mark.parametrize(
    "make",
    [
        lambda: Lead(0, 3),
        lambda: Lead(4, 3),
        lambda: Fixed(0),
        lambda: Posterior(miss=0),
        lambda: Table(accept=0.01),
        lambda: Table(maximum=9),
        lambda: Imageable(Fixed(), 0),
        lambda: Imageable(Imageable(Fixed())),
    ],
)
def test_impossible_policies_are_refused(make: object) -> None:
    with pytest.raises(CrowdError):
        make()  # type: ignore[operator]


def test_a_table_counts_every_way_to_draw_votes() -> None:
    """Against drawing all orders of two small images' votes one by one."""
    images = [(3, 1), (1, 3)]
    smooth = learn_table(np.array([3, 1]), np.array([1, 3]), size=4)
    good: dict[tuple[int, int], float] = {}
    every: dict[tuple[int, int], float] = {}
    for yes, no in images:
        for order in itertools.permutations([1] * yes + [0] * no):
            for length in range(5):
                cell = sum(order[:length]), length - sum(order[:length])
                every[cell] = every.get(cell, 0) + 1 / math.factorial(4)
                good[cell] = good.get(cell, 0) + (yes > no) / math.factorial(4)
    steps = np.arange(5)
    model = independent(steps[:, None], steps, ((1 + 0.6) / 4, (3 + 1.34) / 6, (1 + 0.12) / 6))
    for cell, count in every.items():
        expected = (good[cell] + 2 * model[cell]) / (count + 2)
        assert smooth.confidence[cell] == pytest.approx(expected, abs=1e-6)
    assert smooth.seeds == 2


def table_of(votes: Ballot) -> ConfidenceTable:
    return learn_table(votes.count(YES), votes.count(NO))


def test_a_table_is_harder_where_the_crowd_is_unsure() -> None:
    """Burmese cat needs more votes than cat: Deng et al. 2009."""
    easy, _ = crowd_of(4, 400, 10, 0.44, 0.88, 0.88)
    hard, _ = crowd_of(5, 400, 10, 0.46, 0.70, 0.72)
    tables = [table_of(votes).confidence for votes in (easy, hard)]
    assert tables[0][1, 0] > tables[1][1, 0]
    assert tables[0][2, 0] == pytest.approx(0.97, abs=0.03)
    assert tables[1][2, 0] == pytest.approx(0.83, abs=0.04)
    assert (np.diff(tables[1][:6, 0]) > 0).all()


def test_a_table_learned_at_one_base_rate_is_moved_to_another() -> None:
    votes, _ = crowd_of(6, 3000, 10, 0.45)
    rare, _ = crowd_of(7, 6000, 10, 0.1)
    common_table, rare_table = table_of(votes), table_of(rare)
    assert common_table.confidence[1, 1] > rare_table.confidence[1, 1] + 0.1
    assert common_table.at(rare_table.base_rate).confidence[1, 1] == pytest.approx(
        rare_table.confidence[1, 1], abs=0.08
    )


def test_the_table_policy_asks_its_seed_first_and_then_decides() -> None:
    votes, truth = crowd_of(8, 400, 10)
    policy = Table(seeds=100, accept=0.9)
    rank = np.arange(len(votes.task)) % 10
    first = policy.conclude(votes.keep((votes.task >= 100) & (rank < 3) | (rank < 9)))
    assert set(first.states[:100]) == {State.OPEN}
    assert set(first.states[100:]) == {State.UNDECIDED}  # nobody is asked about them yet
    then = policy.conclude(votes.keep((rank < 3) | (votes.task < 100)))
    states = np.array(then.states)
    assert State.OPEN not in states[:100]
    assert {State.OPEN, State.YES, State.NO} == set(states[100:])
    for state, expected in ((State.YES, 0.85), (State.NO, 0.95)):
        assert np.mean(truth[100:][states[100:] == state] == (state is State.YES)) > expected


def test_a_synset_nobody_can_see_is_abandoned() -> None:
    visible, hidden = [[YES] * 3] * 20 + [[NO] * 4] * 45, [[NO] * 4] * 65
    asked = ballot(*visible, *hidden, [], [], synsets=[0] * 65 + [1] * 65 + [1, 0])
    policy = Posterior(miss=1, pilot=0)
    inner = policy.conclude(asked)
    assert unimageable(asked, inner).tolist() == [False] * 65 + [True] * 66 + [False]
    states = Imageable(policy).conclude(asked).states
    assert states[:130] == inner.states[:130]
    assert states[130:] == [State.ABANDONED, State.OPEN]
    doubted = replace(asked, task=np.append(asked.task, 130), worker=np.append(asked.worker, 0))
    doubted = replace(doubted, answer=np.append(asked.answer, YES))
    assert Imageable(policy).conclude(doubted).states[130] is State.OPEN  # somebody sees it: it is asked about


def test_gold_does_not_speak_for_its_synset() -> None:
    """Somebody chose it: it is no draw of the candidates, so base rates, seeds and unimageable synsets leave it out."""
    asked = replace(ballot(*[[NO] * 4] * 70, [], []), known=np.array([0] * 70 + [-1, -1]))
    assert fit(asked).base_rates[0] == pytest.approx(Priors().base_rate, abs=0.01)
    assert not unimageable(asked, Posterior().conclude(asked)).any()
    assert Imageable(Posterior()).conclude(asked).states[70:] == [State.OPEN, State.OPEN]
    seed = replace(ballot([], [], [YES] * 10, [YES] * 10, [YES]), known=np.array([1, 0, -1, -1, -1]))
    assert Table(seeds=2, accept=0.7).conclude(seed).states[2:] == [State.YES] * 3


@pytest.mark.parametrize("base", [0.1, 0.3])
def test_a_synset_with_good_images_is_never_abandoned(base: float) -> None:
    """Noes are decided before yeses: the decided alone would make any synset look hopeless."""
    votes, truth = crowd_of(12, 500, 15, base, 0.62, 0.96)
    found, _ = replay(votes, Imageable(Posterior()), np.random.default_rng(0))
    alone, _ = replay(votes, Posterior(), np.random.default_rng(0))
    assert State.ABANDONED not in found.states
    assert found.states == alone.states
    assert np.mean(np.array(found.states)[truth] == State.YES) > 0.65, "a majority of five would find .72"


def test_a_table_asks_fewer_than_its_seed_would_for_all() -> None:
    votes, truth = crowd_of(14, 600, 12, 0.4, 0.85, 0.9)
    found, used = replay(votes, Table(seeds=60), np.random.default_rng(0))
    assert used.mean() < 6
    assert np.mean((np.array(found.states) == State.YES) == truth) > 0.9


def test_calibration_undoes_over_confidence() -> None:
    generator = np.random.default_rng(9)
    odds = generator.normal(0, 2, 4000)
    truth = generator.random(4000) < 1 / (1 + np.exp(-odds))
    boast = 1 / (1 + np.exp(-(3 * odds + 1)))
    found = calibrate(boast, truth)
    assert found.slope == pytest.approx(1 / 3, abs=0.04)
    assert np.abs(found.apply(boast) - 1 / (1 + np.exp(-odds))).max() < 0.05
    none = calibrate(boast[:0], truth[:0])
    assert (none.slope, none.shift) == (1.0, 0.0)
    assert np.isfinite(calibrate(np.array([1.0, 0.0]), np.array([True, False])).slope)


def test_gold_is_answered_without_being_told() -> None:
    votes, truth = crowd_of(10, 500, 5)
    known = np.where(np.arange(500) < 60, truth, -1)
    posterior, told = posterior_of_gold(replace(votes, known=known))
    assert len(posterior) == 60
    assert (told == truth[:60]).all()
    assert np.mean((posterior > 0.5) == truth[:60]) > 0.85
    with pytest.raises(CrowdError, match="calibration needs gold"):
        posterior_of_gold(votes)


def test_thresholds_are_the_widest_that_held_on_gold() -> None:
    posterior = np.array([0.99, 0.95, 0.9, 0.8, 0.6, 0.3, 0.2, 0.1, 0.05, 0.01])
    truth = np.array([1, 1, 1, 0, 1, 0, 0, 1, 0, 0], bool)
    assert thresholds(posterior, truth, precision=1.0, sensitivity=1.0) == (0.9, 0.05)
    assert thresholds(posterior, truth, precision=0.8, sensitivity=0.8) == (0.6, 0.3)
    with pytest.raises(CrowdError, match="no threshold has a precision"):
        thresholds(posterior[3:4], truth[3:4], 0.9, 0.9)
    with pytest.raises(CrowdError, match="there is none"):
        thresholds(posterior[:0], truth[:0], 0.9, 0.9)
    perfect = np.array([1.0, 1.0, 0.0])
    for sensitivity in (0.0, 1.0):
        accept, reject = thresholds(perfect, perfect > 0.5, 0.9, sensitivity)
        assert Posterior(accept, reject).conclude(ballot([])).states == [State.OPEN]


def test_calibration_makes_a_policy_ask_more() -> None:
    votes, _ = crowd_of(11, 300, 3)
    open_now = [
        Posterior(calibration=calibration).conclude(votes).states.count(State.OPEN)
        for calibration in (Calibration(), Calibration(slope=0.5))
    ]
    assert open_now[0] < open_now[1]


chances = st.floats(0.001, 0.499)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
calibrations = st.builds(
    Calibration, st.floats(0, exclude_min=True, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False)
)
beliefs = st.builds(Priors, sensitivity=chances, difficulty_weight=st.one_of(st.just(np.inf), st.floats(0, 99)))
plain_policies = st.one_of(
    st.builds(Fixed, st.integers(1, 10**9), st.integers(0, 9)),
    st.builds(lambda lead, more, *rest: Lead(lead, lead + more, *rest), *3 * [st.integers(1, 99)]),
    st.builds(
        lambda reject, low, more, miss, rest: Posterior(1 - reject / 2, reject, low, low + more, miss, *rest),
        chances,
        st.integers(1, 9),
        st.integers(0, 9),
        st.floats(0, 1, exclude_min=True),
        st.tuples(st.integers(0, 99), calibrations, st.one_of(st.none(), beliefs), st.integers(0, 9)),
    ),
    st.builds(
        lambda reject, *rest: Table(1 - reject, reject, *rest), chances, st.integers(1, 99), *2 * [st.integers(10, 99)]
    ),
    st.builds(Trust, names),
    st.builds(Source, names),
)
policies = st.one_of(
    plain_policies, st.builds(Imageable, plain_policies, st.floats(0, 1, exclude_min=True, exclude_max=True))
)


@given(policies)
@example(Imageable(Posterior(calibration=Calibration(0.5, 1e-05)), 1e-05))
@example(Posterior(priors=Priors()))
def test_a_policy_is_read_as_it_names_itself(policy: Policy) -> None:
    assert parse_policy(str(policy)) == policy


OLD = "posterior(accept=0.96, reject=0.05, min=2, max=14, miss=0.1, pilot=50, calibration(slope=0.4, shift=-0.25))"


@pytest.mark.parametrize(
    ("label", "policy"),
    [
        (OLD, Posterior(calibration=Calibration(0.4, -0.25))),
        (f"imageable({OLD}, least=0.1)", Imageable(Posterior(calibration=Calibration(0.4, -0.25)), 0.1)),
        ("posterior(accept=0.95, reject=0.05, min=2, max=10)", Posterior(0.95, 0.05, 2, 10)),
        (" Lead ( 2, cap = 5 ) ", Lead(2, 5)),
        ("posterior", Posterior()),
        ("table()", Table()),
        ("posterior(accept=.9)", Posterior(0.9)),
        ("trust('ann')", Trust("ann")),
        ('SOURCE(name="folder")', Source("folder")),
    ],
)
def test_labels_of_earlier_versions_and_what_people_type_are_read(label: str, policy: Policy) -> None:
    assert parse_policy(label) == policy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "one of fixed, lead"),
        ("guess(3)", "one of fixed, lead"),
        ("calibration(slope=2)", "one of fixed, lead"),
        ("3", "one of fixed, lead"),
        ("lead(3, 9, 1, 1)", "the values of lead are lead, cap, min_human"),
        ("lead(3, lead=2)", "each once"),
        ("lead(cap=9, cap=8)", "each once"),
        ("lead(x)", "each a number"),
        ("lead(lead)", "each a number"),
        ("lead(*[3, 9])", "each a number"),
        ("lead(**{'lead': 3})", "each a number"),
        ("lead(True, 9)", "each a number"),
        ("lead(3, 9j)", "each a number"),
        ("lead(3, 3 * 3)", "each a number"),
        ("lead(3, 9).cap", "one of fixed"),
        ("lead.__class__(3, 9)", "one of fixed"),
        ("lead(3, 9)(3)", "one of fixed"),
        ("posterior(accept=().__class__)", "each a number"),
        ("posterior(accept=open('/etc/passwd'))", "one of fixed"),
        ("posterior(accept=__import__('os').system('ls'))", "one of fixed"),
        ("posterior(priors=1)", "accept, reject, minimum"),
        ("posterior(priors=None)", "accept, reject, minimum"),
        ("posterior(calibration=fixed(1))", "accept, reject, minimum"),
        ("posterior(accept='0.9')", "each a number"),
        (f"posterior(accept=1{'0' * 400})", "each a number"),
        (f"posterior(accept=1{'0' * 5000})", "one of fixed"),
        ("posterior(accept=2)", "a policy needs"),
        ("fixed(1.5)", "each a number"),
        ("fixed(0)", "1 vote or more"),
        ("imageable(3)", "the values of imageable are policy, least"),
        ("imageable(calibration())", "the values of imageable are policy, least"),
        ("imageable(lead(3, 9), least=1.2.3)", "one of fixed"),
        ("fixed(3, calibration(slope=0.5, shift=0.1))", "the values of fixed are votes"),
        ("imageable(" * 2000, "one of fixed"),
        ("imageable(" * 150 + "fixed" + ")" * 150, "say it once"),
        ("-" * 9999 + "1", "one of fixed"),
        ("lead" + ".cap" * 2400, "one of fixed"),
        ("trust('" + "x" * 10**6 + "')", "one of fixed"),
        ("trust('" + "x" * 1001 + "')", "at most 1,000 characters"),
        ("trust('\ud800')", "one of fixed"),
        ("trust(f'{1}')", "a name in quotes"),
        ("trust(b'ann')", "a name in quotes"),
        ("lead(3,\0 9)", "one of fixed"),
        ("import os", "one of fixed"),
    ],
    ids=lambda value: value[:40],
)
def test_what_is_no_policy_is_refused(text: str, message: str) -> None:
    with pytest.raises(CrowdError, match=message) as caught:
        parse_policy(text)
    assert len(str(caught.value)) < 400


BURMESE, SIAMESE, CAT, CAR = "n02123394", "n02123597", "n02121808", "n02958343"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([(BURMESE, "undecided", 0.5), (SIAMESE, "undecided", 0.4)], CAT),
        ([(BURMESE, "undecided", 0.5), (SIAMESE, "no", 0.04)], None),  # only one of them was seen
        ([(BURMESE, "yes", 0.99), (SIAMESE, "undecided", 0.4)], None),  # decided
        ([(BURMESE, "open", 0.5), (SIAMESE, "undecided", 0.4)], None),  # still being asked
        ([(BURMESE, "undecided", 0.2), (SIAMESE, "undecided", 0.2)], None),  # few saw any
        ([(BURMESE, "undecided", 0.5), (CAR, "undecided", 0.4)], None),  # nothing near in common
        ([(BURMESE, "undecided", 0.5), (SIAMESE, "undecided", 0.4), (CAT, "no", 0.0)], None),  # asked before
    ],
)
def test_a_split_between_siblings_backs_off_to_their_ancestor(
    asked: list[tuple[str, str, float]], expected: str | None
) -> None:
    tasks = [Task(number, wnid, "a" * 64) for number, (wnid, _, _) in enumerate(asked)]
    found = split_images(
        [*tasks, Task(9, CAR, "b" * 64)],
        Conclusion.of([*(State(state) for _, state, _ in asked), State.YES], np.array([*(s for *_, s in asked), 1.0])),
        lambda wnids: None if CAR in wnids else CAT,
    )
    assert [split.ancestor for split in found] == ([] if expected is None else [expected])
    if found:
        assert found[0].chance == pytest.approx(0.7)
        assert found[0].wnids == (BURMESE, SIAMESE)
