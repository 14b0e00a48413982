"""Looking around: the tree with its counts, synsets, pictures, and words, of the catalog as it is or of a release."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from threading import Lock
from typing import Final

from sqlalchemy import Connection, Select, select, union_all

from holotype.audits.certificates import Certificate, assess
from holotype.catalog import removals, shown
from holotype.consensus.votes import Answer
from holotype.errors import ReleaseError
from holotype.images.decode import decode
from holotype.images.fingerprint import encode_jpeg, fit, make_thumbnail
from holotype.ontology import Synset
from holotype.ontology.lemma_search import Found, LemmaSearch, Word
from holotype.project.evidence import read_evidence
from holotype.project.image_pages import Gone, ImageFacts, LabelFacts, label_of, read_image, seen
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.project.release_shelf import ProjectRelease, checksums, open_release
from holotype.project.tree_counts import LARGE, Kept, TreeCounts, count_release, count_states
from holotype.project.views import PUBLIC, Sight, View
from holotype.queries import Index, Live, Query, Term
from holotype.queries.live import first_rows
from holotype.queries.results import Result
from holotype.releases import ID_LENGTH
from holotype.store.store import Store

SIDE: Final = 1_600
"""The longest side of a picture as pages show it."""
MOST_OPEN: Final = 8
"""Releases whose manifests are held in memory."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SynsetFacts:
    """What is known of a synset beside its place in the tree: lemmas by language, labels by state alone and below,
    ``(source, state, count)`` of what each source brought, and certificates of it and of what it is part of."""

    synset: Synset
    lemmas: Mapping[str, Sequence[str]]
    own: Mapping[str, int]
    below: Mapping[str, int]
    yields: Sequence[tuple[str, str, int]]
    certificates: Sequence[Certificate]


@dataclass
class _Opened:
    """A release whose manifest is held; and how it was seen last by those who do not see all of it."""

    release: ProjectRelease
    index: Index
    counts: TreeCounts
    store: Store
    last: tuple[frozenset[str], Index] | None = None

    def without(self, gone: frozenset[str]) -> Index:
        """The index without images, by their sha256."""
        last = self.last
        if last is None or last[0] != gone:
            index = self.index.hiding({sha256[:ID_LENGTH] for sha256 in gone}) if gone else self.index
            self.last = last = gone, index
        return last[1]


class Explore:
    """What pages for people show of a project."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts, self._lemmas = parts, lemmas
        catalog = parts.catalog
        self._counts = Kept(catalog, shown.states_mark, self._count, lambda found: found.total() > LARGE)
        self._words = Kept(catalog, shown.words_mark, self._read_words, lambda _: True)
        self._translated = Kept(catalog, shown.words_mark, shown.has_translations)
        self._addressed = Kept(catalog, shown.addresses_mark, shown.has_addresses)
        self._certificates = Kept(catalog, shown.audits_mark, self._certify, lambda found: bool(found))
        self._secret = Kept(catalog, shown.gold_mark, shown.secret_digests)
        self._opened: dict[str, _Opened] = {}
        self._lock = Lock()

    def warm(self) -> None:
        """Read what pages need and what takes long."""
        self._counts.get()
        self._words.get()
        self._certificates.get()

    def view(self, release: str = "", sight: Sight = PUBLIC) -> View:
        """The catalog as it is, or a release by its name, as somebody sees it. Raises `ReleaseError`."""
        if release:
            return self._view_of_release(release, sight)
        parts, senses = self._parts, self._lemmas.senses
        live = Live(parts.catalog, parts.ontology, senses, hidden_from(sight))
        return View("", parts.ontology, senses, live, self._counts.get(), parts.store, sight)

    def has_translations(self) -> bool:
        """Whether any synset has a lemma in another language than the ontology's own."""
        return self._translated.get()

    def has_addresses(self, view: View) -> bool:
        """Whether any picture is known to be found on the web, be it one that is kept from sight; releases do not say
        that."""
        return not view.release and self._addressed.get()

    def _view_of_release(self, name: str, sight: Sight) -> View:
        opened = self._open(name)
        index = opened.without(self._kept_from(sight))
        release = opened.release
        return View(name, release.ontology, release.senses, index, opened.counts, opened.store, sight)

    def _open(self, name: str) -> _Opened:
        with self._lock:
            if name not in self._opened:
                release = open_release(self._parts, self._lemmas, name)
                index = Index.of(release, release.ontology, release.senses)
                counts = count_release(release.ontology, index.by_rank)
                while len(self._opened) >= MOST_OPEN:
                    self._opened.pop(next(iter(self._opened))).store.close()
                self._opened[name] = _Opened(release, index, counts, release.store())
            return self._opened[name]

    def _kept_from(self, sight: Sight) -> frozenset[str]:
        """The sha256 of the images that somebody does not see in releases: what only they show would be gold."""
        with self._parts.catalog.read() as connection:
            gone = [] if sight.removed else removals.out_of_sight(connection)
        return frozenset(gone) | (frozenset() if sight.gold else self._secret.get())

    def synset(self, view: View, synset: Synset) -> SynsetFacts:
        """What is known of a synset."""
        lemmas: dict[str, list[str]] = {"": list(synset.lemmas)}
        rank = view.ontology.rank(synset)
        with self._parts.catalog.read() as connection:
            yields = [] if view.release else shown.yields(connection, rank)
        for language, lemma in self._lemmas.of(synset):
            lemmas.setdefault(language, []).append(lemma)
        known = self._open(view.release).release.certificates if view.release else self._certificates.get()
        about = [one for one in known if view.ontology.is_under(synset, one.plan.wnid)]
        about.sort(key=lambda one: -view.ontology.rank(one.plan.wnid))
        own, below = view.counts.by_state(rank), view.counts.by_state(rank, below=True)
        return SynsetFacts(synset, lemmas, own, below, yields, about)

    def has_boxes(self) -> bool:
        """Whether any image has a box."""
        with self._parts.catalog.read() as connection:
            return shown.has_boxes(connection)

    def is_asked(self, view: View, synset: Synset) -> bool:
        """Whether people are asked about pictures of a synset itself, or were; a release asks nobody."""
        if view.release:
            return False
        with self._parts.catalog.read() as connection:
            return shown.is_asked(connection, view.ontology.rank(synset))

    def image(self, key: str, view: View) -> ImageFacts | Gone | None:
        """An image by its sha256, or ``DATASET/NAME`` where it was not read yet; with the labels that a release has of
        it, where that is looked at. None where there is none to be seen."""
        with self._parts.catalog.read() as connection:
            live = read_image(connection, key, view.sight)
        if not view.release or isinstance(live, Gone):
            return live
        labels = _labels_in(view, key)
        if not labels:
            return None
        row = labels[0].row
        if live is None:
            return ImageFacts(row, labels, (), ())
        told = replace(row, author=live.row.author, url=live.row.url)
        return replace(live, row=told, labels=labels)

    def thumbnail(self, key: str, view: View) -> bytes | Gone | None:
        """A JPEG of an image whose longer side is at most 256. Raises `ArchiveError` or `PackError`."""
        found = self._result(key, view)
        if not isinstance(found, Result):
            return found
        if found.sha256:
            return found.thumbnail()
        data = found.read()
        return self._unless_gone(data, view) or make_thumbnail(data)

    def picture(self, key: str, view: View) -> bytes | Gone | None:
        """An image as a JPEG, upright, without what its file says besides, its longer side at most `SIDE`.

        Raises `ArchiveError` or `PackError`, and `holotype.images.decode.Rejected` where it is no sound image.
        """
        found = self._result(key, view)
        if not isinstance(found, Result):
            return found
        data = found.read()
        if not found.sha256 and (gone := self._unless_gone(data, view)):
            return gone
        pixels = decode(data, side=SIDE).pixels
        return encode_jpeg(fit(pixels, min(SIDE, max(pixels.shape[:2]))), quality=88)

    def _result(self, key: str, view: View) -> Result | Gone | None:
        """An image of the catalog, or else of the release that is looked at."""
        with self._parts.catalog.read() as connection:
            found = seen(connection, key, view.sight)
            if isinstance(found, list):
                return Result(first_rows(connection, found[:1])[0], self._parts.store)
        if found is None and view.release and (labels := _labels_in(view, key)):
            return Result(labels[0].row, view.store)
        return found

    def _unless_gone(self, data: bytes, view: View) -> Gone | None:
        """Whether an image that was not read before has bytes that were taken down elsewhere."""
        digest = hashlib.sha256(data).hexdigest()
        with self._parts.catalog.read() as connection:
            return Gone() if not view.sight.removed and removals.hidden_among(connection, [digest]) else None

    def search(self, text: str, limit: int = 20) -> list[tuple[Synset, Found]]:
        """Synsets with a lemma in any language that is, begins with or holds `text`."""
        found = self._words.get().find(text, limit)
        return [(self._parts.ontology[one.wnid], one) for one in found if one.wnid in self._parts.ontology]

    def releases(self) -> list[ProjectRelease]:
        """The releases that are still there, newest first."""
        found = []
        for name in reversed(checksums(self._parts)):
            try:
                found.append(open_release(self._parts, self._lemmas, name))
            except ReleaseError:
                continue  # its folder was moved away
        return found

    def _count(self, connection: Connection) -> TreeCounts:
        return count_states(connection, self._parts.ontology)

    def _read_words(self, connection: Connection) -> LemmaSearch:
        ontology = self._parts.ontology
        own = (Word(lemma, "", synset.wnid) for synset in ontology for lemma in synset.lemmas)
        return LemmaSearch(chain(own, map(Word._make, shown.words(connection))))

    def _certify(self, connection: Connection) -> list[Certificate]:
        audits = assess(read_evidence(connection, self._parts.ontology))
        return [audit.certificate for audit in audits if audit.certificate is not None]


def hidden_from(sight: Sight) -> Select[tuple[int]] | None:
    """The ids of the images that are kept from sight."""
    parts = [] if sight.removed else [removals.hidden_images()]
    parts += [] if sight.gold else [shown.secret_gold()]
    if not parts:
        return None
    return select(union_all(*parts).subquery().c[0])


def _labels_in(view: View, key: str) -> list[LabelFacts]:
    """The labels that a release has of an image."""
    if not isinstance(view.questions, Index) or not _SHA256.fullmatch(key):
        return []
    query = Query((Term("id", ":", key[:ID_LENGTH]),))
    rows = zip(view.questions.rows(query), view.questions.votes(query).tolist(), strict=True)
    answers = Answer.YES, Answer.UNSURE, Answer.NO
    return [
        label_of(row, {answer: count for answer, count in zip(answers, votes, strict=True) if count})
        for row, votes in rows
        if row.sha256 == key
    ]
