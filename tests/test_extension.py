"""An ontology grows in a project: ranks move, facts do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import holotype
from conftest import import_image, run, small_ontology
from holotype.catalog import Catalog, ranks, schema, translations
from holotype.errors import (
    AmbiguousLemma,
    InvalidTaxonomy,
    OntologyError,
    OntologyExtended,
    ProjectError,
    UnknownSynset,
)
from holotype.ontology import Ontology
from holotype.ontology.concept import Concept
from holotype.ontology.extension import extend, moves
from holotype.ontology.taxonomy import build_ontology, read_taxonomy
from holotype.project import Project
from visitors import Site, said

Fill = Callable[..., None]
TOOLS = "id,parents,lemmas,gloss\ntool,,tool,\nhammer,tool,hammer|mallet,for nails\nsaw,tool,,cuts\n"
MORE = "claw,hammer,claw hammer,pulls nails\ndrill,tool,,\nhand drill,drill,,\n"


@pytest.fixture
def tools(tmp_path: Path, fill: Fill) -> Path:
    """A project on a taxonomy of its own, with images, votes and a release."""
    (tmp_path / "tools.csv").write_text(TOOLS)
    (tmp_path / "more.csv").write_text(TOOLS + MORE)
    for first, name in ((0, "hammer"), (20, "saw")):
        fill(tmp_path / "photos" / name, 12, first)
    project = tmp_path / "p"
    run("init", project, "--ontology", tmp_path / "tools.csv")
    run("ingest", tmp_path / "photos", "-p", project)
    run("crowd", "run", "--crowd", "simulated", "-p", project)
    run("release", "create", "v1", "-p", project, "--outvoted")
    return project


def facts(db: Project) -> list[tuple[Any, ...]]:
    """What a catalog says of candidates, but for their ranks."""
    columns = [column for column in schema.candidate.c if column.name != "rank"]
    with db.catalog.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(schema.candidate.c.id))]


def held_ranks(db: Project) -> dict[str, int]:
    with db.catalog.read() as connection:
        rows = connection.execute(select(schema.candidate.c.wnid, schema.candidate.c.rank).distinct())
        return dict(rows.all())


def test_concepts_are_added_and_nothing_that_is_there_changes(tools: Path, tmp_path: Path, fill: Fill) -> None:
    with holotype.open(tools) as db:
        before, old, votes = facts(db), db.ontology, db.counts()["states"]
        saw = held_ranks(db)[old.resolve("saw").wnid]
    assert run("ontology", "extend", tmp_path / "more.csv", "-p", tools) == "3 concepts added, 3 known; 6 synsets now\n"
    with holotype.open(tools) as db:
        assert facts(db) == before
        assert db.counts()["states"] == votes
        assert held_ranks(db) == {wnid: db.ontology.rank(wnid) for wnid in held_ranks(db)}
        assert held_ranks(db)[old.resolve("saw").wnid] != saw
        assert db.ontology.digest == build_ontology(read_taxonomy(tmp_path / "more.csv")).digest
        for word in ("tool", "mallet", "saw"):
            assert len(db.images.find(f"under:{word}")) == {"tool": 24}.get(word, 12)
        assert db.releases["v1"].ontology.digest == old.digest
        assert (
            len(db.releases["v1"].find("under:mallet"))
            == json.loads(run("query", "under:hammer state:yes", "-p", tools, "--json"))["count"]
        )
    assert run("release", "verify", "v1", "-p", tools).endswith("is sound\n")
    fill(tmp_path / "photos/claw", 12, 40)
    run("ingest", tmp_path / "photos", "-p", tools)
    assert run("query", "under:hammer", "--count", "-p", tools) == "24\n"
    run("crowd", "run", "--crowd", "simulated", "-p", tools)
    run("release", "create", "v2", "-p", tools, "--outvoted")
    assert run("release", "verify", "v2", "-p", tools).endswith("is sound\n")
    assert run("release", "verify", str(tools / "releases/v2")).endswith("is sound\n")
    again = run("ontology", "extend", tmp_path / "more.csv", "-p", tools)
    assert again == "0 concepts added, 6 known; 6 synsets now\n"


def test_wordnet_grows_too(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos/whippet", 3)
    project.images.ingest(tmp_path / "photos")
    before, wordnet = facts(project), project.ontology
    (tmp_path / "a.yaml").write_text(
        "- {id: blue whippet, parents: [whippet], translations: {deu: [Blauwhippet]}}\n"
        "- {id: lurcher, parents: [n02087551]}\n"
    )
    assert str(project.extend_ontology(tmp_path / "a.yaml")) == "2 concepts added, 0 known; 82,117 synsets now"
    assert facts(project) == before
    assert project.lemmas.resolve("deu:Blauwhippet") == project.ontology.resolve("blue whippet")
    fill(tmp_path / "more/blue whippet", 2, 10)
    project.images.ingest(tmp_path / "more")
    assert [len(project.images.find(f"under:{word}")) for word in ("whippet", "hound", "blue_whippet")] == [5, 5, 2]
    with pytest.raises(OntologyError, match="was built on the ontology"):
        holotype.open(project.path, wordnet)
    with holotype.open(project.path) as again:
        assert again.ontology.digest == project.ontology.digest
        (tmp_path / "b.yaml").write_text("- {id: old whippet, parents: [blue whippet]}\n")
        assert again.extend_ontology(tmp_path / "b.yaml").added[0].parents == (
            again.lemmas.resolve("blue whippet").wnid,
        )
        with pytest.raises(ProjectError, match="extended meanwhile: run the same command again"):
            project.extend_ontology(tmp_path / "b.yaml")


def test_a_parent_whose_word_means_more_now_is_the_parent_that_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TOOLS)
    (tmp_path / "b.csv").write_text("id,parents,lemmas,gloss\nclaw,hammer,claw hammer|mallet,\n")
    grown = extend(build_ontology(read_taxonomy(tmp_path / "a.csv")), read_taxonomy(tmp_path / "b.csv"))
    assert len(grown.ontology.meanings("mallet")) == 2
    (tmp_path / "c.csv").write_text("id,parents,lemmas,gloss\nhead,mallet,,\n")
    with pytest.raises(AmbiguousLemma):
        extend(grown.ontology, read_taxonomy(tmp_path / "c.csv"))
    first = extend(build_ontology(read_taxonomy(tmp_path / "a.csv")), read_taxonomy(tmp_path / "c.csv"))
    again = extend(first.ontology, [*read_taxonomy(tmp_path / "b.csv"), *read_taxonomy(tmp_path / "c.csv")])
    assert (len(again.added), again.known) == (1, 1)
    assert extend(again.ontology, read_taxonomy(tmp_path / "c.csv")).added == ()


def test_a_process_that_knows_the_old_ranks_writes_none_of_them(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos/whippet", 2)
    (tmp_path / "a.yaml").write_text("- {id: blue whippet, parents: [n02085374]}\n")
    listing = project.images.listing(tmp_path / "photos")
    with holotype.open(project.path) as other:
        other.extend_ontology(tmp_path / "a.yaml")
    with pytest.raises(ProjectError, match="extended meanwhile: run the same command again"):
        project.images.take(listing.files)
    with holotype.open(project.path) as again:
        again.images.ingest(tmp_path / "photos")
        assert held_ranks(again) == {wnid: again.ontology.rank(wnid) for wnid in held_ranks(again)}


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("hammer,tool,hammer,for nails\n", InvalidTaxonomy, r"changes hammer \(lemmas were hammer, mallet\)$"),
        ("hammer,tool,hammer|mallet,for wood\n", InvalidTaxonomy, "hammer .gloss was 'for nails'.$"),
        ("hammer,saw,hammer|mallet,for nails\n", InvalidTaxonomy, "hammer .other parents."),
        ("drill,borer,,\n", UnknownSynset, "no synset is called 'borer'"),
        ("a,b,,\nb,a,,\n", InvalidTaxonomy, "cycle"),
    ],
)
def test_what_would_change_or_break_an_ontology_is_refused(
    tmp_path: Path, text: str, error: type[OntologyError], said: str
) -> None:
    (tmp_path / "a.csv").write_text(TOOLS)
    (tmp_path / "b.csv").write_text("id,parents,lemmas,gloss\n" + text)
    with pytest.raises(error, match=said):
        extend(build_ontology(read_taxonomy(tmp_path / "a.csv")), read_taxonomy(tmp_path / "b.csv"))


def test_check_says_what_extend_would_do(tools: Path, tmp_path: Path) -> None:
    """Also of parents that are ids or lemmas of the project, which a taxonomy by itself does not know."""
    new = tmp_path / "new.csv"
    new.write_text("id,parents,lemmas,gloss\nclaw,mallet,,pulls\ntack,claw,,flat\nrip saw,saw,,along the grain\n")
    assert "unknown_parent" in run("ontology", "check", new, expect=1)
    with holotype.open(tools) as db:
        before = db.ontology.digest
    said = run("ontology", "check", new, "-p", tools)
    assert said.splitlines()[-1] == "3 concepts to be added, 0 known, 0 errors, 1 warnings"
    with holotype.open(tools) as db:
        assert db.ontology.digest == before
    assert run("ontology", "extend", new, "-p", tools).startswith("3 concepts added, 0 known")
    assert run("ontology", "check", new, "-p", tools) == "0 concepts to be added, 3 known, 0 errors, 0 warnings\n"


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ("claw,borer,,\nbit,drill,,\n", "unknown_parent", "but is not there: claw, borer"),
        ("saw,tool,,cuts wood\n", "no_extension", "this file changes saw (gloss was 'cuts')"),
        ("a,b,,\nb,a,,\n", "cycle", ""),
    ],
)
def test_check_finds_what_extend_would_refuse(tools: Path, tmp_path: Path, row: str, code: str, said: str) -> None:
    new = tmp_path / "new.csv"
    new.write_text(f"id,parents,lemmas,gloss\n{row}")
    told = run("ontology", "check", new, "-p", tools, expect=1)
    assert f"error {code}: " in told
    assert said in told
    found = json.loads(run("ontology", "check", new, "-p", tools, "--json", expect=1))
    assert code in {problem["code"] for problem in found["problems"] if problem["error"]}
    with holotype.open(tools) as db, pytest.raises(OntologyError):
        db.extend_ontology(new)


def test_check_knows_one_ontology_at_a_time(tools: Path, tmp_path: Path) -> None:
    new = tmp_path / "more.csv"
    said = run("ontology", "check", new, "-p", tools, "--base", "wordnet", expect=2)
    assert "-p and --base name different ontologies: choose one" in said
    (tmp_path / "t.txt").write_text("saw\nhand drill\n")
    assert "0 errors" in run("ontology", "check", new, "-p", tools, "--targets", tmp_path / "t.txt")


def test_a_parent_that_may_be_several_is_an_error(wordnet: Ontology) -> None:
    with pytest.raises(AmbiguousLemma, match="'crane' has 5 senses"):
        extend(wordnet, [Concept.of("tower crane", ["crane"], [])])


def test_an_extension_that_is_cut_off_leaves_the_old_ontology(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with holotype.open(tools) as db:
        old, before, ranked = db.ontology.digest, facts(db), held_ranks(db)
        with monkeypatch.context() as patch:
            patch.setattr(translations, "add_translations", stopped)
            with pytest.raises(KeyboardInterrupt):
                db.extend_ontology(tmp_path / "more.csv")
    with holotype.open(tools) as db:
        assert (db.ontology.digest, facts(db), held_ranks(db)) == (old, before, ranked)
        assert len(db.extend_ontology(tmp_path / "more.csv").added) == 3


def test_a_site_goes_on_with_concepts_that_another_process_added(tools: Path, tmp_path: Path) -> None:
    with holotype.open(tools) as db, db.catalog.grouped():
        site = Site(db)
        ann = site.as_("operator", "ann")
        saw = db.ontology.resolve("saw")
        before = said(ann.get(f"/synset/{saw.wnid}"))
        assert len(db.explore.view().counts.own[0]) == 3
        run("ontology", "extend", tmp_path / "more.csv", "-p", tools)
        with pytest.raises(OntologyExtended, match="extended meanwhile"):
            db.people.invite("worker")
        told = said(ann.post("/project/invitations", 503, role="worker", uses="1", days="7"))
        assert "Concepts were added to this site just now: try again." in told
        assert not db.renew(), "the page did it"
        ann.post("/project/invitations", 200, role="worker", uses="1", days="7")
        assert len(db.ontology) == len(db.explore.view().counts.own[0]) == 6
        assert db.ontology.rank(saw) != 2
        assert said(ann.get(f"/synset/{saw.wnid}")) == before
        assert "claw hammer" in said(ann.get(f"/synset/{db.ontology.resolve('claw hammer').wnid}"))
        assert len(db.images.find("under:saw")) == 12


def test_a_project_that_nobody_extended_is_as_it_was(tools: Path, tmp_path: Path) -> None:
    with holotype.open(tools) as db:
        assert not db.renew()
        old = db.ontology
        assert not db.renew()
        assert db.ontology is old
        run("ontology", "extend", tmp_path / "more.csv", "-p", tools)
        (found,) = tools.glob("ontology-*.npz")
        found.rename(tmp_path / "lost.npz")
        with pytest.raises(OntologyError):
            db.renew()
        assert db.ontology is old
        (tmp_path / "lost.npz").rename(found)
        assert db.renew()


def test_labels_of_synsets_that_were_unknown_find_their_places(catalog: Catalog) -> None:
    with catalog.write() as connection:
        connection.execute(schema.dataset.insert().values(id=1, name="d"))
        about = {"kind": "tree", "path": "/d", "size": 1, "mtime_ns": 1, "at": 0.0}
        connection.execute(schema.file.insert().values(id=1001, dataset_id=1, **about))
        labels = [("n1", 0), ("n2", 1), ("n3", 2), ("n9", -1), ("n9", -1), ("n8", -1)]
        for number, (wnid, rank) in enumerate(labels, 1):
            import_image(connection, number, 1, name=str(number), wnid=wnid, rank=rank)
        ranks.move(connection, [(0, 0, 2), (1, 2, -1)], {"n9": 7})
        found = connection.execute(select(schema.candidate.c.rank).order_by(schema.candidate.c.id)).scalars().all()
    assert found == [2, 0, 1, 7, 7, -1]


@given(st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=10), st.integers(1, 4))
def test_moves_carry_every_rank_to_where_it_is(parents: list[list[int]], added: int) -> None:
    links = {
        number: sorted({above % number for above in found}) if number else [] for number, found in enumerate(parents)
    }
    old = small_ontology(links)
    new = extend(old, [Concept.of(f"x{n}", [f"s{n % len(links)}"], []) for n in range(added)]).ontology
    carried = {rank: rank for rank in range(len(old))}
    for first, last, by in moves(old, new):
        carried |= {rank: rank + by for rank in range(first, last + 1)}
    assert carried == {rank: new.rank(old.at_rank(rank).wnid) for rank in range(len(old))}
