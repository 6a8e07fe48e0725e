"""Portfolios that were generated and loaded by the commands a user runs, or lie there from an earlier run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from graph.errors import SnapshotError
from graph.snapshot import open_snapshot
from loaders.portfolio import generate


def loaded(folder: Path, *, preset: str, seed: int, parameters: Path | None = None, mode: str = "default") -> Path:
    """Fills `folder` with input/, truth/ and home/ (a store, a vault and a snapshot) and gives it back."""
    home = folder / "home"
    if not (home / "graph.sqlite").exists():
        generate(folder, preset=preset, seed=seed, mode=mode, parameters=parameters)
        _ringroad(home, "load", str(folder / "input"))
    try:
        open_snapshot(home / "snapshot")
    except SnapshotError:
        _ringroad(home, "rings", "--top", "0")
    return folder


def _ringroad(home: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("ringroad")), *arguments]
    subprocess.run(command, env=os.environ | {"RINGROAD_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
