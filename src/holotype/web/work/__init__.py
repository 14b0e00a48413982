"""The worker's pages: what to do, the grid, lessons before it, flags; and the same grid in Mechanical Turk's frame."""
