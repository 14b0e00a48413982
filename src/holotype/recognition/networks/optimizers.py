"""What changes weights: PyTorch's optimizers by a recipe, and two for large batches, LAMB and LARS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from holotype.recognition.networks.extra import torch
from holotype.recognition.recipes import Optimizer


def optimizer_of(module: Any, asked: Optimizer, lr: float) -> Any:
    """The optimizer of the weights of a network that are to learn, those that decay and those that do not apart."""
    groups = parameter_groups(module, asked)
    match asked.name:
        case "sgd":
            return torch.optim.SGD(groups, lr=lr, momentum=asked.momentum, nesterov=asked.nesterov)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=lr, alpha=asked.alpha, eps=asked.eps, momentum=asked.momentum)
        case "adamw":
            return torch.optim.AdamW(groups, lr=lr, betas=asked.betas, eps=asked.eps)
        case "lamb":
            return Lamb(groups, lr=lr, betas=asked.betas, eps=asked.eps)
        case "lars":
            return Lars(groups, lr=lr, momentum=asked.momentum)


def parameter_groups(module: Any, asked: Optimizer) -> list[dict[str, Any]]:
    """The parameters that learn, as groups for an optimizer.

    Biases and parameters of norms do not decay unless all are to (Goyal et al., 2017, section 5.3); slopes of PReLU
    never do, which would make them ReLUs (He et al., ICCV 2015, section 2.1).
    """
    decaying: list[Any] = []
    others: list[Any] = []
    for layer in module.modules():
        slopes = isinstance(layer, torch.nn.PReLU)
        for parameter in layer.parameters(recurse=False):
            if parameter.requires_grad:
                decays = not slopes and (asked.decay_all or parameter.dim() > 1)
                (decaying if decays else others).append(parameter)
    groups = ((decaying, asked.weight_decay), (others, 0.0))
    return [{"params": _once(held), "weight_decay": decay} for held, decay in groups if held]


def _once(parameters: Iterable[Any]) -> list[Any]:
    """Each but once: layers may share them."""
    return list({id(one): one for one in parameters}.values())


class _OneByOne(torch.optim.Optimizer):  # type: ignore[misc]
    """An optimizer that changes each parameter by itself."""

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Any = None) -> Any:
        """Change the parameters by their gradients."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._change(parameter, group)
        return loss

    def _change(self, parameter: Any, group: dict[str, Any]) -> None:
        raise NotImplementedError


class Lamb(_OneByOne):
    """Adam whose step is as long, for each layer, as its weights are (You et al., ICLR 2020, algorithm 2).

    Parameters without weight decay are changed as by Adam, as in the runs of "ResNet strikes back".
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def _change(self, parameter: Any, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["mean"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
            state["square"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        state["step"] += 1
        first, second = group["betas"]
        state["mean"].lerp_(parameter.grad, 1 - first)
        state["square"].mul_(second).addcmul_(parameter.grad, parameter.grad, value=1 - second)
        scale = (state["square"] / (1 - second ** state["step"])).sqrt_().add_(group["eps"])
        update = state["mean"] / (1 - first ** state["step"]) / scale
        if group["weight_decay"]:
            update.add_(parameter, alpha=group["weight_decay"])
            update.mul_(_trust(parameter.norm(), update.norm()))
        parameter.add_(update, alpha=-group["lr"])


class Lars(_OneByOne):
    """SGD with momentum whose rate is, for each layer, `trust` times the norm of its weights over that of their change
    (You, Gitman and Ginsburg, 2017, algorithm 1). Parameters of one dimension are changed as by SGD."""

    def __init__(
        self, params: Any, lr: float = 1.0, momentum: float = 0.9, trust: float = 1e-3, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "trust": trust, "weight_decay": weight_decay})

    def _change(self, parameter: Any, group: dict[str, Any]) -> None:
        update = parameter.grad.add(parameter, alpha=group["weight_decay"])
        if parameter.dim() > 1:
            update.mul_(_trust(group["trust"] * parameter.norm(), update.norm()))
        state = self.state[parameter]
        if not state:
            state["mean"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        state["mean"].mul_(group["momentum"]).add_(update)
        parameter.add_(state["mean"], alpha=-group["lr"])


def _trust(wanted: Any, length: Any) -> Any:
    """How much longer a step is made, so that its `length` is the one `wanted`; 1 where either is 0."""
    return torch.where((wanted > 0) & (length > 0), wanted / length, torch.ones_like(length))
