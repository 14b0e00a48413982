"""Every reader of text that people made reads it in whatever encoding and with whatever line ends it was saved."""

from __future__ import annotations

import codecs
import tarfile
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from conftest import encoded, photo, run
from holotype.benchmark.reading.submissions import read_guesses
from holotype.cli.answers import PRIORS, chance, read_answers, read_csv, read_pairs
from holotype.cli.dataset_sources import _classes
from holotype.cli.orders import read_guesses as read_order
from holotype.cli.orders import read_labels
from holotype.cli.senses import read_senses
from holotype.cli.table_files import PROPOSALS, read_proposals, read_table
from holotype.cli.taxonomies import read_targets
from holotype.cli.vote_files import read_vote_file
from holotype.collect.sidecars import _rows
from holotype.errors import ArchiveError, CrowdError, HolotypeError
from holotype.imports.devkit import parse_truth
from holotype.imports.lists import read_marks, read_texts, read_urls
from holotype.imports.solution import read_solution
from holotype.ontology.languages import read_omw
from holotype.ontology.taxonomy import read_taxonomy
from holotype.textlists import decoded, read_lines, read_rows
from submitted import labels

DOG, CAT, SHA = "n02084071", "n02121808", "ab" * 32
Read = Callable[[Path], object]

READERS: dict[str, tuple[str, str, Read]] = {
    "urls": ("u.txt", f"{DOG}_1\thttp://x.de/Köln.jpg\n{CAT}_2\thttp://x.de/猫\n", lambda path: list(read_urls(path))),
    "marks": ("m.txt", f"wnid,value\n{DOG}\n{CAT}, 3.5\n", lambda path: list(read_marks(path))),
    "texts": ("words.txt", f"{DOG}\tHündin, dog\n{CAT}\t猫\n", lambda path: list(read_texts(path))),
    "solution": ("s.csv", f"ImageId,PredictionString\na,{DOG} 1 2 3 4\n", lambda path: list(read_solution(path))),
    "truth of orders": ("s.csv", "ImageId,PredictionString\na,n01440764 1 2 3 4 \n", read_labels),
    "guesses": ("p.txt", "1 2\n3 4\n", lambda path: read_order(path, 2).tolist()),
    "devkit": ("t.txt", "490\n361\n", lambda path: parse_truth(path.read_bytes(), "t.txt", 1000)),
    "predictions": (
        "p.csv",
        f"image,guess1\nä,{DOG}\nb,{CAT}\n",
        lambda path: read_guesses(path, labels([("b", CAT), ("ä", DOG)], [DOG, CAT])).guesses.tolist(),
    ),
    "classes": ("c.txt", f"{DOG}\n{CAT}\n", lambda path: _classes(str(path))),
    "answers": ("a.csv", f"sha256,wnid,answer\n{SHA},{DOG},Yes\n", read_answers),
    "priors": ("p.csv", f"sha256,wnid,chance\n{SHA},{DOG},0.5\n", lambda path: read_csv(path, PRIORS, chance)),
    "pairs": ("p.csv", f"sha256,wnid\n{SHA},{DOG}\n", lambda path: read_pairs([str(path)], [], lambda _: [])),
    "votes": (
        "v.csv",
        f"sha256,wnid,worker,answer\n{SHA},{DOG},Jörg,yes\n",
        lambda path: read_vote_file(path)[0],
    ),
    "metadata": ("m.csv", "file,author\na.jpg,Jörg 猫\n", lambda path: list(_rows(path, path.name, []))),
    "senses": ("s.csv", f"name,wnid,lemmas,gloss\nHündin,{DOG},dog,Köter\n", read_senses),
    "proposals": ("p.csv", f"image,wnid,score\nä.jpg,{DOG},0.5\n", read_proposals),
    "targets": ("t.txt", f"{DOG}\tdog\nkoira\n", read_targets),
    "taxonomy.csv": ("t.csv", "id,parents,lemmas\nanimal,,Tier|ζῷον\ndog,animal,\n", read_taxonomy),
    "taxonomy.yaml": ("t.yaml", "animal:\n  dog: bellt, täglich\n", read_taxonomy),
    "taxonomy.json": ("t.json", '{"animal":\n{"dog": "bellt, täglich"}}\n', read_taxonomy),
    "taxonomy.ttl": (
        "t.ttl",
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
        '<http://x.org/a> a skos:Concept ; skos:prefLabel "Tier, täglich"@de .\n',
        read_taxonomy,
    ),
    "lemmas": ("o.tab", "# Wörter\tdeu\thttp://x.de\tCC\n02084071-n\tlemma\tHündin\n", read_omw),
}

