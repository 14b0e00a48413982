"""JSON over HTTP to a service that asks for a key, which no text of ours may hold."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from holotype.errors import CrowdError, PlatformError

AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""What a service answers where the same request may do later."""
KEY_REFUSED: Final = frozenset({401, 403})
LONGEST_WAIT: Final = 60.0
"""Seconds."""
TIMEOUT: Final = 120.0
"""Seconds for which nothing may come, and in which all of an answer has to, from its head on."""
LARGEST: Final = 4 << 20
"""Bytes of an answer."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Wire:
    """Requests to one `url` with a `key` that is sent as a bearer token.

    Each is tried at most `tries` times, after 1, 2, 4 ... seconds or as long as the service asks for, at most
    `LONGEST_WAIT`; `before` is called before each try.
    """

    def __init__(
        self, url: str, key: str, tries: int, sleep: Callable[[float], None], before: Callable[[], None]
    ) -> None:
        self.host = _host(url, bool(key))
        if not key.isprintable() or not key.isascii() or key.strip() != key:
            raise CrowdError("the key for the endpoint has characters that no key has: see how it is set")
        self._url, self._key = url, key
        self._tries, self._sleep, self._before = max(tries, 1), sleep, before
        self._opener = urllib.request.build_opener(_NoRedirects)

    def __repr__(self) -> str:
        return f"<wire to {self.host}>"

    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to `body`. Raises `PlatformError`, without the key and whatever could hold it."""
        data, done = json.dumps(body).encode(), 0
        while True:
            self._before()
            answer = self._once(data)
            if isinstance(answer, dict):
                return answer
            done += 1
            if done >= self._tries:
                raise PlatformError(f"{self.host} failed {done:,} times: {self._safe(answer.why)}", answer.code)
            self._sleep(min(max(answer.wait, 2.0 ** (done - 1)), LONGEST_WAIT))

    def _once(self, data: bytes) -> dict[str, Any] | _Failure:
        """The answer, or why there was none this time. Raises `PlatformError` where there never will be."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "holotype"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url, data, headers, method="POST")  # noqa: S310 - checked in _host
        try:
            try:
                with self._opener.open(request, timeout=TIMEOUT) as response:
                    return _parsed(_read(response))
            except urllib.error.HTTPError as error:
                failure = self._failure(error)
        except (OSError, http.client.HTTPException) as error:  # the network, and a connection that broke off
            reason = getattr(error, "reason", None)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise PlatformError(f"{self.host} shows no certificate that this machine trusts") from None
            return _Failure(f"it could not be reached ({type(reason or error).__name__})", "network")
        if failure.final:
            raise PlatformError(f"{self.host} refused: {self._safe(failure.why)}", failure.code) from None
        return failure

    def _failure(self, error: urllib.error.HTTPError) -> _Failure:
        """What an answer other than 200 says. What is said of a refused key may hold it, and is not shown."""
        with error:
            status = error.code
            if status in KEY_REFUSED:
                return _Failure(f"the key is not accepted ({status})", str(status), final=True)
            if 300 <= status < 400:
                return _Failure(
                    f"it is elsewhere ({status}): give the URL that it sends one to", str(status), final=True
                )
            said = _message(_read(error))
            wait = _seconds(error.headers.get("Retry-After", ""))
        return _Failure(f"{status}{f': {said}' if said else ''}", str(status), wait, status not in AGAIN)

    def _safe(self, text: str) -> str:
        """A text of the service's without the key, if it has it."""
        held = text.replace(self._key, "...") if self._key else text
        return "".join(letter if letter.isprintable() else " " for letter in held)[:300]


class _Failure:
    """Why a request had no answer, the `code` for it, how many seconds to `wait`, and whether that is `final`."""

    def __init__(self, why: str, code: str, wait: float = 0.0, final: bool = False) -> None:
        self.why, self.code, self.wait, self.final = why, code, wait, final


def _host(url: str, keyed: bool) -> str:
    """The host of a URL. Raises `CrowdError` for one that is none, that holds a password, or that shows the key."""
    try:
        parts = urlsplit(url)
        host, told = parts.hostname or "", parts.username or parts.password
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        host, told, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        raise CrowdError("an endpoint is a URL as https://example.org/v1")
    if told:
        raise CrowdError("an endpoint's URL holds no password: give the key by itself")
    if keyed and parts.scheme == "http" and host not in LOOPBACK:
        raise CrowdError(f"the key would go to {host} readable by everybody: use https")
    return host


def _read(response: Any) -> bytes:
    """What an answer holds, up to a byte more than `LARGEST`. Raises `TimeoutError` for one that only trickles in."""
    found, end = bytearray(), time.monotonic() + TIMEOUT
    while len(found) <= LARGEST and (some := response.read1(min(1 << 16, LARGEST + 1 - len(found)))):
        found += some
        if time.monotonic() > end:
            raise TimeoutError
    return bytes(found)


def _parsed(data: bytes) -> dict[str, Any] | _Failure:
    try:
        value = json.loads(data) if len(data) <= LARGEST else None
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else _Failure("its answer is no JSON object", "answer")


def _message(data: bytes) -> str:
    """What an error says, as the protocol has it."""
    try:
        error = json.loads(data)["error"]
        return str(error.get("message", "") if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _seconds(text: str) -> float:
    """The seconds of a Retry-After; 0 for a date, or none."""
    return float(text) if text.isascii() and text.strip().isdigit() else 0.0
