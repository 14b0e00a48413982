"""What a release says of pictures, and where it says that they lie."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from any_release import shipped, some
from conftest import command
from holotype.errors import ReleaseError
from holotype.releases.layout import CHECKSUMS, LEAKS, MANIFEST, ONTOLOGY, SUMMARY, TAKEN_DOWN, VOTES
from holotype.releases.leaks import BYTES, Check
from holotype.releases.loaders.settings import Settings, restored
from holotype.releases.release import Release
from holotype.releases.summary import wrong_in
from holotype.store.location import TREE, Location
from holotype.store.places import Places
from test_documents import finished


def test_places_are_locations_in_columns() -> None:
    files = Location("/a.tar", 0, 0, "tar", "", 900, 7), Location("/photos", 0, 0, TREE)
    numbers = np.array([1, 0, 0], np.int32), np.array([0, 512, 100_000_000_000]), np.array([3, 4, 5])
    places = Places(files, *numbers, pa.array(["cats/1.jpg", "", ""]))
    assert len(places) == 3
    assert places[0] == Location("/photos", 0, 3, TREE, "cats/1.jpg")
    assert places[2] == Location("/a.tar", 100_000_000_000, 5, "tar", "", 900, 7)
    some = places.take(np.array([2, 0]))
    assert [some[0], some[1]] == [places[2], places[0]]


@pytest.mark.parametrize("name", [MANIFEST, VOTES, LEAKS, CHECKSUMS, ONTOLOGY, "train-000000.tar"])
def test_a_release_with_a_pipe_a_link_or_a_folder_for_a_file_is_none(tmp_path: Path, name: str) -> None:
    folder, elsewhere = shipped(tmp_path / "v1", some(4)), tmp_path / "elsewhere"
    (folder / name).unlink(missing_ok=True)
    elsewhere.write_bytes(b"secret")
    for make in (os.mkfifo, os.mkdir, lambda path: os.symlink(elsewhere, path)):
        make(folder / name)
        with pytest.raises(ReleaseError, match="no plain file"):
            Release(folder)
        os.rmdir(folder / name) if (folder / name).is_dir() else os.unlink(folder / name)


@pytest.mark.parametrize("other", [None, 3, "x", [3], {"a": 3}, 10**30, True])
def test_a_summary_of_other_kinds_is_refused(tmp_path: Path, other: object) -> None:
    folder = shipped(tmp_path / "v1", some(4))
    summary = json.loads((folder / SUMMARY).read_text())
    assert wrong_in(summary) == ""
    for name in ("classes", "alarms", "overruled", "unchecked", "machines", TAKEN_DOWN):
        (folder / SUMMARY).write_text(json.dumps({**summary, name: other}))
        with pytest.raises(ReleaseError, match=f"lacks the {name}"):
            Release(folder)
    for name in ("lemmas", "gloss", "wnid"):
        if (name, other) != ("gloss", "x"):
            entry = {**summary["classes"][0], name: other}
            assert wrong_in({**summary, "classes": [entry, *summary["classes"][1:]]}) == "classes"
    assert (wrong_in({**summary, "outvoted": other}) == "outvoted") == (other != 3)
    assert (wrong_in({**summary, "metadata_taken_out": other}) == "metadata_taken_out") == (other != 3)
    assert wrong_in({**summary, "faces": other}) == "faces"
    assert (wrong_in({**summary, "recipe": other}) == "recipe") == (other != {"a": 3})
    assert wrong_in({**summary, "recipe": {"together": other}}) == "recipe"
    assert (wrong_in({**summary, "imported_splits": other}) == "imported_splits") == (other != {"a": 3})


def test_a_check_of_leaks_that_names_no_pair_is_none() -> None:
    check = Check(BYTES, ("a", "b"), None, (1, 1), (0, 0), 1, (1, 1), (("c", "d"),))
    assert Check.of(check.value) == check
    with pytest.raises(ReleaseError, match="no check of leaks"):
        Check.of({**check.value, "examples": []})


def test_what_a_release_says_does_not_reach_the_terminal_as_it_is(tmp_path: Path) -> None:
    folder = finished(shipped(tmp_path / "v1", some(4)))
    (folder / "\x07bell").write_bytes(b"")
    with (folder / CHECKSUMS).open("a") as file:
        file.write(f"{hashlib.sha256(b'').hexdigest()}  \x07bell\n")
    told = command("release", "verify", folder)
    assert told.code == 1
    assert "\\x07bell is listed" in told.stdout
    assert "\x07" not in told.stdout


@pytest.mark.parametrize("state", [None, [], "x", 3])
def test_what_is_no_state_of_a_loader_is_refused(state: Any) -> None:
    with pytest.raises(ReleaseError, match="no state of a loader"):
        restored(state, Settings(), "", 4)
