"""What people said of candidates, and took back."""

from __future__ import annotations

from collections.abc import Sequence

from holotype.cli.text import moment, print_json, print_listing
from holotype.consensus.votes import Answer, Statement


def print_statements(said: Sequence[Statement], by: str, as_json: bool) -> None:
    """What people said of candidates, one a line or as JSON; `by` is what whoever said it is called."""
    answers = {None: "withdrawn", Answer.NO: "no", Answer.YES: "yes"}
    columns = "sha256", "wnid", "answer", by, "reason", "at"
    rows = [(one.sha256, one.wnid, answers[one.answer], one.by, one.reason, one.at) for one in said]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_listing(columns, [(*row[:-1], moment(one.at)) for row, one in zip(rows, said, strict=True)])
