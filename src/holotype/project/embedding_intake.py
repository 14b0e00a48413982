"""Embedding images: what a model makes of them becomes facts, durable batch by batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from holotype.catalog import embeddings as rows
from holotype.catalog.embeddings import DTYPES, Model
from holotype.catalog.image_names import meant
from holotype.engine import Progress
from holotype.errors import AmbiguousImage, ArchiveError, OtherWeights, PackError, RecognitionError
from holotype.files import sha256_file
from holotype.project.embedding_facts import Unembedded, samples_of
from holotype.project.image_names import SHOWN, alike, lines
from holotype.project.parts import Parts
from holotype.recognition.embedders import Embedder
from holotype.recognition.vectors import read_vectors

LONGEST_NAME: Final = 100
COMMIT: Final = 256
"""Images whose embeddings are made durable at once."""
_PAGE: Final = 2_048
_GIVEN: Final = 20_000
_SAME: Final = 1e-3


@dataclass(frozen=True, slots=True)
class EmbeddingReport:
    """What became of the images that a model had made nothing of: `embedded` now, and those that could not be; why, by
    line, is in `problems`. `elsewhere` counts what a file has of no image here, `known` what it has that was there."""

    name: str
    embedded: int = 0
    unread: int = 0
    known: int = 0
    elsewhere: int = 0
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"{self.name}: {self.embedded:,} embedded, {self.known:,} before"
        told += f", {self.unread:,} could not be" if self.unread else ""
        return told + (f"; {self.elsewhere:,} are of no image here" if self.elsewhere else "")


@dataclass(frozen=True, slots=True)
class Making:
    """Embeddings in the making: the model as it is to be kept, and what makes them."""

    parts: Parts
    model: Model
    embedder: Embedder

    def run(self, images: Iterator[Unembedded], total: int, progress: Progress) -> EmbeddingReport:
        """Embed images, `COMMIT` at a time, each durable before the next."""
        report = EmbeddingReport(self.model.name)
        progress(0, total)
        while batch := list(islice(images, COMMIT)):
            made, problems = self._made(batch)
            new = self.parts.catalog.transact(partial(append, model=self.model, made=made)) if made else 0
            report = EmbeddingReport(
                report.name,
                report.embedded + new,
                report.unread + len(problems),
                report.known + len(made) - new,
                problems=(*report.problems, *problems),
            )
            progress(report.embedded + report.unread + report.known, total)
        return report

    def _made(self, batch: Sequence[Unembedded]) -> tuple[dict[str, bytes], list[str]]:
        """What is made of images, as it is kept, by sha256; and why nothing is made of the others."""
        store, problems = self.parts.store, list[str]()
        try:
            found = self.embedder.embed(samples_of(store, batch))
        except (ArchiveError, PackError):
            batch, problems = _readable(self.parts, batch)
            found = self.embedder.embed(samples_of(store, batch))
        problems += [f"{one.id[:16]}: {one.detail} ({one.reason})" for one in found.damaged]
        sound = np.asarray(np.isfinite(found.rows).all(axis=1))
        sound[[one.number for one in found.damaged]] = False
        damaged = {one.number for one in found.damaged}
        lost = [number for number in np.flatnonzero(~sound).tolist() if number not in damaged]
        problems += [f"{batch[number][1][:16]}: what the model makes of it is no number" for number in lost]
        told = as_kept(found.rows[sound], self.model)
        return dict(zip([batch[one][1] for one in np.flatnonzero(sound).tolist()], told, strict=True)), problems

    def unembedded(self) -> Iterator[Unembedded]:
        """All images that the model made nothing of, page by page."""
        after = 0
        while True:
            with self.parts.catalog.read() as connection:
                page = rows.unembedded(connection, model_id(connection, self.model), after, _PAGE)
            if not page:
                return
            after = page[-1][0]
            yield from page


def _readable(parts: Parts, batch: Sequence[Unembedded]) -> tuple[list[Unembedded], list[str]]:
    """Those of some images whose bytes are there, and why the others' are not."""
    there, problems = [], []
    for one in batch:
        try:
            parts.store.read(one[2])
            there.append(one)
        except (ArchiveError, PackError) as error:
            problems.append(f"{one[1][:16]}: {error}")
    return there, problems


def as_kept(made: npt.NDArray[np.floating[Any]], model: Model) -> list[bytes]:
    """Embeddings as they are kept. Raises `RecognitionError` where numbers are too large for that."""
    most = float(np.abs(made).max(initial=0))
    if most > float(np.finfo(DTYPES[model.dtype]).max):
        raise RecognitionError(f"numbers of up to {most:g} are too large for {model.dtype}: keep them as float32")
    return [model.encoded(row) for row in made]


def model_of(embedder: Embedder, name: str, dtype: str, at: float) -> Model:
    """The model that an embedder is, as it is to be kept. Raises `RecognitionError`."""
    source = json.dumps(dict(embedder.source), sort_keys=True)
    return _checked(Model(0, name or embedder.name, embedder.digest, embedder.width, dtype, source, at))


