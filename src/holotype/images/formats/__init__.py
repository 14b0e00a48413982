"""Formats: what a file says of itself, whether all of it is there, and its first picture without metadata."""
