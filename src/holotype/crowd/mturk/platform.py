"""Amazon Mechanical Turk as a crowd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from holotype.consensus.votes import Answer
from holotype.crowd.mturk.calls import (
    Wire,
    blocked_qualification,
    create_hit,
    dollars,
    extend_hit,
    field,
    hit_type,
    list_hits,
    set_holders,
    time_of,
)
from holotype.crowd.mturk.forms import read_answers
from holotype.crowd.mturk.hits import Book, Placement, place, spent, token
from holotype.crowd.mturk.terms import Quote, Terms, fee
from holotype.crowd.port import Ledger, Page, Posting, Sheet
from holotype.errors import CrowdError, PlatformError


@dataclass(frozen=True, slots=True)
class Refusal:
    """A worker's assignment that could not be read as answers, and why: a person approves or rejects it."""

    assignment: str
    worker: str
    page: str
    reason: str


class Handed(Protocol):
    """What a worker handed in: a `Sheet`, or what else is made of the answers to a page."""

    @property
    def page(self) -> Page:
        """The page, with those of its tasks that are answered."""


S = TypeVar("S", bound=Handed)
Made = TypeVar("Made", bound=Handed, covariant=True)


class Form(Protocol[Made]):
    """The form of a page: how what a worker sent is read, and what is made of it."""

    @property
    def crowd(self) -> str:
        """What the name of a crowd that fills it in ends with: pages of one form are none of another's."""

    def read(self, xml: str, page: Page) -> tuple[Sequence[Any], float]:
        """The answers to a page in the order of its tasks, and the seconds taken.

        Raises `CrowdError` with the reason for what does not answer the page.
        """

    def sheet(self, page: Page, worker: str, answers: Sequence[Any], seconds: float, at: float) -> Made:
        """What a worker handed in at a Unix time."""


class Labels:
    """The `Form` of a page on which tasks are answered with yes, no or unsure."""

    crowd = ""

    def read(self, xml: str, page: Page) -> tuple[Sequence[Answer], float]:
        """See `holotype.crowd.mturk.forms.read_answers`."""
        return read_answers(xml, page)

    def sheet(self, page: Page, worker: str, answers: Sequence[Answer], seconds: float, at: float) -> Sheet:
        """The answers as a sheet."""
        return Sheet(page, worker, tuple(answers), seconds, at)


