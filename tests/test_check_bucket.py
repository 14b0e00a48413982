"""A project whose packs and releases lie in an object store, held against itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import holotype
from conftest import run
from holotype.releases.layout import SUMMARY
from holotype.store.bucket import Bucket

pytest.importorskip("obstore")


def test_what_is_gone_changed_or_unknown_in_a_bucket_is_found(
    bucket_url: str, tmp_path: Path, fill: Callable[..., None]
) -> None:
    fill(tmp_path / "photos/n02091134", 6)
    run("init", tmp_path / "project", "--store", bucket_url)
    run("ingest", tmp_path / "photos", "-p", tmp_path / "project")
    packs = Bucket(bucket_url).under("packs")
    with holotype.open(tmp_path / "project") as db:
        db.crowd.run(db.crowd.simulated())
        db.releases.create("v1", outvoted=True)
        assert db.check().findings == ()
        assert db.check(quick=True).findings == ()
        (name, _), *_ = packs.names()
        packs.create("pack-00000000000000000000000000000000.tar", b"nothing")
        assert [one.check for one in db.check(quick=True).leftovers] == ["pack-unknown"]
        packs.remove(name)
        (problem,) = db.check().problems
        assert problem.said == f"pack {name} is not there"
        Bucket(bucket_url).under("releases/v1").remove(SUMMARY)
        assert f"release v1 lacks {SUMMARY}" in [one.said for one in db.check(quick=True).problems]
        backup = db.backup(tmp_path / "backup")
    assert backup.in_bucket
    assert not list((tmp_path / "backup").rglob("*.tar"))
