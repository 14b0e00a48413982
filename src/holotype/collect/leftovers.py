"""What other programs leave among people's pictures: thumbnails, halves of Mac files, bins, notes to themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_FOLDERS: Final = frozenset(
    (
        *("@eadir", "@tmp", "#recycle", "#snapshot"),  # Synology
        *("__macosx", ".appledouble", ".fseventsd", ".spotlight-v100", ".temporaryitems", ".trashes"),
        *("$recycle.bin", "recycler", "system volume information", "lost+found"),
        *(".ipynb_checkpoints", "__pycache__", ".git", ".svn", ".hg", ".thumbnails"),
    )
)
_FILES: Final = frozenset(
    (".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".directory", ".picasa.ini", ".nomedia")
)
_TRASH = re.compile(r"\.trash-\d+")
_DOUBLE = "._*"


def leftover(path: Iterable[str]) -> str:
    """Which other program's name a path below a folder bears, or "": the parts are names of folders, then of a file.

    >>> leftover(("n02084071", "@eaDir", "dog.jpg", "SYNOPHOTO_THUMB_M.jpg"))
    '@eaDir'
    >>> leftover(("n02084071", "._dog.jpg"))
    '._*'
    >>> leftover(("n02084071", "dog.jpg"))
    ''
    """
    *folders, file = path
    for name in folders:
        if name.lower() in _FOLDERS or _TRASH.fullmatch(name.lower()):
            return name
    if file.lower() in _FILES:
        return file.strip()
    return _DOUBLE if file.startswith("._") else ""


def passed_over(counts: Mapping[str, int]) -> str:
    """A sentence's end on how many files were passed over, by name; "" if none were.

    >>> passed_over({"@eaDir": 2, "._*": 1})
    '; 3 files of other programs passed over (._* 1, @eaDir 2)'
    """
    if not counts:
        return ""
    total, names = sum(counts.values()), ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    return f"; {total:,} file{'s' if total != 1 else ''} of other programs passed over ({names})"
