"""The photographs of Debian's package tuxpaint-stamps-default, fetched without root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from holotype.errors import SourceError
from holotype.files import sha256_file, write_atomically

PACKAGE: Final = "tuxpaint-stamps-default"
STAMPS_LICENCE: Final = "GPL-2.0-only; (c) 2002-2022 Bill Kendrick and the Tux Paint contributors"
_TREE = Path("usr/share/tuxpaint/stamps")


@dataclass(frozen=True, slots=True)
class PhotoFolder:
    """A folder of photographs with its source, its licence and a remark for the user ("" if none)."""

    path: Path
    source: str
    licence: str
    remark: str = ""


def fetch_stamps(cache: Path) -> PhotoFolder:
    """About 800 photographs and drawings, each with a line of English, from the cache or from Debian.

    ``apt-get update`` and ``download`` run with lists and cache of their own, so they neither need root nor
    touch the system; apt checks the package against the archive's signed index. What is unpacked is kept with a
    digest of every file, and fetched anew when one does not match.

    Raises `SourceError` where there is no apt, no network or no such package.
    """
    folder = cache / PACKAGE
    if not _is_whole(folder):
        _fetch(folder)
    return PhotoFolder(folder / "files" / _TREE, f"debian:{PACKAGE}", STAMPS_LICENCE)


def _is_whole(folder: Path) -> bool:
    try:
        listed = (folder / "sha256").read_text().splitlines()
        return bool(listed) and all(
            sha256_file(folder / "files" / name) == digest
            for digest, _, name in (line.partition("  ") for line in listed)
        )
    except (OSError, UnicodeDecodeError):
        return False


def _fetch(folder: Path) -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise SourceError(f"{program} is not on this machine; use --photos DIR with photographs of your own")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{PACKAGE}-") as made:
        work = Path(made)
        for name in ("lists/partial", "cache/archives/partial", "files", "download"):
            (work / name).mkdir(parents=True)
        private = ("-q", "-o", f"Dir::State::Lists={work / 'lists'}", "-o", f"Dir::Cache={work / 'cache'}")
        as_root = ("-o", "APT::Sandbox::User=root") if os.geteuid() == 0 else ()
        _run(("apt-get", *private, *as_root, "update"), work / "download")
        _run(("apt-get", *private, *as_root, "download", PACKAGE), work / "download")
        packages = list((work / "download").glob(f"{PACKAGE}_*.deb"))
        if len(packages) != 1:
            raise SourceError(f"apt-get download {PACKAGE} brought no package")
        _run(("dpkg-deb", "-x", str(packages[0]), str(work / "files")), work)
        for sound in (*(work / "files").rglob("*.ogg"), *(work / "files").rglob("*.wav")):
            sound.unlink()
        whole = work / "whole"
        whole.mkdir()
        (work / "files").rename(whole / "files")
        write_atomically(whole / "sha256", _listing(whole / "files").encode())
        shutil.rmtree(folder, ignore_errors=True)
        whole.rename(folder)


def _run(command: Sequence[str], where: Path) -> None:
    try:
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=900, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"{command[0]} did not run: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise SourceError(f"{command[0]} {command[-1]} failed: {said}; use --photos DIR with photographs of your own")


def _listing(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return "".join(f"{sha256_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


_WHEELS = {
    "scikit-image": ("skimage/data", "see skimage/data/README.txt"),
    "scikit-learn": ("sklearn/datasets/images", "CC-BY-2.0"),
}
# What the few photographs in the wheels show; their file names do not say it.
_SHOWN = {
    "chelsea.png": "A cat.",
    "horse.png": "A horse (a drawing).",
    "flower.jpg": "A flower.",
    "coffee.png": "A cup of coffee.",
    "motorcycle_left.png": "A motorcycle.",
    "motorcycle_right.png": "A motorcycle.",
    "rocket.jpg": "A rocket.",
    "camera.png": "A photographer.",
    "china.jpg": "A temple.",
}


def photos_of_wheels(cache: Path, why: str) -> PhotoFolder:
    """The few photographs inside the scikit-image and scikit-learn wheels: what is left without apt.

    Raises `SourceError` if neither is installed.
    """
    folder = cache / "wheel-photos"
    found = 0
    for package, (inside, _) in _WHEELS.items():
        try:
            data = Path(str(metadata.distribution(package).locate_file(inside)))
        except metadata.PackageNotFoundError:
            continue
        for path in (*data.glob("*.png"), *data.glob("*.jpg")):
            copy = folder / package / path.name
            if not copy.is_file() or copy.read_bytes() != path.read_bytes():
                write_atomically(copy, path.read_bytes())
            if path.name in _SHOWN:
                write_atomically(copy.with_suffix(".txt"), _SHOWN[path.name].encode())
            found += 1
    if not found:
        raise SourceError(
            f"{why} (and neither scikit-image nor scikit-learn is installed: pip install 'holotype[demo]')"
        )
    licences = "; ".join(f"{package}: {licence}" for package, (_, licence) in _WHEELS.items())
    return PhotoFolder(
        folder,
        "wheels",
        licences,
        f"{why}. Using the {found} pictures inside the scikit-image and scikit-learn wheels.",
    )
