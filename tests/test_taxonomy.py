from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
import socket
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from defusedxml.ElementTree import parse
from hypothesis import given, settings
from hypothesis import strategies as st

import holotype
from conftest import encoded, photo, run, small_ontology
from holotype.errors import OntologyError, ProjectError
from holotype.files import sha256_file
from holotype.ontology import NounRow, Ontology
from holotype.ontology import text as texts
from holotype.ontology.concept import FIRST, Concept, own_wnid
from holotype.ontology.foreign import rebuild
from holotype.ontology.taxonomy import MOST, build_ontology, read_ontology, read_taxonomy
from holotype.ontology.validate import ERRORS, WARNINGS, check
from holotype.ontology.wordlists import is_a, structure, write_wordlists
from holotype.releases import Release, ontology_of, verify_release
from test_ontology import dags

TAXONOMIES = Path(__file__).parent / "taxonomies"
TARGETS = {"unknown_target": ["dog", "horse"], "ancestor_and_descendant": ["dog", "animal"]}
DOG, ANIMAL, GRUS = "n02084071", "n00015388", "n09295455"

ENTRIES: list[dict[str, Any]] = [
    {"id": "animal", "gloss": "a living thing"},
    {"id": "pet"},
    {"id": "dog", "parents": ["animal", "pet"], "lemmas": ["dog", "hound"], "gloss": "barks", "wnid": DOG},
]


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# -- codes


@pytest.mark.parametrize("path", sorted(TAXONOMIES.iterdir()), ids=lambda path: path.stem)
def test_a_bad_file_has_its_code_and_no_other(path: Path) -> None:
    problems = check(read_taxonomy(path), TARGETS.get(path.stem, []))
    assert {problem.code for problem in problems} == {path.stem}
    assert all(problem.message.endswith(", ".join(problem.ids)) for problem in problems)
    assert {problem.is_error for problem in problems} == {path.stem in ERRORS}


def test_every_code_has_a_bad_file_and_says_what_it_means() -> None:
    assert {path.stem for path in TAXONOMIES.iterdir()} == ERRORS.keys() | WARNINGS.keys()
    assert all(meaning.endswith(".") for meaning in (*ERRORS.values(), *WARNINGS.values()))


@pytest.mark.parametrize("code", sorted(ERRORS.keys() - TARGETS.keys()))
def test_an_error_lets_no_ontology_be_made(code: str) -> None:
    (path,) = TAXONOMIES.glob(f"{code}.*")
    with pytest.raises(OntologyError, match=rf"^{code}: "):
        read_ontology(path)


def test_a_cycle_is_told_by_its_ids_alone() -> None:
    (problem,) = check(read_taxonomy(TAXONOMIES / "cycle.yaml"))
    assert set(problem.ids) == {"animal", "dog"}


def test_other_errors_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,parents\na,x\nb,y\nc,c\n")
    with pytest.raises(OntologyError, match=r"^unknown_parent: .*: a, x \(and 2 more errors"):
        read_ontology(path)


@given(dags, st.data())
def test_a_cycle_is_found_wherever_it_is(parents: dict[int, list[int]], data: st.DataObject) -> None:
    above = {str(node): list(map(str, found)) for node, found in parents.items()}

    def found() -> set[tuple[str, ...]]:
        concepts = [Concept.of(node, parents, []) for node, parents in above.items()]
        return {problem.ids for problem in check(concepts) if problem.code == "cycle"}

    assert not found()
    low = data.draw(st.sampled_from(sorted(above)))
    path = [low]
    while above[path[-1]]:
        path.append(data.draw(st.sampled_from(above[path[-1]])))
    above[path[-1]] = [low]
    cycles = found()
    assert cycles
    for ids in cycles:
        assert all(parent in above[child] for child, parent in pairwise((*ids, ids[0])))


# -- identity


def test_ids_that_are_wnids_stay_and_others_are_drawn_above_wordnets() -> None:
    assert own_wnid(DOG) == DOG
    assert own_wnid("n٠٢٠٨٤٠٧١") != DOG
    assert all(FIRST <= int(own_wnid(f"concept {n}")[1:]) < 10**8 for n in range(1000))


def test_a_wnid_does_not_depend_on_the_rest_of_the_file(tmp_path: Path) -> None:
    one = read_taxonomy(written(tmp_path / "1.csv", "id,parents\nanimal,\ndog,animal\n"))
    two = read_taxonomy(written(tmp_path / "2.csv", "id,parents\nthing,\ndog,animal|thing\ncat,thing\nanimal,\n"))
    assert {concept.id: concept.wnid for concept in one}.items() <= {
        concept.id: concept.wnid for concept in two
    }.items()


def test_ids_that_draw_the_same_wnid_are_named_and_a_wnid_of_ones_own_settles_it(tmp_path: Path) -> None:
    meet = "concept3379,,a\nconcept8240,,b\n"
    with pytest.raises(OntologyError, match=r"same_wnid: .*give one of them another.*concept3379, concept8240"):
        read_ontology(written(tmp_path / "a.csv", f"id,parents,gloss\n{meet}"))
    settled = "id,parents,wnid\nconcept3379,,\nconcept8240,,n20000001\n"
    assert len(read_ontology(written(tmp_path / "b.csv", settled))) == 2


# -- formats


