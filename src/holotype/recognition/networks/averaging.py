"""An exponential average of a network's weights over its steps, which is scored and kept in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from holotype.recognition.networks.extra import torch


class Average:
    """The average of all that a module's state holds, statistics of batch norms too; whole numbers are the newest.

    After `steps` steps the part of the old is `decay`, or ``(1 + steps) / (10 + steps)`` while that is smaller, so that
    the weights of the beginning are soon forgotten. Without a module's own weights it is nothing.
    """

    def __init__(self, module: Any, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self._module = module
        self._kept = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def update(self) -> None:
        """Take in the module's state after a step."""
        self.steps += 1
        part = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in self._module.state_dict().items():
            if value.is_floating_point():
                self._kept[name].lerp_(value, 1 - part)
            else:
                self._kept[name].copy_(value)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Let the module have the average as its state while this lasts."""
        own = {name: value.detach().clone() for name, value in self._module.state_dict().items()}
        self._module.load_state_dict(self._kept)
        try:
            yield
        finally:
            self._module.load_state_dict(own)

    def state(self) -> dict[str, Any]:
        """All of it."""
        return {"steps": self.steps, "kept": self._kept}

    def load(self, state: Mapping[str, Any]) -> None:
        """Become what had that state."""
        self.steps = int(state["steps"])
        for name, value in state["kept"].items():
            self._kept[name].copy_(value)
