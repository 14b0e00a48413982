"""What a score hides: the same metrics by parts of the images, and by what classes have in common."""