def test_every_format_says_the_same(tmp_path: Path) -> None:
    table = f"gloss,id,parents,lemmas,wnid\na living thing,animal,,,\n,pet,,,\nbarks,dog,animal|pet,dog|hound,{DOG}\n"
    files = [
        written(tmp_path / "a.csv", b"\xef\xbb\xbf" + table.encode()),
        written(tmp_path / "b.csv", table.replace("\n", "\r\n")),
        written(tmp_path / "c.json", json.dumps(ENTRIES)),
        written(tmp_path / "d.yaml", yaml.safe_dump(ENTRIES)),
    ]
    first, *others = [read_ontology(path) for path in files]
    assert {other.digest for other in others} == {first.digest}
    dog = first[DOG]
    assert (dog.lemmas, dog.gloss) == (("dog", "hound"), "barks")
    assert {parent.name for parent in first.parents(dog)} == {"animal", "pet"}
    assert first.resolve("Hound") == dog


def test_a_tree_of_ids_is_a_taxonomy(tmp_path: Path) -> None:
    text = "animal:\n  dog:\n    whippet: runs\n  'no':\n  house_cat: {}\n"
    path = written(tmp_path / "a.yml", text)
    made = read_ontology(path)
    assert made.digest == read_ontology(written(tmp_path / "a.json", json.dumps(yaml.safe_load(text)))).digest
    assert made.resolve("whippet").gloss == "runs"
    assert [child.name for child in made.children(made.resolve("animal"))].count("house cat") == 1
    assert made.depth(made.resolve("whippet")) == 2
    assert "no" in made.lemmas()


def test_yaml_has_no_other_types_than_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", "no: yes\n12: 1e3\n!!python/name:os.system x: !!int y\n")
    assert [(concept.id, concept.gloss) for concept in read_taxonomy(path)] == [
        ("no", "yes"),
        ("12", "1e3"),
        ("x", "y"),
    ]


DEEP = 100_000
BAD: list[tuple[str, str | bytes, str]] = [
    ("a.txt", "", r"a taxonomy is a file \.csv, \.yaml"),
    ("a.csv", "", "the first row must name columns: id, parents"),
    ("a.csv", "id,parents,colour\n", "the first row must name columns"),
    ("a.csv", "id,id,parents\n", "the first row must name columns"),
    ("a.csv", "id,parents\n", "holds no concept"),
    ("a.csv", "id,parents\na,b,c\n", "line 2: 3 cells, but the header has 2"),
    ("a.csv", 'id,parents\n"a,b', "line 2: unexpected end of data"),
    ("a.csv", "id,parents\n ,b\n", "line 2: the id is missing"),
    ("a.csv", "id,parents\na\x1b[2J,\n", r"line 2: has a character that cannot be printed: 'a\\x1b"),
    ("a.csv", "id,parents,wnid\na,,d123\n", "line 2: the wnid must be n and 8 digits, not 'd123'"),
    ("a.csv", b"id,parents\n\xff,\n", "line 2: bytes that are not UTF-8"),
    ("a.csv", f"id,parents\n{'x' * 200_000},\n", "line 2: field larger than field limit"),
    ("a.json", "[{]", "Expecting property name"),
    ("a.json", "7", "a list of entries"),
    ("a.json", '["a"]', "a list of entries"),
    ("a.json", '[{"id": "a", "colour": "b"}]', "entry 1: there is no field 'colour'"),
    ("a.json", '[{"id": true}]', "entry 1: text is wanted, not 'True'"),
    ("a.json", '[{"id": "a", "parents": [["b"]]}]', "entry 1: text is wanted"),
    (
        "a.json",
        '[{"id": "a", "translations": {"German": "b"}}]',
        "a language is a code of ISO 639-3 such as deu, not 'German'",
    ),
    ("a.json", '{"a": {}, "a": {}}', "the key 'a' is there twice"),
    ("a.json", '{"a": []}', "text is wanted"),
    ("a.json", '[{"id": "\\ud800"}]', "cannot be printed"),
    ("a.json", "[" * DEEP, "nested too deeply"),
    ("a.json", '{"a":' * 700 + "{}" + "}" * 700, "doubled_id"),
    ("a.yaml", "", "a list of entries"),
    ("a.yaml", "a: b: c", "mapping values are not allowed"),
    ("a.yaml", "a: {}\na: {}", "line 1: the key 'a' is there twice"),
    ("a.yaml", "? [a]\n: b", "is there twice, or no text"),
    ("a.yaml", "- a: &x [b]\n- *x\n", "line 2: aliases are not read"),
    ("a.yaml", "[" * DEEP, "nested more than 100 deep"),
    ("a.yaml", "a: {}\n---\nb: {}\n", "one document is wanted"),
    ("a.yaml", "a: b\nb: \x00", "control characters are not allowed"),
]


