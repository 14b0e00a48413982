"""A vision model on the loopback that speaks chat completions over HTTP as far as holotype uses it, with faults."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

Answer = Callable[[Image.Image, str], object]


class VisionServer:
    """The service: `url` is its base, `key` what it wants as a bearer token.

    `faults` are used up by the coming requests, one each: a status with a body to answer, or ``cut`` (the connection),
    ``garbage``, ``moved``. `seen` are the pictures it was shown, with what it was asked; `requests` counts all, those
    refused too. It answers what `answer` makes of a picture and its question.
    """

    def __init__(self, answer: Answer, key: str = "") -> None:
        self.answer, self.key = answer, key
        self.faults: deque[object] = deque()
        self.seen: list[tuple[Image.Image, str]] = []
        self.files: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.requests = 0
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def reply(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body for a request; None cuts the connection."""
        with self._lock:
            self.requests += 1
            self.headers.append(headers)
            fault = self.faults.popleft() if self.faults else None
        if fault == "cut":
            return None
        if fault == "garbage":
            return 200, {}, b'{"choices": ['
        if fault == "moved":
            return 307, {"Location": f"{self.url}/elsewhere"}, b""
        if isinstance(fault, tuple):
            status, said, *more = fault
            return status, (more[0] if more else {}), json.dumps(said).encode()
        if path != "/v1/chat/completions":
            return 404, {}, _error("no such place")
        if self.key and headers.get("Authorization") != f"Bearer {self.key}":
            return 401, {}, _error(f"Incorrect API key provided: {headers.get('Authorization')}")
        return self._complete(json.loads(body))

    def _complete(self, asked: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if set(asked) != {"model", "messages"} or asked["model"] != "looker":
            return 404, {}, _error(f"The model {asked.get('model')!r} does not exist")
        (message,) = asked["messages"]
        text, picture = message["content"]
        head, _, data = picture["image_url"]["url"].partition(",")
        if (message["role"], text["type"], picture["type"], head) != (
            "user",
            "text",
            "image_url",
            "data:image/jpeg;base64",
        ):
            return 400, {}, _error("not a question with a picture")
        file = base64.b64decode(data, validate=True)
        image = Image.open(io.BytesIO(file))
        image.load()
        with self._lock:
            self.seen.append((image, text["text"]))
            self.files.append(file)
        said = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "looker",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": self.answer(image, text["text"])},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 90, "completion_tokens": 3, "total_tokens": 93},
        }
        return 200, {}, json.dumps(said).encode()


def _error(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "code": None}}).encode()


def _handler(server: VisionServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = server.reply(self.path, dict(self.headers), body)
            if reply is None:
                self.close_connection = True
                return
            status, headers, data = reply
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
