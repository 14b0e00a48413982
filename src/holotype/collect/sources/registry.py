"""The sources there are, by name: our own, those that other packages bring, and those that are refused, and why."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from holotype.collect.sources import brave, europeana, flickr, inaturalist, openverse, smithsonian
from holotype.collect.sources.commons import Commons
from holotype.collect.sources.gbif import Gbif
from holotype.collect.sources.port import About, Key, Source
from holotype.errors import SourceError, SourceRefused
from holotype.licences import Licence, LicencePolicy, parse
from holotype.provenance import in_one_line

GROUP: Final = "holotype.sources"
"""The group of entry points that other packages register their sources in."""

REFUSED: Final[Mapping[str, str]] = {
    "pexels": "its terms forbid to make datasets or to train models without its permission",
    "unsplash": "its guidelines rule out data mining and training; it gives a dataset of its own",
    "pixabay": "its terms forbid automated queries and systematic downloads",
    "google": "its image search takes no new customers and ends on 2027-01-01; its terms forbid to scrape the pages",
    "bing": "Microsoft ended its image search API on 2025-08-11",
    "serpapi": "it scrapes Google's pages, and says nothing of licences",
    "commoncrawl": "it is an index of pages that knows no licences; Openverse is where its free images went",
}
"""Sources that are not asked, with the reason."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a source is made with: the environment, of which nothing is shown, and the licences that are wanted."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    policy: LicencePolicy = field(default_factory=LicencePolicy)

    def key(self, variable: str) -> Key:
        """The key in an environment variable. Raises `SourceRefused` where there is none."""
        found = self.key_if_any(variable)
        if found is None:
            raise SourceRefused(f"it needs a key in the environment variable {variable}", whole=True)
        return found

    def key_if_any(self, variable: str) -> Key | None:
        """The key in an environment variable, None where that is not set or empty."""
        said = self.environ.get(variable, "").strip()
        return Key(said, called=f"what {variable} holds") if said else None


Make = Callable[[Settings], Source]
"""How a source is made: the one function that an entry point names."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A source in the list of all: what is known of it, or why it cannot be asked."""

    name: str
    about: About | None
    problem: str = ""


def source(name: str, settings: Settings) -> Source:
    """The source of that name. Raises `SourceRefused` for one that is refused, lacks its key or has nothing under the
    licences that are wanted, and `SourceError` for one that there is not, or that another package has got wrong."""
    if name in REFUSED:
        raise SourceRefused(f"{name} is not asked: {REFUSED[name]}", whole=True)
    make = OURS.get(name) or _brought(name)
    try:
        return make(settings)
    except SourceRefused as error:
        raise SourceRefused(f"{name} cannot be asked: {error}", whole=True) from None


def names() -> tuple[str, ...]:
    """What sources are called that may be asked, ours first."""
    return (*OURS, *sorted({one.name for one in entry_points(group=GROUP)} - OURS.keys() - REFUSED.keys()))


def all_sources(settings: Settings) -> tuple[Listed, ...]:
    """Every source, those that are refused or cannot be asked for now too, with why."""
    return (*(_listed(name, settings) for name in names()), *(Listed(name, None, why) for name, why in REFUSED.items()))


def _listed(name: str, settings: Settings) -> Listed:
    try:
        return Listed(name, source(name, settings).about)
    except SourceError as error:
        return Listed(name, None, str(error))


def _brought(name: str) -> Make:
    """What makes the source of another package, made sure that it is one."""
    found = entry_points(group=GROUP, name=name)
    if not found:
        near = difflib.get_close_matches(name, (*names(), *REFUSED), 1)
        hint = f", did you mean {near[0]}?" if near else f"; there are {', '.join(names())}"
        raise SourceError(f"there is no source {name[:60]!r}{hint}")
    if len(found) > 1:
        raise SourceError(f"several packages bring a source {name!r}: {_packages(found)}")
    (entry,) = found
    try:
        make = entry.load()
    except Exception as error:  # anybody may have written it, and the other sources are there all the same
        raise SourceError(f"the source {name!r} of {_packages(found)} cannot be loaded: {_told(error)}") from error
    return lambda settings: _checked(make, settings, entry)


