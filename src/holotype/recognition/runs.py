"""What is known of a run: the folder of a network that was trained here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from holotype.errors import RecognitionError
from holotype.recognition.preprocessing import Preprocessing

RUN: Final = "run.json"
WEIGHTS: Final = "weights.safetensors"
LOG: Final = "log.jsonl"
CHECKPOINTS: Final = "checkpoints"
FORMAT: Final = 1
NO_SOURCE: Final[Mapping[str, Any]] = {}
"""What is said of where samples are from, by somebody who does not know."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A network that was trained: its `model` by name, `classes` by wnid, and all else that ``run.json`` says."""

    folder: Path
    model: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    value: Mapping[str, Any]


def is_run(name: str) -> bool:
    """Whether a name is the folder of a run."""
    return os.path.isfile(Path(name) / RUN)  # also where the name is too long for a file


def read_run(folder: Path) -> RunInfo:
    """What ``run.json`` in a folder says. Raises `RecognitionError` where there is none, or it is no run's."""
    path = folder / RUN
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != FORMAT:
            raise RecognitionError(f"{path} has format {value['format']!r}; this holotype reads {FORMAT}")
        return RunInfo(
            folder, str(value["model"]), classes_of(value["classes"]), Preprocessing.of(value["preprocessing"]), value
        )
    except FileNotFoundError as error:
        raise RecognitionError(f"there is no run in {folder}") from error
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise RecognitionError(f"{path} is no description of a run: {error!r}") from error


def classes_of(value: Any) -> tuple[str, ...]:
    """The classes that a run says it has: texts, each once. Raises ValueError where they are something else."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("its classes are no list of texts")
    if len(set(value)) < len(value):
        raise ValueError("a class is there twice")
    return tuple(value)
