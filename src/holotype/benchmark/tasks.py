"""The tasks that ship, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from holotype.benchmark.task import Task

OURS: Final[Mapping[str, Task[Any, Any]]] = MappingProxyType({})
