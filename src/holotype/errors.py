"""Every error holotype raises on purpose.

::

    HolotypeError
    ├── OntologyError
    │   ├── WordNetNotFound      no WordNet database files where we looked
    │   ├── WrongWordNet         found, but not version 3.0
    │   ├── InvalidTaxonomy      concepts that make no ontology
    │   ├── UnknownSynset        no such wnid or lemma (also a KeyError)
    │   └── AmbiguousLemma       a lemma with several senses where one is needed
    │       ├── AmbiguousFolders     folders that are called so
    │       └── AmbiguousLabels      labels of a tool that are called so
    ├── ProjectError             a project is here already, or cannot be used
    │   ├── NoProject            no project here
    │   ├── OntologyExtended     another process has extended the ontology meanwhile
    │   └── Overloaded           too much waits to be written
    ├── SourceError              images could not be fetched or listed
    │   ├── NoContact            nothing says how to reach whoever collects
    │   ├── NotFetched           a URL was not fetched, with a fixed reason
    │   ├── SourceBusy           a source asks to come back later
    │   └── SourceRefused        a source does not answer this, or us, at all
    │       └── PassExpired      the pass that it gave us is not valid any more
    ├── PackError                a pack is damaged or in use
    │   ├── BucketError          an object store cannot be used as it should
    │   │   ├── BucketGone           there is no such object
    │   │   ├── ObjectExists         there is another object of that name
    │   │   └── ObjectChanged        an object is another than it was
    │   └── NoBucketSupport      what speaks to object stores is not installed
    ├── ArchiveError             an archive is damaged, hostile, not what its name says, or has changed
    │   └── ForeignFiles         a release names files that nobody has allowed to be read
    ├── OverAllowance            reading in an object store needs more requests or bytes than are allowed
    ├── QueryError               a query cannot be understood
    ├── LicenceError             a word for licences is none
    ├── CrowdError               a page or a vote that does not fit the campaign
    │   ├── UnknownWorker        nobody of that name has voted
    │   ├── UnknownImage         no image, or no candidate, is called so
    │   ├── AmbiguousImage       several images are called so
    │   ├── AlreadyPlanned       an audit of another size
    │   ├── ContradictedGold     an answer that gold says otherwise of
    │   ├── NotLent              a page that is not the worker's
    │   └── PlatformError        a crowd platform could not be reached, or refused
    ├── ReleaseError             a release cannot be made, read or verified
    │   ├── NothingAccepted      no image is labelled yes
    │   ├── OutvotedImages       images are accepted against more noes than yeses
    │   ├── UnlookedImages       images that nobody looked for faces on
    │   └── OtherMaking          another release was begun at a place in an object store
    ├── FaceError                faces cannot be looked for, or said to be where they are
    │   └── NoDetector           what finds faces is not installed
    ├── RecognitionError         a network cannot be made, trained or asked
    │   ├── NotInstalled         what it needs is an extra that is not installed
    │   ├── UnknownNetwork       no network is called so
    │   ├── AlreadyApplied       an application has a result there
    │   ├── Diverged             a loss is no number any more
    │   ├── RunExists            there is a run in that folder already
    │   ├── OtherRun             what is to go on is another run
    │   ├── UnfinishedRun        a run has no weights yet
    │   ├── NotEmbedded          there are no embeddings, or none of what is asked about
    │   ├── SeveralEmbeddings    there are several, and none is named
    │   └── OtherWeights         embeddings of that name are another model's
    ├── PredictionError          a predictions file is not acceptable
    ├── BenchmarkError           a benchmark, or what is asked of it, cannot be
    │   ├── UnknownBenchmark     no benchmark is called so
    │   └── NotTaken             a submission is not taken now
    ├── AccountError             a name, a role or an invitation cannot be
    └── EngineError              work cannot be done where it was to be
        └── NoRay                what a cluster needs is an extra that is not installed

Errors carry values and speak of the domain. The face that shows them adds what to do in its own words: the command line
prints one line, and one more for each of several senses (see `holotype.cli.remedies`), and exits with 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_SHOWN: Final = 80
"""Characters that are shown of a value."""


class HolotypeError(Exception):
    """The root of every error holotype raises on purpose. They pickle, whatever they are made with."""

    def __reduce__(self) -> tuple[object, ...]:
        return _as_it_was, (type(self), self.args), vars(self)


def _as_it_was(kind: type[HolotypeError], said: tuple[object, ...]) -> HolotypeError:
    return kind.__new__(kind, *said)


class OntologyError(HolotypeError):
    """Something is wrong with an ontology or a question to it."""


class WordNetNotFound(OntologyError):
    """No WordNet database files where we looked."""


class WrongWordNet(OntologyError):
    """WordNet files were found, but not of version 3.0."""


class InvalidTaxonomy(OntologyError):
    """Concepts make no ontology: `problems` says how many errors they hold, the message which is the first."""

    def __init__(self, message: str, problems: int) -> None:
        super().__init__(message)
        self.problems = problems


class UnknownSynset(OntologyError, KeyError):
    """No synset has this wnid or lemma."""

    def __str__(self) -> str:
        return str(self.args[0])


class AmbiguousLemma(OntologyError):
    """A lemma with several senses was given where one synset is needed: `senses` are their wnids, by lemma."""

    def __init__(self, message: str, senses: Mapping[str, Sequence[str]]) -> None:
        super().__init__(message)
        self.senses = senses


class AmbiguousFolders(AmbiguousLemma):
    """Folders are called by lemmas with several senses."""


class AmbiguousLabels(AmbiguousLemma):
    """Labels of an annotators' tool are called by lemmas with several senses."""


