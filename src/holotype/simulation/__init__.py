"""Simulated crowds: workers like real ones, campaigns rehearsed and replayed, and what is left to pay."""
