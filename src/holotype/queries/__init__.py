"""Queries: one value that asks for images, answered by a release or by the live catalog."""

from holotype.queries.index import Index
from holotype.queries.live import Live
from holotype.queries.query import FIELDS, Query, Term
from holotype.queries.rows import Candidate, Questions
from holotype.store.location import Location

__all__ = ["FIELDS", "Candidate", "Index", "Live", "Location", "Query", "Questions", "Term"]
