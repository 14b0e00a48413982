"""``statistics.html``: what a release holds, as one page that needs nothing else: no script, no other file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Final

from holotype.releases.answers import bound, on_others, size_of
from holotype.releases.census import SIDES
from holotype.releases.described import Described, one_line
from holotype.releases.drawing import areas, bars, ranked
from holotype.releases.gallery import Picture
from holotype.releases.quantities import plural

_ROWS: Final = 12
_TILES: Final = 120
_LISTED: Final = 30
_EDGES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_FROM: Final = "A bar goes from its number to before the next."
"""Least numbers of images of the classes that synsets are counted in."""


def statistics_page(release: Described, pictures: Sequence[Picture] = (), more: str = "", last: str = "") -> str:
    """A page of statistics with pictures; `more` is HTML that stands below the first figures, and `last` at the end."""
    census = release.census
    synsets = release.lemmas
    sections = (
        _figures(release),
        _words(release),
        more,
        _pictures(pictures, synsets),
        _scale(release),
        section("Splits", table(("split", "images"), _split_rows(census.of["split"]))),
        _sizes(release),
        section("Formats", _counts("format", census.of["format"], "unknown")),
        section("Sources", _counts("source", census.of["source"], "unknown")),
        section("Licences", _counts("licence", census.of["licence"], "not told") + _named(release)),
        _votes(release),
        _certificates(release),
        _leaks(release),
        last,
    )
    return document(release.title, "".join(sections))


def document(title: str, body: str) -> str:
    """A page of ours: its policy lets nothing in but its own style and pictures that it holds or that lie beside it."""
    style = resources.files(__package__).joinpath("page.css").read_text()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"{_HEAD.format(digest)}\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n<h1>{text(title)}</h1>\n"
        f"{body}</main>\n</body>\n</html>\n"
    )


_HEAD: Final = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src 'self' data:; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">"
)


def runs_nothing(path: Path) -> bool:
    """Whether a page begins as ours do: with the policy that lets no script run, whatever follows."""
    before, after = (re.escape(part) for part in _HEAD.split("{}"))
    with path.open("rb") as file:
        return re.match(f"{before}[A-Za-z0-9+/=]+{after}".encode(), file.read(1 << 10)) is not None


def text(value: str) -> str:
    """Text as HTML has it, in one line."""
    return escape(one_line(value), quote=True)


def section(title: str, body: str) -> str:
    """A part of a page with its heading; nothing, where there is nothing in it."""
    return f"<section>\n<h2>{text(title)}</h2>\n{body}</section>\n" if body else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells, which are HTML; nothing, where it has no rows. The first column names the rows."""
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>\n' for row in rows
    )
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in heads)
    inside = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
    return f'<div class="wide" tabindex="0">{inside}</div>\n' if body else ""


def _figures(release: Described) -> str:
    census = release.census
    shown = {
        "images": f"{census.images:,}",
        "labels": f"{census.labels:,}",
        "synsets": f"{len(release.summary['classes']):,}",
        "boxes": f"{census.boxes:,}" if census.boxes else "",
        "masks": f"{census.masks:,}" if census.masks else "",
        "votes": f"{census.votes.votes:,}" if census.votes.votes else "",
        "of pictures": size_of(census.bytes),
    }
    parts = "".join(f"<div><b>{number}</b> {name}</div>" for name, number in shown.items() if number)
    return f'<div class="figures">{parts}</div>\n'


def _words(release: Described) -> str:
    said = release.words.get("description", "")
    paragraphs = [one for one in said.split("\n\n") if one.strip()]
    return "".join(f"<p>{text(one)}</p>\n" for one in paragraphs)


def _pictures(pictures: Sequence[Picture], lemmas: Mapping[str, str]) -> str:
    shown = []
    for one in pictures:
        data = base64.b64encode(one.jpeg).decode()
        name = text(lemmas.get(one.wnid, one.wnid))
        credit = " · ".join(text(part) for part in (one.author, one.licence) if part) or "author not told"
        shown.append(
            f'<figure><img alt="{name}" width="{one.width}" height="{one.height}" src="data:image/jpeg;base64,{data}">'
            f"<figcaption>{name}<small>{credit}</small></figcaption></figure>\n"
        )
    return section("Pictures", f'<div class="gallery">\n{"".join(shown)}</div>\n' if shown else "")


