"""Answers from CSV files, which may be anything: read defensively."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from holotype.consensus.votes import Answer
from holotype.errors import AmbiguousImage, CrowdError, UnknownImage
from holotype.files import printable
from holotype.images.decode import EXTENSIONS
from holotype.project.images import Named
from holotype.textlists import read_rows

ANSWERS = ("sha256", "wnid", "answer")
AUDIT = ("sha256", "wnid", "name", "answer")
PRIORS = ("sha256", "wnid", "chance")
IMAGE: Final = ("sha256", "image", "id", "file", "file_name")
SYNSET: Final = ("wnid", "synset")
SAID: Final = ("answer", "label")
"""What the columns of an image, a synset and an answer may be called, the best first."""
_CALLED: Final = MappingProxyType({names[0]: names for names in (IMAGE, SYNSET, SAID)})
WORDS: Final = MappingProxyType(
    {
        "yes": Answer.YES,
        "no": Answer.NO,
        "unsure": Answer.UNSURE,
        "y": Answer.YES,
        "n": Answer.NO,
        "?": Answer.UNSURE,
    }
)
"""What people write for an answer."""
_Said = TypeVar("_Said")


def read_answers(path: Path) -> dict[tuple[str, str], bool]:
    """Yes and no by image and synset, as they are named there."""
    sure = {word: answer is Answer.YES for word, answer in WORDS.items() if answer is not Answer.UNSURE}
    return read_csv(path, ANSWERS, choice(sure))


def choice(known: Mapping[str, _Said]) -> Callable[[str], _Said]:
    """A reader of one of some words."""

    def read(said: str) -> _Said:
        if said not in known:
            raise ValueError(f"must be {' or '.join(word or 'empty' for word in known)}")
        return known[said]

    return read


def chance(said: str) -> float:
    """A reader of chances."""
    try:
        value = float(said.replace(",", "."))
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise ValueError("must be between 0 and 1")
    return value


def read_csv(path: Path, header: Sequence[str], read: Callable[[str], _Said]) -> dict[tuple[str, str], _Said]:
    """What the last column of a CSV says, by image and synset, as they are named there.

    The columns of `header` may be called otherwise, as in files of votes. Raises `CrowdError` for a file that is not
    one, or contradicts itself.
    """
    rows = read_rows(path, CrowdError)
    if not _is_header(given := next(rows, (1, []))[1], header):
        raise CrowdError(f"{printable(path)}: the header must be {_wanted(header, given)}")
    found: dict[tuple[str, str], _Said] = {}
    for number, row in rows:
        where, said = f"{printable(path)}, line {number}", row[-1].lower()
        try:
            if len(row) != len(header):
                raise ValueError(f"must be the last of {len(header)} cells")
            value = read(said)
        except ValueError as error:
            raise CrowdError(f"{where}: the {header[-1]} {error}, not {said[:40]!r}") from error
        if found.setdefault((row[0], row[1]), value) != value:
            raise CrowdError(f"{where}: a row above says the contrary")
    return found


def _is_header(given: Sequence[str], header: Sequence[str]) -> bool:
    """Whether columns are those of `header`, by any of their names."""
    names = [name.lower() for name in given]
    return len(names) == len(header) and all(
        name in _CALLED.get(one, (one,)) for name, one in zip(names, header, strict=True)
    )


def _wanted(header: Sequence[str], given: Sequence[str]) -> str:
    others = "; ".join(f"{one} may be called {' or '.join(_CALLED[one][1:])}" for one in header if one in _CALLED)
    return f"{','.join(header)} ({others}), not {','.join(given)[:80]!r}"


def read_pairs(
    texts: Sequence[str], known: Collection[tuple[str, str]], called: Callable[[str], Sequence[Named]]
) -> list[tuple[str, str]]:
    """(sha256, wnid) named by files and by images, each once; what files say is as it is named there.

    A file is a CSV whose header begins with sha256,wnid, or what else these may be called. An image is named as
    everywhere: `called` tells which a text may mean. It stands for all of its pairs in `known`.

    Raises `CrowdError` for what is neither, `UnknownImage` for an image that is not in `known`, and `AmbiguousImage`.
    """
    found = [pair for text in texts for pair in (_of_file(text) if _is_table(text) else _of_image(text, known, called))]
    return list(dict.fromkeys(found))


_TABLES = frozenset((".csv", ".txt", ".tsv"))
_IMAGES = frozenset((*EXTENSIONS.values(), "jpeg", "tiff"))


def _is_table(text: str) -> bool:
    """Whether a text names a CSV file, and no image."""
    path = Path(text)
    return path.suffix.lower() in _TABLES or (path.is_file() and path.suffix.lstrip(".").lower() not in _IMAGES)


def _of_image(
    text: str, known: Collection[tuple[str, str]], called: Callable[[str], Sequence[Named]]
) -> list[tuple[str, str]]:
    names = {name for image in called(text) for name in (image.sha256, image.name)} - {""}
    meant = [pair for pair in known if pair[0] in names]
    images = sorted({sha256 for sha256, _ in meant})
    if not images:
        raise UnknownImage([f"{text!r} names no image that this is about"])
    if len(images) > 1:
        raise AmbiguousImage([f"{text!r} may be {sha256}" for sha256 in images])
    return meant


def _of_file(name: str) -> list[tuple[str, str]]:
    rows = list(read_rows(Path(name), CrowdError))
    if not _is_header((rows[0][1] if rows else [])[:2], ANSWERS[:2]):
        told = _wanted(ANSWERS[:2], rows[0][1] if rows else [])
        raise CrowdError(f"{printable(name)}: the header must begin with {told}")
    width = len(rows[0][1])
    if strange := next((number for number, row in rows if len(row) != width), 0):
        raise CrowdError(f"{name}, line {strange}: every row must have {width} cells, as the header has")
    return [(row[0], row[1]) for _, row in rows[1:]]
