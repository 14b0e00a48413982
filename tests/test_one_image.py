"""An image is one image, whatever way it came: own ones and a dataset's are asked, audited and released alike."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from PIL import ImageOps

from conftest import command, encoded, photo, run
from holotype.benchmark.labelled import labels_of_release
from holotype.catalog import Catalog, near_duplicates
from holotype.consensus.votes import Answer
from holotype.crowd.expert import Source
from holotype.crowd.policies import Fixed
from holotype.errors import CrowdError, ReleaseError
from holotype.imports.discover import find_ilsvrc2012
from holotype.project import Project
from holotype.project.candidates import Proposal
from holotype.project.fingerprints import FingerprintReport
from holotype.releases import Fractions, verify_release

DOG, RETRIEVER, CAT, TENCH = "n02084071", "n02099601", "n02123045", "n01440764"
NAMES = [f"{wnid}_{number}" for wnid in (RETRIEVER, CAT, TENCH) for number in range(6)]
DAMAGED = f"{TENCH}_5"
CANDIDATE = tuple[str, str]


def write_dataset(folder: Path) -> None:
    """ILSVRC's training images as a tree: six each of three synsets, one of them damaged."""
    for number, name in enumerate(NAMES):
        wnid = name.partition("_")[0]
        (folder / "train" / wnid).mkdir(parents=True, exist_ok=True)
        data = b"no image" if name == DAMAGED else encoded(photo(100 + number))
        (folder / "train" / wnid / f"{name}.JPEG").write_bytes(data)


@pytest.fixture
def both(project: Project, tmp_path: Path) -> Project:
    """Eighteen images of a dataset, and own photographs of dogs: one is a copy of the dataset's, one mirrors it."""
    write_dataset(tmp_path / "ilsvrc")
    sources, problems = find_ilsvrc2012([tmp_path / "ilsvrc"])
    project.datasets.add(sources, "ilsvrc2012", problems=problems)
    mine = tmp_path / "mine" / DOG
    mine.mkdir(parents=True)
    (mine / "same.jpg").write_bytes(encoded(photo(100)))
    (mine / "mirrored.jpg").write_bytes(encoded(ImageOps.mirror(photo(101)), quality=70))
    (mine / "other.jpg").write_bytes(encoded(photo(7)))
    project.images.ingest(tmp_path / "mine")
    return project


def states(db: Project, query: str = "") -> dict[CANDIDATE, str]:
    return {(one.name, one.wnid): one.state for one in db.images.find(query) if one.wnid}


def accept_own(db: Project) -> None:
    """A campaign that takes the project's own photographs."""
    db.gold.add({(task.sha256, task.wnid): True for task in db.candidates.tasks()}, "me")
    db.crowd.run(db.crowd.simulated(), Fixed(1))


def policies(db: Project) -> dict[str, int]:
    return dict(db.counts()["policies"])


def test_imported_labels_are_candidates_that_their_dataset_decides(both: Project) -> None:
    assert states(both, "dataset:ilsvrc2012") == {(name, name.partition("_")[0]): "yes" for name in NAMES}
    assert len(both.images.find(f"under:{DOG}")) == 6 + 3
    assert len(both.images.find(f"under:{DOG} state:open")) == 3
    assert len(both.candidates.tasks()) == 3, "nobody is asked about what the dataset says"
    (one,) = both.images.find(f"id:{RETRIEVER}_0")
    about = one.candidate
    assert (about.policy, about.source, about.sha256) == ("imported:ilsvrc2012", "imported:ilsvrc2012", "")
    assert hashlib.sha256(one.read()).hexdigest() == hashlib.sha256(encoded(photo(100))).hexdigest()


def test_near_duplicates_are_found_across(both: Project) -> None:
    assert both.images.near_duplicates(across=True) == [], "the dataset was not read yet"
    both.datasets.fingerprint()
    groups = both.images.near_duplicates(across=True)
    assert [{one.candidate.dataset for one in group} for group in groups] == [{"", "ilsvrc2012"}] * 2
    assert {group[0].name for group in groups} == {f"{RETRIEVER}_0", f"{RETRIEVER}_1"}
    assert both.images.near_duplicates() == groups


