"""Loaders: the same batches whatever the workers, from wherever they are resumed, and of every image once."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import encoded, photo
from holotype.errors import AmbiguousLemma, ArchiveError, PackError, ReleaseError, UnknownSynset
from holotype.imports.boxes import Box
from holotype.imports.discover import find_ilsvrc2012
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.release_shelf import ranges_under
from holotype.releases import Release
from holotype.releases.layout import FILES_SCHEMA
from holotype.releases.loaders import (
    Batch,
    CentreCrop,
    ImageDataset,
    Jitter,
    Loader,
    Order,
    RandAugment,
    RandomCrop,
    Samples,
    Settings,
    samples_of,
)
from holotype.releases.loaders.order import Last
from holotype.store.location import TREE, Location
from holotype.store.places import Places
from holotype.store.store import Store
from official import Picture, write_archives, write_solutions, write_tree

COUNT = 53
SMALL: dict[str, Any] = {"size": 16, "augment": RandomCrop(rand=RandAugment(), jitter=Jitter())}


def in_folder(folder: Path, files: dict[str, bytes], labels: list[int] | None = None, classes: int = 5) -> Samples:
    """Samples that are the files of a folder."""
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    count = len(files)
    paths = pa.array(list(files), pa.string())
    lengths = np.array([len(data) for data in files.values()], np.int64)
    places = Places(
        (Location(str(folder), 0, 0, TREE),), np.zeros(count, np.int32), np.zeros(count, np.int64), lengths, paths
    )
    shown = np.array(labels if labels is not None else np.arange(count) % classes, np.int32)
    return Samples(places, Store(folder), shown, paths, tuple(f"n{number:08}" for number in range(classes)))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    folder = tmp_path_factory.mktemp("loader") / "many"
    return in_folder(folder, {f"{seed:03}.jpg": encoded(photo(seed, 50, 40)) for seed in range(COUNT)})


def copied(batches: Iterator[Batch]) -> list[tuple[bytes, list[int], list[int]]]:
    return [(batch.images.tobytes(), batch.labels.tolist(), batch.numbers.tolist()) for batch in batches]


def loader(samples: Samples, workers: int | None = 2, hold: int = 1, **asked: Any) -> Loader:
    return Loader(samples, Settings(**(SMALL | {"batch_size": 8} | asked)), workers, hold)


# batches


def test_a_batch_is_pixels_and_labels(many: Samples) -> None:
    found = loader(many)
    assert len(found) == 7
    batches = [(batch, batch.images.copy()) for batch in found]
    assert [len(batch) for batch, _ in batches] == [8] * 6 + [5]
    for batch, pixels in batches:
        images, labels = batch
        assert (images.shape, str(images.dtype)) == ((len(batch), 16, 16, 3), "uint8")
        assert (str(labels.dtype), labels.tolist()) == ("int64", (batch.numbers % 5).tolist())
        assert found.ids(batch) == [f"{number:03}.jpg" for number in batch.numbers.tolist()]
        assert pixels.std() > 1
    assert sorted(number for batch, _ in batches for number in batch.numbers.tolist()) == list(range(COUNT))


def test_a_picture_is_that_of_its_number(many: Samples) -> None:
    for batch in loader(many, augment=CentreCrop(), size=32):
        for number, picture in zip(batch.numbers.tolist(), batch.images, strict=True):
            alone = np.zeros_like(picture)
            CentreCrop().show(many.read(number), [], alone)
            assert (picture == alone).all()


@pytest.mark.parametrize("asked", [{}, {"order": Order("blocks", 3, 2)}, {"last": "pad"}, {"shard": (1, 3)}])
def test_batches_are_the_same_whatever_the_workers(many: Samples, asked: dict[str, Any]) -> None:
    found = [copied(iter(loader(many, workers, **asked))) for workers in (1, 2, 4, 13)]
    assert all(one == found[0] for one in found[1:])
    assert found[0] != copied(iter(loader(many, 2, **asked | {"seed": 1})))


def test_epochs_differ_and_come_again(many: Samples) -> None:
    one, other = loader(many), loader(many)
    epochs = [copied(iter(one)) for _ in range(3)]
    assert one.epoch == 3
    assert len({repr(epoch) for epoch in epochs}) == 3
    other.seek(2)
    assert copied(iter(other)) == epochs[2]


def test_a_batch_is_left_alone_while_it_is_held(many: Samples) -> None:
    """All of the memory is in use, and threads decode ahead, while a batch is looked at again."""
    for hold in (0, 1, 3):
        held: list[tuple[Batch, bytes]] = []
        found = loader(many, 3, hold, batch_size=2)
        for batch in chain(found, found):
            held = [*held, (batch, batch.images.tobytes())][-hold - 1 :]
            assert all(one.images.tobytes() == before for one, before in held)


def test_memory_is_used_again(many: Samples) -> None:
    made: list[tuple[int, ...]] = []

    def allocate(shape: tuple[int, ...]) -> Any:
        made.append(shape)
        return np.empty(shape, np.uint8)

    found = Loader(many, Settings(batch_size=2, size=16), 2, allocate=allocate)
    assert len(list(found)) + len(list(found)) == 54
    assert 1 < len(made) <= 6
    assert set(made) == {(2, 16, 16, 3)}


# resuming


@pytest.mark.parametrize("asked", [{}, {"last": "drop"}, {"shard": (1, 2), "last": "pad"}])
def test_resumed_at_any_batch_the_rest_is_the_same(many: Samples, asked: dict[str, Any]) -> None:
    whole = loader(many, **asked)
    epochs = [*copied(iter(whole)), *copied(iter(whole))]
    stepping = loader(many, **asked)
    states = [stepping.state_dict()]
    for _ in range(2):
        for _ in stepping:
            states.append(stepping.state_dict())  # noqa: PERF401 it is asked for while the epoch goes on
    for at, state in enumerate(states):
        resumed = loader(many, 3, **asked)
        resumed.load_state_dict(json.loads(json.dumps(state)))
        rest: list[Any] = []
        while resumed.epoch < 2:
            rest += copied(iter(resumed))
        assert rest == epochs[at:]


def test_an_iteration_that_was_left_goes_on_there(many: Samples) -> None:
    whole = copied(iter(loader(many)))
    found = loader(many)
    parts = []
    for _ in range(3):
        for batch in found:
            parts.append(batch.images.tobytes())
            if len(parts) % 3 == 0:
                break
    assert parts == [images for images, _, _ in whole]


def test_a_state_of_something_else_is_refused(many: Samples, tmp_path: Path) -> None:
    found = loader(many)
    next(iter(found))
    state = found.state_dict()
    for other, said in (
        (loader(many, seed=1), "seed 0, not 1"),
        (loader(many, size=17), "size 16, not 17"),
        (loader(many, augment=RandomCrop()), "augment"),
        (loader(many, batch_size=4), "batch_size 8, not 4"),
        (loader(many, order=Order("none")), "order"),
        (loader(many, last="drop"), "last"),
        (loader(many.merged()), "other images"),
        (loader(in_folder(tmp_path / "one", {"a.jpg": encoded(photo(0))})), "other images"),
    ):
        with pytest.raises(ReleaseError, match=said):
            other.load_state_dict(state)
        assert other.state_dict() | {"samples": "", "settings": {}} == {
            "format": 2,
            "epoch": 0,
            "batch": 0,
            "samples": "",
            "settings": {},
        }
    alike = replace(many, ids=pa.array([f"{number:03}.png" for number in range(COUNT)]))
    with pytest.raises(ReleaseError, match="other images"):
        loader(alike).load_state_dict(state)
    for change in ({"format": 1}, {"samples": ""}, {"settings": None}, {"settings": {"seed": "9" * 10_000}}):
        with pytest.raises(ReleaseError) as told:
            found.load_state_dict(state | change)
        assert len(str(told.value)) < 1_000


@pytest.mark.parametrize("last", ["keep", "drop", "pad"])
def test_a_state_is_of_a_batch_that_there_is(many: Samples, last: Last) -> None:
    found = loader(many, last=last)
    state, count = found.state_dict(), len(found)
    for name, wrong in product(("epoch", "batch"), (-1, 1 << 64, None, "1", 1.0, True, [0])):
        with pytest.raises(ReleaseError, match="no loader is in epoch"):
            found.load_state_dict(state | {name: wrong})
    with pytest.raises(ReleaseError, match=f"no loader is in epoch 0, batch {count}: an epoch has {count}, the first"):
        found.load_state_dict(state | {"batch": count})
    found.load_state_dict(state | {"batch": count - 1})
    assert (len(list(found)), found.epoch) == (1, 1)


@given(st.integers(1, 8), st.integers(1, 20), st.sampled_from(["keep", "drop", "pad"]), st.booleans())
@settings(max_examples=20)
def test_every_state_that_is_saved_is_taken(many: Samples, world: int, batch: int, last: Last, blocks: bool) -> None:
    asked: dict[str, Any] = {"batch_size": batch, "last": last, "order": Order("blocks", 4, 3) if blocks else Order()}
    ranks = [loader(many, 1, shard=(rank, world), augment=CentreCrop(), size=4, **asked) for rank in range(world)]
    states = [one.state_dict(batch.position) for one in ranks for batch in one]
    for one, state in product(ranks, states):
        one.load_state_dict(state)
        assert one.state_dict() == state


def test_a_state_is_that_of_all_ranks_and_of_as_many_as_share_a_batch(many: Samples) -> None:
    """Saved by one rank of two with 8 pictures each, resumed by four with 4: what is shown after it is the same."""
    two = [loader(many, shard=(rank, 2)) for rank in range(2)]
    for one in two:
        next(iter(one))
    assert two[0].state_dict() == two[1].state_dict()
    four = [loader(many, shard=(rank, 4), batch_size=4) for rank in range(4)]
    for one in four:
        one.load_state_dict(two[0].state_dict())
    after = [
        Counter(number for one in some for batch in one for number in batch.numbers.tolist()) for some in (two, four)
    ]
    assert after[0] == after[1]
    assert after[0].total() == COUNT - 16
    with pytest.raises(ReleaseError, match="batch_size"):
        loader(many, shard=(0, 2), order=Order("blocks")).load_state_dict(
            loader(many, shard=(0, 4), batch_size=4, order=Order("blocks")).state_dict()
        )


# ranks


@given(st.integers(1, 8), st.integers(1, 20), st.sampled_from(["keep", "drop", "pad"]), st.booleans())
@settings(max_examples=20)
def test_ranks_show_every_image_once(many: Samples, world: int, batch: int, last: Last, blocks: bool) -> None:
    order = Order("blocks", 4, 3) if blocks else Order()
    asked: dict[str, Any] = {"batch_size": batch, "last": last, "order": order, "augment": CentreCrop(), "size": 4}
    ranks = [loader(many, 1, shard=(rank, world), **asked) for rank in range(world)]
    lengths = [len(one) for one in ranks]
    shown = [copied(iter(one)) for one in ranks]
    assert [len(batches) for batches in shown] == lengths
    images = [number for batches in shown for _, _, numbers in batches for number in numbers if number >= 0]
    assert len(images) == len(set(images)) == (COUNT // (world * batch) * world * batch if last == "drop" else COUNT)
    if last != "keep":
        assert len(set(lengths)) == 1
        assert all(len(numbers) == batch for batches in shown for _, _, numbers in batches)


def test_padding_is_black_and_has_no_label(many: Samples) -> None:
    for samples, blank in ((many, -1), (many.merged(), [0] * 5)):
        found = loader(samples, last="pad", batch_size=32)
        batch = [one for one in found][-1]  # noqa: C416 the memory of the last one is not used again
        assert (len(batch), (batch.numbers < 0).sum()) == (32, 11)
        assert not batch.images[batch.numbers < 0].any()
        assert all(label == blank for label in batch.labels[batch.numbers < 0].tolist())
        assert found.ids(batch)[-1] == ""


# damage


@pytest.fixture
def spoilt(tmp_path: Path) -> Samples:
    files = {f"{seed:03}.jpg": encoded(photo(seed)) for seed in range(20)}
    files["003.jpg"] = b"not a picture"
    files["011.jpg"] = files["011.jpg"][:300]
    files["012.jpg"] = b""
    return in_folder(tmp_path / "spoilt", files)


def test_damage_is_raised_with_its_image(spoilt: Samples) -> None:
    with pytest.raises(ReleaseError, match=r"image 003.jpg is damaged \(unknown_format\)"):
        list(loader(spoilt, order=Order("none")))


def test_damage_is_left_out_and_reported(spoilt: Samples) -> None:
    found = loader(spoilt, damaged="skip", order=Order("none"), augment=CentreCrop(), batch_size=5)
    sizes, told = [], []
    for batch in found:
        sizes.append(len(batch))
        told += [(one.id, one.reason) for one in batch.damaged]
        for number, picture in zip(batch.numbers.tolist(), batch.images, strict=True):
            alone = np.zeros_like(picture)
            CentreCrop().show(spoilt.read(number), [], alone)
            assert (picture == alone).all()
        assert batch.labels.tolist() == (batch.numbers % 5).tolist()
    assert sizes == [4, 5, 3, 5]
    assert told == [("003.jpg", "unknown_format"), ("011.jpg", "truncated"), ("012.jpg", "empty")]
    assert list(found.damaged) == ["003.jpg", "011.jpg", "012.jpg"]


def test_damage_in_padded_batches_is_padding(spoilt: Samples) -> None:
    found = loader(spoilt, damaged="skip", last="pad", batch_size=5)
    batches = [(len(batch), (batch.numbers < 0).sum()) for batch in found]
    assert [size for size, _ in batches] == [5] * 4
    assert sum(blank for _, blank in batches) == 3


def test_bytes_that_are_gone_always_raise(spoilt: Samples) -> None:
    (Path(spoilt.places.files[0].file) / "005.jpg").unlink()
    with pytest.raises(ArchiveError, match=r"005\.jpg"):
        list(loader(spoilt, damaged="skip", order=Order("none")))


def test_no_thread_is_left(many: Samples, spoilt: Samples) -> None:
    before = threading.active_count()
    for _ in loader(many, 4):
        break
    assert threading.active_count() == before
    list(loader(many, 4))
    assert threading.active_count() == before
    with pytest.raises(ReleaseError):
        list(loader(spoilt, 4))
    with pytest.raises(ZeroDivisionError):
        for _ in loader(many, 4):
            1 / 0  # noqa: B018
    assert threading.active_count() == before


def test_ctrl_c_ends_it(many: Samples, tmp_path: Path) -> None:
    """A process that is interrupted while it loads ends, and no thread holds it."""
    script = (
        "import pickle, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from holotype.releases.loaders import Loader, Settings\n"
        "samples = pickle.load(open(sys.argv[1], 'rb'))\n"
        "loader = Loader(samples, Settings(batch_size=8, size=16), 4)\n"
        "print('started', flush=True)\n"
        "while True:\n"
        "    for batch in loader: pass\n"
    )
    (tmp_path / "samples").write_bytes(pickle.dumps(many))
    started = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "samples")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"started\n"
    os.kill(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == -signal.SIGINT
    assert b"KeyboardInterrupt" in said


# odd splits


def test_an_empty_split_has_no_batches(many: Samples, tmp_path: Path) -> None:
    nothing = in_folder(tmp_path / "nothing", {})
    for samples in (nothing, nothing.merged()):
        for last in ("keep", "drop", "pad"):
            found = loader(samples, last=last)
            assert (len(found), list(found), found.epoch) == (0, [], 1)
    assert list(loader(many, batch_size=100, last="drop")) == []
    assert len(ImageDataset(nothing)) == 0


def test_a_batch_may_be_larger_than_the_split(many: Samples) -> None:
    assert [len(batch) for batch in loader(many, batch_size=500)] == [COUNT]
    assert [len(batch) for batch in loader(many, batch_size=500, last="pad")] == [500]


# several labels


def test_an_image_with_several_labels(tmp_path: Path) -> None:
    files = {"a.jpg": encoded(photo(0)), "b.jpg": encoded(photo(1)), "c.jpg": encoded(photo(2))}
    once = in_folder(tmp_path / "several", files, [0, 1, 2])
    numbers = np.array([2, 0, 1, 0, 2])
    rows = Samples(
        once.places.take(numbers), once.store, np.array([4, 0, 1, 3, 2], np.int32), once.ids.take(numbers), once.classes
    )
    assert [len(batch) for batch in loader(rows)] == [5]
    merged = rows.merged()
    assert merged.ids.to_pylist() == ["c.jpg", "a.jpg", "b.jpg"]
    assert merged.targets(np.array([0, 1, 2, -1])).tolist() == [
        [0, 0, 1, 0, 1],
        [1, 0, 0, 1, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert [merged.read(number) for number in range(3)] == [files["c.jpg"], files["a.jpg"], files["b.jpg"]]
    assert merged.merged() is merged
    with pytest.raises(ValueError, match="one label"):
        ImageDataset(merged)


# one by one


def test_images_one_by_one_are_as_an_image_folder_has_them(many: Samples) -> None:
    found = ImageDataset(many, lambda image: image.resize((8, 8)), lambda label: -label)
    assert len(found) == COUNT
    picture, label = found[7]
    assert (picture.size, picture.mode, label) == ((8, 8), "RGB", -2)
    assert found[-1][1] == -(52 % 5)
    assert found.classes[:2] == ["n00000000", "n00000001"]
    assert found.class_to_idx["n00000003"] == 3
    assert found.targets == [number % 5 for number in range(COUNT)]
    assert found.samples[7] == found.imgs[7] == ("007.jpg", 2)
    assert found.samples[1:3] == [("001.jpg", 1), ("002.jpg", 2)]
    assert [label for _, label in found.samples] == found.targets
    with pytest.raises(IndexError):
        found[COUNT]
    with pytest.raises(IndexError):
        found.samples[COUNT]


def test_images_one_by_one_go_to_other_processes(many: Samples) -> None:
    plain = ImageDataset(many)
    there = pickle.loads(pickle.dumps(plain))  # noqa: S301 our own
    assert np.array_equal(np.asarray(there[5][0]), np.asarray(plain[5][0]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda samples: loader(samples, 0), "workers"),
        (lambda samples: loader(samples, hold=-1), "hold"),
        (lambda samples: loader(samples, batch_size=0), "batch_size"),
        (lambda samples: loader(samples, shard=(2, 2)), "shard"),
        (lambda samples: loader(samples, last="maybe"), "last"),
        (lambda samples: loader(samples, damaged="maybe"), "damaged"),
        (lambda samples: loader(samples).seek(-1), "epoch"),
    ],
)
def test_what_makes_no_sense_is_refused(many: Samples, make: Callable[[Samples], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make(many)


# releases


@pytest.fixture
def made(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def test_a_release_is_loaded(made: Project) -> None:
    release = made.releases["v1"]
    rows = release.rows("train")
    found = release.loader("train", size=24, batch_size=4, seed=3)
    assert found.classes == ("n02091134", "n02121808")
    assert found.settings == Settings(4, 24, RandomCrop(), 3)
    shown = Counter(
        (name, int(label)) for batch in found for name, label in zip(found.ids(batch), batch.labels, strict=True)
    )
    assert shown == Counter((row["id"], found.classes.index(row["wnid"])) for row in rows)
    test = release.loader("test", size=24)
    assert test.settings.augment == CentreCrop()
    assert [name for batch in test for name in test.ids(batch)] == [row["id"] for row in release.rows("test")]


def test_a_release_is_loaded_where_there_is_no_project(made: Project) -> None:
    release = Release(made.path / "releases" / "v1")
    samples = samples_of(release, "train")
    assert samples.ids.to_pylist() == [row["id"] for row in release.rows("train")]
    assert sum(len(batch) for batch in Loader(samples, Settings(size=8))) == len(samples)
    with pytest.raises(ReleaseError, match="train, val, test"):
        samples_of(release, "minival")


def test_a_part_of_a_release_keeps_its_labels(made: Project) -> None:
    release = made.releases["v1"]
    for under in ("n02121808", ["domestic cat"], "feline", "cat"):  # "cat" has eight senses
        found = release.samples("train", under)
        assert set(found.labels.tolist()) == {1}
        assert len(found) == sum(row["wnid"] == "n02121808" for row in release.rows("train"))
    both = release.samples("train", ["whippet", "n02121808"])
    assert len(both) == len(release.samples("train")) == len(release.samples("train", "animal"))
    assert len(release.loader("train", under="n02858304")) == 0
    with pytest.raises(UnknownSynset):
        release.loader("train", under="whipet")


def test_a_lemma_means_what_it_means_in_a_query(wordnet: Ontology) -> None:
    """The one of its senses that has images; no image where none has; and it is told where several have."""
    bird, machine = (wordnet.ranges(wordnet[wnid]) for wnid in ("n02012849", "n03126707"))

    def under(*shown: Any) -> Any:
        return ranges_under(wordnet, wordnet.named, ["crane", "whippet"], lambda ranges: 2 * (ranges in shown))

    whippet = wordnet.ranges(wordnet["n02091134"])
    assert under(bird) == [*bird, *whippet]
    assert under(machine) == [*machine, *whippet]
    assert under() == [*whippet]
    assert ranges_under(wordnet, wordnet.named, "crane", lambda _: 0) == []
    assert ranges_under(wordnet, wordnet.named, (), lambda _: 0) is None
    with pytest.raises(AmbiguousLemma, match="2 images: n02012849"):
        under(bird, machine)


def test_a_release_without_a_shard_says_so(made: Project) -> None:
    release = made.releases["v1"]
    (release.path / "train-000000.tar").unlink()
    with pytest.raises(PackError, match="train-000000"):
        list(release.loader("train", damaged="skip"))
    (release.path / "manifest.parquet").write_bytes(b"")
    with pytest.raises(ReleaseError, match="manifest"):
        release.loader("train")


def without_bytes(release: Release, split: str, folder: Path) -> None:
    """Let a split of a release lie elsewhere: in a tar that is its owner's, or as the files of a folder."""
    rows = release.manifest
    images = {row["id"]: data for row, data in release.images()}
    shard = release.path / f"{split}-000000.tar"
    folder.mkdir()
    for name, data in images.items():
        (folder / name).write_bytes(data)
    tar = shard.rename(folder.parent / "theirs.tar")
    mine = pc.equal(rows["split"], split)
    told = pc.if_else(mine, "file-000000", "file-000001")
    path, offset = pc.if_else(mine, "", rows["id"]), pc.if_else(mine, rows["offset"], 0)
    rows = rows.set_column(rows.column_names.index("shard"), "shard", told)
    rows = rows.set_column(rows.column_names.index("offset"), "offset", offset).append_column("path", path)
    pq.write_table(rows, release.path / "manifest.parquet")
    state = tar.stat()
    files = [("train", str(tar), state.st_size, state.st_mtime_ns), ("tree", str(folder), 0, 0)]
    lines = [
        {"shard": f"file-{number:06}", "dataset": "d", "kind": kind, "path": path, "size": size, "mtime_ns": mtime}
        for number, (kind, path, size, mtime) in enumerate(files)
    ]
    pq.write_table(pa.Table.from_pylist(lines, FILES_SCHEMA), release.path / "files.parquet")


