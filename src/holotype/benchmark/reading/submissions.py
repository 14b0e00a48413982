"""Submissions: guessed classes, guessed places, detections and answers, keyed by the ids of a truth's items."""

from holotype.benchmark.reading.answers import read_answers
from holotype.benchmark.reading.detections import read_detections
from holotype.benchmark.reading.guesses import read_guesses
from holotype.benchmark.reading.places import read_places

__all__ = ["read_answers", "read_detections", "read_guesses", "read_places"]
