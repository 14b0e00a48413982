"""From archives where they lie to images in the catalog: what is wrong is found before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, TypeVar

from sqlalchemy import Connection

from holotype.catalog import datasets as dataset_rows
from holotype.engine import map_batches
from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.annotations import annotation_parts, read_annotations
from holotype.imports.devkit import Devkit, read_devkit
from holotype.imports.journal import Journal
from holotype.imports.lists import read_marks, read_texts, read_urls
from holotype.imports.opened import expected_cost
from holotype.imports.reports import ImportReport, SourceReport
from holotype.imports.scan import Part, kind_of_tar, scan_tar, scan_tree
from holotype.imports.shapes import ANNOTATIONS, OFFICIAL_TARS, TARS, Kind, Source
from holotype.imports.trees import scan_paths
from holotype.imports.webdataset import scan_shard
from holotype.lint.blemishes import rating
from holotype.project.dataset_said import Advance, Said, Terms
from holotype.project.dataset_write import Publication
from holotype.project.one_process import IMPORTS, turn
from holotype.project.parts import Parts
from holotype.store.allowance import Allowance, Cost
from holotype.store.objects import ObjectPath
from holotype.store.opening import state_of

Value = TypeVar("Value")
_AT_ONCE: Final = 16


class Importer:
    """Imports sources into one dataset of a project; scans are kept in its folder until all are done."""

    def __init__(self, parts: Parts, dataset: str, terms: Terms, allowance: Allowance | None = None) -> None:
        self._store = parts.store
        self._ontology = parts.ontology  # now, for the catalog is told which it is
        self._catalog = parts.catalog
        self._dataset = dataset
        self._journals = parts.folder / "imports"
        self._terms = terms
        self._allowance = allowance or Allowance()

    def run(
        self,
        sources: Sequence[Source],
        advance: Advance,
        problems: Sequence[str] = (),
        expect: Callable[[Source, Cost], None] = lambda *_: None,
    ) -> ImportReport:
        """Scan every source, then write everything in one transaction. `expect` is told what a tar in an object store
        will take, before any is scanned.

        Raises `ArchiveError` with one line for each source that is not as it should be, `problems` first; the catalog
        is then as it was, and sources that were sound need not be scanned again. Raises `OverAllowance` where too much
        is asked of object stores.
        """
        with self.alone():
            lines = list(problems)
            distinct = _distinct(source for source in sources if source.kind is not Kind.OTHER)
            unchanged = self._unchanged(distinct)
            changed = [source for source in distinct if source not in unchanged]
            before = asked(distinct)
            self._check_costs(changed, expect)
            scans = _tried(lines, changed, lambda source: self.scan(source, advance))
            full = [(source, said) for source, said in scans if said.holds_something]
            if not (full or unchanged or lines):
                lines = [f"{source.path} holds no images of ImageNet{_besides(said)}" for source, said in scans]
            if lines:
                raise ArchiveError("\n".join(lines))
            report = self._catalog.transact(lambda connection: self._publish(connection, unchanged, full, advance))
            for _, said in scans:
                if said.journal is not None:
                    said.journal.clear()
        empty = [
            SourceReport(source, passed_over=said.passed_over) for source, said in scans if (source, said) not in full
        ]
        other = [SourceReport(source) for source in sources if source.kind is Kind.OTHER]
        requests, received = (now - then for now, then in zip(asked(distinct), before, strict=True))
        return replace(report, sources=(*report.sources, *empty, *other), requests=requests, received=received)

    def _check_costs(self, sources: Sequence[Source], expect: Callable[[Source, Cost], None]) -> None:
        """Raise `OverAllowance` where the tars in object stores seem to need more than is allowed."""
        remote = [one for one in sources if one.kind in TARS and isinstance(one.path, ObjectPath)]
        requests = received = 0
        costs = map_batches(_needed, remote, workers=_AT_ONCE, kind="threads")
        for source, needed in zip(remote, costs, strict=True):
            expect(source, needed)
            requests, received = requests + needed.requests, received + needed.received
            self._allowance.check(str(source.path), requests, received)

    def _publish(
        self,
        connection: Connection,
        unchanged: Sequence[Source],
        scans: Sequence[tuple[Source, Said]],
        advance: Advance,
    ) -> ImportReport:
        problems: list[str] = []
        publication = self.publication(connection, advance)
        said = dict(scans)
        reports = _tried(problems, list(said), lambda source: publication.take(source, said[source]))
        if problems:
            raise ArchiveError("\n".join(problems))
        same = [SourceReport(source, unchanged=True) for source in unchanged]
        return ImportReport(self._dataset, (*same, *(report for _, report in reports)))

    def publication(self, connection: Connection, advance: Advance) -> Publication:
        """What writes to the dataset, within one transaction."""
        return Publication(connection, self._ontology, self._store, self._dataset, self._terms, advance)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else imports into this project meanwhile: the journals are shared."""
        self._journals.mkdir(exist_ok=True)
        with turn(self._journals.parent, self._catalog, IMPORTS) as ours:
            if not ours:
                raise ArchiveError("another import into this project is running; wait until it is done")
            yield

    def _unchanged(self, sources: Sequence[Source]) -> list[Source]:
        """The tars that lie as they lay when they were imported, by size and time; what shards say is read anew, and
        so is everything where labels may change."""
        if self._terms.relabel:
            return []
        with self._catalog.read() as connection:
            rows = dataset_rows.files(connection, self._dataset)
        held = {(row.kind, row.path, (row.size, row.mtime_ns)) for row in rows}
        tars = [source for source in sources if source.kind in OFFICIAL_TARS]
        return [source for source in tars if (source.kind, source.absolute, state_of(source.path)) in held]

    def scan(self, source: Source, advance: Advance) -> Said:
        """Everything a source says, found to be sound."""
        if printable(source.path) != str(source.path):
            raise ArchiveError(f"{printable(source.path)}: a path that is not UTF-8 cannot be remembered; rename it")
        if source.kind is Kind.DEVKIT:
            return _devkit(read_devkit(source.path))
        if source.kind is Kind.URLS:
            if not any(line is not None for line in read_urls(source.path)):
                raise ArchiveError(f"{source.path} holds no line of an image's name and a URL")
            return Said()
        if source.kind in (Kind.MARKS, Kind.TEXTS):
            return Said(marks=tuple(_marks(source)))
        return self._journalled(source, advance)

    def _journalled(self, source: Source, advance: Advance) -> Said:
        tar = source.kind in TARS
        if (state := state_of(source.path)) is None:
            raise ArchiveError(f"{source.path} is not there any more")
        size, mtime_ns = state
        remote = isinstance(source.path, ObjectPath)
        journal = Journal.of(self._journals, source, size, mtime_ns)
        passed_over: list[str] = []

        def scan(start: int) -> Iterator[Part]:
            if source.kind in ANNOTATIONS:
                return annotation_parts(read_annotations(source))
            if source.layout is not None:
                stage = "headers" if size else "files"
                return scan_paths(source, source.layout, start, lambda at: advance(stage, at, size), self._allowance)
            if source.kind is Kind.TREE:
                return scan_tree(source.path, source.split, passed_over)
            if source.kind is Kind.SHARD:
                return scan_shard(source.path, source.split, source.classes, self._allowance)
            return scan_tar(source, start, lambda at: advance("headers", at, size), self._allowance)

        if source.kind in OFFICIAL_TARS and kind_of_tar(source.path) is not source.kind:
            raise ArchiveError(f"{source.path} has changed while it was looked at")
        journal.complete(scan, resume=tar, anew=source.path.is_dir())
        if remote and state_of(source.path) != state:
            journal.clear()
            raise ArchiveError(f"{source.path} was replaced while it was read: nothing of it was taken")
        passed = len(passed_over) + journal.passed_over()
        return Said(size, mtime_ns, journal, passed_over=passed, left=journal.left())


