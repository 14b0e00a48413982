"""A release as a site: pages of statistics, datasheet and downloads that any host serves."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from any_release import DOG, Shot, shipped, some
from browser import Browsing, Served, axe
from conftest import encoded, photo, run
from holotype.errors import ReleaseError
from holotype.releases import publishing
from holotype.releases.layout import CHECKSUMS, FILES, FILES_SCHEMA
from holotype.releases.publishing import publish
from holotype.releases.release import Release
from test_documents import HOSTILE, Balanced, finished

WORDS = {"title": "Dogs & cats", "description": "Pictures of dogs.", "citation": "Us, 2026", "purpose": "To tell dogs."}


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(finished(shipped(tmp_path / "v1", some(8, author="Ann", licence="CC0"), recipe={"words": WORDS})))


def asked(page: Path) -> list[str]:
    """Addresses that a page has, which is well formed."""
    parser = Balanced()
    parser.feed(page.read_text(encoding="utf-8"))
    assert parser.open == []
    return [one for one in parser.asked if not one.startswith("data:")]


def test_a_site_has_pages_and_every_file_of_the_release(release: Release, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pages = publish(release, site)
    assert pages == ["index.html", "datasheet.html", "synsets-1.html"]
    assert {path.name for path in site.iterdir()} == {*pages, "files"}
    copied = {path.name: path.read_bytes() for path in (site / "files").iterdir()}
    assert copied == {path.name: path.read_bytes() for path in release.path.iterdir()}
    index = (site / "index.html").read_text()
    for name, data in copied.items():
        assert f'href="files/{name}"' in index
        assert hashlib.sha256(data).hexdigest() in index
    for told in ("Dogs &amp; cats", "Pictures of dogs.", "Us, 2026", "Certificates", "CC0"):
        assert told in index
    assert "To tell dogs." in (site / "datasheet.html").read_text()
    assert DOG in (site / "synsets-1.html").read_text()
    assert not list(tmp_path.glob(".site*"))


def test_every_link_of_a_site_leads_somewhere(release: Release, tmp_path: Path) -> None:
    site = tmp_path / "site"
    for page in publish(release, site):
        for address in asked(site / page):
            assert (site / unquote(address)).is_file(), (page, address)


def test_the_same_release_makes_the_same_pages(release: Release, tmp_path: Path) -> None:
    pages = [publish(release, tmp_path / name) for name in ("a", "b")]
    assert pages[0] == pages[1]
    for page in pages[0]:
        assert (tmp_path / "a" / page).read_bytes() == (tmp_path / "b" / page).read_bytes()


def test_files_are_linked_to_where_they_lie(release: Release, tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish(release, site, link_to="https://a.org/v1/")
    assert not (site / "files").exists()
    assert "https://a.org/v1/manifest.parquet" in asked(site / "index.html")


def test_files_are_hard_links_if_asked(release: Release, tmp_path: Path) -> None:
    publish(release, tmp_path / "site", hard_links=True)
    name = "train-000000.tar"
    assert os.path.samefile(tmp_path / "site/files" / name, release.path / name)
    publish(release, tmp_path / "copied")
    assert not os.path.samefile(tmp_path / "copied/files" / name, release.path / name)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "files", 'https://a.org/"><script>', "//a.org", "ftp://a"])
def test_what_is_no_address_is_refused(release: Release, tmp_path: Path, address: str) -> None:
    with pytest.raises(ReleaseError, match="no address"):
        publish(release, tmp_path / "site", link_to=address)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("mode", [{}, {"hard_links": True}, {"link_to": "https://a.org"}])
@pytest.mark.parametrize("harm", ["flipped", "missing", "linked"])
def test_a_release_that_is_damaged_is_not_published(
    release: Release, tmp_path: Path, mode: dict[str, str], harm: str
) -> None:
    shard = release.path / "val-000000.tar"
    data = bytearray(shard.read_bytes())
    shard.unlink()
    if harm == "flipped":
        data[700] ^= 1
        shard.write_bytes(data)
    if harm == "linked":
        (tmp_path / "elsewhere").write_bytes(data)
        shard.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match="checksum" if harm == "flipped" else "missing, or no plain file"):
        publish(release, tmp_path / "site", **mode)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir() if "site" in path.name] == []


def test_a_folder_that_is_there_is_left_alone(release: Release, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with pytest.raises(ReleaseError, match="there already"):
        publish(release, tmp_path / "site")
    assert list((tmp_path / "site").iterdir()) == []


@pytest.mark.parametrize("line", ["x  manifest.parquet", f"{'0' * 64}  ../secret", f"{'0' * 64}  .hidden", "é"])
def test_a_checksum_file_that_names_something_else_is_refused(release: Release, tmp_path: Path, line: str) -> None:
    (release.path / CHECKSUMS).write_text(line + "\n")
    with pytest.raises(ReleaseError, match=CHECKSUMS):
        publish(release, tmp_path / "site")


def test_a_full_disk_is_told_before_anything_is_written(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(ReleaseError, match="has room for 10 bytes"):
        publish(release, tmp_path / "site")
    publish(release, tmp_path / "site", link_to="https://a.org")


def test_where_archives_lie_is_not_published(tmp_path: Path) -> None:
    folder, home = shipped(tmp_path / "v1", some(4)), tmp_path / "home" / "ann"
    home.mkdir(parents=True)
    rows = []
    for shard in sorted(folder.glob("*.tar")):
        shard.rename(home / shard.name)
        about = (home / shard.name).stat()
        where = {"path": str(home / shard.name), "size": about.st_size, "mtime_ns": about.st_mtime_ns}
        rows.append({"shard": shard.name, "dataset": "d", "kind": "tar", **where})
    pq.write_table(pa.Table.from_pylist(rows, FILES_SCHEMA), folder / FILES)
    made = Release(finished(folder), archives=[home])
    publish(made, tmp_path / "site")
    found = [path for path in (tmp_path / "site").rglob("*") if path.is_file()]
    assert FILES not in {path.name for path in found}
    assert not [path for path in found if str(home).encode() in path.read_bytes()]
    assert FILES not in (tmp_path / "site/files/croissant.json").read_text()
    index = (tmp_path / "site/index.html").read_text()
    assert "archives that you must have yourself" in index
    assert index.count("<img") == 2


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    words = dict.fromkeys(("title", "description", "citation", "purpose"), HOSTILE) | {"url": "javascript:alert(1)"}
    folder = shipped(tmp_path / "v1", [Shot(encoded(photo(1)), told={"author": HOSTILE})], recipe={"words": words})
    for page in publish(Release(finished(folder)), tmp_path / "site"):
        assert not [one for one in asked(tmp_path / "site" / page) if "javascript" in one]
        assert "<script" not in (tmp_path / "site" / page).read_text()


def test_many_synsets_are_on_several_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_ROWS", 2)
    shots = [Shot(encoded(photo(n)), [f"n{n:08d}"], told={"rank": n}) for n in range(5)]
    pages = publish(Release(finished(shipped(tmp_path / "v1", shots))), tmp_path / "site")
    assert pages[2:] == ["synsets-1.html", "synsets-2.html", "synsets-3.html"]
    assert asked(tmp_path / "site/synsets-2.html") == ["index.html", "synsets-1.html", "synsets-3.html"]
    assert asked(tmp_path / "site/synsets-3.html") == ["index.html", "synsets-2.html"]


def test_a_release_is_published_by_name_and_by_folder(labelled_once: Path, tmp_path: Path) -> None:
    told = run("release", "publish", "v1", "--out", tmp_path / "a", "-p", labelled_once)
    assert told == f"3 pages in {tmp_path / 'a'}; begin with {tmp_path / 'a/index.html'}\n"
    run("release", "publish", labelled_once / "releases/v1", "--out", tmp_path / "b", "--json")
    assert (tmp_path / "a/index.html").read_bytes() == (tmp_path / "b/index.html").read_bytes()
    assert "no release" in run("release", "publish", "v9", "--out", tmp_path / "c", "-p", labelled_once, expect=2)


def test_words_of_its_makers_go_with_a_release(labelled_once: Path, tmp_path: Path) -> None:
    project, words = Path(shutil.copytree(labelled_once, tmp_path / "project")), tmp_path / "words.yaml"
    words.write_text("purpose: To tell dogs.\nterms: https://a.org/licence\n")
    run("release", "create", "v2", "--outvoted", "--datasheet", words, "-p", project)
    folder = project / "releases/v2"
    assert "> To tell dogs." in (folder / "datasheet.md").read_text()
    assert json.loads((folder / "croissant.json").read_text())["license"] == "https://a.org/licence"
    assert run("release", "verify", folder) == f"{folder} is sound\n"
    (folder / "datasheet.md").unlink()
    assert "datasheet.md is missing" in run("release", "verify", folder, expect=1)
    words.write_text("porpose: To tell dogs.")
    assert "is 'purpose' meant?" in run(
        "release", "create", "v3", "--outvoted", "--datasheet", words, "-p", project, expect=2
    )


def test_all_can_use_a_site_from_a_disk(release: Release, tmp_path: Path, browsing: Browsing) -> None:
    pages = publish(release, tmp_path / "site")
    for phone in (False, True):
        page = browsing.page(Served(None, ""), phone=phone)  # type: ignore[arg-type]
        for name in pages:
            page.goto((tmp_path / "site" / name).as_uri())
            assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            assert axe(page) == []
        page.set_viewport_size({"width": 240, "height": 600})
        lines = page.evaluate("[...document.querySelectorAll('td code')].map(code => code.getClientRects().length)")
        assert lines, "the last page lists synsets"
        assert set(lines) == {1}, "a wnid is on one line"
        page.get_by_role("link", name="Statistics").click()
        page.get_by_role("link", name="Datasheet", exact=True).click()
        assert page.get_by_role("heading", level=1).inner_text() == "Datasheet of Dogs & cats"


@pytest.mark.parametrize("name", ["statistics.html", "more.html", "index.php"])
def test_a_page_that_may_run_scripts_is_not_published(release: Release, tmp_path: Path, name: str) -> None:
    page = release.path / name
    page.write_text(f"<script>alert(1)</script>{page.read_text() if page.exists() else ''}")
    lines = [line for line in (release.path / CHECKSUMS).read_text().splitlines() if not line.endswith(f"  {name}")]
    line = f"{hashlib.sha256(page.read_bytes()).hexdigest()}  {name}"
    (release.path / CHECKSUMS).write_text("".join(f"{one}\n" for one in [*lines, line]))
    with pytest.raises(ReleaseError, match=r"no part of a release|not a page of holotype's"):
        publish(release, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_what_a_writer_that_was_killed_left_of_a_site_goes_with_the_next(release: Release, tmp_path: Path) -> None:
    left = tmp_path / ".site.partial"
    (left / "files").mkdir(parents=True)
    (left / "files" / "train-000000.tar").write_bytes(b"half")
    publish(release, tmp_path / "site")
    assert not left.exists()
    assert not list(tmp_path.glob(".site*"))
