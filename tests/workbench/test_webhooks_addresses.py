"""No webhook reaches a private address, whatever a name says first or second; what was checked is what is connected."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from graph.errors import InputError
from tests.workbench.receiver import running
from workbench.webhooks import addresses
from workbench.webhooks.addresses import Policy, Refused, Resolve, Target, Way, check, is_public

STRICT, LOOPBACK = Policy(), Policy(loopback=True)
PUBLIC = "93.184.215.14"


def answering(*found: str) -> Resolve:
    return lambda _host, _port: list(found)


# Which addresses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.1",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1",
        "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1", "203.0.113.7",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", f"::ffff:{PUBLIC}", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused_even_beside_a_public_address(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    for found in ((address,), (PUBLIC, address), (address, PUBLIC)):
        with pytest.raises(Refused, match="not public"):
            check("https://hooks.example/x", STRICT, answering(*found))


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"])
def test_what_is_public_is_allowed(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    assert check("https://hooks.example/x", STRICT, answering(address)).host == "hooks.example"


def test_python_calls_nothing_private_that_is_allowed() -> None:
    """Our list against the library's, at both ends of all its blocks."""
    blocks = [
        *ipaddress._IPv4Constants._private_networks,
        *ipaddress._IPv6Constants._private_networks,
    ]
    assert len(blocks) > 20
    assert [str(end) for each in blocks for end in (each[0], each[-1]) if is_public(end)] == []


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "[::1]", "[::ffff:7f00:1]", "LOCALHOST.", "0"],
)
def test_other_ways_to_write_this_machine_are_refused(host: str) -> None:
    """The system's own resolver knows them all; none needs a name server."""
    with pytest.raises(Refused):
        check(f"https://{host}/x", STRICT)


# Which URLs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/x", "plain HTTP"),
        ("ftp://hooks.example/x", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("https:///x", "begins with https"),
        ("//hooks.example/x", "begins with https"),
        ("https://user:secret@hooks.example/x", "no user"),
        ("https://good.example\\@hooks.example/x", "no user"),
        ("https://hooks.example/x#part", "no user"),
        ("https://hooks.example:22/x", "port 22"),
        ("https://hooks.example:0/x", "no port 0"),
        ("https://hooks.example:99999/x", "no port 99999"),
        ("https://hooks.example:port/x", "no URL"),
        ("https://hooks.example/\r\nx: y", "no URL"),
        ("https://-hooks.example/", "no name"),
        ("https://a b.example/", "no name"),
        ("https://[fe80::1%25eth0]/", "no name"),
        ("https://hooks.example/" + "x" * 2048, "2048 at most"),
    ],
)
def test_odd_urls_are_refused_without_asking_for_an_address(url: str, why: str) -> None:
    def never(_host: str, _port: int) -> Sequence[str]:
        raise AssertionError("asked")

    with pytest.raises(Refused, match=why) as error:
        check(url, STRICT, never)
    assert "secret" not in str(error.value)
    assert "xxxx" not in str(error.value)


def test_the_list_of_hosts_takes_names_and_their_endings_only() -> None:
    policy = Policy.read({"RINGROAD_WEBHOOK_HOSTS": "lender.example, .Partner.example"})
    for host in ("lender.example", "hooks.lender.example", "LENDER.example.", "a.partner.example"):
        Target.of(f"https://{host}/", policy)
    for host in ("evillender.example", "lender.example.evil.example", "example", "1.1.1.1"):
        with pytest.raises(Refused, match="RINGROAD_WEBHOOK_HOSTS"):
            Target.of(f"https://{host}/", policy)


def test_settings_are_read_or_refused() -> None:
    assert Policy.read({}) == Policy(frozenset({443, 8443}), (), loopback=False)
    assert Policy.read({"RINGROAD_WEBHOOK_PORTS": "443, 9443"}).ports == {443, 9443}
    assert Policy.read({"RINGROAD_WEBHOOK_LOOPBACK": "1"}).loopback
    for name, value in (
        ("RINGROAD_WEBHOOK_PORTS", "443;8443"),
        ("RINGROAD_WEBHOOK_PORTS", "0"),
        ("RINGROAD_WEBHOOK_PORTS", "４４３"),
        ("RINGROAD_WEBHOOK_HOSTS", "a b"),
        ("RINGROAD_WEBHOOK_LOOPBACK", "yes"),
    ):
        with pytest.raises(InputError, match=name):
            Policy.read({name: value})


