from __future__ import annotations

import hashlib
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click.testing
import pytest
from botocore import exceptions as boto

from holotype.cli.root import holotype as commands
from holotype.consensus.votes import Answer, Task, Vote
from holotype.crowd.campaign import run_campaign
from holotype.crowd.conclusion import State
from holotype.crowd.mturk.forms import external_question, read_answers
from holotype.crowd.mturk.platform import Labels, MTurk
from holotype.crowd.mturk.requester import PRODUCTION, SANDBOX, Requester, endpoint_for, translate
from holotype.crowd.mturk.terms import Quote, Terms, fee
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.port import Page, Posting, Sheet
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError, PlatformError
from holotype.project import Project
from holotype.project.ledger import CatalogLedger
from mturk_server import DAY, MTurkServer

TWICE = Fixed(2)
TERMS = Terms("https://pages.example/q?page={page}&lang=en", Decimal("0.10"))
KEY, SECRET, SESSION = "AKIDTHISISTHEKEY", "this/is+the/Secret", "this-is-the-session-token"
SCHEMA = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_MTURK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def service() -> Iterator[MTurkServer]:
    server = MTurkServer()
    yield server
    server.close()


@pytest.fixture
def server(service: MTurkServer) -> MTurkServer:
    service.reset()
    return service


class Notes:
    """The ledger in memory, and the votes it speaks of."""

    identity = "0123456789abcdef"

    def __init__(self) -> None:
        self.known: dict[str, Page] = {}
        self.posted: list[Posting] = []
        self.votes: list[Vote] = []
        self.shut_out: list[str] = []
        self.gold: dict[int, bool] = {}

    def remember(self, pages: Sequence[Page], at: float) -> None:
        assert at > 0
        for page in pages:
            self.known.setdefault(page.id, Page(page.id, page.wnid, page.tasks, frozenset(), page.round))

    def pages(self, ids: Collection[str]) -> Mapping[str, Page]:
        return {id: self.known[id] for id in ids}

    def unposted(self) -> Collection[str]:
        return self.known.keys() - {posting.page for posting in self.posted}

    def add_posting(self, posting: Posting) -> None:
        self.posted.append(posting)

    def postings(self) -> Sequence[Posting]:
        return list(self.posted)

    def answered(self) -> Collection[str]:
        return {vote.page for vote in self.votes if vote.task not in self.gold} & self.known.keys()

    def voters(self, tasks: Collection[int]) -> Mapping[int, Collection[str]]:
        return {task: {vote.worker for vote in self.votes if vote.task == task} for task in tasks}

    def blocked(self) -> Collection[str]:
        return self.shut_out

    def record(self, votes: Sequence[Vote]) -> None:
        seen = {(vote.task, vote.worker) for vote in self.votes}
        self.votes += [vote for vote in votes if (vote.task, vote.worker) not in seen]


def form(fields: Mapping[str, object]) -> str:
    answers = "".join(
        f"<Answer><QuestionIdentifier>{name}</QuestionIdentifier><FreeText>{value}</FreeText></Answer>"
        for name, value in fields.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><QuestionFormAnswers xmlns="{SCHEMA}">{answers}</QuestionFormAnswers>'
    )


def filled(page: Page, says: Callable[[Task], str]) -> str:
    return form({**{f"answer-{task.number}": says(task) for task in page.tasks}, "seconds": 12})


def make_tasks(count: int, synsets: int = 1) -> list[Task]:
    return [Task(n, f"n{n * synsets // count:08d}", hashlib.sha256(b"%d" % n).hexdigest()) for n in range(count)]


