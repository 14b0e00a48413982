"""Exports: a release in the formats that other tools read, each written whole or not at all."""
