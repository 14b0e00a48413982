"""Where heavy work is done: one pure function over many batches, on threads, on processes or on a cluster."""

from __future__ import annotations

from holotype.engine.choice import ENGINES, VARIABLE, Engine, chosen, using
from holotype.engine.embedded import cpus
from holotype.engine.mapping import map_batches
from holotype.engine.progress import Progress, no_progress
from holotype.engine.threads import on_a_thread

__all__ = [
    "ENGINES",
    "VARIABLE",
    "Engine",
    "Progress",
    "chosen",
    "cpus",
    "map_batches",
    "no_progress",
    "on_a_thread",
    "using",
]
