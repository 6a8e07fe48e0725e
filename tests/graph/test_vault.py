"""What the vault promises: links without identities, and no way back without both files."""

from __future__ import annotations

import hmac
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.keyring import _DEMO, KeyFileError, Keyring
from graph.vault import NotInVault, Triples, Vault, VaultDamaged, VaultError

PHONES = ["13812345678", "13987654321", "15000001111", "中文 Straße 🚗"]
CANARY = "11010519491231002X"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "vault.key"
    Keyring.create(path)
    return path


@pytest.fixture
def reopen(tmp_path: Path, key_file: Path) -> Iterator[Callable[[], Vault]]:
    """The same vault as a process started just now sees it."""
    opened: list[Vault] = []

    def fresh() -> Vault:
        opened.append(Vault.open(tmp_path / "vault.sqlite", Keyring.open(key_file)))
        return opened[-1]

    yield fresh
    for vault in opened:
        vault.close()


@pytest.fixture
def vault(reopen: Callable[[], Vault]) -> Vault:
    return reopen()


def keep(vault: Vault, kind: str, values: list[str]) -> list[str]:
    tokens = vault.tokens(kind, values)
    vault.keep(kind, tokens, vault.seal(kind, tokens, values))
    return tokens


def edit(tmp_path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(tmp_path / "vault.sqlite")) as db, db:
        db.execute(statement, values)


def kept(tmp_path: Path, name: str = "vault.sqlite") -> dict[str, set[tuple[str, ...]]]:
    """Everything in the file that does not change from sealing to sealing."""
    with closing(sqlite3.connect(tmp_path / name)) as db:
        return {
            "identifiers": set(db.execute("SELECT kind, token FROM identifiers")),
            "refs": set(db.execute("SELECT kind, id, key, key_kind FROM refs")),
            "keys": set(db.execute("SELECT name, fingerprint FROM keys")),
        }


def file_bytes(folder: Path, name: str) -> bytes:
    files = sorted(folder.glob(f"{name}*"))
    assert files
    return b"".join(file.read_bytes() for file in files)


class GraphOfTokens:
    """A store in miniature: moves keys, and does not mind one moved before."""

    def __init__(self, kind: str, tokens: list[str]) -> None:
        self.nodes = {(kind, token) for token in tokens}
        self.seen: list[tuple[str, str, str]] = []

    def rekey(self, triples: Triples) -> None:
        for kind, old, new in triples:
            self.seen.append((kind, old, new))
            if (kind, old) in self.nodes:
                self.nodes.remove((kind, old))
                self.nodes.add((kind, new))

    def fail_after(self, taken: int) -> Callable[[Triples], None]:
        def rekey(triples: Triples) -> None:
            rows = iter(triples)
            self.rekey(next(rows) for _ in range(taken))
            raise InterruptedError("power cut")

        return rekey


# Tokens.


def test_a_value_kept_is_revealed_and_counted_once(vault: Vault) -> None:
    tokens = vault.tokens("phone", PHONES)
    sealed = vault.seal("phone", tokens, PHONES)
    assert vault.keep("phone", tokens, sealed) == len(PHONES)
    assert vault.keep("phone", tokens + tokens, sealed + sealed) == 0
    assert [vault.reveal("phone", token) for token in tokens] == PHONES
    assert vault.known("phone", [*tokens, "0" * 32]) == set(tokens)
    assert vault.known("card", tokens) == set()
    assert vault.count() == {"phone": len(PHONES)}
    assert vault.verify() == len(PHONES)


def test_a_token_kept_before_keeps_its_first_seal(vault: Vault, tmp_path: Path) -> None:
    keep(vault, "phone", PHONES)
    before = sorted(sealed_rows(tmp_path))
    keep(vault, "phone", PHONES)
    assert sorted(sealed_rows(tmp_path)) == before


def sealed_rows(tmp_path: Path) -> list[tuple[str, bytes]]:
    with closing(sqlite3.connect(tmp_path / "vault.sqlite")) as db:
        return db.execute("SELECT token, sealed FROM identifiers").fetchall()


def test_equality_shows_and_nothing_else(vault: Vault) -> None:
    one, other, again = vault.tokens("phone", [PHONES[0], PHONES[1], PHONES[0]])
    assert one == again == vault.token("phone", PHONES[0])
    assert one != other
    assert len(one) == 32
    assert set(one) <= set("0123456789abcdef")
    assert vault.token("work_phone", PHONES[0]) != one


def test_equal_values_are_sealed_differently(vault: Vault) -> None:
    tokens = vault.tokens("phone", [PHONES[0]] * 50)
    sealed = vault.seal("phone", tokens, [PHONES[0]] * 50)
    assert len({each[1:13] for each in sealed}) == 50
    assert len({each[13:] for each in sealed}) == 50


