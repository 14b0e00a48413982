"""Write the reference of the Python API, docs/reference/api.md, from the docstrings of what is public."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

HEAD: Final = """# Python

Made by `make docs` from the docstrings. The examples are run by the tests.

Whatever goes wrong on purpose is a `holotype.errors.HolotypeError`.
"""

PUBLIC: Final = {
    "Projects": ("holotype.project:init", "holotype.project:open_project", "holotype.project:Project"),
    "The rooms of a project": (
        "holotype.project.images:Images",
        "holotype.project.datasets:Datasets",
        "holotype.project.candidates:Candidates",
        "holotype.project.crowd:CrowdRoom",
        "holotype.project.gold:Gold",
        "holotype.project.workers:Workers",
        "holotype.project.desk:Desk",
        "holotype.project.flags:Flags",
        "holotype.project.labels:Labels",
        "holotype.project.annotations:Annotations",
        "holotype.project.audits:Audits",
        "holotype.project.releases:Releases",
        "holotype.project.releases:ProjectRelease",
        "holotype.project.lemmas:Lemmas",
        "holotype.project.removals:Removals",
        "holotype.project.explore:Explore",
        "holotype.project.views:View",
    ),
    "Ontologies": (
        "holotype.ontology:load_wordnet",
        "holotype.ontology.taxonomy:read_ontology",
        "holotype.ontology:Synset",
        "holotype.ontology:Ontology",
    ),
    "Queries": ("holotype.queries:Query", "holotype.queries.results:Results", "holotype.queries.results:Result"),
    "Policies": (
        "holotype.crowd.policies:Posterior",
        "holotype.crowd.policies:Lead",
        "holotype.crowd.policies:Fixed",
        "holotype.crowd.policies:Table",
        "holotype.crowd.expert:Trust",
        "holotype.crowd.expert:Source",
    ),
    "Aggregators of votes": (
        "holotype.consensus.aggregators:Aggregator",
        "holotype.consensus.aggregators:TwoCoin",
        "holotype.consensus.aggregators:DawidSkene",
        "holotype.consensus.aggregators:MajorityVote",
        "holotype.consensus.aggregators:Wawa",
        "holotype.consensus.aggregators:OneCoin",
        "holotype.consensus.aggregators:TableVote",
    ),
    "Loaders": (
        "holotype.releases.loaders:Loader",
        "holotype.releases.loaders:Settings",
        "holotype.releases.loaders:Batch",
        "holotype.releases.loaders:CentreCrop",
        "holotype.releases.loaders:RandomCrop",
        "holotype.releases.loaders:RandAugment",
        "holotype.releases.loaders:Jitter",
        "holotype.releases.loaders:Order",
        "holotype.releases.loaders:Mix",
        "holotype.releases.loaders:Samples",
        "holotype.releases.loaders:samples_of",
        "holotype.releases.loaders:ImageDataset",
        "holotype.project.datasets:ImportedDataset",
    ),
    "Releases and scores": (
        "holotype.releases:Release",
        "holotype.releases:Fractions",
        "holotype.releases:verify_release",
        "holotype.benchmark:evaluate",
        "holotype.benchmark:Result",
        "holotype.benchmark:standings",
        "holotype.benchmark.robustness:restricted",
        "holotype.benchmark.robustness:corrupted",
        "holotype.benchmark.robustness:Corrupted",
        "holotype.benchmark.detection.rules:detection",
        "holotype.benchmark.detection.rules:by_size",
        "holotype.benchmark.detection.rules:won",
        "holotype.benchmark.weakly:box_accuracy",
        "holotype.benchmark.weakly:pointing",
        "holotype.benchmark.segmentation:pixels_of_maps",
        "holotype.benchmark.orders:order",
        "holotype.benchmark.orders:convert",
        "holotype.benchmark.orders:detect_order",
    ),
}
"""What is documented: `module:name`, by the heading it stands under."""
CALLED: Final = {"open_project": "holotype.open", "init": "holotype.init"}
"""Names that users know better than those in the code."""


def reference() -> str:
    """The whole page."""
    return HEAD + "".join(
        f"\n## {heading}\n" + "".join("".join(_entry(address)) for address in addresses)
        for heading, addresses in PUBLIC.items()
    )


def _entry(address: str) -> Iterator[str]:
    module, _, name = address.partition(":")
    found = getattr(import_module(module), name)
    shown = CALLED.get(name, f"{module}.{name}")
    if not inspect.isclass(found):
        yield f"\n### {CALLED.get(name, name)}\n\n{_signature(shown, found)}\n{_told(found)}"
        return
    yield f"\n### {name}\n\n{_made(shown, found)}\n{_told(found)}"
    yield from (_member(one, member) for one, member in vars(found).items() if not one.startswith("_"))


def _made(name: str, found: type) -> str:
    """How a value of a class is made; only the name of a class that a project makes."""
    if name.startswith("holotype.project"):
        return f"`{name}`\n"
    if not is_dataclass(found):
        return _signature(name, vars(found)["__init__"]) if "__init__" in vars(found) else f"`{name}`\n"
    body = _source(found)
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - for the type alone
    return _call(name, [ast.unparse(one) for one in body.body if isinstance(one, ast.AnnAssign)], "")


def _member(name: str, member: object) -> str:
    """A method or property with its docstring, or "" where it has none."""
    if isinstance(member, property):
        return f"\n#### {name}\n\n{_told(member)}" if member.__doc__ else ""
    if isinstance(member, classmethod | staticmethod):
        member = member.__func__
    if not inspect.isfunction(member) or not member.__doc__:
        return ""
    return f"\n#### {name}\n\n{_signature(name, member)}\n{_told(member)}"


def _signature(name: str, function: Callable[..., object]) -> str:
    """A signature as it is written."""
    body = _source(function)
    if not isinstance(body, ast.FunctionDef):
        return f"`{name}`\n"
    told = body.args
    told.posonlyargs = [one for one in told.posonlyargs if one.arg not in ("self", "cls")]
    told.args = [one for one in told.args if one.arg not in ("self", "cls")]
    returned = "" if body.returns is None or body.name == "__init__" else f" -> {ast.unparse(body.returns)}"
    return _call(name, _arguments(told), returned)


def _arguments(told: ast.arguments) -> list[str]:
    """Each parameter with its annotation and default."""
    missing = len(told.posonlyargs) + len(told.args) - len(told.defaults)
    defaults = [None] * missing + list(told.defaults)
    found = [_argument(one, default) for one, default in zip([*told.posonlyargs, *told.args], defaults, strict=True)]
    if told.posonlyargs:
        found.insert(len(told.posonlyargs), "/")
    if told.vararg:
        found.append(f"*{_argument(told.vararg, None)}")
    elif told.kwonlyargs:
        found.append("*")
    found += [_argument(one, default) for one, default in zip(told.kwonlyargs, told.kw_defaults, strict=True)]
    return found


def _argument(one: ast.arg, default: ast.expr | None) -> str:
    said = f"{one.arg}: {ast.unparse(one.annotation)}" if one.annotation else one.arg
    return said if default is None else f"{said} = {ast.unparse(default)}"


def _call(name: str, parameters: list[str], returned: str) -> str:
    """A signature as code, on one line where that is short."""
    line = f"{name}({', '.join(parameters)}){returned}"
    if len(line) > 88:
        line = "\n".join([f"{name}(", *(f"    {one}," for one in parameters), f"){returned}"])
    return f"```python\n{line}\n```\n"


def _source(found: type | Callable[..., object]) -> ast.stmt:
    return ast.parse(textwrap.dedent(inspect.getsource(found))).body[0]


def _told(found: object) -> str:
    """A docstring, its examples as blocks of code."""
    parts = re.split(r"\n\n+", inspect.getdoc(found) or "")
    told = []
    for part in parts:
        lines = part.splitlines()
        first = next((number for number, line in enumerate(lines) if line.startswith(">>>")), None)
        if first is None:
            told.append(part)
            continue
        if lines[:first]:
            told.append("\n".join(lines[:first]))
        told.append("```python\n" + "\n".join(lines[first:]) + "\n```")
    return "\n\n".join(told).replace("::\n", ":\n") + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "reference/api.md").write_text(reference())
