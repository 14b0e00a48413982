"""The pages of those who run a project: how it stands, campaigns, workers, gold, audits, flags and removals."""