class World:
    """A campaign on the server, and the people there: every fourth image is good, and they all see it."""

    def __init__(self, server: MTurkServer, count: int = 8, wire: Any = None, **options: Any) -> None:
        self.server = server
        self.notes = Notes()
        self.tasks = make_tasks(count, 2)
        self.wire = wire or Requester(endpoint=server.url)
        self.options = options

    def crowd(self, **options: Any) -> MTurk[Sheet]:
        return MTurk(self.wire, self.notes, Labels(), TERMS, lambda: self.server.now, **{**self.options, **options})

    def run(self, policy: Any = TWICE, size: int = 4) -> list[State]:
        tally = Tally.of(self.tasks, self.notes.votes, self.notes.gold)
        return run_campaign(tally, self.crowd(), policy, self.notes.record, page_size=size).states

    def page_of(self, hit: str) -> Page:
        found = re.search(r"page=(\d+-[0-9a-f]+)&amp;lang=en<", self.server.hits[hit]["Question"])
        assert found
        return self.notes.known[found[1]]

    def says(self, task: Task) -> str:
        return "no" if task.number % 4 else "yes"

    def people_work(self) -> None:
        for id, hit in self.server.hits.items():
            page = self.page_of(id)
            taken = [a["WorkerId"] for a in self.server.assignments.values() if a["HITId"] == id]
            voted = {vote.worker for vote in self.notes.votes if vote.task in {task.number for task in page.tasks}}
            free = [f"W{n}" for n in range(20) if f"W{n}" not in voted.union(taken)]
            for worker in free[: hit["MaxAssignments"] - len(taken)]:
                self.server.submit(id, worker, filled(page, self.says))

    def finish(self, policy: Any = TWICE, size: int = 4) -> list[State]:
        for _ in range(40):
            states = self.run(policy, size)
            if State.OPEN not in states:
                return states
            self.people_work()
        raise AssertionError("the campaign does not end")

    def facts(self) -> set[tuple[int, str, Answer, str]]:
        return {(vote.task, vote.worker, vote.answer, vote.page) for vote in self.notes.votes}

    def statuses(self) -> Counter[str]:
        return Counter(a["AssignmentStatus"] for a in self.server.assignments.values())


RIGHT = [State.YES if n % 4 == 0 else State.NO for n in range(8)]


@pytest.mark.parametrize("policy", [Fixed(3), Posterior(0.95, 0.05, 2, 6)])
def test_a_campaign_ends_with_every_assignment_paid_once(server: MTurkServer, policy: Any) -> None:
    world = World(server)
    states = world.finish(policy)
    assert states == RIGHT
    assert set(world.statuses()) == {"Approved"}
    assert server.calls["ApproveAssignment"] == len(server.assignments)
    assert sum(hit["MaxAssignments"] for hit in server.hits.values()) == len(server.assignments)
    assert server.balance == 100 - len(server.assignments) * Decimal("0.12")
    assert sum(posting.assignments for posting in world.notes.posted) == len(server.assignments)


def test_no_fault_of_the_network_doubles_anything(server: MTurkServer) -> None:
    whole = World(server)
    whole.finish()
    hits, assignments, balance = len(server.hits), len(server.assignments), server.balance
    server.reset()
    world = World(server)
    server.faults.extend(["throttle", "lose", "busy", "none", "lose", "none", "lose", "twice", "lose"])
    world.run()
    world.people_work()
    server.faults.extend(["twice"] * 30)
    world.finish()
    assert world.facts() == whole.facts()
    assert (len(server.hits), len(server.assignments), server.balance) == (hits, assignments, balance)
    assert set(world.statuses()) == {"Approved"}


class Stopped(BaseException):
    pass


