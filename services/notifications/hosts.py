"""The host of a URL that something is delivered to, and whether it may be public."""

from __future__ import annotations

import ipaddress
import re

_LONGEST_NAME = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII | re.IGNORECASE)


def host_of(url: str) -> str:
    """The host that a delivery to this URL connects to: lower-cased, digits and stops of other scripts read as ASCII.

    Raises ValueError with the reason where no delivery could reach it.
    """
    # Imported here: it is what aiohttp parses URLs with, and most functions that import this module never parse one.
    from yarl import URL

    if any(ord(letter) <= ord(" ") or letter == "\x7f" for letter in url):
        raise ValueError("a URL has no spaces and no control letters")
    try:
        parts = URL(url)
    except UnicodeError as error:
        raise ValueError("its host cannot be written as a name of the DNS") from error
    host = parts.raw_host or ""
    if parts.port == 0:
        raise ValueError("its port is none from 1 to 65535")
    if not (_is_address(host) or _is_name(host)):
        raise ValueError("its host is neither a name of the DNS nor an address")
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _is_name(host: str) -> bool:
    """Whether it can be looked up. A name that ends in a number is an address in another spelling."""
    name = host.removesuffix(".")
    labels = name.split(".")
    return len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1])


def may_be_public(host: str) -> bool:
    """False for an address that is not public; True for a host name, which is checked when it is resolved."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved
