"""Embeddings: what networks make of a project's images, kept as facts, and what that is good for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from holotype.catalog import candidates, fingerprints
from holotype.catalog import embeddings as rows
from holotype.catalog.embeddings import Model, Removal
from holotype.catalog.image_names import meant
from holotype.crowd.machines.voter import Machine, Thresholds
from holotype.engine import Progress, no_progress
from holotype.errors import NotEmbedded, OtherWeights
from holotype.project.embedding_answers import UNCERTAIN, Order, classifier, fitted, order_of
from holotype.project.embedding_facts import Unembedded, meant_model, places_of, read_embedded, samples_of
from holotype.project.embedding_intake import (
    EmbeddingReport,
    Making,
    add_given,
    check_same,
    model_id,
    model_of,
)
from holotype.project.embedding_pairs import CloseImages, Closeness, close_images, leaks_of
from holotype.project.facts import check_reason, person
from holotype.project.fingerprints import fingerprint_all
from holotype.project.image_names import SHOWN, one_image
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.queries import Live, Query
from holotype.queries.live import first_rows
from holotype.queries.results import Result
from holotype.recognition.embedders import Embedder
from holotype.recognition.heads import Head
from holotype.recognition.neighbours import nearest
from holotype.recognition.spread import Spread, spread
from holotype.releases.leaks import Check
from holotype.store.location import TREE, Location
from holotype.store.store import Store

Vector = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Similar:
    """An image, and the cosine of its embedding and that of what was asked about."""

    image: Result
    cosine: float


class Embeddings:
    """What networks make of a project's images. An image has an embedding by its bytes, by each model that was asked.

    Where a `model` is to be named, "" means the only one that there is.
    """

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def add(
        self,
        embedder: Embedder,
        name: str = "",
        query: str | Query = "",
        dtype: str = "float16",
        progress: Progress = no_progress,
    ) -> EmbeddingReport:
        """Embed all images, or those that a query finds, that this model made nothing of; they are read first where
        they were not yet. Pictures with the same bytes are embedded once.

        The model is called `name`, or as its embedder says. What is done is durable every few hundred images: killed at
        any moment and run again, it goes on. Images that cannot be read, or are damaged, are told, and tried again the
        next time. Raises `OtherWeights` where another model, or the same one with other weights, has that name, and
        `RecognitionError` where its embeddings were removed, are kept as another `dtype` (``float16``, ``float32``), or
        are too large for it; `QueryError`, `UnknownSynset` or `AmbiguousLemma` for a query.
        """
        parts = self._parts
        parts.check_writable()
        making = Making(parts, model_of(embedder, name, dtype, parts.clock()), embedder)
        with parts.catalog.read() as connection:
            check_same(connection, making.model)
        fingerprint_all(parts.catalog, parts.store)
        with parts.catalog.read() as connection:
            number = model_id(connection, making.model)
        if query:
            images = self._found(Query.of(query), number)
            return making.run(iter(images), len(images), progress)
        with parts.catalog.read() as connection:
            total = rows.count_unembedded(connection, number)
        return making.run(making.unembedded(), total, progress)

    def _found(self, query: Query, model: int) -> list[Unembedded]:
        live = Live(self._parts.catalog, self._parts.ontology, self._lemmas.senses)
        images = live.images(query)
        with self._parts.catalog.read() as connection:
            digests = set(fingerprints.digests(connection, images).values())
            return rows.unembedded_of(connection, model, sorted(digests))

    def add_file(
        self,
        path: str | os.PathLike[str],
        name: str,
        dtype: str = "float16",
        progress: Progress = no_progress,
    ) -> EmbeddingReport:
        """Take embeddings that somebody else made from a file, as `holotype.recognition.vectors.read_vectors` reads it;
        images have any of their names, and those that are not here are counted.

        A file with more images adds to what is there by that name. Raises `OtherWeights`, and then keeps nothing, where
        numbers of an image that is there are others, or there are more or fewer of them; `RecognitionError` for a file
        that is none, `AmbiguousImage` for a name that may mean several images.
        """
        self._parts.check_writable()
        fingerprint_all(self._parts.catalog, self._parts.store)
        return add_given(self._parts, Path(path), name, dtype, progress)

    def models(self) -> list[Model]:
        """The models whose embeddings are here and are not removed, by name, with how many there are."""
        with self._parts.catalog.read() as connection:
            return rows.models(connection)

    def model(self, name: str = "") -> Model:
        """The model of a name. Raises `NotEmbedded`."""
        with self._parts.catalog.read() as connection:
            return meant_model(connection, name)

    def removals(self) -> list[Removal]:
        """All that was removed and restored, oldest first; of a model, the last counts."""
        with self._parts.catalog.read() as connection:
            return rows.removals(connection)

    def remove(self, name: str, curator: str, reason: str) -> bool:
        """Use the embeddings of a model no more; False where that is so already. `restore` undoes it: they are kept.

        Raises `NotEmbedded`, and `CrowdError` for an empty `reason` or a `curator` that cannot be printed.
        """
        return self._say(name, True, curator, reason)

    def restore(self, name: str, curator: str, reason: str) -> bool:
        """Use the embeddings of a model again; False where they were not removed. Raises as `remove`."""
        return self._say(name, False, curator, reason)

    def _say(self, name: str, removed: bool, curator: str, reason: str) -> bool:
        check_reason(reason)
        said = Removal(name, removed, person(curator, "a curator"), reason, self._parts.clock())
        self._parts.check_writable()
        return self._parts.catalog.transact(lambda c: rows.say_removed(c, _known(c, name), said))

    def forget(self, name: str) -> int:
        """Delete a model and its embeddings for good, removed or not; how many there were. Raises `NotEmbedded`."""
        self._parts.check_writable()
        return self._parts.catalog.transact(lambda connection: rows.forget(connection, _known(connection, name)))

    def of(self, image: str, model: str = "") -> Vector:
        """The embedding of an image by any of its names, ``(width,)``. Raises `UnknownImage`, `AmbiguousImage`,
        `NotEmbedded`."""
        with self._parts.catalog.read() as connection:
            return self._of(connection, image, model)[1]

    def _of(self, connection: Connection, image: str, model: str) -> tuple[str, Vector]:
        made_by = meant_model(connection, model)
        sha256 = one_image(connection, image).sha256
        held = rows.held(connection, made_by, [sha256])
        if sha256 not in held:
            raise NotEmbedded(f"{made_by.name!r} has made nothing of the image {image[:SHOWN]!r} yet")
        return sha256, made_by.decoded(held[sha256])

    def similar(
        self, image: str | os.PathLike[str], k: int = 20, model: str = "", embedder: Embedder | None = None
    ) -> list[Similar]:
        """The `k` images that are most like an image, the most alike first, by the cosine of their embeddings.

        It is one of the project's, by any of its names, which is not found itself; or else, with the `embedder` of that
        model, a file outside. Raises `UnknownImage` or `AmbiguousImage`, `NotEmbedded`, `OtherWeights` for another
        embedder, and `RecognitionError` for a file that is no sound picture.
        """
        told = os.fspath(image)
        with self._parts.catalog.read() as connection:
            if embedder is not None and not meant(connection, [told]).get(told) and os.path.isfile(told):
                digest, asked = "", self._outside(connection, Path(told), model, embedder)
            else:
                digest, asked = self._of(connection, told, model)
            _, held = read_embedded(connection, model)
            found = nearest(asked[None], held.rows, k + 1)
            near = [
                (place, cosine)
                for place, cosine in zip(found.place[0].tolist(), found.cosine[0].tolist(), strict=True)
                if held.digest(place) != digest
            ][:k]
            images = first_rows(connection, [int(held.image[place]) for place, _ in near])
        cosines = [cosine for _, cosine in near]
        return [Similar(Result(row, self._parts.store), cosine) for row, cosine in zip(images, cosines, strict=True)]

    def _outside(self, connection: Connection, path: Path, model: str, embedder: Embedder) -> Vector:
        made_by = meant_model(connection, model)
        if embedder.digest != made_by.digest:
            raise OtherWeights(made_by.name, f"it is {made_by.digest[:12]}, and this is {embedder.digest[:12]}")
        where = Location(str(path.resolve().parent), 0, path.stat().st_size, TREE, path.name)
        store = Store(path.resolve().parent)
        found = embedder.embed(samples_of(store, [(0, path.name, where)]))
        if found.damaged:
            raise NotEmbedded(f"{path.name[:SHOWN]!r} is no sound picture: {found.damaged[0].detail}")
        row: Vector = found.rows[0]
        return row

    def near_duplicates(
        self,
        asked: Closeness,
        limit: int = 1_000,
        all_pairs: bool = False,
        progress: Progress = no_progress,
    ) -> CloseImages:
        """Pairs of images whose embeddings are nearly the same, the first `limit` of them: crops, other colours,
        overlays, which hashes miss. Pairs that hashes know are counted, and listed with `all_pairs`.

        Which cosine is near enough is another for each model. Raises `NotEmbedded`, and `RecognitionError` where there
        are millions.
        """
        return close_images(self._parts, asked, limit, all_pairs, progress)

    def leaks(self, release: str, asked: Closeness, progress: Progress = no_progress) -> tuple[Check, ...]:
        """What the splits of a release share by embeddings that are nearly the same, two by two: see
        `holotype.releases.leaks`. Raises `ReleaseError` and as `near_duplicates`."""
        return leaks_of(self._parts, self._lemmas, release, asked, progress)

    def diversity(self, synset: str, model: str = "") -> Spread:
        """How different the images labelled yes of a synset and all below it are: see `holotype.recognition.spread`.

        `synset` is a wnid or lemma. Raises `UnknownSynset`, `AmbiguousLemma`, `NotEmbedded`.
        """
        ranges = self._parts.ontology.ranges(self._lemmas.meant(synset))
        with self._parts.catalog.read() as connection:
            _, held = read_embedded(connection, model)
            accepted = candidates.accepted(connection, ranges)
        return spread(held.rows[places_of(held, (one.sha256 for one in accepted))])

    def order(self, synset: str, by: str = UNCERTAIN, most: int = 1_000, model: str = "") -> Order:
        """Which of the open candidates of a synset to ask about next: the first `most`.

        ``uncertain`` asks where an answer tells most, by logistic regression on what is labelled yes (below it, too)
        and no, and of what is alike only one early; ``likely`` asks where a yes is most probable, which finds good
        images soonest; ``diverse`` asks about what is unlike all before it, which is all there is to go by before there
        is a yes and a no. Raises `UnknownSynset`, `AmbiguousLemma`, `NotEmbedded`, `NotInstalled`.
        """
        return order_of(self._parts, self._lemmas.meant(synset).wnid, by, most, model)

    def voter(
        self, name: str = "", model: str = "", head: Head | None = None, thresholds: Thresholds = Thresholds()
    ) -> Machine:
        """A machine that votes by embeddings, for `crowd.run`; it is called `name`, or as the model.

        With the `head` of a classifier, its last layer, it says how probable the classes at and below a synset are;
        without one it learns each synset from what is labelled. Candidates without an embedding, and synsets that it
        knows nothing of, get no vote. Raises `NotEmbedded`, `OtherWeights` for another classifier, and
        `RecognitionError` where nothing can be said at all.
        """
        if head is None:
            return fitted(self._parts, name, thresholds, model)
        return classifier(self._parts, name, head, thresholds, model)


def _known(connection: Connection, name: str) -> Model:
    """The model of a name, removed or not. Raises `NotEmbedded`."""
    found = rows.model_called(connection, name)
    if found is None:
        raise NotEmbedded(f"there are no embeddings {name[:100]!r}")
    return found
