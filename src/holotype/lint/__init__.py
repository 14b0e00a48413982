"""Lint: what is known to be wrong with ImageNet, and rules that find what is wrong with any dataset."""
