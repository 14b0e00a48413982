"""What a page of an evaluation is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from holotype.benchmark.analysis.properties import Properties
from holotype.benchmark.intervals import Drawn
from holotype.benchmark.judged import Judged
from holotype.benchmark.report.pictures import ReadPicture
from holotype.benchmark.result import Result
from holotype.benchmark.task import Task
from holotype.benchmark.values import Boxes
from holotype.ontology import Ontology


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """What `evaluate` was told and found, of submissions called `names`."""

    task: Task[Any, Any]
    truth: Any
    names: Sequence[str]
    submissions: Sequence[Any]
    results: Sequence[Result]
    judges: Sequence[Judged]
    drawn: Drawn


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What a page shows beside: names and subtrees of an `ontology`, tables by `properties` and by the `boxes` that are
    known of the images, pictures that can be read, and by which metric submissions are ranked."""

    ontology: Ontology | None = None
    properties: Sequence[Properties] = ()
    read_picture: ReadPicture = field(default=lambda _: None)
    metric: int = 0
    boxes: Boxes | None = None
