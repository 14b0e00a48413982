"""The crowd: asked about candidates until the policy is sure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from holotype.catalog import campaigns, candidates, label_questions
from holotype.consensus.ballot import Ints
from holotype.consensus.calibration import Calibration, calibrate, contradicted, posterior_of_gold
from holotype.consensus.votes import Task, Vote
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import Nobody
from holotype.crowd.imageable import Imageable
from holotype.crowd.inbox import WebCrowd
from holotype.crowd.keys import crowd_secret
from holotype.crowd.layers import refuse_overlap, tops
from holotype.crowd.machines.voter import Asked, Machine, Model, Question, Said, Thresholds
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.crowd.policies import Posterior
from holotype.crowd.port import Crowd, Sheet
from holotype.engine import Progress, no_progress
from holotype.errors import CrowdError
from holotype.imports.scores import read_scores
from holotype.project.appending import AppendReport, append
from holotype.project.asking import CampaignReport as CampaignReport
from holotype.project.asking import Scope, ask
from holotype.project.facts import (
    read_gold,
    read_tally,
    read_votes,
)
from holotype.project.given_votes import GivenVote, Refusal, VotesReport, add_votes
from holotype.project.image_names import Pair, candidate_numbers
from holotype.project.inbox import CatalogInbox
from holotype.project.ledger import CatalogLedger
from holotype.project.lemmas import Lemmas
from holotype.project.machines import listen, scored
from holotype.project.one_process import alone, asks
from holotype.project.parts import Parts
from holotype.project.vocabulary import identity_of
from holotype.simulation.experts import SimulatedExpert
from holotype.simulation.fitting import History
from holotype.simulation.workers import SimulatedCrowd

if TYPE_CHECKING:
    from holotype.crowd.mturk.platform import MTurk


Scores = Mapping[tuple[str, str], float] | str | os.PathLike[str]
"""Chances by image and synset, or a file of them."""
Ask = Callable[[Sequence[Question]], Sequence[Said]]
THRESHOLDS: Final = Thresholds()


class CrowdRoom:
    """The crowd of a project."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def votes(self) -> list[Vote]:
        """Every vote cast, oldest first; those of blocked workers too."""
        with self._parts.catalog.read() as connection:
            return read_votes(connection)

    def history(self) -> History:
        """The campaign so far: what `fit_population`, `rehearse` and `forecast` of `holotype.simulation` start from."""
        with self._parts.catalog.read() as connection:
            return History.of(read_tally(connection, self._parts.catalog, timed=True))

    def simulated(
        self, truth: Mapping[tuple[str, str], bool] | None = None, seed: int = 2009, expert: str | None = None
    ) -> SimulatedCrowd:
        """A simulated crowd for this project's tasks; with `expert`, of one person of that name, who is never wrong.

        `truth` is by (sha256, wnid), and what it does not name is not there. Without it the workers see an imported
        image as what its dataset says, and any other as what its candidate claims. What truth does not name, gold
        decides. An image that shows a synset shows all above it.
        """
        with self._parts.catalog.read() as connection:
            gold = read_gold(connection)
            said = candidates.said_by_datasets(connection) if truth is None else set()
        named = dict.fromkeys(said, True) if truth is None else truth
        above = self.above(pair for pair, yes in named.items() if yes)
        known = {sha256 for sha256, _ in said}

        def shows(task: Task) -> bool:
            pair = task.sha256, task.wnid
            return pair in above or named.get(pair, gold.get(task, truth is None and task.sha256 not in known))

        if expert is not None:
            return SimulatedExpert(expert, shows, self._parts.clock, seed)
        return SimulatedCrowd(shows, self._parts.clock, seed=seed)

    def above(self, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Every (sha256, wnid) with an ancestor of a wnid in place of it, or a question made by hand that covers it."""
        with self._parts.catalog.read() as connection:
            groups = [(one.wnid, {*one.leaves}) for one in label_questions.read(connection)]
        ancestors: dict[str, list[str]] = {}
        found: set[tuple[str, str]] = set()
        for sha256, wnid in pairs:
            if wnid not in ancestors:
                ancestors[wnid] = (
                    [one.wnid for one in self._parts.ontology.ancestors(wnid)] if wnid in self._parts.ontology else []
                )
                covered = {wnid, *ancestors[wnid]}
                ancestors[wnid] += [group for group, leaves in groups if leaves & covered]
            found.update((sha256, above) for above in ancestors[wnid])
        return found

    def mturk(
        self,
        terms: Terms,
        budget: Decimal | None = None,
        production: bool = False,
        endpoint: str | None = None,
        agree: Callable[[Quote], None] = lambda _: None,
    ) -> MTurk[Sheet]:
        """Mechanical Turk's sandbox, or with `production` its real workers, as this project's crowd.

        `budget` is the most, in dollars, that all pages of the project may cost together; production needs one. `agree`
        gets every price before anything is spent, and refuses by raising. `endpoint` is another URL of the service.
        Pages that the project's own site shows have ``https://HOST/page/{page}?k={key}`` for their address.
        The credentials are those boto3 finds. Raises `CrowdError`, also if ``holotype[mturk]`` is not installed.
        """
        try:
            from holotype.crowd.mturk.platform import Labels, MTurk, crowd_name
            from holotype.crowd.mturk.requester import Requester
        except ModuleNotFoundError as error:
            raise CrowdError(f"{error}; Mechanical Turk needs: pip install 'holotype[mturk]'") from error
        name = crowd_name(production, Labels())
        terms = replace(terms, secret=crowd_secret(self._parts.salt, name))
        ledger = CatalogLedger(self._parts.catalog, name, identity_of(self._parts.salt))
        return MTurk(Requester(production, endpoint), ledger, Labels(), terms, self._parts.clock, budget, agree)

    def web(self) -> WebCrowd:
        """The people who answer this project's pages on the web, as its crowd: see `holotype.crowd.inbox.WebCrowd`.

        Its pages are lent and handed in at the project's `desk`, by whatever process; run the crowd again and again to
        count what came in and to go on.
        """
        return WebCrowd(CatalogInbox(self._parts.catalog, self._parts.clock))

    def machine(
        self,
        name: str,
        model: Scores | Ask | Model,
        thresholds: Thresholds = THRESHOLDS,
        most: int | None = None,
    ) -> Machine:
        """A model as a worker called ``machine:NAME``, for `run`: it votes on every candidate it has a score for.

        `model` is scores by (image, synset), an image by any of its names; or a file of them (CSV or Parquet with the
        columns image, wnid, probability); or a function from questions to chances
        (`holotype.crowd.machines.voter.Question`), None where it says nothing; or a model of one's own, such as
        `holotype.crowd.machines.endpoint.Endpoint`. It is asked at most `most` questions a run: gold first, then what
        is open. What votes it has cast stay as they are; so other thresholds want another name.

        Raises `CrowdError` for scores that are none, or that are of no candidate at all.
        """
        if isinstance(model, str | os.PathLike):
            model = read_scores(Path(model))
        if isinstance(model, Mapping):
            model = scored(self._parts, self._lemmas.senses, model)
        elif callable(model):
            model = Asked(model)
        return Machine(name, model, thresholds, most)

    def run(
        self,
        crowd: Crowd | Machine,
        policy: Policy = Imageable(Posterior()),
        progress: Progress = no_progress,
        back_off: bool = False,
        under: Iterable[str] = (),
        budget: int | None = None,
        only: Iterable[Pair] | None = None,
    ) -> CampaignReport:
        """Ask `crowd` about every candidate until `policy` is sure, and draw the labels.

        Votes are durable before they count. Stopped at any moment and run again, it goes on where it was. Where the
        crowd brought nothing new, and all there is to go by is what it was, nothing is concluded again.
        Returns with open candidates when the crowd has no more answers for now: run it again later. With `back_off`,
        images on which the crowd splits between siblings are asked about for their common ancestor.

        With `under`, wnids or lemmas, only candidates in the subtrees of these are asked about, and concluded of by the
        votes on them and no others; what is concluded of the others stands. With a `budget` these candidates have at
        most so many votes of pages together, from all runs: nothing is put up that could bring more.

        With `only`, candidates by (image, wnid), people are asked about no other now; labels are drawn of all.

        A machine votes on all it can, gold and what is decided too, by which its errors are learned; then labels are
        drawn from all votes. It decides nothing without people, unless `policy` says so (``min_human``).

        Raises `CrowdError` where who is trusted can never answer: not in the simulated crowd, or nobody is asked and no
        vote of theirs counts; and where one of the project's `campaigns` that is running asks about some of it. Raises
        `ProjectError` where another process asks this crowd, about whatever: pages that came in are read once, by who
        asks for them.
        """
        wnids = tops(self._parts.ontology, (self._lemmas.meant(text).wnid for text in under)) if under else ()
        with self._parts.catalog.read() as connection:
            running = {one.id: one.under for one in campaigns.read(connection, running=True)}
        if running:
            refuse_overlap(self._parts.ontology, wnids, running)
        scope = Scope(policy, wnids, back_off, budget, None if only is None else self._numbers(only))
        if isinstance(crowd, Machine):
            if only is not None:
                raise CrowdError("a machine votes on all it can: only people are asked about some")
            heard = listen(self._parts, crowd, progress)
            return replace(ask(self._parts, Nobody(), scope, no_progress), new_votes=heard.voted, machine=heard)
        if isinstance(crowd, Nobody):
            return ask(self._parts, crowd, scope, progress)
        self._parts.check_writable()
        about = f"under {', '.join(wnids)}" if wnids else "of all candidates"
        with alone(self._parts.folder, self._parts.catalog, asks(crowd.name), about):
            return ask(self._parts, crowd, scope, progress)

    def _numbers(self, pairs: Iterable[Pair]) -> Ints:
        """The ids of candidates. Raises `UnknownImage` or `AmbiguousImage`."""
        with self._parts.catalog.read() as connection:
            return np.array(sorted(candidate_numbers(connection, pairs, "candidates").values()), np.int64)

    def append(self, votes: Any, policy: Policy | None = None) -> AppendReport:
        """Append votes from elsewhere, and conclude again of the candidates they touch: see
        `holotype.project.appending.append`."""
        return append(self._parts, votes, policy)

    def add(
        self, votes: Iterable[GivenVote], policy: Policy | None = None, refused: Iterable[Refusal] = ()
    ) -> VotesReport:
        """Append votes as people keep them, each by any name of its image; what fits nothing is told and left out, with
        what was `refused` before: see `holotype.project.given_votes.add_votes`."""
        return add_votes(self._parts, self._lemmas.senses, votes, policy, refused)

    def calibration(self, policy: Posterior = Posterior()) -> Calibration:
        """What gold says of the posteriors at which `policy` stops: see `holotype.consensus.calibration.calibrate`.

        Nothing is corrected unless gold of both sides contradicts them beyond chance. Raises `CrowdError` where there
        is too little gold.
        """
        with self._parts.catalog.read() as connection:
            ballot = read_tally(connection, self._parts.catalog).ballot()
        found = posterior_of_gold(ballot, policy.priors, policy.stopping)
        return calibrate(*found) if contradicted(*found) else Calibration()