class ProjectError(HolotypeError):
    """There is a project here already, or it cannot be used."""


class NoProject(ProjectError):
    """There is no project in `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no holotype project in {path}")
        self.path = path


class OntologyExtended(ProjectError):
    """Another process has extended the project's ontology: what is known of ranks here is of before."""


class Overloaded(ProjectError):
    """Too much waits to be written: come back in a moment."""


class SourceError(HolotypeError):
    """Images could not be fetched or listed."""


class NoContact(SourceError):
    """Nothing says how to reach whoever collects, and no server is asked for anything without."""


class NotFetched(SourceError):
    """A URL was not fetched: `reason` is one of `holotype.collect.net.reasons.REASONS`, `detail` says more.

    `again` says that it may be otherwise soon.
    """

    def __init__(self, reason: str, detail: str = "", *, again: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.again = again


class SourceBusy(SourceError):
    """A source asks to come back later: in `seconds`, or None where it does not say."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class SourceRefused(SourceError):
    """A source does not answer: nothing that is asked of it if `whole`, or this question alone."""

    def __init__(self, message: str, whole: bool = False) -> None:
        super().__init__(message)
        self.whole = whole


class PassExpired(SourceRefused):
    """The pass that a source gave us for a key is not valid any more: another will do."""


class PackError(HolotypeError):
    """A pack is damaged or in use."""


class BucketError(PackError):
    """An object store cannot be used as it should: `url` says where, `reason` why."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.reason = url, reason


class BucketGone(BucketError):
    """There is no object at `url`."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "there is no such object")


class ObjectExists(BucketError):
    """Somebody else has written an object at `url`, and it is never written over."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "it is there already, with other bytes: somebody else writes there")


class ObjectChanged(BucketError):
    """The object at `url` is another than it was when it was opened."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "it is another object than it was")


class NoBucketSupport(PackError):
    """The library that speaks to object stores is not installed."""

    def __init__(self) -> None:
        super().__init__("what speaks to object stores is not installed")


class ArchiveError(HolotypeError):
    """An archive, or a file that comes with one, is damaged, hostile, not what its name says, or has changed."""


class OverAllowance(HolotypeError):
    """Reading the headers of the object at `url` needs more requests, or more bytes, than are allowed in all."""

    def __init__(self, url: str, needed: str, allowed: str) -> None:
        super().__init__(f"{url} needs {needed}, and {allowed} are allowed; nothing was added")
        self.url = url


class ForeignFiles(ArchiveError):
    """The release in `path` says that its images lie in `files`, which nobody has allowed to be read: who made it may
    have named anything that lies on this disk."""

    def __init__(self, path: Path | str, files: Sequence[str]) -> None:
        left = len(files) - 1
        more = f" and {left:,} more file{'' if left == 1 else 's'}" if left else ""
        super().__init__(
            f"the release in {path} says that its images lie in {files[0]}{more}, outside of its folder: what others "
            "made could name any file on this disk, so nothing there is read unless its folder is allowed"
        )
        self.path, self.files = path, tuple(files)


class QueryError(HolotypeError):
    """A query cannot be understood, or asks for what is not recorded."""


class LicenceError(HolotypeError):
    """A word that licences are called by is none of those that there are."""


class CrowdError(HolotypeError):
    """A page or a vote does not fit the campaign."""


class UnknownImage(CrowdError):
    """No image, or no candidate, is called so: `lines` has one for each name."""

    def __init__(self, lines: Sequence[str], message: str = "") -> None:
        super().__init__(message or lines[0])
        self.lines = list(lines) if message or len(lines) > 1 else []


class AmbiguousImage(CrowdError):
    """Several images are called so: `lines` has one for each that may be meant."""

    def __init__(self, lines: Sequence[str], message: str = "") -> None:
        super().__init__(message or "several images are called so: say which, by more of the path or the sha256")
        self.lines = list(lines)


class AlreadyPlanned(CrowdError):
    """`wnid` has a plan to audit `planned` labels, and another number was asked for."""

    def __init__(self, wnid: str, planned: int, size: int) -> None:
        super().__init__(
            f"{wnid} has a plan to audit {planned:,} labels, not {size:,}; another one takes a fresh draw, "
            "which is counted"
        )
        self.wnid, self.planned = wnid, planned


class UnknownWorker(CrowdError):
    """Nobody called `name` has voted."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no worker is called {name!r}")
        self.name = name


