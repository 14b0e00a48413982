"""What two sets of images have in common that should have nothing: a certificate of leaks between splits.

Five checks, each of a fact that images share: their bytes, the picture (by 256-bit hashes, mirrored too), the address
that they were uploaded to, the author, the group of near-duplicates. A sixth is of how they look to a network, where
they were embedded. A check says of how many images the fact is not
known, and passes only if it is known of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from holotype.errors import ReleaseError
from holotype.images.near import MAX_DISTANCE, near_pairs
from holotype.releases.keys import Keys, Texts, address_keys, author_keys, mixed, text_keys
from holotype.releases.quantities import plural
from holotype.releases.split import SPLITS, Splits

BYTES, PICTURE, UPLOAD, AUTHOR, GROUP = "same_bytes", "same_picture", "same_upload", "same_author", "same_group"
LOOK: Final = "same_look"
"""A check by embeddings, which is asked for by itself: no release has it unless somebody embeds its images."""
WITHIN: Final = (BYTES, PICTURE, UPLOAD, AUTHOR, GROUP)
"""The checks between splits of one release."""
ACROSS: Final = (BYTES, PICTURE, UPLOAD, AUTHOR)
"""The checks between collections: groups of near-duplicates are numbered anew in each."""
EXAMPLES: Final = 20

_SAYS: Final = {
    BYTES: "the same bytes",
    PICTURE: "the same picture",
    UPLOAD: "the same address of upload",
    AUTHOR: "the same author",
    GROUP: "the same group of near-duplicates",
    LOOK: "nearly the same embeddings",
}
Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Hashes: TypeAlias = "npt.NDArray[np.uint8]"


@dataclass(frozen=True, slots=True)
class Check:
    """What was compared of two sets of images, and what they share.

    `between` names the sets; the pairs of numbers are of the one and of the other: images `compared`, those that the
    fact is `unknown` of, and `images` that share it. `pairs` counts pairs of images; `examples` are ids of 20 at most,
    of the images that come first. `threshold` is the largest number of bits, of 256, that hashes of the same picture
    differ in, or the least cosine of embeddings that are nearly the same, and None in other checks. `at_least` where
    images are gone since, and with them some of the pairs, of which not all were listed: `pairs` are those that are
    surely left.
    """

    name: str
    between: tuple[str, str]
    threshold: float | None
    compared: tuple[int, int]
    unknown: tuple[int, int]
    pairs: int
    images: tuple[int, int]
    examples: tuple[tuple[str, str], ...]
    at_least: bool = False

    @property
    def result(self) -> str:
        """``leaks`` where anything is shared; ``not checked`` where nothing is known of one set, or not whether
        anything is left; ``passed in part`` where nothing is known of some images; else ``passed``."""
        if self.pairs:
            return "leaks"
        if self.at_least or any(
            unknown and not compared for unknown, compared in zip(self.unknown, self.compared, strict=True)
        ):
            return "not checked"
        return "passed in part" if any(self.unknown) else "passed"

    @property
    def passed(self) -> bool:
        """Whether the fact is known of all images, and none share it."""
        return self.result == "passed"

    @property
    def text(self) -> str:
        """One line for people."""
        one, other = self.between
        within = f" within {self.threshold} of 256 bits" if self.threshold is not None else ""
        within = f", a cosine of {self.threshold} or more," if self.name == LOOK else within
        told = f"{_SAYS[self.name]}{within} in {one} and {other}: {self.result}"
        if self.pairs:
            pairs = f"at least {plural(self.pairs, 'pair')}" if self.at_least else plural(self.pairs, "pair")
            told += f", {pairs} of {self.images[0]:,} and {plural(self.images[1], 'image')}"
            told += f", such as {' and '.join(self.examples[0])}"
        elif self.at_least:
            told += " since images were taken down that shared it"
        missing = [
            f"{unknown:,} of {unknown + compared:,} in {name}"
            for name, unknown, compared in zip(self.between, self.unknown, self.compared, strict=True)
            if unknown
        ]
        return f"{told}; unknown of {' and '.join(missing)}" if missing else told

    @property
    def counted(self) -> str:
        """How many pairs there are, for people."""
        return f"at least {self.pairs:,}" if self.at_least else f"{self.pairs:,}"

    @property
    def value(self) -> dict[str, Any]:
        """The check as JSON has it, with its result; `at_least` only where it is so."""
        told = {name: value for name, value in asdict(self).items() if name != "at_least" or value}
        return {**told, "result": self.result, "passed": self.passed}

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Check:
        """The check that `value` was made of, maybe by way of JSON.

        Raises `ReleaseError` where it is none, or says another result than follows from its numbers.
        """
        try:
            pairs = {name: _two(value[name], kind) for name, kind in _PAIRS.items()}
            examples = tuple(_two(example, str) for example in value["examples"])
            plain = {name: value[name] for name in ("name", "threshold", "pairs")}
            found = cls(**plain, **pairs, examples=examples, at_least=value.get("at_least") is True)
            known = value["name"] in _SAYS and isinstance(value["pairs"], int) and (not value["pairs"] or examples)
        except (KeyError, TypeError, ValueError) as error:
            raise ReleaseError(f"this is no check of leaks: {value!r:.200}") from error
        if not known or (value.get("result"), value.get("passed")) != (found.result, found.passed):
            raise ReleaseError(f"this is no check of leaks, or says what does not follow from it: {value!r:.200}")
        return found


_PAIRS: Final[Mapping[str, type]] = {"between": str, "compared": int, "unknown": int, "images": int}


def _two(value: Sequence[Any], kind: type) -> Any:
    one, other = value
    if not (isinstance(one, kind) and isinstance(other, kind)):
        raise TypeError
    return one, other


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images that are compared, as columns with a row each: `ids` that examples are named by, keys of facts
    (`holotype.releases.keys`; 0 where the fact is not known), and hashes, ``(n, 32)``, zeros where there is none, with
    those of the mirror images. None where the fact is known of no image. Make them by `images_of`.

    Raises `ValueError` where columns have different lengths.
    """

    name: str
    ids: Texts
    keys: Mapping[str, Keys]
    hashes: Hashes | None = None
    mirrored: Hashes | None = None

    def __post_init__(self) -> None:
        lengths = {len(column) for column in self.keys.values()}
        lengths |= {len(column) for column in (self.hashes, self.mirrored) if column is not None}
        if lengths - {len(self.ids)}:
            raise ValueError(f"the columns of {self.name} have different lengths")
        if (self.hashes is None) != (self.mirrored is None):
            raise ValueError(f"hashes of {self.name} need those of their mirror images")

    def __len__(self) -> int:
        return len(self.ids)


