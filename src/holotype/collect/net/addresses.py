"""Which addresses are on the public internet, and may be connected to.

What is not surely public is refused: Python's ``is_global`` says yes to multicast, to 6to4 and to IPv4 addresses inside
IPv6 ones, so that the lists here are our own (IANA's special-purpose registries, RFC 6890), and of IPv6 only
2000::/3 is let in at all.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_V4: Final = tuple(
    (IPv4Network(network), what)
    for network, what in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "a cloud's metadata"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "for protocols"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "6to4 relays"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_PUBLIC_V6: Final = IPv6Network("2000::/3")
_V6: Final = tuple(
    (IPv6Network(network), what)
    for network, what in (
        ("2001::/23", "for protocols (Teredo, ORCHID)"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "for documentation"),
    )
)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


def refused(address: str | IPv4Address | IPv6Address) -> str | None:
    """What is wrong with connecting to an address, or None where it is public.

    >>> refused("169.254.169.254"), refused("::ffff:10.0.0.1"), refused("8.8.8.8")
    ('link-local', 'private', None)
    """
    try:
        found = ip_address(address)
    except ValueError:
        return "no address"
    return _refused_v4(found) if isinstance(found, IPv4Address) else _refused_v6(found)


def _refused_v4(address: IPv4Address) -> str | None:
    return next((what for network, what in _V4 if address in network), None)


def _refused_v6(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "of one link"
    if address in _MAPPED or address in _NAT64:
        return _refused_v4(IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _PUBLIC_V6:
        return "loopback" if address.is_loopback else "not public"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "a tunnel"
    return next((what for network, what in _V6 if address in network), None)
