"""The snapshot as PyTorch Geometric's HeteroData: what was known at a time, and nothing later."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import torch
from torch_geometric.data import HeteroData

from graph.ontology import EDGES, NODES
from graph.records import Ints, to_millis
from graph.snapshot import Nodes, Snapshot

FEATURES = tuple(
    each.name
    for each in NODES["Application"].properties
    if each.type in ("number", "integer", "boolean") and each.dated_by is None
)
"""Columns of an application's `x` and `mask`. A property with `dated_by` is never among them: its
column in the snapshot holds values that nobody knew at submission."""


def hetero_data(snapshot: Snapshot, *, as_of: datetime) -> HeteroData:
    """Nodes and relations under their names in the ontology; times are int64 milliseconds since 1970, UTC.

    Per node type `num_nodes`, `time` (known_at) and `index` (its place in the snapshot);
    per relation `edge_index` and `edge_time` (known_at), oldest first. `Application.x` is
    float32 of shape (nodes, FEATURES), 0 where nothing is stated; `mask` is 1 where something is.

    A property that was corrected later appears as corrected: the snapshot keeps one value each.
    """
    at = to_millis(as_of)
    graph = HeteroData()
    place: dict[str, Ints] = {}
    for name, nodes in snapshot.nodes.items():
        kept = np.flatnonzero(nodes.known_at <= at)
        place[name] = np.full(len(nodes), -1, dtype=np.int64)
        place[name][kept] = np.arange(len(kept))
        graph[name].num_nodes = len(kept)
        graph[name].index = torch.from_numpy(kept)
        graph[name].time = torch.from_numpy(nodes.known_at[kept])
    applications = graph["Application"]
    applications.x, applications.mask = _features(snapshot.nodes["Application"], applications.index.numpy())
    for relation, edge in EDGES.items():
        columns = snapshot.columns(relation, as_of=at)
        ends = np.stack([place[edge.source][columns["source"]], place[edge.target][columns["target"]]])
        there = np.flatnonzero((ends >= 0).all(axis=0))
        order = there[np.argsort(columns["known_at"][there], kind="stable")]
        links = graph[edge.source, relation, edge.target]
        links.edge_index = torch.from_numpy(ends[:, order])
        links.edge_time = torch.from_numpy(columns["known_at"][order])
    return graph


def _features(applications: Nodes, rows: Ints) -> tuple[torch.Tensor, torch.Tensor]:
    stated = np.stack([applications.numbers(name)[rows] for name in FEATURES], axis=1)
    mask = ~np.isnan(stated)
    return torch.from_numpy(np.where(mask, stated, 0).astype(np.float32)), torch.from_numpy(mask.astype(np.float32))