class Fuse:
    """Burns through when `left` calls have been made, once."""

    def __init__(self, left: int) -> None:
        self.left = left

    def burn(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise Stopped


def test_a_campaign_killed_between_any_two_calls_ends_as_if_it_had_not_been(server: MTurkServer) -> None:
    requester = Requester(endpoint=server.url)

    class Wire:
        production = False

        def __init__(self, fuse: Fuse) -> None:
            self.fuse = fuse

        def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
            self.fuse.burn()
            return requester.call(operation, **parameters)

        listing = Requester.listing

    class Mortal(Notes):
        def __init__(self, fuse: Fuse) -> None:
            super().__init__()
            self.fuse = fuse

        def remember(self, pages: Sequence[Page], at: float) -> None:
            self.fuse.burn()
            super().remember(pages, at)

        def add_posting(self, posting: Posting) -> None:
            self.fuse.burn()
            super().add_posting(posting)

        def record(self, votes: Sequence[Vote]) -> None:
            self.fuse.burn()
            super().record(votes)

    def campaign(fuse: Fuse) -> tuple[Any, ...]:
        server.reset()
        world = World(server, wire=Wire(fuse))
        world.notes = Mortal(fuse)
        for _ in range(20):
            try:
                if State.OPEN not in world.run():
                    break
            except Stopped:
                continue
            world.people_work()
        hits = sorted(hit["MaxAssignments"] for hit in server.hits.values())
        return world.facts(), hits, world.statuses(), server.balance

    fuse = Fuse(10**6)
    whole = campaign(fuse)
    calls = 10**6 - fuse.left
    assert calls > 30
    for left in range(calls):
        assert campaign(Fuse(left)) == whole, f"killed before call {left}"


def test_the_same_tasks_stay_on_one_hit_up_to_nine_assignments(server: MTurkServer) -> None:
    world = World(server, 4)
    world.tasks = make_tasks(4)
    world.finish(Fixed(11))
    assert [hit["MaxAssignments"] for hit in server.hits.values()] == [9, 2]
    assert all(len({vote.worker for vote in world.notes.votes if vote.task == n}) == 11 for n in range(4))


def test_gold_is_read_as_it_was_shown(server: MTurkServer) -> None:
    """A HIT that is extended shows the page of its first round, with the gold of that round."""
    world = World(server, 80)
    world.notes.gold = {task.number: task.number % 4 == 0 for task in world.tasks[:32]}
    states = world.finish(Fixed(3), size=48)
    assert states == [State.YES if n % 4 == 0 else State.NO for n in range(80)]
    assert not world.crowd().collect()
    asked = [vote for vote in world.notes.votes if vote.task not in world.notes.gold]
    assert len(asked) == 3 * 48
    assert len(server.assignments) == 6
    assert set(world.statuses()) == {"Approved"}


def test_what_is_up_stays_as_it_is_when_facts_change(server: MTurkServer) -> None:
    """One task more or less would shift every later page, and old and new pages would both be paid."""
    world = World(server, 80)
    world.run(Fixed(1), size=10)
    hits = set(server.hits)
    world.notes.gold = {world.tasks[3].number: False}
    world.tasks = [*world.tasks, Task(999, "n00000001", "f" * 64)]
    world.run(Fixed(1), size=10)
    new = server.hits.keys() - hits
    assert hits <= server.hits.keys()
    assert [task.number for hit in new for task in world.page_of(hit).tasks if task.number not in world.notes.gold] == [
        999
    ]
    world.finish(Fixed(1), size=10)
    assert len(server.assignments) == len(hits) + 1


def test_another_reward_makes_another_hit(server: MTurkServer) -> None:
    world = World(server)
    world.run()
    world.people_work()
    dearer = MTurk(world.wire, world.notes, Labels(), Terms(TERMS.page_url, Decimal("0.20")), lambda: server.now)
    run_campaign(Tally.of(world.tasks), dearer, Fixed(2), world.notes.record, page_size=4)
    assert Counter(hit["Reward"] for hit in server.hits.values()) == {"0.10": 2, "0.20": 2}


def test_a_hit_is_found_again_when_its_token_is_forgotten(server: MTurkServer) -> None:
    world = World(server)
    world.run()
    world.notes.posted.clear()  # stopped before they were noted down, more than a day ago
    server.tokens.clear()
    world.people_work()
    assert world.finish() == RIGHT
    assert len(server.hits) == 2


def test_a_hit_too_new_to_be_listed_is_known_by_its_token(server: MTurkServer) -> None:
    world = World(server)
    world.run()
    world.notes.posted.clear()
    server.unlisted.update(server.hits)
    world.run()
    world.run()
    assert len(server.hits) == 2
    assert len(world.notes.posted) == 2


def test_a_hit_is_found_by_its_annotation_where_the_error_does_not_name_it(server: MTurkServer) -> None:
    server.vague = True
    server.faults.extend(["none"] * 7 + ["lose", "twice"])
    world = World(server)
    assert world.finish() == RIGHT
    assert (len(server.hits), server.calls["CreateHITWithHITType"]) == (2, 3)
    world.notes.posted.clear()
    world.notes.votes.clear()
    server.unlisted.update(server.hits)
    with pytest.raises(PlatformError, match="does not list yet"):
        world.run()


def test_a_hit_nobody_took_is_offered_again_when_it_has_expired(server: MTurkServer) -> None:
    world = World(server)
    world.run()
    server.now += TERMS.lifetime + 1
    world.run()
    world.people_work()
    assert world.finish() == RIGHT
    assert len(server.assignments) == 4


def test_a_hit_somebody_deleted_is_made_again(server: MTurkServer) -> None:
    world = World(server)
    world.run()
    server.hits.clear()
    world.run()
    assert not server.hits  # the list may lag behind
    server.now += DAY
    assert world.finish() == RIGHT


def test_what_the_platform_paid_by_itself_counts(server: MTurkServer) -> None:
    world = World(server)
    world.run()
    world.people_work()
    server.pay_unasked()
    assert world.finish() == RIGHT
    assert len(server.assignments) == 4


PAGE = Page("001-p", "n00000001", tuple(make_tasks(2)), frozenset(), 1)
GOOD = form({"answer-0": "yes", "answer-1": "unsure", "seconds": 9.5})
HOSTILE = {
    "nothing": "",
    "not XML": "yes please",
    "cut off": GOOD[:-9],
    "another root": GOOD.replace("QuestionFormAnswers", "Answers"),
    "another namespace": GOOD.replace("2005-10-01", "2004-10-01"),
    "an entity bomb": '<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]>' + GOOD.partition("?>")[2],
    "an external entity": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + GOOD.partition("?>")[2],
    "a document type": "<!DOCTYPE QuestionFormAnswers>" + GOOD.partition("?>")[2],
    "an unknown answer": GOOD.replace("unsure", "maybe"),
    "a missing answer": form({"answer-0": "yes", "seconds": 1}),
    "a missing time": form({"answer-0": "yes", "answer-1": "no"}),
    "a doubled answer": GOOD.replace("answer-1", "answer-0"),
    "an unknown field": GOOD.replace("answer-1", "answer-7"),
    "other digits": GOOD.replace("answer-1", "answer-\uff11"),
    "giant text": GOOD.replace("unsure", "x" * 300_000),
    "much nesting": "<a>" * 50_000,
    "two texts": GOOD.replace("</FreeText>", "</FreeText><FreeText>no</FreeText>"),
    "no text": GOOD.replace("FreeText", "Other"),
    "no time": GOOD.replace("9.5", "soon"),
    "not a number of seconds": GOOD.replace("9.5", "nan"),
    "endless seconds": GOOD.replace("9.5", "inf"),
    "negative seconds": GOOD.replace("9.5", "-1"),
    "a lone surrogate": GOOD.replace("unsure", "\ud800"),
    "a nul": GOOD.replace("unsure", "\0"),
    "an unknown encoding": GOOD.replace("UTF-8", "no-such-encoding"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"an unknown encoding"}))
