"""Releases: made, listed, verified, asked and scored on."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import releases
from holotype.catalog.releases import Wanted
from holotype.catalog.removals import hidden_images
from holotype.engine import Progress, cpus, no_progress
from holotype.errors import NothingAccepted, OutvotedImages, ReleaseError
from holotype.files import sha256_file
from holotype.licences import LicencePolicy
from holotype.project.conclusions import draw_anew
from holotype.project.fingerprints import fingerprint_images
from holotype.project.lemmas import Lemmas
from holotype.project.licensing import Taken, read_policy, refused, taken
from holotype.project.near_duplicates import INDEX, group_near_duplicates
from holotype.project.parts import Parts
from holotype.project.release_faces import read_faces
from holotype.project.release_facts import read_facts, read_labels, read_votes, works_told
from holotype.project.release_grounds import read_grounds
from holotype.project.release_leaks import own_leaks, read_others, read_pictures
from holotype.project.release_places import is_made, opened, release_bucket, release_folder
from holotype.project.release_shelf import ProjectRelease, checksums, made_here, open_release
from holotype.project.release_takedown import take_down_of
from holotype.project.release_verified import read_verified
from holotype.queries import Live, Query
from holotype.releases import CHECKSUMS, NAME, Fractions, Recipe, Release, verify_release
from holotype.releases.alone import alone
from holotype.releases.build import Workshop, workshop, write_release
from holotype.releases.choice import Kept, keep, share
from holotype.releases.contents import Contents, Made, contents_of
from holotype.releases.diff import Difference, diff_releases
from holotype.releases.draft import Draft, write_draft
from holotype.releases.facts import Holder
from holotype.releases.grounds import Grounds
from holotype.releases.quantities import plural
from holotype.releases.takedown import TakenDown, Unwanted
from holotype.releases.uploads import abandon
from holotype.releases.verified import verified_table
from holotype.store.location import PACK, TREE
from holotype.store.objects import place
from holotype.store.opening import state_of
from holotype.store.reach import ANYWHERE


class Releases:
    """The releases of a project."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def checksums(self) -> dict[str, str]:
        """Every release that was made, oldest first, with the sha256 of its ``SHA256SUMS``."""
        return checksums(self._parts)

    def places(self) -> dict[str, str]:
        """Where every release lies that was made, oldest first: its folder, or its URL."""
        found = {name: release_bucket(self._parts, name) for name in self.checksums()}
        return {
            name: str(release_folder(self._parts, name)) if bucket is None else bucket.url
            for name, bucket in found.items()
        }

    def __getitem__(self, name: str) -> ProjectRelease:
        """The release of that name. Raises `ReleaseError`."""
        return open_release(self._parts, self._lemmas, name)

    def made(self, release: Release) -> bool:
        """Whether a release that leaves images where they lie is one of these or a copy, and says what it said then."""
        return made_here(self._parts, release)

    def create(
        self,
        name: str,
        recipe: Recipe | Fractions = Recipe(),
        progress: Progress = no_progress,
        **asked: Any,
    ) -> ProjectRelease:
        """The release called `name`; made of the labels as they stand if there is none yet. Labels that were concluded
        of a few candidates only (`CrowdRoom.append`) are all drawn anew before.

        It is made as `recipe` says, whose fields may be given by their names, `splits` alone without it:
        ``create("dogs", query="under:dog", seed=3)``. Images go to ``releases/NAME``, the bytes of imported ones too,
        which keep the split they came with. The same labels, votes and recipe give the same bytes. A release is never
        changed. Images that somebody asks to be taken down are left out for as long as nobody has declined that; the
        summary says how many labels (``removal_asked``).

        Images under licences that the project does not take (`Licences.policy`), or that the recipe does not name, are
        left out; the summary says how many labels, by the licences' codes (``other_licences``).

        Files leave without what they say of people, places and devices (`holotype.images.discreet`); with `blur_faces`
        faces that were found are blurred (`Faces.look`), and images that nobody looked at are an error unless
        `unlooked` takes them.

        Images that are accepted against more noes than yeses, by a model's word alone, are an error unless `outvoted`
        takes them. Making one that was stopped goes on with what was finished, if all is still the same.

        Raises `ReleaseError` if the name is not usable, nothing is labelled yes, or the disk is too small, and
        `LicenceError` for licences that are none.
        """
        given = Recipe(splits=recipe) if isinstance(recipe, Fractions) else recipe
        wanted = replace(given, **({**asked, "query": str(asked["query"])} if "query" in asked else asked))
        if not wanted.licences:
            wanted = replace(wanted, licences=self._policy().words)
        if not NAME.fullmatch(name):
            raise ReleaseError(f"a release's name is letters, digits, '.', '_' and '-', not {name!r}")
        if name not in self.checksums():
            self._parts.check_writable()
            checksum = self._adopt(name, wanted) if is_made(self._parts, name) else self._make(name, wanted, progress)
            now = self._parts.clock()
            self._parts.catalog.transact(lambda connection: releases.add(connection, name, checksum, now))
        return self[name]

    def diff(self, before: str, after: str) -> Difference:
        """What changed from one release to another, and why: see `holotype.releases.diff.diff_releases`.

        Raises `ReleaseError`.
        """
        return diff_releases(self[before], self[after])

    def takedown(
        self,
        name: str,
        new: str,
        curator: str,
        reason: str,
        unwanted: Unwanted,
        progress: Progress = no_progress,
    ) -> TakenDown:
        """Make the release `new` of the release `name` without some images, and withdraw them for `reason`, so that
        they are used nowhere any more: see `holotype.releases.takedown.take_down` and `Images.withdraw`.

        The old release stays: whoever has it has the images still. The new one says how many images were taken down
        from it, not which.

        Raises `ReleaseError`, and `CrowdError` for an empty `reason` or a `curator` that cannot be printed.
        """
        return take_down_of(self._parts, self[name], new, unwanted, (curator, reason), progress)

    def abandon(self, name: str) -> int:
        """Take away what is there of a release whose making was stopped, and that nobody is making any more; how many
        objects in the project's bucket. It can be made anew then.

        Raises `ReleaseError` where the release is there, nobody ever began it, or another process on this machine is
        making it.
        """
        if not NAME.fullmatch(name):
            raise ReleaseError(f"a release's name is letters, digits, '.', '_' and '-', not {name!r}")
        folder, bucket = release_folder(self._parts, name), release_bucket(self._parts, name)
        with alone(folder):
            if is_made(self._parts, name):
                raise ReleaseError(f"{name} is finished: nothing is left of making it")
            made = Workshop(folder)
            begun = made.work.exists() or made.partial.exists()
            made.clear()
            gone = 0 if bucket is None else abandon(bucket)
            if not begun and not gone:
                raise ReleaseError(f"nobody began a release {name}: nothing is taken away")
            return gone

    def _make(self, name: str, recipe: Recipe, progress: Progress) -> str:
        """Make a release; the sha256 of its ``SHA256SUMS``."""
        draw_anew(self._parts)
        with workshop(release_folder(self._parts, name), release_bucket(self._parts, name)) as made:
            left = self._prepare(recipe)
            contents = self._contents(made, recipe, left)
            _check_room(made, contents)
            return write_release(made, contents, self._parts.store.read, progress)

    def _adopt(self, name: str, recipe: Recipe) -> str:
        """Accept a release that was written, but whose writer was stopped before the catalog heard of it; the sha256 of
        its ``SHA256SUMS``."""
        place = release_bucket(self._parts, name) or release_folder(self._parts, name)
        if not self._is_asked_for(name, recipe) or verify_release(place, archives=ANYWHERE):
            raise ReleaseError(
                f"{place if isinstance(place, Path) else place.url} is there, but is not the release that is asked "
                "for; move it away or choose another name"
            )
        return sha256_file(opened(self._parts, name).path / CHECKSUMS)

    def _is_asked_for(self, name: str, recipe: Recipe) -> bool:
        """Whether a release says that it is made so. Where its images lie must be known, as they will be read there."""
        asked = {"name": name, "recipe": recipe.value()}
        try:
            made = opened(self._parts, name)
            files = [(one.file, one.size, one.mtime_ns) for one in made.files.values()]
        except ReleaseError:
            return False
        with self._parts.catalog.read() as connection:
            known = not files or releases.held_at(connection).issuperset(files)
        return known and all(made.summary.get(key) == value for key, value in asked.items())

    def _policy(self) -> LicencePolicy:
        with self._parts.catalog.read() as connection:
            return read_policy(connection)

    def _wanted(
        self, connection: Connection, recipe: Recipe, hidden: bool = True, licensed: Taken | None = None
    ) -> Wanted:
        """Which candidates are asked for; with `hidden`, none that somebody asks to be taken down. They are under
        licences that the project and the recipe take, or those whose texts are `licensed`."""
        parts = self._parts
        live = Live(parts.catalog, parts.ontology, self._lemmas.senses, hidden_images() if hidden else None)
        ranks, conditions = live.chosen(connection, Query.parse(recipe.query))
        if (allows := licensed or taken(connection, recipe.licences)) is not None:
            conditions = [*conditions, live.licensed(connection, allows)]
        return Wanted(ranks, conditions, _datasets(connection, recipe.datasets), recipe.manifest_only)

    def _prepare(self, recipe: Recipe) -> dict[str, Any]:
        """Read the images that were not read yet, unless they stay where they lie; how many labels, or images, of those
        asked for cannot be taken, by reason.

        Raises `ReleaseError` where some cannot be read.
        """
        parts = self._parts
        with parts.catalog.read() as connection:
            wanted = self._wanted(connection, recipe)
            new = [] if recipe.manifest_only else releases.unread(connection, wanted)
        if new:
            report = fingerprint_images(parts.catalog, parts.store, new)
            if report.unreadable:
                raise ReleaseError(
                    f"{plural(report.unreadable, 'image')} cannot be read: {'; '.join(report.problems[:3])}"
                )
        group_near_duplicates(parts.catalog, parts.folder / INDEX)
        with parts.catalog.read() as connection:
            every = self._wanted(connection, recipe, hidden=False)
            others = self._other_licences(connection, recipe)
            return {
                "other_licences": others,
                "not_sound": releases.count_unsound(connection, wanted),
                "removal_asked": releases.count(connection, every) - releases.count(connection, wanted),
                "unknown_synsets": releases.count_unknown(connection, wanted),
            }

    def _other_licences(self, connection: Connection, recipe: Recipe) -> dict[str, int]:
        """How many labels asked for are under licences that are not taken, by the licences' codes."""
        if (takes := taken(connection, recipe.licences)) is None:
            return {}
        found = {
            code: releases.count(connection, self._wanted(connection, recipe, licensed=texts.__contains__))
            for code, texts in refused(connection, takes).items()
        }
        return {code: number for code, number in found.items() if number}

    def _contents(self, made: Workshop, recipe: Recipe, left: Mapping[str, Any]) -> Contents:
        parts, about = self._parts, Made(made.folder.name, recipe, self._parts.salt)
        with parts.catalog.read() as connection:
            grounds = read_grounds(connection, parts, about.hide)
            cast = grounds.heard(read_votes(connection))
            works = works_told(connection)
            labels = read_labels(connection, parts.ontology, self._wanted(connection, recipe), works)
            columns = write_draft(made.draft, labels, cast.peoples_answers, cast.machines, about.hide, works)
            if not len(columns):
                raise _nothing(recipe, left["other_licences"])
            kept = keep(columns, recipe)
            del columns
            if not len(kept.columns):
                raise ReleaseError(
                    f"no synset has {recipe.selection.at_least:,} of the images asked for: ask for fewer"
                )
            if (outvoted := int(kept.columns.outvoted.sum())) and not recipe.outvoted:
                raise OutvotedImages(outvoted)
            facts, shared = read_facts(connection, parts.ontology, Draft(made.draft), kept, cast), share(kept, recipe)
            if not facts.evidence.plans and _is_untouched(connection, recipe, kept, grounds):
                grounds, facts = Grounds.nothing(), facts.unheard()
            if recipe.manifest_only:
                _check_in_place(facts.holders)
            if recipe.blur_faces:
                found = read_faces(connection, Draft(made.draft), kept, about.hide, recipe)
                facts = replace(facts, faces=found)
            pictures = read_pictures(connection)
            others = list(read_others(parts, connection, recipe.against, pictures))
            known = read_verified(connection, parts, np.unique(Draft(made.draft).numbers(kept.rows, "image")))
            facts = replace(facts, leaks=own_leaks(made.folder.name, kept, shared, pictures, others))
        contents = contents_of(about, Draft(made.draft), kept, shared, facts, parts.ontology)
        ballots = replace(contents.ballots, copy=grounds.copy_of(facts.votes.candidate))
        summary = {**contents.summary, "rule": grounds.rule, **{why: count for why, count in left.items() if count}}
        own = parts.ontology.to_bytes() if parts.vocabulary.own else None
        of_labels, of_images = kept.columns.only("rank"), kept.per_image.only("length", "file")
        slim = replace(kept, columns=of_labels, per_image=of_images)
        evidence = grounds.table(about.hide)
        verified = None if known is None else verified_table(known, Draft(made.draft), kept)
        return replace(
            contents, kept=slim, summary=summary, ontology=own, ballots=ballots, evidence=evidence, verified=verified
        )