FORMS: dict[str, Callable[[str], bytes]] = {
    "a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16, little end first": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16, big end first": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "UTF-32": lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "blank lines at the end": lambda text: f"{text}\n\r\n \n".encode(),
    "all at once": lambda text: codecs.BOM_UTF16_LE + text.replace("\n", "\r\n").encode("utf-16-le"),
}


TABLES = {"solution", "truth of orders", "predictions", "answers", "priors", "pairs", "votes", "metadata", "proposals"}
TABLES |= {"taxonomy.csv", "senses"}
"""The readers of tables, whose cells may have other things than commas between them."""
OF_TABLES: dict[str, Callable[[str], bytes]] = {
    "semicolons": lambda text: text.replace(",", ";").encode(),
    "Excel's CSV": lambda text: codecs.BOM_UTF8 + text.replace(",", ";").replace("\n", "\r\n").encode(),
    "Excel's Unicode text": lambda text: (
        codecs.BOM_UTF16_LE + text.replace(",", "\t").replace("\n", "\r\n").encode("utf-16-le")
    ),
}


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_a_text_means_the_same_however_it_was_saved(reader: str, form: str, tmp_path: Path) -> None:
    name, text, read = READERS[reader]
    wanted = read(written(tmp_path / name, text.encode()))
    assert read(written(tmp_path / name, FORMS[form](text))) == wanted


@pytest.mark.parametrize("form", OF_TABLES)
@pytest.mark.parametrize("reader", sorted(TABLES))
def test_a_table_means_the_same_whatever_is_between_its_cells(reader: str, form: str, tmp_path: Path) -> None:
    name, text, read = READERS[reader]
    wanted = read(written(tmp_path / name, text.encode()))
    assert read(written(tmp_path / name, OF_TABLES[form](text))) == wanted


def test_the_first_line_with_text_tells_what_is_between_cells(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"\n\na;b,c;d\n1,5;2;3\n")
    assert list(read_rows(path, CrowdError)) == [(3, ["a", "b,c", "d"]), (4, ["1,5", "2", "3"])]


def test_chances_have_decimal_commas_where_cells_do_not_end_in_commas(tmp_path: Path) -> None:
    priors = written(tmp_path / "p.csv", f"sha256;wnid;chance\n{SHA};{DOG};0,5\n".encode())
    assert read_csv(priors, PRIORS, chance) == {(SHA, DOG): 0.5}
    for score in ("0,5", "0.5"):
        path = written(tmp_path / "q.csv", f"image;wnid;score\na.jpg;{DOG};{score}\n".encode())
        assert [one.score for one in read_proposals(path)] == [0.5]


@pytest.mark.parametrize("reader", [one for one in READERS if one != "urls"])
@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80"])
def test_bytes_that_are_no_text_are_told_with_file_line_and_remedy(reader: str, bad: bytes, tmp_path: Path) -> None:
    name, text, read = READERS[reader]
    first, _, rest = text.encode().partition(b"\n")
    path = written(tmp_path / name, first + b"\n" + bad + rest)
    told = f"{name}, line 2: bytes that are not UTF-8; save the file as UTF-8"
    with pytest.raises((HolotypeError, click.BadParameter), match=told):
        read(path)


def test_url_lists_take_other_bytes_for_latin_1(tmp_path: Path) -> None:
    """Those of image-net.org hold such lines, and one of 14 million must not stop the others."""
    path = written(tmp_path / "u.txt", f"{DOG}_1 http://x.de/ä".encode() + b"\xf6.jpg\n")
    assert list(read_urls(path)) == [(f"{DOG}_1", "http://x.de/äö.jpg")]


LEFT_OVER = [
    ("solution", f"ImageId,PredictionString\na,{DOG} 1 2 3 4,more\n", "s.csv, line 2: expected an image and its boxes"),
    ("solution", f"ImageId,PredictionString\na,{DOG} 1 2 3 4 5\n", "s.csv, line 2: 6 fields are no boxes"),
    ("devkit", "490\n361 7\n", "t.txt, line 2: '361 7' is not an id"),
    ("devkit", "490\n\n361\n", "t.txt, line 2: '' is not an id"),
    ("guesses", "1\n2 x\n", "p.txt, line 2: expected whole numbers, not '2 x'"),
    ("guesses", "1\n\n2\n", "p.txt, line 2: expected whole numbers, not ''"),
    ("predictions", f"image,guess1\nä,{DOG},{CAT}\n", "p.csv, line 2: 3 cells where the header has 2"),
    ("classes", f"{DOG}\n{CAT} cat\n", f"c.txt, line 2: expected a wnid alone, not '{CAT} cat'"),
    ("answers", f"sha256,wnid,answer\n\n{SHA},{DOG},yes,no\n", "a.csv, line 3: the answer must be the last of 3 cells"),
    ("pairs", f"sha256,wnid\n{SHA},{DOG},yes\n", "p.csv, line 2: every row must have 2 cells"),
    ("proposals", f"image,wnid\n{SHA},{DOG},yes\n", "Expected 2 columns, got 3"),
    ("taxonomy.csv", "id,parents\na,,b\n", "t.csv: line 2: 3 cells, but the header has 2"),
    ("taxonomy.csv", "id,parents,colour\na,,b\n", "t.csv: the first row must name columns"),
    ("taxonomy.json", '[{"id": "a", "colour": "red"}]', "t.json: entry 1: there is no field 'colour'"),
    ("taxonomy.json", '{"a": {}} {"b": {}}', "t.json: Extra data: line 1"),
    ("taxonomy.yaml", "- id: a\n  colour: red\n", "t.yaml: entry 1: there is no field 'colour'"),
    ("taxonomy.yaml", "a: {}\n---\nb: {}\n", "t.yaml: one document is wanted, not several"),
    ("marks", f"{DOG}x\n{CAT}\ndog\n", "m.txt, line 3: expected a wnid and perhaps a value, not 'dog'"),
]


