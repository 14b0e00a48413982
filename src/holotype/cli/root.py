"""The program `holotype`: what there is, by name."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import Final

import click

from holotype import __version__
from holotype.cli.groups import CommandGroup, Elsewhere

BEGAN: Final = "holotype.began"
"""What the context of the program calls the time at which it began."""
COMMANDS: Final = MappingProxyType(
    {
        "init": Elsewhere("holotype.cli.init:init", "Make a project in FOLDER."),
        "ingest": Elsewhere("holotype.cli.ingest:ingest", "Take in every image below FOLDER; again, only what is new."),
        "collect": Elsewhere(
            "holotype.cli.collect:collect",
            "Find pictures of SYNSETs on the web, fetch them politely, and take them in as candidates.",
        ),
        "intake": Elsewhere("holotype.cli.intake:intake", "See what became of the files that came in."),
        "images": Elsewhere(
            "holotype.cli.images:images", "Withdraw images that are not to be used any more, and restore them."
        ),
        "faces": Elsewhere(
            "holotype.cli.faces:faces_command",
            "Look for faces on images that nobody has looked at, so that releases can blur them.",
        ),
        "query": Elsewhere(
            "holotype.cli.query:query_command",
            "Find images: count the labels that satisfy QUERY, all its terms, and show the first.",
        ),
        "credits": Elsewhere(
            "holotype.cli.credits:credits_command",
            "Write who made images, where they were found and under which licence, as a list to publish with them.",
        ),
        "licences": Elsewhere(
            "holotype.cli.licences:licences_command", "Show the licences of images, and say which the project takes."
        ),
        "near-duplicates": Elsewhere(
            "holotype.cli.near_duplicates:near_duplicates",
            "List groups of images that are copies of one another: mirrored, scaled, encoded anew.",
        ),
        "statistics": Elsewhere(
            "holotype.cli.statistics:statistics",
            "Count what the project holds: its scale, hierarchy, accuracy, image sizes and objects.",
        ),
        "evaluate": Elsewhere(
            "holotype.cli.evaluate:evaluate_command", "Score PREDICTIONS, files keyed by image id, as ILSVRC does."
        ),
        "models": Elsewhere("holotype.cli.models:models", "List the networks that there are, and why some are not."),
        "train": Elsewhere(
            "holotype.cli.train:train", "Train the network MODEL on a release, or on a dataset where it lies."
        ),
        "predict": Elsewhere(
            "holotype.cli.predict:predict", "Have MODEL guess what images show, as a file that can be scored."
        ),
        "finetune": Elsewhere(
            "holotype.cli.finetune:finetune", "Train MODEL, which knows other classes, on those of a release."
        ),
        "probe": Elsewhere(
            "holotype.cli.probe:probe", "Score what MODEL has learned, by a linear classifier or by neighbours."
        ),
        "apply": Elsewhere(
            "holotype.cli.apply:apply", "Run the applications of the first ImageNet paper, with a report."
        ),
        "explain": Elsewhere(
            "holotype.cli.explain:explain", "Show where MODEL looks, score it against boxes, and propose boxes by it."
        ),
        "detect": Elsewhere("holotype.cli.detect:detect", "Train detectors on boxes, and detect objects."),
        "contrast": Elsewhere("holotype.cli.contrast:contrast", "Train a network on images alone, without labels."),
        "upscale": Elsewhere("holotype.cli.upscale:upscale", "Train and use networks that make pictures larger."),
        "generate": Elsewhere(
            "holotype.cli.generate:generate", "Train and use networks that make pictures of synsets."
        ),
        "embeddings": Elsewhere(
            "holotype.cli.embeddings:embeddings",
            "Keep what networks make of images: find similar ones, order what to ask, let them vote.",
        ),
        "benchmark": Elsewhere(
            "holotype.cli.benchmark:benchmark",
            "Run benchmarks with a hidden truth: teams submit files, and boards tell no more than they may.",
        ),
        "submit": Elsewhere(
            "holotype.cli.submit:submit",
            "Submit FILE to a benchmark for the team of a token, which no command line, log or address ever holds.",
        ),
        "orders": Elsewhere(
            "holotype.cli.orders:orders_command",
            "List the orders of ILSVRC2012's classes, or tell which one predictions are in.",
        ),
        "demo": Elsewhere(
            "holotype.cli.demo:demo",
            "Run everything once: WordNet, real photographs, a simulated crowd, a release, a score, a report.",
        ),
        "ontology": Elsewhere(
            "holotype.cli.ontology:ontology",
            "Look things up in WordNet 3.0 or another ontology; check and export taxonomies.",
        ),
        "datasets": Elsewhere(
            "holotype.cli.datasets:datasets", "Open other people's datasets where they lie, and check them."
        ),
        "annotations": Elsewhere(
            "holotype.cli.annotations:annotations_group",
            "Bring in boxes, masks and labels from the tools of annotators.",
        ),
        "candidates": Elsewhere("holotype.cli.candidates:candidates", "Say what images may show."),
        "crowd": Elsewhere("holotype.cli.crowd:crowd", "Ask people about every candidate until it is sure."),
        "boxes": Elsewhere(
            "holotype.cli.boxes:boxes",
            "Have boxes drawn round all instances, judged and covered, by people or from what machines propose.",
        ),
        "campaigns": Elsewhere(
            "holotype.cli.site_campaigns:campaigns",
            "Start, pause and stop campaigns that the project's site drives, several at once.",
        ),
        "votes": Elsewhere("holotype.cli.votes:votes", "Take in votes from elsewhere."),
        "gold": Elsewhere("holotype.cli.gold:gold", "Candidates whose answer is known, asked to learn about workers."),
        "workers": Elsewhere("holotype.cli.workers:workers", "Review the crowd's workers, block and unblock them."),
        "labels": Elsewhere(
            "holotype.cli.labels:labels",
            "Ask for many labels an image; overrule labels, with a name and a reason.",
        ),
        "audits": Elsewhere(
            "holotype.cli.audits:audits", "Have a random sample of accepted images audited, to certify their precision."
        ),
        "serve": Elsewhere(
            "holotype.cli.serve:serve", "Serve the project's site: people look, vote, audit and decide there."
        ),
        "invite": Elsewhere(
            "holotype.cli.serve:invite",
            "Make a link by which people come in: volunteers choose a name, and need nothing else.",
        ),
        "backup": Elsewhere(
            "holotype.cli.backup:backup",
            "Copy the project as it is now to a folder, or to a file FILE.tar, while others go on writing to it.",
        ),
        "restore": Elsewhere(
            "holotype.cli.backup:restore_command",
            "Make the project of a backup again in FOLDER, and hold every file against its checksum.",
        ),
        "catalog": Elsewhere(
            "holotype.cli.catalog:catalog",
            "Check the catalog against all that it speaks of, mend it, and move it to another database.",
        ),
        "release": Elsewhere("holotype.cli.release:release", "Make, list, verify and export releases."),
    }
)


@click.group(
    cls=CommandGroup,
    elsewhere=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, package_name="holotype")
@click.pass_context
def holotype(context: click.Context) -> None:
    """From an ontology to a clean, hierarchical, versioned image database, and benchmarks on it."""
    context.meta[BEGAN] = time.monotonic()