def test_a_hostile_answer_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(CrowdError) as caught:
        read_answers(HOSTILE[name], PAGE)
    assert 10 < len(str(caught.value)) < 200


def test_a_forms_fields_are_read_in_the_order_of_the_page() -> None:
    assert read_answers(GOOD, PAGE) == ((Answer.YES, Answer.UNSURE), 9.5)
    assert read_answers(HOSTILE["an unknown encoding"], PAGE)[1] == 9.5  # text has been decoded before


def test_a_forms_fields_may_be_called_by_their_place() -> None:
    by_place = {"picture-1": "yes", "picture-2": "unsure", "seconds": 9.5}
    assert read_answers(form(by_place), PAGE) == ((Answer.YES, Answer.UNSURE), 9.5)
    for odd in ({"picture-3": "no"}, {"answer-0": "yes"}, {"picture-0": "no"}):
        with pytest.raises(CrowdError, match="not of the page"):
            read_answers(form(by_place | odd), PAGE)
    with pytest.raises(CrowdError, match="not of the page"):
        read_answers(form({"picture-1": "yes", "seconds": 1}), PAGE)


def test_an_address_with_a_key_is_made_by_the_project() -> None:
    terms = Terms("https://pages.example/page/{page}?k={key}", Decimal("0.10"), secret="of the crowd")  # noqa: S106
    assert terms.address("001-a") != terms.address("001-b")
    assert re.fullmatch(r"https://pages\.example/page/001-a\?k=[0-9a-f]{32}", terms.address("001-a"))
    assert "of the crowd" not in repr(terms)
    with pytest.raises(CrowdError, match="only a project can make"):
        Terms("https://pages.example/page/{page}?k={key}", Decimal("0.10")).address("001-a")


