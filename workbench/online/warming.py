"""The first score takes seconds, for much is compiled and mapped then: it is taken before anybody asks.

A made-up application goes through a view of its own and a journal in a temporary folder; nothing of it stays.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from graph.vault import Vault
from loaders.live import Teller
from workbench.journal import APPLICATION, Asked, Journal
from workbench.online import samples
from workbench.online.engine import Engine, ScoreAsk
from workbench.online.forms import ApplicationForm
from workbench.online.images import View

ROUNDS = 3


def warm(view: View, vault: Vault) -> None:
    """`view` is used up by this: open another one to serve from."""
    teller, now = Teller(vault), time.time_ns() // 1_000_000
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder) / "journal.sqlite", clock=lambda: now) as journal,
    ):
        engine = Engine(journal, teller, view, clock=lambda: now, seconds=time.perf_counter, stale_ms=float("inf"))
        engine.position = 0
        for number in range(ROUNDS):
            name = f"warm-{number}"
            told = teller.tell(ApplicationForm(**samples.APPLICATION | {"application_id": name}).said(), now=now)
            asked = Asked(APPLICATION, name, told.to_bytes(), (f"application/{name}",), "")
            engine.answer([ScoreAsk(asked, told, "", True, time.perf_counter())])


def make_ready(view: View) -> View:
    """What a model makes at its first use, of the view that will serve; its desk stays as it is."""
    for scorer in [each.scorer for each in (view.assessor, *view.others.values())]:
        row = np.full((1, len(scorer.names)), np.nan, dtype=np.float32)
        scorer.isolation.percentile(row)
        if scorer.main is not None:
            scorer.main.score(row)
            scorer.main.contributions(row)
    return view
