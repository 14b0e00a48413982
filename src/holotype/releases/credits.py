"""Credits: who made images, where they were found, and what their licences ask to say of them; lists of that."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import pyarrow as pa

from holotype.licences import Work, credit_line, parse
from holotype.licences.credit import credit_parts
from holotype.provenance import in_one_line
from holotype.releases.attribution import harmless, images, lines
from holotype.releases.release import Release

COLUMNS: Final = (
    *("id", "file", "wnid", "synset", "title", "author", "author_url", "licence", "licence_code", "licence_url"),
    *("spdx", "url", "source", "credit"),
)
_AT_ONCE: Final = 10_000
_MOST: Final = 1_000
"""Different licences that are counted one by one."""
_OTHERS: Final = ("other licences", "")


@dataclass(frozen=True, slots=True)
class Credited:
    """An image, the synset that it is listed under ("" for none), its file, and what its credit is made of."""

    id: str
    file: str
    wnid: str
    synset: str
    work: Work


def credited(release: Release) -> Iterator[Credited]:
    """The images of a release, each once under its first synset, in the order of the manifest."""
    names = {one["wnid"]: one["lemmas"][0] for one in release.summary["classes"] if one["lemmas"]}
    changes = _changes(release)
    for table in images(release.path):
        for row in table.to_pylist():
            wnid = row["wnids"].partition(" ")[0]
            about = row["author"], row["licence"], row["url"] or row["origin"], row["via"] or row["source"], changes
            work = work_of(*about, row["title"], row["author_url"], row["licence_url"])
            yield Credited(row["id"], row["file"], wnid, names.get(wnid, wnid), work)


def work_of(
    author: str,
    licence: str,
    url: str,
    source: str,
    changes: str = "",
    title: str = "",
    creator_url: str = "",
    licence_url: str = "",
) -> Work:
    """What is known of a picture, as its credit has it; a folder that it was in is no source to name, and an address
    alone does not say which licence it is."""
    named = "" if source.startswith("folder:") else source.removeprefix("imported:")
    found = replace(parse(licence), url=licence_url)
    return Work(title, "", author, creator_url, named, url, found, changes)


def _changes(release: Release) -> str:
    """What was done to the pictures of a release."""
    recipe, done = release.summary.get("recipe", {}), []
    variant = recipe.get("variant")
    if isinstance(variant, dict):
        side = variant.get("short_side")
        small = f"made smaller where the shorter side was over {side} pixels"
        done.append("metadata taken out" if side is None else small)
    if recipe.get("blur_faces"):
        done.append("faces blurred")
    return ", ".join(done)


@dataclass(slots=True)
class Tally:
    """How many images have which licence, by name and address."""

    of: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, rows: Iterable[Credited]) -> Iterator[Credited]:
        """The same rows, counted as they go by."""
        for row in rows:
            licence = row.work.licence
            key = (licence.name or "not known", licence.canonical)
            self.of[key if key in self.of or len(self.of) < _MOST else _OTHERS] += 1
            yield row

    def most(self) -> list[tuple[str, str, int]]:
        """Name, address and number of images of each licence, that with most images first."""
        return sorted(((*key, number) for key, number in self.of.items()), key=lambda one: (-one[2], one))


def as_csv(rows: Iterable[Credited], tally: Tally) -> Iterator[bytes]:
    """A list as CSV, a line an image, with the columns `COLUMNS`; every cell is quoted and no formula."""
    yield (",".join(f'"{name}"' for name in COLUMNS) + "\n").encode()
    counted = tally.count(rows)
    while some := [_cells(row) for row in islice(counted, _AT_ONCE)]:
        columns = [pa.array(column, pa.string()) for column in zip(*some, strict=True)]
        yield lines(pa.table([harmless(column) for column in columns], names=list(COLUMNS)))


def as_text(rows: Iterable[Credited], tally: Tally) -> Iterator[bytes]:
    """A list as plain text: a line an image below its synset, and how many have which licence at the end."""
    for heading, row in _headed(tally.count(rows)):
        yield f"{heading}{_name(row)}: {credit_line(row.work)}\n".encode()
    yield b"\nLicences\n\n"
    for name, url, number in tally.most():
        yield f"{number:,}: {name}{f' ({url})' if url else ''}\n".encode()


def as_markdown(rows: Iterable[Credited], tally: Tally) -> Iterator[bytes]:
    """A list as Markdown, as `as_text`."""
    yield b"# Credits\n"
    for heading, row in _headed(tally.count(rows), _escaped, "\n## {}\n\n"):
        parts = "".join(_linked(text, url) for text, url in credit_parts(row.work))
        yield f"{heading}- {_escaped(_name(row))}: {parts}\n".encode()
    yield b"\n## Licences\n\n"
    for name, url, number in tally.most():
        yield f"- {number:,}: {_linked(name, url)}\n".encode()


def as_html(rows: Iterable[Credited], tally: Tally) -> Iterator[bytes]:
    """A list as a page of HTML that runs nothing, as `as_text`."""
    yield _HEAD.encode()
    end = ""
    for heading, row in _headed(tally.count(rows), html.escape, "<h2>{}</h2>\n<ul>\n"):
        parts = "".join(_anchor(text, url) for text, url in credit_parts(row.work))
        before, end = (end if heading else ""), "</ul>\n"
        yield f"{before}{heading}<li><code>{html.escape(_name(row))}</code>: {parts}</li>\n".encode()
    yield f"{end}<h2>Licences</h2>\n<ul>\n".encode()
    for name, url, number in tally.most():
        yield f"<li>{number:,}: {_anchor(name, url)}</li>\n".encode()
    yield b"</ul>\n</body>\n</html>\n"


FORMATS: Final[dict[str, Callable[[Iterable[Credited], Tally], Iterator[bytes]]]] = {
    "csv": as_csv,
    "text": as_text,
    "html": as_html,
    "md": as_markdown,
}
_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Credits</title>
<style>body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; overflow-wrap: anywhere }</style>
</head>
<body>
<h1>Credits</h1>
"""
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|&~])")


def _cells(row: Credited) -> tuple[str, ...]:
    work = row.work
    licence = work.licence
    about = licence.text, licence.code, licence.canonical or licence.url, licence.spdx
    found = work.title, work.creator, work.creator_url, *about, work.landing, work.source
    return row.id, row.file, row.wnid, row.synset, *found, credit_line(work)


def _name(row: Credited) -> str:
    """What an image is called in a list: its file, or else its id."""
    return in_one_line(row.file or row.id)


def _headed(
    rows: Iterable[Credited], escape: Callable[[str], str] = str, heading: str = "\n{}\n\n"
) -> Iterator[tuple[str, Credited]]:
    """Rows, each with the heading that goes before it: of its synset where the row before has another, else ""."""
    before: str | None = None
    for row in rows:
        named = f"{row.synset} ({row.wnid})" if row.wnid else "no label"
        yield ("" if row.wnid == before else heading.format(escape(in_one_line(named)))), row
        before = row.wnid


def _escaped(text: str) -> str:
    """A text that Markdown takes for nothing else."""
    return _MARKUP.sub(r"\\\1", text)


def _linked(text: str, url: str) -> str:
    return f"[{_escaped(text)}](<{_address(url)}>)" if url else _escaped(text)


def _anchor(text: str, url: str) -> str:
    return f'<a href="{html.escape(_address(url))}">{html.escape(text)}</a>' if url else html.escape(text)


def _address(url: str) -> str:
    """An address in which nothing ends the link."""
    return url.replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")
