"""Making and opening projects."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from holotype.errors import ProjectError
from holotype.files import create_atomically
from holotype.ontology import Ontology, load_wordnet
from holotype.ontology.concept import Concept
from holotype.ontology.taxonomy import build_ontology, parse_taxonomy, trim
from holotype.ontology.text import read_bounded
from holotype.project.project import CONFIG, VERSION, Project
from holotype.project.vocabulary import ONTOLOGY, identity_of
from holotype.store.bucket import Bucket
from holotype.store.claim import Claim


def init(
    path: str | os.PathLike[str],
    ontology: str | os.PathLike[str] | None = None,
    base: Ontology | None = None,
    targets: Sequence[str] | None = None,
    store: str | None = None,
) -> Project:
    """Make a project in `path`, which may exist but must not hold one.

    With `store`, as ``s3://bucket/birds``, its packs and releases lie in that place in an object store, which must not
    be another project's. What is needed to reach it comes from the environment, and is kept nowhere.

    Its ontology is WordNet 3.0, or that of the taxonomy file `ontology`, maybe added to `base`; with `targets`, ids,
    wnids or lemmas, only they, as its leaves, and all above them. The file is copied, and its lemmas in other languages
    are taken in.

    Raises `ProjectError`, or `OntologyError`: see `holotype.ontology.taxonomy.read_ontology`; `BucketError` where the
    place cannot be used, and `NoBucketSupport`.
    """
    folder = Path(path)
    if (folder / CONFIG).exists():
        raise ProjectError(f"there is a project in {folder} already")
    if base is not None and ontology is None:
        raise ProjectError("a base is for a taxonomy that extends it: name that as the ontology")
    salt = secrets.token_hex(16)
    config: dict[str, object] = {"version": VERSION, "salt": salt}
    claim = None
    if store is not None:
        claim = Claim(Bucket(store), identity_of(salt))
        claim.check_free()
        config["store"] = claim.bucket.url
    files: dict[str, bytes] = {}
    concepts: list[Concept] = []
    own = None
    if ontology is not None:
        config["taxonomy"] = copy = f"ontology{Path(ontology).suffix.lower()}"
        files[copy] = read_bounded(Path(ontology))
        concepts = parse_taxonomy(files[copy], Path(ontology))
        own = build_ontology(concepts, base)
    if targets is not None:
        own = trim(own or load_wordnet(), concepts, targets)
    if own is not None:
        config["ontology"] = own.digest
        files[ONTOLOGY] = own.to_bytes()
    try:
        for name, data in files.items():
            _create(folder / name, data)
        create_atomically(folder / CONFIG, json.dumps(config).encode(), mode=0o600)
        if claim is None:
            (folder / "packs").mkdir(exist_ok=True)
        else:
            _make(claim, folder)
        (folder / "releases").mkdir(exist_ok=True)
    except FileExistsError as error:
        raise ProjectError(f"there is a project in {folder} already") from error
    except OSError as error:
        raise ProjectError(f"cannot make a project in {folder}: {error.strerror}") from error
    return Project(folder, own)


def _make(claim: Claim, folder: Path) -> None:
    """Claim a project's place in an object store; where that is refused there is no project either."""
    try:
        claim.make()
    except BaseException:
        (folder / CONFIG).unlink()
        raise


def _create(path: Path, data: bytes) -> None:
    """Write a file, unless it is there and holds just that. Raises `ProjectError` where it holds something else."""
    try:
        create_atomically(path, data, mode=0o644)
    except FileExistsError as error:
        if path.read_bytes() != data:
            raise ProjectError(f"{path} is there already and holds something else: move it away") from error


def open_project(path: str | os.PathLike[str] = ".", ontology: Ontology | None = None) -> Project:
    """Open the project in `path`; `ontology` is WordNet 3.0 unless given. Raises `ProjectError`."""
    return Project(Path(path), ontology)