def test_a_token_is_the_hmac_that_the_readme_says(vault: Vault, key_file: Path) -> None:
    master = bytes.fromhex(json.loads(key_file.read_text())["index"]["1"])
    extracted = hmac.digest(bytes(32), master, "sha256")  # RFC 5869 by hand, no salt, one block
    key = hmac.digest(extracted, b"ringroad index v1 phone\x01", "sha256")
    assert vault.token("phone", PHONES[0]) == hmac.digest(key, PHONES[0].encode(), "sha256").hex()[:32]


def test_two_vaults_share_no_token(vault: Vault, tmp_path: Path) -> None:
    other_key = Keyring.create(tmp_path / "other.key")
    with Vault.open(tmp_path / "other.sqlite", other_key) as other:
        assert other.token("phone", PHONES[0]) != vault.token("phone", PHONES[0])


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_back_as_it_was(value: str) -> None:
    keyring = Keyring.demo()
    (token,) = keyring.tokens("name", [value], 1)
    (sealed,) = keyring.seal("name", [token], [value])
    assert keyring.unseal("name", token, sealed) == value


@pytest.mark.parametrize("bad", ["", "1381234\ud800"])
def test_what_has_no_canonical_form_gets_no_token(vault: Vault, bad: str) -> None:
    with pytest.raises(VaultError, match="phone") as refused:
        vault.tokens("phone", [PHONES[0], bad])
    assert "138" not in str(refused.value)


def test_a_clear_value_in_the_place_of_a_token_is_refused_and_not_repeated(vault: Vault) -> None:
    for attempt in (
        lambda: vault.keep("id_number", [CANARY], vault.seal("id_number", [CANARY], [CANARY])),
        lambda: vault.refer("applicant_id", ["A1"], [CANARY], "id_number"),
        lambda: vault.reveal("id_number", CANARY),
    ):
        with pytest.raises(VaultError) as refused:
            attempt()
        assert CANARY[:8] not in str(refused.value)


def test_uneven_lists_are_refused(vault: Vault) -> None:
    tokens = vault.tokens("phone", PHONES)
    for attempt in (
        lambda: vault.seal("phone", tokens, PHONES[:1]),
        lambda: vault.keep("phone", tokens, []),
        lambda: vault.refer("phone", PHONES, tokens[:1]),
    ):
        with pytest.raises(VaultError, match="one for each"):
            attempt()


# Seals.


def test_a_token_never_kept_is_not_found(vault: Vault) -> None:
    token = vault.token("phone", PHONES[0])
    with pytest.raises(NotInVault, match=f"phone {token[:8]}") as missing:
        vault.reveal("phone", token)
    assert missing.value.status == 404
    assert token not in str(missing.value)


def test_a_seal_moved_to_another_token_or_kind_does_not_open(vault: Vault) -> None:
    one, other = keep(vault, "phone", PHONES[:2])
    (sealed,) = vault.seal("phone", [one], PHONES[:1])
    assert vault._keyring.unseal("phone", one, sealed) == PHONES[0]
    for kind, token in (("phone", other), ("work_phone", one)):
        with pytest.raises(VaultDamaged):
            vault._keyring.unseal(kind, token, sealed)


