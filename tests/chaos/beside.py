"""What lies beside a stage, in a process of its own: how it is begun, asked, and known to what works with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

from chaos.hosts import KEY
from object_store import ObjectStore


class Beside:
    """A host of `chaos.hosts` by its name, or nothing by none. It ends with this process, or with `end`."""

    def __init__(self, name: str) -> None:
        self.name, self._ports = name, ""
        if name:
            line = [sys.executable, "-m", "chaos.hosts", name]
            self._process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert self._process.stdout is not None
            self._ports = self._process.stdout.readline().strip()

    def ask(self, path: str) -> Any:
        """Have something done to it, where it can, and what it says."""
        return [asked(int(port), path) for port in self._ports.split()[1:]]

    def known_to(self, work: Callable[[], Any]) -> Callable[[], Any]:
        """`work` in a process that knows it."""

        def knowing() -> Any:
            os.environ["CHAOS_PORTS"] = self._ports
            if self.name == "s3":
                os.environ |= ObjectStore(self._ports.split()[0], *KEY).environment()
            if self.name == "ray":
                os.environ |= {"RAY_ADDRESS": self._ports.split()[0], "HOLOTYPE_ENGINE": "ray"}
            return work()

        return knowing

    def end(self) -> None:
        """End it."""
        if self.name:
            self._process.communicate()


def asked(port: int, path: str, body: str = "") -> Any:
    """What a host beside a stage answers."""
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", body.encode(), method="POST")) as answer:
        return json.load(answer)


def ports() -> list[int]:
    """The ports of what runs beside a stage; what is asked of it goes to the last."""
    return [int(place.rpartition(":")[2]) for place in os.environ["CHAOS_PORTS"].split()]
