"""Images as a project hands them out."""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, overload

from holotype.images.packs import Address


@dataclass(frozen=True, slots=True)
class Image:
    """A candidate image: its synset, what is concluded of it, and where its bytes are."""

    sha256: str
    wnid: str
    decided: str
    posterior: float | None
    width: int
    height: int
    format: str
    address: Address
    thumbnail_address: Address
    _read: Callable[[Address], bytes] = field(repr=False, compare=False)

    def read(self) -> bytes:
        """The encoded bytes as they were taken in."""
        return self._read(self.address)

    def thumbnail(self) -> bytes:
        """A JPEG whose longer side is at most 256."""
        return self._read(self.thumbnail_address)

    def _repr_jpeg_(self) -> bytes:
        return self.thumbnail()


class Images(Sequence[Image]):
    """Images in ontology order; shows itself as a grid in a notebook."""

    SHOWN: Final = 60

    def __init__(self, images: Sequence[Image]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> Image: ...
    @overload
    def __getitem__(self, index: slice) -> Images: ...
    def __getitem__(self, index: int | slice) -> Image | Images:
        return Images(self._images[index]) if isinstance(index, slice) else self._images[index]

    def __repr__(self) -> str:
        states = Counter(image.decided for image in self._images)
        return f"<{len(self):,} images: {', '.join(f'{s} {n:,}' for s, n in sorted(states.items())) or 'none'}>"

    def _repr_html_(self) -> str:
        shown = self._images[: self.SHOWN]
        pictures = "".join(
            f'<img title="{html.escape(f"{image.wnid} {image.decided}")}" style="height:96px;margin:2px" '
            f'src="data:image/jpeg;base64,{base64.b64encode(image.thumbnail()).decode()}">'
            for image in shown
        )
        return f"<p>{html.escape(repr(self))}</p>{pictures}" + ("..." if len(self) > len(shown) else "")


def contact_sheet(images: Iterable[Image], headings: Mapping[str, str]) -> Iterator[str]:
    """The parts of one self-contained HTML page of thumbnails with the first digits of their sha256, to look at.

    Runs of images of one synset stand under its heading, by wnid. What is concluded of an image is not shown.
    """
    yield '<!doctype html><meta charset="utf-8"><title>Audit</title><style>body{font:15px sans-serif}figure{'
    yield "display:inline-block;margin:4px;text-align:center}img{max-width:256px;max-height:256px}</style>"
    for wnid, group in groupby(images, lambda image: image.wnid):
        yield f"<h2>{html.escape(headings[wnid])}</h2>\n"
        for image in group:
            data = base64.b64encode(image.thumbnail()).decode()
            name = html.escape(image.sha256[:12])
            yield f'<figure><img alt="{name}" src="data:image/jpeg;base64,{data}"><br>{name}</figure>\n'
