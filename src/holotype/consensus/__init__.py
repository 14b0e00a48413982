"""Consensus: pure models of votes."""
