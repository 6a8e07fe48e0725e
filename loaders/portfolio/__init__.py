"""The synthetic portfolio of domain.md §4: twenty-one input tables, and the truth kept apart.

Lazy methods fail on it for the right reasons, a good method can succeed, every benign
look-alike is there in numbers, labels come late and wrong, and the world changes at the end.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from graph.errors import InputError
from loaders.portfolio import (
    address_rows,
    application_rows,
    belongings,
    car_rows,
    check_rows,
    fates,
    flow,
    homes,
    label_rows,
    lookalikes,
    money_rows,
    people,
    pools,
    prices,
    reference_rows,
    truth,
    world,
)
from loaders.portfolio.book import Book
from loaders.portfolio.chance import Streams
from loaders.portfolio.clock import Clock
from loaders.portfolio.dirt import soil
from loaders.portfolio.names import Names
from loaders.portfolio.parameters import Parameters
from loaders.portfolio.write import as_table, write_table

__all__ = ["PRESETS", "OutputNotEmpty", "Summary", "generate"]

PRESETS: tuple[str, ...] = tuple(Parameters.load()["presets"])
Step = Callable[[Book], None]
Progress = Callable[[str, float], None]
Rows = Callable[[Book, Names], dict[str, Any]]

STEPS: tuple[Step, ...] = (
    world.build_world, flow.draw_flow, people.make_people, homes.settle, flow.channels,
    world.assign_salespeople, belongings.give_contacts, belongings.give_accounts, belongings.give_cars,
    belongings.give_devices, belongings.give_networks, lookalikes.gather_lookalikes, fates.draw_discovery,
    pools.share_pools, fates.decide, check_rows.assign_reviewers, prices.price_deals,
    money_rows.plan_instalments, car_rows.plan_cars, address_rows.draw_places,
)  # fmt: skip
TABLES: dict[str, Rows] = {
    "documents": application_rows.document_rows, "payments": money_rows.payment_rows,
    "applications": application_rows.application_rows, "applicants": application_rows.applicant_rows,
    "contacts": application_rows.contact_rows, "device_events": application_rows.device_event_rows,
    "phones": reference_rows.phone_rows, "dealers": reference_rows.dealer_rows,
    "salespeople": reference_rows.salesperson_rows, "vehicles": reference_rows.vehicle_rows,
    "vehicle_events": car_rows.vehicle_event_rows, "gps_pings": car_rows.gps_rows,
    "bank_accounts": reference_rows.account_rows, "employers": reference_rows.employer_rows,
    "addresses": address_rows.address_rows, "bureau_inquiries": check_rows.inquiry_rows,
    "repayments": money_rows.repayment_rows, "outcomes": label_rows.outcome_rows,
    "staff_actions": check_rows.staff_rows,
}  # fmt: skip
TRUTH: dict[str, Rows] = {
    "truth_members": truth.member_rows, "truth_rings": truth.ring_rows, "truth_entities": truth.entity_rows,
    "would_have": truth.would_have_rows,
}  # fmt: skip


class OutputNotEmpty(InputError):
    """The output folder holds something; a portfolio never mixes with other files."""

    status = 409


class UnknownPreset(InputError):
    """A preset, mode or format that does not exist."""


@dataclass(frozen=True)
class Summary:
    """What `portfolio.json` says: how it was made and how much there is."""

    preset: str
    mode: str
    seed: int
    format: str
    start: str
    as_of: str
    drift_from: str | None
    rows: dict[str, int]
    fraud: int
    rings: int
    dirt: dict[str, int]
    parameters: dict[str, Any]


def generate(
    out: Path,
    *,
    preset: str,
    seed: int,
    mode: str = "default",
    parameters: Path | None = None,
    progress: Progress | None = None,
    format: str = "csv",  # noqa: A002 - the word the command line uses
) -> Summary:
    """Writes OUT/input, OUT/truth and OUT/portfolio.json, whole or not at all; the same seed gives the same bytes."""
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputNotEmpty(f"portfolio {out}: not empty; give a new or an empty folder")
    p = Parameters.load(parameters)
    _known("preset", preset, p["presets"])
    _known("mode", mode, p["modes"])
    _known("format", format, ("csv", "parquet"))
    tell = progress or (lambda _step, _share: None)
    book = _simulated(p, preset, seed, mode, tell)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        summary = _written(book, folder, preset=preset, mode=mode, format_=format, tell=tell)
        folder.chmod(0o755)
        folder.rename(out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    tell("done", 1.0)
    return summary


def _known(what: str, given: str, allowed: Any) -> None:
    if given not in allowed:
        raise UnknownPreset(f"portfolio: unknown {what} {given!r}; expected one of {', '.join(allowed)}")


def _simulated(p: Parameters, preset: str, seed: int, mode: str, tell: Progress) -> Book:
    shape, streams = p[f"presets.{preset}"], Streams(seed)
    clock = Clock(p, months=shape["months"], drift_months=shape["drift_months"])
    size = int(shape["applications"])
    book = Book(p=p, streams=streams, clock=clock, size=size, fraud=round(size * p[f"modes.{mode}"]))
    for number, step in enumerate(STEPS):
        tell(step.__name__, 0.4 * number / len(STEPS))
        step(book)
    return book


def _written(book: Book, folder: Path, *, preset: str, mode: str, format_: str, tell: Progress) -> Summary:
    names, tables = Names(book), {}
    for number, (name, rows) in enumerate(TABLES.items()):
        tell(name, 0.4 + 0.4 * number / len(TABLES))
        tables[name] = as_table(rows(book, names))
    calls, matches = check_rows.call_rows(book, names)
    tables["call_events"], tables["voice_matches"] = as_table(calls), as_table(matches)
    dirt = soil(book, tables)
    _save(folder / "input", tables, format_, tell)
    apart = {name: as_table(rows(book, names)) for name, rows in TRUTH.items()}
    _save(folder / "truth", apart, "csv", tell)
    clock = book.clock
    summary = Summary(
        preset=preset, mode=mode, seed=book.streams.seed, format=format_, start=str(clock.start),
        as_of=str(clock.start + clock.days),
        drift_from=str(clock.start + clock.drift // 86_400) if clock.drifts else None,
        rows={name: len(table) for name, table in sorted(tables.items())}, fraud=book.fraud,
        rings=len(book.rings), dirt=dirt, parameters=book.p.tree,
    )  # fmt: skip
    text = json.dumps(asdict(summary), ensure_ascii=False, indent=1, default=str)
    (folder / "portfolio.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _save(folder: Path, tables: dict[str, pa.Table], format_: str, tell: Progress) -> None:
    folder.mkdir()
    for number, (name, table) in enumerate(tables.items()):
        tell(f"writing {name}", 0.8 + 0.2 * number / len(tables))
        write_table(folder, name, table, format_)