def test_kinds_are_told_apart_by_the_seal_itself_not_by_their_keys_alone(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    (token,) = vault.tokens("phone", PHONES[:1])
    one_cipher = vault._keyring._cipher("phone", 1)
    monkeypatch.setattr(vault._keyring, "_cipher", lambda kind, version: one_cipher)
    (sealed,) = vault.seal("phone", [token], PHONES[:1])
    with pytest.raises(VaultDamaged):
        vault._keyring.unseal("work_phone", token, sealed)


def test_swapped_rows_in_the_file_do_not_open(vault: Vault, tmp_path: Path) -> None:
    one, other = keep(vault, "phone", PHONES[:2])
    rows = dict(sealed_rows(tmp_path))
    edit(tmp_path, "UPDATE identifiers SET sealed = ? WHERE token = ?", rows[other], one)
    with pytest.raises(VaultDamaged):
        vault.reveal("phone", one)
    assert vault.reveal("phone", other) == PHONES[1]


def test_every_altered_byte_is_noticed(vault: Vault, tmp_path: Path) -> None:
    (token,) = keep(vault, "phone", PHONES[:1])
    sealed = dict(sealed_rows(tmp_path))[token]
    altered: list[object] = [
        sealed[:at] + bytes([sealed[at] ^ flip]) + sealed[at + 1 :] for at in range(len(sealed)) for flip in (1, 128)
    ]
    altered += [sealed[:cut] for cut in range(len(sealed))]
    altered += [sealed + b"\0", "text", 7]
    for value in altered:
        edit(tmp_path, "UPDATE identifiers SET sealed = ?", value)
        with pytest.raises(VaultDamaged) as damaged:
            vault.reveal("phone", token)
        assert PHONES[0] not in str(damaged.value)
        assert damaged.value.status == 500


def test_a_file_that_is_no_database_is_damaged(key_file: Path, tmp_path: Path) -> None:
    (tmp_path / "vault.sqlite").write_bytes(b"no database, whatever its name says" * 99)
    with pytest.raises(VaultDamaged, match="restore"):
        Vault.open(tmp_path / "vault.sqlite", Keyring.open(key_file))


def test_another_database_is_left_alone(key_file: Path, tmp_path: Path) -> None:
    edit(tmp_path, "CREATE TABLE nodes (key TEXT)")
    before = (tmp_path / "vault.sqlite").read_bytes()[100:]
    with pytest.raises(VaultError, match="another database"):
        Vault.open(tmp_path / "vault.sqlite", Keyring.open(key_file))
    assert (tmp_path / "vault.sqlite").read_bytes()[100:] == before


def test_a_vault_of_a_newer_release_is_refused(vault: Vault, reopen: Callable[[], Vault], tmp_path: Path) -> None:
    edit(tmp_path, "PRAGMA user_version = 2")
    with pytest.raises(VaultError, match="newer release"):
        reopen()


def test_a_missing_folder_is_named(key_file: Path, tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="nowhere"):
        Vault.open(tmp_path / "nowhere" / "vault.sqlite", Keyring.open(key_file))


# What can be read from outside.


def test_no_clear_value_reaches_the_disk(vault: Vault, tmp_path: Path) -> None:
    keep(vault, "id_number", [CANARY])
    token = vault.token("id_number", CANARY)
    vault.refer("applicant_id", ["APPLICANT-CANARY"], [token], "id_number")
    vault.add_seal_version()
    vault.reseal()
    written = file_bytes(tmp_path, "vault.sqlite")
    vault.rotate_index(lambda triples: [None for _ in triples])  # type: ignore[arg-type]
    keep(vault, "id_number", ["CANARY-IN-THE-LOG"])
    assert (tmp_path / "vault.sqlite-wal").stat().st_size > 0
    written += file_bytes(tmp_path, "vault.sqlite")
    for clear in (CANARY, "APPLICANT-CANARY", "CANARY-IN-THE-LOG"):
        assert clear.encode() not in written
        assert clear.encode().hex().encode() not in written


def test_what_was_replaced_is_gone_from_the_files(vault: Vault, tmp_path: Path) -> None:
    tokens = keep(vault, "phone", [f"138{number:08}" for number in range(500)])
    sealed = [each for _, each in sealed_rows(tmp_path)]
    vault.add_seal_version()
    vault.reseal()
    assert not any(each in file_bytes(tmp_path, "vault.sqlite") for each in sealed)
    vault.rotate_index(GraphOfTokens("phone", tokens).rekey)
    assert not any(token.encode() in file_bytes(tmp_path, "vault.sqlite") for token in tokens)


def test_no_key_is_in_the_vault_or_a_backup(vault: Vault, key_file: Path, tmp_path: Path) -> None:
    keep(vault, "phone", PHONES)
    vault.backup(tmp_path / "copy.sqlite")
    keys = vault._keyring.keys
    masters = [keys.index[1], keys.seal[1]]
    derived = [vault._keyring._index_state("phone", 1).copy().finalize()]
    written = file_bytes(tmp_path, "vault.sqlite") + file_bytes(tmp_path, "copy.sqlite")
    for key in masters + derived:
        assert key not in written
        assert key.hex().encode() not in written
    assert keys.index[1].hex() not in repr(vault._keyring) + repr(keys) + vault._keyring.fingerprint
    assert keys.index[1].hex() in key_file.read_text()


def test_files_are_for_their_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keyring = Keyring.create(tmp_path / "open.key")
        with Vault.open(tmp_path / "open.sqlite", keyring) as vault:
            keep(vault, "phone", PHONES)
            vault.backup(tmp_path / "open.backup")
            vault.add_seal_version()
            files = sorted(tmp_path.glob("open*"))
            assert {file.suffix for file in files} >= {".key", ".sqlite", ".sqlite-wal", ".backup"}
            assert {oct(stat.S_IMODE(file.stat().st_mode)) for file in files} == {"0o600"}
    finally:
        os.umask(before)


# The key file.


def test_a_key_file_is_made_once(key_file: Path, tmp_path: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(KeyFileError, match="exists"):
        Keyring.create(key_file)
    assert key_file.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [key_file.name]


def test_the_key_file_has_the_form_others_read(key_file: Path) -> None:
    raw = json.loads(key_file.read_text())
    assert raw.keys() == {"format", "index", "seal", "current_index", "current_seal", "state"}
    assert (raw["format"], raw["current_index"], raw["current_seal"], raw["state"]) == (1, 1, 1, "steady")
    assert len(bytes.fromhex(raw["index"]["1"])) == len(bytes.fromhex(raw["seal"]["1"])) == 32
    assert raw["index"]["1"] != raw["seal"]["1"]


def test_the_fingerprint_is_lasting_and_tells_keys_apart(key_file: Path, tmp_path: Path) -> None:
    fingerprint = Keyring.open(key_file).fingerprint
    assert len(fingerprint) == 12
    assert fingerprint == Keyring.open(key_file).fingerprint
    assert fingerprint != Keyring.create(tmp_path / "other.key").fingerprint


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"none\.key is missing"):
        Keyring.open(tmp_path / "none.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_file_others_can_use_is_refused_with_the_remedy(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 {key_file}"):
        Keyring.open(key_file)
    key_file.chmod(0o400)
    Keyring.open(key_file)


SECRET = "5ec2e7" + "ab" * 29


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("format", 2),
        ("index", {"1": SECRET[:-2]}),
        ("index", {"1": SECRET + "00"}),
        ("index", {"1": SECRET[:-1] + "x"}),
        ("index", {SECRET: SECRET}),
        ("index", {"1": 7}),
        ("index", {}),
        ("index", SECRET),
        ("index", {"1": SECRET, "2": SECRET}),
        ("seal", {}),
        ("seal", {"1": SECRET, "256": SECRET}),
        ("current_index", 2),
        ("current_seal", SECRET),
        ("current_seal", []),
        ("state", "rotating"),
        ("state", SECRET),
    ],
)
def test_a_damaged_key_file_is_refused_without_quoting_it(key_file: Path, entry: str, value: object) -> None:
    key_file.write_text(json.dumps(json.loads(key_file.read_text()) | {entry: value}))
    with pytest.raises(KeyFileError, match="damaged") as refused:
        Keyring.open(key_file)
    assert SECRET[:6] not in str(refused.value)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", SECRET.encode(), b'{"format": 1}'])
