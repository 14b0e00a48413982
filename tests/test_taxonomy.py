from __future__ import annotations

import csv
import json
import socket
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import yaml
from defusedxml.ElementTree import parse
from hypothesis import given, settings
from hypothesis import strategies as st

import holotype
from conftest import small_ontology
from holotype.errors import OntologyError, ProjectError
from holotype.ontology import NounRow, Ontology
from holotype.ontology import text as texts
from holotype.ontology.concept import FIRST, Concept, own_wnid
from holotype.ontology.taxonomy import build_ontology, read_ontology, read_taxonomy
from holotype.ontology.validate import ERRORS, WARNINGS, check
from holotype.ontology.wordlists import is_a, structure, write_wordlists
from test_cli import run
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
    with pytest.raises(OntologyError, match=r"^unknown_parent: .*: a, x \(and 2 more errors: see holotype ontology"):
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
    ("a.csv", b"id,parents\n\xff,\n", "byte 11: not UTF-8"),
    ("a.csv", f"id,parents\n{'x' * 200_000},\n", "line 2: field larger than field limit"),
    ("a.json", "[{]", "Expecting property name"),
    ("a.json", "7", "a list of entries"),
    ("a.json", '["a"]', "a list of entries"),
    ("a.json", '[{"id": "a", "colour": "b"}]', "entry 1: there is no field 'colour'"),
    ("a.json", '[{"id": true}]', "entry 1: text is wanted, not 'True'"),
    ("a.json", '[{"id": "a", "parents": [["b"]]}]', "entry 1: text is wanted"),
    ("a.json", '[{"id": "a", "translations": {"German": "b"}}]', "a language has 2 or 3 small letters"),
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
    ("a.yaml", "a: \x00", "control characters are not allowed"),
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
    assert dog.translations == {"de": ("Hund", "Köter")}
    assert (cat.lemmas, cat.translations) == (("cat",), {"fr": ("chat",)})
    assert len(read_ontology(tmp_path / "a.ttl")) == 3


def test_a_vocabulary_without_english_is_in_its_own_language(tmp_path: Path) -> None:
    text = (
        PREFIXES
        + ':a a skos:Concept ; skos:prefLabel "Tier"@de, "bête"@fr . :b a skos:Concept ; rdfs:label "Hund"@de .'
    )
    tier, hund = read_taxonomy(written(tmp_path / "a.ttl", text))
    assert (tier.lemmas, tier.translations, hund.lemmas) == (("Tier",), {"fr": ("bête",)}, ("Hund",))


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
        assert db.resolve("hound").wnid == db.resolve("de:hund").wnid == DOG
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
