"""The catalog: everything a project knows, in SQL. `questions` holds one function per question."""

from holotype.catalog import questions
from holotype.catalog.connect import Catalog

__all__ = ["Catalog", "questions"]
