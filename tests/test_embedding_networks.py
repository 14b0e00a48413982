"""Networks as embedders: what tells their weights apart, and what they find among real images that hashes miss."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import command, encoded, photo, run
from holotype.consensus.votes import Answer
from holotype.errors import OtherWeights, RecognitionError
from holotype.project import Project
from holotype.project.embedding_pairs import Closeness

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("efficientnet_lite_pytorch")
pytestmark = pytest.mark.torch

LITE = "efficientnet_lite0"
REAL = 16


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def lite() -> Any:
    from holotype.recognition.networks.embedding import NetworkEmbedder
    from holotype.recognition.networks.models import create_model

    return NetworkEmbedder.of(create_model(LITE, weights="pretrained"), LITE, "pretrained", "cpu")


# What tells weights apart


def test_a_digest_is_of_all_weights_but_the_heads() -> None:
    from holotype.recognition.networks.embedding import digest_of
    from holotype.recognition.networks.models import create_model

    network = create_model(LITE, seed=1)
    digest = digest_of(network)
    assert len(digest) == 64
    assert digest_of(create_model(LITE, seed=1)) == digest
    assert digest_of(create_model(LITE, seed=2)) != digest
    network.reset_head(["n02084071", "n02121808"])
    assert digest_of(network) == digest
    name, weight = next(iter(network.module.named_parameters()))
    with torch.no_grad():
        weight.view(-1)[0] += 1e-6
    assert digest_of(network) != digest, name


def test_a_digest_is_of_buffers_and_of_what_is_shown_too() -> None:
    from dataclasses import replace

    from holotype.recognition.networks.embedding import digest_of
    from holotype.recognition.networks.models import create_model

    network = create_model(LITE, seed=1)
    first = digest_of(network)
    network.preprocessing = replace(network.preprocessing, resize=300)
    second = digest_of(network)
    next(one for one in network.module.modules() if isinstance(one, torch.nn.BatchNorm2d)).running_mean += 1
    assert len({first, second, digest_of(network)}) == 3


def test_a_network_without_classes_has_no_head_to_vote_by(lite: Any) -> None:
    from holotype.recognition.networks.embedding import NetworkEmbedder
    from holotype.recognition.networks.models import create_model

    bare = NetworkEmbedder.of(create_model("resnet18"), "resnet18", "")
    with pytest.raises(RecognitionError, match="resnet18 mean: it has no classes"):
        bare.head()
    head = lite.head()
    assert (head.weight.shape, head.bias.shape, head.digest) == ((1000, 1280), (1000,), lite.digest)


def test_other_weights_under_the_name_of_a_network_are_refused(project: Project, tmp_path: Path) -> None:
    from holotype.recognition.networks.embedding import NetworkEmbedder
    from holotype.recognition.networks.models import create_model

    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(encoded(photo(1)))
    project.images.ingest(tmp_path / "photos")
    made, other = (NetworkEmbedder.of(create_model(LITE, seed=seed), LITE, "", "cpu") for seed in (1, 2))
    assert project.embeddings.add(made).embedded == 1
    with pytest.raises(OtherWeights):
        project.embeddings.add(other)


# Real images


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Real validation images in folders of their classes; crops and turned ones of all of them; and the rest."""
    from real_images import images

    samples = images("val")
    place = tmp_path_factory.mktemp("real")
    made: dict[str, list[Path]] = {"plain": [], "crop": [], "turned": []}
    for number in range(REAL):
        picture = Image.open(io.BytesIO(samples.read(number))).convert("RGB")
        width, height = picture.size
        folder = place / "photos" / samples.classes[samples.labels[number]]
        folder.mkdir(parents=True, exist_ok=True)
        shown = {
            "plain": picture,
            "crop": picture.crop((width // 8, height // 6, width * 7 // 8, height * 5 // 6)),
            "turned": picture.rotate(12, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255)),
        }
        for kind, one in shown.items():
            made[kind].append(folder / f"{kind}-{number}.jpg")
            one.save(made[kind][-1], quality=85)
    return made


@pytest.fixture
def photographs(project: Project, real: dict[str, list[Path]], lite: Any) -> Project:
    project.images.ingest(real["plain"][0].parents[1])
    assert project.embeddings.add(lite).embedded == 3 * REAL
    return project


def test_a_network_finds_crops_finds_similar_images_and_votes(
    photographs: Project, lite: Any, real: dict[str, list[Path]], tmp_path: Path
) -> None:
    db = photographs
    name = {one.sha256: Path(one.file).stem.split("-") for one in db.images.inputs()}
    found = db.embeddings.near_duplicates(Closeness(0.58), all_pairs=True)
    right = [name[one.one.sha256][1] == name[one.other.sha256][1] for one in found.pairs]
    assert np.mean(right) > 0.95
    assert sum(right) > 0.85 * 3 * REAL  # of three pairs of each picture
    assert found.known < 0.1 * found.found  # hashes know hardly any

    similar = db.embeddings.similar("crop-3.jpg", 2)
    assert {name[one.image.sha256][1] for one in similar} == {"3"}
    outside = tmp_path / "outside.png"
    Image.open(real["plain"][5]).save(outside)
    first = db.embeddings.similar(outside, 1, embedder=lite)[0]
    assert first.cosine > 0.99

    report = db.crowd.run(db.embeddings.voter(head=lite.head())).machine
    assert report is not None
    assert report.voted == 3 * REAL
    answers = [vote.answer for vote in db.crowd.votes()]
    assert answers.count(Answer.YES) > 0.4 * len(answers)  # each asks about the right one of a thousand classes


def test_votes_by_kept_embeddings_are_those_of_the_network(real: dict[str, list[Path]], lite: Any) -> None:
    """Numbers of 16 bits change hardly any probability."""
    from holotype.recognition.networks.features import outputs
    from real_images import images

    samples = images("val").take(np.arange(8))
    whole = torch.tensor(outputs(lite.network, samples, "cpu").rows).softmax(1).numpy()
    kept = lite.head().probabilities(lite.embed(samples).rows.astype(np.float16))
    assert np.abs(whole - kept).max() < 2e-3


def test_commands_embed_and_vote_by_a_network(real: dict[str, list[Path]], project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "few" / real["plain"][0].parent.name
    folder.mkdir(parents=True)
    for number in range(4):
        (folder / f"{number}.jpg").write_bytes(real["plain"][number].read_bytes())
    project.images.ingest(tmp_path / "few")
    project.close()
    asked = ("embeddings", "add", LITE, "--device", "cpu", "--batch-size", "2", "-p", project.path)
    assert f"{LITE}: 4 embedded" in run(*asked)
    assert f"{LITE}: 0 embedded" in run(*asked)
    told = json.loads(run("embeddings", "list", "--json", "-p", project.path))["models"][0]
    assert told["source"] == {"network": LITE, "weights": ""}
    outside = ("embeddings", "similar", real["plain"][1], "-k", "1", "--device", "cpu", "-p", project.path)
    assert run(*outside).split()[1].endswith("1.jpg")
    assert "4 voted on" in run("embeddings", "vote", "--yes-from", "0.4", "--no-to", "0.01", "-p", project.path)
    other = ("embeddings", "add", "efficientnet_lite2", "--as", LITE, "--device", "cpu", "-p", project.path)
    assert "were made by another model" in command(*other).stderr
