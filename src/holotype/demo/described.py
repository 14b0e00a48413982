"""Folders of photographs that say in a line what they show, and a search engine over them."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from holotype.errors import SourceError
from holotype.files import printable
from holotype.ontology import Ontology, Synset, lemma_key

IMAGE_SUFFIXES: Final = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"))
_LONGEST_PHRASE = 4
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_UNCHANGED = ("ss", "us", "is")


@dataclass(frozen=True, slots=True)
class Photo:
    """An image file below a folder, and the line that describes it ("" if nothing does)."""

    path: PurePosixPath
    description: str

    @property
    def folders(self) -> frozenset[str]:
        """The singular words of the folders it lies in."""
        return frozenset(word for part in self.path.parts[:-1] for word in words(part.replace("_", " ")))


@dataclass(frozen=True, slots=True)
class Result:
    """A search result: the photograph, the query that found it and its position, from 1."""

    photo: Photo
    query: str
    position: int


def words(text: str) -> list[str]:
    """Lower-case words, nouns in the singular as far as their endings tell.

    >>> words("Some cherries, boxes and a lens")
    ['some', 'cherry', 'box', 'and', 'a', 'lens']
    """
    return [_singular(word) for word in _WORD.findall(text.lower())]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(_UNCHANGED) and word != "lens":
        return word[:-1]
    return word


def phrases(text: str) -> frozenset[str]:
    """Every run of one to four words in `text`."""
    found = words(text)
    return frozenset(
        " ".join(found[start : start + length])
        for length in range(1, _LONGEST_PHRASE + 1)
        for start in range(len(found) - length + 1)
    )


def read_folder(folder: Path) -> list[Photo]:
    """The image files below `folder`, by path; links are not followed.

    The description is the first line of the ``.txt`` beside an image, or else its file name in words.

    Raises `SourceError` if the folder cannot be read or holds no image.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder")
    photos = [
        Photo(PurePosixPath(path.relative_to(folder).as_posix()), _description(path))
        for path in sorted(_images(folder))
    ]
    if not photos:
        raise SourceError(f"no images ({', '.join(sorted(IMAGE_SUFFIXES))}) below {folder}")
    return photos


def _images(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file() and not path.is_symlink():
                yield path


def _description(path: Path) -> str:
    beside = path.with_suffix(".txt")
    if beside.is_file() and not beside.is_symlink():
        with beside.open(encoding="utf-8", errors="replace") as file:
            return file.readline(1000).strip()
    return re.sub(r"[\W\d_]+", " ", printable(path.stem)).strip()


class TextSearch:
    """A text match over descriptions that plays an image search engine.

    Asked for a synset, it returns photographs whose words name the synset or one of its hyponyms in any of their
    senses, drawings and toys among them, and then, as engines do to fill their pages, pictures from the same
    folders and pictures that have nothing to do with it.
    """

    def __init__(self, photos: Sequence[Photo], ontology: Ontology) -> None:
        self._photos = photos
        self._ontology = ontology
        self._by_phrase: dict[str, list[int]] = {}
        for number, photo in enumerate(photos):
            for phrase in phrases(photo.description):
                self._by_phrase.setdefault(phrase, []).append(number)

    def photos_naming(self, lemmas: Iterable[str]) -> frozenset[int]:
        """Numbers of the photographs whose description has one of these lemmas as words."""
        return frozenset(number for lemma in lemmas for number in self._by_phrase.get(lemma_key(lemma), ()))

    def matches(self, synset: Synset) -> dict[int, str]:
        """Number of each photograph whose description matches, and the longest lemma that does."""
        found: dict[int, str] = {}
        for concept in (synset, *self._ontology.descendants(synset)):
            for lemma in map(lemma_key, concept.lemmas):
                for number in self._by_phrase.get(lemma, ()):
                    if len(lemma) > len(found.get(number, "")):
                        found[number] = lemma
        return found

    def search(self, synset: Synset, at_least: int, per_match: float = 2.0) -> list[Result]:
        """Results for a synset, best first: `per_match` times as many as match, but `at_least` so many."""
        found = self.matches(synset)
        context = frozenset().union(*(self._photos[number].folders for number in found))

        def order(number: int) -> tuple[bool, int, bytes]:
            photo = self._photos[number]
            lucky = hashlib.sha256(f"{synset.wnid} {printable(photo.path)}".encode()).digest()
            return number not in found, 0 if number in found else -len(photo.folders & context), lucky

        wanted = max(at_least, math.ceil(per_match * len(found)))
        ranked = sorted(range(len(self._photos)), key=order)[:wanted]
        return [
            Result(self._photos[number], found.get(number, synset.name), position)
            for position, number in enumerate(ranked, 1)
        ]


def choose_targets(
    ontology: Ontology, roots: Sequence[Synset], search: TextSearch, at_least: int = 4, keep: float = 0.75
) -> list[Synset]:
    """An antichain of synsets below `roots`, as fine as the photographs allow, in rank order.

    From each root down, a synset is replaced by those of its children that bring `at_least` photographs of their
    own, largest first, as long as together they keep the share `keep` of its photographs. No target is an
    ancestor of another.
    """
    yields = _predominant_yields(ontology, roots, search)

    def descend(synset: Synset) -> list[Synset]:
        own = yields.get(synset.wnid, frozenset())
        kept: frozenset[int] = frozenset()
        chosen = []
        for child in sorted(ontology.children(synset), key=lambda c: -len(yields.get(c.wnid, ()))):
            found = yields.get(child.wnid, frozenset())
            if len(found - kept) >= at_least:
                kept |= found
                chosen.append(child)
        if not chosen or len(kept) < keep * len(own):
            return [synset]
        return [target for child in chosen for target in descend(child)]

    targets = {target.wnid: target for root in roots for target in descend(root)}.values()
    lowest = [t for t in targets if not any(ontology.is_under(o, t) for o in targets if o != t)]
    return sorted(lowest, key=ontology.rank)


def _predominant_yields(
    ontology: Ontology, roots: Sequence[Synset], search: TextSearch
) -> Mapping[str, frozenset[int]]:
    """Photographs per synset of the subtrees, counting a lemma only for its first, most frequent, sense."""
    yields: dict[str, frozenset[int]] = {}
    for root in roots:
        for synset in (root, *ontology.descendants(root)):
            first = [lemma for lemma in synset.lemmas if ontology.senses(lemma)[0] == synset]
            if found := search.photos_naming(first):
                for above in (synset, *ontology.ancestors(synset)):
                    yields[above.wnid] = yields.get(above.wnid, frozenset()) | found
    return yields