def test_refused_answers_lose_no_others_and_wait_for_a_person(server: MTurkServer) -> None:
    world = World(server)
    world.run()
    bad, good = server.hits
    refused = server.submit(bad, "W0", HOSTILE["an entity bomb"])
    server.submit(good, "W0", filled(world.page_of(good), world.says))
    crowd = world.crowd()
    run_campaign(Tally.of(world.tasks), crowd, Fixed(2), world.notes.record, page_size=4)
    assert [(refusal.assignment, refusal.worker) for refusal in crowd.refused] == [(refused, "W0")]
    assert "EntitiesForbidden" in crowd.refused[0].reason or "DTDForbidden" in crowd.refused[0].reason
    assert len(world.notes.votes) == 4
    assert world.statuses() == {"Submitted": 1, "Approved": 1}
    world.run()
    assert server.hits[bad]["MaxAssignments"] == 1  # nothing is asked again before a person says so
    crowd.reject(refused, "the form was not filled in")
    assert world.finish() == RIGHT
    assert world.statuses() == {"Rejected": 1, "Approved": 4}


def test_a_worker_of_overlapping_pages_votes_once_on_a_task_and_is_paid_for_both(server: MTurkServer) -> None:
    world = World(server)
    world.tasks = make_tasks(4)
    world.notes.record([Vote(n, "W0", Answer.NO, "001-elsewhere", 1, 1, 1) for n in (0, 1)])
    page = Page("002-p", world.tasks[0].wnid, tuple(world.tasks), frozenset(), 2)
    crowd = world.crowd()
    crowd.post([page])
    server.submit(next(iter(server.hits)), "W0", filled(page, world.says))
    (sheet,) = crowd.collect()
    assert [task.number for task in sheet.page.tasks] == [2, 3]
    assert sheet.seconds == 6
    assert crowd.collect() == [sheet]  # until its votes are durable
    crowd.acknowledge([sheet])
    assert world.statuses() == {"Approved": 1}


def test_two_sheets_of_one_worker_at_once_have_no_vote_in_common(server: MTurkServer) -> None:
    world = World(server)
    tasks = tuple(make_tasks(4))
    pages = [
        Page("001-a", "n00000000", tasks[:3], frozenset(), 1),
        Page("001-b", "n00000000", tasks[1:], frozenset(), 1),
    ]
    crowd = world.crowd()
    crowd.post(pages)
    for hit, page in zip(server.hits, pages, strict=True):
        server.submit(hit, "W0", filled(page, world.says))
    assert sorted(task.number for sheet in crowd.collect() for task in sheet.page.tasks) == [0, 1, 2, 3]


def test_a_sheet_without_a_new_vote_is_paid_and_its_page_asked_again(server: MTurkServer) -> None:
    world = World(server)
    world.tasks = make_tasks(4)
    world.run()
    world.people_work()
    world.notes.record([Vote(n, "W0", Answer.NO, "001-elsewhere", 1, 1, 1) for n in range(4)])
    assert world.crowd().collect() == []
    assert world.statuses() == {"Approved": 1}
    world.run()
    assert next(iter(server.hits.values()))["MaxAssignments"] == 2


def test_an_assignment_listed_twice_is_one(server: MTurkServer) -> None:
    world = World(server)
    world.run()
    world.people_work()
    first = next(iter(server.assignments.values()))
    server.assignments["again"] = first
    assert len(world.crowd().collect()) == 2


def test_blocked_workers_are_offered_nothing_and_keep_their_standing(server: MTurkServer) -> None:
    world = World(server)
    world.notes.shut_out = ["AWORKER", "sim-2009-001", "AOTHER"]
    world.run()
    hit = next(iter(server.hits))
    for worker in ("AWORKER", "AOTHER"):
        with pytest.raises(AssertionError, match="not qualified"):
            server.submit(hit, worker, "")
    world.people_work()
    world.notes.shut_out = ["AOTHER"]
    world.run()
    server.submit(list(server.hits)[-1], "AWORKER", "")
    assert {worker for _, worker in server.holders} == {"AOTHER"}
    assert len(server.qualifications) == 1
    assert "CreateWorkerBlock" not in server.calls


