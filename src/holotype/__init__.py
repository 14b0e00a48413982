"""holotype turns an ontology into a clean, hierarchical, versioned image database, and benchmarks models on it."""

from holotype.project import init
from holotype.project import open_project as open

__version__ = "0.1.0"

__all__ = ["init", "open"]
