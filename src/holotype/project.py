"""A project: the one place where the real parts are wired together."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import Connection

from holotype import auditing
from holotype.auditing import AuditReport
from holotype.benchmark import Scores
from holotype.benchmark.evaluate import evaluate
from holotype.catalog import Catalog, corrections, questions, schema, translations
from holotype.catalog.corrections import Statement
from holotype.catalog.places import Place
from holotype.census import draw_images, measure_diversity, take_survey
from holotype.collect.folder import FolderListing, list_folder
from holotype.crowd import (
    Answer,
    Audit,
    Certificate,
    Conclusion,
    Crowd,
    History,
    Imageable,
    Page,
    Policy,
    Posterior,
    Quote,
    Sheet,
    SimulatedCrowd,
    State,
    Tally,
    Task,
    Terms,
    Vote,
    fit,
    run_campaign,
)
from holotype.crowd.alarms import Alarm
from holotype.crowd.backoff import split_images
from holotype.crowd.calibration import Calibration, calibrate, contradicted, posterior_of_gold
from holotype.crowd.certificate import Evidence, assess
from holotype.crowd.expert import CURATOR, SimulatedExpert, check_expert
from holotype.crowd.gold import Feedback, feedback, sibling_negatives, training_page, training_votes
from holotype.crowd.policy_names import parse_policy
from holotype.crowd.port import Ruling
from holotype.crowd.workers import Limits, WorkerReview, hidden_name, review_workers
from holotype.errors import CrowdError, OntologyError, ProjectError, ReleaseError, UnknownSynset
from holotype.files import create_atomically, printable, sha256_file
from holotype.found import Found, find_in_release
from holotype.images.gallery import Image, Images
from holotype.images.intake import InputFile, IntakeReport, Progress, group_near_duplicates, take_in
from holotype.images.packs import Address, PackReader
from holotype.imported import Imported
from holotype.ledger import CatalogLedger
from holotype.ontology import Ontology, Synset, is_wnid, lemma_key, load_wordnet, read_saved
from holotype.ontology.concept import Concept, language_code
from holotype.ontology.graph import only_sense
from holotype.ontology.languages import LemmaReport, read_omw
from holotype.ontology.taxonomy import build_ontology, parse_taxonomy, read_taxonomy, trim
from holotype.ontology.text import read_bounded
from holotype.properties.survey import Survey
from holotype.queries import Live, Query
from holotype.releases import (
    CHECKSUMS,
    NAME,
    Fractions,
    Release,
    verify_release,
    write_release,
)
from holotype.releases.contents import Facts, contents_of

if TYPE_CHECKING:
    from holotype.crowd.turk.platform import MTurk

CONFIG: Final = "holotype.json"
ONTOLOGY: Final = "ontology.npz"
"""A project's own ontology, where it has one; the taxonomy it was read from lies beside it."""
CATALOG_VARIABLE: Final = "HOLOTYPE_CATALOG"
"""The environment variable with the catalog's URL; a URL may hold a password, so it is never written to disk."""


Outcome = TypeVar("Outcome")


SIBLING: Final = "sibling"
"""The source of gold that follows from a sibling's."""

NEAR: Final = 3
"""Hypernyms up to an ancestor that is near enough to back off to."""


