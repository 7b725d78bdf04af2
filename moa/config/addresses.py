"""Which base URLs a provider may have. Pure: nothing is resolved or fetched.

Allowed is https to a public host, and http or https to this machine; private ranges and local names only
with ``allow_private = true``. Cloud metadata addresses are refused whatever the configuration says, since a
request sent there can hand out the machine's own credentials. A name is judged as it is written: what it
resolves to later is for the client, which follows no redirects.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA_NAMES = {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
_METADATA_ADDRESSES = {
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PRIVATE_SUFFIXES = (".local", ".lan", ".internal", ".home.arpa", ".intranet")
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_PRINTABLE = re.compile(r"[!-~]+")


def base_url_problem(url: str, *, allow_private: bool) -> str | None:
    """Why ``url`` can't be a provider's base URL, and what to do; ``None`` when it can. Never repeats it."""
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        return "has blanks or characters that a URL can't have; write it as https://host/path"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL; write it as https://host/path"
    return _shape_problem(parts, host) or _host_problem(parts.scheme, host or "", allow_private)


def _shape_problem(parts: SplitResult, host: str | None) -> str | None:
    if parts.scheme not in ("http", "https"):
        return "must begin with https:// (or http:// for a server on this machine)"
    if "@" in parts.netloc:
        return "must not hold a user name or password; name the key's variable with api_key_env"
    if not host:
        return "names no host; write it as https://host/path"
    if parts.query or parts.fragment:
        return "must end before ? and #; put extra request fields into extra_body"
    return None


def _host_problem(scheme: str, host: str, allow_private: bool) -> str | None:
    address = _address(host)
    if address is None and not _names_a_host(host):
        return "has a host that is neither a name nor an ordinary IP address"
    if _is_metadata(host, address):
        return "is a cloud metadata address, which is never called; name the provider's own host"
    if address is not None and (address.is_unspecified or address.is_multicast):
        return "is not the address of one server; use 127.0.0.1 for this machine"
    if _is_loopback(host, address):
        return None
    if _is_private(host, address):
        return None if allow_private else "is in a private network; add allow_private = true if you trust it"
    return None if scheme == "https" else "must be https, since the key would travel readable; use https://"


def _address(host: str) -> _Address | None:
    """The address that ``host`` is, with the IPv4 address inside an IPv6 one taken out."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _names_a_host(host: str) -> bool:
    """False for numbers in disguise (``2130706433``, ``0x7f.1``), which resolvers read as addresses."""
    if not _HOST_NAME.fullmatch(host) or len(host) > 253:
        return False
    last = host.rstrip(".").rpartition(".")[2]
    return not (last.isdecimal() or re.fullmatch(r"0x[0-9a-f]*", last))


def _is_metadata(host: str, address: _Address | None) -> bool:
    if address is None:
        return host.rstrip(".") in _METADATA_NAMES
    return address.is_link_local or address in _METADATA_ADDRESSES


def _is_loopback(host: str, address: _Address | None) -> bool:
    if address is None:
        name = host.rstrip(".")
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback


def _is_private(host: str, address: _Address | None) -> bool:
    if address is None:
        name = host.rstrip(".")
        return "." not in name or name.endswith(_PRIVATE_SUFFIXES)
    return not address.is_global
