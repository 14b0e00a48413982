"""Every command."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

import holotype as api
from holotype.cli import show
from holotype.cli.options import dollars, json_option, policy_option, project_option
from holotype.cli.rehearsal import forecast_command, rehearse_command
from holotype.crowd import Answer, Audit, Certificate, Imageable, Policy, Posterior, Quote, State, Terms, audits_needed
from holotype.crowd.workers import WorkerReview
from holotype.errors import CrowdError, ReleaseError
from holotype.files import write_atomically
from holotype.images.gallery import contact_sheet
from holotype.ontology import Ontology, load_wordnet
from holotype.releases import SPLITS, Fractions, Release, certify_release, verify_release

if TYPE_CHECKING:
    from holotype.benchmark import Scores
    from holotype.crowd.mturk import MTurk
    from holotype.project import Project

_SHARES = Fractions()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(api.__version__, package_name="holotype")
def holotype() -> None:
    """From an ontology to a clean, hierarchical, versioned image database, and benchmarks on it."""


@holotype.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
def init(folder: Path) -> None:
    """Make a project in FOLDER."""
    api.init(folder).close()
    click.echo(f"made a project in {folder}; next: holotype ingest DIR -p {folder}")


@holotype.group()
def ontology() -> None:
    """Look things up in WordNet 3.0."""


@ontology.command()
@click.argument("lemma")
@json_option
def find(lemma: str, as_json: bool) -> None:
    """List the senses of LEMMA, in WordNet's order."""
    wordnet = load_wordnet()
    senses = wordnet.senses(lemma)
    if as_json:
        show.as_json([show.synset_values(wordnet, sense) for sense in senses])
        return
    for sense in senses:
        click.echo(f"{sense}: {sense.gloss}")
    if not senses:
        close = sorted(name for name in wordnet.lemmas() if lemma.lower() in name)[:10]
        click.echo(f"no synset is called {lemma!r}" + (f"; there are: {', '.join(close)}" if close else ""))


@ontology.command("show")
@click.argument("synset")
@json_option
def show_synset(synset: str, as_json: bool) -> None:
    """Show SYNSET (a wnid or an unambiguous lemma) and its place in the hierarchy."""
    wordnet = load_wordnet()
    found = wordnet.resolve(synset)
    if as_json:
        show.as_json(show.synset_values(wordnet, found))
    else:
        show.print_synset(wordnet, found)


@ontology.command()
@click.argument("synset")
@click.option("--depth", default=2, show_default=True, type=click.IntRange(1), help="Levels to show.")
def tree(synset: str, depth: int) -> None:
    """Draw the subtree of SYNSET."""
    wordnet = load_wordnet()
    show.print_tree(wordnet, wordnet.resolve(synset), depth)


@holotype.command()
@click.argument("folder", type=click.Path(path_type=Path))
@project_option
@click.option("--sense", multiple=True, metavar="NAME=WNID", help="Which sense a folder's ambiguous name means.")
@json_option
def ingest(folder: Path, project: Path, sense: tuple[str, ...], as_json: bool) -> None:
    """Take in every image below FOLDER; again, only what is new.

    Subfolders named by wnid or lemma make their images candidates for that synset.
    """
    senses = dict(_pair(text) for text in sense)
    with api.open(project) as db, show.bars(["images"]) as advance:
        listing = db.list_folder(folder, senses)
        report = db.ingest_files(listing.files, lambda done, total: advance("images", done, total))
    if as_json:
        show.as_json(
            {
                **{name: getattr(report, name) for name in ("total", "kept", "duplicate", "unchanged", "rejected")},
                "rejections": [
                    dict(zip(("origin", "reason", "detail"), row, strict=True)) for row in report.rejections
                ],
                "unassigned": dict(listing.unassigned),
            }
        )
        return
    for origin, reason, detail in report.rejections:
        click.echo(f"rejected ({reason}) {origin}: {detail}", err=True)
    for name, count in listing.unassigned.items():
        click.echo(f"{name!r} names no synset: its {count:,} files stay unassigned", err=True)
    click.echo(report)


def _pair(text: str) -> tuple[str, str]:
    name, equals, wnid = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=WNID", param_hint="--sense")
    return name, wnid