@pytest.mark.parametrize(("name", "text", "message"), BAD, ids=lambda value: repr(value)[:40])
def test_a_bad_file_is_one_line_with_its_place(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    with pytest.raises(OntologyError, match=message) as caught:
        read_ontology(written(tmp_path / name, text))
    assert "\n" not in str(caught.value)


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(texts.LIMIT + 1)
    with pytest.raises(OntologyError, match="holds more than 64 MiB"):
        read_taxonomy(tmp_path / "a.csv")
    with pytest.raises(OntologyError, match=r"cannot read .*b\.csv: No such file"):
        read_taxonomy(tmp_path / "b.csv")


def test_a_chain_and_a_stack_of_diamonds_have_their_bounds() -> None:
    chain = [Concept.of(str(n), [str(n - 1)] if n else [], []) for n in range(502)]
    with pytest.raises(OntologyError, match="more than 500 levels"):
        build_ontology(chain)
    assert build_ontology(chain[:-1]).depth(chain[-2].wnid) == 500
    diamonds = [
        Concept.of(f"{n}{side}", [f"{n - 1}a", f"{n - 1}b"] if n else [], []) for n in range(40) for side in "ab"
    ]
    with pytest.raises(OntologyError, match="more than 10,000,000 paths"):
        build_ontology(diamonds)


# -- RDF

PREFIXES = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix : <https://example.org/> .
"""
SKOS = (
    PREFIXES
    + f"""
:animal a skos:Concept ; skos:prefLabel "animal"@en ; skos:narrower :cat .
:dog a skos:Concept ; skos:prefLabel "dog"@en, "Hund"@de ; skos:altLabel "hound"@en-GB, "Köter"@de ;
    skos:broader :animal ; skos:definition "barks"@en, "bellt"@de ; skos:notation "{DOG}" .
:cat a skos:Concept ; skos:prefLabel "chat"@fr .
"""
)
OWL = """<!DOCTYPE rdf:RDF [<!ENTITY owl "http://www.w3.org/2002/07/owl#">]>
<rdf:RDF xmlns="https://example.org/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:owl="http://www.w3.org/2002/07/owl#">
<owl:Class rdf:about="https://example.org/animal"><rdfs:subClassOf rdf:resource="&owl;Thing"/></owl:Class>
<owl:Class rdf:about="https://example.org/guide_dog">
 <rdfs:label>guide dog</rdfs:label><rdfs:comment>leads</rdfs:comment>
 <rdfs:subClassOf rdf:resource="https://example.org/animal"/>
 <rdfs:subClassOf rdf:resource="https://example.org/guide_dog"/>
 <rdfs:subClassOf><owl:Restriction/></rdfs:subClassOf></owl:Class>
<owl:Class><owl:unionOf rdf:resource="https://example.org/x"/></owl:Class>
</rdf:RDF>"""


def test_skos_concepts_have_labels_by_language_and_narrower_is_broader_turned_round(tmp_path: Path) -> None:
    animal, cat, dog = read_taxonomy(written(tmp_path / "a.ttl", SKOS))
    assert [concept.id for concept in (animal, cat, dog)] == [
        f"https://example.org/{n}" for n in ("animal", "cat", "dog")
    ]
    assert dog.parents == cat.parents == (animal.id,)
    assert (dog.lemmas, dog.gloss, dog.wnid) == (("dog", "hound"), "barks", DOG)
    assert dog.translations == {"deu": ("Hund", "Köter")}
    assert (cat.lemmas, cat.translations) == (("cat",), {"fra": ("chat",)})
    assert len(read_ontology(tmp_path / "a.ttl")) == 3


def test_a_vocabulary_without_english_is_in_its_own_language(tmp_path: Path) -> None:
    text = (
        PREFIXES
        + ':a a skos:Concept ; skos:prefLabel "Tier"@de, "bête"@fr . :b a skos:Concept ; rdfs:label "Hund"@de .'
    )
    tier, hund = read_taxonomy(written(tmp_path / "a.ttl", text))
    assert (tier.lemmas, tier.translations, hund.lemmas) == (("Tier",), {"fra": ("bête",)}, ("Hund",))


def test_owl_classes_are_the_named_ones(tmp_path: Path) -> None:
    animal, dog = read_taxonomy(written(tmp_path / "a.owl", OWL))
    assert (animal.lemmas, animal.parents) == (("animal",), ())
    assert (dog.lemmas, dog.parents, dog.gloss) == (("guide dog",), (animal.id,), "leads")


def test_a_graph_is_the_same_in_every_notation(tmp_path: Path) -> None:
    from rdflib import Graph

    graph = Graph().parse(data=SKOS, format="turtle")
    for suffix, format in ((".rdf", "xml"), (".nt", "nt"), (".jsonld", "json-ld")):
        made = written(tmp_path / f"a{suffix}", graph.serialize(format=format))
        assert read_taxonomy(made) == read_taxonomy(written(tmp_path / "a.ttl", SKOS))


HOSTILE = {
    "imports.ttl": PREFIXES + "<> a owl:Ontology ; owl:imports <URL> . :a a owl:Class .",
    "context.jsonld": '{"@context": "URL", "@id": "x:a", "@type": "x:b"}',
    "contexts.jsonld": '[{"@context": [{}, ["URL"]], "@id": "x:a"}]',
    "scoped.jsonld": '{"@context": {"t": {"@id": "x:t", "@context": "URL"}}, "t": {"@id": "x:a"}}',
    "import.jsonld": '{"@context": {"@version": 1.1, "@import": "URL"}, "@id": "x:a"}',
    "entity.rdf": '<!DOCTYPE a [<!ENTITY e SYSTEM "URL">]><a>&e;</a>',
    "parameter.rdf": '<!DOCTYPE a [<!ENTITY % e SYSTEM "URL"> %e;]><a/>',
    "dtd.rdf": OWL.replace("rdf:RDF [", 'rdf:RDF SYSTEM "URL" ['),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_fetched(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        path = written(tmp_path / name, HOSTILE[name].replace("URL", url))
        if name == "imports.ttl":
            assert read_taxonomy(path)
        else:
            with pytest.raises(OntologyError, match="is refused|is not fetched: put it into the file"):
                read_taxonomy(path)
        with pytest.raises(BlockingIOError):
            server.accept()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 10}">' for n in range(10))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "laughs.rdf",
            f"<!DOCTYPE a [{LAUGHS}]><a>&l9;</a>",
            "an entity that is long, nested or in another file is refused",
        ),
        ("long.rdf", f'<!DOCTYPE a [<!ENTITY e "{"x" * 300}">]><a/>', "an entity that is long"),
        ("a.rdf", "<a", "not XML"),
        ("a.rdf", "<a/>", "holds no concept"),
        ("a.ttl", PREFIXES + ":a a", "not turtle"),
        ("a.ttl", PREFIXES + ":a :b " + "[ :b " * 5000, "nested too deeply"),
        ("a.jsonld", "[" * DEEP, "nested too deeply"),
        ("a.jsonld", '{"@id": "x:a"', "Expecting"),
        ("a.nt", "<urn:a> .", "not nt"),
        (
            "a.ttl",
            PREFIXES + ':a a skos:Concept ; skos:prefLabel "\\u0007" .',
            "'https://example.org/a': has a character",
        ),
    ],
)
def test_a_bad_graph_is_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(OntologyError, match=message) as caught:
        read_ontology(written(tmp_path / name, text))
    assert "\n" not in str(caught.value)


# -- on top of WordNet, and trimmed


@pytest.fixture(scope="module")
def extended(wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Ontology:
    text = f"id,parents,lemmas\nrescue_dog,{DOG},\nlawine_dog,rescue_dog,avalanche dog\nmy_dog,,dog\n"
    return read_ontology(written(tmp_path_factory.mktemp("x") / "a.csv", text), wordnet)


def test_a_taxonomy_may_hang_below_wordnet(extended: Ontology, wordnet: Ontology) -> None:
    dog = extended.resolve("avalanche dog")
    assert len(extended) == len(wordnet) + 3
    assert extended.is_under(dog, ANIMAL)
    assert extended.depth(dog) == wordnet.depth(DOG) + 2
    assert extended.senses("dog") == (*wordnet.senses("dog"), extended[own_wnid("my_dog")])
    assert extended.digest != wordnet.digest == wordnet.extended([]).digest


def test_without_a_base_a_wnid_must_be_defined_and_with_one_it_must_not(tmp_path: Path, wordnet: Ontology) -> None:
    path = written(tmp_path / "a.csv", f"id,parents\nguide_dog,{DOG}\n")
    with pytest.raises(OntologyError, match=rf"unknown_parent: .*guide_dog, {DOG}"):
        read_ontology(path)
    concepts = [Concept.of(DOG, [], []), Concept.of("guide_dog", [DOG], [])]
    assert {problem.code for problem in check(concepts)}.isdisjoint(ERRORS)
    assert [problem.code for problem in check(concepts, base=wordnet) if problem.is_error] == ["same_wnid"]
    below = [Concept.of("guide_dog", [DOG], [], "leads")]
    found = check(below, ["guide_dog", ANIMAL], wordnet)
    assert [(problem.code, problem.ids) for problem in found] == [("ancestor_and_descendant", (ANIMAL, "guide_dog"))]


@given(dags, st.data())
@settings(max_examples=50)
def test_a_trimmed_ontology_is_the_targets_and_their_ancestors(
    parents: dict[int, list[int]], data: st.DataObject
) -> None:
    ontology = small_ontology(parents)
    wnids = [f"n{node:08d}" for node in parents]
    targets = set(data.draw(st.lists(st.sampled_from(wnids), min_size=1, max_size=4)))
    above = {wnid: {found.wnid for found in ontology.ancestors(wnid)} for wnid in targets}
    if any(above[target] & targets for target in targets):
        with pytest.raises(OntologyError, match=r"ancestor_and_descendant: n\d+ s\d+ is above n\d+ s\d+"):
            ontology.trimmed(targets)
        return
    small = ontology.trimmed(targets)
    assert {synset.wnid for synset in small} == targets.union(*above.values())
    assert {leaf.wnid for root in small.roots() for leaf in small.leaves(root)} == targets
    for target in targets:
        assert {found.wnid for found in small.ancestors(target)} == above[target]
        assert small[target] == ontology[target]
        assert small.senses(small[target].name) == (small[target],)


def ilsvrc(shared: Path) -> set[str]:
    with (shared / "ilsvrc/LOC_val_solution.csv").open() as file:
        return {row["PredictionString"].split()[0] for row in csv.DictReader(file)}


def test_the_ilsvrc_classes_are_an_antichain(wordnet: Ontology, shared: Path) -> None:
    classes = ilsvrc(shared)
    small = wordnet.trimmed(classes)
    (root,) = small.roots()
    assert {leaf.wnid for leaf in small.leaves(root)} == classes
    assert len(small) == 1860
    assert all(small.ancestors(wnid)[-1] == root for wnid in classes)
    with pytest.raises(OntologyError, match=r"ancestor_and_descendant: n02084071 dog.* is above n\d+"):
        wordnet.trimmed([*classes, DOG])


def test_instances_stay_with_classes_that_stay(wordnet: Ontology) -> None:
    (constellation,) = wordnet.instance_of(GRUS)
    assert wordnet.trimmed([GRUS, constellation]).instances(constellation) == (wordnet[GRUS],)
    assert wordnet.trimmed([GRUS]).instance_of(GRUS) == ()
    with pytest.raises(OntologyError, match="at least one synset"):
        wordnet.trimmed([])


# -- word lists


def edges(element: Element) -> Counter[tuple[str, str]]:
    return Counter((above.attrib["wnid"], below.attrib["wnid"]) for above in element.iter("synset") for below in above)


def test_the_word_lists_say_what_the_ontology_says(tmp_path: Path, wordnet: Ontology) -> None:
    write_wordlists(wordnet, tmp_path, "wordnet", "n02083346")
    rows = [line.split(" ") for line in (tmp_path / "is_a.txt").read_text().splitlines()]
    words = dict(line.split("\t") for line in (tmp_path / "words.txt").read_text().splitlines())
    gloss = dict(line.split("\t") for line in (tmp_path / "gloss.txt").read_text().splitlines())
    assert rows == sorted(rows)
    assert words[DOG] == "dog, domestic dog, Canis familiaris"
    synsets = [wordnet["n02083346"], *wordnet.descendants("n02083346")]
    assert list(words) == list(gloss) == sorted(synset.wnid for synset in synsets)
    made = [
        NounRow(
            int(wnid[1:]),
            tuple(words[wnid].split(", ")),
            gloss[wnid],
            tuple(int(above[1:]) for above, below in rows if below == wnid),
            (),
        )
        for wnid in words
    ]
    again = Ontology.build(made, {})
    assert sorted(again, key=lambda one: one.wnid) == sorted(synsets, key=lambda one: one.wnid)
    assert all(again.children(one) == wordnet.children(one) for one in synsets)
    tree = parse(tmp_path / "structure.xml").getroot()
    assert tree.findtext("releaseData") == "wordnet"
    assert edges(tree).keys() == {(above, below) for above, below in rows}
    assert {one.attrib["wnid"]: one.attrib["gloss"] for one in tree.iter("synset")} == gloss


def test_wordnet_has_75850_links_and_would_be_a_tree_of_96308_elements(wordnet: Ontology) -> None:
    assert sum(1 for _ in is_a(wordnet, wordnet)) == 75_850
    assert wordnet.tree_size() == 96_308


@given(dags)
def test_the_tree_repeats_a_synset_once_for_each_path(parents: dict[int, list[int]]) -> None:
    ontology = small_ontology(parents)
    written = Counter(part[14:23] for part in structure(ontology, ontology.roots(), "") if part.startswith("<synset"))
    assert written == {synset.wnid: len(ontology.paths(synset)) for synset in ontology}
    assert ontology.tree_size() == written.total()


def test_the_xml_is_escaped(tmp_path: Path) -> None:
    odd = "\"'<a>&amp;]]>--é\U0001f415"
    write_wordlists(build_ontology([Concept.of("a", [], [odd], odd)]), tmp_path, odd)
    tree = parse(tmp_path / "structure.xml").getroot()
    (synset,) = tree.iter("synset")
    assert (synset.attrib["words"], synset.attrib["gloss"], tree.findtext("releaseData")) == (odd, odd, odd)


# -- projects and commands


def test_a_project_keeps_its_own_ontology(tmp_path: Path) -> None:
    source = written(
        tmp_path / "pets.json", json.dumps([{**ENTRIES[2], "parents": [], "translations": {"de": "Hund"}}])
    )
    with holotype.init(tmp_path / "p", source) as db:
        assert [synset.wnid for synset in db.ontology] == [DOG]
    source.unlink()
    with holotype.open(tmp_path / "p") as db:
        assert (
            db.lemmas.resolve("hound").wnid
            == db.lemmas.resolve("de:hund").wnid
            == db.lemmas.resolve("deu:Hund").wnid
            == DOG
        )
        assert "cat" not in db.ontology.lemmas()
    assert json.loads((tmp_path / "p/ontology.json").read_text())[0]["id"] == "dog"


def test_a_project_never_changes_its_ontology_unnoticed(tmp_path: Path, wordnet: Ontology) -> None:
    source = written(tmp_path / "a.csv", "id,parents\na,\n")
    holotype.init(tmp_path / "p", source).close()
    with pytest.raises(OntologyError, match="built on the ontology"):
        holotype.open(tmp_path / "p", wordnet)
    for damage in (b"", build_ontology([Concept.of("b", [], [])]).to_bytes()):
        (tmp_path / "p/ontology.npz").write_bytes(damage)
        with holotype.open(tmp_path / "p") as db, pytest.raises(OntologyError, match="is missing, damaged or another"):
            _ = db.ontology


def test_a_bad_taxonomy_makes_no_project(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match="cycle"):
        holotype.init(tmp_path / "p", TAXONOMIES / "cycle.yaml")
    assert not (tmp_path / "p").exists()
    holotype.init(tmp_path / "p", written(tmp_path / "a.csv", "id,parents\na,\n")).close()
    before = (tmp_path / "p/ontology.npz").read_bytes()
    with pytest.raises(ProjectError, match="there is a project"):
        holotype.init(tmp_path / "p", written(tmp_path / "b.csv", "id,parents\nb,\n"))
    assert (tmp_path / "p/ontology.npz").read_bytes() == before


def test_a_taxonomy_is_checked_on_the_command_line(tmp_path: Path) -> None:
    problem, total = run("ontology", "check", TAXONOMIES / "cycle.yaml", expect=1).splitlines()
    assert problem.startswith("error cycle: Each is a parent of the one before")
    assert total == "4 concepts, 1 errors, 0 warnings"
    targets = written(tmp_path / "targets.txt", "animal\nn20000000\tits lemmas\n\n")
    many = written(tmp_path / "many.csv", "id,parents\nanimal,\n" + "".join(f"{n},animal\n" for n in range(29)))
    said = run("ontology", "check", many, "--targets", targets, expect=1)
    assert "n20000000\nwarning no_gloss" in said
    assert said.endswith("... and 20 more of no_gloss\n30 concepts, 1 errors, 30 warnings\n")


def test_a_taxonomy_is_trimmed_and_exported_on_the_command_line(tmp_path: Path) -> None:
    targets = written(tmp_path / "targets.txt", "dog\n")
    file = TAXONOMIES / "ancestor_and_descendant.json"
    run("ontology", "export", tmp_path / "out", "--ontology", file, "--targets", targets, "--under", "animal")
    assert (tmp_path / "out/is_a.txt").read_text() == f"{own_wnid('animal')} {own_wnid('dog')}\n"


def test_a_project_with_a_taxonomy_is_made_on_the_command_line(tmp_path: Path) -> None:
    run("init", tmp_path / "p", "--ontology", TAXONOMIES / "orphan.csv")
    with holotype.open(tmp_path / "p") as db:
        assert len(db.ontology) == 4


# -- releases on an own ontology

PETS = "id,parents,lemmas,gloss\nGS-0,,animal,a living thing\nGS-1,GS-0,hound,barks\nGS-2,GS-0,puss,purrs\n"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project on `PETS` in ``p``, audited and released as v1."""
    folder = tmp_path_factory.mktemp("released")
    for name, first in (("hound", 0), ("puss", 50)):
        (folder / "photos" / name).mkdir(parents=True)
        for seed in range(first, first + 8):
            (folder / "photos" / name / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    project = folder / "p"
    run("init", project, "--ontology", written(folder / "pets.csv", PETS))
    run("ingest", folder / "photos", "-p", project)
    run("crowd", "run", "--crowd", "simulated", "-p", project)
    run("audits", "draw", "--under", "animal", "--size", 4, "--out", folder / "audit.csv", "-p", project)
    filled = re.sub(r",$", ",yes", (folder / "audit.csv").read_text(), flags=re.MULTILINE)
    written(folder / "audit.csv", filled)
    run("audits", "record", folder / "audit.csv", "--auditor", "somebody", "-p", project)
    run("release", "create", "v1", "--outvoted", "-p", project)
    return folder


def test_a_release_carries_the_ontology_that_is_its_own(released: Path, tmp_path: Path) -> None:
    project, copy = released / "p", tmp_path / "copy"
    shutil.copytree(project / "releases/v1", copy)
    assert "ontology.npz" in (copy / "SHA256SUMS").read_text()
    with holotype.open(project) as db:
        assert ontology_of(Release(copy)).digest == db.ontology.digest
    for release in ("v1", copy):
        assert run("release", "verify", release, "-p", project).endswith("is sound\n")
        certified = json.loads(run("audits", "certificates", release, "-p", project, "--json"))
        assert (certified["problems"], certified["certificates"][0]["correct"]) == ([], 4)
    with holotype.open(project) as db:
        rows = db.releases.create("v1").rows("train")
    guesses = "image,guess1\n" + "".join(f"{row['id']},{row['wnid']}\n" for row in rows)
    guessed = written(tmp_path / "guesses.csv", guesses)
    for release in ("v1", copy):
        said = run("evaluate", guessed, "--release", release, "--split", "train", "-p", project, "--json")
        assert json.loads(said)["metrics"]["top-1 error"]["value"] == 0
        assert int(run("query", "under:hound", "--release", release, "--count", "-p", project)) > 0
    assert int(run("query", "under:hound", "--release", copy, "--count", cwd=tmp_path)) > 0


def test_a_name_of_the_project_wins_over_a_folder(released: Path, tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    assert int(run("query", "", "--release", "v1", "--count", "-p", released / "p", cwd=tmp_path)) > 0
    assert (
        json.loads(run("audits", "certificates", "v1", "-p", released / "p", "--json", cwd=tmp_path))["problems"] == []
    )


def sealed(folder: Path) -> Path:
    names = sorted({path.name for path in folder.iterdir()} - {"SHA256SUMS"})
    written(folder / "SHA256SUMS", "".join(f"{sha256_file(folder / name)}  {name}\n" for name in names))
    return folder


def test_a_release_with_another_ontology_or_another_file_is_not_sound(released: Path, tmp_path: Path) -> None:
    folder = tmp_path / "v1"
    shutil.copytree(released / "p/releases/v1", folder)
    assert verify_release(sealed(folder)) == []
    own = (folder / "ontology.npz").read_bytes()
    with holotype.open(released / "p") as db:
        digest, known = db.ontology.digest.encode(), db.ontology
    other = build_ontology([Concept.of("a", [], [])])
    lying = other.to_bytes().replace(other.digest.encode(), digest)
    for damage in (other.to_bytes(), lying, b"", own[:200]):
        (folder / "ontology.npz").write_bytes(damage)
        for ontology in (None, known):
            (problem,) = verify_release(sealed(folder), ontology=ontology)
            assert "ontology.npz" in problem
    (folder / "ontology.npz").write_bytes(own)
    written(folder / "more.txt", "")
    assert verify_release(sealed(folder)) == ["more.txt is listed in SHA256SUMS, but is no part of a release"]


def test_a_rank_belongs_to_its_synset(released: Path, tmp_path: Path) -> None:
    folder = tmp_path / "v1"
    shutil.copytree(released / "p/releases/v1", folder)
    table = pq.read_table(folder / "manifest.parquet")
    at = table.schema.get_field_index("rank")
    moved = table.set_column(at, "rank", pa.array([rank + 1 for rank in table["rank"].to_pylist()], pa.int32()))
    pq.write_table(moved, folder / "manifest.parquet")
    for name in ("audit.parquet", "sample.parquet", "changes.parquet", "certificates.json"):
        (folder / name).unlink()
    problems = verify_release(sealed(folder))
    assert len(problems) == 2
    assert all(re.fullmatch(r"manifest.parquet gives n\d{8} a rank that is not its own", one) for one in problems)


@given(dags)
@settings(max_examples=50)
def test_a_saved_ontology_is_the_same_when_built_again(parents: dict[int, list[int]]) -> None:
    ontology = small_ontology(parents, {min(parents): []})
    again = rebuild(ontology.to_bytes())
    assert (again.digest, list(again)) == (ontology.digest, list(ontology))


def test_wordnet_is_the_same_when_built_again(wordnet: Ontology) -> None:
    again = rebuild(wordnet.to_bytes())
    assert (again.digest, again.ranges(DOG)) == (wordnet.digest, wordnet.ranges(DOG))


SAVED = small_ontology({0: [], 1: [0], 2: [1]})


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_saved_ontology_is_no_other_error(data: st.DataObject) -> None:
    said = bytearray(SAVED.to_bytes())
    for at in data.draw(st.lists(st.integers(0, len(said) - 1), min_size=1, max_size=3)):
        said[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(OntologyError):
        list(rebuild(bytes(said)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parents_target", np.array([0, 2**31 - 1], np.int32)),
        ("parents_start", np.array([0, 0, 2**31 - 1, 2], np.int32)),
        ("parents_target", np.array([-9, 0], np.int32)),
        ("offsets", np.array([0, 1, 2**40])),
        ("offsets", np.array([0.0, 1, 2])),
        ("texts", np.frombuffer(b"\ta\n\tb\n", np.uint8)),
        ("texts", np.frombuffer(b"\ta\n\tb\n\t\x1b[2J", np.uint8)),
        ("senses", np.frombuffer(b"0\n1\n7", np.uint8)),
    ],
)
def test_a_saved_ontology_that_lies_is_refused(name: str, value: object) -> None:
    with np.load(io.BytesIO(SAVED.to_bytes())) as held:
        arrays = dict(held)
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, **(arrays | {name: value}))
        with pytest.raises(OntologyError, match="no saved ontology"):
            rebuild(buffer.getvalue())


def npy_of(said: str, data: bytes, version: bytes = b"\1\0") -> bytes:
    header = said.encode() + b"\n"
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + data


ROW = "{'descr': '<i4', 'fortran_order': False, 'shape': (3,)}"


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"\x93NUMP",
        npy_of(ROW, bytes(12), b"\2\0"),
        npy_of(ROW, bytes(16)),
        npy_of(ROW, bytes(8)),
        npy_of(ROW.replace("3,", "2**40,"), bytes(12)),
        npy_of(ROW.replace("3,", "1, 3"), bytes(12)),
        npy_of(ROW.replace("3,", "-1,"), bytes(12)),
        npy_of(ROW.replace("<i4", "<f4"), bytes(12)),
        npy_of(ROW.replace("<i4", "|O"), bytes(24)),
        npy_of(ROW.replace("'<i4'", "[('a', '<i4')]"), bytes(12)),
        npy_of(ROW.replace("'<i4'", "3"), bytes(12)),
        npy_of(ROW.replace("3,", "__import__('os').getpid(),"), bytes(12)),
        npy_of("(" * 5000, bytes(12)),
        npy_of("-" * 9000 + "1", bytes(12)),
        npy_of("'" * 3, bytes(12)),
        npy_of(" " * 60_000 + ROW, bytes(12)),
    ],
    ids=lambda data: repr(data[10:60]),
)
def test_a_saved_ontology_with_another_header_is_refused(member: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SAVED.to_bytes())) as held, zipfile.ZipFile(buffer, "w") as made:
        for info in held.infolist():
            made.writestr(info, member if info.filename == "offsets.npy" else held.read(info))
    with pytest.raises(OntologyError, match="no saved ontology"):
        rebuild(buffer.getvalue())


