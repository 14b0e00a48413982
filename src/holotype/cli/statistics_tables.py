"""The papers' statistics of an image database, as tables and plots of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import click

from holotype.cli.tables import print_table
from holotype.cli.text import counted
from holotype.ontology import Ontology
from holotype.statistics.accuracy import DepthAccuracy
from holotype.statistics.boxing import TIGHT, Agreement, Boxing
from holotype.statistics.diversity import Ranking
from holotype.statistics.hierarchy import Hierarchy
from holotype.statistics.histogram import Bin
from holotype.statistics.imageability import Imageability
from holotype.statistics.masks import Masked
from holotype.statistics.objects import Objects
from holotype.statistics.plots import ends, text_bars
from holotype.statistics.scale import Scale
from holotype.statistics.sizes import Sizes
from holotype.statistics.statistics import Statistics

SHOWN: Final = 20
"""Synsets that a table shows at most."""


def print_statistics(statistics: Statistics, ontology: Ontology) -> None:
    """All that was measured."""
    if statistics.scale.images:
        _print_scale(statistics.scale)
        _print_hierarchy(statistics.hierarchy)
    if statistics.accuracy:
        _print_accuracy(statistics.accuracy)
    if statistics.imageability:
        _print_imageability(statistics.imageability, ontology)
    if statistics.sizes is not None:
        _print_sizes(statistics.sizes)
    if statistics.objects is not None:
        _print_objects(statistics.objects)
    if statistics.boxing is not None:
        _print_boxing(statistics.boxing)
    if statistics.masks is not None:
        _print_masks(statistics.masks)
    if statistics.diversity is not None:
        _print_diversity(statistics.diversity, ontology)


def _print_bars(title: str, bins: Sequence[Bin]) -> None:
    click.echo("\n".join((f"\n{title}", *text_bars(bins))))


def _print_scale(scale: Scale) -> None:
    click.echo(
        f"\n{counted(scale.images, 'labelled image')} of {counted(scale.synsets, 'synset')}: "
        f"{scale.mean:,.1f} in the mean, "
        f"{scale.median:,} in the median, {scale.most:,} at most; {_percent(scale.many)} of the synsets have "
        f"more than 500, {_percent(scale.few)} fewer than 10"
    )
    _print_bars("synsets by number of images", scale.histogram)


def _print_hierarchy(hierarchy: Hierarchy) -> None:
    click.echo(
        f"\n{hierarchy.internal:,} synsets with images have others below them, {hierarchy.mean_below:,.2f} in the "
        f"mean; {hierarchy.leaves:,} have none"
    )
    columns = "synsets", "with images", "density", "images"
    print_table(
        "by depth",
        ("depth", *columns),
        [
            (
                level.depth,
                f"{level.synsets:,}",
                f"{level.filled:,}",
                _percent(level.filled / level.synsets),
                f"{level.images:,}",
            )
            for level in hierarchy.levels
        ],
    )
    print_table(
        "the fullest subtrees",
        ("subtree", *columns),
        [
            (one.name, f"{one.synsets:,}", f"{one.filled:,}", _percent(one.density), f"{one.images:,}")
            for one in hierarchy.subtrees
        ],
    )


def _print_accuracy(levels: Sequence[DepthAccuracy]) -> None:
    print_table(
        "accuracy, from audits",
        ("depth", "synsets", "labels audited", "mean precision", "least lower bound"),
        [
            (level.depth, level.synsets, f"{level.audited:,}", _percent(level.precision), _percent(level.lower))
            for level in levels
        ],
    )


def _print_imageability(found: Sequence[Imageability], ontology: Ontology) -> None:
    """The synsets whose look fewest can agree on first, then what is not known."""
    known = [(one.share, one.low, one.high, one) for one in found if one.share is not None]
    print_table(
        "imageability: the share of people who can agree what a synset looks like",
        ("synset", "wnid", "share", "5 %", "95 %", "people", "cannot tell", "images"),
        [
            (ontology[one.wnid].name, one.wnid, *map(_percent, (share, low, high)), one.workers, one.cannot, one.images)
            for share, low, high, one in sorted(known, key=lambda row: row[:1])[:SHOWN]
        ],
    )
    if len(known) > SHOWN:
        click.echo(f"and {counted(len(known) - SHOWN, 'more synset')}; see them all with --json")
    if unknown := [one for one in found if one.share is None]:
        said = sum(one.cannot > 0 for one in unknown)
        click.echo(
            f"{counted(len(unknown), 'synset has', 'synsets have')} too few votes to say; "
            f"of {said:,} somebody says that they cannot tell"
        )


def _print_sizes(sizes: Sizes) -> None:
    click.echo(
        f"\n{counted(sizes.images, 'image')} of known size: "
        f"{sizes.mean_width:.0f} x {sizes.mean_height:.0f} pixels in the "
        f"mean, {sizes.median_width} wide and {sizes.median_height} high in the median"
    )
    _print_bars("images by pixels", sizes.pixels)
    _print_bars("images by width to height", sizes.aspects)


def _print_objects(objects: Objects) -> None:
    click.echo(
        f"\n{counted(objects.boxes, 'box', 'boxes')}; {counted(objects.images, 'image has', 'images have')} any, "
        f"{objects.mean_per_image:.2f} in the mean; "
        f"means over {len(objects.classes):,} classes: {objects.instances or 0:.2f} boxes per image of the class"
        + (
            f", {_percent(objects.scale)} of the image per box, {_percent(objects.chance)} chance of localisation"
            if objects.scale is not None
            else ""
        )
    )
    _print_bars("images by number of boxes", objects.per_image)
    if objects.measured:
        _print_bars("boxes by share of the image", objects.scales)


def _print_boxing(boxing: Boxing) -> None:
    print_table(
        "boxes, by whom they are",
        ("by", "boxes", "images", "mean support", "truncated", "occluded", "of groups", "difficult"),
        [
            (
                *(one.by, f"{one.boxes:,}", f"{one.images:,}", _percent(one.support)),
                *(f"{count:,}" for count in (one.truncated, one.occluded, one.group_of, one.difficult)),
            )
            for one in boxing.sides
        ],
    )
    if boxing.coverage.asked:
        told = asdict(boxing.coverage)
        click.echo(f"\nboxes of labels yes: {', '.join(f'{name} {count:,}' for name, count in told.items())}")
    if boxing.agreement is not None:
        _print_agreement(boxing.agreement)


def _print_agreement(agreement: Agreement) -> None:
    click.echo(
        f"\n{counted(agreement.drawings, 'drawing')} by people, {_percent(agreement.share)} of some box; several drew "
        f"{agreement.redundant:,} of {counted(agreement.boxes, 'box', 'boxes')}"
        + (
            f", with an IoU of {agreement.mean:.3f} in the mean, {_percent(agreement.tight)} of {TIGHT} or more"
            if agreement.mean is not None
            else ""
        )
    )
    if agreement.mean is not None:
        _print_bars("drawings of boxes that several drew, by IoU with the box", agreement.overlaps)


def _print_masks(masks: Masked) -> None:
    crowds = f" ({counted(masks.crowds, 'crowd')} among them)" if masks.crowds else ""
    click.echo(
        f"\n{counted(masks.masks, 'mask')}{crowds}; {counted(masks.images, 'image has', 'images have')} any, "
        f"{masks.mean_per_image:.2f} in the mean; mean over {len(masks.classes):,} classes: "
        f"{_percent(masks.share)} of the image per mask"
    )
    _print_bars("images by number of masks", masks.per_image)
    _print_bars("masks by share of the image", masks.shares)


def _print_diversity(ranking: Ranking, ontology: Ontology) -> None:
    for title, shown in zip(("most diverse", "least diverse"), ends(ranking), strict=True):
        if shown:
            print_table(
                f"{title}: bytes of the mean of {ranking.images:,} images",
                ("synset", "wnid", "bytes"),
                [(ontology[one.wnid].name, one.wnid, len(one.png)) for one in shown],
            )
    if not ranking.synsets and not ranking.short:
        click.echo(f"\ndiversity is not measured: no synset has {ranking.images:,} images")
    if ranking.short:
        click.echo(f"{counted(ranking.short, 'synset')} had too few sound images")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
