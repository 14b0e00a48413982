"""Where bytes lie, and the reading and writing of them."""
