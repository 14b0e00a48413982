"""What the program imports before it answers, and what it says of commands that it has not imported."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from holotype import __version__
from holotype.cli.groups import CommandGroup
from holotype.cli.ontology import ontology
from holotype.cli.root import holotype as commands

HEAVY = {
    "alembic",
    "boto3",
    "cv2",
    "matplotlib",
    "PIL",
    "pyarrow",
    "scipy",
    "simplejpeg",
    "sklearn",
    "sqlalchemy",
    "yaml",
}
"""What takes a tenth of a second or more, and databases, pictures and formats that are not asked for here."""
LISTED = "import sys, atexit, json; atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr)); "


def imported(*arguments: str) -> set[str]:
    """The modules that are imported when the program ends."""
    command = [sys.executable, "-c", f"{LISTED}from holotype.cli import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr))


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_nothing_is_imported_that_is_not_asked_for(arguments: tuple[str, ...]) -> None:
    found = imported(*arguments)
    assert not found & {*HEAVY, "numpy", "rich"}
    assert sum(name.startswith("holotype.") for name in found) < 10


def test_the_package_is_the_program() -> None:
    said = subprocess.run([sys.executable, "-m", "holotype", "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.endswith(f"version {__version__}\n")


def test_looking_a_word_up_needs_no_database_and_no_picture() -> None:
    found = imported("ontology", "find", "dog")
    assert not found & HEAVY
    assert not {name for name in found if name.startswith(("holotype.catalog", "holotype.project", "holotype.crowd"))}


@pytest.mark.parametrize("group", [commands, ontology], ids=["holotype", "ontology"])
def test_commands_are_described_as_they_describe_themselves(group: click.Command) -> None:
    assert isinstance(group, CommandGroup)
    for name, entry in group.elsewhere.items():
        loaded = entry.load()
        assert loaded.name == name
        assert loaded.get_short_help_str(1000) == entry.help


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["statistic"], "Did you mean 'statistics'?"),
        (["lint"], "Did you mean 'datasets lint'?"),
        (["crowd", "forcast"], "Did you mean 'forecast'?"),
        (["datasets", "add", "url"], "Did you mean 'urls'?"),
        (["list"], "'gold list' or 'intake list' or 'labels list' or 'release list'"),
    ],
)
def test_the_near_command_is_named(arguments: list[str], near: str) -> None:
    with pytest.raises(click.UsageError, match="No such command") as error:
        commands.main(arguments, standalone_mode=False)
    assert near in error.value.message


@pytest.mark.parametrize(
    "gone", ["import", "stats", "verify", "priors", "label", "audit", "certify", "lint", "fingerprint"]
)
def test_there_is_one_spelling(gone: str) -> None:
    assert commands.get_command(click.Context(commands), gone) is None
