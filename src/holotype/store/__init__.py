"""The store: where bytes lie, in packs, archives and trees, and one reader for all of them."""