def test_a_price_is_reward_and_fee(server: MTurkServer) -> None:
    world = World(server)
    pages = [Page(f"001-{n}", "n00000001", (task,), frozenset(), 1) for n, task in enumerate(world.tasks)]
    price = world.crowd().quote(pages)
    assert (price.assignments, price.reward, price.fee, price.total) == (
        8,
        Decimal("0.80"),
        Decimal("0.16"),
        Decimal("0.96"),
    )
    assert str(price) == "8 assignments: $0.80 reward + $0.160 fee = $0.960"
    assert not server.hits
    assert world.crowd().balance() == 100


@pytest.mark.parametrize(
    ("reward", "assignments", "expected"),
    [("0.10", 1, "0.02"), ("0.10", 9, "0.02"), ("0.10", 10, "0.04"), ("0.01", 1, "0.01"), ("0.05", 12, "0.02")],
)
def test_the_fee_doubles_at_ten_assignments_and_is_a_cent_at_least(
    reward: str, assignments: int, expected: str
) -> None:
    assert fee(Decimal(reward), assignments) == Decimal(expected)


def test_the_budget_is_for_all_runs_together_and_refused_before_anything_is_posted(server: MTurkServer) -> None:
    world = World(server, budget=Decimal("0.30"))
    world.run()
    world.people_work()
    with pytest.raises(CrowdError, match=r"\$0.24 are spent or promised .* exceed the budget of \$0.30; nothing was"):
        world.run()
    assert len(world.notes.votes) == 8
    assert [hit["MaxAssignments"] for hit in server.hits.values()] == [1, 1]
    world.options["budget"] = Decimal("0.48")
    assert world.finish() == RIGHT


def test_who_does_not_agree_to_the_price_spends_nothing(server: MTurkServer) -> None:
    prices = []

    def refuse(price: Quote) -> None:
        prices.append(price.total)
        raise Stopped

    with pytest.raises(Stopped):
        World(server, agree=refuse).run()
    assert prices == [Decimal("0.24")]
    assert not server.hits


def test_production_takes_a_budget(server: MTurkServer) -> None:
    real = Requester(production=True, endpoint=server.url)
    with pytest.raises(CrowdError, match="within a budget"):
        World(server, wire=real).run()
    assert set(server.calls) == {"ListHITs"}
    world = World(server, wire=real, budget=Decimal(5))
    assert world.crowd().name == "mturk"
    assert world.finish() == RIGHT


def test_the_sandbox_is_the_default_and_nothing_but_production_leaves_it() -> None:
    assert repr(Requester()) == f"<Mechanical Turk at https://{SANDBOX}>"
    assert repr(Requester(production=True)) == f"<Mechanical Turk at https://{PRODUCTION}>"
    for url in (f"https://{PRODUCTION}", f"https://{SANDBOX}.evil.example", "https://127.0.0.1.evil.example"):
        with pytest.raises(CrowdError, match="not the sandbox"):
            endpoint_for(False, url)
    for url in (f"http://{SANDBOX}", "ftp://localhost", "https://user:word@localhost", "https://[", ""):
        if url:
            with pytest.raises(CrowdError, match="must be https"):
                endpoint_for(False, url)


def test_a_setting_left_behind_does_not_leave_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", f"https://{PRODUCTION}")
    assert SANDBOX in repr(Requester())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"page_url": "http://pages.example/{page}"}, "must be https"),
        ({"page_url": "https://a:b@pages.example/{page}"}, "without user or password"),
        ({"page_url": "https://pages.example/"}, "must hold {page}"),
        ({"reward": Decimal("0.001")}, "whole cents"),
        ({"reward": Decimal("NaN")}, "whole cents"),
        ({"reward": Decimal(-1)}, "whole cents"),
    ],
)
def test_impossible_terms_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CrowdError, match=message):
        Terms(**{"page_url": "https://pages.example/{page}", "reward": Decimal("0.10"), **values})


