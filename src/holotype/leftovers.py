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
_ENDINGS = {
    *("xmp", "aae", "pp3", "dop"),  # how a picture was edited
    *("lrcat", "lrcat-data", "lrcat-journal", "lrcat-shm", "lrcat-wal", "lrprev"),  # Lightroom's catalog
    *("part", "partial", "crdownload", "opdownload", "download"),  # downloads that are not done
}
_PREVIEWS = ".lrdata"
_MARKED = {"._": "._*", "~$": "~$*", ".~": ".~lock.*"}  # halves of Mac files, and locks of Office and LibreOffice
_LEFT = re.compile(
    rf"(?:^|/)(?:({'|'.join(map(re.escape, _FOLDERS))}|\.trash-\d+)(?=/|$)"
    rf"|({'|'.join(map(re.escape, _FILES))})$|(\._|~\$)[^/]*$|(\.~)lock\.[^/]*$)",
    re.IGNORECASE,
)
PROJECT = "holotype.json"
"""The file that a project's folder has."""
_OF_PROJECT = re.compile(r"holotype\.json|catalog\.sqlite.*|packs|releases|benchmarks|imports|ontology\..*")


def leftover(path: str) -> str:
    """Which other program's name a path below a folder bears, its parts apart by ``/``; "" where it bears none.

    >>> leftover("n02084071/@eaDir/dog.jpg/SYNOPHOTO_THUMB_M.jpg")
    '@eaDir'
    >>> leftover("n02084071/._dog.jpg")
    '._*'
    >>> leftover("n02084071/dog.jpg.part")
    '*.part'
    >>> leftover("n02084071/dog.jpg")
    ''
    """
    found = _LEFT.search(path)
    if found is None:
        return _by_ending(path)
    folder, file, mark, lock = found.groups()
    return _MARKED.get(mark or lock) or (folder or file).strip()


def _by_ending(path: str) -> str:
    _, dot, ending = path.lower().rpartition(".")
    if dot and ending in _ENDINGS:
        return f"*.{ending}"
    return f"*{_PREVIEWS}" if f"{_PREVIEWS}/" in path.lower() else ""


def of_project(name: str) -> bool:
    """Whether a project calls a file or folder of its own so, in the folder that holds `PROJECT`."""
    return _OF_PROJECT.fullmatch(name) is not None


def passed_over(counts: Mapping[str, int]) -> str:
    """A sentence's end on how many files were passed over, by name; "" if none were.

    >>> passed_over({"@eaDir": 2, "._*": 1})
    '; 3 files of other programs passed over (._* 1, @eaDir 2)'
    """
    if not counts:
        return ""
    total, names = sum(counts.values()), ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    return f"; {total:,} file{'s' if total != 1 else ''} of other programs passed over ({names})"
