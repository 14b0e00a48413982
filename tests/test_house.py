"""Promises of the project about itself."""

from __future__ import annotations

import inspect
import re
from graphlib import CycleError
from importlib import import_module
from pathlib import Path

import pytest

import holotype
from arrows import floors, imported, imports, modules, reached, room, rooms
from draw_house import page
from holotype import errors
from house_picture import drawn, picture

ROOT = Path(__file__).resolve().parents[1]


def test_the_public_api_is_what_it_is() -> None:
    assert sorted(holotype.__all__) == holotype.__all__ == ["init", "open"]


def test_every_error_is_drawn_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    classes = [
        name for name, value in vars(errors).items() if inspect.isclass(value) and value.__module__ == errors.__name__
    ]
    assert all(issubclass(getattr(errors, name), errors.HolotypeError) for name in classes)
    assert {"HolotypeError", *re.findall(r"── (\w+)", tree)} == set(classes)


ROOMS = {
    "errors": "",
    "files": "",
    "engine": "errors version",
    "leftovers": "",
    "provenance": "",
    "version": "",
    "ontology": "errors files textlists",
    "store": "errors files",
    "textlists": "errors files store",
    "licences": "errors provenance",
    "geometry": "",
    "images": "engine errors",
    "catalog": "errors files provenance store",
    "collect": "errors files images leftovers licences ontology provenance store textlists",
    "imports": "engine errors files geometry leftovers ontology provenance store textlists",
    "lint": "errors imports ontology",
    "consensus": "engine errors",
    "crowd": "audits consensus engine errors ontology",
    "boxes": "audits consensus crowd errors geometry",
    "questions": "crowd errors ontology",
    "simulation": "boxes collect consensus crowd errors geometry questions",
    "audits": "consensus errors",
    "releases": (
        "audits consensus crowd engine errors files geometry images licences ontology provenance statistics store"
    ),
    "benchmark": "engine errors files geometry images imports leftovers ontology releases statistics store textlists",
    "recognition": (
        "benchmark engine errors files geometry images imports ontology releases statistics store torch version"
    ),
    "torch": "releases",
    "statistics": "geometry images ontology",
    "queries": "catalog errors files images licences ontology releases store",
    "project": (
        "audits benchmark boxes catalog collect consensus crowd engine errors files geometry images imports leftovers "
        "licences lint ontology provenance queries questions recognition releases simulation statistics store"
    ),
    "holotype": "project version",
    "demo": (
        "benchmark collect consensus crowd errors files holotype images ontology project recognition releases "
        "statistics"
    ),
    "cli": (
        "audits benchmark boxes collect consensus crowd demo engine errors files holotype images imports licences "
        "lint ontology project queries questions recognition releases simulation statistics store textlists web"
    ),
    "web": "audits boxes consensus crowd errors files images ontology project queries statistics store",
    "__main__": "cli",
}
"""Every room, and the rooms that it may import. ``holotype`` is the package itself, which opens projects."""

GROUND = {
    "errors",
    "files",
    "engine",
    "leftovers",
    "provenance",
    "version",
    "ontology",
    "store",
    "textlists",
    "licences",
    "geometry",
    "catalog",
}
FACES = {"project", "holotype", "demo", "cli", "web", "__main__"}
STAGES = ROOMS.keys() - GROUND - FACES

ASKS_THE_CATALOG = {"holotype.queries.live", "holotype.queries.live_boxes"}
"""The modules of a stage that know the catalog: a query to it is SQL, made of the query's own terms."""

