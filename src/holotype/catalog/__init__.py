"""The catalog: everything a project knows, in SQL. One module a subject, one function a question."""

from holotype.catalog.connect import Catalog

__all__ = ["Catalog"]
