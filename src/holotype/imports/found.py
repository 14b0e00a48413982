"""What was found at the paths that a user named."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from holotype.imports.readings import Question, Take
from holotype.imports.shapes import Kind, Source

_ORDER: Final = tuple(Kind)


@dataclass(slots=True)
class Found:
    """What there is: sources by dataset, questions that must be answered first, a line for each path that cannot be
    taken, Parquet files, whose images cannot be read in place, the files that mean nothing here, and the shards whose
    class numbers are `uncounted`."""

    takes: list[Take] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    parquet: list[Path] = field(default_factory=list)
    passed: list[Path] = field(default_factory=list)
    uncounted: list[Path] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How much was found that can be acted on."""
        return len(self.takes) + len(self.questions) + len(self.problems) + len(self.parquet)

    def ask(self, question: Question) -> None:
        """Ask about a file; once only about files of one folder that the same answers may settle."""
        for place, one in enumerate(self.questions):
            common = tuple(choice for choice in one.choices if choice in question.choices)
            differ = {choice.option for choice in {*one.choices, *question.choices} - {*common}}
            if one.path.parent == question.path.parent and common and differ <= {"order"} and not one.path.is_dir():
                self.questions[place] = one._replace(choices=common, others=one.others + 1)
                return
        self.questions.append(question)

    def by_dataset(self, name: str | None) -> dict[str, list[Source]]:
        """The sources of each dataset, images first; all of them under `name` where one is given."""
        found: dict[str, dict[Source, None]] = defaultdict(dict)
        for dataset, source in self.takes:
            found[name or dataset][source] = None
        return {
            dataset: sorted(sources, key=lambda source: (_ORDER.index(source.kind), source.path))
            for dataset, sources in found.items()
        }