# -- what a project makes of a taxonomy


def test_a_stopped_init_loses_no_translations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {**ENTRIES[2], "parents": [], "translations": {"de": "Hund"}}
    source = written(tmp_path / "a.json", json.dumps([entry]))
    monkeypatch.setenv("HOLOTYPE_CATALOG", f"sqlite:///{tmp_path}/nowhere/catalog.sqlite")
    with pytest.raises(ProjectError, match="cannot open the catalog"):
        holotype.init(tmp_path / "p", source)
    monkeypatch.delenv("HOLOTYPE_CATALOG")
    for _ in range(2):
        with holotype.open(tmp_path / "p") as db:
            assert db.lemmas.of(DOG) == [("deu", "Hund")]


def test_init_overwrites_no_file_of_the_users(tmp_path: Path) -> None:
    source = written(tmp_path / "a.csv", "id,parents\na,\n")
    (tmp_path / "p").mkdir()
    kept = written(tmp_path / "p/ontology.csv", "my own notes")
    with pytest.raises(ProjectError, match=r"ontology\.csv is there already and holds something else"):
        holotype.init(tmp_path / "p", source)
    assert kept.read_text() == "my own notes"
    written(kept, source.read_text())
    with holotype.init(tmp_path / "p", kept) as db:
        assert len(db.ontology) == 1


