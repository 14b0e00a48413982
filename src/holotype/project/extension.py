"""A project's ontology, extended: new concepts, ranks moved, and no fact touched."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from holotype.catalog import learned, ranks, statements, translations
from holotype.files import printable, write_atomically
from holotype.ontology.extension import Extension, extend, moves
from holotype.ontology.taxonomy import read_taxonomy
from holotype.project.lemmas import translation_rows
from holotype.project.parts import Parts
from holotype.project.vocabulary import extended_name


def extend_ontology(parts: Parts, taxonomy: Path) -> Extension:
    """Add the concepts of a taxonomy file that the project's ontology lacks: see `holotype.ontology.extension.extend`.

    The new ontology is written first, and holds from the moment at which the catalog says so.
    """
    old = parts.ontology
    found = extend(old, read_taxonomy(taxonomy))
    if not found.added:
        return found
    write_atomically(parts.folder / extended_name(found.ontology.digest), found.ontology.to_bytes())
    moved = moves(old, found.ontology)
    placed = {concept.wnid: found.ontology.rank(concept.wnid) for concept in found.added}
    told = translation_rows(found.added, printable(taxonomy.name))

    def work(connection: Connection) -> None:
        ranks.move(connection, moved, placed)
        translations.add_translations(connection, told)
        statements.set_meta(connection, statements.ONTOLOGY, found.ontology.digest)
        learned.set_drawn(connection, "")  # what was learned lies in order of rank

    parts.catalog.transact(work)
    parts.vocabulary.forget()
    return found
