"""Exports opened by those that they are for, where they are installed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps
from scipy.io import loadmat

from holotype.imports.discover import find_ilsvrc2012
from holotype.project import Project
from holotype.releases import Release
from holotype.releases.exports.chosen import Chosen
from holotype.releases.exports.crc32c import crc32c
from holotype.releases.exports.formats import export
from holotype.releases.exports.parquet import GROUP_ROWS, write_parquet
from holotype.releases.exports.tfrecord import encode_example, write_tfrecord
from holotype.releases.exports.webdataset import write_webdataset
from holotype.releases.layout import VOTES_EXTRAS, VOTES_SCHEMA
from shipped import CAT, COLLIE, TENCH, Shipped, pictures, ship
from test_import import facts

pytestmark = pytest.mark.filterwarnings("ignore")  # of other people's packages

NUMBERS = {TENCH: 0, COLLIE: 1, CAT: 2}
BY_ID = {one.id: one for one in pictures()}
VOTES = [
    {"sha256": one.sha256, "wnid": wnid, "worker": f"w{worker}", "answer": answer}
    | {"page": "p", "seconds": 1.0, "at": 0.0}
    for one in pictures()
    for wnid in (CAT, TENCH)
    for worker, answer in enumerate(("yes", "yes", "unsure", "no") if wnid in one.wnids else ("no", "no", "no", "yes"))
]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return ship(tmp_path / "v1", pictures(), votes=VOTES)


def of(split: str) -> list[Shipped]:
    return [one for one in pictures() if one.split == split]


def exported(release: Release, name: str, **about: Any) -> Path:
    folder = release.path.parent / name
    export(release, name, folder, **about)
    return folder


def pixels(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_torchvision_reads_folders_by_class(release: Release) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    folder = exported(release, "imagefolder")
    train = datasets.ImageFolder(folder / "train")
    assert train.class_to_idx == NUMBERS
    assert Counter(train.targets) == Counter(NUMBERS[wnid] for one in of("train") for wnid in one.wnids)
    for (path, target), (picture, _) in zip(train.samples, train, strict=True):
        one = BY_ID[Path(path).stem]
        assert target in [NUMBERS[wnid] for wnid in one.wnids]
        assert (np.asarray(picture) == pixels(one.data)).all()
    with pytest.raises(FileNotFoundError, match=COLLIE):
        datasets.ImageFolder(folder / "val")
    val = datasets.ImageFolder(folder / "val", allow_empty=True)
    assert val.class_to_idx == NUMBERS
    assert sorted(val.targets) == [0, 2]


def test_pillow_reads_folders_by_class_and_by_lemma(release: Release) -> None:
    for name, folders in (("imagefolder", {TENCH, COLLIE, CAT}), ("imagefolder-lemmas", {"tench", "collie", "tabby"})):
        folder = exported(release, name)
        assert {path.name for path in (folder / "train").iterdir()} == folders
        files = list(folder.glob("*/*/*"))
        assert len(files) == 8
        for path in files:
            one = BY_ID[path.stem]
            assert Image.open(path).format == one.format
            assert path.read_bytes() == one.data
            assert path.parts[-3] == one.split
        assert Counter(path.suffix for path in files) == {".jpg": 7, ".png": 1}


def test_webdataset_reads_shards(release: Release) -> None:
    webdataset = pytest.importorskip("webdataset")
    folder = exported(release, "webdataset")
    for split in ("train", "val"):
        shards = webdataset.WebDataset(str(folder / f"{split}-000000.tar"), shardshuffle=False)
        found = list(shards.decode("pil"))
        assert [sample["__key__"] for sample in found] == sorted(one.id for one in of(split))
        for sample in found:
            one = BY_ID[sample["__key__"]]
            picture = sample["png" if one.format == "PNG" else "jpg"]
            assert (np.asarray(picture) == pixels(one.data)).all()
            assert sample["cls"] == NUMBERS[one.wnids[0]]
            about = sample["json"]
            assert (about["id"], about["wnids"]) == (one.id, list(one.wnids))
            assert (about["width"], about["height"]) == picture.size
            assert [box["wnid"] for box in about["boxes"]] == [box[0] for box in one.boxes]
    on_its_side = next(one for one in pictures() if one.orientation == 6)
    (about,) = (
        json.loads(sample["json"])
        for sample in webdataset.WebDataset(str(folder / "train-000000.tar"), shardshuffle=False)
        if sample["__key__"] == on_its_side.id
    )
    assert about["boxes"] == [{"wnid": CAT, "xmin": 10, "ymin": 9, "xmax": 70, "ymax": 54}]


def test_shards_have_a_size(release: Release, tmp_path: Path) -> None:
    for write, pattern in (
        (write_webdataset, "train-*.tar"),
        (write_tfrecord, "train-*"),
        (write_parquet, "data/train-*"),
    ):
        folder = tmp_path / write.__name__
        folder.mkdir()
        write(Chosen.of(release), folder, lambda *_: None, shard_bytes=1)
        names = sorted(path.name for path in folder.glob(pattern))
        assert len(names) == (1 if write is write_parquet else 5), "a row group is whole"
        if write is write_tfrecord:
            assert names == [f"train-{number:05d}-of-00005" for number in range(5)]


READ_PARQUET = """
import sys
try:
    from datasets import ClassLabel, Image, load_dataset
