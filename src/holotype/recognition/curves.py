"""Learning curves of a run, drawn from its log."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holotype.errors import RecognitionError
from holotype.files import write_atomically
from holotype.recognition.runs import LOG
from holotype.statistics.pages import COLOUR, INK, PALE, drawing

CURVES: Final = "curves.png"
_SECOND: Final = "#d95f02"
_DPI: Final = 130


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's ``log.jsonl``, one an epoch, [] where there is none. Raises `RecognitionError`."""
    path = folder / LOG
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    except (OSError, ValueError) as error:
        raise RecognitionError(f"{path} is no log of a run: {error}") from error


def draw_curves(folder: Path) -> None:
    """Write ``curves.png`` to a run's folder; nothing where no epoch is over, or Matplotlib is not installed."""
    lines = read_log(folder)
    try:
        picture = curves(lines) if lines else b""
    except ImportError:
        return
    if picture:
        write_atomically(folder / CURVES, picture)


def curves(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """A PNG of the lines of a log: the loss with the learning rate by epochs, and, where there are scores, the errors
    of the first guess and of five."""
    with drawing():
        from matplotlib.figure import Figure

        scored = "top1" in lines[0]
        figure = Figure(figsize=(8.4 if scored else 4.4, 3.2), layout="constrained")
        axes = figure.subplots(1, 2 if scored else 1, squeeze=False)[0]
        epochs = [line["epoch"] + 1 for line in lines]
        _loss(axes[0], epochs, lines)
        if scored:
            _errors(axes[1], epochs, lines)
        held = io.BytesIO()
        figure.savefig(held, format="png", dpi=_DPI, metadata={"Software": None})
    return held.getvalue()


def _loss(axes: Any, epochs: Sequence[int], lines: Sequence[Mapping[str, Any]]) -> None:
    axes.plot(epochs, [line["loss"] for line in lines], color=COLOUR, marker=_marker(epochs))
    axes.set(ylabel="loss in training")
    _of_epochs(axes)
    axes.yaxis.label.set_color(COLOUR)
    if "lr" in lines[0]:
        other = axes.twinx()
        other.plot(epochs, [line["lr"] for line in lines], color=INK, linewidth=0.9, linestyle="--", alpha=0.6)
        other.set(ylabel="learning rate", ylim=(0, None))
        other.spines["right"].set_visible(True)
        other.spines["right"].set_color(PALE)


def _errors(axes: Any, epochs: Sequence[int], lines: Sequence[Mapping[str, Any]]) -> None:
    for name, text, colour in (("top1", "first guess", COLOUR), ("top5", "five guesses", _SECOND)):
        axes.plot(epochs, [1 - line[name] for line in lines], color=colour, label=text, marker=_marker(epochs))
    axes.set(ylabel="error on validation", ylim=(0, 1))
    _of_epochs(axes)
    axes.grid(axis="y", color=PALE, linewidth=0.4)
    axes.legend(frameon=False)


def _of_epochs(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _marker(epochs: Sequence[int]) -> str:
    """A single epoch is a point: no line goes through it."""
    return "o" if len(epochs) == 1 else ""