def test_ids_and_lemmas_have_at_most_200_characters(tmp_path: Path) -> None:
    long = "x" * 201
    for fields in ({"id": long}, {"id": "a", "lemmas": long}, {"id": "a", "translations": {"deu": ["b", long]}}):
        with pytest.raises(OntologyError, match=r"entry 1: an id or lemma has more than 200 characters: 'x{40}'\.\.\."):
            read_taxonomy(written(tmp_path / "a.json", json.dumps([fields])))
    assert len(read_taxonomy(written(tmp_path / "a.json", json.dumps([{"id": long[1:]}])))) == 1


def test_an_id_names_its_concept_unless_it_is_a_lemma(released: Path, wordnet: Ontology, tmp_path: Path) -> None:
    made = read_ontology(released / "pets.csv")
    assert made.resolve("GS-1") == made.resolve("gs-1") == made.resolve("hound")
    concepts = [Concept.of("cat", [], ["puss"]), Concept.of("b", [], ["cat"]), Concept.of("guide", [DOG], ["leader"])]
    assert build_ontology(concepts[:2]).resolve("cat").wnid == own_wnid("b")
    extended = build_ontology([concepts[0], concepts[2]], wordnet)
    assert own_wnid("cat") not in {synset.wnid for synset in extended.senses("cat")}
    assert extended.senses("leader")[-1].wnid == own_wnid("guide")
    assert extended.senses("guide") == wordnet.senses("guide")