except ImportError:
    sys.exit(77)
import hashlib, json, os
folder, cache = sys.argv[1:]
loaded = load_dataset(folder, cache_dir=cache)
features = loaded["train"].features
assert isinstance(features["image"], Image) and isinstance(features["label"], ClassLabel)
pixels = lambda row: hashlib.sha256(row.pop("image").convert("RGB").tobytes()).hexdigest()
print(json.dumps({
    "names": features["label"].names,
    "rows": {split: [{"pixels": pixels(row), **row} for row in rows] for split, rows in loaded.items()},
    "streamed": [row["id"] for row in load_dataset(folder, split="train", streaming=True)],
}), flush=True)
os._exit(0)  # streaming leaves threads, with which Python now and then aborts as it ends
"""
"""Run in a process of its own: among our benchmarks is a module of the same name."""


def test_datasets_reads_parquet(release: Release, tmp_path: Path) -> None:
    folder = exported(release, "parquet")
    about = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": ""}
    command = [sys.executable, "-c", READ_PARQUET, str(folder), str(tmp_path / "cache")]
    ended = subprocess.run(command, cwd=tmp_path, env=about, capture_output=True, text=True)
    if ended.returncode == 77:
        pytest.skip("Hugging Face's datasets is not installed")
    assert not ended.returncode, ended.stderr
    found = json.loads(ended.stdout)
    assert found["names"] == [TENCH, COLLIE, CAT]
    assert found["streamed"] == sorted(one.id for one in of("train"))
    assert {split: [row["id"] for row in rows] for split, rows in found["rows"].items()} == {
        name: sorted(one.id for one in of(split)) for split, name in (("train", "train"), ("val", "validation"))
    }
    for row in (row for rows in found["rows"].values() for row in rows):
        one = BY_ID[row["id"]]
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(one.data))).convert("RGB")
        assert row["pixels"] == hashlib.sha256(upright.tobytes()).hexdigest()
        assert row["label"] == NUMBERS[one.wnids[0]]
        assert row["labels"] == [NUMBERS[wnid] for wnid in one.wnids]
        assert [tuple(box.values())[:5] for box in row["boxes"]] == list(one.boxes)


def test_parquet_says_what_it_holds(release: Release) -> None:
    folder = exported(release, "parquet")
    (train,) = folder.glob("data/train-00000-of-00001.parquet")
    with pq.ParquetFile(train) as file:
        assert file.metadata.num_rows <= GROUP_ROWS
        rows = file.read().to_pylist()
        features = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
        assert list(features) == file.schema_arrow.names
    assert {row["id"]: row["image"]["bytes"] for row in rows} == {one.id: one.data for one in of("train")}
    assert features["label"] == {"names": [TENCH, COLLIE, CAT], "_type": "ClassLabel"}


def records(path: Path) -> Iterator[bytes]:
    """The records of a TFRecord file, their checksums compared."""
    data, place = path.read_bytes(), 0
    while place < len(data):
        head = data[place : place + 8]
        (length,) = struct.unpack("<Q", head)
        body = data[place + 12 : place + 12 + length]
        for told, checked in ((data[place + 8 : place + 12], head), (data[place + 12 + length :][:4], body)):
            crc = crc32c(checked)
            assert struct.unpack("<I", told)[0] == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
        yield body
        place += length + 16


def test_tfrecord_reads_records(release: Release) -> None:
    reader = pytest.importorskip("tfrecord")
    folder = exported(release, "tfrecord")
    for split, name in (("train", "train"), ("val", "validation")):
        path = folder / f"{name}-00000-of-00001"
        assert len(list(records(path))) == len(of(split))
        found = list(reader.tfrecord_loader(str(path), None))
        assert [bytes(row["image/filename"])[:16].decode() for row in found] == sorted(one.id for one in of(split))
        for row in found:
            one = BY_ID[bytes(row["image/filename"])[:16].decode()]
            assert bytes(row["image/encoded"]) == one.data
            assert bytes(row["image/format"]).decode() == one.format
            assert row["image/class/label"].tolist() == [NUMBERS[one.wnids[0]] + 1]
            assert row["image/class/labels"].tolist() == [NUMBERS[wnid] + 1 for wnid in one.wnids]
            size = Image.open(io.BytesIO(one.data)).size
            assert (row["image/width"].tolist(), row["image/height"].tolist()) == ([size[0]], [size[1]])
            if one.boxes and one.orientation == 1:
                assert row["image/object/bbox/xmin"].tolist() == pytest.approx([box[1] / 80 for box in one.boxes])
                assert row["image/object/bbox/ymax"].tolist() == pytest.approx([(box[4] + 1) / 60 for box in one.boxes])
                assert row["image/object/bbox/label"].tolist() == [NUMBERS[box[0]] + 1 for box in one.boxes]
    lines = (folder / "labels.txt").read_text().split("\n")
    assert lines == ["0:background", f"1:{TENCH}", f"2:{COLLIE}", f"3:{CAT}", ""]


def test_an_example_is_what_protobuf_makes_of_it() -> None:
    values: dict[str, Any] = {"b": [b"xy", b""], "f": [0.5, -2.0], "i": [1, 300, -1]}
    assert encode_example(values).hex() == (
        "0a3a0a0d0a016212080a060a0278790a000a110a0166120c120a0a080000003f000000c00a160a016912111a0f0a0d01ac02ffffffffffff"
        "ffffff01"
    )
    message = pytest.importorskip("tfrecord.example_pb2").Example()
    for name, kind in (("b", "bytes_list"), ("f", "float_list"), ("i", "int64_list")):
        getattr(message.features.feature[name], kind).value.extend(values[name])
    assert message.SerializeToString(deterministic=True) == encode_example(values)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 1023, 1024, 1025, 5000])
def test_the_checksum_is_castagnolis(size: int) -> None:
    """Against the definition, bit by bit."""
    data = np.random.default_rng(size).bytes(size)
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    assert crc32c(data) == register ^ 0xFFFFFFFF


def test_pandas_reads_tables(tmp_path: Path) -> None:
    strange = {"origin": 'a "quoted", one\nof two lines', "author": "=cmd|'/c calc'!A1", "source": "Ωμ\t,;\r\n"}
    shown = [*pictures(), Shipped(pictures()[0].data + b"\0", "test", (CAT,), said=strange)]
    release = ship(tmp_path / "v2", shown)
    folder = exported(release, "csv")
    labels = pandas.read_csv(folder / "labels.csv", keep_default_na=False, lineterminator="\n")
    assert len(labels) == 9
    told = {(row["id"], row["wnid"]): row for row in labels.to_dict("records")}
    for row in release.rows():
        found = told[row["id"], row["wnid"]]
        assert all(found[name] == row[name] for name in ("split", "origin", "author", "source", "width", "policy"))
        assert found["class"] == NUMBERS[row["wnid"]]
        assert (folder / found["file"]).read_bytes() == next(one.data for one in shown if one.id == row["id"])
    boxes = pandas.read_csv(folder / "boxes.csv", keep_default_na=False)
    assert sorted(boxes.itertuples(index=False, name=None)) == sorted(
        (one.id, *box, "boxes.csv", "", -1, -1, -1, -1, -1) for one in shown for box in one.boxes
    )
    lines = [json.loads(line) for line in (folder / "images.jsonl").read_text().splitlines()]
    assert {line["id"]: {label["wnid"] for label in line["labels"]} for line in lines} == {
        one.id: set(one.wnids) for one in shown
    }
    assert next(line for line in lines if line["split"] == "test")["author"] == strange["author"]
    with (folder / "classes.csv").open() as file:
        assert [row["wnid"] for row in csv.DictReader(file)] == [TENCH, COLLIE, CAT]
    bare = exported(release, "tables")
    assert not (bare / "images").exists()
    assert pandas.read_csv(bare / "labels.csv")["file"].isna().all()


def test_crowdkit_reads_votes(release: Release) -> None:
    folder = exported(release, "crowdkit")
    votes = pandas.read_csv(folder / "votes.csv")
    assert len(votes) == len(VOTES)
    concluded = pandas.read_csv(folder / "labels.csv")
    assert set(concluded["task"]) == {f"{one.id}/{wnid}" for one in pictures() for wnid in one.wnids}
    some = release.path.parent / "some"
    export(release, "crowdkit", some, splits=["val"])
    assert set(pandas.read_csv(some / "votes.csv")["task"]) == {f"{o.id}/{w}" for o in of("val") for w in o.wnids}
    aggregation = pytest.importorskip("crowdkit.aggregation")
    truth = aggregation.DawidSkene(n_iter=20).fit_predict(votes[votes["label"] != "unsure"])
    assert {task for task, label in truth.items() if label == "yes"} == {
        f"{one.id}/{wnid}" for one in pictures() for wnid in one.wnids if wnid != COLLIE
    }


def test_a_worker_s_first_vote_on_a_task_counts_also_where_bytes_are_there_twice(release: Release) -> None:
    again = [{**vote, "answer": "unsure", "copy": 1} for vote in VOTES]
    table = pa.Table.from_pylist(
        [*({**vote, "copy": 0} for vote in VOTES), *again], pa.unify_schemas([VOTES_SCHEMA, VOTES_EXTRAS])
    )
    once = exported(release, "crowdkit") / "votes.csv"
    pq.write_table(table, release.path / "votes.parquet", row_group_size=7)
    twice = release.path.parent / "twice"
    export(release, "crowdkit", twice)
    assert (twice / "votes.csv").read_bytes() == once.read_bytes()


def test_cleanlab_reads_labels_and_votes(release: Release) -> None:
    folder = exported(release, "cleanlab")
    labels = pandas.read_csv(folder / "labels.csv")
    assert dict(zip(labels["id"], labels["label"], strict=True)) == {
        one.id: NUMBERS[one.wnids[0]] for one in pictures()
    }
    long = pandas.read_csv(folder / "multiannotator.csv")
    assert len(long) == sum(vote["answer"] != "unsure" for vote in VOTES)
    multiannotator = pytest.importorskip("cleanlab.multiannotator")
    wide = multiannotator.convert_long_to_wide_dataset(long)
    majority = multiannotator.get_majority_vote_label(wide)
    yes = {task for task, label in zip(wide.index, majority, strict=True) if label == 1}
    assert yes == {f"{one.id}/{wnid}" for one in pictures() for wnid in one.wnids if wnid != COLLIE}
    sure = np.eye(2)[majority] * 0.8 + 0.1
    quality = multiannotator.get_label_quality_multiannotator(wide, sure, verbose=False)
    assert len(quality["label_quality"]) == len(wide)
    find_label_issues = pytest.importorskip("cleanlab.filter").find_label_issues

    given = labels["label"].to_numpy()
    model = np.eye(3)[given] * 0.85 + 0.05
    model[0] = model[0][::-1]
    issues = find_label_issues(given, model, return_indices_ranked_by="self_confidence", n_jobs=1)
    assert issues.tolist() in ([0], [])


def official_names(folder: Path) -> dict[str, list[dict[str, str]]]:
    """What the images of an export are called, by id."""
    found: dict[str, list[dict[str, str]]] = {}
    with (folder / "names.csv").open() as file:
        for row in csv.DictReader(file):
            found.setdefault(row["id"], []).append(row)
    return found


def test_our_imports_read_the_official_archives(release: Release, project: Project) -> None:
    folder = exported(release, "imagenet")
    sources, problems = find_ilsvrc2012([folder])
    assert not problems
    project.datasets.add(sources, "again")
    names = official_names(folder)
    found = facts(project)
    assert len(found) == 8
    for one in pictures():
        rows = names[one.id]
        assert [row["wnid"] for row in rows] == list(one.wnids)
        for row in rows:
            split, wnid, _, boxes, data = found[row["name"]]
            assert (split, wnid, data) == (one.split, row["wnid"], one.data)
            stored = [(CAT, 10, 9, 70, 54)] if one.orientation == 6 else one.boxes
            assert boxes == sorted(stored)


def test_torchvision_reads_the_official_archives(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    """It compares their md5 with those of the real ones; told ours, it goes on."""
    imagenet = pytest.importorskip("torchvision.datasets.imagenet")
    folder = exported(release, "imagenet")
    ours = {
        part: (name, hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest())
        for part, (name, _) in imagenet.ARCHIVE_META.items()
    }
    monkeypatch.setattr(imagenet, "ARCHIVE_META", ours)
    names = official_names(folder)
    told = {row["name"]: (one, row["wnid"]) for one in pictures() for row in names[one.id]}
    train = imagenet.ImageNet(folder, "train")
    assert train.wnids == [TENCH, COLLIE, CAT]
    assert train.classes[0] == ("tench", "Tinca tinca")
    val = imagenet.ImageFolder(folder / "val") if not imagenet.parse_val_archive(str(folder)) else None
    assert val is not None
    for read, count in ((train, 6), (val, 2)):
        assert len(read) == count
        for path, _ in read.samples:
            one, wnid = told[Path(path).stem]
            assert Path(path).read_bytes() == one.data
            assert Path(path).parent.name == wnid


def test_tarfile_and_scipy_read_the_official_archives(release: Release) -> None:
    folder = exported(release, "imagenet")
    names = official_names(folder)
    with tarfile.open(folder / "ILSVRC2012_img_train.tar") as outer:
        assert outer.getnames() == [f"{wnid}.tar" for wnid in (TENCH, COLLIE, CAT)]
        for member in outer:
            with tarfile.open(fileobj=outer.extractfile(member)) as inner:
                read = {one.name: inner.extractfile(one) for one in inner}
                held = {name: file.read() for name, file in read.items() if file is not None}
            assert held == {
                f"{row['name']}.JPEG": one.data
                for one in of("train")
                for row in names[one.id]
                if row["wnid"] == member.name[:-4]
            }
    with tarfile.open(folder / "ILSVRC2012_devkit_t12.tar.gz") as devkit:
        read = {name.rpartition("/")[2]: devkit.extractfile(name) for name in devkit.getnames()}
        data = {name: file.read() for name, file in read.items() if file is not None}
    synsets = loadmat(io.BytesIO(data["meta.mat"]), squeeze_me=True)["synsets"]
    assert [(int(row["ILSVRC2012_ID"]), row["WNID"]) for row in synsets] == [(1, TENCH), (2, COLLIE), (3, CAT)]
    by_name = sorted((row["name"], row["wnid"]) for rows in names.values() for row in rows if row["split"] == "val")
    assert data["ILSVRC2012_validation_ground_truth.txt"].decode() == "".join(
        f"{NUMBERS[wnid] + 1}\n" for _, wnid in by_name
    )
    assert (folder / "synsets.txt").read_text() == f"{TENCH}\n{COLLIE}\n{CAT}\n"
    assert (folder / "LOC_synset_mapping.txt").read_text().startswith(f"{TENCH} tench, Tinca tinca\n")
    with (folder / "LOC_val_solution.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["PredictionString"] == f"{CAT} 0 0 79 59"
