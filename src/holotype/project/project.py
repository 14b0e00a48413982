"""A project: the one place where the real parts are wired together."""

from __future__ import annotations

import hmac
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from holotype.catalog import Catalog
from holotype.engine import Progress, no_progress
from holotype.errors import NoProject, ProjectError
from holotype.ontology import Ontology
from holotype.ontology.extension import Extension
from holotype.project.annotations import Annotations
from holotype.project.audits import Audits
from holotype.project.backup import Backup, back_up
from holotype.project.benchmarks import Benchmarks
from holotype.project.box_desk import BoxDesk
from holotype.project.boxes import Boxes
from holotype.project.campaigns import Campaigns
from holotype.project.candidates import Candidates
from holotype.project.check_report import CheckReport
from holotype.project.checking import check
from holotype.project.collecting import Collecting
from holotype.project.crediting import credits_of
from holotype.project.crowd import CrowdRoom
from holotype.project.dataset_said import Advance
from holotype.project.datasets import Datasets
from holotype.project.desk import Desk
from holotype.project.embeddings import Embeddings
from holotype.project.explore import Explore
from holotype.project.extension import extend_ontology
from holotype.project.faces import Faces
from holotype.project.flags import Flags
from holotype.project.gold import Gold
from holotype.project.imageability import read_imageability
from holotype.project.images import Images
from holotype.project.labels import Labels
from holotype.project.lemmas import Lemmas
from holotype.project.licences import Licences
from holotype.project.moving import Moved, move
from holotype.project.overview import Overview
from holotype.project.parts import Parts
from holotype.project.people import People
from holotype.project.questions import Questions
from holotype.project.releases import Releases
from holotype.project.removals import Removals
from holotype.project.statistics import count, statistics_of
from holotype.project.vocabulary import Vocabulary, identity_of, once
from holotype.project.workers import Workers
from holotype.queries import Live, Query
from holotype.releases.credits import Credited
from holotype.statistics.imageability import Imageability
from holotype.statistics.statistics import Statistics
from holotype.store.bucket import Bucket
from holotype.store.claim import Claim
from holotype.store.store import Store

CONFIG: Final = "holotype.json"
VERSION: Final = 1
"""That of what the file says."""
CATALOG_VARIABLE: Final = "HOLOTYPE_CATALOG"
"""The environment variable with the catalog's URL; a URL may hold a password, so it is never written to disk."""


