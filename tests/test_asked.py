"""What is asked about comes and goes: what people say of imported images decides, whatever can be read just now."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import text

from conftest import encoded, photo
from holotype.catalog import candidates
from holotype.crowd.expert import Nobody, Source
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.port import Page
from holotype.errors import CrowdError
from holotype.imports.discover import find_ilsvrc2012
from holotype.imports.shapes import Kind
from holotype.imports.shapes import Source as Archive
from holotype.project import Project
from holotype.project.candidates import Proposal
from test_one_image import CAT, DOG, NAMES, RETRIEVER, accept_own, both, policies, states

assert both  # the fixture
LABEL = NAMES[0], RETRIEVER


def state(db: Project) -> str:
    return states(db, f"id:{LABEL[0]}")[LABEL]


@pytest.mark.parametrize("drawn", [False, True])
def test_gold_that_was_withdrawn_may_be_said_again(both: Project, drawn: bool) -> None:
    if drawn:
        accept_own(both)
    both.gold.add({LABEL: False}, "me")
    both.gold.correct({LABEL: None}, "me", "a slip")
    assert state(both) == "yes"
    both.gold.correct({LABEL: False}, "me", "no slip")
    assert state(both) == "no"


def test_votes_on_an_imported_label_put_it_up(both: Project) -> None:
    accept_own(both)
    table = {"sha256": [LABEL[0]] * 3, "wnid": [LABEL[1]] * 3, "worker": ["a", "b", "c"], "answer": ["no"] * 3}
    assert both.crowd.append(pa.table(table), Fixed(3)).changed == 1
    assert state(both) == "no"


def test_siblings_lend_nothing_that_a_dataset_says_otherwise(both: Project) -> None:
    sibling = next(one.wnid for one in both.ontology.siblings(RETRIEVER))
    both.candidates.add([Proposal(NAMES[0], sibling), Proposal(NAMES[1], RETRIEVER)], "a model")
    both.gold.add({(NAMES[0], sibling): True}, "me")
    assert both.gold.add_siblings(5) == 0
    assert state(both) == "yes"


def test_a_name_of_several_datasets_is_not_guessed_at(both: Project, tmp_path: Path) -> None:
    folder = tmp_path / "other/train" / RETRIEVER
    folder.mkdir(parents=True)
    (folder / f"{NAMES[0]}.JPEG").write_bytes(encoded(photo(900)))
    both.datasets.add(find_ilsvrc2012([tmp_path / "other"])[0], "other")
    with pytest.raises(CrowdError, match="several images of that name, the first is .*: give the sha256"):
        both.gold.add({LABEL: False}, "me")
    digest = hashlib.sha256(encoded(photo(900))).hexdigest()
    both.datasets.fingerprint()
    both.gold.add({(digest, RETRIEVER): False}, "me")
    assert {(one.candidate.dataset, one.state) for one in both.images.find(f"id:{NAMES[0]}")} == {
        ("ilsvrc2012", "yes"),
        ("other", "no"),
    }


def test_a_sha256_is_never_taken_for_a_name(both: Project, tmp_path: Path) -> None:
    """A dataset calls an image of its own by the sha256 of another."""
    own = hashlib.sha256(encoded(photo(7))).hexdigest()
    with tarfile.open(tmp_path / "set-000000.tar", "w") as shard:
        for name, data in ((f"{own}.jpg", encoded(photo(800))), (f"{own}.cls", b"0")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            shard.addfile(member, io.BytesIO(data))
    both.datasets.add([Archive(Kind.SHARD, tmp_path / "set-000000.tar", "train", classes=(DOG,))], "hostile")
    assert both.candidates.add([Proposal(own, CAT)], "a model").asked == 1
    both.gold.add({(own, CAT): False, (own, DOG): True}, "me")
    assert {(task.sha256, task.wnid) for task in both.gold.answers()} == {(own, CAT), (own, DOG)}
    with both.catalog.read() as connection:
        datasets = candidates.origins(connection, candidates.numbers(connection, [(own, CAT), (own, DOG)]).values())
    assert {one.dataset for one in datasets.values()} == {""}


def taken_away(tmp_path: Path) -> Callable[[], None]:
    """Takes the image of the label away; what it returns brings it back."""
    path = tmp_path / "ilsvrc/train" / RETRIEVER / f"{NAMES[0]}.JPEG"
    data = path.read_bytes()
    path.unlink()
    return lambda: (path.write_bytes(data), None)[1]


def test_gold_decides_labels_of_images_that_cannot_be_read(both: Project, tmp_path: Path) -> None:
    accept_own(both)
    bring_back = taken_away(tmp_path)
    both.gold.add({LABEL: False}, "me")
    assert state(both) == "no"
    bring_back()
    both.datasets.fingerprint()
    assert sum(both.crowd.run(both.crowd.simulated(), Fixed(1)).states.values()) == 4, "there is something new"
    assert state(both) == "no"


def test_gold_that_is_withdrawn_of_what_cannot_be_read_decides_no_more(both: Project, tmp_path: Path) -> None:
    both.candidates.add([Proposal(NAMES[0], CAT), Proposal(*LABEL)], "a model")
    accept_own(both)
    (tmp_path / "ilsvrc/train" / RETRIEVER / f"{NAMES[0]}.JPEG").write_bytes(b"not read yet")
    both.datasets.add(find_ilsvrc2012([tmp_path / "ilsvrc"])[0], "ilsvrc2012", overwritten=True)
    both.gold.correct({(NAMES[0], CAT): False, LABEL: False}, "me", "a dog, but not that one")
    assert set(states(both, f"id:{NAMES[0]}").values()) == {"no"}
    both.gold.correct({(NAMES[0], CAT): None, LABEL: None}, "me", "who knows")
    assert states(both, f"id:{NAMES[0]}") == {(NAMES[0], CAT): "open", LABEL: "yes"}


def test_what_cannot_be_read_says_nothing_of_the_last_task(both: Project, tmp_path: Path) -> None:
    """Neither its curator nor its source are the last task's."""
    accept_own(both)
    taken_away(tmp_path)
    both.labels.overrule({LABEL: False}, "ann", "a cat")
    assert policies(both) == {"imported:ilsvrc2012": 17, "gold": 3, "curator:ann": 1}
    both.crowd.run(both.crowd.simulated(), Source("imported"))
    assert policies(both) == {"imported:ilsvrc2012": 17, "gold": 3, "curator:ann": 1}


