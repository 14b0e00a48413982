"""Consensus: pure models of votes, from a ballot to posteriors and how far they can be believed."""
