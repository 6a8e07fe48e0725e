"""What the recogniser sets aside, measured on portfolios whose truth is known.

python -m benchmarks.infrastructure PORTFOLIO ...

A portfolio is a folder with `input/`, `truth/` and a `home/` that was loaded from it. The
truth is read here and nowhere else; identifiers reach the graph's keys by way of the vault.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from graph.incidence import dealers, incidences, parties
from graph.infrastructure import Seen, Verdicts, recognise
from graph.keyring import Keyring
from graph.ontology import NODES
from graph.records import DAY
from graph.snapshot import Snapshot, open_snapshot
from graph.vault import Vault

TYPES = {
    "account": "Account", "address": "Address", "device": "Device", "employer": "Employer", "ip": "IP",
    "phone": "Phone", "template": "DocTemplate", "wifi": "WiFi", "speaker": "VoiceCluster", "party": "Person",
}  # fmt: skip
PARTS = ["province", "city", "district", "street", "community", "building", "unit", "room"]
DAYS = (150, 240, 10_000)
NAMES = ("day 150", "day 240", "the end")


class Portfolio:
    """A loaded portfolio and the truth about its things, by their indices in the snapshot."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self._folder = folder
        self.snapshot: Snapshot = open_snapshot(folder / "home" / "snapshot")
        known = self.snapshot.nodes["Application"].known_at
        self.start, self.end = int(known.min()), int(known.max())
        self.truth = self._truth()

    def seen(self, as_of: int) -> Seen:
        snapshot = self.snapshot
        dealer, party = dealers(snapshot, as_of=as_of), parties(snapshot, as_of=as_of)
        own = {each.type: each.of_parties(party) for each in incidences(snapshot, as_of=as_of)}
        submitted = snapshot.nodes["Application"].times("submitted_at", as_of=as_of)
        return Seen.of(snapshot, own, party, dealer, submitted, as_of=as_of)

    def _truth(self) -> pd.DataFrame:
        """`type, entity, class, ring`: one row per thing that a ring or an honest structure shares."""
        rows = pd.read_csv(self._folder / "truth" / "truth_entities.csv", dtype=str, keep_default_na=False)
        rows = rows.assign(ring=rows["is_fraud"] == "1", type=rows["kind"].map(TYPES))
        rows["class"] = rows["cluster_id"].str.replace(r"[-_]\d+$", "", regex=True)
        home = self._folder / "home"
        with Vault.open(home / "vault.sqlite", Keyring.open(home / "vault.key")) as vault:
            parts = [self._found(vault, str(type_), of) for type_, of in rows.groupby("type")]
        return pd.concat(parts)[["type", "entity", "class", "ring"]]

    def _found(self, vault: Vault, type_: str, rows: pd.DataFrame) -> pd.DataFrame:
        table = self.snapshot.nodes[type_].table
        index = pd.Series(np.arange(len(table)), index=table["key"].to_pylist())
        keys = rows["entity_id"].map(dict(self._keys(vault, type_, rows["entity_id"].tolist())))
        return rows.assign(entity=keys.map(index)).dropna(subset="entity").astype({"entity": int})

    def _keys(self, vault: Vault, type_: str, values: list[str]) -> Iterator[tuple[str, str]]:
        kind = NODES[type_].identifier
        if type_ == "Address":
            stated = pd.read_csv(self._folder / "input" / "addresses.csv", dtype=str, keep_default_na=False)
            ids = stated["address_id"].groupby(stated[PARTS].agg("|".join, axis=1)).first()
            keys = vault.referred("address", ids[ids.index.isin(values)].tolist())
            yield from ((str(text), keys[id_]) for text, id_ in ids.items() if id_ in keys)
        elif type_ in ("Employer", "Person"):
            yield from vault.referred({"Person": "applicant"}.get(type_, "employer"), values).items()
        elif kind is None:
            yield from zip(values, values, strict=True)
        else:
            clear = {value: kind.normalise(value) for value in values}
            kept = [value for value, canonical in clear.items() if canonical]
            yield from zip(kept, vault.tokens(kind.name, [str(clear[value]) for value in kept]), strict=True)


def measured(portfolio: Portfolio, verdicts: Verdicts, day: str) -> pd.DataFrame:
    """One row per thing that three or more people held by then: who shares it in truth, and what was said of it."""
    held = pd.concat(
        pd.DataFrame({"type": type_, "entity": verdicts.seen.holders(type_).entity}) for type_ in verdicts.seen.own
    )
    said = pd.DataFrame(verdicts, columns=["type", "entity", "kind"])
    truth = portfolio.truth.drop_duplicates(["type", "entity"])
    rows = held.merge(truth, on=["type", "entity"]).merge(said, on=["type", "entity"], how="left")
    return rows.assign(portfolio=portfolio.name, day=day)


def table(rows: pd.DataFrame) -> str:
    """Per type and truth: set aside / held by three or more, on each day; then what rings lost, thing by thing."""
    cells = rows.groupby(["type", "class", "day"])["kind"].agg(["count", "size"])
    cell = cells["count"].astype(str) + "/" + cells["size"].astype(str)
    wide = cell.reset_index(name="cell").pivot_table(
        index=["type", "class"], columns="day", values="cell", aggfunc="first", fill_value=""
    )
    wide = wide[[name for name in NAMES if name in wide.columns]]
    lines = ["| type | shared by | " + " | ".join(wide.columns) + " |", "|---|---|" + "--:|" * len(wide.columns)]
    lines += [
        f"| {type_} | {kind} | " + " | ".join(of) + " |"
        for (type_, kind), of in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    wrong = rows[rows["ring"] & rows["kind"].notna()].groupby(["portfolio", "type", "kind", "day"]).size()
    return "\n".join([*lines, "", "things of rings set aside:", wrong.to_string() if len(wrong) else "none"])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portfolios", nargs="+", type=Path, metavar="PORTFOLIO")
    found = []
    for folder in parser.parse_args(arguments).portfolios:
        portfolio = Portfolio(folder)
        for name, day in zip(NAMES, DAYS, strict=True):
            seen = portfolio.seen(min(portfolio.start + day * DAY, portfolio.end))
            begun = time.perf_counter()
            verdicts = recognise(seen)
            seconds = time.perf_counter() - begun
            print(f"{portfolio.name:<10} {name:<8} {seconds:6.2f} s  {dict(verdicts.counts())}", flush=True)
            found.append(measured(portfolio, verdicts, name))
    print(table(pd.concat(found)))


if __name__ == "__main__":
    main()
