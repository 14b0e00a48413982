"""Audits: plans and their random samples, exact bounds, certificates of precision."""
