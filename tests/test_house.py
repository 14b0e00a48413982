"""Promises of the project about itself."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import holotype
from holotype import errors

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src/holotype").rglob("*.py"))


def test_the_public_api_is_what_it_is() -> None:
    assert sorted(holotype.__all__) == holotype.__all__ == ["init", "open"]


def test_every_error_is_drawn_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    classes = [
        name for name, value in vars(errors).items() if inspect.isclass(value) and value.__module__ == errors.__name__
    ]
    assert all(issubclass(getattr(errors, name), errors.HolotypeError) for name in classes)
    assert {"HolotypeError", *re.findall(r"── (\w+)", tree)} == set(classes)


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


ABOVE = {
    "ontology": {"errors", "files", "ontology"},
    "engine": {"engine"},
    "catalog": {"catalog", "errors"},
    "images": {"catalog", "engine", "errors", "files", "images"},
    "archives": {"archives", "engine", "errors", "files", "images", "ontology"},
    "queries": {"catalog", "errors", "ontology", "queries", "releases"},
    "properties": {"errors", "images", "ontology", "properties"},
    "collect": {"collect", "errors", "files", "images", "ontology"},
    "crowd": {"crowd", "errors"},
    "releases": {"catalog", "crowd", "errors", "files", "images", "ontology", "releases"},
    "benchmark": {"benchmark", "errors", "ontology", "releases"},
    "recognition": {"benchmark", "errors", "images", "recognition", "releases"},
}


def test_arrows_point_one_way() -> None:
    """cli, demo -> project -> stages -> catalog, engine -> ontology, and nothing back."""
    for path in SOURCES:
        room = path.relative_to(ROOT / "src/holotype").parts[0].removesuffix(".py")
        if room not in ABOVE or "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("holotype"):
                assert layer(node.module or "") in ABOVE[room], f"{path} imports {node.module}"


def test_nothing_names_a_registrys_host() -> None:
    for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text()
        assert not re.search(r"https?://|index-url|find-links|@ file", text), name


def test_every_dependency_is_constrained() -> None:
    names = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().split()}
    wanted = re.findall(r'^ {4}"([A-Za-z0-9-]+)(?:\[\w+\])?[><=]', (ROOT / "pyproject.toml").read_text(), re.M)
    assert len(wanted) > 15
    assert {name.lower() for name in wanted} <= names
    assert "torch" not in names
