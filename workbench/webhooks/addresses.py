"""Where a webhook may go: to public addresses, and to the very address that was checked.

Whoever may add a webhook could otherwise make this machine ask its own network, or a cloud's metadata service, on
their behalf (server-side request forgery). A name is resolved once, every address it has is judged, and the
connection is made to one of those addresses, not to the name: a name that answers differently the second time
gains nothing. The certificate is checked against the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import httpx

from graph.errors import InputError

PORTS = frozenset({443, 8443})
MOST_ADDRESSES = 3
"""So many of a name's addresses are tried; the total limit of a delivery holds for all of them together."""

LONGEST_URL = 2048
CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Resolve = Callable[[str, int], Sequence[str]]
"""All addresses of a host, as text. May block; raises OSError when there are none."""

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\.?")

PUBLIC_V6 = ipaddress.ip_network("2000::/3")
CLOSED = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # a public address that is a cloud's own, on every machine there
        "2001::/23", "2001:db8::/32", "3fff::/20",
        "2002::/16",  # 6to4 carries an IPv4 address, any
    )
)  # fmt: skip
"""Not only what `ipaddress` calls private: that differs between releases of Python."""


class Refused(InputError):
    """An address that no webhook may have. The message names the host at most, never a path or query."""


@dataclass(frozen=True)
class Policy:
    """What the settings allow. `hosts`: names or their endings (empty: any); `loopback` is for tests and the demo."""

    ports: frozenset[int] = PORTS
    hosts: tuple[str, ...] = ()
    loopback: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Policy:
        ports = _ports(environ.get("RINGROAD_WEBHOOK_PORTS", ""))
        hosts = environ.get("RINGROAD_WEBHOOK_HOSTS", "").lower().split(",")
        endings = tuple(each.strip().strip(".") for each in hosts if each.strip().strip("."))
        if bad := [each for each in endings if not NAME.fullmatch(each)]:
            raise InputError(f"RINGROAD_WEBHOOK_HOSTS: {bad[0]} is no host name; write example.com,partner.example")
        loopback = environ.get("RINGROAD_WEBHOOK_LOOPBACK", "").strip()
        if loopback not in ("", "0", "1"):
            raise InputError("RINGROAD_WEBHOOK_LOOPBACK is neither 1 nor 0")
        return cls(ports or PORTS, endings, loopback == "1")


@dataclass(frozen=True)
class Target:
    """A URL taken apart by the parser that also sends it."""

    url: httpx.URL
    host: str
    port: int
    secure: bool

    @classmethod
    def of(cls, text: str, policy: Policy) -> Target:
        """What can be judged without asking for addresses. Raises Refused."""
        url = _parsed(text)
        host = url.raw_host.decode("ascii").rstrip(".")
        if url.scheme not in ("https", "http") or not host:
            raise Refused("a webhook's address begins with https:// and a host")
        if url.userinfo or url.fragment:
            raise Refused(f"{host}: a webhook's address holds no user, password or #fragment")
        if not NAME.fullmatch(host) and ("%" in host or _literal(host) is None):
            raise Refused("a webhook's host is no name and no address")
        if policy.hosts and not any(host == each or host.endswith(f".{each}") for each in policy.hosts):
            raise Refused(f"{host} is not among RINGROAD_WEBHOOK_HOSTS")
        secure = url.scheme == "https"
        port = (443 if secure else 80) if url.port is None else url.port
        if not 0 < port < 65536:
            raise Refused(f"{host}: there is no port {port}")
        target = cls(url, host, port, secure)
        if not policy.loopback:
            target.require_public_form(policy)
        return target

    def require_public_form(self, policy: Policy) -> None:
        if not self.secure:
            raise Refused(f"{self.host}: write https://; plain HTTP shows what is told to everybody on the way")
        if self.port not in policy.ports:
            allowed = ", ".join(str(each) for each in sorted(policy.ports))
            raise Refused(f"{self.host}: port {self.port} is not allowed ({allowed}; RINGROAD_WEBHOOK_PORTS)")

    def permitted(self, addresses: Sequence[str], policy: Policy) -> tuple[Address, ...]:
        """Those to connect to, if every one of them may be connected to. Raises Refused."""
        found = [_literal(each) for each in addresses]
        told = tuple(each for each in found if each is not None)
        if not told or len(told) < len(found):
            raise Refused(f"{self.host} has no usable address")
        if policy.loopback and all(each.is_loopback for each in told):
            return told[:MOST_ADDRESSES]
        if not all(is_public(each) for each in told):
            raise Refused(f"{self.host} leads to an address that is not public")
        self.require_public_form(policy)
        return told[:MOST_ADDRESSES]


