"""What the loopback's APIs have in common: a socket, faults on demand, and a record of what they were asked."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from loopback.corpus import Work


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in: header names are lower-case, fields those of the query or the form."""

    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body (bytes as they are, anything else as JSON) and headers."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """The body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Service:
    """An API: a context, in which `url` is its base.

    `faults` are used up by the coming requests, one each: an `Answer`, ``cut`` (half of the answer, then the
    connection ends), or None for none. `seen` are all requests in order. It answers with what `answer` makes of one.
    """

    path = "/"

    def __init__(self, corpus: Sequence[Work] = ()) -> None:
        self.corpus = list(corpus)
        self.faults: deque[Answer | str | None] = deque()
        self.seen: list[Asked] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.root = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.url = self.root + self.path
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    def answer(self, asked: Asked) -> Answer:
        """What the API says; runs with no other beside it."""
        raise NotImplementedError

    def take(self, asked: Asked) -> tuple[Answer, bool]:
        """The next fault or the answer, and whether it breaks off in the middle."""
        with self._lock:
            self.seen.append(asked)
            fault = self.faults.popleft() if self.faults else None
            return (fault if isinstance(fault, Answer) else self.answer(asked)), fault == "cut"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._reply(parts.path, parts.query, "GET")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._reply(urlsplit(self.path).path, body.decode(), "POST")

        def _reply(self, path: str, fields: str, method: str) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(path, dict(parse_qsl(fields, keep_blank_values=True)), headers, method)
            answer, cut = service.take(asked)
            self.send_response(answer.status)
            data = answer.data
            said = {"Content-Type": "application/json", "Content-Length": str(len(data)), **answer.headers}
            for name, value in said.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            self.close_connection = cut

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def whole(asked: Asked, name: str, otherwise: int) -> int:
    """A field as a whole number."""
    said = asked.fields.get(name, "")
    return int(said) if said.lstrip("-").isdigit() else otherwise
