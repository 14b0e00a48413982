"""holotype turns an ontology into a clean, hierarchical, versioned image database, and benchmarks models on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holotype.version import VERSION

if TYPE_CHECKING:
    from holotype.project import init
    from holotype.project import open_project as open

__version__ = VERSION

__all__ = ["init", "open"]


def __getattr__(name: str) -> Any:
    # Looked up on first use: whoever only wants the ontology need not wait for decoders and databases.
    if name in __all__:
        from holotype import project

        return {"init": project.init, "open": project.open_project}[name]
    raise AttributeError(f"module 'holotype' has no attribute {name!r}")
