"""Policies by the names they give themselves, which are calls in Python's grammar; only these few can be made."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from inspect import signature
from typing import Any, Final, get_type_hints

from holotype.consensus.calibration import Calibration
from holotype.consensus.two_coin import Priors
from holotype.consensus.votes import is_machine
from holotype.crowd.conclusion import Policy
from holotype.crowd.division import Division, Part, Rule
from holotype.crowd.expert import CURATOR, Source, Trust
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.errors import CrowdError

_POLICIES: Final[Mapping[str, type[Any]]] = {
    "fixed": Fixed,
    "lead": Lead,
    "posterior": Posterior,
    "table": Table,
    "trust": Trust,
    "source": Source,
    "imageable": Imageable,
}
_RULES: Final[Mapping[str, type[Any]]] = {**_POLICIES, "divided": Division}
_CALLS: Final = {**_RULES, "part": Part, "calibration": Calibration, "priors": Priors}
_KINDS: Final[Mapping[Any, tuple[type[Any], ...]]] = {
    Policy: tuple(_POLICIES.values()),
    Policy | None: tuple(_POLICIES.values()),
    tuple[Part, ...]: (tuple,),
}
_WORDS: Final = {"min": "minimum", "max": "maximum"}
_LONGEST: Final = 10_000
_LONGEST_RULE: Final = 10_000_000
_UNREADABLE: Final = (SyntaxError, ValueError, MemoryError, RecursionError)
"""What the grammar ends with where a text is none of its own, or is nested too deep."""


def parse_policy(text: str) -> Policy:
    """The policy that `text` names as policies name themselves: ``posterior(accept=0.98, max=9)``, ``lead(3, 9)``.

    Raises `CrowdError` for what is not one.

    >>> print(parse_policy("posterior(reject=0.1)"))
    posterior(accept=0.96, reject=0.1, min=2, max=14, miss=0.1, pilot=50)
    >>> str(parse_policy("lead(2, 5)"))
    'lead(2, 5)'
    """
    found: Policy = _parsed(text, _POLICIES, _LONGEST)
    return found


def parse_rule(text: str) -> Rule:
    """What labels say they were drawn by last: a policy, or the policies of subtrees.

    Raises `CrowdError` as `parse_policy` does.

    >>> print(parse_rule('divided(part("n02084071 n02121808", lead(3, 9), since=120), rest=fixed(5))'))
    divided(part("n02084071 n02121808", lead(3, 9), since=120), rest=fixed(5))
    """
    found: Rule = _parsed(text, _RULES, _LONGEST_RULE)
    return found


def _parsed(text: str, words: Collection[str], longest: int) -> Any:
    try:
        if len(text) > longest:
            raise ValueError(f"{len(text):,} characters")
        tree = ast.parse(_as_written_now(text.strip()), mode="eval")
    except _UNREADABLE as error:
        raise _no_policy(text) from error
    if _word(tree.body) not in words:
        raise _no_policy(text)
    return _made(tree.body, text)


GOLD: Final = "gold"
"""The policy of a label whose answer is known."""
IMPORTED: Final = "imported:"
"""What the policy of a label begins with that came with a dataset; the dataset's name follows."""


def is_unchecked(label: str) -> bool:
    """Whether a label that says it was drawn by `label` is an expert's, a source's or a dataset's word."""
    policy = _drawn_by(label)
    return label.startswith(IMPORTED) or isinstance(
        policy.policy if isinstance(policy, Imageable) else policy, Trust | Source
    )


def hears_machines(label: str) -> bool:
    """Whether machines may have had a say in a label that says it was drawn by `label`: not in gold, in what a curator,
    a source or a dataset says, nor in what one trusted person does.

    >>> hears_machines("fixed(3)"), hears_machines("gold"), hears_machines('trust("machine:resnet50")')
    (True, False, True)
    """
    policy = _drawn_by(label)
    inner = policy.policy if isinstance(policy, Imageable) else policy
    if isinstance(inner, Trust):
        return is_machine(inner.name)
    return hears_votes(label)


def hears_votes(label: str) -> bool:
    """Whether a label that says it was drawn by `label` follows from votes: not what gold, a curator, a source or a
    dataset says.

    >>> hears_votes("fixed(3)"), hears_votes("gold"), hears_votes('trust("ann")'), hears_votes("imported:ilsvrc2012")
    (True, False, True, False)
    """
    policy = _drawn_by(label)
    inner = policy.policy if isinstance(policy, Imageable) else policy
    return not (label in ("", GOLD) or label.startswith((CURATOR, IMPORTED)) or isinstance(inner, Source))