def is_public(address: Address) -> bool:
    """Neither private nor this machine, neither a group nor reserved, and no IPv6 address with an IPv4 one inside."""
    if address.version == 6 and address not in PUBLIC_V6:
        return False
    return not any(address.version == each.version and address in each for each in CLOSED)


def lookup(host: str, port: int) -> Sequence[str]:
    return list(dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def check(text: str, policy: Policy, resolve: Resolve = lookup) -> Target:
    """Form and addresses, as they are now; every delivery asks again."""
    target = Target.of(text, policy)
    try:
        addresses = resolve(target.host, target.port)
    except (OSError, UnicodeError):
        raise Refused(f"{target.host} has no address; check the name") from None
    target.permitted(addresses, policy)
    return target


class Way:
    """The way out for requests: one resolution, every address judged, a connection to exactly those."""

    def __init__(self, policy: Policy, resolve: Resolve = lookup, trust: ssl.SSLContext | None = None) -> None:
        self.policy, self._resolve = policy, resolve
        self._trust = trust or _trust()

    async def post(self, text: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status. Nothing is read after the headers, no redirect is followed, no proxy is asked.

        Each step has its own limit; the caller sets one for the whole.
        """
        target = Target.of(text, self.policy)
        addresses = await _in_a_thread(lambda: self._resolve(target.host, target.port))
        permitted = target.permitted(addresses, self.policy)
        for address in permitted[:-1]:
            try:
                return await self._post(target, address, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._post(target, permitted[-1], headers, body)

    async def _post(self, target: Target, address: Address, headers: Mapping[str, str], body: bytes) -> int:
        """A transport of its own each: a connection is never shared by two names of one address."""
        request = httpx.Request(
            "POST",
            target.url.copy_with(host=str(address)),
            headers={**headers, "host": target.url.netloc.decode("ascii"), "connection": "close"},
            content=body,
            extensions={"timeout": _limits().as_dict(), "sni_hostname": target.host},
        )
        async with httpx.AsyncHTTPTransport(verify=self._trust, trust_env=False) as transport:
            response = await transport.handle_async_request(request)
            await response.aclose()
            return response.status_code


async def _in_a_thread(ask: Callable[[], Sequence[str]]) -> Sequence[str]:
    """A resolver may hang for longer than a delivery may take; its thread is then left behind, and nobody waits."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def settle(found: Sequence[str] | None) -> None:
        if answer.done():
            return
        if found is None:
            answer.set_exception(httpx.ConnectError("no address"))
        else:
            answer.set_result(found)

    def work() -> None:
        try:
            found: Sequence[str] | None = ask()
        except (OSError, UnicodeError):
            found = None
        try:
            loop.call_soon_threadsafe(settle, found)
        except RuntimeError:  # the loop was closed meanwhile: nobody asks any more
            return

    threading.Thread(target=work, name="webhook address", daemon=True).start()
    return await answer


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _limits() -> httpx.Timeout:
    return httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)


def _parsed(text: str) -> httpx.URL:
    if len(text) > LONGEST_URL:
        raise Refused(f"a webhook's address has {len(text)} characters; {LONGEST_URL} at most")
    try:
        url = httpx.URL(text)
        url.port  # noqa: B018 - some of a URL is read only when it is asked for
    except (httpx.InvalidURL, ValueError):
        raise Refused("a webhook's address is no URL; write https://host/path") from None
    return url


def _literal(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _ports(text: str) -> frozenset[int]:
    given = [each.strip() for each in text.split(",") if each.strip()]
    if not all(each.isascii() and each.isdecimal() and 0 < int(each) < 65536 for each in given):
        raise InputError("RINGROAD_WEBHOOK_PORTS is no list of ports; write 443,8443")
    return frozenset(int(each) for each in given)
