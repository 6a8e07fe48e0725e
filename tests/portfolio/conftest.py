"""Portfolios that the tests share: made once a session, read-only."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from loaders.portfolio import generate


class Made:
    """A portfolio on disk; `table("applications")` reads an input table as text, `truth("truth_rings")` the truth."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / "input" / f"{name}.csv", dtype=str)

    def truth(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / "truth" / f"{name}.csv", dtype=str)


def made(folder: Path, preset: str, seed: int, mode: str = "default") -> Made:
    generate(folder, preset=preset, seed=seed, mode=mode)
    return Made(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("tiny") / "portfolio", "tiny", 20261121)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("small") / "portfolio", "small", 20261121)


@pytest.fixture(scope="session")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """Five draws of `small`: one cannot carry a claim about rings."""
    return [made(tmp_path_factory.mktemp("pool") / "portfolio", "small", seed) for seed in range(1, 6)]
