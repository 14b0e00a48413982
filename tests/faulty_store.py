"""A proxy before an object store that does to requests what networks and stores do to them now and then."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

SLOW: Final = "slow"
"""503 SlowDown, before anything is done."""
RESET: Final = "reset"
"""The connection is reset before anything is done."""
CUT: Final = "cut"
"""The connection is reset in the middle of the body of the answer."""
SHORT: Final = "short"
"""The connection is closed in the middle of the body, whose whole length was stated."""
LOST: Final = "lost"
"""It is done, and the connection is closed before the answer."""
WRONG: Final = "wrong"
"""Other bytes than were asked for come, as many."""
EXPIRED: Final = "expired"
"""400 ExpiredToken."""
DENIED: Final = "denied"
"""403 AccessDenied."""
FULL: Final = "full"
"""403 QuotaExceeded."""
OVERWRITES: Final = "overwrites"
"""What was refused because something is there already is said to be done, as by a store that knows no conditions."""

_ERRORS: Final = {
    SLOW: (503, "SlowDown"),
    EXPIRED: (400, "ExpiredToken"),
    DENIED: (403, "AccessDenied"),
    FULL: (403, "QuotaExceeded"),
}
_DROPPED: Final = {"connection", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: its method, its path with the query, its range, and the bytes of its body."""

    method: str
    path: str
    range: str
    body: int


@dataclass(slots=True)
class Faulty:
    """A store at `address` behind faults: `plan` says for each request, in order, what is done to it, "" for nothing.

    `asked` are the requests that came, with what was done to each; `sent` is how many bytes of bodies went out.
    """

    address: str = ""
    plan: Callable[[Asked], str] = lambda _: ""
    asked: list[tuple[Asked, str]] = field(default_factory=list)
    sent: int = 0

    def count(self, method: str = "", pattern: str = "") -> int:
        """How many requests came of a method for paths that match."""
        return sum(one.method.startswith(method) and re.search(pattern, one.path) is not None for one, _ in self.asked)


def first(times: int, fault: str, method: str = "", pattern: str = "") -> Callable[[Asked], str]:
    """A plan: the fault for the first so many requests of a method for paths that match."""
    left = [times]

    def plan(asked: Asked) -> str:
        if left[0] and asked.method.startswith(method) and re.search(pattern, asked.path):
            left[0] -= 1
            return fault
        return ""

    return plan


@contextmanager
def faulty_store(behind: str) -> Iterator[Faulty]:
    """A proxy on the loopback before the store at an address."""
    told, lock, target = Faulty(), threading.Lock(), urlsplit(behind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, self.headers.get("Range", ""), len(body))
            with lock:
                fault = told.plan(asked)
                told.asked.append((asked, fault))
            if fault == RESET:
                self.reset()
            elif fault in _ERRORS:
                status, code = _ERRORS[fault]
                self.send(status, {}, f"<Error><Code>{code}</Code><Message>{fault}</Message></Error>".encode())
            else:
                self.send(*self.passed_on(body, fault), fault)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

        def passed_on(self, body: bytes, fault: str) -> tuple[int, dict[str, str], bytes]:
            connection = HTTPConnection(str(target.hostname), target.port, timeout=60)
            try:
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                found = connection.getresponse()
                data = found.read()
                kept = {name: value for name, value in found.getheaders() if name.lower() not in _DROPPED}
                if self.command == "HEAD":
                    kept["Content-Length"] = found.getheader("Content-Length") or "0"
                if fault == OVERWRITES and found.status == 412:
                    return 200, {**kept, "ETag": '"another"'}, b""
                return found.status, kept, data
            finally:
                connection.close()

        def send(self, status: int, headers: dict[str, str], data: bytes, fault: str = "") -> None:
            if fault == LOST:
                self.reset()
                return
            if fault == WRONG:
                data = bytes(byte ^ 1 for byte in data)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if fault in (CUT, SHORT):
                self.wfile.write(data[: len(data) // 2])
                self.reset() if fault == CUT else self.hang_up()
                return
            with lock:
                told.sent += len(data)
            if self.command != "HEAD":
                self.wfile.write(data)

        def reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.hang_up()

        def hang_up(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_WR) if self.connection else None
            self.connection.close()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
