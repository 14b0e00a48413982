"""A folder of results: one file of each application, and one page of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from holotype.errors import AlreadyApplied, NotInstalled, RecognitionError
from holotype.files import write_atomically
from holotype.recognition.report.applied import Applied
from holotype.recognition.report.page import render

REPORT: Final = "report.html"
_SUFFIX: Final = ".json"


def result_path(folder: Path, name: str) -> Path:
    """Where the result of an application lies in a folder."""
    return folder / f"{name}{_SUFFIX}"


def refuse_written(folder: Path, name: str, *, replace: bool = False) -> None:
    """Raises `AlreadyApplied` where a folder has a result of this name, unless it is to be replaced, and `NotInstalled`
    where a report cannot be drawn: to be asked before the work."""
    path = result_path(folder, name)
    if path.exists() and not replace:
        raise AlreadyApplied(path)
    try:
        import jinja2
        import matplotlib
    except ModuleNotFoundError as error:
        raise NotInstalled("Jinja2 and matplotlib", "recognition", str(error)) from error
    del jinja2, matplotlib


def write_result(folder: Path, found: Applied, *, replace: bool = False) -> Path:
    """Write what an application found to ``NAME.json`` in a folder, and all that the folder holds to `REPORT`.

    Gives the report's path. Raises as `refuse_written` does, and `RecognitionError` where the folder has another file
    that is no result; nothing is written then. The result is written first: a report that lacks it, after a crash, is
    made whole by the next one.
    """
    refuse_written(folder, found.name, replace=replace)
    path = result_path(folder, found.name)
    others = [_read(one) for one in sorted(folder.glob(f"*{_SUFFIX}")) if one != path]
    page = render(sorted([*others, found], key=lambda one: one.name))
    write_atomically(path, json.dumps(found.value(), separators=(",", ":")).encode())
    write_atomically(folder / REPORT, page.encode())
    return folder / REPORT


def read_results(folder: Path) -> list[Applied]:
    """What applications wrote to a folder, by name. Raises `RecognitionError` at a JSON file that is no result."""
    return [_read(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]


def _read(path: Path) -> Applied:
    try:
        return Applied.of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise RecognitionError(f"{path} cannot be read: {error}") from error
    except RecognitionError as error:
        raise RecognitionError(f"{path}: {error}") from error