def _checked(make: Make, settings: Settings, entry: EntryPoint) -> Source:
    try:
        found = make(settings) if callable(make) else make
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(
            f"the source {entry.name!r} of {_packages([entry])} cannot be made: {_told(error)}"
        ) from error
    lacking = [part for part in ("name", "about", "first", "request", "read") if not hasattr(found, part)]
    if lacking:
        raise SourceError(f"the source {entry.name!r} of {_packages([entry])} has no {lacking[0]}")
    if found.name != entry.name:
        raise SourceError(f"the source {entry.name!r} of {_packages([entry])} calls itself {found.name!r}")
    return found


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {in_one_line(str(error))}"


def _packages(found: Iterable[EntryPoint]) -> str:
    return ", ".join(sorted({one.dist.name if one.dist else one.value for one in found}))


def _openverse(settings: Settings) -> Source:
    codes = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd", "cc0", "pdm")
    wanted = _wanted(settings, {code: openverse.licence_of(code, "", "") for code in codes})
    client, secret = settings.key_if_any(openverse.ID), settings.key_if_any(openverse.SECRET)
    if (client is None) != (secret is None):
        raise SourceRefused(f"it needs both {openverse.ID} and {openverse.SECRET}, or neither", whole=True)
    return openverse.Openverse(client, secret, wanted if len(wanted) < len(codes) else ())


def _inaturalist(settings: Settings) -> Source:
    codes = ("cc0", "cc-by", "cc-by-sa", "cc-by-nd", "cc-by-nc", "cc-by-nc-sa", "cc-by-nc-nd")
    return inaturalist.INaturalist(
        _wanted(settings, {code: inaturalist.licence_of({"license_code": code}) for code in codes})
    )


def _flickr(settings: Settings) -> Source:
    wanted = _wanted(settings, {number: flickr.licence_of(number) for number in flickr.OPEN})
    return flickr.Flickr(settings.key(flickr.KEY), wanted)


def _europeana(settings: Settings) -> Source:
    open_, restricted = ("by", "by-sa", "cc0", "pdm"), ("by-nd", "by-nc", "by-nc-sa", "by-nc-nd", "nkc", "other")
    kinds = {"open": open_, "restricted": restricted}
    wanted = [kind for kind, codes in kinds.items() if any(settings.policy.allows(Licence(code=one)) for one in codes)]
    if not wanted:
        raise _nothing(settings)
    return europeana.Europeana(settings.key(europeana.KEY), ",".join(wanted) if settings.policy.words else "open")


def _smithsonian(settings: Settings) -> Source:
    _wanted(settings, {"CC0": parse("CC0")})
    return smithsonian.Smithsonian(settings.key(smithsonian.KEY))


def _brave(settings: Settings) -> Source:
    _wanted(settings, {"": parse("")})
    return brave.Brave(settings.key(brave.KEY))


def _wanted(settings: Settings, licences: Mapping[str, Licence]) -> tuple[str, ...]:
    """What a source calls the licences that are wanted. Raises `SourceRefused` where it has none of them."""
    found = tuple(name for name, licence in licences.items() if settings.policy.allows(licence))
    if not found:
        raise _nothing(settings)
    return found


def _nothing(settings: Settings) -> SourceRefused:
    return SourceRefused(f"nothing that it has is under {settings.policy}", whole=True)


OURS: Final[Mapping[str, Make]] = {
    "commons": lambda _: Commons(),
    "openverse": _openverse,
    "inaturalist": _inaturalist,
    "gbif": lambda _: Gbif(),
    "flickr": _flickr,
    "europeana": _europeana,
    "smithsonian": _smithsonian,
    "brave": _brave,
}
"""How our own sources are made, by name."""