def test_a_release_without_bytes_is_loaded_from_where_they_lie(made: Project, tmp_path: Path) -> None:
    before = Release(made.path / "releases" / "v1")
    wanted = {split: [data for _, data in before.images(split)] for split in ("train", "test")}
    without_bytes(before, "train", tmp_path / "loose")
    after = Release(before.path, archives=[tmp_path])
    for split, data in wanted.items():
        samples = samples_of(after, split)
        assert [samples.read(number) for number in range(len(samples))] == data
        assert sum(len(batch) for batch in Loader(samples, Settings(size=8))) == len(data) > 0
    os.utime(tmp_path / "theirs.tar", ns=(1, 1))
    with pytest.raises(ArchiveError, match="has changed"):
        list(Loader(samples_of(after, "train"), Settings(size=8, damaged="skip")))


def test_a_releases_images_one_by_one(made: Project) -> None:
    release = made.releases["v1"]
    found = release.dataset("val", np.asarray)
    assert found.class_to_idx == {"n02091134": 0, "n02121808": 1}
    assert [name for name, _ in found.samples] == [row["id"] for row in release.rows("val")]
    assert all(pixels.shape == (60, 80, 3) for pixels, _ in (found[number] for number in range(len(found))))


# datasets, where they lie

ROUTES: dict[str, Callable[[Path, list[Picture]], None]] = {"archives": write_archives, "tree": write_tree}


