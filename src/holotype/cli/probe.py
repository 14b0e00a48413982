"""The command that scores what a network has learned, by what its features tell of other classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import numpy as np

from holotype.benchmark import Result, evaluate
from holotype.benchmark.tasks import CLASSIFICATION
from holotype.cli.classes import class_size_option, classes_option, print_summed, samples_among
from holotype.cli.evaluate import print_result
from holotype.cli.networks import asked_options, model_argument, trained_network
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import Data, DataOptions, data_options
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.recognition import probing
from holotype.recognition.judging import guessed, judged
from holotype.recognition.partition import counts_of, partition
from holotype.recognition.probing import By, Floats, Known, Probed, known
from holotype.recognition.relabelling import those_in
from holotype.releases.loaders import Samples

if TYPE_CHECKING:
    from holotype.recognition.networks.features import Made
    from holotype.recognition.networks.network import Network


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """What is learned from what, and what is scored."""

    by: By
    split: str
    train_split: str
    choose_by: str
    under: tuple[str, ...]
    tops: tuple[str, ...]
    max_size: int | None

    def splits(self) -> list[str]:
        """The splits whose images are looked at, each once."""
        return list(dict.fromkeys(one for one in (self.train_split, self.choose_by, self.split) if one))


_OPTIONS: Final = (
    click.option(
        "--by", type=click.Choice(["linear", "knn"]), default="linear", show_default=True, help="What tells classes."
    ),
    click.option("--split", default="val", show_default=True, metavar="NAME", help="What is scored."),
    click.option("--train-split", default="train", show_default=True, metavar="NAME", help="What is learned from."),
    click.option(
        "--choose-by",
        default="",
        metavar="SPLIT",
        help="What the regularisation, or the number of neighbours, is chosen by.  [default: a fifth of --train-split]",
    ),
    click.option("--under", multiple=True, metavar="SYNSET", help="Only images of these subtrees; several times."),
    classes_option,
    class_size_option,
)


def probe_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of probing, which it gets as one `ProbeOptions`, called `asked`."""
    names = tuple(ProbeOptions.__dataclass_fields__)

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        asked = ProbeOptions(**{name: given.pop(name) for name in names})
        command(*arguments, asked=asked, **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What came of it: the probe and of how many `classes`, the `result` of the benchmark, and, where finer classes
    were summed up, the result of the likeliest of them `alone`."""

    probed: Probed
    classes: int
    result: Result
    alone: Result | None = None

    def value(self) -> dict[str, Any]:
        """This as JSON values."""
        found = {"setting": self.probed.setting, "settings": dict(self.probed.of_settings), "classes": self.classes}
        alone = {} if self.alone is None else {"result of the likeliest class alone": self.alone.value()}
        return {**found, "result": self.result.value(), **alone}


@click.command("probe")
@model_argument
@data_options
@probe_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write guesses too: .csv has five an image, .npz the probability of every class.",
)
@asked_options
@project_option
@json_option
def probe(
    model: str,
    data: DataOptions,
    asked: ProbeOptions,
    out: Path | None,
    weights: str,
    device: str,
    batch_size: int,
    project: Path,
    as_json: bool,
) -> None:
    """Score what MODEL has learned, by a linear classifier or by neighbours.

    Its features of images, what its last layer gets, stay as they are: a classifier learns the classes of one split
    from them, and is scored on another.
    """
    if out is not None and out.suffix not in (".csv", ".npz"):
        raise click.UsageError(f"--out is a .csv of guesses or an .npz of scores, not {out.name}")
    if asked.max_size is not None and not asked.tops:
        raise click.UsageError("--max-class-size sums finer classes up to those of --classes: say which")
    with data.opened(project) as given:
        among = samples_among(given, asked.tops)
        samples = {split: among(split, asked.under) for split in asked.splits()}
        network = trained_network(model, weights)
        features = _features(network, samples, device, batch_size)
        with bars(("settings",)) as advance:
            scored = _scored(given, asked, samples, features, out, lambda done, total: advance("settings", done, total))
    if as_json:
        print_json(scored.value())
    else:
        _print(scored, network.width, asked)


class Features:
    """What a network makes of the images of a split, by id."""

    def __init__(self, samples: Samples, made: Made) -> None:
        self._place = {name: place for place, name in enumerate(samples.ids.to_pylist())}
        self._rows = made.rows
        self.damaged = [one.id for one in made.damaged]

    def of(self, samples: Samples) -> Floats:
        """Those of samples of the split, ``(samples, width)``."""
        return self._rows[[self._place[name] for name in samples.ids.to_pylist()]]

    def known(self, samples: Samples) -> Known:
        """Those of samples of the split, with their labels."""
        return known(self.of(samples), samples, self.damaged)


def _features(network: Network, samples: dict[str, Samples], device: str, batch_size: int) -> dict[str, Features]:
    from holotype.recognition.networks.features import features

    found = {}
    with bars(list(samples)) as advance:
        for split, some in samples.items():
            once = some.merged()

            def told(done: int, total: int, split: str = split) -> None:
                advance(split, done, total)

            found[split] = Features(once, features(network, once, device, batch_size, told))
    return found


def _scored(
    data: Data,
    asked: ProbeOptions,
    samples: dict[str, Samples],
    features: dict[str, Features],
    out: Path | None,
    progress: Callable[[int, int], None],
) -> Scored:
    train, test = samples[asked.train_split], samples[asked.split]
    chosen = features[asked.choose_by].known(samples[asked.choose_by]) if asked.choose_by else None
    shares = None
    if asked.max_size is not None:
        train = those_in(data.samples(asked.train_split, asked.under), train)
        parts = partition(data.ontology, counts_of(train), asked.max_size)
        train, shares = parts.relabelled(train), parts.shares(test.classes)
    probed = probing.probe(features[asked.train_split].known(train), chosen, asked.by, shares, progress)
    seen = features[asked.split]
    said = [probed.probe.probabilities(seen.of(test)).astype(np.float64)]
    if shares is not None:
        said = [said[0] @ shares, shares[said[0].argmax(axis=1)]]
    found = [guessed(probabilities, test, seen.damaged) for probabilities in said]
    if out is not None:
        found[0].write(out)
    read = [judged(one, test, data.ontology) for one in found]
    results, _, _ = evaluate(CLASSIFICATION, read[0][0], [guesses for _, guesses in read])
    return Scored(probed, len(train.classes), *results)


def _print(scored: Scored, width: int, asked: ProbeOptions) -> None:
    probed = scored.probed
    tried = [(name, f"{share:.3f}") for name, share in probed.of_settings.items()]
    by = f"images of {asked.choose_by}" if asked.choose_by else "images held out"
    print_table(f"{width:,} features, {counted(probed.val, 'image')} to choose by", ("setting", "right"), tried)
    click.echo(f"{counted(scored.classes, 'class', 'classes')} were learned with {probed.setting}, chosen by {by}")
    print_result(scored.result)
    if scored.alone is not None:
        print_summed(scored.result, scored.alone)
