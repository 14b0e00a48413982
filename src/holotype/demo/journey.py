"""From WordNet to a scored release and what it is for, in seven stages."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from platformdirs import user_cache_path

import holotype
from holotype.benchmark import Result
from holotype.consensus.ballot import Ballot
from holotype.consensus.posteriors import Consensus, fit
from holotype.crowd.campaign import run_campaign
from holotype.crowd.conclusion import State
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.tally import Tally
from holotype.demo.described import Photo, TextSearch, choose_targets, read_folder
from holotype.demo.left import leave_questions, questions_at_rest
from holotype.demo.recognised import Recognised, recognise
from holotype.demo.stages import StageProgress
from holotype.demo.stamps import PhotoFolder, fetch_stamps, photos_of_wheels
from holotype.demo.taken import eyes_of, take_folder, take_web, truth_of
from holotype.demo.truth import SUBTREES
from holotype.errors import ProjectError, RecognitionError, ReleaseError, SourceError
from holotype.files import printable
from holotype.ontology import Ontology, Synset, load_wordnet
from holotype.project import Project
from holotype.project.crowd import CampaignReport
from holotype.project.project import CONFIG
from holotype.recognition.baseline import train_baseline, write_predictions
from holotype.releases import Release

if TYPE_CHECKING:
    from holotype.demo.web.collected import KindRow

POLICY: Final = Posterior()
"""The demo's policy, as everybody's."""
BASELINE: Final = Fixed(5)
RELEASE: Final = "v1"
FEWEST_RESULTS: Final = 12
"""What a search returns at least, where there are photographs enough."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A policy's labels scored against the truth: votes asked, images accepted, accepted rightly, good images."""

    votes: int = 0
    accepted: int = 0
    right: int = 0
    good: int = 0

    @property
    def precision(self) -> float | None:
        """Share of the accepted that are good; None if nothing was accepted."""
        return self.right / self.accepted if self.accepted else None

    @property
    def recall(self) -> float | None:
        """Share of the good that were accepted; None if nothing is good."""
        return self.right / self.good if self.good else None

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.votes + other.votes,
            self.accepted + other.accepted,
            self.right + other.right,
            self.good + other.good,
        )


@dataclass(frozen=True, slots=True)
class SubtreeRow:
    """One row of the demo's table: a subtree, its candidates, and what both policies made of them."""

    name: str
    candidates: int
    adaptive: Outcome
    fixed: Outcome


@dataclass(frozen=True, slots=True)
class Shown:
    """An image with what was concluded of it, a JPEG of it, and whether it is good in truth."""

    state: str
    thumbnail: bytes
    good: bool


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Everything the table and the report show."""

    project: Path
    photos: PhotoFolder
    ontology: Ontology
    targets: Sequence[Synset]
    intake: str
    """What became of the files, or of the addresses on the web."""
    verified: CampaignReport
    rows: Sequence[SubtreeRow]
    total: SubtreeRow
    votes_per_candidate: Mapping[int, int]
    """How many candidates got how many votes."""
    consensus: Consensus
    ballot: Ballot
    pictures: Mapping[str, Sequence[Shown]]
    """Candidate images by wnid, each with whether it is good."""
    release: Release | None
    """None where not a single image was accepted."""
    scores: Result | None
    remark: str
    """Why there are no scores, or ""."""
    web: Sequence[KindRow] = ()
    """What became of what was found on the demo's web, by kind of host, and of all; nothing without that."""
    recognised: Recognised | None = None
    """None where too few images were accepted."""


def find_photos(photos: Path | None, cache: Path) -> PhotoFolder:
    """The folder the demo works on: `photos`, or Debian's stamps, or else the pictures inside two wheels."""
    if photos is not None:
        return PhotoFolder(photos, f"folder:{printable(photos.resolve().name)}", "as the owner of the folder says")
    try:
        return fetch_stamps(cache)
    except SourceError as error:
        return photos_of_wheels(cache, f"The stamps could not be had: {error}")


