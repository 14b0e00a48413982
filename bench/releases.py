"""A manifest-only release of 14,197,122 labels of 21,841 synsets: time and peak memory.

    python bench/releases.py [--images 14197122] [--per-synset N] [FOLDER]

A project with a catalog of that size is made in FOLDER, or a temporary one (about 3 GB), as `bench/explore.py` makes
it, with an archive that its images are said to lie in: an empty file with a hole of that size. Nothing is read of it.
The release is made in a process of its own, so that its peak memory (VmHWM) can be told.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import update

import explore
import holotype
import queries
from holotype.catalog import schema as t
from holotype.releases import Recipe
from holotype.releases.selection import Selection


def point(folder: Path, images: int) -> None:
    """Let the archive that the catalog speaks of be there."""
    archive = folder / "fall11_whole.tar"
    if not archive.exists():
        with archive.open("wb") as file:
            file.truncate((images + 2) * 110_080)
    status = archive.stat()
    about = {"path": str(archive.resolve()), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    with holotype.open(folder) as db, db.catalog.write() as connection:
        connection.execute(update(t.file).where(t.file.c.id == 1).values(**about))


def make(folder: Path, name: str, per_synset: int | None) -> None:
    """Make the release and print what that took."""
    with holotype.open(folder) as db:
        db.ontology.rank("n00001740")
        before, began, cpu = queries.peak(), time.perf_counter(), time.process_time()
        recipe = Recipe(selection=Selection(per_synset), manifest_only=True)
        release = db.releases.create(name, recipe)
        taken, spent = time.perf_counter() - began, time.process_time() - cpu
        size = sum(path.stat().st_size for path in release.path.iterdir())
        print(f"{release.statistics['labels']:,} labels: {taken:.0f} s wall, {spent:.0f} s CPU")
        print(
            f"peak memory {queries.peak() / 1e6:,.0f} MB, {before / 1e6:,.0f} MB before; {size / 1e6:,.0f} MB on disk"
        )
        print(release.statistics["splits"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=queries.IMAGES)
    parser.add_argument("--per-synset", type=int)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.name:
        make(options.folder, options.name, options.per_synset)
        return
    print(f"{options.images:,} labels, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place) / "project"
        if not folder.exists():
            explore.fill(folder, options.images)
        point(folder, options.images)
        name = f"v{len(list((folder / 'releases').iterdir()))}"
        command = [sys.executable, __file__, str(folder), "--name", name]
        if options.per_synset:
            command += ["--per-synset", str(options.per_synset)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
