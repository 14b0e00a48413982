"""What a crowd platform offers its workers, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlsplit

from holotype.crowd.keys import page_key
from holotype.errors import CrowdError

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
CENT: Final = Decimal("0.01")
DAY: Final = 86_400


def check_url(url: str) -> str:
    """The host of `url`. Raises `CrowdError` unless it is https, or http to this machine, and without a password."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if (
        not host
        or "@" in parts.netloc
        or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))
    ):
        raise CrowdError("an address must be https://HOST/..., or http:// on this machine, without user or password")
    return host


@dataclass(frozen=True, slots=True)
class Terms:
    """What a worker sees of a HIT before taking it, and gets for it.

    `page_url` is the address of the page with the question, where ``{page}`` stands for its id, and ``{key}``, where it
    is there, for what proves that the project gave the address out, made with `secret`. `reward` is in US dollars.
    `duration` is the time a worker has, `approval` the time after which the platform pays by itself, `lifetime` the
    time a HIT is offered, all in seconds. Workers need `approved` percent of their earlier work approved, and
    `qualifications`, as ``QualificationRequirement`` in the API reference, besides; extra fees of Masters and premium
    qualifications are not in any quote. Raises `CrowdError` if something is not acceptable.
    """

    page_url: str
    reward: Decimal
    title: str = "Is it in the pictures?"
    description: str = "Look at a page of pictures and say of each whether it shows what is asked for"
    keywords: str = "image, picture, label, quick"
    duration: int = 3600
    approval: int = 3 * DAY
    lifetime: int = 7 * DAY
    approved: int = 95
    qualifications: tuple[Mapping[str, Any], ...] = ()
    secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        check_url(self.page_url)
        if "{page}" not in self.page_url:
            raise CrowdError("the page's address must hold {page}, which becomes the id of the page")
        if not (self.reward.is_finite() and CENT <= self.reward <= 100 and self.reward % CENT == 0):
            raise CrowdError(f"a reward is $0.01 to $100 in whole cents, not {self.reward}")

    def address(self, page: str) -> str:
        """Where the page with this id is. Raises `CrowdError` where that has a key, and there is no secret."""
        if "{key}" in self.page_url and not self.secret:
            raise CrowdError("the page's address holds {key}, which only a project can make")
        key = page_key(self.secret, page) if self.secret else ""
        return self.page_url.replace("{key}", key).replace("{page}", quote(page, safe=""))


def fee(reward: Decimal, assignments: int) -> Decimal:
    """Amazon's fee in dollars for one assignment of a HIT that has `assignments` of them.

    20 % of the reward, 40 % on HITs with 10 or more, a cent at least: https://requester.mturk.com/pricing.
    """
    return max(CENT, reward * (Decimal("0.2") if assignments < 10 else Decimal("0.4")))


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of new assignments in dollars: `reward` to workers and `fee` to the platform, in all."""

    assignments: int
    reward: Decimal
    fee: Decimal

    @property
    def total(self) -> Decimal:
        """Reward and fee."""
        return self.reward + self.fee

    def __str__(self) -> str:
        return f"{self.assignments:,} assignments: ${self.reward:.2f} reward + ${self.fee:.3f} fee = ${self.total:.3f}"