@holotype.group(invoke_without_command=True)
@project_option
@click.option("--crowd", type=click.Choice(["simulated", "mturk"]), help="Who answers.  [required]")
@click.option(
    "--truth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with the header sha256,wnid,answer (yes or no): what the simulated workers see. "
    "[default: every image is what its folder says]",
)
@policy_option
@click.option("--calibrate", is_flag=True, help="Correct posteriors by what the project's gold shows.")
@click.option("--back-off", is_flag=True, help="Ask for the ancestor where the crowd splits between siblings.")
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
@click.option("--page-url", metavar="URL", help="mturk: where a page with its questions is, with {page} for its id.")
@click.option("--reward", type=dollars, metavar="DOLLARS", help="mturk: what a worker gets for a page.")
@click.option("--budget", type=dollars, metavar="DOLLARS", help="mturk: the most all pages may cost, over all runs.")
@click.option("--production", is_flag=True, help="mturk: real workers and real money instead of the sandbox.")
@click.option("--yes", is_flag=True, help="mturk: do not ask before spending.")
@json_option
@click.pass_context
def verify(
    context: click.Context,
    /,
    project: Path,
    crowd: str | None,
    truth: Path | None,
    policy: Policy,
    calibrate: bool,
    back_off: bool,
    seed: int,
    as_json: bool,
    **mturk: Any,
) -> None:
    """Ask a crowd about every candidate until it is sure.

    People need time: with mturk, run the same command again to collect what they answered.
    """
    if context.invoked_subcommand is not None:
        if any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in context.params):
            raise click.UsageError(f"options come after the command: verify {context.invoked_subcommand} ...")
        return
    if crowd is None:
        raise click.UsageError("Missing option '--crowd'")
    with api.open(project) as db:
        if calibrate:
            policy = _calibrated(db, policy)
        if crowd == "mturk":
            people = _mturk(db, **mturk)
            report = db.verify(people, Imageable(policy), back_off=back_off)
            for sheet in people.refused:
                click.echo(f"not readable: assignment {sheet.assignment} of {sheet.worker}: {sheet.reason}", err=True)
        else:
            with show.bars(["crowd"]) as advance:
                workers = db.simulated_crowd(None if truth is None else _read_truth(db, truth), seed)
                report = db.verify(
                    workers, Imageable(policy), lambda done, total: advance("crowd", done, total), back_off
                )
    if as_json:
        show.as_json(dataclasses.asdict(report))
        return
    click.echo(report)
    if report.waiting:
        click.echo("people are still working: run the same command again later")


def _calibrated(db: Project, policy: Policy) -> Policy:
    if not isinstance(policy, Posterior):
        raise click.UsageError(f"--calibrate corrects posteriors; {policy} has none")
    return dataclasses.replace(policy, calibration=db.calibration())


verify.add_command(rehearse_command)
verify.add_command(forecast_command)


def _mturk(
    db: Project, page_url: str | None, reward: Decimal | None, budget: Decimal | None, production: bool, yes: bool
) -> MTurk:
    if page_url is None or reward is None:
        raise click.UsageError("--crowd mturk needs --page-url and --reward")

    def agree(price: Quote) -> None:
        click.echo(f"{price} {'of real money' if production else 'of play money in the sandbox'}", err=True)
        if not yes:
            click.confirm("post them?", abort=True, err=True)

    endpoint = os.environ.get("AWS_ENDPOINT_URL_MTURK")
    return db.mturk_crowd(Terms(page_url, reward), budget, production, endpoint, agree)


def _read_truth(db: Project, path: Path) -> Mapping[tuple[str, str], bool]:
    truth, gold = _read_answers(path), db.gold()
    missing = [task for task in db.tasks() if (task.sha256, task.wnid) not in truth and task not in gold]
    if missing:
        first = missing[0]
        raise CrowdError(f"{path} lacks {len(missing):,} candidates, the first is {first.sha256} for {first.wnid}")
    return truth


_ANSWERS = ("sha256", "wnid", "answer")
_AUDIT = ("sha256", "wnid", "name", "answer")


_ANSWERS = ("sha256", "wnid", "answer")
_AUDIT = ("sha256", "wnid", "name", "answer")
_PRIORS = ("sha256", "wnid", "chance")
_Said = TypeVar("_Said")


def _read_answers(path: Path) -> dict[tuple[str, str], bool]:
    """Yes and no by (sha256, wnid)."""
    return _read_csv(path, _ANSWERS, _choice({"yes": True, "no": False}))


def _choice(known: Mapping[str, _Said]) -> Callable[[str], _Said]:
    """A reader of one of some words."""

    def read(said: str) -> _Said:
        if said not in known:
            raise ValueError(f"must be {' or '.join(known)}")
        return known[said]

    return read


