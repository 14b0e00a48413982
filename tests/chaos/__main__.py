"""``python -m chaos``: kill stages at random moments, and see that nothing is lost and nothing doubled."""

from __future__ import annotations

import argparse
import functools
import logging
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from chaos.beside import Beside
from chaos.facts import checked
from chaos.faults import FAULTS, Left
from chaos.running import Ended, answered, in_a_process
from chaos.stages import STAGES, Facts, Stage
from conftest import saved_ontology
from holotype.ontology import Ontology, load_wordnet

SEVERAL = (1, 2, 4, 8)
"""How often a stage is killed, one time after the other, before it is let go on to its end."""
SHORT = ("ingest", "datasets add", "crowd", "people", "release", "takedown", "embeddings", "loader")


class Trials:
    """A stage in a folder of its own, killed again and again."""

    def __init__(self, stage: Stage, root: Path) -> None:
        self.stage, self.root = stage, root
        self.work, self.made, self.log = root / "work", root / "made", root / "log"
        self.work.mkdir(parents=True)
        self._beside = Beside(stage.beside)
        self._done("made", lambda: stage.make(self.work))
        shutil.copytree(self.work, self.made)
        self._beside.ask("/keep")
        self.seconds = self._done("run undisturbed", lambda: stage.run(self.work)).seconds
        self.facts = self._looked_at()
        self.kills = 0

    def once(self, dice: random.Random) -> None:
        """Begin anew, be killed once or several times, go on to the end, and compare."""
        shutil.rmtree(self.work)
        shutil.copytree(self.made, self.work)
        self._beside.ask("/reset")
        killed = []
        for number in range(dice.choice(SEVERAL)):
            at = dice.uniform(0, self.seconds * (0.4 if number else 1.05))
            ended = in_a_process(self._beside.known_to(lambda: self.stage.run(self.work)), self.log, at)
            killed.append(round(at, 4))
            if ended.code == 0:
                break
            if ended.code != -9:
                raise AssertionError(f"killed at {killed}, it failed before the last ({ended.code}):\n{ended.said}")
            self.kills += 1
        self._done(f"after kills at {killed} of {self.seconds:.3f} s, done again", lambda: self.stage.run(self.work))
        facts = self._looked_at(f"after kills at {killed} of {self.seconds:.3f} s")
        if facts != self.facts:
            raise AssertionError(f"killed at {killed} s, it is another:\n{_differing(self.facts, facts)}")

    def _done(self, what: str, work: Callable[[], object]) -> Ended:
        ended = in_a_process(self._beside.known_to(work), self.log)
        if ended.code:
            raise AssertionError(f"{self.stage.name}, {what}: exit code {ended.code}\n{ended.said[-4000:]}")
        return ended

    def _looked_at(self, when: str = "undisturbed") -> Facts:
        if self.stage.checked:
            found = answered(self._beside.known_to(lambda: checked(self.work / "project")), self.log)
            if found["problems"]:
                raise AssertionError(f"{self.stage.name}, {when}: {found['problems']}")
        told: Facts = answered(self._beside.known_to(lambda: self.stage.facts(self.work)), self.log)
        return told


def _faults(root: Path) -> int:
    """Let everything else go wrong that can; how often that did harm."""
    failed = 0
    for fault, stages in FAULTS:
        for stage in stages:
            name = f"{fault.__name__.replace('_', ' ')}, {stage.name}"
            try:
                fault(stage, root)
                print(f"{name}: goes on", flush=True)
            except Left as reason:
                print(f"{name}: left out, {reason}", flush=True)
            except (AssertionError, RuntimeError) as error:
                failed += 1
                print(f"FAILED: {name}: {error}", flush=True)
    return failed


def _differing(one: Facts, other: Facts) -> str:
    return "\n".join(f"  {key}: {one.get(key)} -> {other.get(key)}" for key in one if one.get(key) != other.get(key))


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; 1 where anything was lost or doubled."""
    parser = argparse.ArgumentParser("chaos")
    parser.add_argument("--short", action="store_true", help="one trial of each of a few stages")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--kills", type=int, default=200, help="go on until so many, whatever the minutes")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--stages", default="", help="names with commas; all without")
    parser.add_argument("--faults", action="store_true", help="all that goes wrong but kills, alone")
    parser.add_argument("--trial", type=int, default=None, help="do this trial of the stages alone")
    said = parser.parse_args(arguments)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    Ontology.from_bytes = functools.wraps(Ontology.from_bytes)(saved_ontology)  # type: ignore[method-assign]
    load_wordnet()
    load_wordnet()
    seed = random.SystemRandom().randrange(10**6) if said.seed is None else said.seed
    names = said.stages.split(",") if said.stages else SHORT if said.short else [one.name for one in STAGES]
    with tempfile.TemporaryDirectory(prefix="holotype-chaos-") as folder:
        return _run([one for one in STAGES if one.name in names], Path(folder), seed, said)


def _run(stages: Sequence[Stage], root: Path, seed: int, said: argparse.Namespace) -> int:
    began, failed, kills = time.monotonic(), 0, 0
    print(f"seed {seed}", flush=True)
    if said.faults or not (said.short or said.stages):
        failed += _faults(root / "fault")
    if said.faults:
        return 1 if failed else 0
    ready = []
    for number, stage in enumerate(stages):
        if stage.lacks:
            print(f"{stage.name}: left out, {stage.lacks}", flush=True)
            continue
        try:
            trials = Trials(stage, root / str(number))
        except (AssertionError, RuntimeError) as error:
            failed += 1
            print(f"FAILED: {error}", flush=True)
            continue
        print(f"{stage.name}: {trials.seconds:.2f} s of CPU undisturbed", flush=True)
        ready.append(trials)
    trial = 0 if said.trial is None else said.trial
    while ready:
        for trials in ready:
            dice = random.Random(f"{seed} {trials.stage.name} {trial}")
            try:
                trials.once(dice)
            except (AssertionError, RuntimeError) as error:
                failed += 1
                print(f"FAILED: {trials.stage.name}, SEED={seed} TRIAL={trial}: {error}", flush=True)
                kept = Path(tempfile.gettempdir(), f"chaos-{seed}-{trials.stage.name.replace(' ', '-')}-{trial}")
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(trials.work, kept)
                print(f"  as it is: {kept}", flush=True)
        trial += 1
        kills = sum(trials.kills for trials in ready)
        print(f"{kills} kills, {failed} failed after {time.monotonic() - began:.0f} s", flush=True)
        over = time.monotonic() - began > 60 * said.minutes
        if said.short or said.trial is not None or (over and kills >= said.kills):
            break
    print(", ".join(f"{trials.stage.name} {trials.kills}" for trials in ready), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
