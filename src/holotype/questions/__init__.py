"""Questions about many synsets at once: which to ask of an image, and what follows from the answers."""
