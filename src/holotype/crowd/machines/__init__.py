"""Machines that vote: a classifier's scores, a function, or a vision model behind an endpoint."""
