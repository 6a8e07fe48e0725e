"""The live path says what the columnar path says: the same graph from the same rows, however dirty."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.nested import Application, Folder, tables
from graph.ontology import EDGES, NODES
from graph.store import GraphStore
from loaders.live import Teller, Told, batch_of_told, keep
from loaders.tables import TABLES
from tests.loaders import lender

MANY = 250
NOW = 1_800_000_000_000


@pytest.fixture(scope="module")
def applications(tiny: Path) -> list[Application]:
    return list(Folder(tables(tiny)).applications(MANY))


def told_of(applications: list[Application], home: lender.Home) -> list[Told]:
    """Applications in the order in which their files are complete, then what became of them."""
    with home.vault() as vault:
        teller, found = Teller(vault), []
        for each in applications:
            found.append(teller.tell(each.sent, now=each.now))
            teller.heard(found[-1])
        for event, own in sorted(((event, each.id) for each in applications for event in each.later), key=_when):
            found.append(teller.tell_event(event.kind, event.sent, application_id=own, now=event.now))
            teller.heard(found[-1])
    return found


def _when(one: tuple[Any, str]) -> tuple[int, str, str]:
    return one[0].now, one[0].kind, one[1]


def loaded(applications: list[Application], home: lender.Home) -> lender.Home:
    """The same rows as a lender would deliver them in files."""
    content: dict[str, dict[int, dict[str, str]]] = defaultdict(dict)
    for each in applications:
        for table, row in each.rows:
            content[table][id(row)] = row
    folder = lender.written(home.path / "input", {table: rows.values() for table, rows in content.items()})
    home.load(folder, max_rejected=1.0)
    return home


# The same graph ----------------------------------------------------------------------------------------


def test_both_paths_end_in_one_graph(applications: list[Application], tmp_path: Path) -> None:
    """By design only two things differ. A decision that came as an event was stated when it came, so the application
    was updated then. And no file was quarantined: what was wrong is in the answer."""
    columnar = loaded(applications, lender.Home(tmp_path / "columnar"))
    live = lender.Home(tmp_path / "live", columnar.keyring)
    told = [Told.from_bytes(each.to_bytes()) for each in told_of(applications, live)]
    with live.vault() as vault, live.store() as store:
        for at in range(0, len(told), 500):
            some = told[at : at + 500]
            keep(some, vault)
            store.write(batch_of_told(some, f"journal/{at}", "its digest"))
    with columnar.store() as one, live.store() as other:
        assert {kind: same_events(one, other, kind) for kind in one.event_kinds() if kind != "quarantine"}
        counted = sum(same_nodes(one, other, type_) for type_ in NODES)
        related = sum(same_edges(one, other, type_) for type_ in EDGES)
    assert counted > 10 * MANY
    assert related > 10 * MANY
    with columnar.vault() as one_vault, live.vault() as other_vault:
        assert one_vault.count() == other_vault.count()
        assert other_vault.verify() == one_vault.verify()
        for each in applications:
            person = [each.sent["applicant_id"]]
            assert one_vault.referred("applicant", person) == other_vault.referred("applicant", person) != {}


def same_nodes(one: GraphStore, other: GraphStore, type_: str) -> int:
    theirs, mine = ([row for page in store.export_nodes(type_) for row in page.to_pylist()] for store in (one, other))
    for row in [*theirs, *mine] if type_ == "Application" else ():
        del row["updated_at"]
    assert sorted(mine, key=lambda row: row["key"]) == sorted(theirs, key=lambda row: row["key"])
    return len(mine)


def same_edges(one: GraphStore, other: GraphStore, type_: str) -> int:
    theirs, mine = ([row for page in store.export_edges(type_) for row in page.to_pylist()] for store in (one, other))
    assert sorted(mine, key=repr) == sorted(theirs, key=repr)
    return len(mine)


def same_events(one: GraphStore, other: GraphStore, kind: str) -> int:
    """A column that no row fills may be absent."""
    theirs, mine = one.events(kind), other.events(kind)
    assert theirs is not None
    assert mine is not None
    names = sorted(set(theirs.column_names) | set(mine.column_names))
    assert all(mine[name].null_count == len(mine) for name in set(names) - set(theirs.column_names))
    assert set(theirs.column_names) <= set(mine.column_names)
    assert mine.select(theirs.column_names).equals(theirs.select(theirs.column_names))
    return len(mine)


def test_told_again_changes_nothing(applications: list[Application], tmp_path: Path) -> None:
    """Another process seals the same values anew; what stands in vault and store stays."""
    home = lender.Home(tmp_path / "home")
    with home.store() as store, home.vault() as vault:
        for name in ("first", "second"):
            told = [Teller(vault).tell(each.sent, now=each.now) for each in applications[:20]]
            keep(told, vault)
            store.write(batch_of_told(told, name, name))
            size = store.size()
            assert size.nodes["Application"] == 20
            if name == "first":
                before, count = size, vault.count()
        assert (size.nodes, size.edges) == (before.nodes, before.edges)
        assert vault.count() == count
        assert vault.verify()


def test_what_is_told_holds_no_identifier(applications: list[Application], home: lender.Home) -> None:
    named = {
        column.name
        for table in TABLES
        for column in table.columns
        if column.type in ("id_number", "name", "phone", "vin", "plate", "account", "device", "imei", "ip", "bssid")
        or (column.cls == "C2" and column.type == "opaque")
    }
    for each, told in zip(applications, told_of(applications[:60], home), strict=False):
        octets = told.to_bytes().decode()
        secrets = set(values_of(each.sent | {"dealer": {}}, named))  # a dealer's name is public
        assert len(secrets) > 4
        assert not [name for name in secrets if name in octets]


def values_of(sent: Any, names: set[str]) -> Iterator[str]:
    for name, value in sent.items():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from values_of(inner, names)
            elif name in names:
                yield str(inner)
