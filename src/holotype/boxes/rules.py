"""The rules by which boxes are drawn, judged and covered."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from holotype.consensus.two_coin import Priors
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import Source
from holotype.crowd.policies import Posterior
from holotype.crowd.policy_names import parse_policy
from holotype.errors import CrowdError

JUDGES: Final = Priors(0.9, 0.03, 0.01, population_weight=500.0, worker_weight=10.0, hard=0.0, base_rate=0.62)
"""What is believed of judges of quality before any answer: Su, Deng and Fei-Fei (HCOMP 2012) accepted 62 % of the
drawings, 99 % of which were accurate."""

VIEWERS: Final = Priors(0.97, 0.06, 0.01, population_weight=5000.0, worker_weight=10.0, hard=0.0, base_rate=0.7)
"""What is believed of judges of coverage before any answer. It weighs much: where many people always say that nothing
is left, most questions have one such answer and an honest one, and that all is covered and honest people err fits those
as well. With a tenth of the weight, 29 % of a simulated crowd's answers came to half of the images by that."""

QUALITY: Final = Posterior(0.95, 0.2, minimum=1, maximum=9, miss=0.3, pilot=0, priors=JUDGES, known_after=8)
COVERAGE: Final = Posterior(0.95, 0.2, minimum=3, maximum=9, miss=0.3, pilot=0, priors=VIEWERS, known_after=0)
"""Two people at least: who drew the last box and saw no more has a say, which alone decides nothing (a vote below the
minimum does, since everybody is taken as known). Tuned with `QUALITY` on simulated crowds of three seeds; figures of
others are in bench/boxes.py."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Policies that decide `quality` and `coverage` as they do labels; after how many `attempts` in a row that brought
    no box a person must look; how many people draw at once (`draws`), whose agreement then needs no judge; and the most
    boxes of a synset in an image. Whose drawings are good less than `least_good` times as often as all people's is not
    asked to draw any more (`holotype.boxes.drawers.poor_drawers`; 0: everybody is). Raises `CrowdError` for what cannot
    be."""

    quality: Policy = QUALITY
    coverage: Policy = COVERAGE
    attempts: int = 8
    draws: int = 1
    most: int = 100
    least_good: float = 0.9

    def __post_init__(self) -> None:
        if min(self.attempts, self.draws, self.most) < 1:
            raise CrowdError(f"attempts, draws and the most boxes are 1 or more, not {self}")
        if isinstance(self.quality, Source) or isinstance(self.coverage, Source):
            raise CrowdError("no source says anything of drawings: quality and coverage follow from what people answer")
        if not 0 <= self.least_good <= 1:
            raise CrowdError(f"the least share of good drawings beside all people's is 0 to 1, not {self.least_good}")

    def __str__(self) -> str:
        return (
            f"boxes(quality={self.quality}, coverage={self.coverage}, attempts={self.attempts}, draws={self.draws}, "
            f"most={self.most}, least_good={self.least_good})"
        )


def parse_rules(text: str) -> Rules:
    """The rules that `text` names as rules name themselves.

    Raises `CrowdError` for what is none.

    >>> parse_rules(str(Rules(attempts=5, least_good=0.5))) == Rules(attempts=5, least_good=0.5)
    True
    """
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "boxes":
            raise CrowdError("rules are a call of boxes(...)")
        said = {word.arg: ast.unparse(word.value) for word in call.keywords}
        quality, coverage = (parse_policy(said.pop(name)) for name in ("quality", "coverage"))
        attempts, draws, most = (int(said.pop(name)) for name in ("attempts", "draws", "most"))
        least_good = float(said.pop("least_good"))
        if said or call.args:
            raise CrowdError("it says more than rules do")
    except (SyntaxError, ValueError, KeyError, MemoryError, RecursionError, CrowdError) as error:
        raise CrowdError(f"{text[:80]!r} are no rules for boxes: {error}") from error
    return Rules(quality, coverage, attempts, draws, most, least_good)