def test_folders_and_commands_know_ids(released: Path, tmp_path: Path) -> None:
    (tmp_path / "photos/GS-2").mkdir(parents=True)
    (tmp_path / "photos/GS-2/1.jpg").write_bytes(encoded(photo(1)))
    with holotype.open(released / "p") as db:
        assert db.lemmas.resolve("GS-2").name == "puss"
        listing = db.images.listing(tmp_path / "photos")
        assert ([file.sightings[0].wnid for file in listing.files], listing.unassigned) == ([own_wnid("GS-2")], {})
    for source in (("-p", released / "p"), ("--ontology", released / "pets.csv")):
        assert json.loads(run("ontology", "show", "GS-1", *source, "--json"))["wnid"] == own_wnid("GS-1")
        assert json.loads(run("ontology", "find", "hound", *source, "--json"))[0]["wnid"] == own_wnid("GS-1")
        assert "puss" in run("ontology", "tree", "GS-0", *source)
    run("ontology", "export", tmp_path / "out", "--ontology", released / "pets.csv", "--under", "GS-1")
    assert (tmp_path / "out/words.txt").read_text() == f"{own_wnid('GS-1')}\thound\n"
    said = json.loads(run("ontology", "check", released / "pets.csv", "--json"))
    assert said == {"concepts": [{"id": id, "wnid": own_wnid(id)} for id in ("GS-0", "GS-1", "GS-2")], "problems": []}


