"""Heat maps of many pictures: where a network looks that is asked about synsets, or about what it guesses."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from holotype.engine import Progress, map_batches, no_progress
from holotype.errors import RecognitionError
from holotype.recognition.asked import Asked
from holotype.recognition.heat import HeatMaps, joined
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.features import normalised
from holotype.recognition.networks.grad_cam import explained
from holotype.recognition.networks.maps import seeing_layer
from holotype.recognition.networks.network import Network
from holotype.recognition.shown import Pictures, View, read_pictures
from holotype.releases.loaders import Damaged, Samples


def heat_maps(
    network: Network,
    samples: Samples,
    asked: Asked | None = None,
    *,
    view: View = "centre",
    layer: str | None = None,
    device: str = "auto",
    batch_size: int = 32,
    progress: Progress = no_progress,
) -> HeatMaps:
    """Where a network looks in the pictures of samples, by `grad_cam`: what speaks for the synset it is `asked` about
    in each, or without that for the class that it guesses. What it is asked and does not know has no map.

    It is shown the ``centre`` of each picture, as its preprocessing has it, or the ``whole``, squeezed to a square. The
    network is moved to the device, and set to evaluation. Raises `RecognitionError` where the layer gives no maps, an
    output is no number, or the network has not as many outputs as are asked.
    """
    if asked is not None and asked.outputs.shape[1] != network.outputs:
        raise RecognitionError(f"{network.name} has {network.outputs:,} outputs, not {asked.outputs.shape[1]:,}")
    there = device_named(device)
    network.to(there).eval()
    known = np.arange(len(samples)) if asked is None else np.flatnonzero(asked.known)
    batches = (known[first : first + batch_size] for first in range(0, len(known), batch_size))
    parts: list[HeatMaps] = []
    damaged: list[Damaged] = []
    done = 0
    progress(done, len(known))
    for pictures in map_batches(partial(read_pictures, samples, network.preprocessing, view), batches, kind="threads"):
        damaged += pictures.damaged
        if len(pictures.numbers):
            images = normalised(torch.from_numpy(pictures.shown).to(there), network.preprocessing)
            layer = layer or seeing_layer(network, images[:1])
            parts.append(_maps(network, images, layer, samples, asked, pictures))
        done += len(pictures.numbers) + len(pictures.damaged)
        progress(done, len(known))
    return joined(parts, damaged)


def _maps(
    network: Network, images: Any, layer: str, samples: Samples, asked: Asked | None, pictures: Pictures
) -> HeatMaps:
    numbers = pictures.numbers
    about = None if asked is None else torch.from_numpy(asked.outputs[asked.of[numbers]]).to(images.device)
    maps, outputs = explained(network, images, about, layer)
    shares = outputs.float().softmax(1)
    given = shares.amax(1) if about is None else (shares * about).sum(1)
    return HeatMaps(
        tuple(samples.ids[number].as_py() for number in numbers.tolist()),
        _guessed(network, outputs) if asked is None else asked.synsets(numbers),
        numbers,
        maps.cpu().numpy(),
        pictures.frames,
        pictures.sizes,
        given.cpu().numpy(),
    )


def _guessed(network: Network, outputs: Any) -> tuple[str, ...]:
    """The wnids of the largest outputs; "" where nobody said what they are."""
    return tuple(network.classes[place] if network.classes else "" for place in outputs.argmax(1).tolist())
