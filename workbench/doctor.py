"""Is this instance well? Each check says what it found and, where it is not well, what to do."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from rich.markup import escape

from graph.errors import RingroadError
from graph.settings import Settings
from workbench import instance

FLOOR = 2 * 1024**3
"""Free bytes below which loads and snapshots are at risk."""


BEHIND = 10_000
"""Entries of the journal that a keeper at work never leaves behind."""

OLD_SECONDS = 72 * 3600


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    found: str
    remedy: str = ""


def run(store_url: str | None) -> list[Check]:
    settings = Settings.read().prepare()
    checks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("python", _python),
        ("home", lambda: _home(settings)),
        ("disk", lambda: _disk(settings)),
        ("key file", lambda: _key_file(settings)),
        ("vault", lambda: _vault(settings)),
        ("store", lambda: _store(settings, store_url)),
        ("casebook", lambda: _casebook(settings)),
        ("snapshot", lambda: _snapshot(settings)),
        ("journal", lambda: _journal(settings)),
        ("desk", lambda: _desk(settings)),
        ("libraries", _libraries),
    )
    return [_told(name, check) for name, check in checks]


def _told(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except RingroadError as error:
        subject, _, remedy = str(error).partition("; ")
        return Check(name, ok=False, found=subject, remedy=remedy)


def _python() -> Check:
    version = platform.python_version()
    return Check("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _home(settings: Settings) -> Check:
    mode = settings.home.stat().st_mode & 0o077
    return Check("home", not mode, str(settings.home), f"others may read it: chmod 700 {settings.home}")


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.home).free
    return Check("disk", free >= FLOOR, f"{free / 1024**3:.1f} GiB free", f"free at least {FLOOR // 1024**3} GiB")


def _key_file(settings: Settings) -> Check:
    if settings.demo:
        return Check("key file", ok=True, found="demo mode: the well-known demo key, for synthetic data only")
    if not settings.key_file.exists() and not settings.vault_file.exists():
        return Check("key file", ok=True, found="none yet; the first load creates it")
    return Check("key file", ok=True, found=f"{settings.key_file} ({instance.keyring(settings).fingerprint})")


def _vault(settings: Settings) -> Check:
    if not settings.vault_file.exists():
        return Check("vault", ok=True, found="none yet; the first load creates it")
    with instance.open_vault(settings) as vault:
        vault.check()
        return Check("vault", ok=True, found=f"{sum(vault.count().values()):,} sealed identifiers")


def _store(settings: Settings, store_url: str | None) -> Check:
    with instance.open_graph(settings, store_url) as store:
        size = store.size()
        nodes, edges = sum(size.nodes.values()), sum(size.edges.values())
        return Check(
            "store", ok=True, found=f"{store.url}: {nodes:,} nodes, {edges:,} relations, {len(store.batches())} batches"
        )


def _casebook(settings: Settings) -> Check:
    from sqlalchemy import func, select  # noqa: PLC0415 - slow to import

    from workbench.casebook import opening, tables  # noqa: PLC0415

    if not opening.exists(settings.casebook_url):
        return Check("casebook", ok=True, found="none yet; `ringroad rings` makes it")
    with instance.open_casebook(settings) as casebook:
        casebook.check()
        with casebook.reading() as db:
            runs, rings, overrides = (
                db.execute(select(func.count()).select_from(each)).scalar_one()
                for each in (tables.ring_runs, tables.rings, tables.overrides)
            )
        return Check(
            "casebook", ok=True, found=f"{casebook.shown}: {runs:,} runs, {rings:,} rings, {overrides:,} overrides"
        )


def _snapshot(settings: Settings) -> Check:
    there = settings.snapshot_dir.is_dir()
    return Check(
        "snapshot", ok=True, found=str(settings.snapshot_dir) if there else "none yet; `ringroad rings` builds it"
    )


def _journal(settings: Settings) -> Check:
    from workbench.journal import ABSORBED, Journal  # noqa: PLC0415

    place = settings.home / "journal.sqlite"
    if not place.exists():
        return Check("journal", ok=True, found="none yet; the score service makes it")
    with Journal(place, clock=lambda: 0) as journal:
        last, absorbed = journal.last(), journal.marked(ABSORBED)
    waiting = 0 if last is None else last.sequence - absorbed
    remedy = "start the keeper (`ringroad serve keeper`), and see that the store answers"
    found = f"{last.sequence if last else 0:,} entries, {waiting:,} not in the store yet"
    return Check("journal", waiting <= BEHIND, found, remedy)


def _desk(settings: Settings) -> Check:
    """What the score service reads from."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from workbench.online.places import about, current  # noqa: PLC0415

    name = current(settings)
    if name is None:
        return Check("desk", ok=True, found="none yet; `ringroad serve api` makes it")
    told = about(settings, name)
    age = datetime.now(UTC).timestamp() - int(told["built_at"]) / 1000
    found = f"{name}, {age / 3600:.1f} h old, for model {told['version']}"
    return Check("desk", age < OLD_SECONDS, found, "make it anew: ringroad serve refresh")


def _libraries() -> Check:
    names = ("ringroad", "pandas", "pyarrow", "numba", "neo4j", "networkx", "torch", "torch-geometric")
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    return Check("libraries", not missing, ", ".join(found), f"missing {', '.join(missing)}: run `make setup`")


def text(checks: list[Check]) -> str:
    lines = []
    for check in checks:
        mark = "[green]ok[/]  " if check.ok else "[bold red]bad[/] "
        lines.append(
            f"{mark} {check.name:<10} {escape(check.found)}" + ("" if check.ok else f"\n      → {escape(check.remedy)}")
        )
    return os.linesep.join(lines)
