"""A network as what makes embeddings: its features, and a digest that tells its weights from others."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from holotype.errors import RecognitionError
from holotype.recognition.embedders import Embeddings
from holotype.recognition.heads import Head
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.features import features
from holotype.recognition.networks.network import Network
from holotype.releases.loaders import Samples


def digest_of(network: Network) -> str:
    """64 hexadecimal digits of what makes the features of a network: all its tensors but those of its head, by name,
    type and shape, and what it is shown of a picture. The same on every device, and with other heads."""
    told = hashlib.sha256(json.dumps(network.preprocessing.value(), sort_keys=True).encode())
    head = f"{network.head_name}."
    for name, tensor in sorted(network.module.state_dict().items()):
        if not name.startswith(head):
            told.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            told.update(_bytes(tensor))
    return told.hexdigest()


def _bytes(tensor: Any) -> bytes:
    whole = tensor.detach().cpu().contiguous()
    return bytes(whole.reshape(-1).view(torch.uint8).numpy().data) if whole.numel() else b""


def _found_from_anywhere(name: str) -> str:
    """The name of a folder or file as it is from any folder; other names as they are."""
    return os.path.abspath(name) if name and os.path.exists(name) else name


@dataclass(frozen=True)
class NetworkEmbedder:
    """The `holotype.recognition.embedders.Embedder` of a network: what its head gets. `source` says what it was made
    from."""

    network: Network
    source: Mapping[str, str]
    device: str = "auto"
    batch_size: int = 64

    @property
    def name(self) -> str:
        """What the network is called."""
        return str(self.network.name)

    @cached_property
    def digest(self) -> str:
        """That of `digest_of`."""
        return digest_of(self.network)

    @property
    def width(self) -> int:
        """How many features the head gets."""
        return self.network.width

    def embed(self, samples: Samples) -> Embeddings:
        """The features of samples."""
        found = features(self.network, samples, self.device, self.batch_size)
        return Embeddings(found.rows, found.damaged)

    def head(self) -> Head:
        """The last layer. Raises `RecognitionError` where nobody said what its outputs mean."""
        network = self.network
        if not network.classes:
            raise RecognitionError(f"nobody said what the outputs of {network.name} mean: it has no classes")
        weight, bias = network.head.weight.detach().cpu().float().numpy(), network.head.bias
        zeros = np.zeros(len(weight), np.float32)
        told = zeros if bias is None else bias.detach().cpu().float().numpy()
        return Head(network.classes, weight, told, self.digest)

    @classmethod
    def of(cls, network: Network, model: str, weights: str, device: str = "auto", batch_size: int = 64) -> Self:
        """That of a network which `holotype.recognition.networks.models.create_model` made of a `model` by name, or the
        folder of a run, and of `weights`."""
        told = {"network": _found_from_anywhere(model), "weights": _found_from_anywhere(weights)}
        return cls(network, MappingProxyType(told), device, batch_size)