def without_names(label: str, hide: Callable[[str], str]) -> str:
    """What a label says it was drawn by, as it may be exported: the names of people in it hidden by `hide`.

    >>> without_names('trust("ann")', str.upper), without_names("curator:bob", str.upper)
    ('trust("ANN")', 'curator:BOB')
    """
    if label.startswith(CURATOR):
        return CURATOR + hide(label.removeprefix(CURATOR))
    policy = _drawn_by(label)
    if isinstance(policy, Imageable) and isinstance(policy.policy, Trust):
        return str(replace(policy, policy=_hidden(policy.policy, hide)))
    return str(_hidden(policy, hide)) if isinstance(policy, Trust) else label


def rule_without_names(rule: Rule, hide: Callable[[str], str]) -> str:
    """What labels say they were drawn by last, as it may be exported: the names of people in it hidden by `hide`."""
    if not isinstance(rule, Division):
        return without_names(str(rule), hide)
    parts = [replace(part, policy=_without(part.policy, hide)) for part in rule.parts]
    return str(Division(tuple(parts), None if rule.rest is None else _without(rule.rest, hide)))


def _without(policy: Policy, hide: Callable[[str], str]) -> Policy:
    return parse_policy(without_names(str(policy), hide))


def _hidden(policy: Trust, hide: Callable[[str], str]) -> Trust:
    return policy if is_machine(policy.name) else replace(policy, name=hide(policy.name))


@lru_cache(1024)
def _drawn_by(label: str) -> Policy | None:
    try:
        return parse_policy(label)
    except CrowdError:
        return None  # gold, a dataset, or a policy of the user's own


def _as_written_now(text: str) -> str:
    """Labels of a calibrated posterior used to name the calibration by place alone; such have no quoted name."""
    return text if '"' in text else text.replace(", calibration(", ", calibration=calibration(")


def _no_policy(text: str) -> CrowdError:
    known = ", ".join(_POLICIES)
    return CrowdError(f"a policy is one of {known} with its values, as in lead(3, 9), not {_short(text)}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 100 else f"{text[:97]}...")


def _word(node: ast.expr) -> str:
    """What a call, or a name alone, names; empty for anything else."""
    name = node.func if isinstance(node, ast.Call) else node
    return name.id.lower() if isinstance(name, ast.Name) else ""


def _made(node: ast.expr, text: str) -> Any:
    """What one of `_CALLS` makes, called or named alone. Raises `CrowdError` where it does not take what is given."""
    if (word := _word(node)) not in _CALLS:
        raise _no_policy(text)
    kind, call = _CALLS[word], node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    wanted = get_type_hints(kind)
    try:
        named = [(_WORDS.get(one.arg or "", one.arg or ""), _value(one.value, text)) for one in call.keywords]
        if len(dict(named)) < len(named):
            raise TypeError("a value is given twice")
        placed = tuple(_value(one, text) for one in call.args)
        given = signature(kind).bind(*([placed] if kind is Division else placed), **dict(named)).arguments
        values = {name: _as(wanted[name], value) for name, value in given.items()}
    except (TypeError, OverflowError) as error:
        raise CrowdError(
            f"the values of {word} are {', '.join(signature(kind).parameters)}, each once, and each a number or "
            f"a name in quotes: {_short(text)} has others"
        ) from error
    return kind(**values)


def _value(node: ast.expr, text: str) -> Any:
    """What an argument says: a number, a text, or what a call makes. Raises TypeError for anything else."""
    if isinstance(node, ast.Call) or _word(node) in _CALLS:
        return _made(node, text)
    match node:
        case ast.Name(id="inf"):
            return math.inf
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Constant(value=int() | float() | str() as value) if not isinstance(value, bool):
            return value
    raise TypeError(f"{type(node).__name__} is no value")


def _as(wanted: Any, value: Any) -> Any:
    """The value in the type that is wanted. Raises TypeError for one of another."""
    if wanted is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, _KINDS.get(wanted, wanted)):
        raise TypeError(f"{value!r} is not {wanted}")
    return value
