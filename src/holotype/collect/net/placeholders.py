"""Pictures that stand for ones that are gone: served with status 200, they would be taken for images.

They are known by their bytes, by where a redirect leads, and, of one site, by their size. The hashes are data: whoever
meets a placeholder again and again adds it (`sha256sum FILE`), or hands over ones of their own. Flickr's picture "photo
is no longer available" is known to have 2,051 bytes in its older form; its bytes were not at hand when this was
written, so that it is recognised by that size at Flickr's hosts, and by the redirect to ``photo_unavailable``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from holotype.collect.net.names import site

HASHES: Final[Mapping[str, str]] = {}
"""sha256 of placeholders, in hexadecimal, and what they are; none that we could check ourselves so far."""

_WHERE: Final = re.compile(r"/(?:photo_unavailable|photo_not_available)[^/]*$")
_FLICKR: Final = frozenset({"flickr.com", "staticflickr.com", "yimg.com"})
_FLICKR_BYTES: Final = 2_051


def placeholder(url: str, body: bytes, hashes: Mapping[str, str] = HASHES) -> str | None:
    """What a body stands for that came from a URL after redirects, or None for a picture.

    >>> placeholder("https://s.yimg.com/pw/images/en-us/photo_unavailable.png", b"PNG")
    'photo_unavailable'
    """
    parts = urlsplit(url)
    owner = site(parts.hostname or "")
    if _WHERE.search(parts.path):
        return "photo_unavailable"
    if owner == "imgur.com" and parts.path == "/removed.png":
        return "Imgur's removed.png"
    if len(body) == _FLICKR_BYTES and owner in _FLICKR:
        return "Flickr's of 2,051 bytes"
    return hashes.get(hashlib.sha256(body).hexdigest()) if hashes else None
