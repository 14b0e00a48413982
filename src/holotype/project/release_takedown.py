"""Taking images of a project's release down: a new release without them, and they are used nowhere any more."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from holotype.catalog import releases
from holotype.catalog.image_names import meant
from holotype.engine import Progress
from holotype.errors import CrowdError, ReleaseError
from holotype.files import sha256_file
from holotype.project.facts import check_reason, person
from holotype.project.parts import Parts
from holotype.project.release_places import is_made, opened, release_bucket, release_folder
from holotype.project.release_shelf import ProjectRelease, checksums
from holotype.project.withdrawing import withdraw
from holotype.releases import CHECKSUMS, NAME, Release, verify_release
from holotype.releases.layout import TAKEN_DOWN
from holotype.releases.takedown import TakenDown, Unwanted, described, take_down
from holotype.releases.unwanted import spoken_of


def take_down_of(
    parts: Parts, release: ProjectRelease, name: str, unwanted: Unwanted, by: tuple[str, str], progress: Progress
) -> TakenDown:
    """See `holotype.project.releases.Releases.takedown`; `by` is the curator and the reason."""
    curator, reason = person(by[0], "a curator"), by[1]
    check_reason(reason)
    if not NAME.fullmatch(name):
        raise ReleaseError(f"a release's name is letters, digits, '.', '_' and '-', not {name!r}")
    if name in checksums(parts):
        raise ReleaseError(f"there is a release {name!r} already: releases are never changed, choose another name")
    if sha256_file(release.path / CHECKSUMS) != release.checksum:  # the new one would be one that the project made
        raise ReleaseError(f"{release.where} is not the release that was made: get it from a backup")
    parts.check_writable()
    folder, bucket = release_folder(parts, name), release_bucket(parts, name)
    if is_made(parts, name):
        wanted = replace(described(release, unwanted), path=folder if bucket is None else bucket.url)
        found = _adopted(release, opened(parts, name), wanted)
    else:
        found = take_down(release, folder, unwanted, progress, bucket)
    checksum, now = sha256_file(opened(parts, name).path / CHECKSUMS), parts.clock()
    with parts.catalog.read() as connection:
        known = meant(connection, found.names)
    try:  # before the release is known: who is stopped here can ask again, and the images are gone from the project
        withdraw(parts, [one for one in found.names if one in known], True, curator, reason)
    except CrowdError:  # some can never be read again
        parts.catalog.transact(lambda connection: releases.add(connection, name, checksum, now))
        raise
    parts.catalog.transact(lambda connection: releases.add(connection, name, checksum, now))
    return found


def _adopted(release: ProjectRelease, made: Release, wanted: TakenDown) -> TakenDown:
    """Accept a release that was written, but whose writer was stopped before the catalog heard of it."""
    steps = made.summary.get(TAKEN_DOWN, {}).get("from", [])
    of = steps[-1] if steps else {}
    said = {"checksum": release.checksum, "images": wanted.images, "labels": wanted.labels}
    columns = made.manifest["sha256"], *spoken_of(made)
    there = any(pc.any(pc.is_in(column, pa.array(wanted.names, pa.string()))).as_py() for column in columns)
    elsewhere = made.files != release.files
    if (
        elsewhere
        or verify_release(made.place, archives=release.folders)
        or there
        or any(of.get(key) != value for key, value in said.items())
    ):
        raise ReleaseError(
            f"{wanted.path} is there, but is not the release that is asked for; move it away or choose another name"
        )
    return wanted