def images_of(
    name: str,
    ids: Texts,
    *,
    sha256: Texts | None = None,
    upload: Texts | None = None,
    author: Texts | None = None,
    group: Texts | None = None,
    hashes: Hashes | None = None,
    mirrored: Hashes | None = None,
) -> Images:
    """Images called `name` together, of the columns that there are: texts are "" or null where nothing is known, and
    hashes zeros. An address is the same with or without https, an author's name whatever its case, and nobody where it
    is one of `holotype.releases.keys.NOBODY`."""
    made = {
        BYTES: text_keys(sha256) if sha256 is not None else None,
        UPLOAD: address_keys(upload) if upload is not None else None,
        AUTHOR: author_keys(author) if author is not None else None,
        GROUP: text_keys(group) if group is not None else None,
    }
    return Images(name, ids, {fact: keys for fact, keys in made.items() if keys is not None}, hashes, mirrored)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some of some images, by their places."""

    name: str
    images: Images
    rows: Numbers


def leaks_within(
    images: Images, split: Splits, checks: Sequence[str] = WITHIN, max_distance: int = MAX_DISTANCE
) -> tuple[Check, ...]:
    """What the splits of one release share, two by two of those that have images; `split`, ``(n,)``, has places in
    `SPLITS`, or -1."""
    parts = [
        _Part(f"{images.name}/{name}", images, rows)
        for number, name in enumerate(SPLITS)
        if len(rows := np.flatnonzero(split == number))
    ]
    return tuple(_check(name, one, other, max_distance) for one, other in combinations(parts, 2) for name in checks)


def leaks_between(
    one: Images, other: Images, checks: Sequence[str] = ACROSS, max_distance: int = MAX_DISTANCE
) -> tuple[Check, ...]:
    """What two collections share, say a release's test images and all those of ImageNet that models have seen.

    Hashes of 1.3 million and 50,000 images are compared in a minute, in less than 1 GB; every pair within 15 bits is
    found, and 98 % of those that are 16 to 31 apart (`holotype.images.near_tables`).
    """
    parts = [_Part(images.name, images, np.arange(len(images))) for images in (one, other)]
    return tuple(_check(name, parts[0], parts[1], max_distance) for name in checks)


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Pairs of a release's images that are nearly the same by embeddings with a cosine of at least `least`: the images'
    `ids`, ``(n,)``, whether they were compared, and the places of the one and of the other of each pair."""

    ids: Texts
    compared: Mask
    left: Numbers
    right: Numbers
    least: float


def looks_within(name: str, looks: Looks, split: Splits) -> tuple[Check, ...]:
    """What the splits of a release called `name` share by embeddings, two by two of those that have images; `split` as
    in `leaks_within`."""
    there = [number for number in range(len(SPLITS)) if (split == number).any()]
    return tuple(_look(name, looks, split, one, other) for one, other in combinations(there, 2))


