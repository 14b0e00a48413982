"""Questions to releases and to the live catalog: which images, how many, a page of them, a sample."""

from holotype.queries.index import Index
from holotype.queries.live import Live
from holotype.queries.query import FIELDS, Query, Term
from holotype.queries.rows import Candidate, Questions
from holotype.store.location import Location

__all__ = ["FIELDS", "Candidate", "Index", "Live", "Location", "Query", "Questions", "Term"]