def test_proposals_are_asked_about_and_imported_labels_among_them(both: Project) -> None:
    asked = [Proposal(name, wnid, score) for name in NAMES[:6] for wnid, score in ((RETRIEVER, 0.9), (CAT, 0.0))]
    report = both.candidates.add([*asked, Proposal(DAMAGED, TENCH)], "a model")
    assert (report.asked, report.known, dict(report.rejected)) == (12, 0, {"unknown_format": 1})
    again = both.candidates.add(asked, "a model")
    assert (again.asked, again.known) == (0, 12)
    assert len(both.candidates.tasks()) == 12 + 3
    sources = both.crowd.history()
    assert sources is not None
    truth = {(task.sha256, task.wnid): task.wnid != CAT for task in both.candidates.tasks()}
    both.crowd.run(both.crowd.simulated(truth, 3), Fixed(3))
    assert set(states(both, f"synset:{CAT} -state:yes")) == {(name, CAT) for name in NAMES[:6]}
    said = both.counts()["imported"]["ilsvrc2012"]
    assert said == {"labels": 18, "yes": 6}
    assert policies(both) == {"fixed(3)": 15, "imported:ilsvrc2012": 12}


def test_a_dataset_is_a_source_like_any_other(both: Project) -> None:
    both.candidates.add([Proposal(NAMES[0], RETRIEVER), Proposal(NAMES[0], CAT)], "a model")
    both.crowd.run(both.crowd.simulated(), Source("imported"))
    assert states(both, f"id:{NAMES[0]}") == {(NAMES[0], RETRIEVER): "yes", (NAMES[0], CAT): "undecided"}


def test_what_a_query_finds_is_put_up(both: Project) -> None:
    report = both.candidates.add_found(f"under:{DOG}", None, "me")
    assert (report.asked, report.known) == (6, 3), "own candidates are asked about anyway"
    other = both.candidates.add_found(f"synset:{CAT}", RETRIEVER, "a model that takes cats for dogs")
    assert other.asked == 6
    assert len(both.images.find(f"synset:{RETRIEVER}")) == 12


@pytest.mark.parametrize(
    ("proposal", "message"),
    [
        (Proposal("no such image", CAT), "no image is called 'no such image'"),
        (Proposal(NAMES[0], "n00000000"), "the ontology has no n00000000"),
        (Proposal(NAMES[0], "\x1b[2J"), r"the ontology has no '\\x1b\[2J'"),
        (Proposal(NAMES[0], CAT, 1.5), "a chance between 0 and 1, not 1.5"),
        (Proposal(NAMES[0], CAT, float("nan")), "a chance between 0 and 1, not nan"),
    ],
)
def test_a_proposal_that_cannot_be_is_an_error_and_changes_nothing(
    both: Project, proposal: Proposal, message: str
) -> None:
    with pytest.raises(CrowdError, match=message):
        both.candidates.add([Proposal(NAMES[1], CAT), proposal], "a model")
    assert len(both.candidates.tasks()) == 3


def test_a_name_that_two_datasets_have_needs_the_dataset(both: Project, tmp_path: Path) -> None:
    sources, _ = find_ilsvrc2012([tmp_path / "ilsvrc"])
    both.datasets.add(sources, "copy")
    with pytest.raises(CrowdError, match=f"'{NAMES[0]}' is an image of 'ilsvrc2012' and of 'copy'"):
        both.candidates.add([Proposal(NAMES[0], CAT)], "a model")
    assert both.candidates.add([Proposal(NAMES[0], CAT)], "a model", dataset="copy").asked == 1
    assert [one.candidate.dataset for one in both.images.find(f"id:{NAMES[0]} synset:{CAT}")] == ["copy"]