def run_demo(
    out: Path,
    photos: Path | None = None,
    seed: int = 2009,
    progress: StageProgress = lambda *_: None,
    cache: Path | None = None,
    web: bool = False,
) -> DemoResult:
    """Run all seven stages in the project below `out` and return what they found.

    The photographs are candidates out of their folder or, with `web`, collected from hosts on this machine. Every stage
    takes up what an earlier run left, so a run that was stopped is continued.

    Raises `SourceError` where no photographs can be had.
    """
    cache = cache or user_cache_path("holotype")
    progress("ontology", 0, 1)
    ontology = load_wordnet()
    progress("ontology", 1, 1)

    progress("candidates", 0, 1)
    source = find_photos(photos, cache)
    found = read_folder(source.path)
    search = TextSearch(found, ontology)
    targets = choose_targets(ontology, [ontology[wnid] for wnid in SUBTREES], search)
    at_least = min(FEWEST_RESULTS, max(1, len(found) // 8))
    asked = [target.wnid for target in targets]

    name = f"project-{_digest(source.path, found)}-{seed}"
    with _open(out / (f"{name}-web" if web else name), ontology) as db:
        if web:
            taken = take_web(db, targets, source, found, at_least, seed, progress)
        else:
            taken = take_folder(db, targets, source, search, found, at_least, progress)
        truth = truth_of(db, taken.photos)
        verified, tally, scored = _crowd(db, truth, asked, seed, progress)
        release, scores, remark = _release(db, out, progress)
        recognised = None
        if scores is not None:
            with contextlib.suppress(RecognitionError):
                recognised = recognise(db, RELEASE, out, progress)
        ballot = tally.ballot()
        pictures: dict[str, list[Shown]] = defaultdict(list)
        for image in db.images.find():
            if image.wnid not in asked:
                continue  # of what was left for you to say
            good = truth[image.sha256, image.wnid]
            pictures[image.wnid].append(Shown(image.state, image.thumbnail(), good))
        rows, total = _table(ontology, tally, scored)
        leave_questions(db, asked, eyes_of(db, taken.photos))
        return DemoResult(
            project=db.path,
            photos=source,
            ontology=ontology,
            targets=targets,
            intake=taken.intake,
            verified=verified,
            rows=rows,
            total=total,
            votes_per_candidate=Counter(ballot.votes_per_task.tolist()),
            consensus=fit(ballot),
            ballot=ballot,
            pictures=pictures,
            release=release,
            scores=scores,
            remark=remark,
            web=taken.web,
            recognised=recognised,
        )


def _digest(folder: Path, photos: Sequence[Photo]) -> str:
    """Tells apart the projects of different folders, and of one folder before and after it changed."""
    digest = hashlib.sha256(os.fsencode(folder.resolve()))
    for photo in photos:
        status = (folder / photo.path).stat()
        digest.update(os.fsencode(f"{photo.path}\0{photo.description}\0{status.st_size}\0{status.st_mtime_ns}\0"))
    return digest.hexdigest()[:12]


def _open(path: Path, ontology: Ontology) -> Project:
    with contextlib.suppress(ProjectError):
        if not (path / CONFIG).exists():
            holotype.init(path).close()
    return holotype.open(path, ontology)


@dataclass(frozen=True, slots=True)
class _Scored:
    """Both policies' outcomes, by task number."""

    adaptive: Mapping[int, Outcome]
    fixed: Mapping[int, Outcome]


def _crowd(
    db: Project, truth: Mapping[tuple[str, str], bool], asked: Sequence[str], seed: int, progress: StageProgress
) -> tuple[CampaignReport, Tally, _Scored]:
    """Verify by the adaptive policy, and let the same workers answer for the fixed majority; the adaptive tally too."""
    simulated = db.crowd.simulated(truth, seed)
    with questions_at_rest(db):
        verified = db.crowd.run(simulated, POLICY, lambda done, total: progress("crowd", done, total), under=asked)
    tasks = [task for task in db.candidates.tasks() if task.wnid in asked]
    good = {task.number: truth[task.sha256, task.wnid] for task in tasks}
    fixed = Tally.of(tasks)
    majority = run_campaign(fixed, db.crowd.simulated(truth, seed), BASELINE, lambda _: None)
    numbers = {task.number for task in tasks}
    adaptive = Tally.of(tasks, [vote for vote in db.crowd.votes() if vote.task in numbers])
    states = {(image.sha256, image.wnid): image.state for image in db.images.find()}

    def outcomes(tally: Tally, accepted: Sequence[bool]) -> dict[int, Outcome]:
        return {
            task.number: Outcome(votes, yes, yes and good[task.number], good[task.number])
            for task, votes, yes in zip(tasks, tally.votes_per_task.tolist(), accepted, strict=True)
        }

    scored = _Scored(
        outcomes(adaptive, [states[task.sha256, task.wnid] == State.YES for task in tasks]),
        outcomes(fixed, majority.are(State.YES).tolist()),
    )
    return verified, adaptive, scored


def _table(ontology: Ontology, tally: Tally, scored: _Scored) -> tuple[list[SubtreeRow], SubtreeRow]:
    rows = []
    for wnid, name in SUBTREES.items():
        under = np.array([ontology.is_under(one, wnid) for one in tally.tasks.wnids], bool)
        rows.append(_row(name, tally.tasks.number[under[tally.tasks.synset]].tolist(), scored))
    return rows, _row("all", tally.tasks.number.tolist(), scored)


def _row(name: str, numbers: Sequence[int], scored: _Scored) -> SubtreeRow:
    adaptive, fixed = (
        sum((outcomes[number] for number in numbers), Outcome()) for outcomes in (scored.adaptive, scored.fixed)
    )
    return SubtreeRow(name, len(numbers), adaptive, fixed)


def _release(db: Project, out: Path, progress: StageProgress) -> tuple[Release | None, Result | None, str]:
    """The release and its scores, as far as the accepted images go, and what they did not suffice for."""
    release = None
    try:
        progress("release", 0, 1)
        # its crowd overlooks four good images in ten, so a good one may well have more noes than yeses
        release = db.releases.create(
            RELEASE, progress=lambda done, total: progress("release", done, total), outvoted=True
        )
        progress("release", 1, 1)
        model = train_baseline(release, lambda done, total: progress("benchmark", done, total + 1))
        write_predictions(model, release, out / "predictions.csv")
        scores = db.releases[release.name].evaluate(out / "predictions.csv")
        progress("benchmark", 1, 1)
    except ReleaseError as error:
        return release, None, f"Too few images were accepted for a benchmark: {error}"
    return release, scores, ""
