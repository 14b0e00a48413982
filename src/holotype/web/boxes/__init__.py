"""A worker's pages of boxes: to draw one, to judge those that others drew, to find what has none; and lessons before."""
