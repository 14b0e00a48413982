"""Where a disk is full, whatever is made of a release is not there, and the reason is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from holotype.releases.exports.formats import FORMATS

_SCRIPT = """
import json, resource, signal, sys
from pathlib import Path
from holotype.errors import ReleaseError
from holotype.ontology import load_wordnet
from holotype.releases import Release
from holotype.releases.exports.formats import FORMATS, export
from holotype.releases.publishing import publish
from holotype.releases.rebuild import rebuild_release
from holotype.releases.takedown import Unwanted, take_down

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
release, out, limit = Release(Path(sys.argv[1])), Path(sys.argv[2]) / "out", int(sys.argv[3])
wordnet, some = load_wordnet(), Unwanted([release.rows()[0]["id"]])
making = {name: lambda name=name: export(release, name, out) for name in FORMATS}
making |= {"publish": lambda: publish(release, out), "rebuild": lambda: rebuild_release(release, wordnet)}
making |= {"takedown": lambda: take_down(release, out, some)}
told, most = {}, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for name, make in making.items():
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    try:
        make()
    except ReleaseError as error:
        told[name] = str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print(json.dumps(told))
"""


@pytest.mark.parametrize("limit", [1, 90])
def test_nothing_is_left_where_the_disk_is_full(labelled_once: Path, tmp_path: Path, limit: int) -> None:
    """Files can have so many bytes, and not one more."""
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT, labelled_once / "releases/v1", tmp_path, str(limit)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert set(told) == {*FORMATS, "publish", "rebuild", "takedown"}
    assert all("File too large" in said for said in told.values()), told
    assert not list(tmp_path.iterdir())
