"""Simulated crowds: fitted, rehearsed, replayed, priced."""