def _scale(release: Described) -> str:
    counts, lemmas = release.census.synsets, release.lemmas
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if not ordered:
        return ""
    sizes = [number for _, number in ordered]
    edges = [edge for edge in _EDGES if edge <= sizes[0]]
    classes = [sum(low <= size < high for size in sizes) for low, high in pairwise((*edges, sizes[0] + 1))]
    names = [f"{low:,}" for low in edges]
    mean, median = sum(sizes) / len(sizes), sizes[(len(sizes) - 1) // 2]
    ends = ordered if len(ordered) <= 2 * _ROWS else [*ordered[:_ROWS], *ordered[-_ROWS:]]
    rows = [(text(lemmas.get(wnid, wnid)), f"<code>{text(wnid)}</code>", f"{number:,}") for wnid, number in ends]
    fewest = f", {_ROWS} with the most and {_ROWS} with the fewest" if len(ends) < len(ordered) else ""
    return section(
        "Images per synset",
        f"<p>A synset has {mean:,.1f} images in the mean, {median:,} in the median, {sizes[-1]:,} at least and "
        f"{sizes[0]:,} at most.</p>\n"
        f"<figure>{bars(classes, names, 'Synsets by their number of images')}"
        f"<figcaption>Synsets by their number of images. {_FROM}</figcaption></figure>\n"
        f"{_spread([(one_line(lemmas.get(wnid, wnid)), number) for wnid, number in ordered])}"
        f"<details><summary>Synsets{fewest}</summary>\n{table(('synset', 'wnid', 'images'), rows)}</details>\n",
    )


def _spread(synsets: Sequence[tuple[str, int]]) -> str:
    """How images are spread over synsets, the largest first: as areas, or where these would be too small as a list; the
    style shows one of the two."""
    first, others = _with_others(synsets, _TILES)
    tiles = sorted([*first, *others], key=lambda tile: -tile[1])
    about = "Synsets, each with an area in proportion to its images"
    largest, left = _with_others(synsets, _LISTED)
    order = "the most images first" if left else "by their number of images"
    return (
        f'<figure class="broad">{areas(tiles, about)}<figcaption>{about}.</figcaption></figure>\n'
        f'<figure class="narrow">{ranked(largest, left)}<figcaption>Synsets, {order}.</figcaption></figure>\n'
    )


def _with_others(
    synsets: Sequence[tuple[str, int]], most: int
) -> tuple[Sequence[tuple[str, int]], list[tuple[str, int]]]:
    """The first so many, and what the others have together, if there are any."""
    rest = synsets[most:]
    return synsets[:most], [(plural(len(rest), "other"), sum(number for _, number in rest))] if rest else []


def _split_rows(counts: Counter[str]) -> list[tuple[str, str]]:
    return [(name, f"{counts[name]:,}") for name in ("train", "val", "test")]


def _sizes(release: Described) -> str:
    census = release.census
    if not census.read:
        return ""
    edges = ("0", *map(str, SIDES))
    shown = []
    for name, found in (("width", census.widths), ("height", census.heights)):
        used = [place for place, number in enumerate(found) if number]
        span = slice(used[0], used[-1] + 1)
        picture = bars(found[span], edges[span], f"Images by {name} in pixels")
        shown.append(f"<figure>{picture}<figcaption>Images by {name} in pixels. {_FROM}</figcaption></figure>")
    return section("Sizes", f'<div class="pair">{"".join(shown)}</div>\n')


def _counts(name: str, counts: Counter[str], unknown: str) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [(text(value) or f"<i>{unknown}</i>", f"{number:,}") for value, number in ordered[:_ROWS]]
    if rest := ordered[_ROWS:]:
        rows.append((f"<i>{plural(len(rest), 'other')}</i>", f"{sum(number for _, number in rest):,}"))
    return table((name, "images"), rows)


def _named(release: Described) -> str:
    census = release.census
    return (
        f"<p>Of {plural(census.images, 'image')} the author of {census.named['author']:,} was told, the licence of "
        f"{census.named['licence']:,} and the address on the web of {census.named['url']:,}.</p>\n"
    )


def _votes(release: Described) -> str:
    census = release.census
    counts, votes = census.votes_per_label, census.votes
    others = f"<p>{on_others(release)}</p>\n" if votes.others else ""
    if not votes.votes:
        return section("Votes", f"<p>None is on its images.</p>\n{others}" if others else "")
    top = max(0, *counts) if counts else 0
    step = -(-(top + 1) // 24)
    names = [f"{low}" if step == 1 else f"{low}+" for low in range(0, top + 1, step)]
    classes = [0] * len(names)
    for people, labels in counts.items():
        classes[max(people, 0) // step] += labels
    machines = f" and {plural(len(votes.machines), 'machine')}" if votes.machines else ""
    rows = [
        (text(answer), f"{number:,}") for answer, number in sorted(votes.answers.items(), key=lambda pair: -pair[1])
    ]
    policies = sorted(census.policies.items(), key=lambda pair: (-pair[1], pair[0]))[:_ROWS]
    return section(
        "Votes",
        f"<p>{plural(votes.people, 'person', 'people')}{machines} cast {plural(votes.votes, 'vote')} that count.</p>\n"
        + others
        + f"<figure>{bars(classes, names, 'Labels by the number of votes of people')}"
        "<figcaption>Labels by the number of votes of people.</figcaption></figure>\n"
        + table(("answer", "votes"), rows)
        + table(("policy", "labels"), [(f"<code>{text(name)}</code>", f"{number:,}") for name, number in policies]),
    )


def _certificates(release: Described) -> str:
    lemmas = release.lemmas
    rows = [
        (
            f"{text(lemmas.get(one['wnid'], ''))} <code>{text(one['wnid'])}</code>",
            f"{one['labels']:,}",
            f"{one['audited']:,}",
            f"{one['correct']:,}",
            f"{one['lower']:.1%}",
            f"{one['confidence']:.0%}",
        )
        for one in release.certified
    ]
    heads = ("subtree", "labels", "audited", "correct", "precision at least", "confidence")
    waiting = [f"<li>{text(one['wnid'])}: {text(str(one.get('remark', '')))}</li>" for one in release.pending[:_ROWS]]
    body = table(heads, rows) + (f"<ul>{''.join(waiting)}</ul>\n" if waiting else "")
    if rows:
        body = f"<p>{text(bound(release.certified[0], lemmas))}</p>\n{body}"
    return section("Certificates", body or "<p>No audit certifies how many labels are correct.</p>\n")


def _leaks(release: Described) -> str:
    rows = [(text(one.text.partition(": ")[0]), one.counted, text(one.result)) for one in release.leaks]
    return section("Leaks", table(("what was compared", "pairs", "result"), rows))