def _checked(model: Model) -> Model:
    if model.dtype not in DTYPES:
        raise RecognitionError(f"embeddings are kept as {' or '.join(DTYPES)}, not {model.dtype[:20]!r}")
    bare = model.name.strip()
    if not bare or bare != model.name or not bare.isprintable() or len(bare) > LONGEST_NAME:
        raise RecognitionError(f"embeddings need a name that can be printed, not {model.name[:LONGEST_NAME]!r}")
    return model


def check_same(connection: Connection, model: Model) -> None:
    """Raises `OtherWeights` where another model has the name, `RecognitionError` where its embeddings were removed, or
    are kept as something else."""
    held = rows.model_called(connection, model.name)
    if held is None:
        return
    if (held.digest, held.width) != (model.digest, model.width):
        was, now = (f"{one.width:,} numbers by {one.digest[:12]}" for one in (held, model))
        raise OtherWeights(model.name, f"it was {was}, and is {now}")
    if held.dtype != model.dtype:
        raise RecognitionError(f"the embeddings {model.name!r} are kept as {held.dtype}, not {model.dtype}")
    if rows.is_removed(connection, held):
        raise RecognitionError(f"the embeddings {model.name!r} were removed: restore them first")


def model_id(connection: Connection, model: Model) -> int:
    """The id of a model, 0 before anything of it was kept."""
    held = rows.model_called(connection, model.name)
    return 0 if held is None else held.id


def append(connection: Connection, model: Model, made: Mapping[str, bytes]) -> int:
    """Append embeddings of a model, and the model before the first of them; how many are new."""
    check_same(connection, model)
    return rows.add(connection, rows.add_model(connection, model), made)


def add_given(parts: Parts, path: Path, name: str, dtype: str, progress: Progress) -> EmbeddingReport:
    """Take embeddings from a file: see `holotype.project.embeddings.Embeddings.add_file`."""
    given = read_vectors(path)
    with parts.catalog.read() as connection:
        held = rows.model_called(connection, name)
        found = meant(connection, given.images)
        doubtful = {text: images for text, images in found.items() if not alike(images)}
        told = [line for text, images in doubtful.items() for line in lines(connection, text, images)]
    if doubtful:
        raise AmbiguousImage(told, f"{len(doubtful):,} names may be of several images: give the sha256")
    source = json.dumps({"file": path.name})
    digest = sha256_file(path) if held is None else held.digest
    model = _checked(Model(0, name, digest, given.rows.shape[1], dtype, source, parts.clock()))
    with parts.catalog.read() as connection:
        check_same(connection, model)
    digests = [found[text][0].sha256 if text in found else "" for text in given.images]
    kept = _by_digest(model, digests, given.images, as_kept(given.rows, model))
    new = _append_given(parts, model, kept, progress)
    elsewhere = digests.count("")
    return EmbeddingReport(name, new, known=len(kept) - new, elsewhere=elsewhere)


def _by_digest(model: Model, digests: Sequence[str], names: Sequence[str], told: Sequence[bytes]) -> dict[str, bytes]:
    """Embeddings by sha256, of images that there are. Raises `OtherWeights` where two of one image differ."""
    kept: dict[str, bytes] = {}
    for digest, name, data in zip(digests, names, told, strict=True):
        if digest and kept.setdefault(digest, data) != data:
            raise OtherWeights(model.name, f"two rows are of {name[:SHOWN]!r}, and differ")
    return kept


def _append_given(parts: Parts, model: Model, kept: Mapping[str, bytes], progress: Progress) -> int:
    """Append embeddings, unless what is there already of an image is another: nothing is kept then."""
    digests = list(kept)
    with parts.catalog.read() as connection:
        held = rows.model_called(connection, model.name)
        for start in range(0, len(digests) if held is not None else 0, _GIVEN):
            _compare(connection, held or model, {one: kept[one] for one in digests[start : start + _GIVEN]})
    new = 0
    progress(0, len(digests))
    for start in range(0, len(digests), _GIVEN):
        some = {one: kept[one] for one in digests[start : start + _GIVEN]}
        new += parts.catalog.transact(partial(append, model=model, made=some))
        progress(start + len(some), len(digests))
    return new


def _compare(connection: Connection, model: Model, told: Mapping[str, bytes]) -> None:
    """Raises `OtherWeights` where an embedding is not what it was, but for rounding."""
    for digest, data in rows.held(connection, model, told).items():
        was, now = (model.decoded(one).astype(np.float64) for one in (data, told[digest]))
        if np.abs(was - now).max(initial=0) > _SAME * max(float(np.abs(was).max(initial=0)), 1e-12):
            raise OtherWeights(model.name, f"it had other numbers for the image {digest[:16]}")
