"""The applications of the first ImageNet paper, as commands."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import click

from holotype.cli.groups import CommandGroup, Elsewhere

APPLICATIONS: Final = MappingProxyType(
    {
        "discover": Elsewhere(
            "holotype.cli.apply_discovery:discover_command",
            "Discover where objects are, and from which views they are seen, from images alone.",
        ),
        "nn-voting": Elsewhere(
            "holotype.cli.apply_voting:nn_voting_command",
            "Tell what images show by the votes of the tiny pictures that are nearest to them.",
        ),
        "nbnn": Elsewhere(
            "holotype.cli.apply_voting:nbnn_command",
            "Tell what images show by the nearest SIFT descriptors of each class.",
        ),
        "tree-max": Elsewhere(
            "holotype.cli.apply_tree_max:tree_max_command",
            "Tell what images show on every level of the hierarchy, by the surest classifier of a subtree.",
        ),
    }
)


@click.group("apply", cls=CommandGroup, elsewhere=APPLICATIONS)
def apply() -> None:
    """Run the applications of the first ImageNet paper, with a report."""