def test_gold_and_curators_decide_imported_labels_and_leave_them_again(both: Project) -> None:
    """Before any campaign: nothing but these labels changes."""
    pair, other = (NAMES[0], RETRIEVER), (NAMES[1], RETRIEVER)
    assert both.gold.add({pair: False}, "an expert") == 1
    assert both.labels.overrule({other: False}, "carla", "a wolf") == 1
    changed = states(both, "dataset:ilsvrc2012")
    assert [key for key, state in changed.items() if state == "no"] == [pair, other]
    assert policies(both) == {"imported:ilsvrc2012": 16, "curator:carla": 1, "gold": 1}
    both.gold.correct({pair: None}, "an expert", "I was wrong")
    both.labels.overrule({other: None}, "carla", "I was wrong, too")
    assert policies(both) == {"imported:ilsvrc2012": 18}
    assert len(both.candidates.tasks()) == 3
    both.crowd.run(both.crowd.simulated(), Fixed(1))
    assert policies(both)["imported:ilsvrc2012"] == 18, "a campaign leaves what nobody asked about"


def test_a_curator_decides_of_what_nobody_can_see(both: Project) -> None:
    """A label of a damaged image is overruled though no crowd is asked about it; the other labels stay as they are."""
    accept_own(both)
    before = states(both)
    both.labels.overrule({(DAMAGED, TENCH): False}, "carla", "there is no picture")
    after = states(both)
    assert {key for key in after if after[key] != before[key]} == {(DAMAGED, TENCH)}
    assert policies(both)["curator:carla"] == 1
    both.labels.overrule({(DAMAGED, TENCH): None}, "carla", "leave it")
    assert states(both) == before


def test_what_can_be_read_again_is_asked_about_though_nothing_else_is_new(both: Project, tmp_path: Path) -> None:
    both.candidates.add([Proposal(NAMES[0], CAT)], "a model")
    (tmp_path / "ilsvrc").rename(tmp_path / "away")
    report = both.candidates.add([Proposal(NAMES[1], CAT)], "a model")
    assert dict(report.rejected) == {"unreadable": 1}
    done = both.crowd.run(both.crowd.simulated(), Fixed(1))
    assert sum(done.states.values()) == 4
    both.labels.overrule({(NAMES[1], RETRIEVER): True}, "carla", "I know it")
    (tmp_path / "away").rename(tmp_path / "ilsvrc")
    both.crowd.run(both.crowd.simulated(), Fixed(1))
    both.datasets.fingerprint()
    assert sum(both.crowd.run(both.crowd.simulated(), Fixed(1)).states.values()) == 5, "the overruled one is a question"


def test_what_people_said_of_an_image_is_never_said_of_other_bytes(both: Project, tmp_path: Path) -> None:
    both.candidates.add([Proposal(NAMES[3], CAT)], "a model")
    both.gold.add({(NAMES[3], RETRIEVER): False, (NAMES[4], RETRIEVER): False}, "me")
    said = both.gold.answers()
    file = tmp_path / "ilsvrc" / "train" / RETRIEVER / f"{NAMES[3]}.JPEG"
    before = file.read_bytes()
    spoken_of = hashlib.sha256(before).hexdigest()

    def put(data: bytes, name: str = NAMES[3]) -> FingerprintReport:
        file.with_name(f"{name}.JPEG").write_bytes(data)
        both.datasets.add(find_ilsvrc2012([tmp_path / "ilsvrc"])[0], "ilsvrc2012", overwritten=True)
        return both.datasets.fingerprint()

    other = encoded(photo(999), quality=60)
    assert len(other) != len(before)
    assert dict(put(other).not_sound)["replaced"] == 1
    assert both.gold.answers() == said, "of the bytes that it was said of"
    assert spoken_of not in {task.sha256 for task in both.candidates.tasks()}
    assert hashlib.sha256(other).hexdigest() not in {one.sha256 for one in both.images.find("")}
    assert dict(put(other[:-7]).not_sound) == {"replaced": 1}
    assert put(before).sound == 1
    assert both.gold.answers() == said
    assert spoken_of in {task.sha256 for task in both.candidates.tasks()}
    assert put(encoded(photo(998), quality=60), NAMES[5]).sound == 1, "nobody has spoken of this one"


