"""What is asked of a release, as one value that can be asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from holotype.errors import ReleaseError
from holotype.images.variants import Variant
from holotype.licences import LicencePolicy
from holotype.releases.layout import SHARD_BYTES
from holotype.releases.questions import check_words
from holotype.releases.selection import Selection
from holotype.releases.shares import Fractions, Shares

TOGETHER: Final = ("near", "upload", "author")
"""What may keep images in one split: near-duplicates, one address that they were taken from, one author."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a release is made of, and how.

    Labels yes that `query` finds (as text), of images of `datasets` alone if any are named, those that `selection`
    takes; shared out by `splits` and `seed`, images that are `together` in one split. With `outvoted` labels are taken
    that more people deny than affirm. It is compared with the releases or datasets `against`, for what they share.
    Pictures are stored as `variant` has them, else as they are; where it is `manifest_only` they are left where they
    lie. A shard is full when it has `shard_bytes` of original pictures. `words` are its makers' own for the datasheet,
    by the keys of `holotype.releases.questions`. Images are under `licences`, words of `holotype.licences.WORDS`, or
    any; those that a project takes where none are named. With `blur_faces` the faces that were found are blurred, and
    with `unlooked` too images are taken that nobody looked for faces on; faces that a detector gave a score below
    `face_score` are left.

    Raises `ReleaseError` for what no release can be made by, and `LicenceError`.
    """

    query: str = ""
    datasets: tuple[str, ...] = ()
    selection: Selection = Selection()
    splits: Shares = Fractions()
    seed: int = 0
    together: tuple[str, ...] = TOGETHER
    outvoted: bool = False
    against: tuple[str, ...] = ()
    variant: Variant | None = None
    manifest_only: bool = False
    shard_bytes: int = SHARD_BYTES
    words: Mapping[str, str] = field(default_factory=dict)
    licences: tuple[str, ...] = ()
    blur_faces: bool = False
    unlooked: bool = False
    face_score: float = 0.0

    def __post_init__(self) -> None:
        if odd := [kind for kind in self.together if kind not in TOGETHER]:
            raise ReleaseError(f"images are kept together by {', '.join(TOGETHER)}, not by {odd[0]!r}")
        if self.shard_bytes < 1:
            raise ReleaseError(f"a shard holds a byte at least, not {self.shard_bytes:,}")
        if self.manifest_only and self.variant is not None:
            raise ReleaseError("pictures that are left where they lie cannot be stored in another size or form")
        if self.manifest_only and self.blur_faces:
            raise ReleaseError("in pictures that are left where they lie no faces can be blurred")
        check_words(self.words, "a datasheet")
        LicencePolicy(self.licences)

    def value(self) -> dict[str, Any]:
        """What ``release.json`` has of it."""
        return {
            "query": self.query,
            "datasets": list(self.datasets),
            "per_synset": self.selection.per_synset,
            "at_least": self.selection.at_least,
            "balance": self.selection.balanced,
            "splits": asdict(self.splits),
            "seed": self.seed,
            "together": list(self.together),
            "outvoted": self.outvoted,
            "against": list(self.against),
            "variant": None if self.variant is None else asdict(self.variant),
            "manifest_only": self.manifest_only,
            "shard_bytes": self.shard_bytes,
            "words": dict(self.words),
            "licences": list(self.licences),
            "blur_faces": self.blur_faces,
            "unlooked": self.unlooked,
            "face_score": self.face_score,
        }
