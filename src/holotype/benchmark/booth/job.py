"""What a process that evaluates is told, and what it finds: JSON both ways, for nothing else is believed of it."""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from holotype.benchmark.alike import Hashes
from holotype.benchmark.intervals import RESAMPLES, Estimate
from holotype.benchmark.judged import Floats, Metric
from holotype.benchmark.kept import Kept

LONGEST: Final = 2_000
"""Characters of what a team is told of its file."""
Outcome = Literal["scored", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """Evaluate a `submission` to a `task`, both files, ranked by the metric of a name ("" is the first), where `share`
    of the items is public as `key` draws them."""

    task: str
    truth: Path
    submission: Path
    metric: str
    share: float
    key: bytes
    seed: int = 0
    resamples: int = RESAMPLES

    def text(self) -> str:
        """This as JSON; whoever reads it is in another folder."""
        value = {name: getattr(self, name) for name in ("task", "metric", "share", "seed", "resamples")}
        return json.dumps(
            {**value, "truth": os.path.abspath(self.truth), "submission": os.path.abspath(self.submission)}
            | {"key": self.key.hex()}
        )

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Job:
        """What `text` wrote."""
        made = {"truth": Path(told["truth"]), "submission": Path(told["submission"]), "key": bytes.fromhex(told["key"])}
        return cls(**{**told, **made})


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A submission on one part of the items: what is kept of the metric that ranks, and the estimates of all."""

    kept: Kept
    metrics: Sequence[tuple[Metric, Estimate]]


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What a submission was found to be. `detail` says why it was refused, or what the evaluator failed at; the digests
    are as of `holotype.benchmark.result.Result`. The sides, and the `sketch` of what it says, are those of a scored
    one; `remarks` what the organiser should know of it."""

    outcome: Outcome
    detail: str = ""
    evaluator: str = ""
    truth: str = ""
    digest: str = ""
    hierarchy: str = ""
    public: Side | None = None
    private: Side | None = None
    sketch: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    remarks: Sequence[str] = ()

    def value(self) -> dict[str, Any]:
        """This as JSON values."""
        texts = {name: getattr(self, name) for name in _TEXTS}
        sides = {name: None if side is None else _side(side) for name, side in self._sides()}
        return {**texts, **sides, "sketch": _packed(self.sketch), "remarks": list(self.remarks)}

    def _sides(self) -> Sequence[tuple[str, Side | None]]:
        return ("public", self.public), ("private", self.private)

    @classmethod
    def read(cls, told: Mapping[str, Any], job: Job) -> Finding:
        """What `value` wrote of a job. Raises ValueError, KeyError or TypeError for anything else."""
        if told["outcome"] not in ("scored", "refused", "failed"):
            raise ValueError(f"no outcome is {told['outcome']!r}")
        texts = {name: plain(str(told[name])) for name in _TEXTS}
        sides = {name: _read_side(told[name], job) if told[name] else None for name in ("public", "private")}
        sketch, remarks = _unpacked(told["sketch"], np.uint64), [plain(str(one)) for one in told["remarks"]]
        return cls(**texts, **sides, sketch=sketch, remarks=remarks)  # type: ignore[arg-type]


_TEXTS: Final = ("outcome", "detail", "evaluator", "truth", "digest", "hierarchy")


def plain(text: str) -> str:
    """Text that can be kept and shown: without what cannot be printed, and not too long."""
    shown = "\n".join("".join(one if one.isprintable() else "?" for one in line) for line in text.splitlines())
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ..."


def _side(side: Side) -> dict[str, Any]:
    kept = side.kept
    metrics = [
        {"name": metric.name, "better": metric.better, "about": metric.about, **numbers(found)}
        for metric, found in side.metrics
    ]
    ranked = next(at for at, (metric, _) in enumerate(side.metrics) if metric == kept.metric)
    values = None if kept.values is None else _packed(kept.values)
    return {"items": kept.items, "metrics": metrics, "ranked": ranked, "samples": _packed(kept.samples)} | {
        "values": values
    }


def numbers(found: Estimate) -> dict[str, float | None]:
    """An estimate as JSON values; None where there was nothing to measure."""
    told = {"value": found.value, "low": found.low, "high": found.high}
    return {name: one if math.isfinite(one) else None for name, one in told.items()}


def _read_side(told: Mapping[str, Any], job: Job) -> Side:
    metrics = [(_metric(one), estimate(one)) for one in told["metrics"]]
    metric, found = metrics[int(told["ranked"])]
    items, samples = int(told["items"]), _unpacked(told["samples"], np.float64)
    values = None if told["values"] is None else _unpacked(told["values"], np.float64)
    if len(samples) not in (0, job.resamples) or (values is not None and len(values) != items):
        raise ValueError("numbers of another length than they should have")
    return Side(Kept(metric, items, found, samples, values), metrics)


def _metric(told: Mapping[str, Any]) -> Metric:
    if told["better"] not in ("lower", "higher"):
        raise ValueError(f"no number is better {told['better']!r}")
    return Metric(plain(str(told["name"])), told["better"], plain(str(told["about"])))


def estimate(told: Mapping[str, Any]) -> Estimate:
    """What `numbers` wrote."""
    value, low, high = (float("nan") if told[name] is None else float(told[name]) for name in ("value", "low", "high"))
    return Estimate(value, low, high)


def _packed(values: Floats | Hashes) -> str:
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode()


def _unpacked(text: str, kind: type[np.generic]) -> npt.NDArray[Any]:
    found = np.frombuffer(base64.b64decode(text, validate=True), np.dtype(kind).newbyteorder("<"))
    return found.astype(kind)