def _datasets(connection: Connection, names: Sequence[str]) -> list[int]:
    """The ids of datasets. Raises `ReleaseError` for one there is not."""
    ids = releases.dataset_ids(connection, names)
    if lost := [name for name in names if name not in ids]:
        raise ReleaseError(
            f"there is no dataset {lost[0]!r}; there are: {', '.join(releases.dataset_names(connection)) or 'none'}"
        )
    return list(ids.values())


def _is_untouched(connection: Connection, recipe: Recipe, kept: Kept, grounds: Grounds) -> bool:
    """Whether the labels kept are the word of datasets of which nobody was asked anything: votes are about others."""
    if not (recipe.datasets and kept.stated):
        return False
    return not releases.any_in(connection, grounds.candidates.number.tolist(), _datasets(connection, recipe.datasets))


def _nothing(recipe: Recipe, other_licences: Mapping[str, int]) -> ReleaseError:
    """Why there is nothing to release."""
    found = "no image that the query finds" if recipe.query or recipe.datasets else "no image"
    if not other_licences:
        return NothingAccepted(f"{found} is labelled yes")
    others = ", ".join(f"{code} {number:,}" for code, number in other_licences.items())
    return ReleaseError(f"{found} that is labelled yes is under a licence that is taken; labels by licence: {others}")


