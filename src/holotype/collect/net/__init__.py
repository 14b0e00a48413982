"""The network: what may be asked of whom, how often, and how bytes come in. aiohttp: ``holotype[collect]``."""
