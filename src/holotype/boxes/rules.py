"""The rules by which boxes are drawn, judged and covered."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from holotype.crowd.conclusion import Policy
from holotype.crowd.policies import Posterior
from holotype.crowd.policy_names import parse_policy
from holotype.errors import CrowdError

QUALITY: Final = Posterior(accept=0.95, minimum=1)
COVERAGE: Final = Posterior(accept=0.95, minimum=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """Policies that decide `quality` and `coverage` as they do labels; after how many `attempts` in a row that brought
    no box a person must look; how many people draw at once (`draws`), whose agreement then needs no judge; and the most
    boxes of a synset in an image. Raises `CrowdError` for what cannot be."""

    quality: Policy = QUALITY
    coverage: Policy = COVERAGE
    attempts: int = 3
    draws: int = 1
    most: int = 100

    def __post_init__(self) -> None:
        if min(self.attempts, self.draws, self.most) < 1:
            raise CrowdError(f"attempts, draws and the most boxes are 1 or more, not {self}")

    def __str__(self) -> str:
        return (
            f"boxes(quality={self.quality}, coverage={self.coverage}, attempts={self.attempts}, draws={self.draws}, "
            f"most={self.most})"
        )


def parse_rules(text: str) -> Rules:
    """The rules that `text` names as rules name themselves.

    Raises `CrowdError` for what is none.

    >>> parse_rules(str(Rules(attempts=5))) == Rules(attempts=5)
    True
    """
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "boxes":
            raise CrowdError("rules are a call of boxes(...)")
        said = {word.arg: ast.unparse(word.value) for word in call.keywords}
        quality, coverage = (parse_policy(said.pop(name)) for name in ("quality", "coverage"))
        attempts, draws, most = (int(said.pop(name)) for name in ("attempts", "draws", "most"))
        if said or call.args:
            raise CrowdError("it says more than rules do")
    except (SyntaxError, ValueError, KeyError, MemoryError, RecursionError, CrowdError) as error:
        raise CrowdError(f"{text[:80]!r} are no rules for boxes: {error}") from error
    return Rules(quality, coverage, attempts, draws, most)
