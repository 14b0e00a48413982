"""Where in pictures a network looks: gradient-weighted class activation maps (Selvaraju et al., ICCV 2017)."""

from __future__ import annotations

from typing import Any

from holotype.errors import RecognitionError
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.maps import as_maps, seeing_layer
from holotype.recognition.networks.network import Network


def grad_cam(network: Network, images: Any, targets: Any = None, layer: str | None = None) -> Any:
    """How much each place of normalised images ``(n, 3, height, width)`` speaks for what is asked, ``(n, h, w)`` from 0
    to 1, the largest of each image 1: on the grid of the layer, which covers the image.

    `targets` are class indices ``(n,)``; or booleans ``(n, outputs)``, the classes that count as one, as those below a
    synset do: its output is then the logarithm of the sum of the exponentials of theirs. Without them it is the class
    that the network guesses. A `layer` is named as the network names it, or found by `seeing_layer`. Where nothing
    speaks for a target, its map is zeros. The network is set to evaluation.

    Raises `RecognitionError` where the layer gives no maps, or an output is no number.
    """
    return explained(network, images, targets, layer)[0]


def explained(network: Network, images: Any, targets: Any = None, layer: str | None = None) -> tuple[Any, Any]:
    """The maps of `grad_cam`, and the outputs ``(n, outputs)`` that they are about."""
    network.eval()
    name = seeing_layer(network, images[:1]) if layer is None else layer
    uses = _uses(network, name, images[:1])
    held: list[Any] = []

    def hold(_: Any, __: Any, output: Any) -> Any:
        held.append(output)
        if len(held) < uses:
            return None
        torch.set_grad_enabled(True)  # from here on, so that what was before takes no memory; `no_grad` ends it
        held[:] = [output.detach().requires_grad_().clone()]  # a copy, which what follows may change in place
        return held[0]

    hook = network.module.get_submodule(name).register_forward_hook(hold)
    try:
        with torch.no_grad():
            outputs = network(images)
            _check(outputs, network.name)
            (gradient,) = torch.autograd.grad(_scores(outputs, targets).sum(), held)
    finally:
        hook.remove()
    maps, slopes = (as_maps(one.detach(), images.shape[-2:]).float() for one in (held[0], gradient))
    weighted = (maps * slopes.mean((2, 3), keepdim=True)).sum(1).relu()
    return weighted / weighted.amax((1, 2), keepdim=True).clamp_min(torch.finfo(weighted.dtype).tiny), outputs.detach()


def _uses(network: Network, name: str, image: Any) -> int:
    """How often a layer is used for an image. Raises `RecognitionError` where it gives no maps."""
    try:
        layer = network.module.get_submodule(name)
    except AttributeError as error:
        raise RecognitionError(f"{network.name} has no layer {name[:60]!r}") from error
    given: list[bool] = []
    hook = layer.register_forward_hook(
        lambda _, __, output: given.append(as_maps(output, image.shape[-2:]) is not None)
    )
    try:
        with torch.no_grad():
            network(image)
    finally:
        hook.remove()
    if not given or not given[-1]:
        raise RecognitionError(f"the layer {name} of {network.name} gives no maps")
    return len(given)


def _scores(outputs: Any, targets: Any) -> Any:
    """What is explained of each image, ``(n,)``."""
    if targets is None:
        return outputs.amax(1)
    asked = torch.as_tensor(targets, device=outputs.device)
    if asked.dtype == torch.bool:
        return outputs.masked_fill(~asked, -torch.inf).logsumexp(1)
    return outputs.gather(1, asked.long()[:, None])[:, 0]


def _check(outputs: Any, name: str) -> None:
    wrong = (~outputs.isfinite()).any(1).nonzero()[:, 0].tolist()
    if wrong:
        raise RecognitionError(f"{name} has outputs that are no numbers, for image {wrong[0]} of the batch")
