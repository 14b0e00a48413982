"""Draw the house, docs/explanations/house.md and house.svg, from the docstrings and the imports of its rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from arrows import PACKAGE, SOURCE, Arrows, floors, imports, rooms
from house_picture import picture

HEAD: Final = """# The house: what lies where, and which way arrows point

Made by `make docs` from the docstrings and imports of `src/holotype`. A room is a folder, or a file beside the
folders; an arrow from one room to another says that a module of the first imports one of the second.

The **ground** is what everything stands on: errors, files, the engine, the ontology, the store of bytes, the catalog.
The **stages** are what is done with images, from collecting them to scoring models on them: functions of values,
which know no project and no SQL. The **project** is the only place where catalog and stages meet: it reads rows,
hands them to a stage as the stage's own values, and writes what comes back. `queries/live.py` is the one exception,
for a query to the catalog *is* SQL. The **faces**, such as the command line, speak to the project. Arrows never go in
a circle, neither between rooms nor between modules.

Inside `project/` there is a room for each noun of the API (`db.images`, `db.crowd`, ...), one module each, which
takes the project's `Parts`. No such module imports another: what several of them need is a module below them
(`facts`, `conclusions`, `evidence`, ...).

**To add a room**, make the folder with a docstring of one line in its `__init__.py` that says what it is for. Let its
functions take and return values of its own or of rooms below; where it needs what the catalog knows, let a module of
`project/` ask for it and hand it over. Then write the room and the rooms that it imports into `ROOMS` in
`tests/test_house.py`, and run `make docs`. The test says no to arrows that are not written there, and to ones that
are and are gone, so that every new arrow is a decision that somebody reads. If two rooms need each other, what both
speak of is a value, and belongs below both, or they are one room.
"""


PICTURE: Final = """Arrows that follow from others are left out, and so are those to `errors` and `files`.

![The rooms of the house, each above those that it imports](house.svg)
"""


def page() -> str:
    """The whole page."""
    arrows = rooms(imports())
    told = "## What lies where\n", _tree(arrows), "## Which way arrows point\n", PICTURE, _table(arrows)
    return "\n".join([HEAD, *told])


def _tree(arrows: Arrows) -> str:
    lines = [(f"{PACKAGE}/", _says(SOURCE / PACKAGE / "__init__.py"))]
    for name in _from_the_ground(arrows):
        folder = SOURCE / PACKAGE / name
        if folder.is_dir():
            lines += [(f"{indent}{one.name}/", _says(one / "__init__.py")) for indent, one in _folders(folder)]
        elif name != PACKAGE:
            lines.append((f"    {name}.py", _says(folder.with_suffix(".py"))))
    width = max(len(name) for name, _ in lines)
    return "\n".join(["```text", *(f"{name:{width}}  {says}" for name, says in lines), "```\n"])


def _folders(folder: Path, depth: int = 1) -> Iterator[tuple[str, Path]]:
    """A package and those inside it, each with how far it is indented."""
    yield "    " * depth, folder
    for inside in sorted(one.parent for one in folder.glob("*/__init__.py")):
        yield from _folders(inside, depth + 1)


def _says(module: Path) -> str:
    """The first line of a module's docstring. Raises `ValueError` where it has none."""
    if text := ast.get_docstring(ast.parse(module.read_text())):
        return text.partition("\n")[0]
    raise ValueError(f"{module} does not say what it is for: give it a docstring of one line")


def _from_the_ground(arrows: Arrows) -> list[str]:
    return [name for floor in reversed(floors(arrows)) for name in floor]


def _table(arrows: Arrows) -> str:
    rows = [
        f"| `{name}` | {', '.join(f'`{target}`' for target in sorted(arrows[name])) or 'nothing'} |"
        for name in _from_the_ground(arrows)
    ]
    return "\n".join(["All arrows, from the ground up:\n", "| room | imports |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    place = Path(__file__).parent / "explanations"
    (place / "house.md").write_text(page())
    (place / "house.svg").write_text(picture(rooms(imports())))