def test_loopback_is_for_whoever_turned_it_on_and_opens_nothing_else() -> None:
    check("http://127.0.0.1:8080/x", LOOPBACK)
    check("https://[::1]:9000/x", LOOPBACK)
    with pytest.raises(Refused, match="plain HTTP"):
        check("http://hooks.example/x", LOOPBACK, answering(PUBLIC))
    with pytest.raises(Refused, match="port 22"):
        check("https://hooks.example:22/x", LOOPBACK, answering(PUBLIC))
    for found in (("127.0.0.1", "10.0.0.1"), ("127.0.0.1", PUBLIC), ("10.0.0.1",), ("::ffff:127.0.0.1",)):
        with pytest.raises(Refused, match="not public"):
            check("http://hooks.example/x", LOOPBACK, answering(*found))


def test_a_name_without_an_address_is_refused() -> None:
    def nothing(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(Refused, match="no address"):
        check("https://hooks.example/", STRICT, nothing)
    with pytest.raises(Refused, match="no usable address"):
        check("https://hooks.example/", STRICT, answering())


# The connection ---------------------------------------------------------------------------------------


def post(way: Way, url: str) -> int:
    return asyncio.run(way.post(url, {"webhook-id": "evt_1"}, b"{}"))


def test_a_name_that_changes_its_answer_gains_nothing() -> None:
    """DNS rebinding: public when it is checked, this machine when it is used."""
    with running() as receiver:
        answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]
        asked: list[str] = []

        def rebinding(host: str, _port: int) -> Sequence[str]:
            asked.append(host)
            return answers[len(asked) - 1]

        policy = Policy(ports=frozenset({receiver.port}))
        url = f"https://hooks.example:{receiver.port}/ok"
        check(url, policy, rebinding)
        with pytest.raises(Refused, match="not public"):
            post(Way(policy, rebinding), url)
        assert len(asked) == 2
        assert receiver.requests == []


def test_one_resolution_serves_check_and_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing on the way to the socket asks for the name again: that second answer is what an attacker controls."""
    with running() as receiver:
        asked: list[str] = []

        def once(host: str, _port: int) -> Sequence[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

        def looked_up(host: object, *_: object, **__: object) -> object:
            assert host in ("127.0.0.1", b"127.0.0.1"), f"{host!r} was resolved again"
            return real(host, *_, **__)

        real = addresses.socket.getaddrinfo
        monkeypatch.setattr(addresses.socket, "getaddrinfo", looked_up)
        assert post(Way(LOOPBACK, once), receiver.url("/ok", "hooks.example")) == 200
        assert asked == ["hooks.example"]
        assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as proxy, running() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert post(Way(LOOPBACK), receiver.url("/ok")) == 200
        assert (len(proxy.requests), len(receiver.requests)) == (0, 1)


@pytest.mark.parametrize("path", ["/redirect", "/redirect-here"])
def test_a_redirect_is_not_followed(path: str) -> None:
    with running() as receiver:
        assert post(Way(LOOPBACK), receiver.url(path)) in (302, 307)
        assert [each.path for each in receiver.requests] == [path]


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with running() as receiver:
        way = Way(LOOPBACK, answering("127.0.0.2", "::1", "127.0.0.1"))
        assert post(way, receiver.url("/ok", "hooks.example")) == 200


def test_a_resolver_that_hangs_holds_nobody() -> None:
    gate = threading.Event()

    def hanging(_host: str, _port: int) -> Sequence[str]:
        gate.wait(60)
        return [PUBLIC]

    async def limited() -> None:
        async with asyncio.timeout(0.2):
            await Way(STRICT, hanging).post("https://hooks.example/", {}, b"")

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(limited())
    assert time.monotonic() - begun < 30
    gate.set()


# TLS --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of `hooks.example`, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*plain) + made.public_bytes(serialization.Encoding.PEM))
    return file


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_the_certificate_is_that_of_the_name_although_the_address_is_connected(certificate: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    with running(serving(certificate)) as receiver:
        way = Way(LOOPBACK, answering("127.0.0.1"), trust)
        assert post(way, receiver.url("/ok", "hooks.example")) == 200
        assert receiver.names == ["hooks.example"]
        with pytest.raises(httpx.ConnectError, match="certificate"):
            post(way, receiver.url("/ok", "other.example"))
        assert len(receiver.requests) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the environment say whom to trust."""
    monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(certificate))
    addresses._trust.cache_clear()
    with running(serving(certificate)) as receiver:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            post(Way(LOOPBACK, answering("127.0.0.1")), receiver.url("/ok", "hooks.example"))
        assert receiver.requests == []
