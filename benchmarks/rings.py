"""How well rings are found, beside naive ways on the same inputs, dates and share of flagged applications.

python -m benchmarks.rings quality --work bench/worlds [--draws development] [--worlds default clever]
python -m benchmarks.rings speed --work bench/sizes [--sizes 100000 1000000]

A world is a portfolio of 60,000 applications in a year (`small`), some with other parameters (`worlds/`); it lies
under the work folder as input/, truth/ and home/, and is made when it is not there. The truth is read by the judge
only. A report looks back 120 days from day 150, day 240 or the last day; the snapshot shows what was known then.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import networkit
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks import reference, ring_speed, ring_tables
from benchmarks.communities import by_networkit, by_networkx
from benchmarks.loaded import loaded
from benchmarks.ring_metrics import (
    LEAST_OVERLAP,
    LEAST_SHARE,
    b_cubed,
    covered,
    fitting,
    kinds_at_top,
    match_rings,
    member_rates,
    over_merged,
    planted,
    split,
)
from graph.candidates import Groups
from graph.communities import Links
from graph.projection import Projection
from graph.records import DAY, Ints
from graph.rings import Examined, chosen, examine, ranked
from graph.snapshot import Snapshot, open_snapshot

WORLDS = {name: Path(__file__).parent / "worlds" / f"{name}.yaml" for name in ("clever", "drift", "benign")}
DRAWS: dict[str, dict[str, tuple[int, ...]]] = {
    "development": {"default": (7, 8, 9, 11), "clever": (21,), "drift": (31,), "benign": (41,)},
    "held-out": {"default": (12, 13), "clever": (22,), "drift": (32,), "benign": (42,)},
}
"""Seeds. The rules were shaped on the first; nobody had looked at the others before they were measured."""

WINDOW_DAYS = 120
REPORT_DAYS = (150, 240, 10_000)
CUTS = (0.005, 0.01, 0.02)
PRINTED = "as printed"
RINGROAD = "ringroad"


class World:
    """A loaded portfolio and its truth."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        self.snapshot: Snapshot = open_snapshot(folder / "home" / "snapshot")
        self.members = pd.read_csv(folder / "truth" / "truth_members.csv", dtype=str)
        self.rings = pd.read_csv(folder / "truth" / "truth_rings.csv", dtype=str).set_index("ring_id")
        self.keys = np.array(self.snapshot.nodes["Application"].table["key"].to_pylist())

    @cached_property
    def tables(self) -> reference.Portfolio:
        return reference.read_portfolio(self._folder / "input")

    def report_times(self) -> list[int]:
        known = self.snapshot.nodes["Application"].known_at
        return sorted({min(int(known.min()) + day * DAY, int(known.max())) for day in REPORT_DAYS})

    def day(self, as_of: int) -> int:
        return round((as_of - int(self.snapshot.nodes["Application"].known_at.min())) / DAY)


@dataclass(frozen=True)
class Report:
    """One world as of one time: a row per planted ring, and a row per method and cut (`_judged`)."""

    rings: pd.DataFrame
    lists: pd.DataFrame
    candidates: int


# Worlds ------------------------------------------------------------------------------------------------


def prepared(work: Path, kind: str, seed: int) -> World:
    return World(kind, loaded(work / f"{kind}-{seed}", preset="small", seed=seed, parameters=WORLDS.get(kind)))


# One report --------------------------------------------------------------------------------------------


def measured(world: World, as_of: int, *, peers: bool = True) -> Report:
    """Everything that is known of one report. `as_of` in milliseconds."""
    until = pd.Timestamp(as_of, unit="ms", tz="UTC")
    truth = planted(world.members, since=until - pd.Timedelta(days=WINDOW_DAYS), until=until)
    examined = examine(world.snapshot, as_of=as_of, window_days=WINDOW_DAYS)
    window = len(examined.projection.window)
    rings = ranked(chosen(world.snapshot, examined, as_of=as_of), window=window)
    pairs = [(each, ring.rank) for ring in rings for each in ring.application_ids]
    printed = pd.DataFrame(pairs, columns=["application_id", "cluster"])
    lists: dict[str, pd.DataFrame] = {RINGROAD: printed}
    if peers:
        lists |= communities(world, examined.projection) | naive_lists(world, until)
    rows = [
        {"world": world.name, "day": world.day(as_of), "method": name, "cut": cut}
        | _judged(part, truth, world.members, window)
        for name, clusters in lists.items()
        for cut, part in _cuts(clusters, printed, window, ours=name == RINGROAD)
    ]
    return Report(_ring_rows(world, examined, printed, truth, as_of), pd.DataFrame(rows), len(examined.groups))


