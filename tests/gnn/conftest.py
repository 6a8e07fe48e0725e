"""The smallest synthetic portfolio, loaded once a session, and labels that a test makes up itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gnn import training
from gnn.models.hetero_sage import HeteroSage
from graph import snapshot
from graph.records import Ints, from_millis
from graph.snapshot import Snapshot
from graph.store import GraphStore
from loaders.portfolio import generate
from tests.graph.facts import LATE
from tests.loaders import lender

Events = Mapping[str, pa.Table | None]


@dataclass(frozen=True)
class Portfolio:
    """`input` holds the tables as a lender would deliver them."""

    input: Path
    home: lender.Home

    def known(self, at: int | None = None) -> tuple[Snapshot, Events]:
        """All facts that were known at a time (None: all there are)."""
        with self.home.store() as store:
            return known(store, at)


def known(store: GraphStore, at: int | None = None) -> tuple[Snapshot, Events]:
    tables = {kind: store.events(kind) for kind in store.event_kinds()}
    if at is None:
        return snapshot.build(store, as_of=LATE), tables
    told = {kind: each.filter(pc.less_equal(each["known_at"], at)) for kind, each in tables.items() if each is not None}
    return snapshot.build(store, as_of=from_millis(at)), told


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Portfolio:
    folder = tmp_path_factory.mktemp("tiny")
    generate(folder / "portfolio", preset="tiny", seed=20261121)
    home = lender.Home(folder / "home")
    home.load(folder / "portfolio/input")
    return Portfolio(folder / "portfolio/input", home)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training that takes a second: fewer trees, a few epochs, one night for the rank of rings."""
    monkeypatch.setattr(training, "ROUNDS", 40)
    monkeypatch.setattr(training, "RING_NIGHTS", 0)
    monkeypatch.setattr(training, "HeteroSage", partial(HeteroSage, epochs=3))


def outcomes(facts: Snapshot, rows: Ints, known_at: Ints, label: str = "CONFIRMED_FRAUD") -> pa.Table:
    """These applications labelled, from these times on."""
    size = len(rows)
    return pa.table({
        "ref": [f"{label} {number}" for number in range(size)],
        "owner": facts.nodes["Application"].ids[rows],
        "event_time": np.asarray(known_at, dtype=np.int64),
        "known_at": np.asarray(known_at, dtype=np.int64),
        "label": [label] * size,
        "evidence_level": ["E1"] * size,
        "source": ["review"] * size,
    })  # fmt: skip


def drawn(size: int, share: float, seed: int) -> npt.NDArray[np.int64]:
    return np.flatnonzero(np.random.default_rng(seed).random(size) < share)
