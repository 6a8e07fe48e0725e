"""A lender's folder and an empty instance."""

from __future__ import annotations

from pathlib import Path

import pytest

from loaders.portfolio import generate
from tests.loaders import lender


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lender.written(tmp_path / "input", lender.tables())


@pytest.fixture
def home(tmp_path: Path) -> lender.Home:
    return lender.Home(tmp_path / "home")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The input tables of the smallest synthetic portfolio."""
    out = tmp_path_factory.mktemp("portfolio") / "tiny"
    generate(out, preset="tiny", seed=7)
    return out / "input"
