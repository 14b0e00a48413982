"""The report of the applications of 2009: one page of what the applications found."""