def official(folder: Path, db: Project, route: str) -> dict[str, Picture]:
    """An ImageNet of twelve images, imported as its makers packed it, or as a tree; by name."""
    wnids = ("n02099601", "n02123045", "n01440764")
    pictures = [
        Picture(
            f"{wnid}_{number}" if split == "train" else f"ILSVRC2012_val_{number + 1:08}",
            split,
            wnid,
            encoded(photo(number, 60, 50)),
            (Box(wnid, 1, 2, 30, 40),),
            (60, 50),
        )
        for number, (wnid, split) in enumerate(product(wnids, ("train", "train", "train", "val")))
    ]
    ROUTES[route](folder, pictures)
    write_solutions(folder, [one for one in pictures if one.split == "val"])
    sources, problems = find_ilsvrc2012([folder])
    db.datasets.add(sources, "ilsvrc2012", problems=problems)
    return {one.name: one for one in pictures}


@pytest.mark.parametrize("route", ROUTES)
def test_a_dataset_is_loaded_where_it_lies(project: Project, tmp_path: Path, route: str) -> None:
    pictures = official(tmp_path / "in", project, route)
    dataset = project.datasets["ilsvrc2012"]
    for split, count in (("train", 9), ("val", 3)):
        samples = dataset.samples(split)
        assert samples.classes == ("n01440764", "n02099601", "n02123045")
        assert len(samples) == count
        for number, (name, label) in enumerate(zip(samples.ids.to_pylist(), samples.labels.tolist(), strict=True)):
            assert samples.read(number) == pictures[name].data
            assert samples.classes[label] == pictures[name].wnid
            assert pictures[name].split == split
        truth = dataset.labels(split)
        assert truth.items == tuple(sorted(one.name for one in pictures.values() if one.split == split))
        said = {truth.items[image]: truth.classes[label] for image, label in zip(truth.image, truth.label, strict=True)}
        assert said == {name: pictures[name].wnid for name in truth.items}
    found = dataset.loader("train", size=16, batch_size=4)
    shown = Counter(pair for batch in found for pair in zip(found.ids(batch), batch.labels.tolist(), strict=True))
    assert shown == {(one.name, found.classes.index(one.wnid)): 1 for one in pictures.values() if one.split == "train"}
    for under in ("golden retriever", "dog"):  # "dog" has seven senses, and none but the animal is here
        assert set(dataset.samples("train", under).labels.tolist()) == {1}
    assert dataset.dataset("val", np.asarray)[0][0].shape == (50, 60, 3)


