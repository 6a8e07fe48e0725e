"""Where one instance of Ringroad lives and what it talks to, read from the environment once.

Two instances never meet: everything an instance writes is under its `home`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graph.errors import InputError


@dataclass(frozen=True)
class Settings:
    """One instance. Every path derives from `home`; nothing else is machine-specific."""

    home: Path
    store_url: str
    casebook_url: str
    demo: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        home = Path(environ.get("RINGROAD_HOME") or Path.home() / ".ringroad").expanduser().absolute()
        if home.exists() and not home.is_dir():
            raise InputError(f"RINGROAD_HOME={home} is a file; name a folder, or unset it for ~/.ringroad")
        return cls(
            home=home,
            store_url=environ.get("RINGROAD_STORE") or f"sqlite:///{home / 'graph.sqlite'}",
            casebook_url=environ.get("RINGROAD_CASEBOOK") or f"sqlite:///{home / 'casebook.sqlite'}",
            demo=_switch(environ, "RINGROAD_DEMO"),
        )

    @property
    def vault_file(self) -> Path:
        return self.home / "vault.sqlite"

    @property
    def key_file(self) -> Path:
        return self.home / "vault.key"

    @property
    def snapshot_dir(self) -> Path:
        return self.home / "snapshot"

    @property
    def staging_dir(self) -> Path:
        return self.home / "staging"

    @property
    def rings_file(self) -> Path:
        return self.home / "rings.json"

    def prepare(self) -> Settings:
        """Create `home`, readable by its owner only."""
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise InputError(
                f"RINGROAD_HOME={self.home} cannot be created ({error.strerror}); name a folder you may write to"
            ) from None
        return self


LONGEST_SECRET = 4096


def secret(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """A password: the variable itself, or the one line of the file that NAME_FILE names, as containers hand them over.

    None when there is neither. Raises InputError for both at once, and for a file that holds no password.
    """
    named, place = environ.get(name) or None, environ.get(f"{name}_FILE")
    if not place:
        return named
    if named is not None:
        raise InputError(f"{name} and {name}_FILE are both set; unset one of them")
    try:
        with Path(place).open("rb") as file:
            held = file.read(LONGEST_SECRET + 1)
        line = held.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise InputError(
            f"{name}_FILE={place} cannot be read ({error.strerror}); name a file that this user may read"
        ) from None
    except ValueError:
        raise InputError(f"{name}_FILE={place} is no text; write the password into it, in one line") from None
    if not line or len(held) > LONGEST_SECRET or not line.isprintable():
        raise InputError(f"{name}_FILE={place} holds no password; write it there in one line, and nothing else")
    return line


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value in ("", "0", "false", "no"):
        return False
    if value in ("1", "true", "yes"):
        return True
    raise InputError(f"{name}={value!r} is neither 1 nor 0")
