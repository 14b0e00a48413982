"""The short form of the kill tests: a few stages, each killed at random moments once; `make chaos` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="moments are told by /proc")
def test_whatever_is_killed_goes_on_and_loses_and_doubles_nothing() -> None:
    """Wherever it is killed it must hold, so that no seed and no clock decides whether it does."""
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    ended = subprocess.run(
        [sys.executable, "-m", "chaos", "--short"],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
