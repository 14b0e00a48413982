"""The command on class orders: what they are, and which one a file of predictions is in."""

from __future__ import annotations

import dataclasses
import re
import tokenize
from pathlib import Path

import click
import numpy as np
from numpy.lib.format import MAGIC_PREFIX

from holotype.benchmark.orders import ORDERS, Ints, detect_order
from holotype.cli.options import json_option
from holotype.cli.text import print_json, print_listing
from holotype.errors import PredictionError
from holotype.files import printable
from holotype.imports.solution import read_solution
from holotype.store.opening import opened_file
from holotype.textlists import read_lines

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
# What numpy is known to raise on damaged headers.
_NUMPY_ERRORS = (
    EOFError,
    MemoryError,
    OverflowError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")


@click.command("orders")
@click.option("--detect", "predictions", type=_file, metavar="PREDICTIONS", help="Tell which order these are in.")
@click.option("--truth", type=_file, help="The true labels: Kaggle's LOC_val_solution.csv.")
@click.option(
    "--declared",
    type=click.Choice(list(ORDERS)),
    default="sorted",
    show_default=True,
    help="The order they should have.",
)
@json_option
def orders_command(predictions: Path | None, truth: Path | None, declared: str, as_json: bool) -> None:
    """List the orders of ILSVRC2012's classes, or tell which one predictions are in.

    Exit code 1 if they are not as declared, or that cannot be told. PREDICTIONS has a row for each image of the truth,
    in the order of their names, the best guess first: a .npy of integers, or text with whole numbers between blanks or
    commas.
    """
    if (predictions is None) != (truth is None):
        raise click.UsageError("--detect and --truth go together")
    if predictions is None or truth is None:
        _list(as_json)
        return
    labels = read_labels(truth)
    verdict = detect_order(read_guesses(predictions, len(labels)), labels, declared)
    if as_json:
        values = {field.name: getattr(verdict, field.name) for field in dataclasses.fields(verdict)}
        print_json(values | {"top1": dict(verdict.top1)})
    else:
        click.echo(verdict)
    if verdict.found != declared:
        raise click.exceptions.Exit(1)


def _list(as_json: bool) -> None:
    if as_json:
        print_json(dict(ORDERS))
    else:
        print_listing(("order", "numbers, and who uses them"), list(ORDERS.items()))


def read_labels(path: Path) -> list[str]:
    """The wnid of each image in a solution file, in the order of the images' names.

    Raises `PredictionError` for an image with boxes of several classes, and as `read_solution` does.
    """
    found = {one.name: one.wnids for one in read_solution(path)}
    if several := next((name for name, wnids in found.items() if len(wnids) > 1), None):
        raise PredictionError(
            f"{printable(path)}: {several!r} has boxes of {' and '.join(found[several][:2])}: no one label"
        )
    return [found[name][0] for name in sorted(found)]


def read_guesses(path: Path, images: int) -> Ints:
    """The guesses in a .npy, ``(images, k)``, or the first of each row of a text, ``(images, 1)``.

    Raises `PredictionError` for another number of rows, and for what are no whole numbers.
    """
    try:
        with opened_file(path) as file:
            magic = file.read(len(MAGIC_PREFIX))
        guesses = _read_array(path) if magic == MAGIC_PREFIX else _read_rows(path, images)
    except OSError as error:
        raise PredictionError(f"cannot read {printable(path)}: {error.strerror or error}") from error
    if len(guesses) != images:
        raise PredictionError(f"{printable(path)} has {len(guesses):,} rows for the {images:,} images of the truth")
    return guesses


def _read_array(path: Path) -> Ints:
    try:
        found: Ints = np.load(path, mmap_mode="r", allow_pickle=False)
    except _NUMPY_ERRORS as error:
        said = " ".join(f"{type(error).__name__} {error}".split())[:100]
        raise PredictionError(f"{printable(path)} is no .npy that is read here, or is damaged: {said}") from error
    if found.ndim not in (1, 2) or not np.issubdtype(found.dtype, np.integer):
        raise PredictionError(
            f"{printable(path)} has {found.dtype} of shape {found.shape}, not whole numbers of shape (n,) or (n, k)"
        )
    return found if found.ndim == 2 else found[:, None]


def _read_rows(path: Path, images: int) -> Ints:
    guesses = []
    for number, line in enumerate(read_lines(path, PredictionError), 1):
        if not line.strip() and number > images:
            continue
        if number > images:
            raise PredictionError(f"{printable(path)} has more rows than the truth has images, {images:,}")
        fields = line.replace(",", " ").split()
        if not fields or not all(map(_WHOLE.fullmatch, fields)):
            raise PredictionError(f"{printable(path)}, line {number}: expected whole numbers, not {line[:40]!r}")
        guesses.append(int(fields[0]))
    return np.array(guesses, np.int64).reshape(-1, 1)
