"""Releases: made, listed, verified, asked and scored on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from holotype.catalog import candidates, releases
from holotype.catalog.fingerprints import unsound
from holotype.catalog.removals import hidden_images
from holotype.crowd.reviews import hidden_name
from holotype.engine import Progress, no_progress
from holotype.errors import NothingAccepted, OutvotedImages, ReleaseError
from holotype.files import sha256_file
from holotype.project.conclusions import draw_anew
from holotype.project.fingerprints import fingerprint_images
from holotype.project.intake import group_near_duplicates
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.project.release_facts import read_facts
from holotype.project.release_grounds import read_grounds
from holotype.project.release_shelf import ProjectRelease, checksums, open_release
from holotype.queries import Live, Query, Term
from holotype.releases import CHECKSUMS, NAME, Contents, Fractions, Release, verify_release, write_release
from holotype.releases.contents import contents_of


class Releases:
    """The releases of a project."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def checksums(self) -> dict[str, str]:
        """Every release that was made, oldest first, with the sha256 of its ``SHA256SUMS``."""
        return checksums(self._parts)

    def __getitem__(self, name: str) -> ProjectRelease:
        """The release of that name. Raises `ReleaseError`."""
        return open_release(self._parts, self._lemmas, name)

    def create(
        self,
        name: str,
        fractions: Fractions = Fractions(),
        seed: int = 0,
        progress: Progress = no_progress,
        outvoted: bool = False,
        query: str | Query = "",
    ) -> ProjectRelease:
        """The release called `name`; made of the labels as they stand if there is none yet. Labels that were concluded
        of a few candidates only (`CrowdRoom.append`) are all drawn anew before.

        Images labelled yes that `query` finds are split by `fractions` and `seed` and written to ``releases/NAME``, the
        bytes of imported ones too, which keep the split they came with. The same labels, votes, fractions, seed and
        query give the same bytes. A release is never changed. Images that somebody asks to be taken down are left out
        for as long as nobody has declined that; the summary says how many labels (``removal_asked``).

        Images that are accepted against more noes than yeses, by a model's word alone, are an error unless `outvoted`
        takes them.

        Raises `ReleaseError` if the name is not usable, nothing is labelled yes, or the disk is too small.
        """
        if not NAME.fullmatch(name):
            raise ReleaseError(f"a release's name is letters, digits, '.', '_' and '-', not {name!r}")
        if name not in self.checksums():
            self._parts.check_writable()
            folder = self._parts.folder / "releases" / name
            asked = Query.of(query)
            if folder.exists():
                self._adopt(folder, fractions, seed, asked)
            else:
                contents = self._contents(name, fractions, seed, outvoted, asked)
                _check_room(folder.parent, contents)
                write_release(folder, contents, self._parts.store.read, progress)
            checksum, now = sha256_file(folder / CHECKSUMS), self._parts.clock()
            self._parts.catalog.transact(lambda connection: releases.add(connection, name, checksum, now))
        return self[name]

    def _adopt(self, folder: Path, fractions: Fractions, seed: int, query: Query) -> None:
        """Accept a release that was written, but whose writer was stopped before the catalog heard of it."""
        asked = {"name": folder.name, "seed": seed, "fractions": asdict(fractions), "query": str(query)}
        if verify_release(folder) or any(Release(folder).summary.get(key) != value for key, value in asked.items()):
            raise ReleaseError(
                f"{folder} is there, but is not the release that is asked for; move it away or choose another name"
            )

    def _contents(self, name: str, fractions: Fractions, seed: int, outvoted: bool, query: Query) -> Contents:
        draw_anew(self._parts)
        parts, asked = self._parts, Query((*query.terms, Term("state", ":", "yes")))
        about = parts.catalog, parts.ontology, self._lemmas.senses
        wanted = Live(*about, hidden_images()).numbers(asked)
        asked_away = Live(*about).count(asked) - len(wanted)
        if not wanted:
            raise NothingAccepted(
                "no image that the query finds is labelled yes" if query.terms else "no image is labelled yes"
            )
        left_out = self._read(wanted)
        with parts.catalog.read() as connection:
            facts = read_facts(connection, parts.ontology, wanted)
            grounds = read_grounds(connection, parts, self._hide)
        if facts.outvoted and not outvoted:
            raise OutvotedImages(facts.outvoted)
        contents = contents_of(name, facts, fractions, seed, parts.ontology, parts.salt)
        left = {"not_sound": left_out, "removal_asked": asked_away}
        summary = {
            **contents.summary,
            "query": str(query),
            "rule": grounds.rule,
            **{why: count for why, count in left.items() if count},
        }
        own = parts.ontology.to_bytes() if parts.vocabulary.own else None
        shipped = grounds.vote_rows(facts.votes.candidate, contents.votes)
        return replace(contents, summary=summary, ontology=own, votes=shipped, evidence=grounds.table(self._hide))

    def _hide(self, person: str) -> str:
        return hidden_name(person, self._parts.salt)

    def _read(self, wanted: Sequence[int]) -> int:
        """Read the images of candidates that were not read yet; how many of all are no sound images.

        Raises `ReleaseError` where some cannot be read.
        """
        parts = self._parts
        with parts.catalog.read() as connection:
            images = {origin.image_id for origin in candidates.origins(connection, wanted).values()}
        report = fingerprint_images(parts.catalog, parts.store, images)
        if report.unreadable:
            raise ReleaseError(f"{report.unreadable:,} images cannot be read: {'; '.join(report.problems[:3])}")
        group_near_duplicates(parts.catalog)
        with parts.catalog.read() as connection:
            return len(unsound(connection, images))


def _check_room(folder: Path, contents: Contents) -> None:
    """Raises `ReleaseError` where the disk has no room for the images: they are copied."""
    folder.mkdir(parents=True, exist_ok=True)
    needed = sum({label.id: label.location.length for label in contents.labels}.values())
    if needed > (free := shutil.disk_usage(folder).free):
        raise ReleaseError(f"the images are {needed / 1e9:.1f} GB, but {folder} has room for {free / 1e9:.1f} GB")
