"""Tree-max with features of a published network, on real images; left out where PyTorch is not installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import encoded, photo
from holotype.errors import RecognitionError
from holotype.ontology import Ontology
from holotype.recognition.heights import tree_max
from holotype.recognition.stages import no_stages
from holotype.recognition.tree_max import Schooling
from real_images import images
from test_loader import in_folder

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.torch


def test_it_is_good_at_every_height_and_better_than_alone(shared: Path, wordnet: Ontology) -> None:
    """At 96 pixels, which takes a fifth of the time of 224; of the training images the network has seen all."""
    pytest.importorskip("efficientnet_lite_pytorch")
    from holotype.recognition.networks.describing import by_network
    from holotype.recognition.networks.models import create_model

    network = create_model("efficientnet_lite0", weights="pretrained")
    network.preprocessing = replace(network.preprocessing, size=96, resize=109)
    found = tree_max(images("train"), images("val"), wordnet, by_network(network, "cpu"), Schooling("logistic"))
    assert len(found.heights) == 11
    assert min(one.aucs["tree-max"] for one in found.heights) > 0.85
    better = [one.aucs["tree-max"] >= one.aucs["independent"] for one in found.heights]
    assert sum(better) >= 9
    assert found.mean[1].auc > found.mean[0].auc


def test_damaged_pictures_have_no_row(tmp_path: Path) -> None:
    from holotype.recognition.networks.describing import by_network
    from holotype.recognition.networks.models import create_model

    files = {f"{one}.jpg": encoded(photo(one)) for one in range(5)}
    files["2.jpg"] = files["2.jpg"][:200]
    some = in_folder(tmp_path / "a", files)
    network = create_model("resnet18", weights="")
    network.preprocessing = replace(network.preprocessing, size=32, resize=32)
    describe = by_network(network, "cpu", batch_size=2)
    first, second = describe(some, some.take(np.arange(2)), no_stages)
    assert first.numbers.tolist() == [0, 1, 3, 4]
    assert first.rows.shape == (4, 512)
    np.testing.assert_allclose(first.rows[:2], second.rows, rtol=1e-4, atol=1e-5)
    assert [(one.number, one.id) for one in first.damaged] == [(2, "2.jpg")]
    with pytest.raises(RecognitionError, match="no sound image: 1 are damaged"):
        describe(some.take(np.array([2])), some, no_stages)