def _cuts(clusters: pd.DataFrame, printed: pd.DataFrame, window: int, *, ours: bool) -> Iterator[tuple[str, Any]]:
    """The list as printed, peers as many applications; then shares of the window, and at last all of a peer."""
    yield PRINTED, printed if ours else fitting(clusters, len(printed))
    for share in CUTS:
        yield f"{share:.1%}", fitting(clusters, share * window)
    if not ours:
        yield "everything", clusters


def _judged(clusters: pd.DataFrame, truth: pd.DataFrame, members: pd.DataFrame, window: int) -> dict[str, Any]:
    """Counts that can be added over reports; B-cubed and the share of members that are frauds as they are."""
    found = match_rings(clusters, truth)
    precision, recall = b_cubed(clusters, truth)
    fraud = set(members.loc[members["is_fraud"] == "1", "application_id"])
    return {
        "hits": int(found["hit"].sum()), "rings": len(found), "groups": clusters["cluster"].nunique(),
        "flagged": len(clusters), "window": window, "b3_precision": precision, "b3_recall": recall,
        "over_merged": over_merged(clusters, truth), "split": split(clusters, truth),
        "frauds": round(member_rates(clusters, fraud)[0] * len(set(clusters["application_id"]))),
        "top": kinds_at_top(clusters, members),
    }  # fmt: skip


def _ring_rows(
    world: World, examined: Examined, printed: pd.DataFrame, truth: pd.DataFrame, as_of: int
) -> pd.DataFrame:
    """One row per ring: was it a candidate, is it visible at all, is it listed; its size, age and money in RMB."""
    found = match_rings(printed, truth).set_index("ring_id")
    place = pd.Series(np.arange(len(world.keys)), index=world.keys)
    own = truth.assign(at=truth["application_id"].map(place)).dropna(subset="at").astype({"at": int})
    among = covered(_applications(examined.groups, examined.projection, world.keys), truth)
    started = pd.to_datetime(world.members.groupby("ring_id")["submitted_at"].min(), utc=True)
    days = (pd.Timestamp(as_of, unit="ms", tz="UTC") - started.reindex(found.index)) / pd.Timedelta(days=1)
    listed = printed.set_index("application_id")["cluster"]
    money = _money(world.snapshot, own.assign(mine=own["application_id"].map(listed)), found, as_of)
    return found.join(_visible(examined.projection, own), how="left").join(money).assign(
        world=world.name, candidate=found.index.isin(among), days=days,
        typology=world.rings["typology"].reindex(found.index),
    )  # fmt: skip


def _applications(groups: Groups, projection: Projection, keys: Any) -> pd.DataFrame:
    """Candidates as (application_id, cluster): every application of the window of each of their people."""
    order = np.argsort(projection.party[projection.window], kind="stable")
    window = projection.window[order]
    party = projection.party[window]
    begin, end = (np.searchsorted(party, groups.member, side=side) for side in ("left", "right"))
    count = end - begin
    at = np.repeat(begin - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())
    return pd.DataFrame({"application_id": keys[window[at]], "cluster": np.repeat(groups.number, count)})


def _visible(projection: Projection, own: pd.DataFrame) -> pd.DataFrame:
    """Per ring whether any two members are linked, and whether enough for a hit hang together by links."""
    number, names = pd.factorize(own["ring_id"], sort=True)
    ring = np.full(projection.size, -1, dtype=np.int64)
    ring[projection.party[own["at"]]] = number
    inside = (ring[projection.first] == ring[projection.second]) & (ring[projection.first] >= 0)
    first, second = projection.first[inside], projection.second[inside]
    size = projection.size
    _, label = connected_components(coo_array((np.ones(len(first)), (first, second)), (size, size)), directed=False)
    parts = pd.DataFrame({"ring": number, "part": label[projection.party[own["at"]]]}).groupby("ring")["part"]
    largest = parts.agg(lambda each: each.value_counts().iloc[0]).to_numpy()
    least = np.maximum(LEAST_OVERLAP, LEAST_SHARE * np.bincount(number))
    two = np.bincount(ring[first], minlength=len(names)) > 0
    return pd.DataFrame({"two_linked": two, "enough_linked": largest >= least}, index=names)


