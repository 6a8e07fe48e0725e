"""The seal of an evidence pack: a hash of every part and of the whole, signed by a key derived from the key file.

Anybody can check it: the hashes with nothing, the signature (Ed25519) with the public key that the pack prints and that
the lender tells by another way. `ringroad evidence verify` does both, and knows its own key.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from graph.errors import InputError
from graph.keyring import KEY_BYTES, Keyring

FORMAT = 1
LABEL = b"ringroad evidence seal v1"
SEAL, FRAME = "seal", "frame"
LARGEST = 64 * 1024 * 1024

_BEGIN, _END = "<!--ringroad begins {}-->", "<!--ringroad ends {}-->"
_MARK = re.compile(rb"<!--ringroad (begins|ends) ([a-z]{1,16})-->")
_MANIFEST = re.compile(r'<pre id="manifest">(.*?)</pre>', re.DOTALL)
_SIGNATURE = re.compile(r'<code id="signature">([0-9a-f]{128})</code>')


@dataclass(frozen=True)
class Part:
    """A section of a pack; `body` is finished HTML."""

    name: str
    body: str


@dataclass(frozen=True)
class Sealed:
    """What a seal is made of. `key` is public."""

    manifest: str
    signature: str
    key: str


class Signer:
    """Signs for one instance. The demo key is in the source: what it signs proves nothing (`public`)."""

    def __init__(self, keyring: Keyring) -> None:
        version = keyring.keys.current_seal
        seed = HKDF(SHA256(), KEY_BYTES, None, LABEL).derive(keyring.keys.seal[version])
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = keyring.is_default
        self.key = _hex(self._key.public_key())

    def sign(self, text: str) -> str:
        return self._key.sign(text.encode()).hex()


def own_keys(keyring: Keyring) -> frozenset[str]:
    """Public keys of all versions: a pack of before a change of keys is still ours."""
    seeds = (HKDF(SHA256(), KEY_BYTES, None, LABEL).derive(master) for master in keyring.keys.seal.values())
    return frozenset(_hex(Ed25519PrivateKey.from_private_bytes(seed).public_key()) for seed in seeds)


def sealed(
    head: str,
    parts: Sequence[Part],
    foot: str,
    *,
    about: Mapping[str, str],
    signer: Signer,
    shown: Callable[[Sealed], str],
) -> bytes:
    """The whole file. `shown` makes the section in which the seal stands, with what `as_html` makes of it; it is asked
    twice, first with an empty seal, and may not say anything else of it."""
    marked = [_marked(each.name, each.body) for each in parts]
    empty = head + "".join(marked) + _marked(SEAL, shown(Sealed("", "", signer.key))) + foot
    manifest = {
        "format": FORMAT,
        "key": signer.key,
        "about": dict(about),
        "sections": {each.name: _sha256(each.body.encode()) for each in parts},
        "whole": _sha256(empty.encode()),
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    seal = Sealed(text, signer.sign(text), signer.key)
    return (head + "".join(marked) + _marked(SEAL, shown(seal)) + foot).encode()


def as_html(seal: Sealed) -> tuple[str, str]:
    """Manifest and signature as they must stand in the file to be found again."""
    return (
        f'<pre id="manifest">{html.escape(seal.manifest, quote=False)}</pre>',
        f'<code id="signature">{seal.signature}</code>',
    )


# Checking ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """`changed`: the first section that is not as it was sealed, FRAME for what is outside of all, SEAL for the seal
    itself; "" for none. `key` signed it."""

    about: Mapping[str, str]
    sections: tuple[str, ...]
    key: str
    changed: str = ""
    because: str = ""


def verify(content: bytes) -> Verdict:
    """Raises InputError for what is no evidence pack at all. Whose key it is, the caller must know."""
    if len(content) > LARGEST:
        raise InputError(f"the file has {len(content) / 2**20:.0f} MB; no evidence pack is so large")
    found = _parts(content)
    text = found.get(SEAL, b"").decode(errors="replace")
    shown, signature = _MANIFEST.search(text), _SIGNATURE.search(text)
    if shown is None or signature is None:
        raise InputError("the file has no seal; it is no evidence pack, or its end was cut off")
    manifest = html.unescape(shown[1])
    about, sections, whole, key = _read(manifest)
    verdict = Verdict(about, tuple(name for name, _ in sections), key)
    if not _signed(manifest, signature[1], key):
        return _bad(verdict, SEAL, "the signature does not belong to the manifest")
    for name, digest in sections:
        if name not in found:
            return _bad(verdict, name, "it was taken out")
        if _sha256(found[name]) != digest:
            return _bad(verdict, name, "its content was changed")
    if extra := [each for each in found if each not in (*verdict.sections, SEAL)]:
        return _bad(verdict, extra[0], "it was added")
    if _sha256(_without(content, text, shown[1], signature[1])) != whole:
        return _bad(verdict, FRAME, "what stands around the sections, or their order, was changed")
    return verdict


def _bad(verdict: Verdict, changed: str, because: str) -> Verdict:
    return Verdict(verdict.about, verdict.sections, verdict.key, changed, because)


def _without(content: bytes, text: str, manifest: str, signature: str) -> bytes:
    """As it was before manifest and signature were put in."""
    bare = text.replace(f">{manifest}</pre>", "></pre>", 1).replace(f">{signature}</code>", "></code>", 1)
    begins, ends = _BEGIN.format(SEAL).encode(), _END.format(SEAL).encode()
    before, after = content.partition(begins)[0], content.partition(ends)[2]
    return before + begins + bare.encode() + ends + after


def _parts(content: bytes) -> dict[str, bytes]:
    """By name, in order. Raises InputError where marks do not pair or come twice."""
    found: dict[str, bytes] = {}
    marks = list(_MARK.finditer(content))
    if not marks:
        raise InputError("the file is no evidence pack of Ringroad")
    for first, last in zip(marks[::2], marks[1::2], strict=False):
        name = first[2].decode()
        if (first[1], last[1], last[2]) != (b"begins", b"ends", first[2]) or name in found:
            raise InputError(f"the marks of section {name} do not pair; the file was changed there")
        found[name] = content[first.end() : last.start()]
    if len(marks) % 2:
        raise InputError(f"section {marks[-1][2].decode()} has no end; the file was cut off or changed there")
    return found


def _read(manifest: str) -> tuple[dict[str, str], list[tuple[str, str]], str, str]:
    try:
        told = json.loads(manifest)
        if told["format"] != FORMAT:
            raise InputError(f"the pack has format {str(told['format'])[:8]}; this release reads {FORMAT}")
        sections = [(str(name), str(digest)) for name, digest in told["sections"].items()]
        return {str(k): str(v) for k, v in told["about"].items()}, sections, str(told["whole"]), str(told["key"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("the manifest of the pack cannot be read; it was changed") from None


def _signed(text: str, signature: str, key: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _marked(name: str, body: str) -> str:
    return _BEGIN.format(name) + body + _END.format(name)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hex(key: Ed25519PublicKey) -> str:
    return key.public_bytes_raw().hex()
