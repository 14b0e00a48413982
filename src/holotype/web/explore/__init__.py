"""Exploring: the tree, synsets, pictures and releases of a project, for whoever may look; and asking to be left out."""
