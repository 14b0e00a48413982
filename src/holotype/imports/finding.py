"""Finding what there is in the files and folders a user names, whatever their layout: `find`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from holotype.errors import ArchiveError
from holotype.imports.found import Found
from holotype.imports.known import dataset_of
from holotype.imports.layouts import is_image, is_list, official, split_of
from holotype.imports.objectnet import BORDER, read_objectnet
from holotype.imports.peek import Seen, look_around
from holotype.imports.readings import Choice, Question, Take, Told, Tree, dataset_of_tree, layout_of
from holotype.imports.roots import followed, mappings, trees
from holotype.imports.shapes import Kind, Source
from holotype.imports.single import in_file, in_table
from holotype.imports.voc_maps import TITLE, map_folders, without_maps

__all__ = ["Found", "find"]


def find(paths: Sequence[Path], told: Told) -> Found:
    """What there is to add at some paths. Only names are looked at, of tars the first members."""
    found = Found()
    for path in paths:
        try:
            known = found.size
            if path.is_dir():
                _in_folder(found, look_around(path), told)
            else:
                in_file(found, path, told)
            if known == found.size:
                found.problems.append(f"{path} holds no images, archives or lists that are known here")
        except ArchiveError as error:
            found.problems.append(str(error))
    return found


def _in_folder(found: Found, seen: Seen, told: Told) -> None:
    seen, maps = without_maps(seen)
    own = mappings(seen)
    if own is not None:
        told = replace(told, table=read_objectnet(own, told.ilsvrc), counted=BORDER)
    links = followed(seen) if told.follow else {}
    for tree in trees(seen, told):
        leading = (seen.path / link for link in links)
        apart = [link.relative_to(tree.root).as_posix() for link in leading if link.is_relative_to(tree.root)]
        _in_tree(found, tree._replace(inside=(*tree.inside, *apart, *map_folders(maps, tree.root))), told)
    _along_links(found, seen, links, told)
    if not told.follow and seen.links and not found.takes:
        asks = f"it holds {len(seen.links):,} links to folders, which are not followed unless that is said"
        found.questions.append(Question(seen.path, asks, (Choice("follow-links", "", "take what they lead to"),)))
    boxes = [path for path in seen.files if path.endswith(".xml")]
    if boxes:
        found.takes.append(_boxes(found, seen.path, boxes))
    for folder in maps:
        in_table(found, folder, folder, told, Kind.MASKS, TITLE)
    for path in seen.files:
        own_table = own is not None and (seen.path / path).parent == own and is_list(path.rpartition("/")[2])
        if not is_image(path.rpartition("/")[2]) and not path.endswith(".xml") and not own_table:
            in_file(found, seen.path / path, told, among=True)


def _in_tree(found: Found, tree: Tree, told: Told) -> None:
    layout = layout_of(tree, told)
    if isinstance(layout, Question):
        found.questions.append(layout)
        return
    split = told.split or next(filter(None, map(split_of, tree.above.split("/"))), "")
    source = Source(Kind.TREE, tree.root, split, layout=replace(layout, without=tree.inside))
    found.takes.append(Take(dataset_of_tree(tree, layout, told), source))


def _along_links(found: Found, seen: Seen, images: Mapping[str, Sequence[str]], told: Told) -> None:
    """Links to folders of classes, each a source of its own: below a root no link is followed."""
    for tree in trees(Seen(seen.path, tuple(path for paths in images.values() for path in paths)), told):
        layout = layout_of(tree, told)
        if isinstance(layout, Question):
            found.questions.append(layout)
            continue
        dataset = dataset_of_tree(tree, layout, told)
        for link in (link for link in images if (seen.path / link).is_relative_to(tree.root)):
            above = "/".join(filter(None, (tree.above, (seen.path / link).relative_to(tree.root).as_posix())))
            source = Source(Kind.TREE, seen.path / link, told.split, layout=replace(layout, above=above))
            found.takes.append(Take(dataset, source))


def _boxes(found: Found, root: Path, files: Sequence[str]) -> Take:
    """A folder of annotations: the innermost that holds all of them that were seen."""
    folders = [path.rpartition("/")[0] for path in files]
    source = Source(Kind.BOXES, root / os.path.commonpath(folders) if all(folders) else root)
    named = [official(path.rpartition("/")[2]) for path in files]
    beside = {take.dataset for take in found.takes if take.source.path.is_relative_to(root)}
    if len(beside) == 1 or (beside and not any(named)):
        return Take(min(beside), source)
    return Take(dataset_of(source.path, "", any(named), True), source)