def test_more_concepts_than_a_bound_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST == 500_000
    monkeypatch.setattr("holotype.ontology.taxonomy.MOST", 1000)  # so many take ten seconds to read
    for count in (1000, 1001):
        lines = "".join(f"{n},\n" for n in range(count))
        files = [
            written(tmp_path / "a.csv", f"id,parents\n{lines}"),
            written(tmp_path / "a.json", json.dumps(dict.fromkeys(map(str, range(count)), ""))),
        ]
        for file in files:
            if count == 1000:
                assert len(read_taxonomy(file)) == 1000
            else:
                with pytest.raises(OntologyError, match="holds more than 1,000 concepts"):
                    read_taxonomy(file)
    with pytest.raises(OntologyError, match="holds more than 16 MiB: write so large a taxonomy as CSV"):
        read_taxonomy(written(tmp_path / "a.ttl", b" " * (16 * 2**20 + 1)))


def test_an_untagged_definition_is_in_the_own_language(tmp_path: Path) -> None:
    text = PREFIXES + ':a a skos:Concept ; skos:prefLabel "Tier"@de ; skos:definition "lebt" .'
    (tier,) = read_taxonomy(written(tmp_path / "a.ttl", text))
    assert (tier.lemmas, tier.gloss) == (("Tier",), "lebt")


def test_a_language_is_the_same_in_two_letters_and_in_three(tmp_path: Path) -> None:
    concept = Concept.of("a", [], [], translations={"de": ["Hund"], "deu": ["Hund", "Köter"]})
    assert concept.translations == {"deu": ("Hund", "Köter")}
    with pytest.raises(ValueError, match="ISO 639-3 such as deu, not 'xx'"):
        Concept.of("a", [], [], translations={"xx": ["b"]})


def test_a_project_may_have_a_trimmed_hierarchy(released: Path, tmp_path: Path) -> None:
    targets = written(tmp_path / "targets.txt", "GS-1\n")
    run("init", tmp_path / "own", "--ontology", released / "pets.csv", "--targets", targets)
    with holotype.open(tmp_path / "own") as db:
        assert [synset.name for synset in db.ontology] == ["animal", "hound"]
    run("init", tmp_path / "wordnet", "--targets", written(targets, f"{DOG}\nn02121808\n"))
    with holotype.open(tmp_path / "wordnet") as db:
        assert len(db.ontology) == 18
    said = run("init", tmp_path / "none", "--targets", written(targets, "\n"), expect=2)
    assert said == f"error: {targets} names no target\n"
