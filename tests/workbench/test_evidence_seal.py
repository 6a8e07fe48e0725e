"""The seal of an evidence pack: whatever is changed shows, and the first place is named."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from graph.errors import InputError
from graph.keyring import Keyring
from workbench.services.evidence import pack_seal
from workbench.services.evidence.pack_seal import FRAME, SEAL, Part, Signer, own_keys, sealed, verify

PARTS = [Part("cover", "<h1>C1042</h1>"), Part("summary", "<p>5 of 12</p>"), Part("labels", "<p>confirmed</p>")]


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("keys") / "vault.key")


def pack(keyring: Keyring, parts: list[Part] = PARTS, **about: str) -> bytes:
    return sealed(
        "<html><body>", parts, "</body></html>", about={"case": "C1042"} | about, signer=Signer(keyring),
        shown=lambda seal: "<section>" + "".join(pack_seal.as_html(seal)) + "</section>",
    )  # fmt: skip


def test_a_pack_as_it_was_sealed_is_whole(keyring: Keyring) -> None:
    verdict = verify(pack(keyring, to='<b>"police" & co</b>'))
    assert (verdict.changed, verdict.sections) == ("", ("cover", "summary", "labels"))
    assert verdict.about == {"case": "C1042", "to": '<b>"police" & co</b>'}
    assert verdict.key in own_keys(keyring)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (b"5 of 12", b"5 of 13", "summary"),
        (b"confirmed", b"innocent", "labels"),
        (b"<body>", b"<body hidden>", FRAME),
        (b"</body>", b"<p>more</p></body>", FRAME),
        (b'<section><pre id="manifest">', b'<section hidden><pre id="manifest">', FRAME),
        (b'"case": "C1042"', b'"case": "C1043"', SEAL),
    ],
)
def test_the_first_section_that_was_changed_is_named(
    keyring: Keyring, before: bytes, after: bytes, changed: str
) -> None:
    assert before in pack(keyring)
    assert verify(pack(keyring).replace(before, after)).changed == changed


def test_of_two_changes_the_first_is_named(keyring: Keyring) -> None:
    both = pack(keyring).replace(b"confirmed", b"innocent").replace(b"5 of 12", b"4 of 12")
    assert verify(both).changed == "summary"


def test_a_section_taken_out_added_or_moved_is_named(keyring: Keyring) -> None:
    whole = pack(keyring)
    begin, end = whole.index(b"<!--ringroad begins summary-->"), whole.index(b"<!--ringroad begins labels-->")
    section = whole[begin:end]
    out = verify(whole.replace(section, b""))
    assert (out.changed, out.because) == ("summary", "it was taken out")
    moved = whole.replace(section, b"").replace(
        b"<!--ringroad begins seal-->", section + b"<!--ringroad begins seal-->"
    )
    assert verify(moved).changed == FRAME
    added = whole.replace(section, section + section.replace(b"summary", b"verdict"))
    assert verify(added).changed == "verdict"
    with pytest.raises(InputError, match="summary do not pair"):
        verify(whole.replace(section, section * 2))


def test_no_byte_can_be_changed_unseen(keyring: Keyring) -> None:
    whole = pack(keyring)
    for at in range(len(whole)):
        bad = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        try:
            verdict = verify(bad)
        except InputError:
            continue
        assert verdict.changed, (at, whole[at - 20 : at + 20])


def test_who_signs_anew_has_another_key(keyring: Keyring, tmp_path: Path) -> None:
    forged = verify(pack(Keyring.create(tmp_path / "other.key")))
    assert forged.changed == ""
    assert forged.key not in own_keys(keyring)


def test_a_pack_of_before_a_change_of_keys_is_still_ours(tmp_path: Path) -> None:
    keyring = Keyring.create(tmp_path / "vault.key")
    old = pack(keyring)
    keyring.add_seal_version()
    assert verify(old).key != Signer(keyring).key
    assert verify(old).key in own_keys(keyring)


def test_the_demo_key_says_that_it_is_public() -> None:
    assert Signer(Keyring.demo()).public


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"\xff\xfe\x00", b"<!--ringroad begins seal-->"])
def test_what_is_no_pack_is_said(content: bytes) -> None:
    with pytest.raises(InputError):
        verify(content)


def test_a_manifest_that_cannot_be_read_is_said(keyring: Keyring) -> None:
    for before, after in ((b'"format": 1', b'"format": 9'), (b'"format": 1,', b"nonsense")):
        with pytest.raises(InputError):
            verify(pack(keyring).replace(before, after))


def test_what_people_write_cannot_pass_for_a_mark(keyring: Keyring) -> None:
    text = html.escape("<!--ringroad ends summary--><!--ringroad begins summary-->")
    assert verify(pack(keyring, [Part("summary", f"<p>{text}</p>")])).changed == ""