def test_a_key_file_that_is_something_else_is_refused(key_file: Path, text: bytes) -> None:
    key_file.write_bytes(text)
    with pytest.raises(KeyFileError, match="damaged") as refused:
        Keyring.open(key_file)
    assert SECRET[:6] not in str(refused.value)


def test_the_public_key_is_for_demo_only(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="demo"):
        Vault.open(tmp_path / "vault.sqlite", Keyring.demo())
    assert not list(tmp_path.iterdir())
    saved = tmp_path / "saved.key"
    saved.touch(0o600)
    saved.write_text(_DEMO.render())
    with pytest.raises(VaultError, match="demo"):
        Vault.open(tmp_path / "vault.sqlite", Keyring.open(saved))
    with Vault.open(tmp_path / "vault.sqlite", Keyring.demo(), demo=True) as vault:
        (token,) = keep(vault, "phone", PHONES[:1])
        assert vault.reveal("phone", token) == PHONES[0]
        with pytest.raises(KeyFileError, match="demo key is fixed"):
            vault.rotate_index(lambda triples: None)
        keep(vault, "phone", PHONES)


def test_another_vaults_key_file_is_refused(vault: Vault, tmp_path: Path) -> None:
    other = Keyring.create(tmp_path / "other.key")
    with pytest.raises(VaultError, match="wrong key file") as refused:
        Vault.open(tmp_path / "vault.sqlite", other)
    assert vault._keyring.fingerprint in str(refused.value)
    assert other.fingerprint in str(refused.value)


def test_an_old_copy_of_the_key_file_is_refused(vault: Vault, reopen: Callable[[], Vault], key_file: Path) -> None:
    old = key_file.read_text()
    vault.add_seal_version()
    newest = key_file.read_text()
    key_file.write_text(old)
    with pytest.raises(VaultError, match="newest copy"):
        reopen()
    key_file.write_text(newest)
    reopen()


def test_a_key_file_replaced_under_a_running_process_is_not_extended(vault: Vault, key_file: Path) -> None:
    key_file.unlink()
    stranger = Keyring.create(key_file).fingerprint
    with pytest.raises(KeyFileError, match="replaced"):
        vault.add_seal_version()
    assert Keyring.open(key_file).fingerprint == stranger


# References.


def test_a_reference_leads_to_its_key_and_the_first_stays(vault: Vault) -> None:
    person, other = keep(vault, "id_number", [CANARY, "110105194912310011"])
    vault.refer("applicant_id", ["A1", "A2"], [person, other], "id_number")
    vault.refer("applicant_id", ["A1", "A3"], [other, other], "id_number")
    vault.refer("employer_id", ["A1"], ["E-77"])
    assert vault.referred("applicant_id", ["A1", "A2", "A3", "A4"]) == {
        "A1": person,
        "A2": other,
        "A3": other,
    }
    assert vault.referred("employer_id", ["A1", "A2"]) == {"A1": "E-77"}
    assert vault.referred("dealer_id", []) == {}
    assert vault.count() == {"id_number": 2}


