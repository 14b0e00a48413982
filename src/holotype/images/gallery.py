"""Images as a project hands them out."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol, TypeVar

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


_Shown = TypeVar("_Shown", bound=Picture)


def by_name(picture: Picture) -> str:
    """What stands below a picture unless something else is asked for."""
    return picture.name


def grid(caption: str, pictures: Sequence[Picture], total: int) -> str:
    """Thumbnails as HTML for a notebook, with dots where `total` is more than are shown."""
    style = 'style="height:96px;margin:2px"'
    shown = "".join(_drawn(picture, f'title="{html.escape(picture.title)}" {style}')[0] for picture in pictures)
    return f"<p>{html.escape(caption)}</p>{shown}" + ("..." if total > len(pictures) else "")


def contact_sheet(
    title: str,
    pictures: Iterable[_Shown],
    headings: Mapping[str, str],
    missed: list[str] | None = None,
    caption: Callable[[_Shown], str] = by_name,
) -> Iterator[str]:
    """The parts of one self-contained HTML page of thumbnails with their captions, to look at.

    Runs of pictures of one synset stand under its heading, by wnid. What is concluded of an image is not shown. One
    that cannot be shown has the reason in its place, and its name is appended to `missed`.
    """
    runs = groupby(pictures, lambda picture: picture.wnid)
    return group_sheet(title, ((headings[wnid], run) for wnid, run in runs), missed, caption)


def group_sheet(
    title: str,
    groups: Iterable[tuple[str, Iterable[_Shown]]],
    missed: list[str] | None = None,
    caption: Callable[[_Shown], str] = by_name,
) -> Iterator[str]:
    """The parts of such a page with groups of pictures, each under a heading."""
    yield f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>body{{font:15px sans-serif}}'
    yield "figure{display:inline-block;margin:4px;text-align:center}img{max-width:256px;max-height:256px}</style>"
    for heading, pictures in groups:
        yield f"<h2>{html.escape(heading)}</h2>\n"
        for picture in pictures:
            shown, sound = _drawn(picture, f'alt="{html.escape(picture.name)}"')
            if missed is not None and not sound:
                missed.append(picture.name)
            yield f"<figure>{shown}<br>{html.escape(caption(picture))}</figure>\n"


def _drawn(picture: Picture, attributes: str) -> tuple[str, bool]:
    """A picture as HTML, or the reason why there is none, and whether there is one."""
    try:
        data = base64.b64encode(picture.thumbnail()).decode()
    except (ArchiveError, PackError) as error:
        return f"<em>{html.escape(str(error))}</em>", False
    return f'<img {attributes} src="data:image/jpeg;base64,{data}">', True
