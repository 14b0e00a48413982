"""A worker's pages of boxes: to draw one, to judge what others drew, to find what has none; and lessons before."""
