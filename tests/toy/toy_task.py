"""A task as a package brings it, for tests: one letter for each item; and what goes wrong in tasks, when it is asked
for by a submission."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from holotype.benchmark.judged import Metric
from holotype.benchmark.task import item_task
from holotype.errors import PredictionError

METRICS: Final = (
    Metric("error", "lower", "the share of items whose letter is wrong"),
    Metric("distance", "lower", "how far the letters are from the right ones in the alphabet"),
)


def read_truth(path: Path) -> Mapping[str, Any]:
    """The letters of a JSON object."""
    return dict(json.loads(path.read_text()))


def read_submission(path: Path, truth: Mapping[str, Any]) -> Mapping[str, Any]:
    """The letters of a JSON object, for some of the items. Raises `PredictionError`."""
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise PredictionError(f"{path} is no JSON") from error
    if not isinstance(found, dict):
        raise PredictionError(f"{path.name} is no JSON object")
    if "do" in found:
        return dict(DEEDS[found["do"]](truth))
    if unknown := sorted(set(found) - set(truth)):
        raise PredictionError(f"{path}: there is no item {unknown[0]!r}")
    return found


def measure(truth: str, answer: str | None) -> tuple[float, float]:
    """Whether a letter is wrong, and how far it is."""
    return float(answer != truth), float(abs(ord(answer or "z") - ord(truth)))


def _memory(_: Any) -> Mapping[str, Any]:
    return {"x": bytearray(1 << 40)}


def _time(_: Any) -> Mapping[str, Any]:
    while True:
        pass


def _sleep(_: Any) -> Mapping[str, Any]:
    time.sleep(3600)
    return {}


def _crash(_: Any) -> Mapping[str, Any]:
    os._exit(3)


def _tell(truth: Mapping[str, Any]) -> Mapping[str, Any]:
    raise KeyError(f"the truth is {dict(truth)}")


def _print(truth: Mapping[str, Any]) -> Mapping[str, Any]:
    sys.stdout.write(str(truth))
    sys.stderr.write(str(truth))
    os.write(1, b'{"outcome": "scored"}')
    return {}


def _connect(_: Any) -> Mapping[str, Any]:
    try:
        socket.create_connection(("127.0.0.1", 9), 1)
    except PermissionError as error:
        raise PredictionError(f"no network: {error}") from error
    return {}


def _start(_: Any) -> Mapping[str, Any]:
    try:
        subprocess.run(["true"], check=True)
    except PermissionError as error:
        raise PredictionError(f"no children: {error}") from error
    return {}


def _write(_: Any) -> Mapping[str, Any]:
    try:
        with open("big", "wb") as file:
            for _number in range(4):
                file.write(bytes(1 << 20))
    except OSError as error:
        raise PredictionError("no big files") from error
    return {}


def _answers(_: Any) -> Mapping[str, Any]:
    raise PredictionError("\x1b[31m" + "é\n" * 100_000)


DEEDS: Final[Mapping[str, Callable[[Any], Mapping[str, Any]]]] = {
    one.__name__[1:]: one for one in (_memory, _time, _sleep, _crash, _tell, _print, _connect, _start, _write, _answers)
}

TOY = item_task("toy", "a letter for each item", METRICS, read_truth, read_submission, measure)
