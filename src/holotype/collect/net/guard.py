"""The guard at the connection: whatever a name resolves to, only public addresses are connected to.

A name is checked when it is looked up (`holotype.collect.net.names`), and the address again by the socket that connects
to it, with nothing in between: a record that has changed meanwhile, or a redirect, changes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any, Final

from holotype.collect.net.addresses import refused

_PORTS: Final = (80, 443)


class Blocked(OSError):
    """A connection that is not made."""


class Guard:
    """Who may be connected to: public addresses on ports 80 and 443, and those of `allowed`.

    `allowed` has pairs of an address and a port, for servers of tests and demos on this machine. It is given in code
    alone; no setting and no environment variable adds to it.
    """

    def __init__(self, allowed: Iterable[tuple[str, int]] = ()) -> None:
        self._allowed = frozenset(allowed)
        self.ports: Final = frozenset(_PORTS) | {port for _, port in self._allowed}

    def refused(self, address: str, port: int) -> str | None:
        """What is wrong with connecting to a port of an address, or None.

        >>> guard = Guard([("127.0.0.1", 8000)])
        >>> guard.refused("127.0.0.1", 8000), guard.refused("127.0.0.1", 80), guard.refused("8.8.8.8", 8000)
        (None, 'loopback', 'port 8000')
        """
        if (address, port) in self._allowed:
            return None
        return refused(address) or (None if port in _PORTS else f"port {port}")

    def socket(self, where: tuple[Any, ...]) -> socket.socket:
        """A socket for what `socket.getaddrinfo` found, about to be connected. Raises `Blocked`."""
        family, kind, protocol, _, address = where
        wrong = self.refused(*address[:2])
        if wrong is not None:
            raise Blocked(f"{address[0]} is not connected to: {wrong}")
        return socket.socket(family, kind, protocol)
