"""Audits: plans, bounds, certificates."""