def _read_csv(path: Path, header: Sequence[str], read: Callable[[str], _Said]) -> dict[tuple[str, str], _Said]:
    """What the last column of a CSV says, by (sha256, wnid).

    Raises `CrowdError` for a file that is not one, or contradicts itself.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CrowdError(f"cannot read {path}: {error}") from error
    if not rows or tuple(rows[0]) != tuple(header):
        raise CrowdError(f"{path}: the header must be {','.join(header)}")
    found: dict[tuple[str, str], _Said] = {}
    for number, row in enumerate(rows[1:], 2):
        said = row[-1].strip().lower() if row else ""
        try:
            if len(row) != len(header):
                raise ValueError(f"must be the last of {len(header)} cells")
            value = read(said)
        except ValueError as error:
            raise CrowdError(f"{path}, row {number}: the {header[-1]} {error}, not {said[:40]!r}") from error
        if found.setdefault((row[0], row[1]), value) != value:
            raise CrowdError(f"{path}, row {number}: a row above says the contrary")
    return found


@holotype.command()
@click.argument("chances", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="What says so: a model, the yield of a query.")
@project_option
def priors(chances: Path, source: str, project: Path) -> None:
    """Say how probable a yes is before any vote: CHANCES is a CSV with the header sha256,wnid,chance."""
    found = _read_csv(chances, _PRIORS, float)
    with api.open(project) as db:
        click.echo(f"{db.add_priors(found, source):,} of {len(found):,} priors are new")


@holotype.command()
@project_option
@json_option
def stats(project: Path, as_json: bool) -> None:
    """Count what the project holds."""
    with api.open(project) as db:
        values = db.stats()
        names = {wnid: db.ontology[wnid].name for wnid in values["synsets"]}
    if as_json:
        show.as_json(values)
        return
    totals = {name: value for name, value in values.items() if isinstance(value, int)}
    click.echo(", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in totals.items()))
    click.echo("intake: " + (", ".join(f"{name} {count:,}" for name, count in values["intake"].items()) or "none"))
    states = [str(state) for state in State if state is not State.ABANDONED or values["states"].get(state)]
    show.table(
        "",
        ("synset", "wnid", *states),
        [(names[wnid], wnid, *(count.get(s, 0) for s in states)) for wnid, count in values["synsets"].items()],
    )


@holotype.group()
def gold() -> None:
    """Candidates whose answer is known, asked to learn about workers."""


@gold.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@project_option
def add_gold(file: Path, project: Path) -> None:
    """Add the known answers of FILE, a CSV with the header sha256,wnid,answer (yes or no)."""
    with api.open(project) as db:
        new = db.add_gold(_read_answers(file), file.name)
    click.echo(f"{new:,} gold answers added")


@gold.command("siblings")
@click.option("--per-synset", required=True, type=click.IntRange(1), help="Gold noes a synset is to have.")
@click.option("--seed", default=0, show_default=True, help="Seed of the draw.")
@project_option
def sibling_gold(per_synset: int, seed: int, project: Path) -> None:
    """Make gold noes of images that are gold yes for a sibling of the synset."""
    with api.open(project) as db:
        new = db.sibling_gold(per_synset, seed)
    click.echo(f"{new:,} gold answers added")


@gold.command("list")
@project_option
@json_option
def list_gold(project: Path, as_json: bool) -> None:
    """Count the gold of every synset; with --json, list it."""
    with api.open(project) as db:
        held = db.gold()
        names = {task.wnid: db.ontology[task.wnid].name for task in held}
    if as_json:
        show.as_json(
            [{"sha256": task.sha256, "wnid": task.wnid, "answer": "yes" if yes else "no"} for task, yes in held.items()]
        )
        return
    count = Counter((task.wnid, yes) for task, yes in held.items())
    rows = [(name, wnid, count[wnid, True], count[wnid, False]) for wnid, name in names.items()]
    show.table("", ("synset", "wnid", "yes", "no"), rows)


@holotype.group()
def workers() -> None:
    """Review the crowd's workers, block and unblock them."""


@workers.command("list")
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the reviews to this file instead, with the workers' names hashed.",
)
@project_option
@json_option
def list_workers(file: Path | None, project: Path, as_json: bool) -> None:
    """Review every worker whose votes count, and name those who are blocked."""
    with api.open(project) as db:
        reviews, blocked = db.workers(), db.blocked()
        if file is not None:
            _write_reviews(file, reviews, db.hidden_name)
            click.echo(f"{len(reviews):,} reviews written to {file}, names hashed")
            return
    if as_json:
        show.as_json({"workers": [dataclasses.asdict(review) for review in reviews], "blocked": blocked})
    else:
        show.print_workers(reviews, blocked)


