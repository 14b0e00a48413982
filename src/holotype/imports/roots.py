"""The roots of the layouts in a folder: which images belong together, and what lies apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from holotype.imports.layouts import is_image, split_of
from holotype.imports.objectnet import FOLDERS
from holotype.imports.peek import Seen, look_around
from holotype.imports.readings import Told, Tree, above_of, class_of, root_of


def trees(seen: Seen, told: Told) -> list[Tree]:
    """The images that were seen of a folder, by the root of their layout, which may lie above the folder itself."""
    images = [path for path in seen.files if is_image(path.rpartition("/")[2])]
    if told.layout == "unlabelled":
        return [Tree(seen.path, images)] if images else []
    above = above_of(seen.path.absolute())
    trees: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in images:
        within = above if above and not any(map(split_of, path.split("/")[:-1])) else ""
        root = root_of(f"{within}/{path}" if within else path)
        if within and len(root) < len(within):
            trees["", within[len(root) :].strip("/")].append(path)
        else:
            trees[root[len(within) :].strip("/"), ""].append(path)
    return [
        Tree(
            seen.path / prefix,
            [path[len(prefix) + 1 if prefix else 0 :] for path in paths],
            front,
            inside,
            _below(seen, prefix),
        )
        for (prefix, front), paths, inside in _nested(trees)
    ]


def _below(seen: Seen, prefix: str) -> tuple[str, ...]:
    return tuple(folder for folder in seen.folders if folder.startswith(f"{prefix}/" if prefix else ""))


def _nested(trees: Mapping[tuple[str, str], list[str]]) -> Iterator[tuple[tuple[str, str], list[str], tuple[str, ...]]]:
    """Each tree with the roots of others inside it; those whose folders are no known classes are part of it instead."""
    held = {key: list(paths) for key, paths in sorted(trees.items(), key=lambda tree: -len(tree[0][0]))}
    inside: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, paths in list(held.items()):
        outer = next(
            (one for one in held if one != key and f"{key[0]}/".startswith(f"{one[0]}/" if one[0] else "")), None
        )
        if outer is None:
            continue
        if any(class_of(path.split("/")[:-1])[0] in ("wnid", "number") for path in paths):
            inside[outer].append(key[0][len(outer[0]) :].strip("/"))
        else:
            held[outer] += held.pop(key)
    for key, paths in held.items():
        yield key, paths, tuple(sorted(inside[key]))


def followed(seen: Seen) -> dict[str, list[str]]:
    """The links to folders with images, which lead to no folder that they lie in; with the paths of some images."""
    held = {}
    for link in seen.links:
        target = (seen.path / link).resolve()
        if not (seen.path / link).parent.resolve().is_relative_to(target):
            paths = (f"{link}/{path}" for path in look_around(seen.path / link).files)
            held[link] = [path for path in paths if is_image(path.rpartition("/")[2])]
    return {link: paths for link, paths in held.items() if paths}


def mappings(seen: Seen) -> Path | None:
    """The folder of ObjectNet's mappings, in a folder or beside it; None where there is none."""
    inside = (seen.path / path for path in seen.files if path.rpartition("/")[2] == FOLDERS)
    beside = seen.path.absolute().parent / "mappings" / FOLDERS
    file = next(inside, beside if beside.is_file() else None)
    return None if file is None else file.parent
