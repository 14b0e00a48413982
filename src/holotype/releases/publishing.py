"""A release as a site of plain files, which any host serves and any browser opens from a disk."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from holotype.errors import ReleaseError
from holotype.files import sha256_file
from holotype.releases.answers import answers, size_of
from holotype.releases.described import Described, describe
from holotype.releases.exports.whole import whole_folder
from holotype.releases.gallery import gallery
from holotype.releases.layout import ATTRIBUTION, CHECKSUMS, CROISSANT, FILES, NAMES, PAGE, SHARD
from holotype.releases.page import document, runs_nothing, section, statistics_page, table, text
from holotype.releases.quantities import plural
from holotype.releases.questions import QUESTIONS
from holotype.releases.release import Release

FILES_FOLDER: Final = "files"
LONGEST_DAYS: Final = 7
"""Object stores sign no link for longer."""
_DAY: Final = 86_400
_ROWS: Final = 500
"""Synsets on a page of the list of them."""
_BLOCK: Final = 1 << 20
_NOTES: Final = {
    ATTRIBUTION: "author, licence and address of every image",
    CROISSANT: "for programs that read Croissant",
    CHECKSUMS: "sha256sum -c checks the others",
}


def publish(
    release: Release, site: Path, link_to: str = "", hard_links: bool = False, days: int = LONGEST_DAYS
) -> list[str]:
    """Write a site of a release to the folder `site`, which must not exist, and return the names of its pages.

    ``index.html`` has its statistics, pictures, certificates and downloads; beside it are the datasheet and lists of
    the synsets. The release's files are copied below ``files/``, as they were checked against their checksums;
    `hard_links` links them instead, where site and release are on one disk: whoever writes into them then writes into
    the release. With `link_to`, the address of a folder that has them, none is copied. Where archives lie on somebody's
    disk (``files.parquet``) is never published.

    Of a release in a bucket all but its shards is copied, and links to these are signed for so many `days`, as long as
    which anybody may get them; the page says when they end. They are looked for, but not read through.

    Raises `ReleaseError` where the folder is there, `link_to` is no address, a file does not have its checksum, the
    disk has no room, or hard links are asked for of what is in a bucket; and `BucketError`.
    """
    if release.shards is not None and hard_links:
        raise ReleaseError(f"{release.where} is in a bucket: there are no hard links to what lies there")
    if site.exists() or site.is_symlink():
        raise ReleaseError(f"{site} is there already: a site is written to a new folder")
    if link_to and not re.fullmatch(r"https?://[^\s\"'<>]+", link_to):
        raise ReleaseError(f"{link_to!r} is no address of a folder on the web: it begins with https:// or http://")
    checksums = _checksums(release)
    described = describe(release)
    site.parent.mkdir(parents=True, exist_ok=True)
    if not link_to and not hard_links:
        _check_room(release.path, checksums, site.parent)
    with whole_folder(site) as partial:
        _lay_out(release, checksums, partial / FILES_FOLDER, link_to, hard_links)
        pages = dict(_pages(release, described, _files(release, checksums, link_to, days)))
        for name, page in pages.items():
            (partial / name).write_text(page, encoding="utf-8")
    return list(pages)


def _checksums(release: Release) -> dict[str, str]:
    """The sha256 of each file that may be published, by name."""
    found = {name: digest for name, digest in release.listed.items() if name != FILES}
    return {**found, CHECKSUMS: sha256_file(release.path / CHECKSUMS)}


def _check_room(folder: Path, names: Mapping[str, str], place: Path) -> None:
    needed = sum((folder / name).stat().st_size for name in names if (folder / name).is_file())
    if needed > (free := shutil.disk_usage(place).free):
        raise ReleaseError(f"the files are {size_of(needed)}, but {place} has room for {size_of(free)}")


def _lay_out(release: Release, checksums: Mapping[str, str], folder: Path, link_to: str, hard_links: bool) -> None:
    """Copy or link the files, unless they lie elsewhere already; whichever, they are read and compared."""
    if not link_to:
        folder.mkdir()
    for name, digest in checksums.items():
        if release.shards is not None and SHARD.fullmatch(name):
            if name not in release.sizes:
                raise ReleaseError(f"{release.where}/{name} is missing: nothing was published")
            continue
        source = release.path / name
        if source.is_symlink() or not source.is_file():
            raise ReleaseError(f"{source} is missing, or no plain file")
        if name not in NAMES and not SHARD.fullmatch(name):
            raise ReleaseError(f"{source} is no part of a release: nothing was published")
        if name == PAGE and not runs_nothing(source):
            raise ReleaseError(f"{source} is not a page of holotype's, and may run scripts on your site: make it anew")
        copied = not link_to and not hard_links
        if (_copy(source, folder / name) if copied else sha256_file(source)) != digest:
            raise ReleaseError(f"{source} does not have its checksum: nothing was published")
        if hard_links and not link_to:
            os.link(source, folder / name)


def _copy(source: Path, target: Path) -> str:
    """Copy a file, and return the sha256 of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as written:
        while block := read.read(_BLOCK):
            digest.update(block)
            written.write(block)
        written.flush()
        os.fsync(written.fileno())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the release: its sha256, its size in bytes, and where the site links to it."""

    digest: str
    size: int
    address: str


@dataclass(frozen=True, slots=True)
class _Files:
    """The files that a site has or links to, by name; until when links to shards are good, "" for ever; and whether
    images lie in archives that are not among them."""

    of: Mapping[str, _File]
    until: str
    elsewhere: bool


def _files(release: Release, checksums: Mapping[str, str], link_to: str, days: int) -> _Files:
    bucket = None if link_to else release.shards
    end = datetime.now(UTC) + timedelta(days=days)
    found, signed = dict[str, _File](), False
    for name, digest in checksums.items():
        address = _address(name, link_to)
        if bucket is not None and SHARD.fullmatch(name):
            address, signed = bucket.link(name, days * _DAY), True
        found[name] = _File(digest, release.sizes[name], address)
    return _Files(found, f"{end:%Y-%m-%d %H:%M} UTC" if signed else "", (release.path / FILES).exists())


def _pages(release: Release, described: Described, files: _Files) -> Iterator[tuple[str, str]]:
    lists = list(_lists(described))
    links = [("datasheet.html", "Datasheet"), *([(lists[0][0], "Synsets")] if lists else [])]
    links += [(files.of[name].address, name) for name in (ATTRIBUTION, CROISSANT) if name in files.of]
    if described.words.get("url", "").startswith(("https://", "http://")):
        links.append((described.words["url"], "Home"))
    more = _menu(links) + _cited(described)
    yield "index.html", statistics_page(described, gallery(release), more, _downloads(files))
    yield "datasheet.html", document(f"Datasheet of {described.title}", _menu(_HOME) + _datasheet(described))
    names = ["", *(name for name, _ in lists), ""]
    for before, (name, rows), after in zip(names, lists, names[2:], strict=False):
        near = [(other, word) for other, word in ((before, "Before"), (after, "Next")) if other]
        yield name, document(f"Synsets of {described.title}", _menu([*_HOME, *near]) + rows)


_HOME: Final = [("index.html", "Statistics")]


def _menu(links: Sequence[tuple[str, str]]) -> str:
    shown = "".join(f'<li><a href="{text(address)}">{text(name)}</a></li>' for address, name in links)
    return f'<nav aria-label="Pages"><ul class="menu">{shown}</ul></nav>\n'


def _cited(described: Described) -> str:
    said = described.words.get("citation", "")
    return section("Citation", f"<blockquote>{_lines(said)}</blockquote>\n" if said else "")


def _lines(said: str) -> str:
    """Makers' words with their line ends."""
    return "<br>".join(text(line) for line in said.splitlines())