def _check_in_place(holders: Sequence[Holder]) -> None:
    """Raises `ReleaseError` where bytes do not lie any more, or will not go on to lie, where they are."""
    for one in holders:
        if one.kind == PACK:
            raise ReleaseError(
                "the project's own images lie in packs that it goes on writing to: a release that leaves bytes where "
                "they lie can be of datasets alone"
            )
        state = state_of(place(one.path)) if one.kind != TREE else None
        if one.kind == TREE and place(one.path).is_dir():
            continue
        if state is None:
            raise ReleaseError(f"{one.path} of {one.dataset} is not there any more; bring it back or import it again")
        if state != (one.size, one.mtime_ns):
            raise ReleaseError(
                f"{one.path} of {one.dataset} has changed since it was imported (another size or time); import it again"
            )


def _check_room(made: Workshop, contents: Contents) -> None:
    """Raises `ReleaseError` where the disk has no room for the images: they are copied."""
    if contents.recipe.manifest_only:
        return
    kept = contents.kept
    needed = int(kept.per_image.length.sum()) - made.done
    if made.uploads is not None:  # what is finished is taken away
        needed = min(needed, cpus() * (contents.recipe.shard_bytes + int(kept.per_image.length.max())))
    if needed > (free := shutil.disk_usage(made.folder.parent).free):
        raise ReleaseError(
            f"the images are {needed / 1e9:.1f} GB, but {made.folder.parent} has room for {free / 1e9:.1f} GB"
        )
