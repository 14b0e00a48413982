"""What other programs leave among people's files: thumbnails, halves of Mac files, bins, notes to themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FOLDERS = (
    *("@eadir", "@tmp", "#recycle", "#snapshot"),  # Synology
    *("__macosx", ".appledouble", ".fseventsd", ".spotlight-v100", ".temporaryitems", ".trashes"),
    *("$recycle.bin", "recycler", "system volume information", "lost+found"),
    *(".ipynb_checkpoints", "__pycache__", ".git", ".svn", ".hg", ".thumbnails"),
)
_FILES = (".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".directory", ".picasa.ini", ".nomedia")
_LEFT = re.compile(
    rf"(?:^|/)(?:({'|'.join(map(re.escape, _FOLDERS))}|\.trash-\d+)(?=/|$)"
    rf"|({'|'.join(map(re.escape, _FILES))})$|(\._)[^/]*$)",
    re.IGNORECASE,
)


def leftover(path: str) -> str:
    """Which other program's name a path below a folder bears, its parts apart by ``/``; "" where it bears none.

    >>> leftover("n02084071/@eaDir/dog.jpg/SYNOPHOTO_THUMB_M.jpg")
    '@eaDir'
    >>> leftover("n02084071/._dog.jpg")
    '._*'
    >>> leftover("n02084071/dog.jpg")
    ''
    """
    found = _LEFT.search(path)
    if found is None:
        return ""
    folder, file, double = found.groups()
    return "._*" if double else (folder or file).strip()


def passed_over(counts: Mapping[str, int]) -> str:
    """A sentence's end on how many files were passed over, by name; "" if none were.

    >>> passed_over({"@eaDir": 2, "._*": 1})
    '; 3 files of other programs passed over (._* 1, @eaDir 2)'
    """
    if not counts:
        return ""
    total, names = sum(counts.values()), ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    return f"; {total:,} file{'s' if total != 1 else ''} of other programs passed over ({names})"
