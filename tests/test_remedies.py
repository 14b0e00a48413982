"""Libraries speak of the domain and the command line of commands; every command that is named anywhere is one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from holotype import errors
from holotype.cli import remedies
from holotype.cli.groups import commands_below
from holotype.cli.root import holotype as commands

ROOT = Path(__file__).resolve().parents[1]
FACES = {"cli", "demo", "web"}
LIBRARY = [
    path
    for path in sorted((ROOT / "src/holotype").rglob("*.py"))
    if path.relative_to(ROOT / "src/holotype").parts[0] not in FACES
]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONTEXT = click.Context(commands)
COMMANDS = dict(commands_below(commands, CONTEXT))
OPTIONS = {option for command in COMMANDS.values() for one in command.params for option in one.opts}


def texts(path: Path) -> Iterator[str]:
    """The strings of a module that are no docstrings."""
    tree = ast.parse(path.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_libraries_do_not_speak_of_options_or_commands() -> None:
    command = re.compile(rf"\bholotype ({'|'.join(commands.list_commands(CONTEXT))})\b")
    for path in LIBRARY:
        for text in texts(path):
            assert not command.search(text), f"{path}: {text}"
            assert not OPTIONS & set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text)), f"{path}: {text}"


def check(text: str) -> None:
    """That `text` begins with a command or a group, and has no option that it has not."""
    command: click.Command | None = commands
    for word in re.findall(r"[a-z0-9][a-z0-9-]*(?= |$)", re.split(r" (?![a-z0-9])", text)[0].replace("\n", " ")):
        if not isinstance(command, click.Group):
            break
        command = command.get_command(CONTEXT, word)
        assert command is not None, f"there is no command: holotype {text}"
    assert command is not commands, text
    options = {option for one in (command.params if command else ()) for option in one.opts}
    for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text):
        assert option in options | {"--help"}, f"there is no {option} of: holotype {text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_documentation_is_one(page: Path) -> None:
    text = page.read_text()
    spans = re.findall(r"(?<!`)`holotype ([^`]+)`", text)
    for line in (*spans, *re.findall(r"^ *holotype ([^#\n]+)", text, re.M)):
        check(line.strip())


@pytest.mark.parametrize("advice", [*remedies.REMEDIES.values(), *remedies.COMMANDS.values()])
def test_every_command_that_is_advised_is_one(advice: str) -> None:
    for text in re.findall(r"holotype ([a-z0-9]+(?: [a-z0-9]+)*(?: --[a-z-]+)?)", advice):
        check(text)
    for option in re.findall(r"--[a-z-]+", advice):
        assert option in OPTIONS


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.NoProject(Path("birds")), "no holotype project in birds; make one with: holotype init birds"),
        (errors.AlreadyApplied(Path("apps/nbnn.json")), "holds a result already; replace it with --replace, or name"),
        (
            errors.AlreadyPlanned("n1", 50, 60),
            "a fresh draw, which is counted; to draw again: --fresh",
        ),
        (
            errors.AmbiguousFolders("crane", {"crane": ["n1", "n2"]}),
            "crane; say what they mean with --sense",
        ),
        (
            errors.AmbiguousLabels("crane", {"crane": ["n1", "n2"]}),
            "crane; say what they mean with --sense",
        ),
        (
            errors.ForeignFiles(Path("v1"), ["/a.tar", "/b.tar"]),
            "lie in /a.tar and 1 more file, outside of its folder: what others made could name any file on this disk, "
            "so nothing there is read unless its folder is allowed; allow it, if it is what you think it is, with: "
            "--archives FOLDER",
        ),
        (
            errors.OverAllowance("s3://b/a.tar", "9 requests or more", "8 requests"),
            "s3://b/a.tar needs 9 requests or more, and 8 requests are allowed; nothing was added; what was read is "
            "kept; allow more, with: --most-requests N, --most-gigabytes N",
        ),
        (errors.InvalidTaxonomy("cycle: a", 3), "cycle: a; to see all that is wrong: holotype ontology check FILE"),
        (
            errors.UnknownNetwork("resnet19", ["resnet18"]),
            "no network 'resnet19', but resnet18; see: holotype models; or name the folder of a run",
        ),
        (errors.UnknownWorker("ann"), "no worker is called 'ann'; see: holotype workers list"),
        (errors.ContradictedGold(12), "12 of these answers contradict what gold says, or were withdrawn"),
        (
            errors.NotEmbedded("none"),
            "none; see: holotype embeddings list; make some with: holotype embeddings add MODEL",
        ),
        (errors.SeveralEmbeddings(["a", "b"]), "meant: 'a', 'b'; name them with --embeddings NAME"),
        (errors.OtherWeights("a", "why"), "by another model: why; give these another name, with --as NAME"),
        (errors.NothingAccepted("nothing"), "nothing; ask first, with: holotype crowd run"),
        (
            errors.Diverged(2, 6, ""),
            "is no number in epoch 3, step 7; there is no checkpoint yet; begin anew with a lower learning rate",
        ),
        (
            errors.OtherMaking("s3://b/releases/v1"),
            "take it away with: holotype release abandon s3://b/releases/v1",
        ),
        (
            errors.OtherRun({"seed": (0, 1)}),
            "seed was 0, and is 1; begin this one in another folder: --out",
        ),
        (errors.RunExists(Path("runs/a")), "go on with it (--resume), or give another folder (--out)"),
        (errors.OutvotedImages(3), "3 images are accepted against more noes than yeses; look at them"),
        (
            errors.UnfinishedRun(Path("runs/a")),
            "or name a checkpoint of it: --weights runs/a/checkpoints/best.pt",
        ),
        (errors.UnlookedImages(3), "faces were not looked for in 3 of the images; look for them with: holotype faces"),
        (errors.AmbiguousLemma("give the wnid", {"crane": ["n1", "n2"]}), "give the wnid"),
        (errors.NoBucketSupport(), "is not installed; pip install 'holotype[bucket]'"),
        (errors.BucketError("s3://b/x", "nobody answers there"), "how to reach it: AWS_ACCESS_KEY_ID"),
        (errors.BucketError("az://b/x", "the credentials in the environment are wrong"), "AZURE_STORAGE_ACCOUNT_NAME"),
        (errors.BucketError("s3://b/x", "there is no room left in it"), "s3://b/x: there is no room left in it"),
        (OSError("disk full"), "disk full"),
    ],
)
def test_the_command_line_adds_what_to_do(error: Exception, said: str) -> None:
    assert said in remedies.advised(error)


def test_every_remedy_is_tested_with_its_values() -> None:
    tested = {
        type(case[0])
        for mark in test_the_command_line_adds_what_to_do.pytestmark  # type: ignore[attr-defined]
        for case in mark.args[1]
    }
    assert set(remedies.REMEDIES) <= tested


def test_alarms_name_the_command_that_mends_them() -> None:
    (line,) = remedies.alarm_lines([{"code": "clique", "message": "two as one", "remedy": "look at them"}])
    assert line == "alarm: two as one; look at them (holotype workers list)"
    (line,) = remedies.alarm_lines([{"code": "weak", "message": "m", "remedy": "r"}])
    assert line == "alarm: m; r"
