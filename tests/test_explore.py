"""Pages for whoever may look: the catalog as it is and any release, by everybody and by who runs it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Connection

import holotype
from conftest import encoded, import_image, photo
from holotype.catalog import Catalog, removals, shown
from holotype.catalog import schema as t
from holotype.catalog.removals import Removal
from holotype.consensus.votes import Answer
from holotype.crowd.expert import Nobody
from holotype.crowd.policies import Lead
from holotype.crowd.reasons import reasons
from holotype.images.decode import decode
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.explore import hidden_from
from holotype.project.image_pages import Gone, ImageFacts, read_image
from holotype.project.tree_counts import count_states
from holotype.project.views import PUBLIC, Sight
from holotype.queries import Live, Query
from holotype.web.explore import downloads
from holotype.web.settings import RATES, Settings
from visitors import KEY, Site, said

WHIPPET, CAT, ANIMAL, ENTITY = "n02091134", "n02121808", "n00015388", "n00001740"
EVERY = Sight(undecided=True, gold=True, removed=True)


@pytest.fixture
def site(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Site:
    return Site(copy_of(labelled_once))


def keys(page: str) -> list[str]:
    """The keys of the pictures of a page, each once, in order."""
    return list(dict.fromkeys(re.findall(r'href="/image/([^"?]+)', page)))


# Trees, synsets, maps, words


def test_the_tree_opens_where_pictures_are_and_folds_what_lies_between(site: Site) -> None:
    page = site.nobody().get("/tree")
    told = said(page)
    assert re.search(r"entity › .*animal", told)
    for name in ("whippet", "domestic cat"):
        assert name in told
    assert f'href="/synset/{WHIPPET}"' in page


def test_a_branch_alone_is_given_to_htmx_and_a_page_to_others(site: Site) -> None:
    visitor = site.nobody()
    branch, page = visitor.fragment("/tree/n02083346"), visitor.get("/tree/n02083346")
    assert branch.lstrip().startswith('<ul class="kids">')
    assert "<html" not in branch
    assert "Kinds of canine" in said(page)
    assert "more without pictures" in said(page)
    everything = visitor.get("/tree/n02083346?all=1")
    assert len(re.findall('class="twig', everything)) == len(site.db.ontology.children("n02083346"))


def test_a_synset_with_several_parents_says_so_in_each_place(
    project: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    fill(tmp_path / "p" / "n02084071", 2)  # dog: a canine, and a domestic animal
    project.images.ingest(tmp_path / "p")
    site = Site(project)
    for parent, other in (("n02083346", "domestic animal"), ("n01317541", "canine")):
        assert re.search(rf"dog 0 also under {other}", said(site.nobody().get(f"/tree/{parent}?all=1")))
    assert "1 more way leads here" in said(site.nobody().get("/synset/n02084071"))


def test_languages_and_addresses_are_offered_where_there_are_any(site: Site) -> None:
    visitor = site.nobody()
    page = visitor.get(f"/synset/{CAT}")
    assert "Find a thing</label>" in page
    assert 'placeholder="dog"' in page
    assert "web addresses" not in page

    def work(connection: Connection) -> None:
        said = {"language": "deu", "wnid": CAT, "lemma": "Katze", "key": "katze", "source": "me"}
        connection.execute(t.translation.insert().values(**said))
        about = {"origin": "", "licence": "", "author": "", "at": 0.0}
        connection.execute(t.credit.insert().values(image_id=1, url="https://pictures.example/1.jpg", **about))

    site.db.catalog.transact(work)
    page = visitor.get(f"/synset/{CAT}")
    assert "Find a thing, in any language</label>" in page
    assert "Hund" in page
    assert "web addresses" in page


def test_a_synset_has_its_words_counts_and_pictures(site: Site) -> None:
    site.db.catalog.transact(
        lambda one: one.execute(
            t.translation.insert().values(language="deu", wnid=CAT, lemma="Hauskatze", key="hauskatze", source="me")
        )
    )
    page = site.nobody().get(f"/synset/{CAT}")
    told, yes = said(page), len(site.db.images.find(f"under:{CAT} state:yes"))
    assert "domestic cat" in told
    assert "house cat, Felis domesticus, Felis catus" in told
    assert "deu Hauskatze" in told
    assert f"{yes} pictures" in re.sub(r"pictures (\d+)", r"\1 pictures", told)
    assert len(keys(page)) == yes
    assert said(site.nobody().get("/search?q=hausk")).count("Hauskatze") == 1


def test_a_synset_says_how_many_can_agree_what_it_looks_like(
    project: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    fill(tmp_path / "p" / WHIPPET, 40)
    project.images.ingest(tmp_path / "p")
    project.crowd.run(project.crowd.simulated())
    found, page = project.imageability(WHIPPET), said(Site(project).nobody().get(f"/synset/{WHIPPET}"))
    assert found is not None
    assert ("can agree what it looks like" in page) == (found.share is not None)
    assert "can agree" not in said(Site(project).nobody().get(f"/synset/{ANIMAL}"))


def test_counts_follow_what_is_concluded(site: Site) -> None:
    visitor, found = site.nobody(), site.db.images.find(f"synset:{CAT} state:yes")
    before, first = len(found), found.page(1, 1)[0]
    assert len(keys(visitor.get(f"/synset/{CAT}"))) == before
    site.db.labels.overrule({(first.sha256, CAT): False}, "me", "it is a dog")
    page = visitor.get(f"/synset/{CAT}")
    assert first.sha256 not in keys(page)
    assert len(keys(page)) == before - 1
    assert site.db.explore.view().counts.by_state(site.db.ontology.rank(CAT))["yes"] == before - 1


def test_what_there_is_not_is_said(site: Site) -> None:
    visitor = site.nobody()
    for path in ("/synset/n99999999", "/tree/n99999999", "/map/n99999999", "/synset/dog'--", "/releases/v9"):
        visitor.get(path, 404)
    for path in ("/tree?release=v9", "/images?release=../v1", f"/image/{'0' * 64}", "/image/x", "/thumb/x.jpg"):
        visitor.get(path, 404)
    visitor.get("/images?q=dogg", 400)
    assert "No synset is called &#39;dogg&#39;; did you mean dog" in visitor.get("/images?q=under:dogg", 404)
    visitor.get("/images?q=a&q=b", 400)
    visitor.get("/images?q=state:yes&after=x", 400)
    visitor.get("/download?q=state:yes&as=exe", 400)


def test_a_map_has_areas_and_a_table_that_says_the_same(site: Site) -> None:
    page = site.nobody().get(f"/map/{ENTITY}")
    assert page.count('<rect class="whole"') == len(re.findall(r"<tr><th scope=\"row\">", page)) > 0
    assert "whippet" in said(page)
    assert "The same as a table" in said(page)
    leaf = said(site.nobody().get(f"/map/{WHIPPET}"))
    assert "Nothing lies below it" in leaf


def test_search_answers_while_somebody_types(site: Site) -> None:
    part = site.nobody().fragment("/search?q=whip")
    assert part.lstrip().startswith('<ul class="found">')
    assert said(part).startswith("whippet")
    assert "Nothing is called" in said(site.nobody().get("/search?q=zzzzqq"))
    assert site.nobody().fragment("/search?q=").strip() == ""


# Pictures


def test_pictures_go_on_from_the_mark_in_the_address(
    project: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    fill(tmp_path / "p" / WHIPPET, 130)
    project.images.ingest(tmp_path / "p")
    project.crowd.run(project.crowd.simulated())
    site, address, seen = Site(project), "/images?q=state%3Ayes", list[str]()
    while address:
        page = site.nobody().fragment(address)
        seen += keys(page)
        more = re.search(r'href="(/images\?[^"]*after=[^"]*)"', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert seen == [found.sha256 for found in project.images.find("state:yes")]


def test_the_form_makes_the_query_that_is_the_address(site: Site) -> None:
    visitor = site.nobody()
    where = visitor.client.get("/images?q=under:dog+state:no&state=yes&licence=CC+BY&width=10&boxes=&under=").headers
    assert where["Location"] == "/images?q=under%3Adog+state%3Ayes+licence%3A%22CC+BY%22+width%3E%3D10"
    visitor.get("/images?q=&width=-1", 400)


def test_a_name_alone_asks_for_the_thing_and_its_kinds(site: Site) -> None:
    where = site.nobody().client.get("/images?q=domestic+dog").headers["Location"]
    assert where == "/images?q=under%3A%22domestic+dog%22+state%3Ayes"
    assert len(keys(site.nobody().get(where))) == len(site.db.images.find("under:dog state:yes"))


def test_a_word_with_several_meanings_is_asked_back(
    project: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    for first, synset in enumerate(project.ontology.senses("crane")[:2]):
        fill(tmp_path / "p" / synset.wnid, 1, first=first)
    project.images.ingest(tmp_path / "p")
    page = Site(project).nobody().get("/images?q=under:crane", 300)
    assert "Which one is meant?" in said(page)
    assert page.count("under%3An") >= 2


def test_a_picture_says_why_its_label_is_what_it_is(site: Site) -> None:
    first = site.db.images.find("state:yes").page(1, 1)[0]
    page = site.nobody().get(f"/image/{first.sha256}")
    told = said(page)
    assert re.search(r"\d+ yes, \d+ not sure, \d+ no", told)
    assert "people were asked" in told
    assert f"/removal?image={first.sha256}" in page
    assert "No licence is known" in told
    voters = site.db.workers.review()
    assert voters
    assert not [one.worker for one in voters if one.worker in page]


def test_boxes_are_drawn_in_pixels_of_the_picture(site: Site) -> None:
    first = site.db.images.find("state:yes").page(1, 1)[0]

    def draw(connection: object) -> None:
        image = connection.execute(t.image.select().where(t.image.c.name == first.sha256)).one()  # type: ignore[attr-defined]
        box = {"image_id": image.id, "wnid": first.wnid, "x_min": 3, "y_min": 4, "x_max": 12, "y_max": 23}
        connection.execute(t.box.insert().values(**box, file_id=image.file_id))  # type: ignore[attr-defined]

    site.db.catalog.transact(draw)
    page = site.nobody().get(f"/image/{first.sha256}")
    assert 'viewBox="0 0 80 60"' in page
    assert 'x="3" y="4" width="10" height="20"' in page


def test_pictures_are_sent_as_pictures_without_what_their_files_say(site: Site) -> None:
    client, first = site.nobody().client, site.db.images.find("state:yes").page(1, 1)[0]
    for path in ("thumb", "picture"):
        answer = client.get(f"/{path}/{first.sha256}.jpg")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, max-age=300"
        assert decode(answer.content).pixels.shape[:2] == (60, 80)
        assert b"Exif" not in answer.content


def test_everybody_sees_what_is_decided_and_who_has_a_role_sees_more(
    project: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    fill(tmp_path / "p" / WHIPPET, 6)
    project.images.ingest(tmp_path / "p")
    digests = [found.sha256 for found in project.images.find("")]
    project.gold.add({(digests[0], WHIPPET): True}, "me")
    project.labels.overrule({(digests[1], WHIPPET): True, (digests[2], WHIPPET): False}, "me", "seen")
    project.crowd.run(Nobody(), Lead(1, 9))
    site = Site(project)
    nobody, viewer, worker, curator = site.nobody(), site.as_("viewer"), site.as_("worker"), site.as_("curator")
    shown = {who: [status(who, f"/image/{one}") for one in digests] for who in (nobody, viewer, worker, curator)}
    assert shown[nobody] == [404, 200, 200, 404, 404, 404]
    assert shown[viewer] == [404, 200, 200, 200, 200, 200]
    assert shown[worker] == shown[nobody]  # what is asked about and cannot be found would be gold
    assert shown[curator] == [200] * 6
    for path in ("/thumb/{}.jpg", "/picture/{}.jpg"):
        assert [status(nobody, path.format(one)) for one in digests] == shown[nobody]
    assert set(keys(nobody.get("/images?q="))) == set(digests[1:3])
    assert "1 more is counted, and kept from sight" in nobody.get("/images?q=")
    assert "1 more is counted, and kept from sight" in nobody.get(f"/synset/{WHIPPET}")
    assert "kept from sight" not in nobody.get("/images?q=state:open") + curator.get("/images?q=")
    assert keys(nobody.get("/images?q=state:open")) == []
    assert set(keys(viewer.get("/images?q="))) == set(digests[1:])
    assert set(keys(worker.get("/images?q="))) == set(digests[1:3])
    assert set(keys(curator.get("/images?q="))) == set(digests)


def status(visitor: object, path: str) -> int:
    return int(visitor.client.get(path).status_code)  # type: ignore[attr-defined]


def test_votes_on_what_is_open_are_not_shown_to_who_may_vote(
    project: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    fill(tmp_path / "p" / WHIPPET, 2)
    project.images.ingest(tmp_path / "p")
    first = next(iter(project.images.find("")))
    project.crowd.append({"sha256": [first.sha256], "wnid": [WHIPPET], "worker": ["w"], "answer": ["yes"]})
    site = Site(project)
    assert first.state == "open"
    assert "1 yes" not in said(site.as_("viewer").get(f"/image/{first.sha256}"))
    site.as_("worker").get(f"/image/{first.sha256}", 404)
    assert "1 yes" in said(site.as_("curator").get(f"/image/{first.sha256}"))


def test_a_site_that_is_not_public_shows_nothing_to_nobody(site: Site) -> None:
    closed = Site(site.db, Settings(KEY, public=False, rates=dict.fromkeys(RATES, (1e6, 1e6))))
    key = keys(site.nobody().get("/images?q=state:yes"))[0]
    for path in ("/", "/tree", f"/synset/{CAT}", f"/image/{key}", f"/thumb/{key}.jpg", "/download?q=", "/releases"):
        assert closed.nobody().client.get(path).headers["Location"].startswith("/login?next="), path
        assert status(closed.as_("viewer", f"v{path[:12]}"), path) == 200
    closed.nobody().get("/removal")


# Releases


def test_a_release_is_looked_at_as_the_catalog_is(site: Site) -> None:
    visitor = site.nobody()
    held = [row["sha256"] for row in site.db.releases["v1"].manifest.to_pylist()]
    assert sorted(keys(visitor.get("/images?release=v1"))) == sorted(set(held))
    page = visitor.get(f"/synset/{ANIMAL}?release=v1")
    assert "as it was published" in said(page)
    inside = re.findall(r'href="(/(?:synset|image|tree/|map|download)[^"]*)"', page)
    assert [link for link in inside if "release=v1" not in link] == ["/images", f"/synset/{ANIMAL}"]
    image = said(visitor.get(f"/image/{held[0]}?release=v1"))
    assert re.search(r"\d+ yes, \d+ not sure, \d+ no", image)
    assert "whippet" in said(visitor.get("/tree?release=v1"))
    assert "Release v1" in said(visitor.get("/releases/v1"))
    assert "v1" in said(visitor.get("/releases"))
    assert status(visitor, f"/thumb/{held[0]}.jpg?release=v1") == 200
    visitor.get("/images?q=state:no&release=v1", 400)


def test_a_release_stays_what_it_was_when_labels_change(site: Site) -> None:
    first = site.db.releases["v1"].manifest.to_pylist()[0]
    site.db.labels.overrule({(first["sha256"], first["wnid"]): False}, "me", "no")
    visitor = site.nobody()
    assert first["sha256"] in keys(visitor.get("/images?release=v1"))
    assert first["sha256"] not in keys(visitor.get("/images?q=state:yes"))
    assert "YES" in said(visitor.get(f"/image/{first['sha256']}?release=v1")).upper()


# Taking away


def test_what_is_found_comes_as_tables_addresses_and_a_tar(site: Site) -> None:
    client = site.nobody().client
    wanted = [found.candidate for found in site.db.images.find("state:yes")]
    rows = list(csv.DictReader(io.StringIO(client.get("/download?q=state:yes").text)))
    assert [row["sha256"] for row in rows] == [row.sha256 for row in wanted]
    table = pq.read_table(io.BytesIO(client.get("/download?q=state:yes&as=parquet").content))
    assert table.to_pylist() == site.db.images.find("state:yes").to_arrow().to_pylist()
    assert client.get("/download?q=state:yes&as=urls").text == ""
    answer = client.get("/download?q=state:yes&as=tar")
    assert answer.headers["content-disposition"].startswith('attachment; filename="project.tar"')
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    first = wanted[0]
    key = f"{first.wnid}_{first.id}"
    assert hashlib.sha256(members[f"{key}.jpg"]).hexdigest() == first.sha256
    assert json.loads(members[f"{key}.json"])["wnid"] == first.wnid
    assert len(members) == 2 * len(wanted)
    assert len(answer.content) % 10_240 == 0
    released = list(csv.DictReader(io.StringIO(client.get("/download?release=v1").text)))
    assert len(released) == len(site.db.releases["v1"].find(""))


def test_nobody_is_named_in_what_is_taken_away(site: Site) -> None:
    first = next(iter(site.db.images.find("state:yes")))
    site.db.labels.overrule({(first.sha256, first.wnid): True}, "Ann Onymous", "seen")
    client = site.nobody().client
    for kind in ("csv", "tar"):
        assert b"Onymous" not in client.get(f"/download?q=state:yes&as={kind}").content
    table = pq.read_table(io.BytesIO(client.get("/download?q=state:yes&as=parquet").content))
    assert f"curator:{site.db.workers.hidden_name('Ann Onymous')}" in table["policy"].to_pylist()
    assert "Onymous" not in site.nobody().get(f"/image/{first.sha256}")


def test_somebody_without_an_account_takes_no_more_than_so_many(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_IN_TAR", 3)
    monkeypatch.setattr(downloads, "STEP", 2)
    path = "/download?q=state:yes&as=tar"
    assert "more than 3 pictures" in said(site.nobody().get(path, 413))
    assert status(site.as_("viewer"), path) == 200
    whole = site.as_("viewer", "another").client.get("/download?q=state:yes&as=csv").text
    assert len(whole.splitlines()) == len(site.db.images.find("state:yes")) + 1


def test_a_picture_that_cannot_be_read_is_named_in_the_tar(site: Site) -> None:
    for pack in (site.db.path / "packs").iterdir():
        pack.write_bytes(b"")
    data = site.nobody().client.get("/download?q=state:yes&as=tar").content
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        (member,) = tar.getmembers()
        assert member.name == "unreadable.txt"
        assert len(tar.extractfile(member).read().splitlines()) == len(site.db.images.find("state:yes"))  # type: ignore[union-attr]


def test_a_spreadsheet_runs_nothing_of_a_table(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "p" / WHIPPET
    folder.mkdir(parents=True)
    (folder / "=1+1.jpg").write_bytes(encoded(photo(1)))
    (tmp_path / "about.csv").write_text(f"file,author\n{WHIPPET}/=1+1.jpg,=HYPERLINK(1)\n")
    project.images.ingest(tmp_path / "p", metadata=tmp_path / "about.csv")
    text = Site(project).as_("viewer").client.get("/download?q=").text
    assert "'=HYPERLINK(1)" in text
    assert not re.search(r"(^|,)=", text, re.M)


# Taken down


ROUTES = (
    "/image/{key}",
    "/image/{key}?release=v1",
    "/thumb/{key}.jpg",
    "/thumb/{key}.jpg?release=v1",
    "/picture/{key}.jpg",
    "/picture/{key}.jpg?release=v1",
    "/images?q=id:{key}",
    "/images?q=id:{key}&release=v1",
    "/download?q=id:{key}&as=csv",
    "/download?q=id:{key}&as=parquet",
    "/download?q=id:{key}&as=urls",
    "/download?q=id:{key}&as=tar",
    "/download?q=id:{key}&as=tar&release=v1",
)
LISTS = ("/", "/images?q=", f"/synset/{ENTITY}", "/download?q=", "/images?release=v1", "/download?release=v1")


def test_what_somebody_asks_for_is_gone_from_every_route_at_once(site: Site) -> None:
    visitor = site.nobody()
    key, kept, *_ = keys(visitor.get("/images?q=state:yes"))
    for path in ROUTES:
        assert status(visitor, path.format(key=key)) == 200, path
    receipt = visitor.post("/removal", said=f"http://x/image/{key}", reason="it is me", contact="a@b.example")
    for who in (visitor, site.as_("worker"), site.as_("curator")):
        for path in ROUTES:
            assert status(who, path.format(key=key)) == 410, path
            assert status(who, path.format(key=kept)) == 200, path
        for path in LISTS:
            assert key not in who.client.get(path).text, path
    operator = site.as_("operator")
    for path in ROUTES:
        assert status(operator, path.format(key=key)) == 200, path
    assert "Your request was received" in said(visitor.get(receipt))
    assert "a@b.example" not in visitor.get(receipt)
    site.db.removals.accept(receipt.rpartition("/")[2], "op", "fair enough")
    for path in ROUTES:
        assert status(visitor, path.format(key=key)) == 410, path
    assert "fair enough" in said(visitor.get(receipt))
    site.db.removals.decline(receipt.rpartition("/")[2], "op", "a mistake")
    for path in ROUTES:
        assert status(visitor, path.format(key=key)) == 200, path


def test_the_form_says_what_is_wrong_and_forgets_nothing(site: Site) -> None:
    visitor = site.nobody()
    page = visitor.post("/removal", 400, said="", reason="<b>because</b>", contact="me")
    assert "which pictures, and why" in said(page)
    assert "&lt;b&gt;because&lt;/b&gt;" in page
    page = visitor.get('/removal?image="><script>')
    assert "<script>" not in page.partition("<main")[2]
    visitor.get("/removal/" + "0" * 32, 404)
    assert site.db.removals.history() == []


def test_requests_to_take_down_are_rated(site: Site) -> None:
    slow = Site(site.db, Settings(KEY, rates={**dict.fromkeys(RATES, (1e6, 1e6)), "removal": (1e-6, 2.0)}))
    for expect in (303, 303, 429):
        slow.nobody().post("/removal", expect, said="x", reason="y")


# What is planted


PLANTED = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


class Tags(HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_what_is_planted_in_any_text_is_shown_as_text(
    tmp_path: Path, wordnet: Ontology, fill: Callable[..., None]
) -> None:
    taxonomy = tmp_path / "t.json"
    concepts = [
        {"id": "a", "lemmas": [f"all {PLANTED}"], "gloss": f"gloss {PLANTED}"},
        {
            "id": "b",
            "lemmas": [f"kind {PLANTED}"],
            "gloss": PLANTED,
            "parents": ["a"],
            "translations": {"deu": [PLANTED]},
        },
        {"id": "c", "lemmas": ["other"], "gloss": "plain", "parents": ["a"]},
    ]
    taxonomy.write_text(json.dumps(concepts))
    holotype.init(tmp_path / "project", taxonomy).close()
    with holotype.open(tmp_path / "project") as db:
        wnid = next(one.wnid for one in db.ontology if one.name.startswith("kind"))
        folder = tmp_path / "p" / wnid
        folder.mkdir(parents=True)
        name = PLANTED.replace("/", "_") + ".jpg"
        (folder / name).write_bytes(encoded(photo(1)))
        (folder / f"{name}.txt").write_text("a caption")
        with (tmp_path / "about.csv").open("w", newline="") as table:
            writer = csv.writer(table)
            writer.writerow(["file", "licence", "author", "url"])
            writer.writerow([f"{wnid}/{name}", PLANTED, PLANTED, f"https://x.example/{PLANTED}"])
        db.images.ingest(tmp_path / "p", metadata=tmp_path / "about.csv")
        (first,) = db.images.find("")
        db.labels.overrule({(first.sha256, wnid): True}, PLANTED, PLANTED)
        db.crowd.run(Nobody(), Lead(1, 9))
        site = Site(db)
        receipt = site.db.removals.ask(PLANTED, PLANTED, PLANTED).receipt
        pages = (
            *("/", "/tree", f"/synset/{wnid}", f"/map/{db.ontology.roots()[0].wnid}", "/images?q=", "/releases"),
            *(f"/image/{first.sha256}", "/search?q=script", f"/removal/{receipt}", f"/tree/{wnid}?all=1"),
            *(f"/search?q={PLANTED}", f"/images?q=licence:{PLANTED}", f"/removal?image={PLANTED}"),
        )
        for who in (site.nobody(), site.as_("operator")):
            for path in pages:
                for htmx in (False, True):
                    text = who.client.get(path, headers={"HX-Request": "true"} if htmx else {}).text
                    tags = Tags()
                    tags.feed(text)
                    scripts = [about.get("src") or "" for tag, about in tags.found if tag == "script"]
                    assert all(source.startswith("/static/") for source in scripts), path
                    assert not [about for _, about in tags.found if any(key.startswith("on") for key in about)], path
                    links = [about.get("href") or "" for _, about in tags.found]
                    assert not [link for link in links if link.lower().startswith("javascript")], path
        shown = site.nobody().get(f"/image/{first.sha256}")
        assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3  # licence, author and name


def test_an_address_on_the_web_is_a_link_only_where_it_is_one(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "p" / WHIPPET
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(encoded(photo(1)))
    (tmp_path / "about.csv").write_text(f"file,url\n{WHIPPET}/a.jpg,javascript:alert(1)\n")
    project.images.ingest(tmp_path / "p", metadata=tmp_path / "about.csv")
    (first,) = project.images.find("")
    assert "javascript:" not in Site(project).as_("operator").get(f"/image/{first.sha256}")


@pytest.mark.parametrize(
    "text", ["\0", "é" * 500, "(" * 300, "under:" * 200, "id:%00", "'; drop table image; --", "\ud800"]
)
def test_hostile_queries_are_answered_in_words(site: Site, text: str) -> None:
    visitor = site.nobody()
    for path in ("/images", "/download", "/search"):
        answer = visitor.client.get(path, params={"q": text.encode("utf-8", "surrogatepass")})
        assert answer.status_code in (200, 400), (path, answer.status_code)
    for key in (text, "../../etc/passwd", "%2e%2e/%2e%2e", "a/" * 300):
        named = quote(key.encode("utf-8", "surrogatepass"), safe="/")
        assert visitor.client.get(f"/thumb/{named}.jpg").status_code in (400, 404)


# What others wrote, and what templates may not hold


def test_what_was_vendored_is_what_it_says() -> None:
    folder = files("holotype.web") / "static" / "vendor"
    told = (folder / "VENDOR.md").read_text()
    names = [one.name for one in folder.iterdir() if one.name != "VENDOR.md"]
    assert names
    for name in names:
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert re.search(rf"\| {re.escape(name)} \|.*\| {digest} \|", told), name


def test_no_template_holds_what_the_policy_of_the_pages_forbids() -> None:
    folder = files("holotype.web") / "templates"
    texts = {one.name: one.read_text() for one in Path(str(folder)).rglob("*.html")}
    assert len(texts) > 20
    for name, text in texts.items():
        assert not re.search(r"\|\s*safe|hx-on|\bjs:|\sstyle=|<style|\son\w+=|hx-vals|javascript:", text), name
        assert not re.search(r'hx-trigger="[^"]*\[', text), name
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script, name


# Values


def test_what_pages_ask_is_answered_alike_by_both_databases(catalog: Catalog, wordnet: Ontology) -> None:
    rank = wordnet.rank(CAT)
    with catalog.write() as connection:
        connection.execute(t.dataset.insert().values(id=1, name="d"))
        about = {"kind": "tar", "path": "/a.tar", "size": 1, "mtime_ns": 1, "at": 0.0}
        connection.execute(t.file.insert().values(id=1001, dataset_id=1, **about))
        for number in range(1, 6):
            import_image(connection, number, 1, name=f"a{number}", wnid=CAT, rank=rank, offset=number * 512)
        image = {"format": "JPEG", "mode": "RGB", "width": 8, "height": 8, "hash": b"", "mirrored": b""}
        told = {**image, "reason": "", "detail": ""}
        connection.execute(t.fingerprint.insert().values(image_id=1, sha256="1" * 64, **told))
        connection.execute(t.worker.insert().values(id=1, name="w"))
        vote = {"candidate_id": 1, "worker_id": 1, "answer": 2, "page": "p", "seconds": 1.0, "at": 1.0}
        connection.execute(t.vote.insert().values(**vote))
        gold = {"candidate_id": 2, "number": 1, "answer": 2, "source": "me", "reason": "", "at": 1.0}
        connection.execute(t.gold.insert().values(**gold))
        connection.execute(t.near_duplicate.insert(), [{"image_id": one, "group_id": 1} for one in (1, 3)])
        box = {"image_id": 1, "wnid": CAT, "x_min": 1, "y_min": 2, "x_max": 3, "y_max": 4, "file_id": 1001}
        connection.execute(t.box.insert(), [box, box])
    with catalog.read() as connection:
        before = shown.states_mark(connection)
        assert shown.yields(connection, rank) == [("imported:d", "yes", 5)]
        assert shown.alike(connection, [1]) == [3]
        assert shown.boxes_of(connection, [1]) == [shown.ShownBox(CAT, 1, 2, 3, 4)]
        assert [(one.candidate, one.votes) for one in shown.said_of(connection, [1, 2])] == [(1, {2: 1}), (2, {})]
        assert shown.are_secret(connection, [1, 2])
        assert not shown.are_secret(connection, [1, 3])
        assert shown.are_decided(connection, [4])
        assert isinstance(read_image(connection, "1" * 64, PUBLIC), ImageFacts)
        assert read_image(connection, "d/a2", PUBLIC) is None
        assert isinstance(read_image(connection, "d/a3", PUBLIC), ImageFacts)
        assert shown.audits_mark(connection)
        assert shown.words_mark(connection)
        assert count_states(connection, wordnet).by_state(rank) == {"yes": 5}
    asked = Removal("a" * 32, "x", "why", "", 1.0, ("1" * 64,))
    catalog.transact(lambda one: removals.add(one, asked))
    catalog.transact(lambda one: one.execute(t.candidate.update().where(t.candidate.c.id == 5).values(state=2)))
    hiding = Live(catalog, wordnet, None, hidden_from(PUBLIC))
    assert [row.id for row in hiding.stretch(Query(), 9).rows] == ["a3", "a4", "a5"]
    with catalog.read() as connection:
        assert isinstance(read_image(connection, "1" * 64, PUBLIC), Gone)
        example = {"candidate_id": 2, "number": 1, "shown": 1, "by": "me", "at": 1.0}
        assert shown.states_mark(connection) == before  # a state alone is told by what drew it
    with catalog.write() as connection:
        connection.execute(t.example.insert().values(**example))
    with catalog.read() as connection:
        assert not shown.are_secret(connection, [1, 2])


def test_why_is_said_without_names() -> None:
    votes = {Answer.YES: 2, Answer.NO: 1}
    for policy in (
        "curator:ann",
        'trust("ann")',
        'imageable(trust("ann"), least=0.05)',
        "gold",
        "imported:x",
        "lead(2, 5)",
    ):
        told = " ".join(reasons(policy, "yes", 0.9, None, votes))
        assert "3 people were asked: 2 said yes, 1 said no." in told
        assert "ann" not in told.replace("an", "")
    assert reasons("", "open", None, None, {}) == ["It is still being asked about: nothing is concluded yet."]
    assert "nobody said yes" in " ".join(reasons("posterior()", "open", 0.99, "no yes", {Answer.UNSURE: 1}))


def test_a_query_that_is_added_up_is_not_asked(site: Site) -> None:
    view = site.db.explore.view("", EVERY)
    for text in ("", "state:yes", f"under:{ANIMAL} -synset:{CAT}", "-state:no", f"under:{CAT} state:yes state:no"):
        assert view.count(Query.parse(text)) == len(site.db.images.find(text)), text
    assert view.count(Query.parse("boxes>=1")) is None
    assert site.db.explore.view("", PUBLIC).count(Query.parse("state:open")) == 0