@pytest.mark.parametrize(("reader", "text", "message"), LEFT_OVER)
def test_what_is_left_over_after_a_value_is_an_error(reader: str, text: str, message: str, tmp_path: Path) -> None:
    name, _, read = READERS[reader]
    with pytest.raises(Exception, match=message.replace("(", r"\(")):
        read(written(tmp_path / name, text.encode()))


def test_columns_that_are_not_used_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_table(written(tmp_path / "v.csv", b"image, wnid ,score,colour,at\n"), PROPOSALS)
    assert capsys.readouterr().err == f"{tmp_path}/v.csv: not used: the columns colour, at\n"


def test_utf_16_without_its_mark_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "ab\ncd\n".encode("utf-16-le"))
    for read in (lambda: list(read_lines(path, ArchiveError)), lambda: decoded(path.read_bytes(), "a.txt", CrowdError)):
        with pytest.raises((ArchiveError, CrowdError), match=r"a.txt, line 1: bytes that are not UTF-8; save the file"):
            read()


def test_lines_end_where_files_say_so_and_nowhere_else(tmp_path: Path) -> None:
    text = "a\u2028b\x0bc\x85d\re\r\nf\n\ng"
    assert list(read_lines(written(tmp_path / "a.txt", text.encode()), ArchiveError)) == [
        *("a\u2028b\x0bc\x85d", "e", "f", "", "g")
    ]
    assert decoded(text.encode(), "a", ArchiveError).split("\n") == ["a\u2028b\x0bc\x85d", "e", "f", "", "g"]


def test_a_row_may_go_over_several_lines_and_says_where_it_ends(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b'\xef\xbb\xbf"a ", b\r\n\r\n,\r\n"c\r\nd",e\r\n')
    assert list(read_rows(path, CrowdError)) == [(1, ["a", "b"]), (5, ["c\nd", "e"])]


def test_errors_of_files_are_the_readers_own(tmp_path: Path) -> None:
    for read in (read_lines, read_rows):
        with pytest.raises(CrowdError, match="cannot read .*none: No such file"):
            list(read(tmp_path / "none", CrowdError))
    with pytest.raises(CrowdError, match="not a plain file|Is a directory"):
        list(read_lines(tmp_path, CrowdError))


@pytest.mark.parametrize("name", ["bom.ttl", "bom.nt", "bom.rdf", "bom.jsonld"])
def test_a_vocabulary_with_a_byte_order_mark_is_read(name: str) -> None:
    folder = Path(__file__).parent / "vocabularies"
    assert read_taxonomy(folder / name) == read_taxonomy(folder / "plain_ok.ttl")


def test_lines_of_a_url_list_that_say_something_else_are_counted(
    tmp_path: Path, new_project: Callable[[Path], Path]
) -> None:
    place = new_project(tmp_path / "p")
    picture = written(tmp_path / "a.jpg", encoded(photo(1)))
    with tarfile.open(tmp_path / f"{DOG}.tar", "w") as tar:
        tar.add(picture, f"{DOG}_1.JPEG")
    run("datasets", "add", "imagenet21k", tmp_path / f"{DOG}.tar", "-p", place)
    lines = f"{DOG}_1 http://x.de/1\n\nnonsense\n{DOG}_2 http://x.de/2\n{DOG}_1 gopher://x.de/\n"
    urls = written(tmp_path / "u.txt", lines.encode())
    said = run("datasets", "add", "urls", urls, "--dataset", "imagenet21k", "-p", place)
    assert "1 other facts, 1 of images that are not imported, 2 lines that are no name of an image and a URL" in said