def test_simulated_workers_see_what_a_dataset_says(both: Project) -> None:
    both.candidates.add([Proposal(NAMES[0], wnid) for wnid in (RETRIEVER, CAT, DOG)], "a model")
    both.crowd.run(both.crowd.simulated(expert="ann"), Fixed(1))
    said = {vote.task: vote.answer for vote in both.crowd.votes()}
    sha256 = next(one.sha256 for one in both.images.find("dataset:ilsvrc2012") if one.name == NAMES[0])
    asked = {task.wnid: said[task.number] for task in both.candidates.tasks() if task.sha256 == sha256}
    assert asked == {RETRIEVER: Answer.YES, CAT: Answer.NO, DOG: Answer.YES}


def test_gold_on_a_candidate_of_the_crowd_stays_with_the_crowd(both: Project) -> None:
    both.candidates.add([Proposal(NAMES[0], RETRIEVER)], "me")
    both.gold.add({(NAMES[0], RETRIEVER): True}, "me")
    both.gold.correct({(NAMES[0], RETRIEVER): None}, "me", "not sure")
    assert len(both.candidates.tasks()) == 4, "it was put up, and stays so"


def test_imported_labels_are_audited_and_certified(both: Project) -> None:
    sample = both.audits.draw([DOG], 6)
    assert [one.candidate.dataset for one in sample] == ["ilsvrc2012"] * 6
    both.audits.record({(one.sha256, one.wnid): Answer.YES for one in sample[:5]}, "ann")
    both.audits.record({(sample[5].sha256, sample[5].wnid): Answer.NO}, "ann")
    (found,) = both.audits.certificates()
    assert (found.labels, found.correct, found.audited) == (6, 5, 6)
    with pytest.raises(CrowdError, match="nothing below n02084071"):
        both.labels.overrule({(one.sha256, one.wnid): False for one in sample}, "carla", "all wrong")
        both.audits.draw([DOG], 6, fresh=True)


def test_what_left_a_sample_before_anybody_looked_was_not_audited(both: Project) -> None:
    sample = both.audits.draw([DOG], 6)
    both.audits.record({(sample[0].sha256, sample[0].wnid): Answer.YES}, "ann")
    both.labels.overrule({(one.sha256, one.wnid): False for one in sample[:3]}, "carla", "cats")
    (shown,) = json.loads(run("audits", "status", "-p", both.path, "--json"))
    assert {name: shown[name] for name in ("sample", "audited", "gone")} == {"sample": 6, "audited": 1, "gone": 2}


def test_the_page_of_an_audit_says_which_row_an_image_of_a_dataset_is(both: Project, tmp_path: Path) -> None:
    out = tmp_path / "sample.csv"
    run("audits", "draw", "--under", DOG, "--size", 6, "--out", out, "-p", both.path)
    rows = [line.partition(",")[0] for line in out.read_text().splitlines()[1:]]
    captions = re.findall("<br>([^<]*)</figure>", out.with_suffix(".html").read_text())
    names = {one.sha256: one.name for one in both.images.find("dataset:ilsvrc2012")}
    assert captions == [f"{sha256[:16]} {names[sha256]}" for sha256 in rows]


def test_groups_an_earlier_version_did_not_find_are_found_when_asked_for(both: Project) -> None:
    both.datasets.fingerprint()
    held = both.images.near_duplicates()
    catalog = Catalog(f"sqlite:///{both.path / 'catalog.sqlite'}")
    with catalog.write() as connection:
        near_duplicates.put(connection, {}, near_duplicates.Grouped(3))
    catalog.close()
    assert both.images.near_duplicates() == held != []


def test_a_split_that_a_release_lacks_names_those_it_has(both: Project, tmp_path: Path) -> None:
    accept_own(both)
    release = both.releases.create("v1", Fractions(1, 0, 0))
    with pytest.raises(ReleaseError, match="v1 has no images in 'test'; score one it has: train$"):
        labels_of_release(release, both.ontology)


def test_an_image_that_is_not_sound_is_never_drawn(both: Project) -> None:
    assert {one.name for one in both.audits.draw([TENCH], 6)} == {f"{TENCH}_{number}" for number in range(5)}