def _write_reviews(path: Path, reviews: Sequence[WorkerReview], hide: Callable[[str], str]) -> None:
    rows = [
        dataclasses.asdict(review)
        | {
            "worker": hide(review.worker),
            "gold_interval": "{:.4f} {:.4f}".format(*review.gold_interval),
            "partners": " ".join(sorted(map(hide, review.partners))),
            "reasons": "; ".join(review.reasons),
        }
        for review in reviews
    ]
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, WorkerReview.__slots__)
    table.writeheader()
    table.writerows(sorted(rows, key=lambda row: str(row["worker"])))
    write_atomically(path, text.getvalue().encode())


@workers.command("block")
@click.argument("name")
@click.option("--reason", required=True, help="Why; kept in the catalog.")
@project_option
def block_worker(name: str, reason: str, project: Path) -> None:
    """Count the votes of worker NAME no more, and draw the labels again."""
    with api.open(project) as db:
        changed = db.block(name, reason)
    click.echo(f"{name} is blocked; {changed:,} labels changed; run holotype verify to ask about what is open")


@workers.command("unblock")
@click.argument("name")
@click.option("--reason", required=True, help="Why; kept in the catalog.")
@project_option
def unblock_worker(name: str, reason: str, project: Path) -> None:
    """Count the votes of worker NAME again, and draw the labels again."""
    with api.open(project) as db:
        changed = db.unblock(name, reason)
    click.echo(f"{name} is not blocked; {changed:,} labels changed")


@holotype.group()
def release() -> None:
    """Make, list and verify releases."""


@release.command()
@click.argument("name")
@project_option
@click.option("--train", default=_SHARES.train, show_default=True, help="Share of images to train on.")
@click.option("--val", default=_SHARES.val, show_default=True, help="Share of images to validate on.")
@click.option("--test", default=_SHARES.test, show_default=True, help="Share of images to test on.")
@click.option("--seed", default=0, show_default=True, help="Seed of the split.")
@json_option
def create(name: str, project: Path, train: float, val: float, test: float, seed: int, as_json: bool) -> None:
    """Make the release NAME of all images labelled yes."""
    with api.open(project) as db, show.bars(["release"]) as advance:
        if name in db.releases():
            raise ReleaseError(f"there is a release {name!r} already: releases are never changed, choose another name")
        made = db.release(name, Fractions(train, val, test), seed, lambda done, total: advance("release", done, total))
    if as_json:
        show.as_json({"name": made.name, "path": str(made.path), **made.statistics})
    else:
        click.echo(f"{made!r} in {made.path}; check it any time with: holotype release verify {made.path}")


@release.command("list")
@project_option
@json_option
def list_releases(project: Path, as_json: bool) -> None:
    """List the project's releases, oldest first."""
    with api.open(project) as db:
        names = db.releases()
    folders = {name: project / "releases" / name for name in names}
    found: dict[str, dict[str, Any]] = {}
    for name, folder in folders.items():
        try:
            made = Release(folder)
            found[name] = {"path": str(folder), "shown": repr(made), **made.statistics}
        except ReleaseError as error:
            found[name] = {"path": str(folder), "shown": f"{name}: {error}"}
    if as_json:
        show.as_json(found)
    else:
        click.echo("\n".join(entry["shown"] for entry in found.values()))


@release.command("verify")
@click.argument("release_or_name")
@project_option
@json_option
def verify_command(release_or_name: str, project: Path, as_json: bool) -> None:
    """Check every promise of a release, given by folder or name; exit code 1 if one is broken."""
    folder = Path(release_or_name)
    if folder.is_dir():
        problems = verify_release(folder)
    else:
        with api.open(project) as db:
            problems = db.verify_release(release_or_name)
        folder = project / "releases" / release_or_name
    if as_json:
        show.as_json({"path": str(folder), "problems": problems})
    else:
        for problem in problems:
            click.echo(f"{folder}: {problem}")
        if not problems:
            click.echo(f"{folder} is sound")
    if problems:
        raise click.exceptions.Exit(1)


@holotype.group()
def audit() -> None:
    """Have a random sample of accepted images audited, to certify their precision."""


