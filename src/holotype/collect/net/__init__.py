"""The network: what may be asked of whom, how often, and how bytes come in. aiohttp: ``holotype[collect]``."""

from importlib.util import find_spec

if _missing := [name for name in ("aiohttp", "idna", "protego", "publicsuffixlist") if find_spec(name) is None]:
    raise ImportError(f"this needs {', '.join(_missing)}, an extra: pip install 'holotype[collect]'")
