"""Collecting candidates: files that come in, and the synsets they were found for."""
