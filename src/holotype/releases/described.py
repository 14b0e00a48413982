"""A release as its documents see it: what was counted, what its JSON files say, and what its makers say themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from holotype.crowd.policy_names import hears_votes
from holotype.releases.census import Census, count
from holotype.releases.certificates import parse_certificates
from holotype.releases.layout import CERTIFICATES, FILES
from holotype.releases.leaks import Check
from holotype.releases.release import Release, read_json

WORDS: Final = "words"
"""What makers say of their release, under this name in the recipe of ``release.json``."""


@dataclass(frozen=True)
class Described:
    """What documents follow from.

    `summary` is ``release.json``, `census` what was counted, `certified` and `pending` are the certificates and the
    audits without one, `leaks` the checks of ``leaks.json``, `own` is whether the release has bytes itself.
    """

    summary: Mapping[str, Any]
    census: Census
    certified: Sequence[Mapping[str, Any]] = ()
    pending: Sequence[Mapping[str, Any]] = ()
    leaks: Sequence[Check] = ()
    own: bool = True

    @property
    def name(self) -> str:
        """The release's name."""
        return str(self.summary["name"])

    @property
    def words(self) -> Mapping[str, str]:
        """What its makers say, by the key of a question."""
        recipe = self.summary.get("recipe")
        found = recipe.get(WORDS) if isinstance(recipe, dict) else None
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    @property
    def title(self) -> str:
        """What its makers call it, or its name."""
        return one_line(self.words.get("title", "")) or self.name

    @property
    def lemmas(self) -> Mapping[str, str]:
        """The first lemma of every class by its wnid."""
        return {one["wnid"]: (one.get("lemmas") or [one["wnid"]])[0] for one in self.summary["classes"]}

    @property
    def hears_votes(self) -> bool:
        """Whether any label follows from votes: what these cannot tell is no matter of the others."""
        return any(map(hears_votes, self.census.policies))

    @property
    def variant(self) -> Mapping[str, Any]:
        """How pictures were changed; empty where they are as they came."""
        recipe = self.summary.get("recipe")
        found = recipe.get("variant") if isinstance(recipe, dict) else None
        return found if isinstance(found, dict) else {}


def describe(release: Release) -> Described:
    """A release, counted. Raises `ReleaseError` where it cannot be read."""
    path = release.path / CERTIFICATES
    certificates = read_json(path) if path.is_file() else {}
    if certificates:
        parse_certificates(certificates)
    return Described(
        release.summary,
        count(release.path),
        certificates.get("certificates", []),
        certificates.get("pending", []),
        release.leaks,
        not (release.path / FILES).exists(),
    )


def one_line(text: str) -> str:
    """A text without line ends, control characters and needless spaces."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def day(at: float) -> str:
    """The day of a Unix time, in UTC; of what is none, "an unknown day"."""
    try:
        return datetime.fromtimestamp(at, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "an unknown day"