def test_gold_decides_labels_that_the_ontology_does_not_have(both: Project) -> None:
    accept_own(both)
    with both.catalog.write() as connection:
        connection.execute(text("UPDATE candidate SET rank = -1 WHERE wnid = :wnid"), {"wnid": RETRIEVER})
    both.gold.add({LABEL: False}, "me")
    assert policies(both) == {"imported:ilsvrc2012": 17, "gold": 4}
    reports = [both.crowd.run(both.crowd.simulated(), Fixed(1)) for _ in range(2)]
    assert [report.states for report in reports] == [{"yes": 3}] * 2, "with nothing new the same is told"


def test_many_digests_are_those_of_candidates_that_rest_as_well(both: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with both.catalog.read() as connection:
        numbers = connection.execute(text("SELECT id FROM candidate ORDER BY id")).scalars().all()
        few = candidates.digests(connection, numbers)
        monkeypatch.setattr(candidates, "FEW", 1)
        assert candidates.digests(connection, numbers) == few


class Busy(Nobody):
    """A crowd during whose round somebody else makes more candidates."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile = meanwhile

    def post(self, pages: Sequence[Page]) -> None:  # noqa: ARG002
        self._meanwhile()


def test_candidates_that_come_while_a_crowd_is_asked_are_reported_open(both: Project) -> None:
    proposed = [Proposal(name, CAT) for name in NAMES[:5]]
    report = both.crowd.run(Busy(lambda: both.candidates.add(proposed, "a model")), Posterior())
    assert report.states == {"open": 8}
