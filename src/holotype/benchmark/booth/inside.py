"""The process that evaluates one submission. It closes itself in before it imports or reads anything of others.

Run as a script: it reads a JSON line with the limits, where modules are, and the job from stdin, and writes its finding
as JSON to stdout. What task and submission print goes nowhere.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from typing import Any

NAMESPACE, HOOK = "an empty network namespace", "a hook that refuses sockets"
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.startfile", "pty.")


def close_in(memory: int, seconds: int, written: int) -> str:
    """Let this process have so many bytes of memory, seconds of CPU and bytes of a file, and no network and children;
    by which means it has no network.

    Linux lets most processes have a network namespace of their own, which is empty; where it does not, sockets are
    refused in Python: what is read is data, and runs no code that could go round that.
    """
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))
    apart = _unshare()
    sys.addaudithook(_refuse)
    return f"{NAMESPACE} and {HOOK}" if apart else HOOK


def _unshare() -> bool:
    """Whether this process has no network from now on."""
    if sys.platform != "linux":
        return False
    call = ctypes.CDLL(None, use_errno=True).unshare
    return bool(call(_NEW_NETWORK) == 0 or call(_NEW_USER | _NEW_NETWORK) == 0)


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED) and event != "socket.gethostname":
        raise PermissionError(f"{event} is refused: what is evaluated has no network, and starts nothing")


def main() -> None:
    """Read a job, evaluate it, and write what was found."""
    told = json.loads(sys.stdin.readline())
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    apart = close_in(told["memory"], told["seconds"], told["written"])
    sys.path[:0] = [one for one in told["path"] if one not in sys.path]
    from holotype.benchmark.booth.finding import find

    found = find(told["job"])
    with os.fdopen(answer, "w") as file:
        json.dump({**found, "network": apart}, file)


if __name__ == "__main__":
    main()
