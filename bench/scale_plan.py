"""What ImageNet, and ten times ImageNet, would cost with holotype: machines, hours, requests, dollars, stage by stage.

    python bench/scale_plan.py

Nothing is measured here. Every figure follows from the constants below: `MEASURED` ones, each from a run of the module
that it names, on two cores, and `ASSUMED` ones, list prices and wages that you should replace with your own. The tables
that this prints are those of docs/scale.md, which a test holds against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

CORES: Final = 16
"""Cores of the machine whose hours are told."""
PAGE: Final = 48
"""Candidates on a page of votes."""


class Constant(NamedTuple):
    """A number, what it counts, and where it is from."""

    value: float
    unit: str
    source: str


MEASURED: Final[Mapping[str, Constant]] = {
    "fetch": Constant(700, "images fetched a second and core", "bench/collect.py, of 40 kB, on loopback"),
    "ingest": Constant(500, "images verified, fingerprinted and packed a second and core", "bench/ingest.py"),
    "object": Constant(64 << 20, "bytes of a pack in an object store", "what a commit holds at most"),
    "thumbnail": Constant(7_844, "bytes of a thumbnail", "48 of them, in the guide to buckets"),
    "near": Constant(4.0e-6, "core seconds an image, joined with few others", "bench/near.py"),
    "near_pairs": Constant(3.9e-13, "core seconds an image and each other image", "bench/near.py, by parts"),
    "near_memory": Constant(68, "bytes of memory an image takes while hashes are joined", "64 are its hashes"),
    "site": Constant(4_850, "votes a core takes in a second, durably", "bench/web.py"),
    "catalog": Constant(1_800, "bytes of PostgreSQL a candidate takes, with five votes", "bench/catalog.py"),
    "consensus": Constant(2.25e-6, "core seconds a vote in a conclusion of all", "bench/consensus_scale.py, 5e7 votes"),
    "campaign_least": Constant(
        490e6, "bytes of memory a large campaign takes", "bench/consensus_scale.py, 49,000 workers"
    ),
    "campaign_candidate": Constant(57, "more for a candidate, none for a vote", "bench/consensus_scale.py, 1e7"),
    "figures": Constant(0.16e-6, "server seconds a vote when a campaign's are counted", "bench/catalog.py, 5e7 votes"),
    "shards": Constant(680e6, "bytes of shards written a second and core", "tar, index and sha256 of real images"),
    "manifest": Constant(29e-6, "core seconds a label of tables and documents", "bench/releases.py, 14.2 million"),
    "release_memory": Constant(193, "bytes of memory a label takes while a release is made", "bench/releases.py"),
    "verify": Constant(1.14e9, "bytes verified a second and core", "sha256"),
    "verify_requests": Constant(144e-9, "requests a byte verified in an object store", "bench/bucket_releases.py"),
}

ASSUMED: Final[Mapping[str, Constant]] = {
    "core_hour": Constant(0.04, "dollars a core and hour", "list price of general machines in a cloud"),
    "month": Constant(0.023, "dollars a GB and month in an object store", "list price of S3's first tier"),
    "put": Constant(5e-6, "dollars a request that writes", "list price of S3"),
    "get": Constant(4e-7, "dollars a request that reads", "list price of S3"),
    "found": Constant(35, "new images a request to a search engine finds", "pages of 50, of which some are known"),
    "search": Constant(0.003, "dollars a request to a search engine", "list prices lie between 0 and .015"),
    "page": Constant(0.12, "dollars a page of 48 candidates", "ImageNetV2 paid .10; Mechanical Turk adds a fifth"),
    "rounds": Constant(10, "conclusions of all votes", "a round of a campaign each"),
    "campaign": Constant(2_190, "hours that a machine for database and site runs", "three months"),
    "pace": Constant(1, "images a second that one site is asked for", "holotype's own default"),
}


def value(name: str) -> float:
    """A constant, measured or assumed."""
    return (MEASURED.get(name) or ASSUMED[name]).value


@dataclass(frozen=True, slots=True)
class Database:
    """What is to be made: `candidates` that are asked about, images `kept`, `workers` who vote, mean `size` of an image
    in bytes, and `votes` for each candidate."""

    name: str
    candidates: float
    kept: float
    workers: float
    size: float = 92_000
    votes: float = 4


IMAGENET: Final = Database("ImageNet", 160e6, 14_197_122, 49_000)
TEN_TIMES: Final = Database("ten times ImageNet", 1.6e9, 141_971_220, 490_000)


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage takes: hours of one core, requests, bytes that stay, and dollars for all of it."""

    name: str
    core_hours: float = 0
    requests: float = 0
    stored: float = 0
    dollars: float = 0


