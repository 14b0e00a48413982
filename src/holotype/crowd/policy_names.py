"""Policies by the names they give themselves."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any, Final

from holotype.consensus.calibration import Calibration
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import parse_expert
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.errors import CrowdError

_WORDS: Final = {"min": "minimum", "max": "maximum"}
_NUMBER: Final = r"-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"


def parse_policy(text: str) -> Policy:
    """The policy that `text` names as policies name themselves: ``posterior(accept=0.98, max=9)``, ``lead(3, 9)``.

    Raises `CrowdError` for what is not one.

    >>> print(parse_policy("posterior(reject=0.1)"))
    posterior(accept=0.96, reject=0.1, min=2, max=14, miss=0.1, pilot=50)
    >>> str(parse_policy("lead(2, 5)"))
    'lead(2, 5)'
    """
    if expert := parse_expert(text):
        return expert
    kinds: dict[str, type[Fixed | Lead | Posterior | Table]] = {
        "fixed": Fixed,
        "lead": Lead,
        "posterior": Posterior,
        "table": Table,
    }
    if nested := re.fullmatch(rf"\s*imageable\((?!\s*imageable)(.*), least=({_NUMBER})\)\s*", text):
        return Imageable(parse_policy(nested[1]), float(nested[2]))
    values: dict[str, Any] = {}
    if told := re.search(rf", calibration\(slope=({_NUMBER}), shift=({_NUMBER})\)(?=\)\s*$)", text):
        values["calibration"] = Calibration(float(told[1]), float(told[2]))
        text = text.replace(told[0], "")
    form = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text)
    kind = kinds.get(form[1].lower()) if form else None
    if form is None or kind is None:
        raise CrowdError(f"a policy is one of {', '.join(kinds)} with its values, as in lead(3, 9), not {text!r}")
    if values and kind is not Posterior:
        raise CrowdError(f"only a posterior can be calibrated, not {text!r}")
    types: dict[str, Any] = {field.name: type(field.default) for field in fields(kind)}
    types = {name: of for name, of in types.items() if of in (int, float)}
    try:
        for place, part in enumerate(filter(None, map(str.strip, (form[2] or "").split(",")))):
            word, equals, value = part.partition("=")
            name = _WORDS.get(word.strip(), word.strip()) if equals else list(types)[place]
            if name in values:
                raise KeyError(name)
            values[name] = types[name](value if equals else word)
    except (KeyError, IndexError, ValueError) as error:
        known = ", ".join(types)
        raise CrowdError(f"the values of {form[1]} are {known}, each a number and once: {text!r} has others") from error
    return kind(**values)