class MTurk(Generic[S]):
    """The `Crowd` of Mechanical Turk, for pages whose answers a `form` reads.

    A page is one assignment of a HIT. Workers who are blocked are offered none; their standing elsewhere does not
    suffer. A page is remembered before it is put up, and every request that costs carries
    a token made from the page, so whatever is stopped and run again asks and pays once. `budget` is the most, in
    dollars, that all pages of the project may cost together, fees included; `agree` gets the price before anything is
    spent, and refuses by raising. Every method raises `PlatformError` where the platform fails or refuses.
    """

    def __init__(
        self,
        wire: Wire,
        ledger: Ledger,
        form: Form[S],
        terms: Terms,
        clock: Callable[[], float],
        budget: Decimal | None = None,
        agree: Callable[[Quote], None] = lambda _: None,
    ) -> None:
        self.name = crowd_name(wire.production, form)
        self.refused: list[Refusal] = []
        """What the last `collect` could not read."""
        self._wire = wire
        self._ledger = ledger
        self._terms = terms
        self._clock = clock
        self._budget = budget
        self._agree = agree
        self._form = form
        self._assignments: dict[S, str] = {}
        self._type = ""

    def post(self, pages: Sequence[Page]) -> None:
        """Put pages up, after their price was agreed to.

        Raises `CrowdError`, before anything is spent, where that would exceed the budget, or without one in production.
        """
        if self._wire.production and self._budget is None:
            raise CrowdError("real money is only spent within a budget: give one")
        self._ledger.remember(pages, self._clock())
        book = self._book(pages)
        placements = place(pages, book)
        price = self._price(placements)
        committed = self._committed(book)
        if self._budget is not None and price.assignments and committed + price.total > self._budget:
            raise CrowdError(
                f"${committed:.2f} are spent or promised and {price} more would exceed the budget of "
                f"${self._budget:.2f}; nothing was posted"
            )
        if price.assignments:
            self._agree(price)
        if placements:
            set_holders(self._wire, self._blocked(), self._ledger.blocked())
        for placement in placements:
            self._put_up(placement, book)

    def quote(self, pages: Sequence[Page]) -> Quote:
        """What `post` of these pages would cost now."""
        return self._price(place(pages, self._book(pages)))

    def collect(self) -> list[S]:
        """The sheets that came in and have votes that are not known.

        A worker who voted on some of a page's tasks on another page answers the others; one who voted on all is paid
        at once. Assignments that cannot be read are in `refused`, and stay until `approve` or `reject` is called
        or the platform pays them by itself; then their page is asked again.
        """
        book = self._book(())
        waiting = book.waiting(book.homes())
        numbers = book.assignments()
        open_hits = [
            id for id in numbers if id in book.hits and (waiting.get(id) or book.hits[id].settled < numbers[id])
        ]
        return self._read(open_hits, book)

    def waiting(self) -> list[Page]:
        """The pages that are up and unanswered."""
        posted = dict.fromkeys(posting.page for posting in self._ledger.postings())
        answered = set(self._ledger.answered())
        return list(self._ledger.pages([page for page in posted if page not in answered]).values())

    def acknowledge(self, sheets: Sequence[S]) -> None:
        """Approve, and thereby pay, the assignments of sheets that `collect` returned."""
        for sheet in sheets:
            if assignment := self._assignments.pop(sheet, ""):
                self.approve(assignment)

    def approve(self, assignment: str) -> None:
        """Pay for an assignment; one that is approved or rejected already stays as it is."""
        try:
            self._wire.call("approve_assignment", AssignmentId=assignment)
        except PlatformError as error:
            if not error.code.endswith("InvalidAssignmentState"):
                raise

    def reject(self, assignment: str, reason: str) -> None:
        """Refuse to pay for an assignment; the worker, whose record suffers by it, is told the reason."""
        self._wire.call("reject_assignment", AssignmentId=assignment, RequesterFeedback=reason)

    def balance(self) -> Decimal:
        """What the account has to spend, in dollars."""
        return dollars(field(self._wire.call("get_account_balance"), "AvailableBalance", str))

    def _price(self, placements: Sequence[Placement]) -> Quote:
        added = [placement for placement in placements if placement.added]
        reward = self._terms.reward
        return Quote(
            sum(placement.added for placement in added),
            sum((placement.added * reward for placement in added), Decimal()),
            sum((placement.added * fee(reward, placement.maximum) for placement in added), Decimal()),
        )

    def _committed(self, book: Book) -> Decimal:
        """The price of all assignments so far; HITs the platform has forgotten count by the present reward."""
        total = Decimal()
        for id, number in book.assignments().items():
            reward = book.hits[id].reward if id in book.hits else self._terms.reward
            total += number * (reward + fee(reward, number))
        return total

    def _book(self, pages: Sequence[Page]) -> Book:
        """What is known, after HITs whose maker was stopped before noting them down are noted down."""
        hits = {hit.id: hit for hit in list_hits(self._wire)}
        made = {hit.annotation: hit.id for hit in hits.values()}
        count = Counter(posting.page for posting in self._ledger.postings())
        for page in {*self._ledger.unposted(), *(page.id for page in pages)}:
            if id := made.get(self._token(page, count[page])):
                self._ledger.add_posting(Posting(page, id, 1, self._clock()))
        book = Book(
            self._ledger.postings(), self._ledger.answered(), hits, self._hit_type() if pages else "", self._clock()
        )
        if used_up := spent(pages, book):  # paid by the platform before it was read, perhaps
            sheets = self._read(sorted(set(used_up.values())), book)
            book = replace(book, answered={*book.answered, *(sheet.page.id for sheet in sheets)})
        return book

    def _token(self, page: str, number: int) -> str:
        return token(self._ledger.identity, self.name, "hit", page, number)

    def _put_up(self, placement: Placement, book: Book) -> None:
        page, hit = placement.page, placement.hit
        if hit is None:
            number = sum(posting.page == page.id for posting in book.postings)
            reference, added = create_hit(self._wire, self._terms, book.type, page.id, self._token(page.id, number)), 1
        else:
            unique = token(self._ledger.identity, self.name, "extend", hit.id, placement.maximum)
            extend_hit(self._wire, hit, placement.maximum, unique, self._clock() + self._terms.lifetime)
            reference, added = hit.id, placement.maximum - book.assignments()[hit.id]
        self._ledger.add_posting(Posting(page.id, reference, added, self._clock()))

    def _read(self, hits: Sequence[str], book: Book) -> list[S]:
        """The sheets with new votes of these HITs, in the order they were submitted on each."""
        submitted = {id: list(self._submitted(id)) for id in hits}
        on: dict[str, list[str]] = {}
        for posting in book.postings:
            on.setdefault(posting.reference, []).append(posting.page)
        pages = self._ledger.pages({page for id in hits if submitted[id] for page in on[id]})
        voters = {
            task: set(names)
            for task, names in self._ledger.voters(
                {task.number for page in pages.values() for task in page.tasks}
            ).items()
        }
        self.refused = []
        sheets = []
        for id in hits:
            up = [page for page in dict.fromkeys(reversed(on[id])) if page not in book.answered] or on[id][-1:]
            waiting = [page for page in up if page in pages]
            if on[id][0] not in pages or not waiting:
                continue  # what it showed was forgotten; the platform pays by itself
            for assignment in submitted[id]:
                # what the HIT's address shows, with its gold
                shown = replace(pages[on[id][0]], id=waiting[0], round=pages[waiting[0]].round)
                sheet = self._sheet(assignment, shown, voters)
                if sheet is not None:
                    sheets.append(sheet)
                    waiting = waiting[1:] or waiting
        return sheets

    def _submitted(self, hit: str) -> Iterable[dict[str, Any]]:
        """What a HIT brought that was not rejected, oldest first, each once."""
        statuses = ["Submitted", "Approved"]
        found = self._wire.listing("list_assignments_for_hit", "Assignments", HITId=hit, AssignmentStatuses=statuses)
        unique = {field(assignment, "AssignmentId", str): assignment for assignment in found}
        return sorted(
            unique.values(), key=lambda assignment: (time_of(assignment, "SubmitTime"), assignment["AssignmentId"])
        )

    def _sheet(self, assignment: Mapping[str, Any], page: Page, voters: dict[int, set[str]]) -> S | None:
        """The answers of an assignment to those tasks the worker has not voted on; none where that are none.

        `voters` is kept up, so that a second sheet of a worker has no vote of the first.
        """
        id, worker = assignment["AssignmentId"], field(assignment, "WorkerId", str)
        payable = assignment.get("AssignmentStatus") == "Submitted"
        left = [n for n, task in enumerate(page.tasks) if worker not in voters.get(task.number, ())]
        if not left:
            if payable:
                self.approve(id)
            return None
        try:
            answers, seconds = self._form.read(str(assignment.get("Answer", "")), page)
        except CrowdError as error:
            if payable:
                self.refused.append(Refusal(id, worker, page.id, str(error)))
            return None
        for n in left:
            voters.setdefault(page.tasks[n].number, set()).add(worker)
        part = replace(page, tasks=tuple(page.tasks[n] for n in left))
        time = seconds * len(left) / len(answers)
        given = [answers[n] for n in left]
        sheet = self._form.sheet(part, worker, given, time, time_of(assignment, "SubmitTime"))
        if payable:
            self._assignments[sheet] = id
        return sheet

    def _hit_type(self) -> str:
        if not self._type:
            self._type = hit_type(self._wire, self._terms, self._blocked())
        return self._type

    def _blocked(self) -> str:
        return blocked_qualification(self._wire, self._ledger.identity)


def crowd_name(production: bool, form: Form[Any]) -> str:
    """What the crowd is called: the sandbox's pages are not the real ones."""
    return f"{'mturk' if production else 'mturk-sandbox'}{form.crowd}"
