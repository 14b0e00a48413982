"""What comes into the demo's project: photographs out of a folder, or from its web; and what they show in truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from holotype.collect.inputs import InputFile, Sighting
from holotype.demo.described import Photo, Result, TextSearch
from holotype.demo.stages import StageProgress
from holotype.demo.stamps import PhotoFolder
from holotype.demo.truth import shows
from holotype.ontology import Ontology, Synset
from holotype.project import Project

if TYPE_CHECKING:
    from holotype.demo.web.collected import KindRow


@dataclass(frozen=True, slots=True)
class Taken:
    """What came in, in words, and the photograph at each origin; with a web, its table, too."""

    intake: str
    photos: Mapping[str, Photo]
    web: Sequence[KindRow] = ()


def take_folder(
    db: Project,
    targets: Sequence[Synset],
    source: PhotoFolder,
    search: TextSearch,
    photos: Sequence[Photo],
    at_least: int,
    progress: StageProgress,
) -> Taken:
    """Take in what a search for each target finds in the folder."""
    results: dict[str, list[Result]] = {}
    for number, target in enumerate(targets, 1):
        results[target.wnid] = search.search(target, at_least=at_least)
        progress("candidates", number, len(targets))
    files = list(_inputs(results, source, db.ontology))
    intake = db.images.take(files, lambda done, total: progress("images", done, total))
    return Taken(str(intake), {InputFile.of(source.path / photo.path).origin: photo for photo in photos})


def take_web(
    db: Project,
    targets: Sequence[Synset],
    source: PhotoFolder,
    photos: Sequence[Photo],
    at_least: int,
    seed: int,
    progress: StageProgress,
) -> Taken:
    """Collect the targets from the demo's web."""
    from holotype.demo.web.collected import collect

    found = collect(db, targets, photos, source.path, at_least, seed, progress)
    return Taken(str(found.report), found.photos, found.rows)


def _inputs(results: Mapping[str, Sequence[Result]], source: PhotoFolder, ontology: Ontology) -> Iterator[InputFile]:
    """One input per photograph, with every synset it was found for."""
    by_path: dict[PurePosixPath, list[Sighting]] = defaultdict(list)
    for wnid, some in results.items():
        for result in some:
            rank = ontology.rank(wnid)
            by_path[result.photo.path].append(
                Sighting(wnid, rank, source.source, result.query, result.position, source.licence)
            )
    for path, sightings in sorted(by_path.items()):
        yield InputFile.of(source.path / path, sightings)


def truth_of(db: Project, photos: Mapping[str, Photo]) -> dict[tuple[str, str], bool]:
    """Whether candidates, by (sha256, wnid), show what they are candidates for."""
    seen = eyes_of(db, photos)
    return {pair: seen(*pair) for pair in db.candidates.origins()}


def eyes_of(db: Project, photos: Mapping[str, Photo]) -> Callable[[str, str], bool]:
    """Whether an image (by sha256) shows a synset (by wnid), by the descriptions of the photographs at its origins."""
    files: dict[str, set[str]] = defaultdict(set)
    for (sha256, _), origins in db.candidates.origins().items():
        files[sha256] |= photos.keys() & set(origins)

    def seen(sha256: str, wnid: str) -> bool:
        return any(shows(db.ontology, photos[origin], db.ontology[wnid]) for origin in files[sha256])

    return seen
