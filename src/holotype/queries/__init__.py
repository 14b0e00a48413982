"""Questions to releases and to the live catalog: which images, how many, a page of them, a sample."""

from holotype.queries.index import Index
from holotype.queries.live import Live
from holotype.queries.query import FIELDS, Query, Term
from holotype.queries.rows import Questions, Row
from holotype.store.location import Location

__all__ = ["FIELDS", "Index", "Live", "Location", "Query", "Questions", "Row", "Term"]
