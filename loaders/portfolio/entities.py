"""Entities are numbers of a kind until the last moment; only then do they get a text.

So sharing is a plain equality of numbers, and no identifier can carry the class of its holder.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from loaders.portfolio.chance import Ints


class Entities:
    """Hands out numbers per kind and remembers facts set about them (the later fact wins)."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self._facts: dict[tuple[str, str], list[tuple[Ints, Any]]] = {}
        self._clusters: list[pd.DataFrame] = []

    def new(self, kind: str, n: int) -> Ints:
        first = self.sizes.get(kind, 0)
        self.sizes[kind] = first + n
        return np.arange(first, first + n, dtype=np.int64)

    def note(self, kind: str, entities: Ints, /, **facts: Any) -> None:
        """`note("phone", numbers, type="landline", city=cities)`; a fact is one value or one a number."""
        for name, value in facts.items():
            self._facts.setdefault((kind, name), []).append((entities, value))

    def fact(self, kind: str, name: str, default: Any) -> NDArray[Any]:
        """One value per entity of the kind."""
        sample = np.asarray(default)
        values = np.full(self.sizes.get(kind, 0), default, dtype=object if sample.dtype.kind == "U" else sample.dtype)
        for entities, value in self._facts.get((kind, name), []):
            held = entities >= 0
            values[entities[held]] = value[held] if isinstance(value, np.ndarray) else value
        return values

    def belongs(self, kind: str, entities: Ints, cluster: Any, infra_class: str, *, fraud: bool = False) -> None:
        """Truth about an entity: which ring or benign cluster made it shared, and its infrastructure class."""
        rows = pd.DataFrame({"kind": kind, "entity": entities, "cluster_id": cluster})
        self._clusters.append(rows.assign(infra_class=infra_class, is_fraud=int(fraud)))

    def truth(self) -> pd.DataFrame:
        rows = pd.concat(self._clusters, ignore_index=True)
        return rows[rows["entity"] >= 0].drop_duplicates(["kind", "entity", "cluster_id"], ignore_index=True)
