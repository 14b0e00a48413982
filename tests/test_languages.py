from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from holotype.catalog import translations
from holotype.cli.taxonomies import lemmas_command
from holotype.errors import AmbiguousLemma, OntologyError, UnknownSynset
from holotype.ontology import Ontology
from holotype.ontology.languages import read_omw
from holotype.ontology.text import LIMIT
from holotype.project import Project

DOG, CAT = "n02084071", "n02121808"
HEADER = "# Test\tdeu\thttp://example.org/\tCC0\n"
GERMAN = (
    HEADER
    + """02084071-n\tdeu:lemma\tHund
02084071-n\tlemma\tHaus_hund
02084071-n\tdeu:lemma\tHund
02084071-n\tdeu:def\t0\tein Tier
02084071-n\tfra:lemma\tchien
00001740-v\tdeu:lemma\tatmen
02121808-n\tdeu:lemma\tKat\u00adze\u3000
02084071-n\tdeu:lemma\tHu\x9cnd
02084071-n\tdeu:lemma\t\u00ad
99999999-n\tdeu:lemma\tNichts
02012849-n\tdeu:lemma\tKran
03126707-n\tdeu:lemma\tKran

# the end
"""
)


@pytest.fixture
def german(tmp_path: Path) -> Path:
    path = tmp_path / "deu.tab"
    path.write_text(GERMAN)
    return path


def test_nouns_lemmas_are_read_and_all_rows_counted(german: Path) -> None:
    found = read_omw(german)
    assert (found.language, found.title, found.licence) == ("deu", "Test", "CC0")
    assert found.source == "Test, http://example.org/, CC0"
    assert found.lemmas[:3] == [(DOG, "Hund"), (DOG, "Haus hund"), (CAT, "Katze")]
    assert (len(found.lemmas), found.repeated, found.other, found.unreadable) == (6, 1, 3, 2)