class Project:
    """A folder with a catalog, packs and releases, and the ontology they speak of: a room for each of its nouns.

    Open one with `holotype.open`, make one with `holotype.init`. Close it, or use it in a ``with`` block.
    """

    def __init__(self, path: Path, ontology: Ontology | None = None) -> None:
        self.path = path
        config = _read_config(path)
        catalog = Catalog(os.environ.get(CATALOG_VARIABLE) or path / "catalog.sqlite")
        identity = identity_of(config["salt"])
        try:
            claim = Claim(Bucket(config["store"]), identity) if "store" in config else None
            store = Store(path / "packs" if claim is None else claim.bucket.under("packs"))
            _claim(path, catalog, identity)
            vocabulary = Vocabulary(path, catalog, config.get("ontology"), ontology)
            parts = Parts(path, catalog, store, vocabulary, time.time, config["salt"], claim)
            self.lemmas = Lemmas(parts)
            if config.get("taxonomy") is not None:
                self.lemmas.add_taxonomy(path / config["taxonomy"])
        except BaseException:
            catalog.close()
            raise
        self._parts = parts
        self.images = Images(parts, self.lemmas)
        self.datasets = Datasets(parts, self.lemmas)
        self.annotations = Annotations(parts, self.lemmas)
        self.candidates = Candidates(parts, self.lemmas)
        self.collect = Collecting(parts, self.lemmas)
        self.faces = Faces(parts, self.lemmas)
        self.crowd = CrowdRoom(parts, self.lemmas)
        self.campaigns = Campaigns(parts, self.lemmas)
        self.gold = Gold(parts, self.lemmas)
        self.workers = Workers(parts)
        self.labels = Labels(parts)
        self.questions = Questions(parts, self.lemmas)
        self.licences = Licences(parts, self.lemmas)
        self.audits = Audits(parts, self.lemmas)
        self.releases = Releases(parts, self.lemmas)
        self.desk = Desk(parts)
        self.box_desk = BoxDesk(parts)
        self.flags = Flags(parts)
        self.removals = Removals(parts)
        self.explore = Explore(parts, self.lemmas)
        self.people = People(parts)
        self.overview = Overview(parts)
        self.benchmarks = Benchmarks(parts)
        self.boxes = Boxes(parts, self.lemmas)
        self.embeddings = Embeddings(parts, self.lemmas)

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<holotype project {self.path}>"

    @property
    def catalog(self) -> Catalog:
        """All SQL state."""
        return self._parts.catalog

    @property
    def ontology(self) -> Ontology:
        """The ontology given to `init`, or WordNet 3.0's nouns."""
        return self._parts.ontology

    def extend_ontology(self, taxonomy: str | os.PathLike[str]) -> Extension:
        """Add the concepts of a taxonomy file that the ontology lacks; ranks move, and nothing that is there changes.

        Let no other process add images meanwhile. Releases made before keep the ontology that they were made on.
        Raises `OntologyError`: see `holotype.ontology.extension.extend`.
        """
        return extend_ontology(self._parts, Path(taxonomy))

    def renew(self) -> bool:
        """Go by the ontology as another process has extended it meanwhile; False where none has.

        Until then what is to be written is refused with `OntologyExtended`.
        """
        return self._parts.vocabulary.renew()

    def secret(self, purpose: str) -> bytes:
        """32 bytes that only this project has, others for each purpose: what a site of it signs with."""
        return hmac.digest(self._parts.salt.encode(), purpose.encode(), "sha256")

    def close(self) -> None:
        """Close the catalog, the packs and the archives."""
        self.campaigns.turn.let_go()
        self._parts.catalog.close()
        self._parts.store.close()

    def counts(self) -> dict[str, Any]:
        """What the project holds, in numbers: totals, intake by outcome, labels by state, policy, guard and synset.

        `machines` says how many labels they helped with, `alarms` what the votes cannot tell; `appended` is the number
        of votes of which only the candidates they touch were concluded again.
        """
        with self._parts.catalog.read() as connection:
            return count(connection, self._parts.ontology)

    def check(self, repair: bool = False, quick: bool = False, advance: Advance = lambda *_: None) -> CheckReport:
        """Hold the project against itself: every image lies where the catalog says and has its sha256, every fact
        speaks of what there is, what is counted is what counting says, labels follow from what people said, and
        releases are there; and what interrupted processes left.

        With `quick` no image is read, and labels are not concluded again. With `repair` what can be mended without
        loss is: counts, labels, near-duplicates, unfinished tails of packs, and leftovers that no process needs.
        """
        return check(self._parts, quick, repair, advance)

    def backup(self, target: str | os.PathLike[str], progress: Progress = no_progress) -> Backup:
        """Copy the project as it is at this moment to a folder, or to a file ``NAME.tar``, while others write to it.

        A folder that holds a backup becomes this one; packs and releases that have not changed are not copied again.
        It holds the secret salt and the hashes of passwords, and nobody else may read it. `holotype.project.restoring`
        makes a project of it again. Raises `ProjectError`.
        """
        return back_up(self._parts, Path(target), progress)

    def move_catalog(self, url: str, advance: Advance = lambda *_: None) -> Moved:
        """Copy the catalog into the empty database of a URL, where every row is compared; nothing here is changed.

        Nobody may write meanwhile. Interrupted, the database is as empty as it was. The project goes on with the one
        that the environment names: see `CATALOG_VARIABLE`. Raises `ProjectError`.
        """
        return move(self._parts, url, advance)

    def credits(self, query: str | Query = "") -> Iterator[Credited]:
        """Who made the images that a query finds, where they were found, and what their licences ask to say of them:
        each image once, in ontology order, read as they are asked for. See `holotype.releases.credits`.

        Raises `QueryError`, and `UnknownSynset` or `AmbiguousLemma` when the first is asked for.
        """
        parts = self._parts
        return credits_of(parts, Live(parts.catalog, parts.ontology, self.lemmas.senses), Query.of(query))

    def imageability(self, wnid: str) -> Imageability | None:
        """The share of people who can agree what a synset looks like: see `holotype.statistics.imageability`.

        None where nobody was asked about it, or said anything of it. Raises `UnknownSynset`.
        """
        with self._parts.catalog.read() as connection:
            found = read_imageability(connection, self._parts.ontology, wnid)
        return found[0] if found else None

    def statistics(self, diversity: int = 0, seed: int = 0, progress: Progress = no_progress) -> Statistics:
        """The statistics that the papers report, of images labelled yes: see `holotype.statistics`.

        With `diversity`, also that of up to 100 synsets, by so many images of each; `seed` draws both.
        """
        return statistics_of(self._parts, self.audits.certificates(), diversity, seed, progress)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads((path / CONFIG).read_text())
        if config.get("version") != VERSION:
            raise ProjectError(
                f"{path / CONFIG} is of version {config.get('version')!r}, this holotype reads {VERSION}: upgrade"
            )
        return {**config, "salt": str(config["salt"]), **({"store": str(config["store"])} if "store" in config else {})}
    except FileNotFoundError as error:
        raise NoProject(path) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProjectError(f"{path / CONFIG} is not readable: {error!r}") from error


def _claim(path: Path, catalog: Catalog, identity: str) -> None:
    """Raises `ProjectError` where the catalog is another project's."""
    if once(catalog, "project", identity) != identity:
        raise ProjectError(
            f"the catalog belongs to another project than {path}; "
            f"it is {path / 'catalog.sqlite'} unless ${CATALOG_VARIABLE} names another"
        )
