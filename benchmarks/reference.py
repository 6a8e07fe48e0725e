"""Reference methods A-H of domain.md §4.8 on the input tables alone; they share no code with the product.

A-G are the naive ways to call a connected component a ring; H first recognises infrastructure.
An applicant is one node: resubmissions and second cars are merged before anything is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

DAY = pd.Timedelta(days=1)
SMALLEST = 4
CAP = 15
STANDARD_PARTS = ("province", "city", "district", "street", "community", "building", "unit", "room")
PLACEHOLDERS = ("13800138000",)
WEIGHTS = {"device": 3.0, "bank": 3.0, "phone": 2.5, "contact": 1.5, "work_phone": 1.2, "address": 1.0, "ip": 1.0}
SAME_DEALER = 1.5
KEEP = 0.6
WINDOW = 120
SPLIT_ABOVE = 40
IN_SHOP = 0.5
NAIVE = {
    "A": ("dealer", "salesperson", "employer", "wifi", *WEIGHTS),
    "B": ("employer", "wifi", *WEIGHTS),
    "C": ("employer", "device", "bank", "phone", "contact", "work_phone", "address"),
    "D": ("device", "bank", "phone", "contact"),
}


@dataclass(frozen=True)
class Portfolio:
    """`applications`: one row each, `node` is its applicant; `links`: node, kind, entity, known_at, dealer."""

    applications: pd.DataFrame
    links: pd.DataFrame


def read_portfolio(folder: Path) -> Portfolio:
    """Reads OUT/input; entities of phones and contacts share one number space."""
    read = _reader(folder)
    apps = read("applications", ["application_id", "applicant_id", "dealer_id", "salesperson_id", "submitted_at"])
    apps["node"] = apps["applicant_id"].astype("category").cat.codes.astype(np.int64)
    apps["moment"] = _moments(apps["submitted_at"])
    links = pd.concat(
        [*_form_links(apps, read), *_session_links(apps, read), *_money_links(apps, read)], ignore_index=True
    )
    links = links.dropna(subset=["entity"])
    space = links["kind"].replace({"contact": "phone"})
    links["entity"] = (space + ":" + links["entity"]).astype("category").cat.codes.astype(np.int64)
    return Portfolio(apps, links.drop_duplicates(["node", "kind", "entity", "dealer"], ignore_index=True))


class _reader:  # noqa: N801 - a function with a folder
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, table: str, columns: list[str]) -> pd.DataFrame:
        return pd.read_csv(self.folder / f"{table}.csv", dtype=str, usecols=columns)


def _moments(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts.str.slice(0, 19), format="%Y-%m-%dT%H:%M:%S")


def _links(apps: pd.DataFrame, rows: pd.DataFrame, kind: str, column: str, known: str = "known_at") -> pd.DataFrame:
    """Rows of a table that name an application and an entity."""
    joined = rows[["application_id", column, known]].merge(apps[["application_id", "node", "dealer_id", "moment"]])
    return pd.DataFrame({
        "node": joined["node"], "kind": kind, "entity": joined[column], "known_at": _moments(joined[known]),
        "dealer": joined["dealer_id"], "moment": joined["moment"],
    })  # fmt: skip


def _form_links(apps: pd.DataFrame, read: _reader) -> list[pd.DataFrame]:
    people = read("applicants", ["applicant_id", "phone", "work_phone", "employer_id", "address_id"])
    parts = read("addresses", ["address_id", *STANDARD_PARTS, "level"])
    std = parts[list(STANDARD_PARTS)].fillna("").agg("|".join, axis=1)
    people["address"] = people["address_id"].map(
        pd.Series(std.where(parts["level"].isin(["room", "building"])).to_numpy(), parts["address_id"])
    )
    form = apps[["application_id", "applicant_id", "submitted_at", "dealer_id", "salesperson_id"]].merge(
        people, on="applicant_id"
    )
    columns = {"dealer": "dealer_id", "salesperson": "salesperson_id", "phone": "phone", "work_phone": "work_phone",
               "employer": "employer_id", "address": "address"}  # fmt: skip
    found = [_links(apps, form, kind, column, "submitted_at") for kind, column in columns.items()]
    contacts = read("contacts", ["application_id", "phone", "known_at"])
    contacts = contacts[~contacts["phone"].isin(PLACEHOLDERS)]
    return [*found, _links(apps, contacts, "contact", "phone")]


def _session_links(apps: pd.DataFrame, read: _reader) -> list[pd.DataFrame]:
    events = read("device_events", ["application_id", "device_id", "ip", "wifi_bssid_token", "known_at"])
    return [
        _links(apps, events, kind, column)
        for kind, column in (("device", "device_id"), ("ip", "ip"), ("wifi", "wifi_bssid_token"))
    ]


def _money_links(apps: pd.DataFrame, read: _reader) -> list[pd.DataFrame]:
    paid = read("payments", ["application_id", "from_account_token", "kind", "known_at"])
    repaid = read("repayments", ["application_id", "payer_account_token", "known_at"])
    return [
        _links(apps, paid[paid["kind"] == "down_payment"], "bank", "from_account_token"),
        _links(apps, repaid.drop_duplicates(["application_id", "payer_account_token"]), "bank", "payer_account_token"),
    ]


def seen_from(portfolio: Portfolio, *, as_of: pd.Timestamp) -> Portfolio:
    """What the naive methods may know in a report: applications of the window, links known by then."""
    apps, links = portfolio.applications, portfolio.links
    inside = apps["moment"].between(as_of - WINDOW * DAY, as_of)
    known = links["moment"].between(as_of - WINDOW * DAY, as_of) & (links["known_at"] <= as_of)
    names, node = np.unique(apps.loc[inside, "node"], return_inverse=True)
    links = links[known]
    return Portfolio(apps[inside].assign(node=node), links.assign(node=np.searchsorted(names, links["node"])))


def by_suspicion(portfolio: Portfolio, clusters: pd.DataFrame) -> pd.DataFrame:
    """Clusters numbered from 1 by dealer concentration x kinds shared x log size (the ranking of domain.md §4.8)."""
    apps = portfolio.applications.merge(clusters, on="application_id")
    size = apps.groupby("cluster").size()
    at_one = apps.groupby(["cluster", "dealer_id"]).size().groupby(level=0).max()
    own = portfolio.links[["node", "kind", "entity"]].merge(apps[["node", "cluster"]].drop_duplicates(), on="node")
    holders = own.groupby(["cluster", "kind", "entity"])["node"].nunique()
    kinds = holders[holders >= 2].reset_index().groupby("cluster")["kind"].nunique().reindex(size.index, fill_value=0)
    worth: pd.Series[float] = at_one.reindex(size.index, fill_value=0) / size * kinds * np.log(size)
    rank: pd.Series[int] = worth.rank(ascending=False, method="first").astype(int)
    return clusters.assign(cluster=clusters["cluster"].map(rank))


def naive(portfolio: Portfolio, method: str) -> pd.DataFrame:
    """A-D: connected components over every shared entity of the kinds."""
    links = portfolio.links[portfolio.links["kind"].isin(NAIVE[method])]
    return _clusters(portfolio.applications, _components_of_incidence(portfolio, links))


def capped(portfolio: Portfolio, method: str, *, days: int = 90) -> pd.DataFrame:
    """E: entities of at most 15 applicants; F: and within a window; G: and at least two of them shared."""
    links = portfolio.links[portfolio.links["kind"].isin(NAIVE["B"])].drop_duplicates(["node", "entity"])
    links = links[links.groupby("entity")["node"].transform("size") <= CAP]
    if method == "E":
        return _clusters(portfolio.applications, _components_of_incidence(portfolio, links))
    pairs = _pairs(links.assign(weight=1.0), portfolio)
    moment = portfolio.applications.groupby("node")["moment"].min().to_numpy()
    near = np.abs(moment[pairs["a"]] - moment[pairs["b"]]) <= np.timedelta64(days, "D")
    enough = pairs["weight"] >= (2 if method == "G" else 1)
    return _clusters(portfolio.applications, _components(portfolio, pairs[near & enough]))


def recognised(portfolio: Portfolio, *, as_of: pd.Timestamp) -> NDArray[np.int64]:
    """Entities that were infrastructure by everything known at `as_of` (start values of §4.8)."""
    links = portfolio.links[(portfolio.links["known_at"] <= as_of) & (portfolio.links["moment"] <= as_of)]
    shape = links.groupby(["kind", "entity"]).agg(
        uses=("node", "nunique"), dealers=("dealer", "nunique"), first=("moment", "min"), last=("moment", "max")
    )
    top = links.groupby(["kind", "entity", "dealer"])["node"].nunique().groupby(level=[0, 1]).max()
    shape["top"] = top / shape["uses"]
    span, kind = shape["last"] - shape["first"], shape.index.get_level_values("kind")
    asset = kind.isin(["device", "ip", "wifi"]) & (shape["uses"] >= 6) & (shape["top"] > 0.9) & (span > 150 * DAY)
    nat = (kind == "ip") & (shape["uses"] >= 15) & (shape["dealers"] >= 6)
    hub = (
        kind.isin(["work_phone", "address", "contact"])
        & (shape["uses"] >= 12)
        & (shape["dealers"] >= 6)
        & (span > 150 * DAY)
    )
    known = shape.index.get_level_values("entity").to_numpy()
    found = known[asset | nat | hub]
    return np.union1d(
        found, _behind_shops(links, known[asset & (kind == "ip")], known[(shape["top"] > 0.9).to_numpy()])
    )


def _behind_shops(links: pd.DataFrame, shops: NDArray[np.int64], of_one_dealer: NDArray[np.int64]) -> NDArray[np.int64]:
    """Devices of one dealer that nearly always work behind a recognised shop network: new or rarely used tablets."""
    inside = links.loc[links["entity"].isin(shops), "node"].unique()
    devices = links[(links["kind"] == "device") & links["entity"].isin(of_one_dealer)]
    share = devices["node"].isin(inside).groupby(devices["entity"]).agg(["mean", "size"])
    return share.index[(share["mean"] >= IN_SHOP) & (share["size"] >= 3)].to_numpy()


def infrastructure_pruned(portfolio: Portfolio, *, as_of: pd.Timestamp, seed: int = 0) -> pd.DataFrame:
    """H: infrastructure removed, typed weights over log-degree, 120-day window, pair threshold, then communities."""
    apps = portfolio.applications
    apps = apps[(apps["moment"] <= as_of) & (apps["moment"] > as_of - WINDOW * DAY)]
    links = portfolio.links[portfolio.links["kind"].isin(WEIGHTS)]
    links = links[(links["known_at"] <= as_of) & (links["moment"] > as_of - WINDOW * DAY) & (links["moment"] <= as_of)]
    links = links[~links["entity"].isin(recognised(portfolio, as_of=as_of))]
    links = (
        links.assign(weight=links["kind"].map(WEIGHTS))
        .sort_values("weight", ascending=False)
        .drop_duplicates(["node", "entity"])
    )
    degree = links.groupby("entity")["node"].transform("size")
    pairs = _pairs(links.assign(weight=links["weight"] / np.log2(1 + degree)), portfolio)
    dealer = apps.groupby("node")["dealer_id"].first()
    same = pairs["a"].map(dealer).to_numpy() == pairs["b"].map(dealer).to_numpy()
    pairs["weight"] *= np.where(same, SAME_DEALER, 1.0)
    pairs = pairs[pairs["weight"] >= KEEP]
    return _clusters(apps, _split_large(pairs, _components(portfolio, pairs), seed))


def _pairs(links: pd.DataFrame, portfolio: Portfolio) -> pd.DataFrame:
    """Node pairs with the sum over shared entities of the geometric mean of their weights."""
    shape = (int(portfolio.applications["node"].max()) + 1, int(portfolio.links["entity"].max()) + 1)
    held = sparse.csr_array((np.sqrt(links["weight"]), (links["node"], links["entity"])), shape=shape)
    upper = sparse.triu(held @ held.T, k=1).tocoo()
    return pd.DataFrame({"a": upper.row, "b": upper.col, "weight": upper.data})


def _components(portfolio: Portfolio, pairs: pd.DataFrame) -> pd.Series:
    n = int(portfolio.applications["node"].max()) + 1
    graph = sparse.csr_array((np.ones(len(pairs)), (pairs["a"], pairs["b"])), shape=(n, n))
    return pd.Series(connected_components(graph, directed=False)[1])


def _components_of_incidence(portfolio: Portfolio, links: pd.DataFrame) -> pd.Series:
    """Over nodes and entities at once, without building the pairs of a hub."""
    n = int(portfolio.applications["node"].max()) + 1
    total = n + int(portfolio.links["entity"].max()) + 1
    graph = sparse.csr_array((np.ones(len(links)), (links["node"], links["entity"] + n)), shape=(total, total))
    return pd.Series(connected_components(graph, directed=False)[1][:n])


def _split_large(pairs: pd.DataFrame, component: pd.Series, seed: int) -> pd.Series:
    """Louvain inside components too large for one ring."""
    component = component.copy()
    volume, fresh = component.value_counts(), int(component.max()) + 1
    for large in volume.index[volume > SPLIT_ABOVE]:
        inside = pairs[component[pairs["a"]].to_numpy() == large]
        graph: nx.Graph[int] = nx.Graph()
        graph.add_weighted_edges_from(inside[["a", "b", "weight"]].itertuples(index=False))
        for part in nx.community.louvain_communities(graph, weight="weight", seed=seed):
            component[list(part)] = fresh
            fresh += 1
    return component


def _clusters(apps: pd.DataFrame, component: pd.Series) -> pd.DataFrame:
    """application_id, cluster: clusters of at least four applicants."""
    own = apps["node"].map(component)
    enough = apps.groupby(own)["node"].transform("nunique") >= SMALLEST
    return pd.DataFrame({"application_id": apps["application_id"], "cluster": own})[enough.to_numpy()]
