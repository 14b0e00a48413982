"""Networks that learn other classes than they knew; left out where PyTorch is not installed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import small_ontology
from holotype.errors import OtherRun, RecognitionError, UnknownSynset
from holotype.recognition.partition import read_partition
from holotype.releases.loaders import Samples
from tiny_networks import RECIPE, SIZE, WNIDS, coloured, tiny

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("torchvision", exc_type=ImportError)
pytestmark = pytest.mark.torch

A, B, C, D = (int(wnid[1:]) for wnid in WNIDS)
FISH = small_ontology({1: [], 2: [1], 3: [1], A: [2], B: [2], C: [3], D: [3]})
"""n00000002 is above the first two classes, n00000003 above the others."""
OTHERS = ("n00000008", "n00000009")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return coloured(tmp_path_factory.mktemp("finetuning") / "files", 24)


def finetuned(samples: Samples, out: Path, network: Any = None, **more: Any) -> Any:
    from holotype.recognition.networks.finetuning import finetune

    network = tiny(OTHERS, norm="batch") if network is None else network
    asked: dict[str, Any] = {"recipe": RECIPE, "ontology": FISH, "device": "cpu", "workers": 1}
    return finetune(network, samples, out, **(asked | more))


def state(network: Any) -> dict[str, Any]:
    return {name: value.clone() for name, value in network.module.state_dict().items()}


HEAD = {"6.weight", "6.bias"}
NORM = {f"1.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")}


@pytest.mark.parametrize(
    ("freeze", "learns"),
    [
        ("none", HEAD | NORM | {"0.weight", "0.bias"}),
        ("bn", HEAD | {"0.weight", "0.bias"}),
        ("backbone", HEAD),
    ],
)
@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_what_is_frozen_stays_bit_for_bit(
    samples: Samples, tmp_path: Path, freeze: str, learns: set[str], averaging: float
) -> None:
    """Weights, biases, and the statistics of batch norms too; also in the average of weights, where that is kept."""
    network = tiny(OTHERS, norm="batch", drop=0.2)
    network.reset_head(WNIDS, torch.Generator().manual_seed(0))
    before = state(network)
    trained = finetuned(
        samples, tmp_path / "run", network, recipe=replace(RECIPE, averaging=averaging), freeze=freeze, val=samples
    )
    after = state(trained.network)
    assert {name for name in before if not torch.equal(before[name], after[name])} == learns


def test_a_network_gets_a_new_head_and_knows_the_new_classes(samples: Samples, tmp_path: Path) -> None:
    from holotype.recognition.networks.models import create_model

    recipe = replace(RECIPE, epochs=20, lr=0.2)
    trained = finetuned(samples, tmp_path / "run", recipe=recipe, val=samples)
    assert trained.network.classes == WNIDS == samples.classes
    assert trained.ran.scores["top1"] > 0.9
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert about["source"] == {"hierarchical": "none"}
    assert not (tmp_path / "run" / "partition.json").exists()
    same = tiny(WNIDS)
    head = same.head
    finetuned(samples, tmp_path / "same", same, recipe=replace(RECIPE, epochs=1))
    assert same.head is head  # it has just those classes
    with pytest.raises(RecognitionError):  # of no library
        create_model(str(tmp_path / "run"))


@pytest.mark.parametrize("hierarchical", ["marginal", "semantic"])
def test_losses_that_know_the_hierarchy_teach_classes(samples: Samples, tmp_path: Path, hierarchical: str) -> None:
    from holotype.recognition.networks.finetuning import Transfer

    transfer = Transfer(hierarchical, decay=0.3)  # type: ignore[arg-type]
    recipe = replace(RECIPE, epochs=20, lr=0.2)
    trained = finetuned(samples, tmp_path / "run", recipe=recipe, transfer=transfer, val=samples)
    assert trained.ran.scores["top1"] > 0.9
    other = Transfer("marginal", decay=0.2)
    with pytest.raises(OtherRun, match="decay"):
        finetuned(samples, tmp_path / "run", recipe=recipe, transfer=other, val=samples, resume=True)
    with pytest.raises(ValueError, match="hierarchical is one of"):
        Transfer("flat")  # type: ignore[arg-type]


def test_a_partition_is_learned_and_summed_up(samples: Samples, tmp_path: Path) -> None:
    from holotype.recognition.networks.features import outputs
    from holotype.recognition.networks.finetuning import Transfer, summed_up
    from holotype.recognition.relabelling import under

    some = samples.take(np.flatnonzero((samples.labels < 2) | (np.arange(len(samples)) % 3 == 0)))
    assert np.bincount(some.labels).tolist() == [6, 6, 2, 2]
    recipe = replace(RECIPE, epochs=20, lr=0.2)
    trained = finetuned(some, tmp_path / "run", recipe=recipe, transfer=Transfer(max_size=7), val=samples)
    assert trained.network.classes == ("n00000003", *WNIDS[:2])
    parts = read_partition(tmp_path / "run", FISH)
    assert parts.sizes.tolist() == [4, 6, 6]
    tops = ("n00000002", "n00000003")
    coarse = under(samples, tops, FISH)
    summed, alone = summed_up(trained.network, parts, coarse, "cpu")
    rows = torch.from_numpy(outputs(trained.network, coarse, "cpu").rows).double().softmax(1).numpy()
    assert summed.scores is not None
    assert alone.scores is not None
    np.testing.assert_allclose(summed.scores, parts.infer(rows, tops), atol=1e-6)
    np.testing.assert_allclose(summed.scores.sum(axis=1), 1, atol=1e-6)
    assert (summed.guesses[:, 0] == coarse.labels).mean() > 0.9
    assert set(np.unique(alone.scores)) == {0, 1}
    with pytest.raises(RecognitionError, match="does not tell the classes"):
        summed_up(tiny(), parts, coarse, "cpu")
    with pytest.raises(RecognitionError, match="another ontology"):
        read_partition(tmp_path / "run", small_ontology({1: []}))
    with pytest.raises(RecognitionError, match="no partition in"):
        read_partition(tmp_path, FISH)
    (tmp_path / "run" / "partition.json").write_text("{")
    with pytest.raises(RecognitionError, match="cannot read"):
        read_partition(tmp_path / "run", FISH)


def test_images_of_classes_that_nobody_learned_are_not_scored(samples: Samples, tmp_path: Path) -> None:
    from holotype.recognition.networks.finetuning import Transfer, taught

    some = samples.take(np.flatnonzero(samples.labels != 3))
    what = taught(some, samples, FISH, RECIPE, Transfer(max_size=6))
    assert what.val is not None
    assert (len(what.val), what.val.classes) == (18, what.samples.classes)


def test_what_cannot_be_taught_is_refused(samples: Samples, tmp_path: Path) -> None:
    from holotype.recognition.networks.finetuning import Transfer

    with pytest.raises(RecognitionError, match="two classes"):
        finetuned(samples, tmp_path / "run", transfer=Transfer(max_size=100))
    strangers = replace(samples, classes=(*WNIDS[:3], "n99999999"))
    with pytest.raises(UnknownSynset):
        finetuned(strangers, tmp_path / "run", transfer=Transfer("marginal"))
    with pytest.raises(RecognitionError, match="no images"):
        finetuned(samples.take(np.zeros(0, np.int64)), tmp_path / "run", transfer=Transfer(max_size=100))
    assert not (tmp_path / "run").exists()


def test_a_network_is_shown_pictures_of_another_size() -> None:
    from holotype.recognition.networks.finetuning import sized

    network = tiny()
    sized(network, 2 * SIZE)
    assert (network.preprocessing.size, network.preprocessing.resize) == (2 * SIZE, 2 * (SIZE + 2))
