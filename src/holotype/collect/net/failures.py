"""Failures of connections, as the fixed reasons."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from holotype.collect.net.guard import Blocked
from holotype.errors import NotFetched


@asynccontextmanager
async def translated(deadline: float) -> AsyncIterator[None]:
    """Errors of aiohttp, of TLS and of sockets as `NotFetched`, which says nothing of paths, queries or headers."""
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise _no_connection(error) from None
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise NotFetched("tls", type(error).__name__) from None
    except aiohttp.InvalidURL:
        raise NotFetched("bad_url", "no URL that can be asked") from None
    except aiohttp.ServerTimeoutError:
        raise NotFetched("timeout", "no connection in time", again=True) from None
    except TimeoutError:
        raise NotFetched("timeout", f"not there within {deadline:g} seconds", again=True) from None
    except aiohttp.ClientPayloadError:
        raise NotFetched("connection", "the answer ended early", again=True) from None
    except aiohttp.ClientResponseError:
        raise NotFetched("connection", "the answer is no HTTP that can be read") from None
    except (aiohttp.ClientError, OSError) as error:
        raise NotFetched("connection", type(error).__name__, again=True) from None


def _no_connection(error: aiohttp.ClientConnectorError) -> NotFetched:
    if isinstance(error.os_error, Blocked):
        return NotFetched("blocked_address", str(error.os_error))
    if isinstance(error.os_error, ssl.SSLError | ssl.CertificateError) or isinstance(error, aiohttp.ClientSSLError):
        return NotFetched("tls", type(error.os_error).__name__)
    return NotFetched("connection", error.os_error.strerror or type(error.os_error).__name__, again=True)
