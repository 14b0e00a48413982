"""Images as a project hands them out."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol

from holotype.errors import ArchiveError, PackError


class Picture(Protocol):
    """What can be shown: the wnid it stands under, its short name, what is known of it, and a small JPEG."""

    @property
    def wnid(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    def thumbnail(self) -> bytes: ...


def grid(caption: str, pictures: Sequence[Picture], total: int) -> str:
    """Thumbnails as HTML for a notebook, with dots where `total` is more than are shown."""
    style = 'style="height:96px;margin:2px"'
    shown = "".join(_drawn(picture, f'title="{html.escape(picture.title)}" {style}')[0] for picture in pictures)
    return f"<p>{html.escape(caption)}</p>{shown}" + ("..." if total > len(pictures) else "")


def contact_sheet(
    title: str, pictures: Iterable[Picture], headings: Mapping[str, str], missed: list[str] | None = None
) -> Iterator[str]:
    """The parts of one self-contained HTML page of thumbnails with their names, to look at.

    Runs of pictures of one synset stand under its heading, by wnid. What is concluded of an image is not shown. One
    that cannot be shown has the reason in its place, and its name is appended to `missed`.
    """
    yield f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>body{{font:15px sans-serif}}'
    yield "figure{display:inline-block;margin:4px;text-align:center}img{max-width:256px;max-height:256px}</style>"
    for wnid, group in groupby(pictures, lambda picture: picture.wnid):
        yield f"<h2>{html.escape(headings[wnid])}</h2>\n"
        for picture in group:
            name = html.escape(picture.name)
            shown, sound = _drawn(picture, f'alt="{name}"')
            if missed is not None and not sound:
                missed.append(picture.name)
            yield f"<figure>{shown}<br>{name}</figure>\n"


def _drawn(picture: Picture, attributes: str) -> tuple[str, bool]:
    """A picture as HTML, or the reason why there is none, and whether there is one."""
    try:
        data = base64.b64encode(picture.thumbnail()).decode()
    except (ArchiveError, PackError) as error:
        return f"<em>{html.escape(str(error))}</em>", False
    return f'<img {attributes} src="data:image/jpeg;base64,{data}">', True