def _look(name: str, looks: Looks, split: Splits, one: int, other: int) -> Check:
    ids, known = looks.ids, looks.compared
    turned = (split[looks.left] == other) & (split[looks.right] == one)
    a, b = np.where(turned, looks.right, looks.left), np.where(turned, looks.left, looks.right)
    across = (split[a] == one) & (split[b] == other)
    a, b = a[across], b[across]
    shown = np.lexsort((b, a))[:EXAMPLES]
    return Check(
        name=LOOK,
        between=(f"{name}/{SPLITS[one]}", f"{name}/{SPLITS[other]}"),
        threshold=looks.least,
        compared=(int((known & (split == one)).sum()), int((known & (split == other)).sum())),
        unknown=(int((~known & (split == one)).sum()), int((~known & (split == other)).sum())),
        pairs=len(a),
        images=(len(np.unique(a)), len(np.unique(b))),
        examples=tuple((str(ids[x].as_py()), str(ids[y].as_py())) for x, y in zip(a[shown], b[shown], strict=True)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """The different values of a fact among some images: the keys, sorted, a row that has each, and how many have it."""

    keys: Keys
    row: Numbers
    count: Numbers
    unknown: int

    @property
    def compared(self) -> int:
        return int(self.count.sum())


def _check(name: str, one: _Part, other: _Part, max_distance: int) -> Check:
    picture = name == PICTURE
    left, right = (_pictures(part) if picture else _values(part, name) for part in (one, other))
    a, b = _same_pictures(left, right, one, other, max_distance) if picture else _same(left, right)
    shown = np.lexsort((right.row[b], left.row[a]))[:EXAMPLES]
    return Check(
        name=name,
        between=(one.name, other.name),
        threshold=max_distance if picture else None,
        compared=(left.compared, right.compared),
        unknown=(left.unknown, right.unknown),
        pairs=int((left.count[a] * right.count[b]).sum()),
        images=(int(left.count[np.unique(a)].sum()), int(right.count[np.unique(b)].sum())),
        examples=tuple(
            (_id(one, row), _id(other, same))
            for row, same in zip(left.row[a[shown]].tolist(), right.row[b[shown]].tolist(), strict=True)
        ),
    )


def _id(part: _Part, row: int) -> str:
    return str(part.images.ids[row].as_py())


def _values(part: _Part, fact: str) -> _Values:
    column = part.images.keys.get(fact)
    if column is None:
        return _Values(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64), len(part.rows))
    return _distinct(column[part.rows], part.rows)


def _pictures(part: _Part) -> _Values:
    """The different pictures among images: pairs of equal hashes, by one key of both."""
    hashes, mirrored = part.images.hashes, part.images.mirrored
    if hashes is None or mirrored is None:
        return _Values(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64), len(part.rows))
    key = np.zeros(len(part.rows), np.uint64)
    for column in (hashes, mirrored):
        for word in np.ascontiguousarray(column).view(np.uint64).T:
            key = mixed(key + np.uint64(1) ^ word[part.rows])
    key[key == 0] = 1
    told_apart = np.asarray(hashes.any(axis=1), bool)
    key[~told_apart[part.rows]] = 0
    return _distinct(key, part.rows)


def _distinct(keys: Keys, rows: Numbers) -> _Values:
    found, first, count = np.unique(keys, return_index=True, return_counts=True)
    unknown = int(count[0]) if len(found) and found[0] == 0 else 0
    start = int(unknown > 0)
    return _Values(found[start:], rows[first[start:]], count[start:], unknown)


def _same(left: _Values, right: _Values) -> tuple[Numbers, Numbers]:
    """Places of the values that both have, in each."""
    _, a, b = np.intersect1d(left.keys, right.keys, assume_unique=True, return_indices=True)
    return a, b


def _same_pictures(
    left: _Values, right: _Values, one: _Part, other: _Part, max_distance: int
) -> tuple[Numbers, Numbers]:
    """Places of pictures, in each, that are near each other, or one near the other's mirror image."""
    found = [np.empty(0, np.int64)]
    for straight, turned in _views(left, right, one, other):
        found += [a * len(right.row) + b for a, b in near_pairs(straight, turned, max_distance)]
    pairs = np.unique(np.concatenate(found))
    return np.divmod(pairs, max(len(right.row), 1))


def _views(left: _Values, right: _Values, one: _Part, other: _Part) -> Iterator[tuple[Hashes, Hashes]]:
    mine, mine_mirrored = one.images.hashes, one.images.mirrored
    theirs, theirs_mirrored = other.images.hashes, other.images.mirrored
    if mine is None or mine_mirrored is None or theirs is None or theirs_mirrored is None:
        return
    yield mine[left.row], theirs[right.row]
    yield mine[left.row], theirs_mirrored[right.row]
    yield mine_mirrored[left.row], theirs[right.row]
