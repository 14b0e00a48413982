"""Boxes and masks as arrays, and nothing of where they come from."""