def _address(name: str, link_to: str) -> str:
    return f"{link_to.rstrip('/')}/{quote(name)}" if link_to else f"{FILES_FOLDER}/{quote(name)}"


def _downloads(files: _Files) -> str:
    rows = []
    for name, file in sorted(files.of.items()):
        note = f" <small>{text(_NOTES[name])}</small>" if name in _NOTES else ""
        link = f'<a href="{text(file.address)}">{text(name)}</a>'
        rows.append((f"{link}{note}", size_of(file.size), f'<code class="digest">{file.digest}</code>'))
    told = f"<p>The links to shards end on {files.until}.</p>\n" if files.until else ""
    if files.elsewhere:
        told += (
            "<p>Its images are in archives that you must have yourself; where its makers' lie is not published.</p>\n"
        )
    return section("Files", told + table(("file", "size", "sha256"), rows))


def _datasheet(described: Described) -> str:
    facts, words = answers(described), described.words
    parts = ["<p>The questions are those of Gebru et al., <i>Datasheets for Datasets</i>, in fewer words.</p>\n"]
    for title, questions in QUESTIONS.items():
        asked = []
        for key, question in questions.items():
            found, said = facts.get(key, []), words.get(key, "")
            if question == "Anything else?" and not said:
                continue
            told = "".join(f"<li>{text(one)}</li>" for one in found)
            quoted = f"<blockquote>{_lines(said)}</blockquote>\n" if said else ""
            answer = (f"<ul>{told}</ul>\n" if told else "") + quoted
            asked.append(f"<h3>{text(question)}</h3>\n{answer or '<p><i>Not stated.</i></p>'}\n")
        parts.append(section(title, "".join(asked)))
    return "".join(parts)


def _lists(described: Described) -> Iterator[tuple[str, str]]:
    """Pages of all synsets in the order of the ontology, which has those next to each other that are alike."""
    counts = described.census.synsets
    about = {one["wnid"]: one for one in described.summary["classes"]}
    ordered = list(counts)
    for first in range(0, len(ordered), _ROWS):
        rows = []
        for wnid in ordered[first : first + _ROWS]:
            one = about.get(wnid, {})
            names = text(", ".join(one.get("lemmas") or [wnid]))
            gloss = f"<small>{text(str(one.get('gloss', '')))}</small>"
            rows.append((f"{names} {gloss}", f"<code>{text(wnid)}</code>", f"{counts[wnid]:,}"))
        told = f"<p>{plural(len(ordered), 'synset')}, from {first + 1:,}.</p>\n"
        yield f"synsets-{first // _ROWS + 1}.html", told + table(("synset", "wnid", "images"), rows)
