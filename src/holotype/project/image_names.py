"""Images as people name them: by id, sha256 or how it begins, or the name of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from sqlalchemy import Connection

from holotype.catalog import candidates
from holotype.catalog.image_names import File, can_be_asked, files, meant
from holotype.catalog.images import Named
from holotype.errors import AmbiguousImage, CrowdError, UnknownImage
from holotype.ontology import is_wnid

Pair = tuple[str, str]
"""An image, as somebody names it, and a wnid."""
Said = TypeVar("Said")
SHOWN: Final = 200
"""Characters of a name that errors show."""
_ID: Final = 16


def one_image(connection: Connection, text: str) -> Named:
    """The one image that a text means; of several with the same bytes the first.

    Raises `UnknownImage` or `AmbiguousImage`.
    """
    return images_called(connection, [text])[text]


def images_called(connection: Connection, texts: Iterable[str]) -> dict[str, Named]:
    """The one image that each text means, as `one_image`."""
    found = meant(connection, texts := list(texts))
    if missing := [text for text in texts if text not in found]:
        told = [f"no image is called {text[:SHOWN]!r}" for text in missing]
        first = f"{len(missing):,} of these images are not there, the first is {missing[0][:SHOWN]!r}"
        raise UnknownImage(told, first if len(texts) > 1 else "")
    several = {text: images for text, images in found.items() if not alike(images)}
    if several:
        raise AmbiguousImage([line for text, images in several.items() for line in lines(connection, text, images)])
    return {text: images[0] for text, images in found.items()}


def alike(images: Sequence[Named]) -> bool:
    """Whether images are one, or have the same bytes."""
    return len(images) == 1 or (len({image.sha256 for image in images}) == 1 and images[0].sha256 != "")


def lines(connection: Connection, text: str, images: Sequence[Named]) -> Iterator[str]:
    """A line for each image that a text may mean."""
    paths = files(connection, (image.id for image in images))
    for image in images:
        known = (image.sha256 or image.name)[:_ID]
        held = paths.get(image.id, [File(image.origin, False)])
        file = next((one for one in held if f"/{one.path}".endswith(f"/{text}")), held[0])
        older = ", as it was until it came in again" if file.older else ""
        yield f"{text[:SHOWN]!r} may be {known} ({file.path}{older})"


def named_candidates(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, dict[int, bool]]:
    """All candidates that each pair may speak of, by id, as `holotype.catalog.candidates.alike` finds them; what that
    does not find is looked for by the other names of images. Pairs that speak of no candidate are left out."""
    pairs = [pair for pair in pairs if can_be_asked(pair[0])]
    found = candidates.alike(connection, pairs)
    left = [pair for pair in pairs if pair not in found]
    images = meant(connection, {image for image, _ in left}) if left else {}
    told = {pair: images.get(pair[0], []) for pair in left}
    number = candidates.ids(connection, {(wnid, one.id) for (_, wnid), some in told.items() for one in some})
    for (text, wnid), some in told.items():
        held = [one for one in some if (wnid, one.id) in number]
        if held:
            found[text, wnid] = {number[wnid, one.id]: alike(held) for one in held}
    return found


def candidate_numbers(connection: Connection, pairs: Iterable[Pair], what: str) -> dict[Pair, int]:
    """Candidate ids by (image, wnid), an image by its id, its sha256 or how that begins, its name in its dataset, or
    the name of its file: of several that are called so, the one that is a candidate for the synset.

    Raises `UnknownImage` where one of `pairs` is no candidate, and `AmbiguousImage` where it may be several.
    """
    found = named_candidates(connection, pairs := list(pairs))
    if missing := [pair for pair in pairs if pair not in found]:
        raise _unknown(connection, missing, what)
    if doubtful := [pair for pair in pairs if len(found[pair]) > 1 and not all(found[pair].values())]:
        raise _ambiguous(connection, doubtful, what)
    return {pair: min(numbers) for pair, numbers in found.items()}


def _unknown(connection: Connection, missing: Sequence[Pair], what: str) -> UnknownImage:
    known = meant(connection, [image for image, _ in missing])
    why = [f"{image[:SHOWN]!r} for {wnid[:SHOWN]}: {_why(known.get(image), wnid)}" for image, wnid in missing]
    first = " for ".join(missing[0])[:SHOWN]
    return UnknownImage(why, f"{len(missing):,} {what} are of no candidate, the first is {first}")


def _ambiguous(connection: Connection, doubtful: Sequence[Pair], what: str) -> AmbiguousImage:
    found = meant(connection, dict.fromkeys(image for image, _ in doubtful))
    why = [line for image, several in found.items() for line in lines(connection, image, several)]
    first = " for ".join(doubtful[0])[:SHOWN]
    number = f"{len(doubtful):,} {what}"
    return AmbiguousImage(why, f"{number} may be of several images of that name, the first is {first}: give the sha256")


def _why(images: Sequence[Named] | None, wnid: str) -> str:
    """Why a pair is no candidate."""
    if images is None:
        return "no image is called so"
    return "the image is no candidate for that" if is_wnid(wnid) else "that is no wnid"


def by_candidate(number: Mapping[Pair, int], said: Mapping[Pair, Said], what: str) -> dict[int, Said]:
    """What is said by pairs, by the ids of their candidates.

    Raises `CrowdError` where two names of one image say different things.
    """
    found: dict[int, Said] = {}
    for pair, value in said.items():
        if found.setdefault(number[pair], value) != value:
            raise CrowdError(
                f"{what} contradict each other on {' for '.join(pair)[:SHOWN]}, which another name speaks of, too"
            )
    return found
