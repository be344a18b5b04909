"""Which addresses a provider may live at: the words of a base URL, judged without touching the network.

A name is judged by what it says, not by what it resolves to: whoever connects has to judge the resolved address again
with `verdict`. Always refused are the addresses clouds hand out credentials at.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

DENIED = tuple(
    ip_network(net)
    for net in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata service of most clouds
        "100.100.100.200/32",  # Alibaba's
        "168.63.129.16/32",  # Azure's
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "fe80::/10",
        "fd00:ec2::254/128",  # AWS's over IPv6
        "ff00::/8",
    )
)
NAT64 = ip_network("64:ff9b::/96")
DENIED_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"})


class Reach(StrEnum):
    """How far an address is from here."""

    DENIED = "denied"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"


class Refused(ValueError):
    """The base URL cannot be used; the message says what to write instead."""


def checked(url: str, *, may_be_local: bool = False, local: bool = False) -> str:
    """The base URL, tidied (scheme and host in lower case, no slash at the end).

    `may_be_local`: loopback is fine; with `local` as well, so is a private network. Raises Refused.
    """
    parts = _split(url.strip())
    reach = reach_of(parts.hostname or "")
    if reach is Reach.DENIED:
        raise Refused(f"{parts.hostname} is a link-local or metadata address: nothing that answers models lives there.")
    if reach is Reach.LOOPBACK and not may_be_local:
        raise Refused("Only a generic provider may live on this machine; this kind has a public address.")
    if reach is Reach.PRIVATE and not (may_be_local and local):
        raise Refused(
            f"{parts.hostname} is in a private network. If that is meant, use a generic provider "
            'and write {"local": true} into its options.'
        )
    return f"{parts.scheme.lower()}://{_authority(parts)}{parts.path.rstrip('/')}"


def may_reach(kind: str, options: Mapping[str, Any], *, simulated: bool) -> frozenset[Reach]:
    """How far from here a provider may live: the same rules its base URL was accepted under, for resolved addresses."""
    if simulated:
        return frozenset({Reach.PUBLIC, Reach.LOOPBACK, Reach.PRIVATE})
    if kind != "generic":
        return frozenset({Reach.PUBLIC})
    local = {Reach.PRIVATE} if options.get("local") is True else set()
    return frozenset({Reach.PUBLIC, Reach.LOOPBACK, *local})


def origin(url: str) -> str:
    """Scheme, host and port: what a key is given for."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme.lower())
    except ValueError:
        port = None
    return f"{parts.scheme.lower()}://{(parts.hostname or '').rstrip('.')}:{port}"


def is_this_server(url: str, host: str, port: int) -> bool:
    """Whether a (checked) base URL leads back to the server that listens on `host` and `port`."""
    parts = urlsplit(url)
    at = parts.port or (443 if parts.scheme == "https" else 80)
    name = parts.hostname or ""
    return at == port and (reach_of(name) is Reach.LOOPBACK or name == host.lower())


def reach_of(host: str) -> Reach:
    """How far a host is, from its own words: a name that is not special counts as public."""
    name = host.lower().rstrip(".")
    if name in DENIED_NAMES:
        return Reach.DENIED
    if name == "localhost" or name.endswith(".localhost"):
        return Reach.LOOPBACK
    try:
        return verdict(ip_address(name))
    except ValueError:
        pass
    try:  # 127.1, 0x7f000001 and 2130706433 are addresses to every resolver
        return verdict(IPv4Address(socket.inet_aton(name)))
    except (OSError, ValueError):
        bare = "." not in name or name.endswith((".local", ".internal", ".lan", ".home.arpa"))
        return Reach.PRIVATE if bare else Reach.PUBLIC


def verdict(address: IPv4Address | IPv6Address) -> Reach:
    """How far an address is; IPv4 wrapped in IPv6 is judged as the IPv4 it reaches."""
    address = _unwrapped(address)
    if any(address in net for net in DENIED if net.version == address.version):
        return Reach.DENIED
    if address.is_loopback:
        return Reach.LOOPBACK
    return Reach.PUBLIC if address.is_global else Reach.PRIVATE


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if not isinstance(address, IPv6Address):
        return address
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise Refused("This is not a URL; write for example https://api.example.com/v1.") from None
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or not port_is_fine:
        raise Refused("Write an http or https URL with a host, for example https://api.example.com/v1.")
    if "@" in parts.netloc:
        raise Refused("A name or password does not belong in the URL; enter the key as a key.")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise Refused("A base URL ends with its path: leave out everything from ? or # on.")
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in " \\<>\"'{}|^`%"):
        raise Refused("The URL holds a character that cannot stand there; write an international host as xn--...")
    return parts


def _authority(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    return host if parts.port is None else f"{host}:{parts.port}"