def _money(snapshot: Snapshot, own: pd.DataFrame, found: pd.DataFrame, as_of: int) -> pd.DataFrame:
    """Per ring, of what was not declined or cancelled by then: all of it, what members on the list ask for, and
    how much of either was not paid out yet."""
    nodes = snapshot.nodes["Application"]
    decided = nodes.times("decided_at", as_of=as_of) > 0
    closed = nodes.table["decision"].to_pandas().isin(["decline", "cancel"]).to_numpy() & decided
    amount = np.where(closed, 0.0, np.nan_to_num(nodes.numbers("amount")))[own["at"]]
    saved = amount * (nodes.times("funded_at", as_of=as_of) == 0)[own["at"]]
    mine = (own["mine"] == own["ring_id"].map(found["cluster"])).to_numpy()
    rows = own.assign(exposure=amount, unpaid=saved, exposure_listed=amount * mine, unpaid_listed=saved * mine)
    return rows.groupby("ring_id")[["exposure", "unpaid", "exposure_listed", "unpaid_listed"]].sum()


# Peers -------------------------------------------------------------------------------------------------


def communities(world: World, projection: Projection) -> dict[str, pd.DataFrame]:
    """Communities of three or more people on our own links, those with most weight inside first."""
    links = Links(projection.size, projection.first, projection.second, projection.weight)
    finders: Mapping[str, Callable[[], Ints]] = {
        "Louvain (networkx)": by_networkx(links),
        "PLM (networkit)": by_networkit(links, networkit.community.PLM),
        "ParallelLeiden (networkit)": by_networkit(links, networkit.community.ParallelLeiden),
    }
    return {name: _by_weight(find(), links, projection, world.keys) for name, find in finders.items()}


def _by_weight(label: Ints, links: Links, projection: Projection, keys: Any) -> pd.DataFrame:
    inside = label[links.first] == label[links.second]
    weight = np.bincount(label[links.first[inside]], links.weight[inside], minlength=label.max(initial=0) + 1)
    own = label[projection.party[projection.window]]
    people = np.bincount(label[np.unique(projection.party[projection.window])], minlength=len(weight))
    rank = np.empty(len(weight), dtype=np.int64)
    rank[np.argsort(-weight, kind="stable")] = np.arange(1, len(weight) + 1)
    listed = people[own] >= LEAST_OVERLAP
    return pd.DataFrame({"application_id": keys[projection.window[listed]], "cluster": rank[own[listed]]})


def naive_lists(world: World, until: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Methods A to H of domain.md §4.8, ranked as H's clusters are there."""
    as_of = until.tz_convert("Asia/Shanghai").tz_localize(None)
    seen = reference.seen_from(world.tables, as_of=as_of)
    makers: dict[str, Callable[[], pd.DataFrame]] = {name: partial(reference.naive, seen, name) for name in "ABCD"}
    makers |= {name: partial(reference.capped, seen, name) for name in "EFG"}
    makers["H"] = partial(reference.infrastructure_pruned, world.tables, as_of=as_of)
    return {name: reference.by_suspicion(seen, make()) for name, make in makers.items()}


# All of them -------------------------------------------------------------------------------------------


def quality(
    work: Path, draws: Iterable[str] = DRAWS, kinds: Sequence[str] = (), *, peers: bool = True
) -> dict[str, list[Report]]:
    """Reports of every draw, by the kind of world; said world by world, for the whole takes a while."""
    found: dict[str, list[Report]] = {}
    for draw in draws:
        for kind, seeds in DRAWS[draw].items():
            for seed in seeds if not kinds or kind in kinds else ():
                world = prepared(work, kind, seed)
                reports = [measured(world, as_of, peers=peers) for as_of in world.report_times()]
                found.setdefault(kind, []).extend(reports)
                print(f"{kind}-{seed}: {ring_tables.brief(reports)}", flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["quality", "speed"])
    parser.add_argument("--work", type=Path, default=Path("bench"), help="folder of the portfolios (default bench)")
    parser.add_argument("--draws", nargs="+", choices=list(DRAWS), default=list(DRAWS))
    parser.add_argument("--worlds", nargs="+", choices=["default", *WORLDS], default=[])
    parser.add_argument("--no-peers", action="store_true", help="ringroad alone: much faster")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(ring_speed.SIZES), help="applications, for speed")
    given = parser.parse_args(arguments)
    if given.what == "speed":
        ring_speed.speed(given.work, given.sizes, ring_speed.printed)
        return
    print(ring_tables.markdown(quality(given.work, given.draws, given.worlds, peers=not given.no_peers)))


if __name__ == "__main__":
    main()