def _no_progress(done: int, total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The outcome of `Project.verify`: candidates by state, the votes this call and all calls brought.

    `unimageable` are the wnids of synsets given up because nobody can see them, `backed_off` the candidates this call
    made for ancestors of synsets the crowd split between; `guards` counts the candidates that each guard held back from
    being decided, `alarms` say what the votes cannot tell.
    """

    states: Mapping[str, int]
    new_votes: int
    votes: int
    policy: str
    unimageable: tuple[str, ...] = ()
    backed_off: int = 0
    guards: Mapping[str, int] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()

    @property
    def waiting(self) -> bool:
        """Whether some candidates are open: the crowd is still working, or was stopped."""
        return self.states.get(State.OPEN, 0) > 0

    def __str__(self) -> str:
        total = sum(self.states.values())
        shown = [name for name in State if name is not State.ABANDONED or self.states.get(name)]
        parts = ", ".join(f"{name} {self.states.get(name, 0):,}" for name in shown)
        per = f" ({self.votes / total:.2f} per candidate)" if total else ""
        given_up = f"; nobody can see {', '.join(self.unimageable)}" if self.unimageable else ""
        above = f"; {self.backed_off:,} backed off to an ancestor" if self.backed_off else ""
        held = ", ".join(f"{guard} {count:,}" for guard, count in self.guards.items())
        above += f"; held back: {held}" if held else ""
        return (
            f"{total:,} candidates: {parts}; {self.votes:,} votes{per}, {self.new_votes:,} of them new{above}{given_up}"
        )


class Project:
    """A folder with a catalog, packs and releases, and the ontology they speak of.

    Open one with `holotype.open`, make one with `holotype.init`. Close it, or use it in a ``with`` block.
    """

    def __init__(self, path: Path, ontology: Ontology | None = None) -> None:
        self.path = path
        try:
            config = json.loads((path / CONFIG).read_text())
            self._salt = str(config["salt"])
            self._own_ontology = config.get("ontology")
            self._taxonomy = config.get("taxonomy")
        except FileNotFoundError as error:
            raise ProjectError(
                f"there is no holotype project in {path}; make one with: holotype init {path}"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ProjectError(f"{path / CONFIG} is not readable: {error!r}") from error
        self.catalog = Catalog(os.environ.get(CATALOG_VARIABLE) or f"sqlite:///{path / 'catalog.sqlite'}")
        self._packs = PackReader(path / "packs")
        self.imported = Imported(self.catalog, lambda: self.ontology, path / "imports", time.time)
        """The datasets whose archives were imported in place."""
        try:
            if self._once("project", self._identity) != self._identity:
                raise ProjectError(
                    f"the catalog belongs to another project than {path}; "
                    f"it is {path / 'catalog.sqlite'} unless ${CATALOG_VARIABLE} names another"
                )
            if ontology is not None:
                self.ontology = self._claim(ontology)
            if self._taxonomy is not None:
                self._take_translations(path / self._taxonomy)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<holotype project {self.path}>"

    def close(self) -> None:
        """Close the catalog, the packs and the archives."""
        self.catalog.close()
        self.imported.close()
        self._packs.close()

    @property
    def _identity(self) -> str:
        return hashlib.sha256(f"project {self._salt}".encode()).hexdigest()

    @cached_property
    def ontology(self) -> Ontology:
        """The ontology given to `init`, or WordNet 3.0's nouns, found as `holotype.ontology.load_wordnet` does."""
        if self._own_ontology is None:
            return self._claim(load_wordnet())
        own = read_saved(self.path / ONTOLOGY)
        if own is None or own.digest != self._own_ontology:
            raise OntologyError(f"{self.path / ONTOLOGY} is missing, damaged or another: bring it back from a copy")
        return self._claim(own)

    def _claim(self, ontology: Ontology) -> Ontology:
        """Ranks in the catalog are of one ontology: remember which, and refuse another."""
        held = self._once("ontology", ontology.digest)
        if held != ontology.digest:
            raise OntologyError(
                f"this project was built on the ontology {held[:12]}, but this machine has {ontology.digest[:12]}; "
                "name the right one with WNSEARCHDIR"
            )
        return ontology

    def _once(self, key: str, value: str) -> str:
        """The fact called `key`: `value` from now on, unless it has been given before."""
        with self.catalog.read() as connection:
            held = questions.meta(connection, key)
        if held is None:
            held = self.catalog.transact(lambda connection: questions.meta_or_set(connection, key, value))
        return held

    def resolve(self, text: str) -> Synset:
        """The one synset meant by a wnid, an unambiguous lemma of the ontology, or one of a language: ``deu:Hund``.

        Raises `AmbiguousLemma` with every sense, or `UnknownSynset` with the languages that know the word.
        """
        language, _, lemma = text.partition(":")
        if lemma:
            with contextlib.suppress(ValueError):
                language = language_code(language)
            with self.catalog.read() as connection:
                senses = translations.translated(connection, language, lemma_key(lemma))
            if senses:
                return only_sense(text, [self.ontology[wnid] for _, wnid in senses])
        try:
            return self.ontology.resolve(text)
        except UnknownSynset as error:
            if is_wnid(text):
                raise
            with self.catalog.read() as connection:
                knowing = dict(translations.translated(connection, None, lemma_key(lemma or text)))
            named = ", ".join(f"{name}:{lemma or text}" for name in knowing)
            raise UnknownSynset(f"{error}; other languages know it: {named}" if named else str(error)) from error

    def import_lemmas(self, path: str | os.PathLike[str]) -> LemmaReport:
        """Take in the lemmas of another language from a file of the Open Multilingual Wordnet; again, only new ones.

        Raises `OntologyError`: see `holotype.ontology.languages.read_omw`.
        """
        found = read_omw(path)
        known = [(wnid, lemma) for wnid, lemma in found.lemmas if wnid in self.ontology]
        rows = [_translation(found.language, wnid, lemma, found.source) for wnid, lemma in known]
        new = self.catalog.transact(lambda connection: translations.add_translations(connection, rows))
        return LemmaReport(
            found.language,
            found.source,
            new,
            len(known) - new + found.repeated,
            len(found.lemmas) - len(known),
            found.other,
            found.unreadable,
        )

    def _take_translations(self, taxonomy: Path) -> None:
        """Take in the lemmas in other languages of the project's own taxonomy, unless that was done before."""
        with self.catalog.read() as connection:
            if questions.meta(connection, "taxonomy") is not None:
                return
        rows = [
            _translation(language, concept.wnid, lemma, printable(taxonomy.name))
            for concept in read_taxonomy(taxonomy)
            if concept.wnid in self.ontology
            for language, lemmas in concept.translations.items()
            for lemma in lemmas
        ]

        def work(connection: Connection) -> None:
            translations.add_translations(connection, rows)
            questions.meta_or_set(connection, "taxonomy", taxonomy.name)

        self.catalog.transact(work)

    def languages(self) -> dict[str, int]:
        """Number of lemmas by language, besides the ontology's own."""
        with self.catalog.read() as connection:
            return translations.languages(connection)

    def translations(self, synset: Synset | str) -> list[tuple[str, str]]:
        """``(language, lemma)`` of a synset, besides the ontology's own."""
        found = synset if isinstance(synset, Synset) else self.resolve(synset)
        with self.catalog.read() as connection:
            return translations.lemmas_of(connection, found.wnid)

    def list_folder(self, folder: str | os.PathLike[str], senses: Mapping[str, str] | None = None) -> FolderListing:
        """What `ingest` would take in: see `holotype.collect.folder.list_folder`."""
        return list_folder(Path(folder), self.ontology, senses, self.resolve)

    def ingest(
        self,
        folder: str | os.PathLike[str],
        senses: Mapping[str, str] | None = None,
        progress: Progress = _no_progress,
    ) -> IntakeReport:
        """Take in every image below `folder`; running it again adds only what is new.

        Subfolders named by wnid or lemma make their files candidates for that synset; an ambiguous lemma is an
        `AmbiguousLemma` error that lists the senses, to be settled with `senses` (name to wnid). Other files stay
        unassigned. Every input ends as kept, duplicate or rejected with a reason, and the report adds up.
        """
        return self.ingest_files(self.list_folder(folder, senses).files, progress)

    def ingest_files(self, files: Sequence[InputFile], progress: Progress = _no_progress) -> IntakeReport:
        """Take in files with the synsets they were found for, such as search results."""
        return take_in(files, self.catalog, self.path / "packs", time.time, progress)

    def tasks(self) -> list[Task]:
        """Every question there is to ask, in ontology order."""
        with self.catalog.read() as connection:
            return _tasks(connection)

    def votes(self) -> list[Vote]:
        """Every vote cast, oldest first; those of blocked workers too."""
        with self.catalog.read() as connection:
            return _votes(connection)

    def history(self) -> History:
        """The campaign so far: what `fit_population`, `rehearse` and `forecast` of `holotype.crowd` start from."""
        with self.catalog.read() as connection:
            return History.of(_tally(connection))

    def simulated_crowd(
        self, truth: Mapping[tuple[str, str], bool] | None = None, seed: int = 2009, expert: str | None = None
    ) -> SimulatedCrowd:
        """A simulated crowd for this project's tasks; with `expert`, of one person of that name, who is never wrong.

        `truth` is by (sha256, wnid), and what it does not name is not there; without it the workers see every image
        as what its candidate claims. What neither decides, gold does. An image that shows a synset shows all above it.
        """
        gold, named = self.gold(), truth or {}
        above = self.above(pair for pair, yes in named.items() if yes)

        def shows(task: Task) -> bool:
            pair = task.sha256, task.wnid
            return pair in above or named.get(pair, gold.get(task, truth is None))

        if expert is not None:
            return SimulatedExpert(expert, shows, time.time, seed)
        return SimulatedCrowd(shows, time.time, seed=seed)

    def above(self, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Every (sha256, wnid) with an ancestor of a wnid in place of it."""
        ancestors: dict[str, list[str]] = {}
        found: set[tuple[str, str]] = set()
        for sha256, wnid in pairs:
            if wnid not in ancestors:
                ancestors[wnid] = [one.wnid for one in self.ontology.ancestors(wnid)] if wnid in self.ontology else []
            found.update((sha256, above) for above in ancestors[wnid])
        return found

    def mturk_crowd(
        self,
        terms: Terms,
        budget: Decimal | None = None,
        production: bool = False,
        endpoint: str | None = None,
        agree: Callable[[Quote], None] = lambda _: None,
    ) -> MTurk:
        """Mechanical Turk's sandbox, or with `production` its real workers, as this project's crowd.

        `budget` is the most, in dollars, that all pages of the project may cost together; production needs one. `agree`
        gets every price before anything is spent, and refuses by raising. `endpoint` is another URL of the service.
        The credentials are those boto3 finds. Raises `CrowdError`, also if ``holotype[mturk]`` is not installed.
        """
        try:
            from holotype.crowd.turk.platform import MTurk, crowd_name
            from holotype.crowd.turk.requester import Requester
        except ModuleNotFoundError as error:
            raise CrowdError(f"{error}; Mechanical Turk needs: pip install 'holotype[mturk]'") from error
        ledger = CatalogLedger(self.catalog, crowd_name(production), self._identity)
        return MTurk(Requester(production, endpoint), ledger, terms, time.time, budget, agree)

    def verify(
        self,
        crowd: Crowd,
        policy: Policy = Imageable(Posterior()),
        progress: Progress = _no_progress,
        back_off: bool = False,
    ) -> VerifyReport:
        """Ask `crowd` about every candidate until `policy` is sure, and draw the labels.

        Votes are durable before they count. Stopped at any moment and run again, it goes on where it was.
        Returns with open candidates when the crowd has no more answers for now: run it again later. With `back_off`,
        images on which the crowd splits between siblings are asked about for their common ancestor.

        Raises `CrowdError` where who is trusted can never answer: not in the simulated crowd, or nobody is asked and no
        vote of theirs counts.
        """
        held, backed_off = None, 0
        while True:
            with self.catalog.read() as connection:
                counts, tally = questions.evidence_counts(connection), _tally(connection)
            check_expert(policy, crowd, tally.workers)
            held = len(tally.votes) if held is None else held
            conclusion, votes = self._campaign(tally, counts, crowd, policy, progress)
            done = State.OPEN not in conclusion.states
            new = self._back_off(tally.tasks, conclusion) if back_off and done else 0
            if not new:
                break
            backed_off += new
        states = Counter(str(state) for state in conclusion.states)
        flagged = {
            task.wnid for task, state in zip(tally.tasks, conclusion.states, strict=True) if state is State.ABANDONED
        }
        unimageable = tuple(sorted(flagged, key=self.ontology.rank))
        guards = Counter(str(guard) for guard in conclusion.guards.values())
        return VerifyReport(
            dict(states), votes - held, votes, str(policy), unimageable, backed_off, dict(guards), conclusion.alarms
        )

    def _campaign(
        self, tally: Tally, counts: questions.Counts, crowd: Crowd, policy: Policy, progress: Progress
    ) -> tuple[Conclusion, int]:
        """Ask, and draw the labels: the conclusion, and the number of votes there are.

        `counts` is what the evidence came to when `tally` was taken.
        """
        before = len(tally.votes)

        def report(conclusion: Conclusion) -> None:
            progress(sum(state is not State.OPEN for state in conclusion.states), len(tally.tasks))

        try:
            run_campaign(tally, crowd, policy, self._record, report)
        except CrowdError:
            self._conclude(policy)  # from the votes that were counted before
            raise
        counts = replace(counts, votes=counts.votes + len(tally.votes) - before)
        conclusion, votes = self._conclude(policy, (counts, tally))
        report(conclusion)
        return conclusion, votes

    def _back_off(self, tasks: Sequence[Task], conclusion: Conclusion) -> int:
        """Make images the crowd splits on candidates for their siblings' ancestor; how many were new.

        What the siblings' votes say together is the new candidate's prior.
        """
        found = split_images(tasks, conclusion, self._near_ancestor)
        task_of = {(task.sha256, task.wnid): task for task in tasks}

        def work(connection: Connection) -> None:
            lent = [(split.ancestor, task_of[split.sha256, split.wnids[0]]) for split in found]
            self._lend(connection, lent, "back-off")
            chances = {(split.sha256, split.ancestor): split.chance for split in found}
            number = _numbers(connection, chances, "ancestors")
            by_number = {number[pair]: chance for pair, chance in chances.items()}
            questions.add_priors(connection, by_number, "back-off", time.time())

        if found:
            self.catalog.transact(work)
        return len(found)

    def _near_ancestor(self, wnids: Sequence[str]) -> str | None:
        """The lowest common ancestor, unless it is more than `NEAR` hypernyms above one of `wnids`."""
        ancestor = self.ontology[wnids[0]]
        for wnid in wnids[1:]:
            ancestor = self.ontology.lowest_common_ancestor(ancestor, wnid)
        steps = [path[::-1].index(ancestor) for wnid in wnids for path in self.ontology.paths(wnid) if ancestor in path]
        return ancestor.wnid if max(steps) <= NEAR else None

    def add_priors(self, chances: Mapping[tuple[str, str], float], source: str, policy: Policy | None = None) -> int:
        """Say of candidates, by (sha256, wnid), how probable a yes is before any vote; how many said something new.

        `source` is what says so: a model, or the yield of a query. The newest counts. Labels that were drawn are drawn
        again, by `policy` or as last.

        Raises `CrowdError` for what is no candidate, or no chance between 0 and 1.
        """
        if wrong := [chance for chance in chances.values() if not 0 < chance < 1]:
            raise CrowdError(f"a prior is a chance between 0 and 1, not {wrong[0]}")

        def work(connection: Connection) -> int:
            number = _numbers(connection, chances, "priors")
            by_number = {number[pair]: float(chance) for pair, chance in chances.items()}
            return questions.add_priors(connection, by_number, source, time.time())

        return self._redraw(work, policy)[0]

    def calibration(self, policy: Posterior = Posterior()) -> Calibration:
        """What gold says of the posteriors at which `policy` stops: see `holotype.crowd.calibration.calibrate`.

        Nothing is corrected unless gold of both sides contradicts them beyond chance. Raises `CrowdError` where there
        is too little gold.
        """
        with self.catalog.read() as connection:
            ballot = _tally(connection).ballot()
        found = posterior_of_gold(ballot, policy.priors, policy.stopping)
        return calibrate(*found) if contradicted(*found) else Calibration()

    def _record(self, votes: Sequence[Vote]) -> None:
        rows = [
            {
                "candidate_id": vote.task,
                "worker": vote.worker,
                "answer": int(vote.answer),
                "page": vote.page,
                "seconds": vote.seconds,
                "at": vote.at,
            }
            for vote in votes
        ]
        self.catalog.transact(lambda connection: questions.add_votes(connection, rows))

    def _conclude(self, policy: Policy, known: tuple[questions.Counts, Tally] | None = None) -> tuple[Conclusion, int]:
        """Draw labels from all there is to go by, and again if more came in meanwhile.

        `known` is what there is to go by as far as known, with what it comes to.
        """
        while True:
            if known is None:
                with self.catalog.read() as connection:
                    known = questions.evidence_counts(connection), _tally(connection)
            counts, tally = known
            conclusion = tally.conclude(policy)
            if self._draw(policy, counts, conclusion, _labels(tally, conclusion, policy)):
                return conclusion, len(tally.votes)
            known = None

    def _draw(
        self, policy: Policy, counts: questions.Counts, conclusion: Conclusion, labels: list[dict[str, Any]]
    ) -> bool:
        """Write labels, unless there is more to go by than `counts` by now; whether they were written."""

        def work(connection: Connection) -> bool:
            if questions.evidence_counts(connection) != counts:
                return False
            questions.set_labels(connection, labels)
            questions.set_last_policy(connection, str(policy), _told(conclusion))
            return True

        return self.catalog.transact(work)

    def gold(self) -> dict[Task, bool]:
        """Every candidate whose answer is known for sure, in ontology order, with whether it is yes."""
        with self.catalog.read() as connection:
            return _gold(connection)

    def add_gold(self, answers: Mapping[tuple[str, str], bool], source: str, policy: Policy | None = None) -> int:
        """Say of candidates, by (sha256, wnid), what the answer is for sure; how many were new.

        `source` is who says so. Labels that were drawn are drawn again, by `policy` or as last.

        Raises `CrowdError` for what is no candidate, for an answer that contradicts what gold says or that was
        withdrawn (see `correct_gold`), and where the last policy is not one of holotype's own.
        """

        def work(connection: Connection) -> int:
            number = _numbers(connection, answers, "gold answers")
            return _add_gold(connection, {number[pair]: yes for pair, yes in answers.items()}, source)

        return self._redraw(work, policy)[0]

    def correct_gold(
        self, answers: Mapping[tuple[str, str], bool | None], source: str, reason: str, policy: Policy | None = None
    ) -> int:
        """Say that gold, by (sha256, wnid), was wrong: another answer, or None to withdraw it; how many changed.

        What was said before stays in `gold_history`, and may be said again. Noes that a sibling lent stand and fall
        with the yes they follow from. Labels are drawn again as in `add_gold`.

        Raises `CrowdError` for what never was gold, for an empty `reason`, and as `add_gold` does.
        """
        _check_reason(reason)

        def work(connection: Connection) -> int:
            number = _numbers(connection, answers, "gold answers")
            known = {statement.candidate for statement in corrections.newest(connection, schema.gold)}
            if never := [pair for pair in answers if number[pair] not in known]:
                raise CrowdError(f"{len(never):,} of these never were gold, the first is {' for '.join(never[0])}")
            said = {number[pair]: _as_answer(yes) for pair, yes in answers.items()}
            changed = corrections.say(connection, schema.gold, said, source, reason, time.time())
            _renew_sibling_gold(connection)
            return changed

        return self._redraw(work, policy)[0]

    def gold_history(self) -> list[Statement]:
        """All that was ever said to be gold, by candidate in ontology order, oldest first."""
        with self.catalog.read() as connection:
            return corrections.history(connection, schema.gold)

    def overrule(
        self, answers: Mapping[tuple[str, str], bool | None], curator: str, reason: str, policy: Policy | None = None
    ) -> int:
        """Say of labels, by (sha256, wnid), what they are whatever the votes say, or None to follow the votes again.

        Returns how many that changes. The labels' policy is ``curator:NAME``; nobody is asked about them any more, and
        no worker is judged by them: for that, add gold. What was said before stays in `overrulings`. Labels that were
        drawn are drawn again, by `policy` or as last.

        Raises `CrowdError` for what is no candidate, for None where nothing was overruled, where gold says otherwise,
        for an empty `reason` or a `curator` that cannot be printed, and where the last policy is not one of holotype's
        own.
        """
        name = _person(curator, "a curator")
        _check_reason(reason)

        def work(connection: Connection) -> int:
            number = _numbers(connection, answers, "labels")
            said = {number[pair]: _as_answer(yes) for pair, yes in answers.items()}
            _check_overruling(connection, said)
            return corrections.say(connection, schema.overruling, said, name, reason, time.time())

        return self._redraw(work, policy)[0]

    def overrulings(self) -> list[Statement]:
        """All that curators ever said of labels, by candidate in ontology order, oldest first."""
        with self.catalog.read() as connection:
            return corrections.history(connection, schema.overruling)

    def sibling_gold(self, per_synset: int, seed: int = 0, policy: Policy | None = None) -> int:
        """Give every synset gold noes, up to `per_synset`: images that are gold yes for a sibling; how many were new.

        Each becomes a candidate of the synset, unless it is one of it or of something below. `seed` draws which;
        `policy` is as in `add_gold`.
        """

        def work(connection: Connection) -> int:
            tasks, gold = _tasks(connection), _gold(connection)
            wnids = {task.wnid for task in tasks}
            siblings = {wnid: {one.wnid for one in self.ontology.siblings(wnid)} & wnids for wnid in wnids}
            below = {wnid: {one.wnid for one in self.ontology.descendants(wnid)} & wnids | {wnid} for wnid in wnids}
            found = sibling_negatives(gold, tasks, siblings, below, per_synset, seed)
            self._lend(connection, found, "gold")
            number = _numbers(connection, ((task.sha256, wnid) for wnid, task in found), "siblings")
            return _add_gold(connection, {number[task.sha256, wnid]: False for wnid, task in found}, SIBLING)

        return self._redraw(work, policy)[0]

    def _lend(self, connection: Connection, found: Sequence[tuple[str, Task]], source: str) -> None:
        """Make the images of tasks candidates of other synsets, with the provenance they have."""
        images = questions.image_ids(connection, (task.sha256 for _, task in found))
        seen = questions.sightings(connection)
        sightings = []
        for wnid, task in found:
            first, rank = seen[task.number][0], self.ontology.rank(wnid)
            image = images[task.sha256]
            sightings.append(questions.Sighting(wnid, rank, image, first.origin, source, task.wnid, 0, first.licence))
        questions.add_sightings(connection, sightings)

    def _redraw(self, change: Callable[[Connection], Outcome], policy: Policy | None = None) -> tuple[Outcome, int]:
        """What `change` returns, and how many labels it changed: facts and conclusions in one transaction.

        Labels are drawn by `policy`, or as they were last; where there are none, none are.
        """

        def work(connection: Connection) -> tuple[Outcome, int]:
            outcome, last = change(connection), questions.last_policy(connection)
            if last is None:
                return outcome, 0
            by, tally = policy or _policy_of(last), _tally(connection)
            conclusion = tally.conclude(by)
            questions.set_last_policy(connection, str(by), _told(conclusion))
            return outcome, questions.set_labels(connection, _labels(tally, conclusion, by))

        return self.catalog.transact(work)

    def training_page(self, synset: Synset | str, size: int = 20) -> Page:
        """A page of a synset's gold to learn on: see `holotype.crowd.gold.training_page`."""
        found = synset if isinstance(synset, Synset) else self.resolve(synset)
        return training_page(found.wnid, self.gold(), size)

    def train(self, sheet: Sheet) -> list[Feedback]:
        """Record a training page's answers as votes on gold, and return each with the right answer.

        `holotype.crowd.gold.passed` says whether they suffice. Raises `CrowdError` if the sheet does not answer its
        page.
        """
        gold = self.gold()
        self._record(training_votes(sheet, gold))
        return feedback(sheet.page, sheet.answers, gold)

    def workers(self, limits: Limits = Limits()) -> list[WorkerReview]:
        """A review of every worker whose votes count, by name: see `holotype.crowd.workers.review_workers`."""
        with self.catalog.read() as connection:
            tally = _tally(connection)
        ballot = tally.ballot()
        found = review_workers(ballot, tally.counting, list(tally.workers), fit(ballot), limits)
        return sorted(found, key=lambda review: review.worker)

    def blocked(self) -> dict[str, str]:
        """The workers whose votes do not count, by name, with the reason."""
        with self.catalog.read() as connection:
            return questions.blocked(connection)

    def block(self, worker: str, reason: str, policy: Policy | None = None) -> int:
        """Count a worker's votes no more and ask them no more; how many labels changed.

        The votes stay in the catalog. Every label is drawn again, by `policy` or as last: what was sure by the worker's
        votes alone is open again, and `verify` asks about it.

        Raises `CrowdError` for a worker who never voted, or where the last policy is not one of holotype's own.
        """
        return self._stand(worker, True, reason, policy)

    def unblock(self, worker: str, reason: str, policy: Policy | None = None) -> int:
        """Count a worker's votes again; how many labels changed. Otherwise as `block`."""
        return self._stand(worker, False, reason, policy)

    def _stand(self, worker: str, blocks: bool, reason: str, policy: Policy | None) -> int:
        def work(connection: Connection) -> None:
            questions.add_standing(connection, worker, blocks, reason, time.time())

        return self._redraw(work, policy)[1]

    def hidden_name(self, worker: str) -> str:
        """A worker's name as it may leave the project: hashed under the project's secret salt."""
        return hidden_name(worker, self._salt)

    def images(self, under: Synset | str | None = None, decided: str | Iterable[str] | None = None) -> Images:
        """Candidate images, in ontology order.

        `under` is a synset, a wnid or an unambiguous lemma, and takes its whole subtree; `decided` is one or
        several of ``yes``, ``no``, ``undecided``, ``open``.
        """
        ranges = None
        if under is not None:
            ranges = self.ontology.ranges(under if isinstance(under, Synset) else self.resolve(under))
        states = [decided] if isinstance(decided, str) else None if decided is None else list(decided)
        unknown = set(states or ()) - set(State)
        if unknown:
            raise ProjectError(f"decided must be of {', '.join(State)}, not {', '.join(sorted(unknown))}")
        with self.catalog.read() as connection:
            rows = questions.find_images(connection, ranges, states)
        return Images(
            [
                Image(
                    row.sha256,
                    row.wnid,
                    row.state or str(State.OPEN),
                    row.posterior,
                    row.width,
                    row.height,
                    row.format,
                    Address(row.pack, row.offset, row.length),
                    Address(row.pack, row.thumbnail_offset, row.thumbnail_length),
                    self._packs.read,
                )
                for row in rows
            ]
        )

    def find(self, query: str | Query, release: str | None = None) -> Found:
        """What a query finds in the live catalog, or in the release of that name: see `holotype.queries.Query`.

        Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`, the latter two when an answer is asked for.
        """
        asked = Query.parse(query) if isinstance(query, str) else query
        if release is not None:
            self._checksum(release)
            return find_in_release(self._release(release), asked, self.ontology, self.resolve)

        return Found(Live(self.catalog, self.ontology, self.resolve), asked, self._read)

    def _read(self, place: Place) -> bytes:
        if place.kind:
            return self.imported.read(place)
        return self._packs.read(Address(place.file, place.offset, place.length))

    def releases(self) -> dict[str, str]:
        """Every release that was made, oldest first, with the sha256 of its ``SHA256SUMS``."""
        with self.catalog.read() as connection:
            return questions.releases(connection)

    def verify_release(self, name: str) -> list[str]:
        """Everything that is wrong with a release of this project: see `holotype.releases.verify_release`."""
        folder = self.path / "releases" / name
        return verify_release(folder, self._checksum(name), self.ontology)

    def _checksum(self, name: str) -> str:
        known = self.releases()
        if name not in known:
            raise ReleaseError(f"there is no release {name!r}; there are: {', '.join(known) or 'none'}")
        return known[name]

    def release(
        self,
        name: str,
        fractions: Fractions = Fractions(),
        seed: int = 0,
        progress: Progress = _no_progress,
        outvoted: bool = False,
    ) -> Release:
        """The release called `name`; made of the labels as they stand if there is none yet.

        Images labelled yes are split by `fractions` and `seed` and written to ``releases/NAME``. The same labels,
        votes, fractions and seed give the same bytes. A release is never changed.

        Images that are accepted against more noes than yeses, by a model's word alone, are an error unless `outvoted`
        takes them.

        Raises `ReleaseError` if the name is not usable or nothing is labelled yes.
        """
        if not NAME.fullmatch(name):
            raise ReleaseError(f"a release's name is letters, digits, '.', '_' and '-', not {name!r}")
        if name not in self.releases():
            folder = self.path / "releases" / name
            if folder.exists():
                self._adopt(folder, fractions, seed)
            else:
                self._write_release(name, fractions, seed, progress, outvoted)
            checksum = sha256_file(folder / CHECKSUMS)
            self.catalog.transact(lambda connection: questions.add_release(connection, name, checksum, time.time()))
        return self._release(name)

    def outvoted(self) -> list[tuple[str, str, int, int]]:
        """Accepted images with more noes than yeses that nobody answers for: ``(sha256, wnid, yeses, noes)``."""
        with self.catalog.read() as connection:
            facts = Facts(questions.find_images(connection, None, None), {}, questions.votes(connection, counting=True))
        counts = facts.answers
        return [
            (row.sha256, row.wnid, counts[row.candidate_id, int(Answer.YES)], counts[row.candidate_id, int(Answer.NO)])
            for row in facts.outvoted
        ]

    def _release(self, name: str) -> Release:
        return Release(self.path / "releases" / name)

    def _adopt(self, folder: Path, fractions: Fractions, seed: int) -> None:
        """Accept a release that was written, but whose writer was stopped before the catalog heard of it."""
        asked = {"name": folder.name, "seed": seed, "fractions": asdict(fractions)}
        if verify_release(folder) or any(Release(folder).summary.get(key) != value for key, value in asked.items()):
            raise ReleaseError(
                f"{folder} is there, but is not the release that is asked for; move it away or choose another name"
            )

    def _write_release(self, name: str, fractions: Fractions, seed: int, progress: Progress, outvoted: bool) -> None:
        group_near_duplicates(self.catalog)
        with self.catalog.read() as connection:
            facts = Facts(
                questions.find_images(connection, None, None),
                questions.sightings(connection),
                questions.votes(connection, counting=True),
                self._evidence(connection),
                _alarms(connection),
            )
        if not facts.accepted:
            raise ReleaseError("no image is labelled yes: run holotype verify first")
        if facts.outvoted and not outvoted:
            raise ReleaseError(
                f"{len(facts.outvoted):,} images are accepted against more noes than yeses: look at them (holotype "
                "label outvoted), overrule what is wrong, or take them with --outvoted"
            )
        contents = contents_of(name, facts, fractions, seed, self.ontology, self._salt)
        if self._own_ontology is not None:
            contents = replace(contents, ontology=self.ontology.to_bytes())
        write_release(self.path / "releases" / name, contents, self._packs.read, progress)

    def draw_audit(self, targets: Iterable[Synset | str], size: int, fresh: bool = False) -> Images:
        """Plan to audit `size` random accepted labels below each target; the images that are still to be looked at.

        A target is a synset, a wnid or an unambiguous lemma, with its whole subtree. Targets that have a plan of this
        size keep it, unless `fresh` draws again. All that is drawn in one call shares one random order and with it
        answers; every call that draws lowers the chance of an error that later ones may have (`Plan.alpha`).

        Raises `CrowdError` where nothing is accepted below a target, or it has a plan of another size and `fresh` is
        not asked for.
        """
        if not 1 <= size < 1 << 31:
            raise CrowdError(f"an audit needs a size of at least 1, not {size}")
        wnids = {(target if isinstance(target, Synset) else self.resolve(target)).wnid for target in targets}
        plan = size, secrets.token_hex(16), time.time()

        def work(connection: Connection) -> list[Audit]:
            auditing.draw(connection, self.ontology, wnids, plan, fresh)
            return [audit for audit in assess(self._evidence(connection)) if audit.plan.wnid in wnids]

        found = self.catalog.transact(work)
        left = {(label.sha256, label.wnid) for audit in found for label in audit.unanswered}
        return Images([image for image in self.images(decided="yes") if (image.sha256, image.wnid) in left])

    def record_audit(self, answers: Mapping[tuple[str, str], Answer], auditor: str) -> AuditReport:
        """Record what `auditor` says of images, by (sha256, wnid). Recorded answers stay; the same again is harmless.

        Raises `CrowdError`, and records nothing, if a pair is no candidate, if the auditor has voted on one (and is not
        independent) or has answered otherwise before. Case and spaces do not make another person.
        """
        return self.catalog.transact(
            lambda connection: auditing.record(connection, answers, auditor, time.time()),
        )

    def correct_audit(self, answers: Mapping[tuple[str, str], Answer], auditor: str, reason: str) -> AuditReport:
        """Say that `auditor` answers otherwise now, and why. What was said before stays in the catalog.

        A label is correct only if all that was ever said of it is yes, so a correction may lower a bound and never
        raises one. Raises `CrowdError`, and records nothing, if the auditor has not answered.
        """
        return self.catalog.transact(
            lambda connection: auditing.correct(connection, answers, auditor, reason, time.time()),
        )

    def audits(self) -> list[Audit]:
        """How far the newest audit of each target has come, in ontology order."""
        with self.catalog.read() as connection:
            return assess(self._evidence(connection))

    def certificates(self) -> list[Certificate]:
        """What is certified of the labels as they stand, in ontology order: the audits that are complete."""
        return [audit.certificate for audit in self.audits() if audit.certificate is not None]

    def _evidence(self, connection: Connection) -> Evidence:
        return auditing.read_evidence(connection, self.ontology)

    def evaluate(self, predictions: str | os.PathLike[str], release: str, split: str = "test") -> Scores:
        """ILSVRC scores of a predictions file (see `holotype.benchmark.read_predictions`) on a split of a release.

        Raises `PredictionError` or `ReleaseError`.
        """
        self._checksum(release)
        return evaluate(Path(predictions), self._release(release), self.ontology, split)

    def stats(self) -> dict[str, Any]:
        """What the project holds, in numbers: totals, intake by outcome, labels by state, policy, guard and synset.

        `alarms` say what the votes cannot tell.
        """
        with self.catalog.read() as connection:
            totals = questions.totals(connection)
            intake = questions.intake_counts(connection)
            labels = questions.label_counts(connection)
            policies = questions.policy_counts(connection)
            guards, alarms = questions.guard_counts(connection), _alarms(connection)
        synsets: dict[str, dict[str, int]] = {}
        for (wnid, state), count in labels.items():
            synsets.setdefault(wnid, {})[state] = count
        states = Counter[str]()
        for (_, state), count in labels.items():
            states[state] += count
        return {
            **totals,
            "intake": {f"{outcome}({reason})" if reason else outcome: n for (outcome, reason), n in intake.items()},
            "states": dict(states),
            "policies": policies,
            "guards": guards,
            "alarms": [asdict(alarm) for alarm in alarms],
            "synsets": {wnid: synsets[wnid] for wnid in sorted(synsets, key=self.ontology.rank)},
        }

    def survey(
        self,
        diversity: int = 0,
        seed: int = 0,
        progress: Progress = _no_progress,
    ) -> Survey:
        """The properties that the papers report, of images labelled yes and imported items: see `holotype.properties`.

        With `diversity`, also that of up to 100 synsets, by so many images of each; `seed` draws both.
        """
        certificates = self.certificates()
        with self.catalog.read() as connection:
            survey = take_survey(connection, self.ontology, certificates)
            draws = draw_images(connection, self.ontology, diversity, seed) if diversity else []
        if not diversity:
            return survey
        return replace(survey, diversity=measure_diversity(draws, diversity, self._read, progress))


def _tasks(connection: Connection) -> list[Task]:
    return [Task(row.id, row.wnid, row.sha256) for row in questions.tasks(connection)]


def _votes(connection: Connection) -> list[Vote]:
    held = questions.votes(connection)
    columns = zip(
        held.candidate.tolist(),
        held.worker,
        map(tuple(Answer).__getitem__, held.answer.tolist()),
        held.page,
        held.seconds.tolist(),
        held.at.tolist(),
        strict=True,
    )
    return [Vote(*row) for row in columns]


def _gold(connection: Connection) -> dict[Task, bool]:
    return {
        Task(said.candidate, said.wnid, said.sha256): said.answer == Answer.YES
        for said in corrections.newest(connection, schema.gold)
        if said.answer is not None
    }


def _rulings(connection: Connection) -> dict[int, Ruling]:
    """What curators say of labels, by candidate id."""
    said = corrections.newest(connection, schema.overruling)
    return {one.candidate: Ruling(one.answer == Answer.YES, one.by) for one in said if one.answer is not None}


def _as_answer(yes: bool | None) -> int | None:
    return None if yes is None else int(Answer.YES if yes else Answer.NO)


def _person(name: str, what: str) -> str:
    """A person's name as it is kept. Raises `CrowdError` for one that is empty or cannot be printed."""
    kept = name.strip()
    if not kept or not kept.isprintable():
        raise CrowdError(f"{what} needs a name that can be printed, not {name!r}")
    return kept


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise CrowdError("a correction needs a reason")


def _numbers(connection: Connection, pairs: Iterable[tuple[str, str]], what: str) -> dict[tuple[str, str], int]:
    """Candidate ids by (sha256, wnid). Raises `CrowdError` where one of `pairs` is no candidate."""
    number = {(row.sha256, row.wnid): row.id for row in questions.tasks(connection)}
    if missing := [pair for pair in pairs if pair not in number]:
        first = " for ".join(missing[0])
        raise CrowdError(f"{len(missing):,} {what} are of no candidate, the first is {first}")
    return number


def _add_gold(connection: Connection, answers: Mapping[int, bool], source: str) -> int:
    held = {said.candidate: said.answer for said in corrections.newest(connection, schema.gold)}
    known = {number: _as_answer(yes) for number, yes in answers.items()}
    if against := [number for number, answer in known.items() if held.get(number, answer) != answer]:
        raise CrowdError(
            f"{len(against):,} of these answers contradict what gold says, or were withdrawn: "
            "give a reason to correct them (holotype gold correct)"
        )
    return corrections.say(connection, schema.gold, known, source, "", time.time())


def _renew_sibling_gold(connection: Connection) -> None:
    """Withdraw noes that a sibling lent and whose lender is not gold yes, and say those again whose lender is."""
    yes = {(task.sha256, task.wnid) for task, good in _gold(connection).items() if good}
    lenders = corrections.lenders(connection)
    answers = {
        said.candidate: int(Answer.NO) if any((said.sha256, wnid) in yes for wnid in lenders[said.candidate]) else None
        for said in corrections.newest(connection, schema.gold)
        if said.by == SIBLING and said.candidate in lenders
    }
    corrections.say(connection, schema.gold, answers, SIBLING, "the lender's gold was corrected", time.time())


def _check_overruling(connection: Connection, answers: Mapping[int, int | None]) -> None:
    """Raises `CrowdError` for what cannot be overruled, or was not where it is to be withdrawn."""
    known = {said.candidate for said in corrections.newest(connection, schema.overruling)}
    if never := [number for number, answer in answers.items() if answer is None and number not in known]:
        raise CrowdError(f"{len(never):,} of these labels were never overruled")
    gold = {task.number: _as_answer(yes) for task, yes in _gold(connection).items()}
    if against := [
        number for number, answer in answers.items() if answer is not None and gold.get(number, answer) != answer
    ]:
        raise CrowdError(f"gold says otherwise of {len(against):,} of these labels: correct the gold instead")


def _tally(connection: Connection) -> Tally:
    """All that labels follow from."""
    gold = {task.number: yes for task, yes in _gold(connection).items()}
    blocked, priors = questions.blocked(connection), questions.priors(connection)
    found = questions.candidate_sources(connection)
    return Tally(_tasks(connection), _votes(connection), gold, blocked, priors, _rulings(connection), found)


def _labels(tally: Tally, conclusion: Conclusion, policy: Policy) -> list[dict[str, Any]]:
    by = str(policy)
    return [
        {
            "candidate_id": task.number,
            "state": str(state),
            "posterior": float(score),
            "policy": _label_policy(tally, task.number, by),
            "guard": str(conclusion.guards[place]) if place in conclusion.guards else None,
        }
        for place, (task, state, score) in enumerate(
            zip(tally.tasks, conclusion.states, conclusion.scores, strict=True)
        )
    ]


def _told(conclusion: Conclusion) -> str:
    """The alarms of a conclusion as they are kept."""
    return json.dumps([asdict(alarm) for alarm in conclusion.alarms])


def _alarms(connection: Connection) -> tuple[Alarm, ...]:
    return tuple(Alarm(**alarm) for alarm in json.loads(questions.alarms(connection) or "[]"))


def _label_policy(tally: Tally, number: int, by: str) -> str:
    if number in tally.gold:
        return "gold"
    return CURATOR + tally.rulings[number].curator if number in tally.rulings else by


def _policy_of(label: str) -> Policy:
    """The policy that a label says it was drawn by."""
    try:
        return parse_policy(label)
    except CrowdError as error:
        raise CrowdError(
            f"the labels were drawn by a policy of your own, {label}: give it, to draw them again"
        ) from error


def _translation(language: str, wnid: str, lemma: str, source: str) -> dict[str, str]:
    return {"language": language, "wnid": wnid, "lemma": lemma, "key": lemma_key(lemma), "source": source}


def init(
    path: str | os.PathLike[str],
    ontology: str | os.PathLike[str] | None = None,
    base: Ontology | None = None,
    targets: Sequence[str] | None = None,
) -> Project:
    """Make a project in `path`, which may exist but must not hold one.

    Its ontology is WordNet 3.0, or that of the taxonomy file `ontology`, maybe added to `base`; with `targets`, ids,
    wnids or lemmas, only they, as its leaves, and all above them. The file is copied, and its lemmas in other languages
    are taken in.

    Raises `ProjectError`, or `OntologyError`: see `holotype.ontology.taxonomy.read_ontology`.
    """
    folder = Path(path)
    if (folder / CONFIG).exists():
        raise ProjectError(f"there is a project in {folder} already")
    if base is not None and ontology is None:
        raise ProjectError("a base is for a taxonomy that extends it: name that as the ontology")
    config: dict[str, object] = {"version": 1, "salt": secrets.token_hex(16)}
    files: dict[str, bytes] = {}
    concepts: list[Concept] = []
    own = None
    if ontology is not None:
        config["taxonomy"] = copy = f"ontology{Path(ontology).suffix.lower()}"
        files[copy] = read_bounded(Path(ontology))
        concepts = parse_taxonomy(files[copy], Path(ontology))
        own = build_ontology(concepts, base)
    if targets is not None:
        own = trim(own or load_wordnet(), concepts, targets)
    if own is not None:
        config["ontology"] = own.digest
        files[ONTOLOGY] = own.to_bytes()
    try:
        for name, data in files.items():
            _create(folder / name, data)
        create_atomically(folder / CONFIG, json.dumps(config).encode(), mode=0o600)
        (folder / "packs").mkdir(exist_ok=True)
        (folder / "releases").mkdir(exist_ok=True)
    except FileExistsError as error:
        raise ProjectError(f"there is a project in {folder} already") from error
    except OSError as error:
        raise ProjectError(f"cannot make a project in {folder}: {error.strerror}") from error
    return Project(folder, own)


def _create(path: Path, data: bytes) -> None:
    """Write a file, unless it is there and holds just that. Raises `ProjectError` where it holds something else."""
    try:
        create_atomically(path, data, mode=0o644)
    except FileExistsError as error:
        if path.read_bytes() != data:
            raise ProjectError(f"{path} is there already and holds something else: move it away") from error


def open_project(path: str | os.PathLike[str] = ".", ontology: Ontology | None = None) -> Project:
    """Open the project in `path`; `ontology` is WordNet 3.0 unless given. Raises `ProjectError`."""
    return Project(Path(path), ontology)
