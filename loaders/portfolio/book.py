"""The portfolio while it is being written: what every step reads and adds to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from loaders.portfolio.chance import Streams
from loaders.portfolio.clock import Clock
from loaders.portfolio.entities import Entities
from loaders.portfolio.parameters import Parameters

SOURCES = Path(__file__).parent / "data"


@dataclass
class Book:
    """`applications`, `people`, `rings`, `dealers`, `salespeople` hold numbers of entities, never texts.

    Steps run in the order of `loaders.portfolio.STEPS`; each says which columns it adds.
    """

    p: Parameters
    streams: Streams
    clock: Clock
    size: int
    fraud: int
    entities: Entities = field(default_factory=Entities)
    dealers: pd.DataFrame = field(default_factory=pd.DataFrame)
    salespeople: pd.DataFrame = field(default_factory=pd.DataFrame)
    rings: pd.DataFrame = field(default_factory=pd.DataFrame)
    applications: pd.DataFrame = field(default_factory=pd.DataFrame)
    people: pd.DataFrame = field(default_factory=pd.DataFrame)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def cities(self) -> pd.DataFrame:
        return pd.read_csv(SOURCES / "cities.csv", dtype={"area": str})

    @cached_property
    def models(self) -> pd.DataFrame:
        return pd.read_csv(SOURCES / "models.csv")

    @cached_property
    def words(self) -> dict[str, NDArray[np.object_]]:
        lists = yaml.safe_load((SOURCES / "words.yaml").read_text(encoding="utf-8"))
        return {name: np.array(line.split(), dtype=object) for name, line in lists.items()}

    def app(self, column: str) -> NDArray[Any]:
        return self.applications[column].to_numpy()

    def person(self, column: str) -> NDArray[Any]:
        """A column of the people, one value per application."""
        return np.asarray(self.people[column].to_numpy()[self.app("person")])

    def behaves(self, habit: str) -> NDArray[np.float64]:
        """How likely each application shows a habit of its typology; honest ones never."""
        habits = {code: float(entry[habit]) for code, entry in self.p["typologies"].items()}
        return self.applications["typology"].map(habits).fillna(0.0).to_numpy()

    def drifted(self) -> NDArray[np.bool_]:
        return np.asarray(self.app("moment") >= self.clock.drift)

    def word(self, rng: np.random.Generator, name: str, n: int) -> NDArray[np.object_]:
        return self.words[name][rng.integers(0, len(self.words[name]), n)]

    def by_deal(self, values: NDArray[Any]) -> NDArray[Any]:
        """A resubmission repeats its deal: one value per row drawn, the first row's kept."""
        return np.asarray(values[self.app("deal")])
