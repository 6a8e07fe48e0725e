"""The key file, and what its keys do: tokens that link, seals that open again.

The file is the one secret of an instance. It is never in the database, the
graph or a backup: lose it and no identifier can be read or linked again, so a
lender keeps its own copy of it, apart from the backups.

Every kind of identifier has its own index key and its own sealing key, derived
from the masters in the file (HKDF-SHA256), so equal values of different kinds
do not meet.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from graph.errors import RingroadError

FORMAT = 1
KEY_BYTES = 32
NONCE_BYTES = 12
TOKEN_CHARS = 32
MOST_VERSIONS = 255  # a seal names its version in one byte


class VaultError(RingroadError):
    """Identifiers cannot be protected or revealed as asked."""

    status = 503
    exit_code = 5


class VaultDamaged(VaultError):
    """A sealed value or the vault file is not what was written."""

    status = 500


class KeyFileError(VaultError):
    """The key file is missing, readable by others, or not what was written."""


@dataclass(frozen=True)
class Keys:
    """The masters by version. While an index rotation is unfinished both index versions are here."""

    index: Mapping[int, bytes] = field(repr=False)
    seal: Mapping[int, bytes] = field(repr=False)
    current_index: int = 1
    current_seal: int = 1
    rotating: bool = False

    def __post_init__(self) -> None:
        masters = [*self.index.values(), *self.seal.values()]
        if any(len(master) != KEY_BYTES for master in masters):
            raise ValueError(f"a key is not {KEY_BYTES} bytes ({2 * KEY_BYTES} hex digits) long")
        if self.current_index not in self.index or self.current_seal not in self.seal:
            raise ValueError("a current version has no key")
        if len(self.index) != 1 + self.rotating or max(self.index) != self.current_index + self.rotating:
            raise ValueError("the index versions do not fit the state")
        if not 1 <= min(self.seal) <= max(self.seal) <= MOST_VERSIONS:
            raise ValueError(f"seal versions are 1 to {MOST_VERSIONS}")

    @classmethod
    def parse(cls, text: str) -> Keys:
        """Raises ValueError in words that quote nothing of `text`: it may be a key."""
        try:
            raw = json.loads(text)
            known = raw["format"] == FORMAT
        except (ValueError, KeyError, TypeError):
            raise ValueError("it is not a JSON object with a format") from None
        if not known:
            raise ValueError(f"its format is not {FORMAT}: it was made by another release")
        try:
            index, seal = _masters(raw["index"]), _masters(raw["seal"])
            current_index, current_seal = int(raw["current_index"]), int(raw["current_seal"])
            rotating = {"steady": False, "rotating": True}[raw["state"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError("an entry is missing or unreadable") from None
        return cls(index, seal, current_index, current_seal, rotating)

    def render(self) -> str:
        return json.dumps(
            {
                "format": FORMAT,
                "index": {str(version): master.hex() for version, master in self.index.items()},
                "seal": {str(version): master.hex() for version, master in self.seal.items()},
                "current_index": self.current_index,
                "current_seal": self.current_seal,
                "state": "rotating" if self.rotating else "steady",
            },
            indent=1,
        )


def _masters(raw: Mapping[str, str]) -> dict[int, bytes]:
    return {int(version): bytes.fromhex(master) for version, master in raw.items()}


_DEMO = Keys(
    index={1: hashlib.sha256(b"ringroad demo index key").digest()},
    seal={1: hashlib.sha256(b"ringroad demo seal key").digest()},
)


class Keyring:
    """The keys of one vault. Reads its file once; `reload` sees what another process added."""

    def __init__(self, keys: Keys, path: Path | None) -> None:
        self.path = path
        self._adopt(keys)

    @classmethod
    def create(cls, path: Path) -> Keyring:
        keys = Keys(index={1: secrets.token_bytes(KEY_BYTES)}, seal={1: secrets.token_bytes(KEY_BYTES)})
        with _one_writer(path):
            if path.exists():
                raise KeyFileError(f"key file {path} exists and is kept: open it, or name another file")
            _write(path, keys)
        return cls(keys, path)

    @classmethod
    def open(cls, path: Path) -> Keyring:
        return cls(_read(path), path.resolve())

    @classmethod
    def demo(cls) -> Keyring:
        """A key printed in the source: whoever has the code can undo its tokens."""
        return cls(_DEMO, None)

    def __repr__(self) -> str:
        return f"Keyring({self.fingerprint})"

    @property
    def keys(self) -> Keys:
        return self._keys

    @property
    def is_default(self) -> bool:
        """True for the demo key, also when someone saved it as a key file."""
        well_known = {*_DEMO.index.values(), *_DEMO.seal.values()}
        return not well_known.isdisjoint({*self._keys.index.values(), *self._keys.seal.values()})

    @property
    def next_index(self) -> int | None:
        """The index version an unfinished rotation leads to."""
        return self._keys.current_index + 1 if self._keys.rotating else None

    @property
    def fingerprint(self) -> str:
        """Names the current index key without giving it away; safe to print."""
        return self.index_fingerprint(self._keys.current_index)

    def index_fingerprint(self, version: int) -> str:
        """Asked with every look into the vault, so it is derived once; the vault file holds it in the clear."""
        master, known = self._index_master(version), self._fingerprints.get(version)
        if known is None:
            known = self._fingerprints[version] = _fingerprint(master)
        return known

    def seal_fingerprints(self) -> dict[str, str]:
        return {f"seal {version}": _fingerprint(master) for version, master in self._keys.seal.items()}

    def tokens(self, kind: str, values: Sequence[str], version: int) -> list[str]:
        """0.8 µs a value: one keyed HMAC state per kind, copied for each value."""
        if not all(values):
            raise VaultError(f"{kind}: an empty value has no token; leave out what has no canonical form")
        copy = self._index_state(kind, version).copy
        tokens = []
        try:
            for value in values:
                mac = copy()
                mac.update(value.encode())
                tokens.append(mac.finalize().hex()[:TOKEN_CHARS])
        except UnicodeEncodeError:
            raise VaultError(f"{kind}: a value is not valid Unicode text; normalise it first") from None
        return tokens

    def seal(self, kind: str, tokens: Sequence[str], values: Sequence[str]) -> list[bytes]:
        """Version byte, nonce, ciphertext, tag. Random nonces carry 2^32 values per kind and version."""
        _same_length(kind, "tokens", tokens, "values", values)
        version = self._keys.current_seal
        encrypt = self._cipher(kind, version).encrypt
        head, bound = bytes([version]), _bound_to(kind, version)
        nonces = os.urandom(NONCE_BYTES * len(values))
        sealed = []
        try:
            for at, (token, value) in enumerate(zip(tokens, values, strict=True)):
                nonce = nonces[NONCE_BYTES * at : NONCE_BYTES * (at + 1)]
                sealed.append(head + nonce + encrypt(nonce, value.encode(), bound + token.encode()))
        except UnicodeEncodeError:
            raise VaultError(f"{kind}: a value is not valid Unicode text; normalise it first") from None
        return sealed

    def unseal(self, kind: str, token: str, sealed: bytes) -> str:
        """Raises VaultDamaged unless `sealed` was made for exactly this kind and token."""
        try:
            version, nonce, body = sealed[0], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
            if version not in self._keys.seal:
                self.reload()
            opened = self._cipher(kind, version).decrypt(nonce, body, _bound_to(kind, version) + token.encode())
            return opened.decode()
        except KeyError:
            why = f"names seal version {version}, which the key file does not hold"
        except (InvalidTag, IndexError, TypeError, ValueError):
            why = "does not open: it was altered or moved"
        raise VaultDamaged(f"{kind} {token[:8]}…: the sealed value {why}; restore the vault from a backup")

    def add_seal_version(self) -> int:
        def added(keys: Keys) -> Keys:
            version = max(keys.seal) + 1
            if version > MOST_VERSIONS:
                raise KeyFileError(f"key file {self.path}: {MOST_VERSIONS} seal versions are the most it can hold")
            seal = {**keys.seal, version: secrets.token_bytes(KEY_BYTES)}
            return replace(keys, seal=seal, current_seal=version)

        self._change(added)
        return self._keys.current_seal

    def begin_rotation(self) -> int:
        """The next index version; the key an unfinished rotation made is used again."""

        def begun(keys: Keys) -> Keys:
            if keys.rotating:
                return keys
            index = {**keys.index, keys.current_index + 1: secrets.token_bytes(KEY_BYTES)}
            return replace(keys, index=index, rotating=True)

        self._change(begun)
        return max(self._keys.index)

    def end_rotation(self, *, keep: int) -> None:
        """Keep one of the two index versions, forget the other for good."""
        self._change(lambda keys: replace(keys, index={keep: keys.index[keep]}, current_index=keep, rotating=False))

    def reload(self) -> None:
        if self.path is not None:
            self._adopt(_read(self.path))

    def _adopt(self, keys: Keys) -> None:
        self._keys = keys
        self._fingerprints: dict[int, str] = {}
        self._index_states: dict[tuple[str, int], HMAC] = {}
        self._ciphers: dict[tuple[str, int], AESGCM] = {}

    def _change(self, change: Callable[[Keys], Keys]) -> None:
        if self.path is None:
            raise KeyFileError("the demo key is fixed; make a key file of your own to change keys")
        with _one_writer(self.path):
            keys = _read(self.path)
            if keys.index.get(self._keys.current_index) != self._keys.index[self._keys.current_index]:
                raise KeyFileError(f"key file {self.path} was replaced since it was opened: start again")
            changed = change(keys)
            if changed != keys:
                _write(self.path, changed)
        self._adopt(changed)

    def _index_master(self, version: int) -> bytes:
        if version not in self._keys.index:
            raise KeyFileError("the index key was rotated meanwhile: open key file and vault again")
        return self._keys.index[version]

    def _index_state(self, kind: str, version: int) -> HMAC:
        state = self._index_states.get((kind, version))
        if state is None:
            key = _derive(self._index_master(version), b"ringroad index v1 " + kind.encode())
            state = self._index_states[kind, version] = HMAC(key, SHA256())
        return state

    def _cipher(self, kind: str, version: int) -> AESGCM:
        cipher = self._ciphers.get((kind, version))
        if cipher is None:
            key = _derive(self._keys.seal[version], b"ringroad seal v1 " + kind.encode())
            cipher = self._ciphers[kind, version] = AESGCM(key)
        return cipher


def _derive(master: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=label).derive(master)


def _fingerprint(master: bytes) -> str:
    return hashlib.sha256(_derive(master, b"ringroad fingerprint v1")).hexdigest()[:12]


def _bound_to(kind: str, version: int) -> bytes:
    """What a seal is bound to, but for the token, which follows."""
    return f"ringroad seal v1|{kind}|{version}|".encode()


def _same_length(kind: str, one: str, ones: Sequence[object], other: str, others: Sequence[object]) -> None:
    if len(ones) != len(others):
        raise VaultError(f"{kind}: {len(ones)} {one} but {len(others)} {other}; give one for each")


def _read(path: Path) -> Keys:
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise KeyFileError(f"key file {path} has mode {mode:04o}, others may use it: chmod 600 {path}")
            return Keys.parse(file.read())
    except FileNotFoundError:
        raise KeyFileError(f"key file {path} is missing: put your copy of it back (mode 600)") from None
    except OSError as error:
        raise KeyFileError(f"key file {path} cannot be read ({error.strerror})") from None
    except ValueError as error:
        why = "it is not text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise KeyFileError(f"key file {path} is damaged ({why}): put your copy of it back") from None


@contextmanager
def _one_writer(path: Path) -> Iterator[None]:
    """Two writers at once would lose a key, and with it every value it sealed: lock the folder."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise KeyFileError(f"folder {path.parent} of the key file cannot be opened ({error.strerror})") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
        os.fsync(folder)
    except OSError as error:
        raise KeyFileError(f"key file {path} cannot be written ({error.strerror})") from None
    finally:
        os.close(folder)


def _write(path: Path, keys: Keys) -> None:
    """All of it or nothing, and never readable by others on the way."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(keys.render())
            file.flush()
            os.fsync(descriptor)
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
