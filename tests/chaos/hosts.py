"""``python -m chaos.hosts NAME``: what lies beside a stage and is never killed with it; it tells its ports."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conftest import encoded, photo

PICTURES = 60


def pictures() -> list[str]:
    """A host of pictures; the last of them is not there."""
    from loopback.pictures import Pictures

    host = Pictures({f"/{number}.jpg": encoded(photo(7000 + number, 240, 180)) for number in range(PICTURES - 1)})
    host.__enter__()
    return [host.root.rpartition(":")[2]]


def mturk() -> list[str]:
    """Mechanical Turk, and beside it what people do there: ``/reset``, ``/hits``, ``/submit``, ``/facts``."""
    from mturk_server import MTurkServer

    server = MTurkServer()

    class People(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = urlsplit(self.path)
            values, body = dict(parse_qsl(asked.query)), self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told: Any = {}
            server.now = time.time()
            if asked.path == "/reset":
                server.reset()
                server.now = time.time()
            elif asked.path == "/submit":
                told = server.submit(values["hit"], values["worker"], body.decode())
            elif asked.path == "/hits":
                told = [
                    {
                        "hit": id,
                        "question": hit["Question"],
                        "most": hit["MaxAssignments"],
                        "taken": [a["WorkerId"] for a in server.assignments.values() if a["HITId"] == id],
                    }
                    for id, hit in server.hits.items()
                ]
            else:
                told = {
                    "hits": len(server.hits),
                    "assignments": Counter(a["AssignmentStatus"] for a in server.assignments.values()),
                    "balance": str(server.balance),
                }
            data = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    people = ThreadingHTTPServer(("127.0.0.1", 0), People)
    threading.Thread(target=people.serve_forever, daemon=True).start()
    return [server.url.rpartition(":")[2], str(people.server_address[1])]


if __name__ == "__main__":
    print(" ".join({"pictures": pictures, "mturk": mturk}[sys.argv[1]]()), flush=True)
    sys.stdin.read()  # until whoever started this is gone
    os._exit(0)