def _needed(source: Source) -> Cost:
    """About what the headers of a tar take; nothing where it is none: that is told by its scan."""
    try:
        return expected_cost(source)
    except ArchiveError:
        return Cost(0, 0)


def asked(sources: Iterable[Source]) -> tuple[int, int]:
    """How many requests this process made to the object stores that some sources lie in, and the bytes that came."""
    buckets = {source.path.bucket for source in sources if isinstance(source.path, ObjectPath)}
    return sum(one.requests for one in buckets), sum(one.received for one in buckets)


def _besides(said: Said) -> str:
    return f", but {said.passed_over:,} links or others" if said.passed_over else ""


def _distinct(sources: Iterable[Source]) -> list[Source]:
    """Each file and folder once, however its path is written."""
    return list({(source.kind, source.absolute, source.mark): source for source in sources}.values())


def _marks(source: Source) -> Iterator[tuple[str, str, str]]:
    for wnid, value in (read_marks if source.kind is Kind.MARKS else read_texts)(source.path):
        if source.mark == "imageability":
            rating(wnid, value)
        yield wnid, source.mark, value


def _devkit(devkit: Devkit) -> Said:
    marks = [(wnid, "ilsvrc2012_id", str(number)) for number, wnid in enumerate(devkit.meta.wnids, 1)]
    marks += [(wnid, "words", text) for wnid, text in devkit.meta.words.items()]
    marks += [(wnid, "gloss", text) for wnid, text in devkit.meta.glosses.items()]
    return Said(labels=devkit.truth, marks=tuple(marks))


def _tried(
    problems: list[str], sources: Sequence[Source], work: Callable[[Source], Value]
) -> list[tuple[Source, Value]]:
    """`work` of every source that can be taken; one line in `problems` for each that cannot."""
    done = []
    for source in sources:
        try:
            done.append((source, work(source)))
        except ArchiveError as error:
            problems.append(" ".join(str(error).split()))
    return done