def test_a_dataset_that_is_not_there_says_so(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no dataset 'ilsvrc2012'"):
        project.datasets["ilsvrc2012"]
    official(tmp_path / "in", project, "archives")
    with pytest.raises(ArchiveError, match="no split 'test', but: 'train', 'val'"):
        project.datasets["ilsvrc2012"].loader("test")
    with pytest.raises(ArchiveError, match="no dataset"):
        project.datasets[""]
    dataset = project.datasets["ilsvrc2012"]
    archive = tmp_path / "in" / "ILSVRC2012_img_train.tar"
    os.utime(archive, ns=(1, 1))
    with pytest.raises(ArchiveError, match="has changed since it was imported"):
        list(dataset.loader("train", damaged="skip"))


def test_what_people_said_of_a_dataset_counts(project: Project, tmp_path: Path) -> None:
    """An image whose label was overruled is not trained on."""
    pictures = official(tmp_path / "in", project, "archives")
    before = project.datasets["ilsvrc2012"].samples("train")
    dog = next(one for one in pictures.values() if (one.split, one.wnid) == ("train", "n02099601"))
    project.datasets.fingerprint()
    project.labels.overrule({(dog.name, "n02099601"): False}, "me", "it is a cat")
    after = project.datasets["ilsvrc2012"].samples("train")
    assert set(before.ids.to_pylist()) - set(after.ids.to_pylist()) == {dog.name}
