"""``python -m chaos.hosts NAME``: what lies beside a stage and is never killed with it; it tells its ports."""

from __future__ import annotations

import atexit
import json
import logging
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conftest import encoded, photo

PICTURES = 60
BUCKET = "chaos"
KEY = "tester", "a-very-secret-key"
_OPEN: list[Any] = []
"""What runs as long as this process."""


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

    def people(path: str, values: dict[str, str], body: str) -> Any:
        server.now = time.time()
        if path == "/reset":
            server.reset()
            server.now = time.time()
        elif path == "/submit":
            return server.submit(values["hit"], values["worker"], body)
        elif path == "/hits":
            return [
                {
                    "hit": id,
                    "question": hit["Question"],
                    "most": hit["MaxAssignments"],
                    "taken": [a["WorkerId"] for a in server.assignments.values() if a["HITId"] == id],
                }
                for id, hit in server.hits.items()
            ]
        elif path == "/facts":
            return {
                "hits": len(server.hits),
                "assignments": Counter(a["AssignmentStatus"] for a in server.assignments.values()),
                "balance": str(server.balance),
            }
        return {}

    return [server.url.rpartition(":")[2], _asked(people)]


def s3() -> list[str]:
    """An object store with an empty bucket, and beside it what is done to it: ``/keep`` what there is, ``/reset`` to
    that, ``/badly`` to answer one request in so many badly."""
    import boto3
    from moto.server import ThreadedMotoServer

    from faulty_store import CUT, LOST, RESET, SHORT, SLOW, WRONG, faulty_store

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.Session(*KEY, region_name="us-east-1").client("s3", endpoint_url=address)
    client.create_bucket(Bucket=BUCKET)
    held: dict[str, bytes] = {}
    proxy = faulty_store(address)
    store = proxy.__enter__()
    _OPEN.append(proxy)

    def there() -> dict[str, bytes]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        names = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return {name: client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}

    def done(path: str, values: dict[str, str], _: str) -> Any:
        if path == "/keep":
            held.clear()
            held.update(there())
        elif path == "/reset":
            for name in there().keys() - held.keys():
                client.delete_object(Bucket=BUCKET, Key=name)
            for name, data in held.items():
                client.put_object(Bucket=BUCKET, Key=name, Body=data)
        elif path == "/badly":
            dice, share = random.Random(values["seed"]), float(values["share"])
            faults = SLOW, RESET, CUT, SHORT, LOST, WRONG
            store.plan = lambda _: dice.choice(faults) if dice.random() < share else ""
        return {}

    return [store.address, _asked(done)]


def ray() -> list[str]:
    """A cluster of two nodes, one of which ``/lose`` ends; ``/nodes`` says how many there are."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = [nodes.add_node(num_cpus=1)]
    atexit.register(nodes.shutdown)

    def done(path: str, values: dict[str, str], _: str) -> Any:
        if path == "/lose" and second:
            nodes.remove_node(second.pop(), allow_graceful=False)
        return 1 + len(second)

    return [nodes.address, _asked(done)]


def _asked(told: Callable[[str, dict[str, str], str], Any]) -> str:
    """Answer what is asked of a host, beside what it serves; the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            data = json.dumps(told(asked.path, dict(parse_qsl(asked.query)), body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return str(server.server_address[1])


if __name__ == "__main__":
    print(" ".join({"pictures": pictures, "mturk": mturk, "s3": s3, "ray": ray}[sys.argv[1]]()), flush=True)
    sys.stdin.read()  # until whoever started this is gone
    atexit._run_exitfuncs()
    os._exit(0)