COMPOSITION = {"extension", "", "project", "creation", "runner", "evaluator"}
NOUNS = {
    *("images", "datasets", "candidates", "crowd", "gold", "workers", "labels", "audits", "releases"),
    *("licences", "faces", "benchmarks", "boxes", "questions", "embeddings"),
    *("people", "desk", "overview", "removals", "explore", "flags", "campaigns", "annotations", "collecting"),
    *("box_desk",),
}
SHARED = {
    "box_courses",
    "box_gold",
    "box_proposals",
    "box_turk",
    "box_inbox",
    "box_learning",
    "box_pages",
    "box_records",
    "box_rehearsing",
    "box_reports",
    "box_rulings",
    "embedding_answers",
    "embedding_facts",
    "embedding_intake",
    "embedding_pairs",
    "benchmark_boards",
    "benchmark_files",
    "benchmark_queue",
    "benchmark_seen",
    "benchmark_settings",
    "benchmark_story",
    "benchmark_truths",
    "benchmark_teams",
    "parts",
    "release_places",
    "vocabulary",
    "lemmas",
    "facts",
    "drawing",
    "large_labels",
    "conclusions",
    "evidence",
    "release_facts",
    "release_faces",
    "release_grounds",
    "release_leaks",
    "release_shelf",
    "release_takedown",
    "release_verified",
    "tree_counts",
    "views",
    "image_pages",
    "fingerprints",
    "intake",
    "taking",
    "fetching",
    "rechecking",
    "one_process",
    "searching",
    "planning",
    "found_again",
    "results",
    "works",
    "yields",
    "annotated",
    "annotating",
    "appending",
    "image_names",
    "names",
    "near_duplicates",
    "near_index",
    "withdrawing",
    "given_votes",
    "label_plans",
    "given_times",
    "synset_names",
    "asking",
    "courses",
    "imageability",
    "ledger",
    "inbox",
    "crediting",
    "licensing",
    "lending",
    "board",
    "learning",
    "showing",
    "training",
    "machines",
    "memory",
    "keeping",
    "auditing",
    "dataset_check",
    "dataset_forget",
    "dataset_scan",
    "dataset_write",
    "dataset_said",
    "candidate_samples",
    "dataset_samples",
    "dataset_shelf",
    "lint",
    "statistics",
    "backup",
    "check_report",
    "checking",
    "checking_files",
    "moving",
    "restoring",
}


def test_every_room_imports_the_rooms_it_may() -> None:
    """A new room, or a new arrow, is a decision: it is written down in `ROOMS`, and so is one that is gone."""
    found = rooms(imports())
    assert {name: sorted(targets) for name, targets in found.items()} == {
        name: sorted(targets.split()) for name, targets in ROOMS.items()
    }


def test_no_arrows_go_in_circles() -> None:
    """Neither between rooms nor between modules; what only annotations need is no circle of modules."""
    assert floors(rooms(imports()))[-1] == [
        "errors",
        "files",
        "geometry",
        "leftovers",
        "provenance",
        "version",
    ]
    assert floors(imports(types=False)), "or a CycleError names the circle"


def test_the_ground_stands_on_the_ground_and_stages_on_no_face() -> None:
    arrows = imports()
    for name in arrows:
        below = {room(module) for module in reached(arrows, name)}
        if room(name) in GROUND:
            assert below <= GROUND, name
        if room(name) in STAGES:
            assert not below & FACES, name


def test_one_part_of_a_stage_knows_the_catalog() -> None:
    arrows = imports()
    stages = {name: targets for name, targets in arrows.items() if room(name) in STAGES}
    knowing = {name for name, targets in stages.items() if "catalog" in map(room, targets)}
    assert knowing == ASKS_THE_CATALOG
    others = {name: targets - ASKS_THE_CATALOG for name, targets in arrows.items()}
    assert not [name for name in stages.keys() - knowing if "catalog" in map(room, reached(others, name))]


def test_faces_ask_the_project_and_not_the_catalog() -> None:
    asking = [name for name, targets in imports().items() if "catalog" in map(room, targets)]
    assert {room(name) for name in asking} - {"catalog"} == {"project", "queries"}


