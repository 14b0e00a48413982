"""Where a project's releases lie: each in a folder, or at a URL where the project keeps its bytes in a bucket."""

from __future__ import annotations

import json
from pathlib import Path

from holotype.errors import ProjectError
from holotype.project.parts import Parts
from holotype.releases import CHECKSUMS, Release
from holotype.releases.mirror import find_mirror, known_mirror
from holotype.store.bucket import Bucket


def release_folder(parts: Parts, name: str) -> Path:
    """The folder of a release, or the one beside which it is made that goes to a bucket."""
    return parts.folder / "releases" / name


def release_bucket(parts: Parts, name: str) -> Bucket | None:
    """Where a release lies in the project's bucket; None where it has none."""
    return None if parts.claim is None else parts.claim.bucket.under(f"releases/{name}")


def store_url(folder: Path) -> str | None:
    """The URL of the bucket that a project keeps its bytes in. Raises `ProjectError` where its file is unreadable."""
    path = folder / "holotype.json"
    try:
        url = json.loads(path.read_text()).get("store")
    except (OSError, ValueError, AttributeError) as error:
        raise ProjectError(f"{path} is not readable: {error!r}") from error
    return None if url is None else str(url)


def is_made(parts: Parts, name: str) -> bool:
    """Whether a release is there, known to the catalog or not."""
    bucket = release_bucket(parts, name)
    return release_folder(parts, name).exists() if bucket is None else bucket.state(CHECKSUMS) is not None


def opened(parts: Parts, name: str, checksum: str = "") -> Release:
    """A release that is there; with the sha256 of its ``SHA256SUMS``, where that is known, as it was made.

    Raises `ReleaseError` where there is none.
    """
    bucket = release_bucket(parts, name)
    if bucket is None:
        return Release(release_folder(parts, name))
    return (known_mirror(bucket, checksum) if checksum else find_mirror(bucket)).release()