@audit.command("draw")
@click.option("--under", multiple=True, required=True, metavar="SYNSET", help="A wnid or lemma: its whole subtree.")
@click.option("--per-synset", is_flag=True, help="Audit every synset below with accepted images by itself, too.")
@click.option(
    "--size",
    default=60,
    show_default=True,
    type=click.IntRange(1),
    help=f"Images per target; {audits_needed(0.95)}, all correct, certify a precision of 95 %, "
    f"{audits_needed(0.99)} one of 99 %.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The CSV file to fill in; a page with the images is made beside it.",
)
@click.option("--fresh", is_flag=True, help="Draw a new random order instead of sharing that of the newest audit.")
@project_option
def draw_command(under: tuple[str, ...], per_synset: bool, size: int, out: Path, fresh: bool, project: Path) -> None:
    """Plan an audit and write what is still to be looked at: a CSV file, and a page with the images.

    The auditor fills in yes, no or unsure and must not have voted on these images.
    """
    page = out.with_suffix(".html")
    if out.suffix != ".csv":
        raise CrowdError(f"the file to fill in is a CSV file: --out {out.with_suffix('.csv')}")
    if taken := [path for path in (out, page) if path.exists()]:
        raise CrowdError(f"{taken[0]} is there already, maybe with answers: name another CSV file with --out")
    with api.open(project) as db:
        targets = [db.ontology.resolve(name) for name in under]
        if per_synset:
            wnids = {image.wnid for target in targets for image in db.images(target, "yes")}
            targets.extend(db.ontology[wnid] for wnid in wnids)
        images = db.draw_audit(targets, size, fresh)
        names = {image.wnid: str(db.ontology[image.wnid].name) for image in images}
        with out.open("x", encoding="utf-8", newline="") as file:
            rows = ((image.sha256, image.wnid, names[image.wnid], "") for image in images)
            csv.writer(file).writerows([_AUDIT, *rows])
        headings = {wnid: f"{wnid} {name}: {db.ontology[wnid].gloss}" for wnid, name in names.items()}
        with page.open("x", encoding="utf-8") as file:
            file.writelines(contact_sheet(images, headings))
    click.echo(
        f"{len(images):,} images to look at in {page}; fill in the last column of {out}, "
        f"then: holotype audit record {out} --auditor NAME -p {project}"
    )


@audit.command("record")
@click.argument("answers", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--auditor", required=True, metavar="NAME", help="Who gave the answers; stored, released as a hash.")
@project_option
def record_command(answers: Path, auditor: str, project: Path) -> None:
    """Record ANSWERS, the CSV file of `holotype audit draw` with its last column filled in; empty cells are skipped."""
    words: dict[str, Answer | None] = {**{answer.name.lower(): answer for answer in Answer}, "": None}
    said = _read_csv(answers, _AUDIT, _choice(words))
    found = {pair: answer for pair, answer in said.items() if answer is not None}
    with api.open(project) as db:
        click.echo(db.record_audit(found, auditor))


@audit.command("status")
@project_option
@json_option
def audit_status(project: Path, as_json: bool) -> None:
    """Show how far the audits have come, but not how they turn out: a plan must not be changed by that."""
    with api.open(project) as db:
        audits = db.audits()
        names = {found.plan.wnid: db.ontology[found.plan.wnid].name for found in audits}
    if as_json:
        show.as_json([_audit_values(found) for found in audits])
        return
    show.table(
        "",
        ("synset", "wnid", "accepted", "planned", "sample", "audited", "state"),
        [(names[value["wnid"]], *value.values()) for value in map(_audit_values, audits)],
    )


def _audit_values(found: Audit) -> dict[str, Any]:
    return {
        "wnid": found.plan.wnid,
        "labels": found.labels,
        "planned": found.plan.size,
        "sample": len(found.sample),
        "audited": len(found.sample) - len(found.unanswered),
        "state": found.remark,
    }


@holotype.command("certify")
@click.argument("release_or_name", required=False)
@project_option
@json_option
def certify_command(release_or_name: str | None, project: Path, as_json: bool) -> None:
    """Compute the certificates of a release again, given by folder or name, or without one the project's.

    Exit code 1 if a release's certificates do not hold up.
    """
    problems: list[str] = []
    if release_or_name is None:
        with api.open(project) as db:
            found, wordnet = db.certificates(), db.ontology
    else:
        made = Release(folder if (folder := Path(release_or_name)).is_dir() else project / "releases" / release_or_name)
        wordnet = load_wordnet()
        problems = certify_release(made, wordnet)
        found = [] if problems else made.certificates
    if as_json:
        show.as_json({"certificates": [_certificate_values(one) for one in found], "problems": problems})
    elif problems:
        click.echo("\n".join(f"{release_or_name}: {problem}" for problem in problems))
    elif found:
        print_certificates(found, wordnet)
    else:
        click.echo("no certificate: no audit is planned and complete; see holotype audit status")
    if problems:
        raise click.exceptions.Exit(1)


def _certificate_values(found: Certificate) -> dict[str, Any]:
    return {**dataclasses.asdict(found), "precision": found.precision}


def print_certificates(certificates: Sequence[Certificate], ontology: Ontology) -> None:
    """What was audited, what was observed, and the bound that is certified."""
    show.table(
        f"precision on independently audited random samples; one-sided {100 * certificates[0].confidence:g} % "
        "Clopper-Pearson bound",
        ("synset", "wnid", "labels", "audited", "correct", "observed", "at least", "draws"),
        [
            (
                ontology[found.plan.wnid].name,
                found.plan.wnid,
                found.labels,
                f"{found.audited}{' (all)' if found.audited == found.labels else ''}",
                found.correct,
                f"{100 * found.precision:.1f} %",
                f"{math.floor(1000 * found.lower) / 10:.1f} %",
                found.plan.draws,
            )
            for found in certificates
        ],
    )


@holotype.command("evaluate")
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--release", "name", required=True, help="A release's name in the project, or its folder.")
@click.option("--split", default="test", show_default=True, type=click.Choice(SPLITS), help="The split to score.")
@project_option
@json_option
def evaluate_command(predictions: Path, name: str, split: str, project: Path, as_json: bool) -> None:
    """Score PREDICTIONS, a CSV keyed by image id, as ILSVRC does."""
    if Path(name).is_dir():
        from holotype.benchmark.evaluate import evaluate

        scores = evaluate(predictions, Release(Path(name)), load_wordnet(), split)
    else:
        with api.open(project) as db:
            scores = db.evaluate(predictions, name, split)
    if as_json:
        show.as_json(dataclasses.asdict(scores))
    else:
        print_scores(scores)


def print_scores(scores: Scores) -> None:
    """The errors with 1 to 5 guesses and their intervals."""
    show.table(
        f"{scores.images:,} images; mean and 95 % bootstrap interval",
        ("guesses", "flat error", "hierarchical error"),
        [(k, *pair) for k, pair in enumerate(zip(scores.flat, scores.hierarchical, strict=True), 1)],
    )


@holotype.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Where to work.")
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Use this folder's images.",
)
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
def demo(out: Path, photos: Path | None, seed: int) -> None:
    """Run everything once: WordNet, real photographs, a simulated crowd, a release, a score, a report."""
    try:
        from holotype.demo.report import render

        render_report: Callable[[Any], str] = render
        from holotype.demo.journey import STAGES, run_demo
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; the demo needs: pip install 'holotype[demo]'") from error
    out.mkdir(parents=True, exist_ok=True)
    with show.bars(STAGES) as advance:
        result = run_demo(out, photos, seed, advance)
    page = out / "report.html"
    page.write_text(render_report(result), encoding="utf-8")
    if result.photos.remark:
        click.echo(result.photos.remark)
    click.echo(f"{result.intake}\n{result.verified}\n{result.release or 'no release'}")

    def share(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    show.table(
        "adaptive consensus beside a majority of five by the same crowd",
        (
            "subtree",
            "candidates",
            "votes",
            "by five",
            "precision",
            "by five",
            "recall",
            "by five",
            "accepted",
        ),
        [
            (
                row.name,
                row.candidates,
                row.adaptive.votes,
                row.fixed.votes,
                share(row.adaptive.precision),
                share(row.fixed.precision),
                share(row.adaptive.recall),
                share(row.fixed.recall),
                row.adaptive.accepted,
            )
            for row in (*result.rows, result.total)
        ],
        last_is_total=True,
    )
    votes = result.total.adaptive.votes / max(1, result.total.fixed.votes)
    click.echo(f"votes asked: {100 * votes:.0f} % of a five-vote majority's")
    if result.scores is None:
        click.echo(result.remark)
    else:
        print_scores(result.scores)
    program = "holotype" if shutil.which("holotype") else min(sys.argv[0], os.path.relpath(sys.argv[0]), key=len)
    click.echo(
        f"\nreport: {page}\nnow try:\n"
        f"  {program} stats -p {result.project}\n"
        f"  {program} release verify v1 -p {result.project}\n"
        f"  {program} ontology tree bird\n"
        f"  {program} demo --photos DIR     (your own photographs, named or described by .txt files)"
    )
