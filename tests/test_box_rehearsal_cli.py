"""The command that rehearses a campaign for boxes."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import run


def test_made_images_are_rehearsed_by_several_rules(tmp_path: Path) -> None:
    run("init", tmp_path / "p")
    told = run("boxes", "rehearse", "--images", 40, "-p", tmp_path / "p")
    assert "those of Su, Deng and Fei-Fei" in told
    lines = [line.split("\t")[0].split("  ")[0].strip() for line in told.splitlines()]
    assert {"rules", "two draw", "leads of two"} <= set(lines)
    words = "--images", 40, "--boxes", 3, "--wage", 6, "--json"
    found = json.loads(run("boxes", "rehearse", *words, "-p", tmp_path / "p"))
    first = found["rehearsals"][0]
    assert found["images"] == 40
    assert first["score"]["boxes"] > 70
    assert abs(first["dollars"] - first["seconds"] / 3600 * 6 * 1.2) < 1e-9


def test_without_images_it_says_what_to_do(tmp_path: Path) -> None:
    run("init", tmp_path / "p")
    assert "--images 1000" in run("boxes", "rehearse", "-p", tmp_path / "p", expect=2)