def test_the_question_is_escaped() -> None:
    address = TERMS.address("001-a/<b>")
    assert address == "https://pages.example/q?page=001-a%2F%3Cb%3E&lang=en"
    assert "<ExternalURL>https://pages.example/q?page=001-a%2F%3Cb%3E&amp;lang=en</" in external_question(address)


ENDPOINT = {"endpoint_url": "https://x"}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (boto.NoCredentialsError(), "set AWS_ACCESS_KEY_ID"),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), "set AWS_ACCESS_KEY_ID"),
        (boto.CredentialRetrievalError(provider="x", error_msg=SECRET), "set AWS_ACCESS_KEY_ID"),
        (boto.ProfileNotFound(profile="x"), "set AWS_ACCESS_KEY_ID"),
        (boto.TokenRetrievalError(provider="sso", error_msg=SECRET), "set AWS_ACCESS_KEY_ID"),
        (boto.SSOTokenLoadError(profile_name="x", error_msg=SECRET), "set AWS_ACCESS_KEY_ID"),
        (boto.EndpointConnectionError(**ENDPOINT), "could not be reached"),
        (boto.ConnectTimeoutError(**ENDPOINT), "could not be reached"),
        (boto.ReadTimeoutError(**ENDPOINT), "could not be reached"),
        (boto.ConnectionClosedError(**ENDPOINT), "could not be reached"),
        (boto.ProxyConnectionError(proxy_url=f"http://a:{SECRET}@x"), "could not be reached"),
        (boto.SSLError(error=SECRET, **ENDPOINT), "could not be reached"),
        (boto.HTTPClientError(error=f"Invalid header value {SESSION}"), "could not be reached"),
        (boto.ParamValidationError(report="Title is no text"), "Title is no text"),
        (boto.UnknownServiceError(service_name="x", known_service_names="y"), "not usable"),
        (ValueError(SECRET), "not usable"),
    ],
)
def test_every_failure_of_boto3_says_what_to_do_and_no_secret(error: Exception, message: str) -> None:
    said = str(translate(error))
    assert message in said
    assert SECRET not in said
    assert SESSION not in said


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        (["UnrecognizedClientException"], "does not accept the AWS credentials"),
        (["InvalidSignatureException"], "does not accept the AWS credentials"),
        (["AccessDeniedException"], "AmazonMechanicalTurkFullAccess"),
        (["OddException"], "failed ListHITs (OddException)"),
        (["{"], "has no HITs"),
        (["[]"], "not usable"),
        (['{"HITs": [{}]}'], "no usable HITId"),
        (['{"HITs": [{"HITId": {}}]}'], "no usable HITId"),
        (['{"HITs": [1]}'], "not usable"),
        (['{"HITs": 5}'], "not usable"),
        (['{"HITs": [{"Expiration": "never"}]}'], "not usable"),
    ],
)
def test_whatever_the_platform_answers_ends_as_our_error(
    server: MTurkServer, faults: list[str], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "holotype")
    server.faults.extend(faults)
    with pytest.raises(PlatformError) as caught:
        World(server).run()
    assert message in str(caught.value)
    shown = "".join((str(caught.value), repr(caught.value), str(caught.value.__cause__), caplog.text))
    assert not any(secret in shown for secret in (KEY, SECRET, SESSION))
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_missing_credentials_are_our_error(server: MTurkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(PlatformError, match="no usable AWS credentials"):
        World(server).run()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(PlatformError, match=r"no usable AWS credentials \(ProfileNotFound\)"):
        Requester(endpoint=server.url)


@pytest.fixture
def filled_project(project: Project, fill: Callable[..., None], tmp_path: Path) -> Project:
    fill(tmp_path / "images/n02084071", 3)
    fill(tmp_path / "images/n02121620", 2, first=10)
    project.images.ingest(tmp_path / "images")
    return project


def test_the_catalogs_ledger_is_what_the_one_in_memory_is(filled_project: Project) -> None:
    held, notes = CatalogLedger(filled_project.catalog, "c", "id"), Notes()
    other = CatalogLedger(filled_project.catalog, "another", "id")
    tasks = filled_project.candidates.tasks()
    pages = [Page(f"001-{n}", task.wnid, (task,), frozenset({"x"}), 1) for n, task in enumerate(tasks)]
    for ledger in (held, notes):
        ledger.remember(pages[:2], 1.0)
        ledger.remember(pages[1:3], 2.0)
        for page, reference in (("001-0", "H0"), ("001-1", "H1"), ("001-0", "H2"), ("001-0", "H2")):
            ledger.add_posting(Posting(page, reference, 1, 3.0))
    notes.record([Vote(tasks[0].number, "w", Answer.YES, "001-0", 1.0, 1.0, 1)])
    with filled_project.catalog.write() as connection:
        from holotype.catalog import votes

        vote = {"candidate_id": tasks[0].number, "worker": "w", "answer": 2, "page": "001-0", "seconds": 1.0, "at": 1.0}
        votes.add(connection, [vote])
    ids = ["001-0", "001-2"]
    assert held.pages(ids) == notes.pages(ids)
    assert held.unposted() == notes.unposted() == {"001-2"}
    assert held.postings() == notes.postings()
    assert held.answered() == notes.answered() == {"001-0"}
    assert held.voters([tasks[0].number]) == notes.voters([tasks[0].number])
    assert not other.postings()
    assert not other.unposted()


def test_votes_are_concluded_from_though_the_budget_is_used_up(server: MTurkServer, filled_project: Project) -> None:
    ledger = CatalogLedger(filled_project.catalog, "mturk-sandbox", "")
    server.now = time.time()

    def verify() -> None:
        filled_project.crowd.run(filled_project.crowd.mturk(TERMS, Decimal("0.24"), endpoint=server.url))

    verify()
    for posting in ledger.postings():
        page = ledger.pages([posting.page])[posting.page]
        server.submit(posting.reference, "W0", filled(page, lambda _: "yes"))
    with pytest.raises(CrowdError, match="exceed the budget"):
        verify()
    assert all((image.candidate.score or 0) > 0.4 for image in filled_project.images.find())


def test_a_project_is_verified_from_the_command_line_and_holds_no_credential(
    server: MTurkServer, filled_project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "holotype")
    monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", server.url)
    server.now = time.time()
    said = ""

    def verify(*options: str, answer: str = "") -> str:
        nonlocal said
        arguments = ["-p", str(filled_project.path), *options]
        result = click.testing.CliRunner().invoke(commands, ["crowd", "mturk", *arguments], input=answer)
        said += result.output
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            said += repr(result.exception)
            raise result.exception
        return result.output

    offer = ("--page-url", "https://pages.example/{page}", "--reward", "0.10")
    assert "Missing option '--page-url'" in verify()
    assert "not an amount of dollars" in verify(*offer[:2], "--reward", "ten")
    with pytest.raises(CrowdError, match="the price was declined"):
        verify(*offer, answer="n\n")
    assert not server.hits
    with pytest.raises(CrowdError, match="within a budget"):
        verify(*offer, "--production", "--yes")
    out = verify(*offer, "--budget", "5", answer="y\n")
    assert "2 assignments: $0.20 reward + $0.040 fee = $0.240 of play money in the sandbox" in out
    assert "run the same command again later" in out
    first = filled_project.candidates.tasks()[:1]
    for n in range(40):
        for id, hit in server.hits.items():
            taken = [a for a in server.assignments.values() if a["HITId"] == id]
            if len(taken) < hit["MaxAssignments"]:
                page = re.search(r"example/(.*?)<", hit["Question"])
                assert page
                held = CatalogLedger(filled_project.catalog, "mturk-sandbox", "").pages([page[1]])[page[1]]
                server.submit(id, f"W{n}", "?" if n == 0 and first[0] in held.tasks else filled(held, lambda _: "yes"))
        out = verify(*offer, "--budget", "5", "--yes")
        if n == 0:
            assert "not readable: assignment" in out
            server.pay_unasked()
        if "open 0" in out:
            break
    assert "yes 5" in out
    assert "run the same command again" not in out
    files = b"".join(path.read_bytes() for path in filled_project.path.rglob("*") if path.is_file())
    for secret in (KEY, SECRET, SESSION):
        assert secret not in said + caplog.text
        assert secret.encode() not in files
