"""Devices on networks: IMEI, IP, access point, e-mail, content hash."""

from __future__ import annotations

import re
from bisect import bisect_right
from ipaddress import AddressValueError, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from graph.normalise.account import passes_luhn
from graph.normalise.reading import Reading, refused
from graph.normalise.text import at_border, compact

_FACTORY_IMEIS: Final = frozenset({"004999010640000", "012345678901237", "123456789012347"})


def _read_imei(text: str) -> Reading:
    number = compact(text)
    if not number.isdecimal():
        return refused("characters")
    if len(number) == 14:
        return refused("imei_check_missing")
    if len(number) != 15:
        return refused("imei_length")
    if number in _FACTORY_IMEIS:
        return refused("placeholder")
    return Reading(number) if passes_luhn(number) else refused("imei_check")


# IANA special-purpose registries: addresses that belong to nobody, or to a whole carrier (100.64/10).
_NEVER_LINK_4: Final = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24"
    " 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3"
)
_RANGES_4: Final = sorted((int(net[0]), int(net[-1])) for net in map(IPv4Network, _NEVER_LINK_4.split()))
_STARTS_4: Final = [start for start, _ in _RANGES_4]
_GLOBAL_6: Final = IPv6Network("2000::/3")
_NEVER_LINK_6: Final = (IPv6Network("2001::/23"), IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20"))
_FIRST_6, _LAST_6 = int(_GLOBAL_6[0]), int(_GLOBAL_6[-1])
_RANGES_6: Final = [(int(net[0]), int(net[-1])) for net in _NEVER_LINK_6]

_IPV4: Final = re.compile(r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})")


def _read_ip(text: str) -> Reading:
    """Leading zeros are refused: 010 is 10 to one program and 8 to another."""
    if ":" in text:
        return _read_ipv6(text)
    dotted = _IPV4.fullmatch(text)
    if not dotted:
        return refused("ip_malformed")
    a, b, c, d = map(int, dotted.groups())
    if max(a, b, c, d) > 255:
        return refused("ip_malformed")
    address = (a << 24) + (b << 16) + (c << 8) + d
    below = bisect_right(_STARTS_4, address) - 1
    return refused("ip_private") if address <= _RANGES_4[below][1] else Reading(text)


def _read_ipv6(text: str) -> Reading:
    try:
        address = IPv6Address(text.partition("%")[0])
    except AddressValueError:
        return refused("ip_malformed")
    if address.ipv4_mapped:
        return _read_ip(str(address.ipv4_mapped))
    number = int(address)
    if not _FIRST_6 <= number <= _LAST_6 or any(first <= number <= last for first, last in _RANGES_6):
        return refused("ip_private")
    return Reading(str(address))


_MAC: Final = re.compile(r"[0-9A-Fa-f]{1,2}(?:([:-])[0-9A-Fa-f]{1,2})(?:\1[0-9A-Fa-f]{1,2}){4}")
_MAC_BARE: Final = re.compile(r"[0-9A-Fa-f]{12}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")
_NO_ACCESS_POINT: Final = frozenset({"ff:ff:ff:ff:ff:ff", "02:00:00:00:00:00"})  # the second: Android without consent


def _read_bssid(text: str) -> Reading:
    """A MAC in any spelling, or the token some lender made of one (case kept)."""
    if _MAC.fullmatch(text):
        mac = ":".join(pair.zfill(2) for pair in re.split("[:-]", text.lower()))
    elif _MAC_BARE.fullmatch(text):
        bare = text.lower().replace(".", "")
        mac = ":".join(bare[at : at + 2] for at in range(0, 12, 2))
    else:
        return _read_bssid_token(text)
    return refused("placeholder") if mac in _NO_ACCESS_POINT else Reading(mac)


def _read_bssid_token(text: str) -> Reading:
    if text == "<unknown ssid>":
        return refused("placeholder")
    if not 4 <= len(text) <= 64:
        return refused("too_short" if len(text) < 4 else "too_long")
    if " " in text:
        return refused("inner_blank")
    return Reading(text) if text.isprintable() else refused("characters")


_EMAIL: Final = re.compile(
    r"[0-9a-z!#$%&*+/=?^_{|}~-]+(?:\.[0-9a-z!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?\.)+[a-z][0-9a-z-]{0,61}[0-9a-z]"
)
_MADE_UP_DOMAINS: Final = frozenset({"test.com", "example.com", "example.org", "example.net"})


def _read_email(text: str) -> Reading:
    """All lower case: a standard may tell Li@ from li@, no provider in use does."""
    address = text.removeprefix("mailto:").lower() if text.isascii() else ""
    if len(address) > 254 or address.find("@") > 64 or not _EMAIL.fullmatch(address):
        return refused("email_malformed")
    return refused("placeholder") if address.partition("@")[2] in _MADE_UP_DOMAINS else Reading(address)


_HEX: Final = re.compile(r"[0-9a-f]{8,128}")
_OF_NOTHING: Final = frozenset(  # MD5, SHA-1 and SHA-256 of an empty file
    {
        "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
)  # fmt: skip


def _read_hash(text: str) -> Reading:
    digest = text.lower().removeprefix("0x") if text.isascii() else ""
    if not _HEX.fullmatch(digest):
        return refused("hash_malformed")
    same = digest.count(digest[0]) == len(digest)
    return refused("placeholder") if same or digest in _OF_NOTHING else Reading(digest)


read_imei = at_border(_read_imei)
read_ip = at_border(_read_ip, counted=True)
read_bssid = at_border(_read_bssid)
read_email = at_border(_read_email)
read_hash = at_border(_read_hash)


def mask_ip(value: str) -> str:
    """To the /16 `36.112.*.*`; of IPv6 the first two groups."""
    if ":" in value:
        return ":".join([*IPv6Address(value).exploded.split(":")[:2], "*"])
    first, second, *_ = value.split(".")
    return f"{first}.{second}.*.*"


def mask_email(value: str) -> str:
    return f"{value[0]}***@{value.partition('@')[2]}"