def stages(made: Database) -> Iterator[Stage]:
    """What each stage of making a database takes, in the order in which they are done."""
    votes = made.candidates * made.votes
    searches, pages = made.candidates / value("found"), votes / PAGE
    held = made.candidates * (made.size + value("thumbnail"))
    packs, kept = held / value("object"), made.kept * made.size
    near = made.candidates * value("near") + made.candidates**2 * value("near_pairs")
    written, read = kept / value("object"), kept * value("verify_requests")
    yield _stage("find candidates", requests=searches, dollars=searches * value("search"))
    yield _stage("fetch", made.candidates / value("fetch"), made.candidates)
    yield _stage("verify, fingerprint, pack", made.candidates / value("ingest"), packs, held, packs * value("put"))
    yield _stage("near-duplicates", near)
    yield _stage("votes", votes / value("site"), pages, 0, pages * value("page"))
    machine = CORES * value("campaign") * value("core_hour")
    yield _stage("database and site", stored=made.candidates * value("catalog"), dollars=machine)
    yield _stage("consensus", votes * value("consensus") * value("rounds"))
    seconds, asked = kept / value("shards") + made.kept * value("manifest"), written + read
    yield _stage("release", seconds, asked, kept, written * value("put") + read * value("get"))
    yield _stage("verify the release", kept / value("verify"), read, 0, read * value("get"))


def _stage(name: str, seconds: float = 0, requests: float = 0, stored: float = 0, dollars: float = 0) -> Stage:
    hours = seconds / 3600
    return Stage(name, hours, requests, stored, dollars + hours * value("core_hour"))


def table(made: Database) -> str:
    """The stages as a table of Markdown, with what all come to."""
    rows = list(stages(made))
    rows.append(Stage("all", *(sum(getattr(row, name) for row in rows) for name in Stage.__slots__[1:])))
    lines = [
        f"| {made.name} | core hours | hours on {CORES} cores | requests | TB that stay | dollars |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        told = row.core_hours, row.core_hours / CORES, row.requests, row.stored / 1e12, row.dollars
        lines.append(f"| {row.name} | {' | '.join(map(_told, told))} |")
    return "\n".join(lines)


def limits() -> str:
    """What grows until it breaks, as a table of Markdown: for both databases, and at ten million candidates."""
    small = Database("10 million candidates", 1e7, 1e6, 10_000)
    lines = [f"| | {small.name} | {IMAGENET.name} | {TEN_TIMES.name} |", "|---|---|---|---|"]
    of: dict[str, list[float]] = {}
    for made in (small, IMAGENET, TEN_TIMES):
        votes = made.candidates * made.votes
        campaign = value("campaign_least") + made.candidates * value("campaign_candidate")
        told = {
            "days to fetch all from one site": made.candidates / value("pace") / 86_400,
            "GB of a catalog on PostgreSQL": made.candidates * value("catalog") / 1e9,
            "GB of memory of a campaign on everything": campaign / 1e9,
            "seconds of the server whenever a campaign's votes are counted": votes * value("figures"),
            "GB of memory to join hashes": made.candidates * value("near_memory") / 1e9,
            "GB of memory to make a release": made.kept * value("release_memory") / 1e9,
        }
        for name, number in told.items():
            of.setdefault(name, []).append(number)
    return "\n".join([*lines, *(f"| {name} | {' | '.join(map(_told, told))} |" for name, told in of.items())])


def constants() -> str:
    """All constants as a table of Markdown."""
    lines = ["| constant | | from |", "|---|---|---|"]
    for group in (MEASURED, ASSUMED):
        lines += [f"| {one.value:,.4g} | {one.unit} | {one.source} |" for one in group.values()]
    return "\n".join(lines)


def month(made: Database) -> str:
    """What it costs to keep a database in an object store, a month."""
    return f"${_told(sum(stage.stored for stage in stages(made)) / 1e9 * value('month'))}"


def _told(number: float) -> str:
    """A number in two digits, as people write it; nothing for none."""
    if not number:
        return ""
    if number >= 100:
        digits = 10 ** (len(str(int(number))) - 2)
        return f"{round(number / digits) * digits:,}"
    return f"{number:.2g}"


def main() -> None:
    """Print all tables."""
    for text in (table(IMAGENET), table(TEN_TIMES), limits(), constants()):
        print(text, end="\n\n")
    for made in (IMAGENET, TEN_TIMES):
        print(f"{made.name}: {month(made)} a month to keep it")


if __name__ == "__main__":
    main()
