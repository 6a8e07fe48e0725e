"""Model artefacts on disk: which version serves, what it was made of, and the way back.

    models/roles.json                        the champions in order, the last one serves; the shadow
    models/history.jsonl                     every change: who, when, why
    models/20251001T083000-1f3a9c2e/         one version, never changed again
        manifest.json, main.ubj, gnn.safetensors, ...

A version is written beside its place and renamed; so is roles.json. The sha256 of a manifest stands in
roles.json and in the history, those of the files stand in the manifest: a changed byte is noticed when a
model is opened.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from io import FileIO
from pathlib import Path

from gnn.manifest import MALFORMED, MANIFEST, File, Manifest, Training, Unsound, measure, sha, software, stamp
from graph.errors import ModelRefused, StorageFull, StoreError
from graph.ontology import ontology_hash

CHAMPION, SHADOW = "champion", "shadow"
VERSION = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{8}")
MEND = "train another (`ringroad train`) or go back (`ringroad models rollback`)"
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)

Check = Callable[[Path], float]
"""Loads the model in this folder, scores with it, and returns what one application takes, in milliseconds."""


@dataclass(frozen=True)
class By:
    """Who changes what serves, why, and when."""

    who: str
    why: str
    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"{self.at} has no time zone")


@dataclass(frozen=True)
class Model:
    """A version that passed every check when it was opened."""

    manifest: Manifest
    folder: Path

    @property
    def version(self) -> str:
        return self.manifest.version


@dataclass(frozen=True)
class Listed:
    """One version for people to read. `trouble` says why it is refused; a refused one has no manifest to trust."""

    version: str
    role: str
    manifest: Manifest | None
    trouble: str


@dataclass(frozen=True)
class Pin:
    """A version, and the sha256 that its manifest had when it was published."""

    version: str
    manifest: str


@dataclass(frozen=True)
class Change:
    """A line of the history. A process killed at the wrong moment may leave a line of what did
    not happen: the next line's `before` tells."""

    did: str
    pin: Pin | None
    before: str
    who: str
    why: str
    at: str


@dataclass(frozen=True)
class Roles:
    champions: tuple[Pin, ...] = ()
    shadow: Pin | None = None

    @property
    def champion(self) -> Pin | None:
        return self.champions[-1] if self.champions else None

    def led_by(self, champions: tuple[Pin, ...]) -> Roles:
        return Roles(champions, None if self.shadow == champions[-1] else self.shadow)