def test_a_release_copies_imported_images(both: Project) -> None:
    accept_own(both)
    release = both.releases.create("v1", Fractions(0, 0.5, 0.5))
    assert verify_release(release.path) == release.verify() == []
    rows = release.rows()
    assert release.summary["not_sound"] == 1
    assert len(rows) == 17 + 3
    imported = {row["origin"]: row for row in rows if row["source"] == "imported:ilsvrc2012"}
    assert imported.keys() == {f"ilsvrc2012/{name}" for name in NAMES if name != DAMAGED}
    assert {row["split"] for row in imported.values()} == {"train"}, "they keep the split they came with"
    assert {row["policy"] for row in imported.values()} == {"imported:ilsvrc2012"}
    same = [row for row in rows if row["sha256"] == hashlib.sha256(encoded(photo(100))).hexdigest()]
    assert [(row["wnid"], row["split"]) for row in same] == [(DOG, "train"), (RETRIEVER, "train")]
    assert same[0]["id"] == same[1]["id"], "the same bytes are one image"
    assert {row["split"] for row in rows if row["wnid"] == DOG} == {"train", "test"}
    assert release.summary["unchecked"]["labels"] == 17
    for one in release.find(""):
        assert hashlib.sha256(one.read()).hexdigest() == one.sha256


def test_a_release_of_what_a_query_finds(both: Project) -> None:
    release = both.releases.create("cats", query="synset:n02123045 dataset:ilsvrc2012")
    assert [row["wnid"] for row in release.rows()] == [CAT] * 6
    assert release.summary["query"] == "synset:n02123045 dataset:ilsvrc2012"
    again = both.releases.create("cats2", query="synset:n02123045 dataset:ilsvrc2012")
    manifests = [(made.path / "manifest.parquet").read_bytes() for made in (release, again)]
    assert manifests[0] == manifests[1]
    with pytest.raises(ReleaseError, match="no image that the query finds is labelled yes"):
        both.releases.create("none", query="under:n03126707")


def test_an_archive_that_is_gone_stops_a_release(both: Project, tmp_path: Path) -> None:
    (tmp_path / "ilsvrc").rename(tmp_path / "away")
    with pytest.raises(ReleaseError, match="18 images cannot be read"):
        both.releases.create("v1")
    assert not (both.path / "releases/v1").exists()
    (tmp_path / "away").rename(tmp_path / "ilsvrc")
    both.releases.create("v1")


