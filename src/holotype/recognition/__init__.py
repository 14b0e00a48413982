"""Recognition: models trained on releases. So far a small baseline."""
