"""What to do about errors and alarms, in commands: what a library says of the domain, this face adds to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import click

from holotype.cli.text import plain
from holotype.errors import (
    AlreadyApplied,
    AlreadyPlanned,
    AmbiguousFolders,
    AmbiguousImage,
    AmbiguousLabels,
    BucketError,
    ContradictedGold,
    Diverged,
    ForeignFiles,
    InvalidTaxonomy,
    NoBucketSupport,
    NoProject,
    NotEmbedded,
    NothingAccepted,
    OtherMaking,
    OtherRun,
    OtherWeights,
    OutvotedImages,
    OverAllowance,
    RunExists,
    SeveralEmbeddings,
    UnfinishedRun,
    UnknownImage,
    UnknownNetwork,
    UnknownWorker,
    UnlookedImages,
)

LINES: Final = 20
"""Lines that an error has at most."""

REMEDIES: Final[Mapping[type[Exception], str]] = MappingProxyType(
    {
        AlreadyApplied: "replace it with --replace, or name another folder with --out",
        AlreadyPlanned: "to draw again: --fresh",
        AmbiguousFolders: "say what they mean with --sense NAME=WNID, or in a file, which --senses FILE writes",
        AmbiguousLabels: "say what they mean with --sense NAME=WNID, or in a file, which --senses FILE writes",
        ContradictedGold: "give a reason to: holotype gold correct",
        Diverged: "begin anew with a lower learning rate, in another folder: --out",
        ForeignFiles: "allow it, if it is what you think it is, with: --archives FOLDER",
        InvalidTaxonomy: "to see all that is wrong: holotype ontology check FILE (-p PROJECT where it extends one)",
        NoBucketSupport: "pip install 'holotype[bucket]'",
        NoProject: "make one with: holotype init {path}",
        NotEmbedded: "see: holotype embeddings list; make some with: holotype embeddings add MODEL",
        NothingAccepted: "ask first, with: holotype crowd run",
        OtherMaking: "or, where nobody is making it any more, take it away with: holotype release abandon {url}",
        OtherRun: "begin this one in another folder: --out",
        OtherWeights: "give these another name, with --as NAME",
        OutvotedImages: "look at them (holotype labels outvoted), overrule what is wrong, or take them with --outvoted",
        OverAllowance: "what was read is kept; allow more, with: --most-requests N, --most-gigabytes N",
        RunExists: "go on with it (--resume), or give another folder (--out)",
        SeveralEmbeddings: "name them with --embeddings NAME",
        UnfinishedRun: "go on with it (--resume), or name a checkpoint of it: --weights {folder}/checkpoints/best.pt",
        UnlookedImages: "look for them with: holotype faces, or take those images as they are with --unlooked",
        UnknownNetwork: "see: holotype models; or name the folder of a run",
        UnknownWorker: "see: holotype workers list",
    }
)
"""What to do, by the kind of the error, with its values in braces."""

REACHED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL",
        "gs": "GOOGLE_SERVICE_ACCOUNT, the path of a key file",
        "az": "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY",
    }
)
"""What the environment has to say of an object store, by the beginning of its URL."""

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no-bad": "holotype gold siblings, or gold add",
        "no-good": "holotype gold add",
        "one-sided-gold": "holotype gold add",
        "modes": "holotype gold add, or crowd run --policy",
        "clique": "holotype workers list",
        "spammers": "holotype workers list",
    }
)
"""The commands that mend what votes cannot tell, by the code of the alarm; some need none."""


def advised(error: Exception) -> str:
    """What an error says, and what to do about it: its first line with the advice, and the others below, indented."""
    remedy = _reaching(error) if isinstance(error, BucketError) else REMEDIES.get(type(error))
    first, *lines = (" ".join(plain(line).split()) for line in str(error).split("\n"))
    advice = first if remedy is None else f"{first}; {remedy.format(**vars(error))}"
    return "\n  ".join((advice, *lines))


def _reaching(error: BucketError) -> str | None:
    """How an object store is reached, where that is what it lacks."""
    lacks = any(word in error.reason for word in ("credentials", "nobody answers", "no such bucket"))
    variables = REACHED.get(error.url.partition(":")[0])
    return f"the environment says how to reach it: {variables}" if lacks and variables else None


def usage_told(error: click.ClickException) -> str:
    """What is wrong with how a command is used, in one line, and where its help is."""
    said = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return said
    if isinstance(error, click.MissingParameter):
        said += f"; usage: {' '.join(context.get_usage().split()[1:])}"
    return f"{said}; help: {context.command_path} --help"


def told_lines(error: Exception) -> Iterator[str]:
    """What an error says line by line, of images that are called so; no more than `LINES`."""
    if isinstance(error, AmbiguousImage | UnknownImage):
        yield from map(plain, error.lines[:LINES])
        if (left := len(error.lines) - LINES) > 0:
            yield f"and {left:,} more"


def alarm_lines(told: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """A line for each thing that the votes cannot tell, with what would mend it: of `holotype.crowd.alarms.Alarm`."""
    for alarm in told:
        command = COMMANDS.get(alarm["code"])
        yield f"alarm: {alarm['message']}; {alarm['remedy']}" + (f" ({command})" if command else "")
