"""Passwords from files, as containers hand them over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from graph.errors import InputError, StoreError
from graph.settings import LONGEST_SECRET, Settings, secret
from tests.workbench.conftest import Cluster
from workbench import instance

NAME = "RINGROAD_STORE_PASSWORD"


@pytest.mark.parametrize("content", ["p w:/é", "p w:/é\n", "p w:/é\r\n"])
def test_the_one_line_of_a_file_is_the_password(tmp_path: Path, content: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content.encode())
    assert secret(NAME, {f"{NAME}_FILE": str(file)}) == "p w:/é"


def test_without_a_file_the_variable_counts_and_empty_is_none() -> None:
    assert secret(NAME, {}) is None
    assert secret(NAME, {NAME: "", f"{NAME}_FILE": ""}) is None
    assert secret(NAME, {NAME: "word", f"{NAME}_FILE": ""}) == "word"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: None, "cannot be read (No such file"),
        (lambda file: file.mkdir(), "cannot be read (Is a directory"),
        (lambda file: file.write_text("\n"), "holds no password"),
        (lambda file: file.write_text("secret-word\nanother\n"), "holds no password"),
        (lambda file: file.write_text("s" * (LONGEST_SECRET + 1)), "holds no password"),
        (lambda file: file.write_bytes(b"secret-word\xff"), "no text"),
    ],
)
def test_a_file_that_holds_no_password_is_refused_and_never_shown(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    make(tmp_path / "password")
    with pytest.raises(InputError) as refused:
        secret(NAME, {f"{NAME}_FILE": str(tmp_path / "password")})
    assert words in refused.value.message
    assert f"{NAME}_FILE=" in refused.value.message
    assert "secret-word" not in refused.value.message


def test_both_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="both set"):
        secret(NAME, {NAME: "a", f"{NAME}_FILE": str(tmp_path / "b")})


def test_store_and_casebook_read_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Cluster) -> None:
    """The casebook on a PostgreSQL that asks for a password, as docker-compose.yml has it."""
    for name in ("STORE", "CASEBOOK"):
        (tmp_path / name).write_text(f"{name}-word\n", encoding="utf-8")
        monkeypatch.delenv(f"RINGROAD_{name}_PASSWORD", raising=False)
        monkeypatch.setenv(f"RINGROAD_{name}_PASSWORD_FILE", str(tmp_path / name))
    assert instance.store_password() == "STORE-word"
    settings = Settings(tmp_path / "home", "sqlite:///unused", postgres.asking("CASEBOOK-word"))
    with instance.open_casebook(settings) as casebook, casebook.reading() as db:
        assert db.dialect.name == "postgresql"
    (tmp_path / "CASEBOOK").write_text("another-word", encoding="utf-8")
    with pytest.raises(StoreError, match="password authentication failed") as refused:
        instance.open_casebook(settings)
    assert "another-word" not in refused.value.message