class ContradictedGold(CrowdError):
    """`count` answers contradict what gold says, or were withdrawn."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count:,} of these answers contradict what gold says, or were withdrawn: correct the gold")
        self.count = count


class NotLent(CrowdError):
    """A page that was not lent to a worker, or does not exist: which of both is not told."""

    def __init__(self, page: str) -> None:
        super().__init__(f"page {page[:64]!r} was not given to you")
        self.page = page


class PlatformError(CrowdError):
    """A crowd platform could not be reached, or refused; `code` is its own name for why, where it has one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ReleaseError(HolotypeError):
    """A release cannot be made, read or verified."""


class NothingAccepted(ReleaseError):
    """A release is asked for where no image is labelled yes."""


class OutvotedImages(ReleaseError):
    """`count` images are accepted against more noes than yeses."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count:,} images are accepted against more noes than yeses")
        self.count = count


class UnlookedImages(ReleaseError):
    """Images that are to be released with faces blurred, on which nobody looked for any."""

    def __init__(self, count: int) -> None:
        super().__init__(f"faces were not looked for in {count:,} of the images")
        self.count = count


class OtherMaking(ReleaseError):
    """At `url` another release was begun, and nothing tells that nobody is making it any more."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"another release was begun at {url}, of other labels, in another way or by another version, and is not "
            "finished: choose another name"
        )
        self.url = url


class FaceError(HolotypeError):
    """Faces cannot be looked for, or said to be where they are."""


class NoDetector(FaceError):
    """What finds faces is not installed."""


class RecognitionError(HolotypeError):
    """A network, or another model, cannot be made, trained or asked."""


