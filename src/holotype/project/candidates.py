"""Candidates: images that may show a synset, proposed, asked about, and believed in more or less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from holotype.catalog import candidates, priors, sightings
from holotype.catalog.fingerprints import unsound
from holotype.catalog.images import Named, named
from holotype.consensus.votes import Task
from holotype.crowd.conclusion import Policy
from holotype.engine import Progress, no_progress
from holotype.errors import CrowdError
from holotype.project.candidate_samples import samples_of_candidates
from holotype.project.conclusions import redraw
from holotype.project.facts import read_tasks
from holotype.project.fingerprints import fingerprint_images
from holotype.project.image_names import SHOWN, Pair, Said, candidate_numbers, images_called
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.project.synset_names import fitting, meanings, with_wnids
from holotype.queries import Live, Query
from holotype.releases.loaders import Samples

LEAST = 0.001
"""No model is sure: a score nearer to 0 or 1 than this is taken as this far from it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An image, by its sha256 or its name in its dataset, that may show a synset; `score` is the chance that it does,
    as far as whoever proposes it can tell."""

    image: str
    wnid: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class ProposalReport:
    """What became of proposals: `asked` ones, that are now put to the crowd and were not before, those asked about
    before, and those of images that are not sound or cannot be read, by reason."""

    asked: int
    known: int
    rejected: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.rejected.items()))
        rejected = sum(self.rejected.values())
        return (
            f"{self.asked + self.known + rejected:,} proposals = {self.asked:,} to be asked about + "
            f"{self.known:,} known + {rejected:,} rejected{f' ({reasons})' if reasons else ''}"
        )


class Candidates:
    """The candidates of a project: images, and the synsets that they may show."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def tasks(self) -> list[Task]:
        """Every question there is to ask, in ontology order."""
        with self._parts.catalog.read() as connection:
            return read_tasks(connection)

    def samples(self, clean: bool = False, under: str | Sequence[str] = (), apart_from: Iterable[str] = ()) -> Samples:
        """Images with what they are, or were, candidates for, in the order in which they came: everything that was ever
        proposed, whatever was concluded of it since; or, where it is to be `clean`, what is labelled yes now.

        Only those of the subtrees `under` which they are to be, given by wnids or lemmas; but no image that is one of
        `apart_from`, by its id in releases, its sha256 or its name in its dataset, nor one that is known to be a
        near-duplicate of such a one. Classes are the synsets that anything is a candidate for; ids are those that
        images have in releases. Images that are known to be unsound are left out, and so are withdrawn ones.

        The candidates before cleaning are what Deng et al. (CVPR 2009, section 4.1) call noisy. Raises `UnknownSynset`,
        or `AmbiguousLemma` where there are candidates for several senses.
        """
        return samples_of_candidates(self._parts, self._lemmas.senses, clean, under, apart_from)

    def origins(self) -> dict[tuple[str, str], list[str]]:
        """Where each candidate was found, by (sha256, wnid), oldest first; those that only a dataset names are left
        out."""
        with self._parts.catalog.read() as connection:
            asked = candidates.tasks(connection).candidate.tolist()
            seen, pairs = sightings.of(connection, asked), candidates.pairs(connection, asked)
        return {pairs[number]: [one.origin for one in found] for number, found in seen.items()}

    def named(self, said: Mapping[Pair, Said], what: str) -> dict[Pair, Said]:
        """What is said by image and synset, by image and wnid: a word means the one of its senses that the image is a
        candidate of, where it has several.

        Raises `CrowdError` for words that mean no synset for sure, of so many `what`.
        """
        known = meanings({word for _, word in said}, self._lemmas.senses)
        with self._parts.catalog.read() as connection:
            return with_wnids(said, fitting(connection, said, known), what)

    def add(
        self,
        proposals: Iterable[Proposal],
        source: str,
        dataset: str | None = None,
        policy: Policy | None = None,
        progress: Progress = no_progress,
    ) -> ProposalReport:
        """Make images candidates for synsets, or put up again what their dataset says that they show.

        `source` is who proposes: a model, a person. A score becomes the candidate's prior. Images that were not read
        yet are read, which `progress` is told. `dataset` says which is meant where several have an image of a name (""
        is the project's own). Labels that were drawn are drawn again, by `policy` or as last.

        This is how ImageNet's validation set was labelled anew (Beyer et al. 2020, section 3): models propose, and the
        first label is one candidate among them.

        Raises `CrowdError` for an image or a synset that is not there, a name that several datasets have, or a score
        that is no chance.
        """
        told = {(one.image, one.wnid): one.score for one in proposals}
        self._check(told)
        images = self._images({image for image, _ in told}, dataset)
        parts = self._parts
        fingerprint_images(parts.catalog, parts.store, {image.id for image in images.values()}, progress)
        with parts.catalog.read() as connection:
            bad = unsound(connection, (image.id for image in images.values()))
        sound = {pair: score for pair, score in told.items() if images[pair[0]].id not in bad}
        rejected = Counter(bad[images[image].id] for image, _ in told if images[image].id in bad)

        def work(connection: Connection) -> int:
            return self._add(connection, [(images[image], wnid) for image, wnid in sound], source, sound, images)

        asked = redraw(parts, work, policy)[0]
        return ProposalReport(asked, len(sound) - asked, dict(rejected))

    def add_found(
        self,
        query: str | Query,
        synset: str | None,
        source: str,
        policy: Policy | None = None,
        progress: Progress = no_progress,
    ) -> ProposalReport:
        """As `add`, of the images that a query finds, for one synset, a wnid or lemma; without one, of the synsets that
        they are candidates for already: what their dataset says is put up for the crowd."""
        rows = list(Live(self._parts.catalog, self._parts.ontology, self._lemmas.senses).rows(Query.of(query)))
        wnid = None if synset is None else self._lemmas.meant(synset).wnid
        reports = []
        for dataset in dict.fromkeys(row.dataset for row in rows):
            mine = (row for row in rows if row.dataset == dataset and (wnid or row.wnid))
            found = [Proposal(row.sha256 if not dataset else row.id, wnid or row.wnid) for row in mine]
            reports.append(self.add(found, source, dataset, policy, progress))
        rejected = sum((Counter(report.rejected) for report in reports), Counter[str]())
        return ProposalReport(sum(one.asked for one in reports), sum(one.known for one in reports), dict(rejected))

    def add_priors(self, chances: Mapping[tuple[str, str], float], source: str, policy: Policy | None = None) -> int:
        """Say of candidates, by (image, wnid), how probable a yes is before any vote; how many said something new.

        `source` is what says so: a model, or the yield of a query. The newest counts. Labels that were drawn are drawn
        again, by `policy` or as last.

        Raises `CrowdError` for what is no candidate, or no chance between 0 and 1.
        """
        if wrong := [chance for chance in chances.values() if not 0 < chance < 1]:
            raise CrowdError(f"a prior is a chance between 0 and 1, not {wrong[0]}")

        def work(connection: Connection) -> int:
            number = candidate_numbers(connection, chances, "priors")
            by_number = {number[pair]: float(chance) for pair, chance in chances.items()}
            return priors.add(connection, by_number, source, self._parts.clock())

        return redraw(self._parts, work, policy)[0]

    def _check(self, told: Mapping[tuple[str, str], float | None]) -> None:
        """Raises `CrowdError` for a score that is no chance, and a synset that is not there."""
        for (image, wnid), score in told.items():
            if score is not None and not 0 <= score <= 1:
                raise CrowdError(
                    f"a score is a chance between 0 and 1, not {score}, which {image[:SHOWN]!r} has for {wnid!r}"
                )
        unknown = {wnid: image for image, wnid in reversed(list(told)) if wnid not in self._parts.ontology}
        if unknown:
            names = sorted(unknown)
            named = ", ".join(wnid[:SHOWN] if wnid.isprintable() else repr(wnid[:SHOWN]) for wnid in names[:5])
            more = f"{' and others' if len(unknown) > 5 else ''}, the first for {unknown[names[0]][:SHOWN]!r}"
            raise CrowdError(f"the ontology has no {named}{more}")

    def _images(self, keys: set[str], dataset: str | None) -> dict[str, Named]:
        """Images by their sha256 or name. Raises `CrowdError` where there is none, or several in several datasets."""
        with self._parts.catalog.read() as connection:
            rows = named(connection, keys, dataset)
        images = {key: image for key, image in reversed(rows) if key == image.sha256}
        for key, image in rows:
            held = images.setdefault(key, image)
            if held.dataset != image.dataset and key != held.sha256:
                raise CrowdError(f"{key!r} is an image of {held.dataset or 'the project'!r} and of {image.dataset!r}")
        missing = sorted(keys - images.keys())
        if missing and dataset is None:
            with self._parts.catalog.read() as connection:
                return images | images_called(connection, missing)
        if missing:
            raise CrowdError(f"{len(missing):,} of these images are not there, the first is {missing[0][:SHOWN]!r}")
        return images

    def _add(
        self,
        connection: Connection,
        pairs: Iterable[tuple[Named, str]],
        source: str,
        scores: Mapping[tuple[str, str], float | None],
        images: Mapping[str, Named],
    ) -> int:
        rank = self._parts.ontology.rank
        asked = sightings.add(
            connection,
            [sightings.Sighting(wnid, rank(wnid), image.id, image.origin, source, "", 0, "") for image, wnid in pairs],
        ).asked
        chances = {(wnid, images[image].id): score for (image, wnid), score in scores.items() if score is not None}
        number = candidates.ids(connection, chances)
        believed = {number[pair]: min(max(score, LEAST), 1 - LEAST) for pair, score in chances.items()}
        priors.add(connection, believed, source, self._parts.clock())
        return asked
