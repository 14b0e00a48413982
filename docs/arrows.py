"""Which module of holotype imports which, read from the source; nothing is run."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parents[1] / "src"
PACKAGE: Final = "holotype"

Arrows = Mapping[str, frozenset[str]]
"""By name, the names of what it imports."""


def modules() -> dict[str, Path]:
    """Every module by its dotted name, a package by its ``__init__.py``; but for migrations, which nothing imports."""
    found = {}
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        *folders, name = path.relative_to(SOURCE).with_suffix("").parts
        if "migrations" not in folders:
            found[".".join(folders if name == "__init__" else [*folders, name])] = path
    return found


def imports(types: bool = True) -> Arrows:
    """The modules of holotype that each one imports, in functions too; with `types` also for annotations."""
    paths = modules()
    return {name: frozenset(imported(path.read_text(), paths, types)) - {name} for name, path in paths.items()}


def imported(text: str, known: Mapping[str, Path], types: bool = True) -> Iterator[str]:
    """The modules among those `known` that a module with this text imports: see `imports`."""
    for node in _nodes(ast.parse(text), types):
        yield from _imported(node, known)


def _nodes(node: ast.AST, types: bool) -> Iterator[ast.AST]:
    """A node and all below it; without `types`, not what stands under ``if TYPE_CHECKING``."""
    yield node
    unread = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    below = node.orelse if isinstance(node, ast.If) and unread and not types else ast.iter_child_nodes(node)
    for child in below:
        yield from _nodes(child, types)


def _imported(node: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    """The modules among those `known` that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom):
        if node.level:
            raise ValueError(f"line {node.lineno} imports by a relative name, which hides where its arrow points")
        inside = {f"{node.module}.{alias.name}" for alias in node.names}
        yield from inside & known.keys()
        if node.module and node.module in known and not inside <= known.keys():
            yield node.module


def room(module: str) -> str:
    """The room a module lies in: a folder, or a file beside the folders; the package itself is one, too."""
    return module.split(".")[1] if "." in module else module


def rooms(arrows: Arrows) -> Arrows:
    """The rooms that each room imports, from the `arrows` between modules."""
    found: dict[str, set[str]] = {room(name): set() for name in arrows}
    for name, targets in arrows.items():
        found[room(name)] |= {room(target) for target in targets} - {room(name)}
    return {name: frozenset(targets) for name, targets in found.items()}


def reached(arrows: Arrows, start: str) -> frozenset[str]:
    """All that `start` imports, and what that imports, and so on."""
    found: set[str] = set()
    left = [start]
    while left:
        new = arrows[left.pop()] - found
        found |= new
        left.extend(new)
    return frozenset(found)


def floors(arrows: Arrows) -> list[list[str]]:
    """Names by floor, the highest first and by name on a floor: everything stands on floors below its own.

    Raises `graphlib.CycleError`, with the cycle, where arrows point in a circle.
    """
    floor: dict[str, int] = {}
    for name in TopologicalSorter(arrows).static_order():
        floor[name] = 1 + max((floor[target] for target in arrows[name]), default=-1)
    on: dict[int, list[str]] = defaultdict(list)
    for name in sorted(floor):
        on[floor[name]].append(name)
    return [on[number] for number in sorted(on, reverse=True)]
