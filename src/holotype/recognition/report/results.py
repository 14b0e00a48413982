"""A folder of results: one file of each application, and one page of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from holotype.errors import NotInstalled, RecognitionError
from holotype.files import write_atomically
from holotype.recognition.report.applied import Applied
from holotype.recognition.report.page import render

REPORT: Final = "report.html"
_SUFFIX: Final = ".json"


def write_result(folder: Path, found: Applied, *, replace: bool = False) -> Path:
    """Write what an application found to ``NAME.json`` in a folder, and all that the folder holds to `REPORT`.

    Gives the report's path. Raises `RecognitionError` where the folder has a result of this name and `replace` is not
    set, or a file in it that is no result, and `NotInstalled`; nothing is written then.
    """
    refuse_written(folder, found.name, replace=replace)
    others = [one for one in read_results(folder) if one.name != found.name]
    page = render(sorted([*others, found], key=lambda one: one.name))
    text = json.dumps(found.value(), ensure_ascii=False, indent=None, separators=(",", ":"))
    write_atomically(folder / f"{found.name}{_SUFFIX}", text.encode())
    write_atomically(folder / REPORT, page.encode())
    return folder / REPORT


def refuse_written(folder: Path, name: str, *, replace: bool = False) -> None:
    """Raises `RecognitionError` where a folder has a result of this name, unless it is to be replaced, and
    `NotInstalled` where a report cannot be drawn: to be asked before the work."""
    try:
        import jinja2
        import matplotlib
    except ModuleNotFoundError as error:
        raise NotInstalled("Jinja2 and matplotlib", "recognition", str(error)) from error
    del jinja2, matplotlib
    path = folder / f"{name}{_SUFFIX}"
    if path.exists() and not replace:
        raise RecognitionError(f"{path} exists, and it is not to be replaced")


def read_results(folder: Path) -> list[Applied]:
    """What applications wrote to a folder, by name. Raises `RecognitionError` at a JSON file that is no result."""
    return [_read(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]


def _read(path: Path) -> Applied:
    try:
        return Applied.of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RecognitionError(f"{path} cannot be read: {error}") from error
    except RecognitionError as error:
        raise RecognitionError(f"{path}: {error}") from error
