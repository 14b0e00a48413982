"""Benchmarks: their boards, what teams submit, and those who run them."""