def test_packed_files_are_read_alike(german: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tab.xz").write_bytes(lzma.compress(GERMAN.encode()))
    (tmp_path / "a.tab.gz").write_bytes(gzip.compress(GERMAN.replace("\n", "\r\n").encode()))
    assert read_omw(tmp_path / "a.tab.xz") == read_omw(tmp_path / "a.tab.gz") == read_omw(german)


def test_a_file_of_several_streams_is_read_whole(german: Path, tmp_path: Path) -> None:
    parts = GERMAN[:200].encode(), GERMAN[200:].encode()
    (tmp_path / "a.tab.xz").write_bytes(bytes(8).join(map(lzma.compress, parts)))
    (tmp_path / "a.tab.gz").write_bytes(b"".join(map(gzip.compress, parts)))
    assert read_omw(tmp_path / "a.tab.xz") == read_omw(tmp_path / "a.tab.gz") == read_omw(german)


def test_a_lemma_of_more_than_200_characters_is_counted_as_unreadable(tmp_path: Path) -> None:
    rows = "".join(f"02084071-n\tdeu:lemma\t{'x' * length}\n" for length in (200, 201))
    (tmp_path / "a.tab").write_text(HEADER + rows)
    found = read_omw(tmp_path / "a.tab")
    assert (len(found.lemmas), found.unreadable) == (1, 1)


OMW = {"cmn": 46212, "fra": 72667, "ita": 17422, "por": 55568, "deu": 21750}
UNREADABLE = {"cmn": 5, "fra": 16}  # private use, and half of another encoding


@pytest.mark.parametrize("language", OMW)
def test_real_files_are_read_whole(language: str, shared: Path, wordnet: Ontology) -> None:
    (path,) = (shared / "omw").glob(f"*-{language}.tab.xz")
    found = read_omw(path)
    assert (found.language, len(found.lemmas)) == (language, OMW[language])
    assert (found.repeated, found.other) == (0, 2 if language == "ita" else 0)
    assert found.unreadable == UNREADABLE.get(language, 0)
    assert found.licence
    rows = lzma.decompress(path.read_bytes()).count(b"\n") - 1
    assert rows == len(found.lemmas) + found.repeated + found.other + found.unreadable
    assert all(wnid in wordnet for wnid in {wnid for wnid, _ in found.lemmas})


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.tab", b"", "line 1: '# title', language"),
        ("a.tab", b"# Test\tGerman\turl\tCC0\n", "line 1"),
        ("a.tab", b"# \x1b[2J\tdeu\turl\tCC0\n", "line 1 has a character that cannot be printed"),
        ("a.tab", HEADER.encode() + b"dog\n", "line 2 is not offset, relation and lemma: 'dog'"),
        ("a.tab", HEADER.encode() + b"02084071-n\tdeu:lemma\n", "line 2 is not"),
        ("a.tab", b"\xff", "line 1: bytes that are not UTF-8"),
        ("a.tab.xz", b"text", "cannot be unpacked"),
        ("a.tab.gz", b"text", "cannot be unpacked"),
        ("a.tab.xz", lzma.compress(GERMAN.encode())[:-20], "is cut short"),
        ("a.tab.gz", gzip.compress(GERMAN.encode(), mtime=0)[:-9], "is cut short"),
        ("a.tab.xz", lzma.compress(bytes(LIMIT + 1), preset=0), "holds more than 64 MiB"),
        ("a.tab.gz", gzip.compress(bytes(LIMIT + 1), 1, mtime=0), "holds more than 64 MiB"),
        ("a.tab.xz", lzma.compress(GERMAN.encode()) + b"x", "cannot be unpacked"),
        ("a.tab.gz", gzip.compress(GERMAN.encode(), mtime=0) + b"x", "cannot be unpacked"),
        ("a.tab.xz", lzma.compress(bytes(LIMIT), preset=0) + lzma.compress(bytes(1)), "holds more than 64 MiB"),
        ("a.tab.xz", lzma.compress(b"") * 1001, "cannot be unpacked: it has more than 1,000 streams"),
        ("a.tab.xz", lzma.compress(b"x", preset=9)[:24] + bytes(20), "cannot be unpacked|cut short"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_bad_file_is_one_line(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(OntologyError, match=message):
        read_omw(tmp_path / name)


def test_an_archive_cannot_ask_for_memory_without_bound(tmp_path: Path) -> None:
    greedy = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 28}]
    (tmp_path / "a.tab.xz").write_bytes(lzma.compress(GERMAN.encode(), filters=greedy))
    with pytest.raises(OntologyError, match="cannot be unpacked: Memory usage limit"):
        read_omw(tmp_path / "a.tab.xz")


def test_lemmas_are_taken_in_once(project: Project, german: Path) -> None:
    report = project.lemmas.add(german)
    assert str(report).endswith("12 rows = 5 new + 1 known + 1 on unknown synsets + 3 other + 2 unreadable")
    again = project.lemmas.add(german)
    assert (again.new, again.known) == (0, 6)
    assert project.lemmas.languages() == {"deu": 5}
    assert project.lemmas.of(DOG) == [("deu", "Hund"), ("deu", "Haus hund")]


def test_a_synset_is_named_in_a_language(project: Project, german: Path) -> None:
    project.lemmas.add(german)
    assert project.lemmas.resolve("deu:hund").wnid == project.lemmas.resolve("deu:haus_hund").wnid == DOG
    assert project.lemmas.resolve("whippet") == project.lemmas.resolve("n02091134")
    with pytest.raises(AmbiguousLemma, match=r"(?s)deu:Kran' has 2 .*n02012849 crane: large.*n03126707 crane: lifts"):
        project.lemmas.resolve("deu:Kran")
    with pytest.raises(AmbiguousLemma, match="'crane' has 5 senses"):
        project.lemmas.resolve("crane")
    with pytest.raises(UnknownSynset, match=r"no synset is called 'Katze'.*languages know it: deu:Katze$"):
        project.lemmas.resolve("Katze")
    with pytest.raises(UnknownSynset, match=r"no synset is called 'fra:Katze'.*languages know it: deu:Katze$"):
        project.lemmas.resolve("fra:Katze")
    with pytest.raises(UnknownSynset, match="or a lemma$"):
        project.lemmas.resolve("deu:Nichts")
    with pytest.raises(UnknownSynset, match="no synset n00000001"):
        project.lemmas.resolve("n00000001")


def test_an_accent_may_be_a_character_of_its_own(project: Project, tmp_path: Path) -> None:
    (tmp_path / "fra.tab").write_text("# T\tfra\t\tCC0\n02084071-n\tfra:lemma\tche\u0301rie\n")
    project.lemmas.add(tmp_path / "fra.tab")
    assert project.lemmas.resolve("fra:ch\u00e9rie").wnid == DOG


def test_a_subtree_is_named_in_a_language(project: Project, german: Path) -> None:
    project.lemmas.add(german)
    assert len(project.images.find("under:deu:Hund")) == 0


def test_the_catalog_tells_languages_apart(project: Project, german: Path) -> None:
    project.lemmas.add(german)
    french = [{"language": "fra", "wnid": CAT, "lemma": "Hund", "key": "hund", "source": "x"}]
    assert project.catalog.transact(lambda connection: translations.add_translations(connection, french * 2)) == 1
    with project.catalog.read() as connection:
        assert translations.translated(connection, None, "hund") == [("deu", DOG), ("fra", CAT)]
        assert translations.translated(connection, "fra", "hund") == [("fra", CAT)]


def test_lemmas_are_taken_in_on_the_command_line(
    project: Project, german: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lemmas_command.callback
    lemmas_command.callback((german,), project.path)
    assert capsys.readouterr().out.startswith("deu (Test, http://example.org/, CC0): 12 rows = 5 new")


def test_folders_and_senses_are_named_in_a_language(project: Project, german: Path, tmp_path: Path) -> None:
    project.lemmas.add(german)
    for name in ("deu:Hund", "deu:Kran", "deu:Nichts"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "a.jpg").write_bytes(b"")
    with pytest.raises(AmbiguousLemma, match="deu:Kran: 2 senses"):
        project.images.listing(tmp_path / "photos")
    listing = project.images.listing(tmp_path / "photos", {"deu:Kran": "deu:Katze"})
    assert [one.wnid for file in listing.files for one in file.sightings] == [DOG, CAT]
    assert listing.unassigned == {"deu:Nichts": 1}
