"""Small YAML files that people write: what one says, where it says nothing twice and nothing that grows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

LARGEST: Final = 1 << 20
"""The most characters of a file."""
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 8
_LONGEST: Final = 1000
"""The most characters of a value: numbers of many digits take long."""
_OPENS: Final = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSES: Final = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


def told_in(text: str) -> Any:
    """What YAML says. Raises ValueError, with the line where there is one, for what is none, or has aliases, a key
    twice, values that are long or nested deeply, or more than `LARGEST` characters.

    >>> told_in("[{a: 1}, b]")
    [{'a': 1}, 'b']
    """
    if len(text) > LARGEST:
        raise ValueError(f"{len(text):,} characters, and {LARGEST:,} are allowed")
    try:
        _check_events(text)
        for problem in _doubled(yaml.compose(text, Loader=_LOADER)):
            raise ValueError(problem)
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _check_events(text: str) -> None:
    """Raises ValueError for what would grow, or take long, when it is made values."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = f"line {event.start_mark.line + 1}"
        depth += isinstance(event, _OPENS) - isinstance(event, _CLOSES)
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"{line}: aliases are not read; write it out")
        if depth > _DEEPEST:
            raise ValueError(f"{line}: nested more than {_DEEPEST} deep")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > _LONGEST:
            raise ValueError(f"{line}: a value of more than {_LONGEST:,} characters")


def _doubled(node: yaml.Node | None) -> Iterator[str]:
    """Where a key stands twice."""
    held = node.value if isinstance(node, yaml.SequenceNode | yaml.MappingNode) else []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in held:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                yield f"line {key.start_mark.line + 1}: {key.value!r} stands twice"
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else "")
        held = [value for _, value in held]
    for value in held:
        yield from _doubled(value)
