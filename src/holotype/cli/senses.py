"""Which sense an ambiguous word has: asked on a terminal, or read from a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import click

from holotype.cli.text import on_a_terminal, plain
from holotype.errors import AmbiguousFolders, AmbiguousLabels, AmbiguousLemma, OntologyError
from holotype.files import create_atomically
from holotype.ontology import Ontology, Synset
from holotype.ontology.senses import Senses, described, only_sense
from holotype.textlists import read_rows

COLUMNS: Final = ("name", "wnid", "lemmas", "gloss")
_Found = TypeVar("_Found")


def settled(find: Callable[[Mapping[str, str]], _Found], ontology: Ontology) -> _Found:
    """What `find` finds when told what ambiguous words mean: name to wnid.

    An `AmbiguousLemma` that it raises is settled by asking on a terminal, and is raised elsewhere.
    """
    said: dict[str, str] = {}
    while True:
        try:
            return find(said)
        except AmbiguousLemma as error:
            if not on_a_terminal() or set(error.senses) <= set(said):
                raise
            said |= _asked(error, ontology)


def chosen(word: str, senses: Senses, ontology: Ontology) -> Synset:
    """The synset that a word means, asked for on a terminal where it may mean several. Raises `AmbiguousLemma`."""
    return settled(lambda said: only_sense(word, senses(said.get(word, word))), ontology)


def drafted(find: Callable[[Mapping[str, str]], _Found], ontology: Ontology, path: Path) -> _Found:
    """What `find` finds, or else every sense of every ambiguous name in the file `path`, which must not exist.

    Raises `AmbiguousLemma`, which says so.
    """
    try:
        return find({})
    except AmbiguousLemma as error:
        _draft(path, error.senses, ontology)
        raise AmbiguousLemma(
            f"{path} holds the senses of {len(error.senses):,} names: leave one line of each, with no wnid if it means "
            "none of them, and run this again",
            error.senses,
        ) from error


def _draft(path: Path, senses: Mapping[str, Sequence[str]], ontology: Ontology) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, wnids in senses.items():
        for sense in map(ontology.__getitem__, wnids):
            writer.writerow((name, sense.wnid, ", ".join(sense.lemmas), sense.gloss))
    create_atomically(path, text.getvalue().encode(), 0o644)


def read_senses(path: Path) -> dict[str, str]:
    """What names mean: name to wnid or lemma, "" for a name that means no synset.

    Raises `OntologyError` for a file that has not the columns name and wnid, or says two things of a name.
    """
    rows = read_rows(path, OntologyError)
    if next(rows, (0, []))[1][:2] != list(COLUMNS[:2]):
        raise OntologyError(f"{path}: the header must begin with {','.join(COLUMNS[:2])}")
    senses: dict[str, str] = {}
    for number, row in rows:
        if not 2 <= len(row) <= len(COLUMNS):
            raise OntologyError(f"{path}, row {number}: a name and a wnid are needed, and {len(row)} cells are there")
        if senses.setdefault(row[0], row[1]) != row[1]:
            raise OntologyError(
                f"{path}, row {number}: {row[0]!r} has another sense above; leave one line of each name"
            )
    return senses


def said_senses(pairs: Sequence[str], file: Path | None) -> dict[str, str]:
    """What names mean: by a file, where it is there, and by pairs NAME=WNID, which win. Raises `click.BadParameter`."""
    senses = read_senses(file) if file is not None and file.exists() else {}
    for text in pairs:
        name, equals, wnid = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not NAME=WNID", param_hint="--sense")
        senses[name] = wnid
    return senses


def _asked(error: AmbiguousLemma, ontology: Ontology) -> dict[str, str]:
    none = ""
    if isinstance(error, AmbiguousFolders):
        none = "leave these files unassigned"
    elif isinstance(error, AmbiguousLabels):
        none = "leave what is labelled so"
    return {name: _choice(name, [ontology[wnid] for wnid in wnids], none) for name, wnids in error.senses.items()}


def _choice(name: str, senses: Sequence[Synset], none: str) -> str:
    """The wnid of the sense that somebody chooses, or "" for none of them, where it is said what that means."""
    click.echo(f"{plain(name)!r} has {len(senses)} senses:", err=True)
    for number, sense in enumerate(senses, 1):
        click.echo(f"{number:>3}  {plain(described(sense))}", err=True)
    if none:
        click.echo(f"  0  none of them: {none}", err=True)
    chosen: int = click.prompt("which one", type=click.IntRange(0 if none else 1, len(senses)), err=True)
    return senses[chosen - 1].wnid if chosen else ""