class Registry:
    """All changes are made under a lock on the folder; readers need none."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._roles_file, self._history_file = root / "roles.json", root / "history.jsonl"

    # Publishing ----------------------------------------------------------------------------------------

    def publish(self, source: Path | Callable[[Path], None], training: Training, by: By) -> str:
        """Take in what stands in a folder, or what `source` writes into the one it is given; serves nobody yet.

        Raises ModelRefused for a file that is no plain artefact, StoreError when the folder cannot be written.
        """
        with self._changing():
            fresh = self.root / ".new"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            try:
                write = source if callable(source) else partial(_copy, source)
                write(fresh)
                return self._adopt(fresh, training, by)
            except Unsound as error:
                raise ModelRefused(f"the model is not published: {error}") from None
            finally:
                shutil.rmtree(fresh, ignore_errors=True)

    def _adopt(self, fresh: Path, training: Training, by: By) -> str:
        files = measure(fresh)
        if not files or MANIFEST in files:
            raise Unsound("it has no files" if not files else f"{MANIFEST} is the registry's to write")
        manifest = Manifest("", by.at, ontology_hash(), software(), training, files)
        version = f"{by.at.astimezone(UTC):%Y%m%dT%H%M%S}-{sha(manifest.render())[:8]}"
        text = replace(manifest, version=version).render()
        _write(fresh / MANIFEST, text)
        for path in (*fresh.iterdir(), fresh):
            _sync(path)
        pin, place = Pin(version, sha(text)), self.root / version
        again = place.exists()  # the same, published in the same second
        _sound(place if again else fresh, pin)
        if not again:
            with self._told("publish", pin, "", by):
                fresh.rename(place)
        return version

    # Roles ---------------------------------------------------------------------------------------------

    def promote(self, version: str, by: By, *, features_hash: str, check: Check | None = None) -> None:
        """Make a version the champion, if `open` would serve it."""
        with self._changing():
            roles, pin = self._roles(), self._published(version)
            self._vet(pin, features_hash, check)
            if pin != roles.champion:
                self._turn("promote", pin, roles, roles.led_by((*roles.champions, pin)), by)

    def rollback(self, by: By, *, features_hash: str, check: Check | None = None) -> str:
        """Make the champion before serve again, if `open` would serve it; the way on from there leads further back."""
        with self._changing():
            roles = self._roles()
            if len(roles.champions) < 2:
                raise ModelRefused("no champion before to go back to: promote one (`ringroad models promote VERSION`)")
            pin = roles.champions[-2]
            self._vet(pin, features_hash, check)
            self._turn("rollback", pin, roles, roles.led_by(roles.champions[:-1]), by)
            return pin.version

    def shadow(self, version: str | None, by: By, *, features_hash: str, check: Check | None = None) -> None:
        """Let a version score beside the champion, unseen; None ends that."""
        with self._changing():
            roles = self._roles()
            pin = None if version is None else self._published(version)
            if pin is not None:
                self._vet(pin, features_hash, check)
                if pin == roles.champion:
                    raise ModelRefused(f"model {version} is the champion: it cannot be its own shadow")
            if pin != roles.shadow:
                self._turn("shadow", pin, roles, replace(roles, shadow=pin), by)

    # Reading -------------------------------------------------------------------------------------------

    def open(self, which: str, *, features_hash: str, check: Check | None = None) -> Model:
        """The model in a role, or of a version, once all is checked. Never another one than asked for.

        Raises ModelRefused when its files are not those published, it was made with another ontology or
        feature catalogue, its metrics miss its gate, or `check` fails or takes longer than it may.
        """
        return self._vet(self._pin(which), features_hash, check)

    def in_role(self, which: str) -> str | None:
        """The version in a role, unchecked, or None; cheap enough to be asked again and again."""
        pin: Pin | None = getattr(self._roles(), which)
        return None if pin is None else pin.version

    def list(self) -> tuple[Listed, ...]:
        """Every version, oldest first, with what is wrong with its files, ontology or metrics."""
        roles = self._roles()
        serving = {pin.version: role for role, pin in ((SHADOW, roles.shadow), (CHAMPION, roles.champion)) if pin}
        versions = [each.name for each in sorted(self.root.glob("*")) if VERSION.fullmatch(each.name)]
        return tuple(self._listed(version, serving.get(version, "")) for version in versions)

    def _listed(self, version: str, role: str) -> Listed:
        try:
            return Listed(version, role, self._vet(self._pin(role or version), None, None).manifest, "")
        except ModelRefused as error:
            return Listed(version, role, None, str(error))

    def history(self) -> tuple[Change, ...]:
        """Every change, oldest first; a line that a full disk or a kill cut short never happened."""
        try:
            whole, _, _ = self._history_file.read_bytes().rpartition(b"\n")
            told = [json.loads(line) for line in whole.splitlines()]
            return tuple(Change(**each | {"pin": _read_pin(each["pin"])}) for each in told)
        except FileNotFoundError:
            return ()
        except (OSError, *MALFORMED):
            raise StoreError(f"{self._history_file} is damaged: restore it from a backup") from None

    def _pin(self, which: str) -> Pin:
        if which not in (CHAMPION, SHADOW):
            return self._published(which)
        pin: Pin | None = getattr(self._roles(), which)
        if pin is None:
            raise ModelRefused(f"no model is {which}: see `ringroad train` and `ringroad models list`")
        return pin

    def _published(self, version: str) -> Pin:
        for change in reversed(self.history()):
            if change.did == "publish" and change.pin is not None and change.pin.version == version:
                return change.pin
        raise ModelRefused(f"model {version!r} was never published here: `ringroad models list` names those that were")

    def _roles(self) -> Roles:
        try:
            told = json.loads(self._roles_file.read_bytes())
            pins = (_read_pin(each) for each in told["champions"])
            return Roles(tuple(pin for pin in pins if pin is not None), _read_pin(told["shadow"]))
        except FileNotFoundError:
            return Roles()
        except (OSError, *MALFORMED):
            mend = "restore it, or remove it and promote a model (`ringroad models promote VERSION`)"
            raise ModelRefused(f"{self._roles_file} is damaged: {mend}") from None

    def _vet(self, pin: Pin, features_hash: str | None, check: Check | None) -> Model:
        folder = self.root / pin.version
        try:
            manifest = _sound(folder, pin)
            manifest.must_fit(features_hash)
            if check is not None:
                _in_time(check, folder, manifest.training.latency_ms)
        except OSError as error:
            why = f"{Path(error.filename or folder).name} cannot be read ({error.strerror})"
            raise ModelRefused(f"model {pin.version} is refused: {why}; {MEND}") from None
        except Unsound as error:
            raise ModelRefused(f"model {pin.version} is refused: {error}; {MEND}") from error
        return Model(manifest, folder)

    # Writing -------------------------------------------------------------------------------------------

    def _turn(self, did: str, pin: Pin | None, before: Roles, after: Roles, by: By) -> None:
        last = before.shadow if did == "shadow" else before.champion
        with self._told(did, pin, last.version if last else "", by):
            _write(self._roles_file, json.dumps(asdict(after), indent=1).encode())

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One writer at a time; what goes wrong with the disk is said in its terms."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
                os.fsync(lock)
            finally:
                os.close(lock)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StorageFull(f"no room left in {self.root}: free some and run again; nothing changed") from None
            raise StoreError(f"{self.root} cannot be written ({error.strerror}): name a folder of your own") from None

    @contextmanager
    def _told(self, did: str, pin: Pin | None, before: str, by: By) -> Iterator[None]:
        """The line is on disk before what it tells of happens, and cut off again when that fails."""
        line = json.dumps(asdict(Change(did, pin, before, by.who, by.why, stamp(by.at))), ensure_ascii=False)
        with self._history_file.open("a+b", buffering=0) as file:
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
            try:
                _append(file, line.encode() + b"\n")
                yield
            except BaseException:
                file.truncate(whole)
                raise


def _sound(folder: Path, pin: Pin) -> Manifest:
    """The manifest of a folder that holds exactly what was published.

    The files come from the folder's own listing and are then compared: no name in a manifest is ever a path.
    """
    if folder.is_symlink():
        raise Unsound("its folder is a link")
    there = measure(folder)
    if there.pop(MANIFEST, File("", 0)).sha256 != pin.manifest:
        raise Unsound("its manifest is not the one published")
    manifest = Manifest.parse((folder / MANIFEST).read_bytes())
    for name in sorted(there.keys() | manifest.files.keys()):
        if there.get(name) != manifest.files.get(name):
            odd = "is missing" if name not in there else "is extra" if name not in manifest.files else "was changed"
            raise Unsound(f"its file {name!r} {odd}")
    return manifest


def _copy(source: Path, target: Path) -> None:
    for name in measure(source):
        shutil.copyfile(source / name, target / name)


def _sync(path: Path) -> None:
    """Wait until a file or a folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _in_time(check: Check, folder: Path, budget: float) -> None:
    try:
        took = check(folder)
    except Exception as error:  # a damaged model fails in as many ways as there are formats
        raise Unsound(f"it does not load ({type(error).__name__})") from error
    if not 0 <= took <= budget:
        raise Unsound(f"it takes {took:.3g} ms for an application, more than its {budget:.3g} ms")


def _write(path: Path, text: bytes) -> None:
    """All of it or nothing."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)


def _append(file: FileIO, line: bytes) -> None:
    if file.write(line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file.fileno())


def _read_pin(told: Mapping[str, str] | None) -> Pin | None:
    """Raises ValueError for a version that could lead out of the folder."""
    if told is None:
        return None
    pin = Pin(**told)
    if not VERSION.fullmatch(pin.version):
        raise ValueError(f"{pin.version!r} is no version")
    return pin