def test_an_image_without_a_label_is_found_and_may_become_a_candidate(project: Project, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/one.jpg").write_bytes(encoded(photo(3)))
    project.images.ingest(tmp_path / "mine")
    (one,) = project.images.find()
    assert (one.wnid, one.state, one.candidate.rank) == ("", "open", -1)
    project.candidates.add([Proposal(one.sha256, CAT)], "me")
    (one,) = project.images.find()
    assert (one.wnid, one.state) == (CAT, "open")
    assert len(project.images.find(f"synset:{CAT}")) == 1


def test_statistics_speak_of_both(both: Project) -> None:
    accept_own(both)
    found = both.statistics()
    assert (found.scale.images, found.scale.synsets) == (18 + 3, 4)


def test_the_command_line_does_all_of_it(both: Project, tmp_path: Path) -> None:
    table, project = tmp_path / "proposals.csv", str(both.path)
    table.write_text("image,wnid,score\n" + "".join(f"{name},{RETRIEVER},0.75\n" for name in NAMES[:3]))
    done = run("candidates", "add", str(table), "--source", "a model", "-p", project)
    assert done.startswith("3 proposals = 3 to be asked about + 0 known + 0 rejected")
    done = run("candidates", "add", "--query", f"synset:{CAT}", "--source", "me", "--json", "-p", project)
    assert json.loads(done) == {"asked": 6, "known": 0, "rejected": {}}
    shown = run("statistics", "-p", project)
    assert "labels of ilsvrc2012: 18, of which 9 were put up again: open 9; none is decided yet" in shown
    run("crowd", "run", "--crowd", "simulated", "--policy", "fixed(1)", "-p", project)
    shown = run("statistics", "-p", project)
    assert re.search("labels of ilsvrc2012: 18, of which 9 were put up again: yes .*% of those decided agree", shown)
    hint = "9 images were not read yet and not compared; to read them: holotype datasets fingerprint"
    assert hint in command("near-duplicates", "-p", project).stderr
    run("datasets", "fingerprint", "-p", project)
    assert "not read yet" not in command("near-duplicates", "-p", project).stderr
    groups = run("near-duplicates", "--across", "-p", project, "--sheet", str(tmp_path / "near.html"))
    assert len(groups.splitlines()) == 2
    page = (tmp_path / "near.html").read_text()
    assert (page.count("<img"), page.count("<title>")) == (4, 1)
    assert "<h2>Group 2</h2>" in page
    captions = re.findall("<br>([^<]*)</figure>", page)
    assert captions[0] == f"ilsvrc2012/{NAMES[0]} {RETRIEVER} golden retriever"
    shown = run("release", "create", "v1", "--query", f"state:yes synset:{TENCH}", "-p", project)
    assert "\n5 images keep the split that they came with (train 5), whatever the shares\n" in shown


def test_votes_from_elsewhere_are_appended_on_the_command_line(both: Project, tmp_path: Path) -> None:
    votes, project = tmp_path / "votes.csv", str(both.path)
    lines = [f"{task.sha256},{task.wnid},a stranger,yes" for task in both.candidates.tasks()]
    votes.write_text("sha256,wnid,worker,answer\n" + "\n".join(lines) + "\n")
    assert run("votes", "add", votes, "-p", project).startswith("3 votes = 3 new + 0 known + 0 refused")
    assert json.loads(run("votes", "add", votes, "-p", project, "--json"))["known"] == 3
    votes.write_text("sha256,wnid,worker,answer\n" + lines[0].replace("yes", "perhaps") + "\n")
    assert "1 refused (no_answer 1)" in run("votes", "add", votes, "-p", project, expect=1)
    assert len(both.crowd.votes()) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,score\na,0.5\n", "has no column wnid"),
        ("image,wnid,score\na,n02084071,much\n", "cannot read"),
        ("image,wnid\n\x00\xff", "cannot read|has no column|not there"),
        ("", "cannot read"),
    ],
)
def test_a_table_that_is_none_is_one_clear_error(both: Project, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    done = run("candidates", "add", str(tmp_path / "t.csv"), "--source", "x", "-p", str(both.path), expect=2)
    assert re.search(message, done), done


def test_an_imported_image_is_withdrawn_wherever_its_bytes_lie(both: Project) -> None:
    """A file's name in the dataset is enough, though nobody has read it yet; its copy among own images goes with it."""
    before = states(both)
    name, copy = NAMES[0], hashlib.sha256(encoded(photo(100))).hexdigest()
    assert both.images.withdraw([f"{name}.JPEG"], "ann", "the owner asked") == 1
    assert states(both, "state:withdrawn") == {(name, RETRIEVER): "withdrawn", (copy[:16], DOG): "withdrawn"}
    both.datasets.fingerprint()
    assert len(both.images.find("state:withdrawn")) == 2
    assert len(both.candidates.tasks()) == 2
    assert both.images.restore([f"ilsvrc2012/{name}"], "ann", "may be used") == 1
    assert states(both) == before
    assert len(both.candidates.tasks()) == 3


def test_a_crowd_of_hashes_is_told_beside_the_groups(both: Project) -> None:
    assert both.images.crowd() is None
    mine = both.images.called("other.jpg")[0]
    with both.catalog.write() as connection:
        near_duplicates.say_crowd(connection, 1234, mine.id)
        near_duplicates.say_crowd(connection, 800, mine.id + 1)
    told = both.images.crowd()
    assert told is not None
    assert (told.size, told.image) == (1234, mine)
    said = command("near-duplicates", "-p", both.path).stderr
    assert "1,234 hashes have the same 24 bits, one of " in said
    assert f"{mine.name}: comparing them was slow" in said
