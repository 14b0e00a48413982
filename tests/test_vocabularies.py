"""SKOS and OWL as vocabularies in the wild use them: what they say is used, or told with a code."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import command, run
from holotype.ontology.concept import Concept
from holotype.ontology.remarks import REMARKS
from holotype.ontology.taxonomy import read_remarked
from holotype.ontology.validate import remarked

FOLDER = Path(__file__).parent / "vocabularies"
PREFIXES = """@prefix : <http://x.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix iso: <http://purl.org/iso25964/skos-thes#> .
@prefix gvp: <http://vocab.getty.edu/ontology#> .
@prefix obo: <http://purl.obolibrary.org/obo/> .
"""
THREE = ":a a skos:Concept . :b a skos:Concept . :c a skos:Concept .\n"


def read(path: Path, text: str) -> tuple[dict[str, Concept], list[tuple[str, tuple[str, ...]]]]:
    """Concepts by the last part of their id, and remarks with such ids."""
    path.write_text(PREFIXES + text)
    concepts, remarks = read_remarked(path)
    return {_short(one.id): one for one in concepts}, [(code, tuple(map(_short, ids))) for code, ids in remarks]


def _short(text: str) -> str:
    return text.removeprefix("http://x.org/")


def hierarchy(found: dict[str, Concept]) -> dict[str, list[str]]:
    return {name: [_short(parent) for parent in one.parents] for name, one in found.items()}


DOG_BELOW_ANIMAL = [
    *(
        ":c skos:broader :b .",
        ":b skos:narrower :c .",
        ":c skos:broaderTransitive :b .",
        ":b skos:narrowerTransitive :c .",
    ),
    *(":c iso:broaderGeneric :b .", ":b iso:narrowerGeneric :c .", ":c iso:broaderInstantial :b ."),
    *(":c gvp:broaderGeneric :b .", ":b gvp:narrowerGeneric :c .", ":c gvp:broaderInstantial :b ."),
    *(":c skos:broadMatch :b .", ":b skos:narrowMatch :c .", ":c rdfs:subClassOf :b ."),
    ":c owl:equivalentClass [ owl:intersectionOf ( :b :b ) ] .",
    ":c rdfs:subClassOf [ owl:intersectionOf ( :b ) ] .",
    ":c skos:broader :b ; skos:broaderTransitive :b .",
]


@pytest.mark.parametrize("said", DOG_BELOW_ANIMAL)
def test_a_hierarchy_is_read_however_it_is_said(said: str, tmp_path: Path) -> None:
    found, remarks = read(tmp_path / "a.ttl", f"{THREE} :b skos:broader :a .\n{said}")
    assert (hierarchy(found), remarks) == ({"a": [], "b": ["a"], "c": ["b"]}, [])


def test_links_that_go_a_long_way_are_needed_only_where_no_other_leads_there(tmp_path: Path) -> None:
    far = ":c skos:broaderTransitive :a, :b . :b skos:broaderTransitive :a .\n"
    for direct in ("", ":c skos:broader :b . :b skos:broader :a ."):
        found, _ = read(tmp_path / "a.ttl", THREE + far + direct)
        assert hierarchy(found) == {"a": [], "b": ["a"], "c": ["b"]}
    found, _ = read(tmp_path / "a.ttl", f"{THREE}:a skos:narrowerTransitive :b, :c .")
    assert hierarchy(found) == {"a": [], "b": ["a"], "c": ["a"]}


def test_labels_of_skos_xl_are_labels(tmp_path: Path) -> None:
    text = (
        ':a a skos:Concept ; xl:prefLabel :l ; xl:altLabel [ xl:literalForm "hound"@en ] .'
        ':a xl:altLabel [ xl:literalForm "Hund"@de ] .'
        ':l a xl:Label ; xl:literalForm "dog"@en .'
    )
    found, remarks = read(tmp_path / "a.ttl", text)
    assert (found["a"].lemmas, found["a"].translations, remarks) == (("dog", "hound"), {"deu": ("Hund",)}, [])


@pytest.mark.parametrize(
    "said",
    [
        *('skos:definition "barks"@en', 'rdfs:comment "barks"', 'dct:description "barks"'),
        *('skos:scopeNote "barks"@en-GB', 'skos:definition [ rdf:value "barks"@en ]'),
    ],
)
def test_a_gloss_is_read_wherever_it_stands(said: str, tmp_path: Path) -> None:
    found, remarks = read(tmp_path / "a.ttl", f':a a skos:Concept ; skos:prefLabel "dog"@en ; {said} .')
    assert (found["a"].gloss, remarks) == ("barks", [])


def test_a_top_concept_is_one(tmp_path: Path) -> None:
    found, remarks = read(
        tmp_path / "a.ttl", ":s a skos:ConceptScheme ; skos:hasTopConcept :a . :b skos:topConceptOf :s ."
    )
    assert (sorted(found), remarks) == (["a", "b"], [])


@pytest.mark.parametrize(
    "said",
    *[
        [
            ":b owl:deprecated true .",
            ':b owl:deprecated "true" .',
            ":b dct:isReplacedBy :x .",
            ":b a owl:DeprecatedClass .",
        ]
    ],
)
def test_a_deprecated_concept_is_not_live_and_what_is_below_it_stays(said: str, tmp_path: Path) -> None:
    found, remarks = read(tmp_path / "a.ttl", f"{THREE}:c skos:broader :b . :b skos:broader :a . {said}")
    assert remarks == [("deprecated", ("b",))]
    assert hierarchy(found) == {"a": [], "c": ["a"]}


def test_what_is_below_a_deprecated_concept_goes_below_what_replaces_it(tmp_path: Path) -> None:
    found, _ = read(tmp_path / "a.ttl", f"{THREE}:c skos:broader :b . :b obo:IAO_0100001 :a .")
    assert hierarchy(found) == {"a": [], "c": ["a"]}
    found, _ = read(tmp_path / "a.ttl", f"{THREE}:c skos:broader :b . :b dct:isReplacedBy :c .")
    assert hierarchy(found) == {"a": [], "c": []}


TOLD = {
    "part_of": (":c iso:broaderPartitive :b ; skos:broader :b .", ("c", "b")),
    "condition": (":c rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom :b ] .", ("c",)),
    "equivalent": (":c owl:equivalentClass :b .", ("c", "b")),
    "gloss_left_out": (':c skos:definition "one"@en, "two"@en .', ("c",)),
    "collection": (":g a skos:Collection ; skos:member :c .", ("g",)),
    "blank_concept": ("[] a skos:Concept .", ("1",)),
    "no_link": (":c skos:broader 'a' .", ("c", "a")),
    "not_typed": (':d skos:prefLabel "dog" ; skos:inScheme :s .', ("d",)),
    "not_deprecated": (":c owl:deprecated 'yes' .", ("c",)),
    "no_label": (":c skos:altLabel <http://x.org/label> .", ("c",)),
    "wnids": (":c skos:notation 'n02084072', 'n02084071' .", ("c", "n02084071", "n02084072")),
    "no_top": (":s a skos:ConceptScheme ; skos:hasTopConcept 'a' .", ("a",)),
    "unused_property": (
        ':c skos:hiddenLabel "dgo"@en .',
        ("http://www.w3.org/2004/02/skos/core#hiddenLabel", "1"),
    ),
    "unused_type": (":i a :b .", ("b", "1")),
    "imported": ("<http://x.org/o> a owl:Ontology ; owl:imports <http://x.org/more> .", ("more",)),
    "deprecated": (":c owl:deprecated true .", ("c",)),
}


@pytest.mark.parametrize("code", REMARKS)
def test_what_is_not_used_is_told_with_a_code(code: str, tmp_path: Path) -> None:
    text, ids = TOLD[code]
    labels = "".join(f':{name} skos:prefLabel "{name}"@en .\n' for name in "abc")
    found, remarks = read(tmp_path / "a.ttl", THREE + labels + text)
    assert remarks == [(code, ids)]
    assert all(not parents for parents in hierarchy(found).values())
    said = run("ontology", "check", tmp_path / "a.ttl")
    assert f"warning {code}: {REMARKS[code]}: " in said
    assert f"{len(found)} concepts, 0 errors, " in said


@pytest.mark.parametrize(
    "said",
    [
        *("skos:related :b", "skos:exactMatch :b", "skos:closeMatch :b", 'skos:notation "12.3"', 'skos:example "e"'),
        *("skos:broadMatch <http://elsewhere.org/1>", ":colour :red"),
    ],
)
def test_every_other_property_is_counted(said: str, tmp_path: Path) -> None:
    _, remarks = read(tmp_path / "a.ttl", f"{THREE}:c {said} . :b {said.replace(' :b', ' :a')} .")
    assert [(code, ids[-1]) for code, ids in remarks] == [("unused_property", "2")]


@pytest.mark.parametrize(
    ("said", "remarks"),
    [
        (":c skos:broader _:x .", [("no_link", ("c", "(no name)"))]),
        (":c skos:broader [ skos:broader :a ] .", [("no_link", ("(no name)", "a")), ("no_link", ("c", "(no name)"))]),
        (":a skos:narrower 'c' .", [("no_link", ("a", "c"))]),
        (":c skos:broaderTransitive 'a' .", [("no_link", ("c", "a"))]),
        (":c iso:broaderGeneric 'a' .", [("no_link", ("c", "a"))]),
        (":c skos:broadMatch 'a' .", [("no_link", ("c", "a"))]),
        (":c iso:broaderPartitive 'a' .", [("no_link", ("c", "a"))]),
        (":c rdfs:subClassOf 'a' .", [("condition", ("c",)), ("no_link", ("c", "a"))]),
        (':d rdfs:subClassOf :a ; rdfs:label "dog" .', [("not_typed", ("d",))]),
        (":c xl:prefLabel :l . :l a xl:Label .", [("no_label", ("c",))]),
        ("[] skos:topConceptOf :s .", [("no_top", ("(no name)",))]),
        (":c owl:deprecated false . :b owl:deprecated '0' .", []),
        (":c skos:notation 'n02084071', 'n02084071'@en .", []),
    ],
)
def test_what_says_nothing_in_the_form_it_is_in_is_told(
    said: str, remarks: list[tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    found, told = read(tmp_path / "a.ttl", THREE + said)
    told = [one for one in told if one[0] != "unused_property"]
    assert (hierarchy(found), sorted(told)) == ({"a": [], "b": [], "c": []}, sorted(remarks))


def test_json_that_links_by_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonld"
    path.write_text(
        '{"@context": {"skos": "http://www.w3.org/2004/02/skos/core#"}, "@graph": ['
        '{"@id": "http://x.org/a", "@type": "skos:Concept"}, '
        '{"@id": "http://x.org/b", "@type": "skos:Concept", "skos:broader": "http://x.org/a"}]}'
    )
    assert read_remarked(path)[1] == [("no_link", ("http://x.org/b", "http://x.org/a"))]


def test_a_lost_hierarchy_and_a_deprecated_concept_as_they_were_met(tmp_path: Path) -> None:
    concepts, remarks = read_remarked(FOLDER / "narrowertrans.ttl")
    assert [len(one.parents) for one in concepts] == [0, 1, 1]
    assert remarks == []
    concepts, remarks = read_remarked(FOLDER / "depr.ttl")
    assert [one.lemmas for one in concepts] == [("animal",), ("dog",)]
    assert [problem.message for problem in remarked(remarks)] == [f"{REMARKS['deprecated']}: http://example.org/c_3"]
    made = command("init", tmp_path / "p", "--ontology", FOLDER / "depr.ttl")
    assert made.stderr == (
        f"1 things that {FOLDER}/depr.ttl says are not used; see: holotype ontology check {FOLDER}/depr.ttl\n"
    )
