"""What simulated people see of a project's images, and what is known of its own people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from holotype.boxes.rules import Rules
from holotype.boxes.tally import Subject
from holotype.boxes.values import Corners
from holotype.catalog import box_conclusions, box_subjects
from holotype.project.box_courses import last_rules
from holotype.project.box_records import read_boxes, read_given
from holotype.simulation.box_fitting import BoxHistory
from holotype.simulation.box_rehearsal import Picture
from holotype.simulation.scenes import ILSVRC, Scenes, made_boxes


def pictures(connection: Connection, asked: Sequence[int], scenes: Scenes = ILSVRC) -> list[Picture]:
    """The candidates `asked` about whose images can be seen, each with the boxes that archives and annotators say there
    are, or made ones, as many as `scenes` have."""
    said: Mapping[tuple[str, str], Sequence[Corners]] = box_conclusions.said_of_digests(connection)
    found = []
    for one in box_subjects.subjects(connection, asked):
        true = said.get((one.sha256, one.wnid)) or made_boxes(one.sha256, one.wnid, one.width, one.height, scenes)
        found.append(Picture(Subject(*one), tuple(true)))
    return found


def history(connection: Connection) -> BoxHistory:
    """The campaign for boxes so far, by the rules as last."""
    tally = read_boxes(connection)
    tally.conclude(last_rules(connection) or Rules())
    return BoxHistory.of(tally, read_given(connection))