class NotInstalled(RecognitionError):
    """What is needed is not installed: it comes with `extra`; `why` it cannot be used, where it is there."""

    def __init__(self, what: str, extra: str, why: str = "") -> None:
        super().__init__(f"this needs {what}, an extra: pip install 'holotype[{extra}]'{f' ({why})' if why else ''}")
        self.what, self.extra, self.why = what, extra, why


class UnknownNetwork(RecognitionError):
    """No network is called so, nor is a run in a folder of that name; `near` are names that are much like it."""

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        like = f", but {', '.join(near)}" if near else ""
        super().__init__(f"there is no network {name[:_SHOWN]!r}{like}")
        self.name, self.near = name, near


class AlreadyApplied(RecognitionError):
    """An application has a result at a `path`, which is not to be replaced."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} holds a result already")
        self.path = path


class Diverged(RecognitionError):
    """A loss or its gradient is no number any more, at a `step` of an `epoch`, both from 0, which the message counts
    from 1; `kept` is the last good checkpoint."""

    def __init__(self, epoch: int, step: int, kept: str) -> None:
        where = f"; the last good checkpoint is {kept}" if kept else "; there is no checkpoint yet"
        super().__init__(f"loss or gradient is no number in epoch {epoch + 1}, step {step + 1}{where}")
        self.epoch, self.step, self.kept = epoch, step, kept


class RunExists(RecognitionError):
    """There is a run in a `folder` already, which nobody asked to go on with."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"there is a run in {folder} already")
        self.folder = folder


class UnfinishedRun(RecognitionError):
    """The run in a `folder` is not over, and has no weights yet, but checkpoints at most."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the run in {folder} is not over, and has no weights yet")
        self.folder = folder


class OtherRun(RecognitionError):
    """What is to go on was begun with something else: `differing` says what, then and now."""

    def __init__(self, differing: Mapping[str, tuple[object, object]]) -> None:
        told = "; ".join(_told_apart(name, was, now) for name, (was, now) in differing.items())
        super().__init__(f"this is another run than the one that was begun: {told}")
        self.differing = differing


def _told_apart(name: str, was: object, now: object) -> str:
    """What is different of a value then and now; of lists the first that is."""
    if isinstance(was, list) and isinstance(now, list):
        pairs = enumerate(zip(was, now, strict=False))
        place = next((place for place, (one, other) in pairs if one != other), min(len(was), len(now)))
        name = f"{name}, of {len(was):,} then and {len(now):,} now, at {place}"
        was, now = (str(held[place]) if place < len(held) else "none" for held in (was, now))
    return f"{name} was {str(was)[:_SHOWN]}, and is {str(now)[:_SHOWN]}"


class NotEmbedded(RecognitionError):
    """There are no embeddings, none of that name, or none of an image that is asked about."""


class SeveralEmbeddings(RecognitionError):
    """There are embeddings by several models, and none is named; `names` are theirs."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"say which embeddings are meant: {', '.join(map(repr, names))}")
        self.names = tuple(names)


class OtherWeights(RecognitionError):
    """The embeddings called `name` were made by another model, or by the same one with other weights."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"the embeddings {name!r} were made by another model: {why}")
        self.name = name


class PredictionError(HolotypeError):
    """A predictions file is not acceptable."""


class BenchmarkError(HolotypeError):
    """A benchmark, a team or a submission cannot be, or cannot become what is asked for."""


class UnknownBenchmark(BenchmarkError):
    """No benchmark is called so."""


class NotTaken(BenchmarkError):
    """A submission is not taken: the benchmark is closed, or the team's day is spent."""


class AccountError(HolotypeError):
    """A name, a role or an invitation cannot be, or is another's."""


class EngineError(HolotypeError):
    """Work cannot be done where it was to be: there is no such engine, the cluster does not answer, has no room or is
    of another version, or what is to be done cannot be sent there."""


class NoRay(EngineError):
    """What a cluster needs is not installed; `why` says what is missing."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a cluster needs Daft and Ray, an extra: pip install 'holotype[ray]' ({why})")
        self.why = why
