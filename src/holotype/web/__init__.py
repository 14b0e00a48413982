"""The web: pages on which people look, vote and decide, over the Python API. Starlette: ``holotype[web]``."""