def test_a_room_of_a_project_knows_no_other_rooms_inside() -> None:
    arrows = {
        name.removeprefix("holotype.project").lstrip("."): {
            target.removeprefix("holotype.project.") for target in targets if target.startswith("holotype.project.")
        }
        for name, targets in imports().items()
        if room(name) == "project"
    }
    assert arrows.keys() == COMPOSITION | NOUNS | SHARED
    assert not {name: found for name in NOUNS | SHARED if (found := arrows[name] - SHARED)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import holotype.engine", {"holotype.engine"}),
        ("import holotype.engine as e, os", {"holotype.engine"}),
        ("from holotype import engine, nothing", {"holotype", "holotype.engine"}),
        ("from holotype.engine import map_batches", {"holotype.engine"}),
        ("from holotype.catalog import Catalog, votes as rows", {"holotype.catalog", "holotype.catalog.votes"}),
        ("def f():\n    from holotype.files import printable", {"holotype.files"}),
        ("if TYPE_CHECKING:\n    import holotype.files\nelse:\n    import holotype.errors", {"holotype.errors"}),
        ("import os\nfrom holotypes import engine", set()),
    ],
)
def test_arrows_are_read_from_every_kind_of_import(text: str, found: set[str]) -> None:
    assert set(imported(text, modules(), types=False)) == found


def test_arrows_that_annotations_need_are_arrows_too() -> None:
    text = "if TYPE_CHECKING:\n    import holotype.files"
    assert set(imported(text, modules())) == {"holotype.files"}
    with pytest.raises(ValueError, match="relative"):
        set(imported("from . import files", modules()))


def test_a_circle_is_found() -> None:
    with pytest.raises(CycleError):
        floors({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a")})


def test_the_house_is_drawn_as_it_stands() -> None:
    assert (ROOT / "docs/explanations/house.md").read_text() == page(), "run: make docs"
    assert (ROOT / "docs/explanations/house.svg").read_text() == picture(rooms(imports())), "run: make docs"


def test_the_picture_leaves_out_what_follows_from_other_arrows() -> None:
    arrows = {"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset[str]()}
    assert drawn(arrows) == [("a", "b"), ("b", "c")]
    assert picture(arrows).count('<path d="M') == 3  # the two, and the head of an arrow


def names_spoken_of() -> list[tuple[str, str]]:
    """Every dotted name of ours that a docstring, comment, page or test speaks of, with the file that does."""
    pages = [*(ROOT / "src/holotype").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").glob("*.py")]
    spoken = ((path.name, re.findall(r"`(holotype(?:\.[A-Za-z_]\w*)+)", path.read_text())) for path in pages)
    return sorted({(name, file) for file, names in spoken for name in names if name != "holotype.json"})


def test_what_is_spoken_of_is_there() -> None:
    """Prose outlives what it speaks of: a name in backquotes, dotted from the package on, must still be found."""
    names = names_spoken_of()
    assert len(names) > 40
    assert not [(name, file) for name, file in names if not is_there(name)]


def is_there(name: str) -> bool:
    """Whether a module has a name, or a class in it an attribute or a field of that name."""
    parts = name.split(".")
    known = max(number for number in range(1, len(parts) + 1) if ".".join(parts[:number]) in modules())
    try:
        found: object = import_module(".".join(parts[:known]))
    except (ImportError, errors.NotInstalled) as error:
        return "an extra" in str(error)  # that is not installed here, so that nobody can look
    for part in parts[known:]:
        if not hasattr(found, part):
            return part in getattr(found, "__annotations__", {}) and part == parts[-1]
        found = getattr(found, part)
    return True


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("holotype.engine.map_batches", True),
        ("holotype.consensus.votes.Task.wnid", True),
        ("holotype.archives", False),
        ("holotype.project.project.Project.verify", False),
    ],
)
def test_names_are_looked_up(name: str, there: bool) -> None:
    assert is_there(name) == there


def test_nothing_names_a_registrys_host() -> None:
    for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text()
        assert not re.search(r"https?://|index-url|find-links|@ file", text), name


def test_every_dependency_is_constrained() -> None:
    names = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().split()}
    wanted = re.findall(r'^ {4}"([A-Za-z0-9-]+)(?:\[\w+\])?[><]', (ROOT / "pyproject.toml").read_text(), re.M)
    assert len(wanted) > 15
    assert {name.lower() for name in wanted} <= names
    assert "torch" not in names
