"""Why a URL was not fetched: a fixed word for each reason."""

from __future__ import annotations

from typing import Final

REASONS: Final = {
    "robots": "the host's robots.txt keeps us out, or could not be read",
    "opted_out": "the host reserves its images from collecting: a header, tdmrep.json or ai.txt",
    "blocked_address": "the name leads to an address that is not on the public internet",
    "bad_url": "no address that is fetched from: its scheme, port, host or characters",
    "dead": "gone: 404 or 410",
    "forbidden": "401 or 403",
    "http_status": "another status than 200",
    "timeout": "not there by the deadline",
    "too_slow": "bytes came more slowly than the least rate",
    "too_large": "more bytes than are taken",
    "encoded": "sent in a content encoding, which was not asked for",
    "not_an_image": "the first bytes are no image's",
    "placeholder": "a picture that stands for one that is gone",
    "redirects": "more redirects than are followed, or in a circle",
    "tls": "the certificate or the encrypted connection is not right",
    "connection": "no connection, no such host, a broken connection, or an answer that is no HTTP",
    "throttled": "the host asks to be left alone for longer than is waited for",
}
"""Every reason, with what it means."""