def test_meanings_of_several_kinds_are_told_at_once(vault: Vault) -> None:
    (person,) = keep(vault, "id_number", [CANARY])
    vault.refer("applicant", ["A1"], [person], "id_number")
    vault.refer("employer", ["A1", "E1"], ["E-77", "E-78"])
    asked = [
        (kind, vault.token(f"ref:{kind}", number))
        for kind, number in (("applicant", "A1"), ("employer", "E1"), ("applicant", "E1"), ("dealer", "A1"))
    ]
    assert vault.meanings(asked) == {asked[0]: person, asked[1]: "E-78"}
    assert vault.meanings(asked[2:]) == vault.meanings([]) == {}


def test_references_are_looked_up_across_chunks(vault: Vault) -> None:
    ids = [f"A{number}" for number in range(25_001)]
    vault.refer("applicant_id", ids, [f"key {each}" for each in ids])
    found = vault.referred("applicant_id", [*ids, "unknown"])
    assert found == {each: f"key {each}" for each in ids}


# New keys.


def test_resealing_keeps_tokens_and_can_be_stopped(vault: Vault, tmp_path: Path, reopen: Callable[[], Vault]) -> None:
    phones = [f"138{number:08}" for number in range(7_000)]
    tokens = keep(vault, "phone", phones)
    assert vault.add_seal_version() == 2
    before = kept(tmp_path)
    (later,) = keep(vault, "phone", ["13900000000"])

    def power_cut(done: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        vault.reseal(power_cut)
    versions = [sealed[0] for _, sealed in sealed_rows(tmp_path)]
    assert 1 <= versions.count(1) < len(versions) - 1

    fresh = reopen()
    steps: list[int] = []
    assert fresh.reseal(steps.append) == versions.count(1)
    assert steps[-1] == versions.count(1)
    assert {sealed[0] for _, sealed in sealed_rows(tmp_path)} == {2}
    assert fresh.reseal() == 0
    assert kept(tmp_path)["identifiers"] == before["identifiers"] | {("phone", later)}
    assert [fresh.reveal("phone", token) for token in tokens[:3]] == phones[:3]


def test_a_process_started_before_reads_what_a_new_key_sealed(vault: Vault, reopen: Callable[[], Vault]) -> None:
    other = reopen()
    vault.add_seal_version()
    (token,) = keep(vault, "phone", PHONES[:1])
    assert other.reveal("phone", token) == PHONES[0]


def filled(vault: Vault) -> tuple[list[str], list[str]]:
    phones = keep(vault, "phone", PHONES)
    people = keep(vault, "id_number", [CANARY])
    vault.refer("applicant_id", ["A1"], people, "id_number")
    vault.refer("phone_id", ["P1", "P2"], phones[:2], "phone")
    vault.refer("employer_id", ["E1"], ["E-77"])
    return phones, people


def assert_rotated(vault: Vault, store: GraphOfTokens, phones: list[str], people: list[str]) -> None:
    news, new_people = vault.tokens("phone", PHONES), vault.tokens("id_number", [CANARY])
    assert not set(news + new_people) & set(phones + people)
    assert store.nodes == {("phone", token) for token in news}
    assert vault.known("phone", phones + news) == set(news)
    assert [vault.reveal("phone", token) for token in news] == PHONES
    assert vault.referred("applicant_id", ["A1"]) == {"A1": new_people[0]}
    assert vault.referred("phone_id", ["P1", "P2"]) == {"P1": news[0], "P2": news[1]}
    assert vault.referred("employer_id", ["E1"]) == {"E1": "E-77"}
    assert vault.count() == {"id_number": 1, "phone": len(PHONES)}
    vault.check()
    vault.verify()
    assert keep(vault, "phone", PHONES) == news


def test_rotation_moves_tokens_values_and_references(vault: Vault, reopen: Callable[[], Vault], key_file: Path) -> None:
    phones, people = filled(vault)
    fingerprint = vault._keyring.fingerprint
    old_key = json.loads(key_file.read_text())["index"]["1"]
    store = GraphOfTokens("phone", phones)

    assert vault.rotate_index(store.rekey) == len(PHONES) + 1
    olds = [("phone", token) for token in phones] + [("id_number", token) for token in people]
    assert sorted((kind, old) for kind, old, _ in store.seen) == sorted(olds)
    assert {(kind, new) for kind, _, new in store.seen} == {
        *(("phone", token) for token in vault.tokens("phone", PHONES)),
        ("id_number", vault.token("id_number", CANARY)),
    }
    for each in (vault, reopen()):
        assert_rotated(each, store, phones, people)
    raw = json.loads(key_file.read_text())
    assert (raw["state"], raw["current_index"], list(raw["index"])) == ("steady", 2, ["2"])
    assert old_key not in key_file.read_text()
    assert reopen()._keyring.fingerprint != fingerprint


@pytest.mark.parametrize("taken", [0, 1, 3, 5])
def test_a_rotation_cut_off_in_the_store_ends_the_same(
    vault: Vault, reopen: Callable[[], Vault], key_file: Path, tmp_path: Path, taken: int
) -> None:
    phones, people = filled(vault)
    store = GraphOfTokens("phone", phones)
    with pytest.raises(InterruptedError):
        vault.rotate_index(store.fail_after(taken))
    assert json.loads(key_file.read_text())["state"] == "rotating"

    for each in (vault, reopen()):  # old tokens still open, nothing new is taken in
        assert [each.reveal("phone", token) for token in phones] == PHONES
        with pytest.raises(VaultError, match="unfinished"):
            each.check()
        with pytest.raises(VaultError, match="unfinished"):
            keep(each, "phone", ["13900000000"])

    fresh = reopen()
    assert fresh.rotate_index(store.rekey) == len(PHONES) + 1
    assert_rotated(fresh, store, phones, people)
    assert_rotated(reopen(), store, phones, people)
    assert len({new for _, old, new in store.seen}) == len(PHONES) + 1  # both runs used one key
    assert {name for name, _ in kept(tmp_path)["keys"]} == {"index", "seal 1"}


@pytest.mark.parametrize("step", ["_rewrite", "end_rotation"])
def test_a_rotation_cut_off_at_its_end_ends_the_same(
    vault: Vault, reopen: Callable[[], Vault], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    phones, people = filled(vault)
    store = GraphOfTokens("phone", phones)

    def power_cut(*_: object, **__: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(vault if step == "_rewrite" else vault._keyring, step, power_cut)
        with pytest.raises(InterruptedError):
            vault.rotate_index(store.rekey)
    fresh = reopen()
    assert fresh.rotate_index(store.rekey) == len(PHONES) + 1
    assert len(store.seen) == (len(PHONES) + 1) * (2 if step == "_rewrite" else 1)
    assert_rotated(fresh, store, phones, people)
    assert_rotated(reopen(), store, phones, people)


def test_a_rewrite_cut_off_half_way_leaves_all_as_it_was(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones, people = filled(vault)
    store = GraphOfTokens("phone", phones)
    before = kept(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("graph.vault._MOVE", ("DELETE FROM refs", "DELETE FROM no_such_table"))
        with pytest.raises(VaultError, match="no_such_table"):
            vault.rotate_index(store.rekey)
    now = kept(tmp_path)
    assert (now["identifiers"], now["refs"]) == (before["identifiers"], before["refs"])
    vault.rotate_index(store.rekey)
    assert_rotated(vault, store, phones, people)


def test_an_unfinished_rotation_can_be_abandoned(
    vault: Vault, reopen: Callable[[], Vault], key_file: Path, tmp_path: Path
) -> None:
    phones, _ = filled(vault)
    before, keys = kept(tmp_path), key_file.read_bytes()
    store = GraphOfTokens("phone", phones)
    with pytest.raises(VaultError, match="no rotation"):
        vault.abandon_rotation(store.rekey)
    with pytest.raises(InterruptedError):
        vault.rotate_index(store.fail_after(3))
    reopen().abandon_rotation(store.rekey)
    assert store.nodes == {("phone", token) for token in phones}
    assert kept(tmp_path) == before
    assert key_file.read_bytes() == keys
    assert keep(reopen(), "phone", PHONES) == phones


def test_a_rotation_abandoned_elsewhere_is_not_completed(vault: Vault, reopen: Callable[[], Vault]) -> None:
    phones, _ = filled(vault)
    store = GraphOfTokens("phone", phones)

    def abandoned_on_the_way(triples: Triples) -> None:
        store.rekey(triples)
        reopen().abandon_rotation(store.rekey)

    with pytest.raises(VaultError, match="abandoned"):
        vault.rotate_index(abandoned_on_the_way)
    assert [reopen().reveal("phone", token) for token in phones] == PHONES
    assert reopen().verify() == len(PHONES) + 1 + 4


def test_a_store_that_leaves_tokens_behind_does_not_end_the_rotation(vault: Vault) -> None:
    phones, people = filled(vault)
    store = GraphOfTokens("phone", phones)
    with pytest.raises(VaultError, match="left tokens"):
        vault.rotate_index(lambda triples: store.rekey([next(iter(triples))]))
    vault.rotate_index(store.rekey)
    assert_rotated(vault, store, phones, people)


def test_tokens_without_a_value_stop_the_rotation_before_it_starts(
    vault: Vault, key_file: Path, tmp_path: Path
) -> None:
    phones, _ = filled(vault)
    bare = vault.tokens("card", ["6222020000000000", "6222020000000001"])
    vault.refer("account_id", ["C1", "C2", "C3"], [*bare, bare[0]], "card")
    before, keys = kept(tmp_path), key_file.read_bytes()
    store = GraphOfTokens("phone", phones)
    with pytest.raises(VaultError, match="2 of kind card"):
        vault.rotate_index(store.rekey)
    assert (kept(tmp_path), key_file.read_bytes(), store.seen) == (before, keys, [])
    keep(vault, "phone", PHONES)


def test_a_damaged_value_stops_the_rotation_before_it_starts(vault: Vault, key_file: Path, tmp_path: Path) -> None:
    phones, _ = filled(vault)
    edit(tmp_path, "UPDATE identifiers SET sealed = zeroblob(40) WHERE token = ?", phones[0])
    keys, store = key_file.read_bytes(), GraphOfTokens("phone", phones)
    with pytest.raises(VaultDamaged):
        vault.rotate_index(store.rekey)
    assert (key_file.read_bytes(), store.seen) == (keys, [])


def test_a_process_with_the_old_key_learns_of_the_rotation(vault: Vault, reopen: Callable[[], Vault]) -> None:
    phones, _ = filled(vault)
    vault.add_seal_version()
    late = reopen()
    vault.rotate_index(GraphOfTokens("phone", phones).rekey)
    for attempt in (
        late.check,
        lambda: keep(late, "phone", PHONES),
        lambda: late.known("phone", phones),
        lambda: late.referred("phone_id", ["P1"]),
        lambda: late.meanings([("phone_id", late.token("ref:phone_id", "P1"))]),
        lambda: late.refer("phone_id", ["P9"], ["x"]),
        lambda: late.rotate_index(GraphOfTokens("phone", phones).rekey),
    ):
        with pytest.raises(VaultError, match="rotated meanwhile"):
            attempt()
    assert late.reveal("phone", vault.token("phone", PHONES[0])) == PHONES[0]
    late._keyring.reload()
    with pytest.raises(VaultError, match="rotated meanwhile"):
        late.tokens("phone", PHONES)


# Copies.


def test_a_backup_comes_back_whole(vault: Vault, key_file: Path, tmp_path: Path) -> None:
    phones, people = filled(vault)
    vault.backup(tmp_path / "copy.sqlite")
    before = kept(tmp_path)
    keep(vault, "phone", ["13900000000"])
    with Vault.restore(tmp_path / "copy.sqlite", tmp_path / "new.sqlite", Keyring.open(key_file)) as restored:
        assert [restored.reveal("phone", token) for token in phones] == PHONES
        assert restored.referred("applicant_id", ["A1"]) == {"A1": people[0]}
        assert kept(tmp_path, "new.sqlite") == before
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_a_tampered_backup_is_refused(vault: Vault, key_file: Path, tmp_path: Path) -> None:
    phones, _ = filled(vault)
    copy, keyring = tmp_path / "copy.sqlite", Keyring.open(key_file)
    vault.backup(copy)
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute(
            "UPDATE identifiers SET sealed = ? WHERE token = ?",
            (dict(sealed_rows(tmp_path))[phones[1]], phones[0]),
        )
    with pytest.raises(VaultDamaged):
        Vault.restore(copy, tmp_path / "new.sqlite", keyring)
    copy.write_bytes(b"")
    with pytest.raises(VaultDamaged, match="not a vault"):
        Vault.restore(copy, tmp_path / "new.sqlite", keyring)
    assert not list(tmp_path.glob("*new.sqlite*"))


def test_copies_overwrite_nothing(vault: Vault, key_file: Path, tmp_path: Path) -> None:
    vault.backup(tmp_path / "copy.sqlite")
    keyring = Keyring.open(key_file)
    with pytest.raises(VaultError, match="exists"):
        vault.backup(tmp_path / "copy.sqlite")
    with pytest.raises(VaultError, match="exists"):
        Vault.restore(tmp_path / "copy.sqlite", tmp_path / "vault.sqlite", keyring)
    (tmp_path / "gone.sqlite-wal").touch()
    with pytest.raises(VaultError, match="wal exists"):
        Vault.restore(tmp_path / "copy.sqlite", tmp_path / "gone.sqlite", keyring)
    with pytest.raises(VaultError, match="missing"):
        Vault.restore(tmp_path / "none.sqlite", tmp_path / "gone.sqlite", keyring)


def test_a_backup_from_before_a_rotation_needs_the_key_file_of_its_time(
    vault: Vault, key_file: Path, tmp_path: Path
) -> None:
    phones = keep(vault, "phone", PHONES)
    old_copy = tmp_path / "old.key"
    old_copy.touch(0o600)
    old_copy.write_text(key_file.read_text())
    vault.backup(tmp_path / "copy.sqlite")
    vault.rotate_index(GraphOfTokens("phone", phones).rekey)
    with pytest.raises(VaultError, match="wrong key file"):
        Vault.restore(tmp_path / "copy.sqlite", tmp_path / "new.sqlite", Keyring.open(key_file))
    with Vault.restore(tmp_path / "copy.sqlite", tmp_path / "new.sqlite", Keyring.open(old_copy)) as restored:
        assert restored.reveal("phone", phones[0]) == PHONES[0]


def test_a_backup_needs_its_own_key(vault: Vault, tmp_path: Path) -> None:
    vault.backup(tmp_path / "copy.sqlite")
    with pytest.raises(VaultError, match="wrong key file"):
        Vault.restore(tmp_path / "copy.sqlite", tmp_path / "new.sqlite", Keyring.create(tmp_path / "other.key"))


# Several at once.

_KEEPER = """
import sys
from pathlib import Path
from graph.keyring import Keyring
from graph.vault import Vault
vault = Vault.open(Path(sys.argv[2]), Keyring.open(Path(sys.argv[1])))
new = 0
for start in range(0, 400, 20):
    phones = [f"138{number:08}" for number in range(start, start + 20)]
    tokens = vault.tokens("phone", phones)
    new += vault.keep("phone", tokens, vault.seal("phone", tokens, phones))
    assert [vault.reveal("phone", token) for token in tokens] == phones
print(new)
"""


def test_processes_share_a_vault_from_its_first_moment(key_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KEEPER, str(key_file), str(tmp_path / "vault.sqlite")]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert sum(map(int, answers)) == 400


_KEY_MAKER = """
import sys
from pathlib import Path
from graph.keyring import Keyring
keyring = Keyring.open(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    keyring.add_seal_version()
"""


def test_key_versions_added_at_once_are_all_kept(key_file: Path) -> None:
    command = [sys.executable, "-c", _KEY_MAKER, str(key_file)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(3)]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=120)
    assert [process.returncode for process in running] == [0] * 3
    assert sorted(Keyring.open(key_file).keys.seal) == list(range(1, 182))


def test_a_reader_is_not_held_up_by_a_writer(vault: Vault, reopen: Callable[[], Vault]) -> None:
    (token,) = keep(vault, "phone", PHONES[:1])
    reader = reopen()
    with vault._transaction():
        assert reader.reveal("phone", token) == PHONES[0]
        assert reader.known("phone", [token]) == {token}


_ROTATOR = """
import sqlite3, sys
from pathlib import Path
from graph.keyring import Keyring
from graph.vault import Vault
store = sqlite3.connect(sys.argv[3], isolation_level=None)
def rekey(triples):
    print("started", flush=True)
    for kind, old, new in triples:
        store.execute("UPDATE nodes SET key = ? WHERE key = ?", (new, old))
Vault.open(Path(sys.argv[2]), Keyring.open(Path(sys.argv[1]))).rotate_index(rekey)
"""


def test_a_rotation_killed_again_and_again_still_ends(
    vault: Vault, reopen: Callable[[], Vault], key_file: Path, tmp_path: Path
) -> None:
    phones = [f"138{number:08}" for number in range(2_000)]
    olds = keep(vault, "phone", phones)
    vault.refer("phone_id", phones, olds, "phone")
    store = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("CREATE TABLE nodes (key TEXT PRIMARY KEY)")
        db.executemany("INSERT INTO nodes VALUES (?)", [(token,) for token in olds])
    command = [sys.executable, "-c", _ROTATOR, str(key_file), str(tmp_path / "vault.sqlite"), str(store)]
    finished = False
    for wait in (0.0, 0.05, 0.1, 0.2, 0.4, 60.0):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            running.stdout.readline()
            try:
                finished = running.wait(timeout=wait) == 0
            except subprocess.TimeoutExpired:
                running.kill()
        if finished:
            break
    fresh = reopen()
    news = fresh.tokens("phone", phones)
    with closing(sqlite3.connect(store)) as db:
        assert {key for (key,) in db.execute("SELECT key FROM nodes")} == set(news)
    assert not set(olds) & set(news)
    assert fresh.referred("phone_id", phones) == dict(zip(phones, news, strict=True))
    assert fresh.verify() == 4_000
    assert json.loads(key_file.read_text())["state"] == "steady"


def test_demo_tokens_never_change() -> None:
    """Golden: demo data, screenshots and saved links hang on these."""
    assert Keyring.demo().tokens("phone", ["13812345678"], 1) == ["ba41495e739f17b3989f35293cef96a9"]
