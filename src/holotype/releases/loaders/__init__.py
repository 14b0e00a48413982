"""Loaders: batches of pixels and labels to train from, out of releases and of archives where they lie."""
