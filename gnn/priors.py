"""Prior links: from earlier applications to later ones that share an entity with them.

Rows are applications in order of submission and a link's source stands before its target, so the links form a
DAG: whatever is passed along them, however often, an application hears of nothing that came after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from graph.records import Ints

Singles = npt.NDArray[np.float32]

FACTS = ("log1p of links", "log1p of their weight", "weighted share of known fraud", "log1p of known fraud")


@dataclass(frozen=True)
class PriorLinks:
    """Row by row: `source` before `target`, what they share as an index into `kinds`, and how much that says.

    One pair of applications may stand under several kinds. `known` is 1 where the source was confirmed as fraud at
    the time of the target, else 0; None says that nothing is known of any. Raises ValueError for what would let the
    future in or has no mean: a source that is not before its target, a weight that is not positive.
    """

    kinds: tuple[str, ...]
    source: Ints
    target: Ints
    kind: Ints
    weight: Singles
    known: Singles | None = None

    def __post_init__(self) -> None:
        known = self.weight if self.known is None else self.known
        lengths = {len(self.source), len(self.target), len(self.kind), len(self.weight), len(known)}
        if len(lengths) > 1:
            raise ValueError(f"the columns of prior links are as long as each other, not {sorted(lengths)}")
        if not len(self):
            return
        if self.source.min() < 0 or (self.source >= self.target).any():
            raise ValueError("a prior link leads from an earlier row (0 or more) to a later one")
        if self.kind.min() < 0 or self.kind.max() >= len(self.kinds):
            raise ValueError(f"a prior link's kind is an index into the {len(self.kinds)} kinds")
        if not (self.weight.min() > 0 and np.isfinite(self.weight).all()):
            raise ValueError("a prior link's weight is positive and finite")

    def __len__(self) -> int:
        return len(self.source)

    def until(self, row: int) -> Self:
        """Those into the rows before `row`; their sources stand before it too."""
        kept = self.target < row
        known = None if self.known is None else self.known[kept]
        return type(self)(self.kinds, self.source[kept], self.target[kept], self.kind[kept], self.weight[kept], known)


@dataclass(frozen=True)
class Shares:
    """The links of each application under each kind, side by side: one entry for a (kind, target) that has any,
    sorted so. Those of entry i are `start[i]:start[i + 1]`; their `share` of the entry's weight sums to 1.
    `facts` is float32 of shape (entries, FACTS).
    """

    kind: Ints
    target: Ints
    start: Ints
    source: Ints
    share: Singles
    facts: Singles

    @classmethod
    def of(cls, links: PriorLinks) -> Self:
        order = np.lexsort((links.source, links.target, links.kind))
        source, target, kind = (each[order] for each in (links.source, links.target, links.kind))
        weight = links.weight[order].astype(np.float64)
        known = np.zeros(len(links)) if links.known is None else links.known[order].astype(np.float64)
        first = np.ones(len(links), dtype=bool)
        first[1:] = (target[1:] != target[:-1]) | (kind[1:] != kind[:-1])
        begin = np.flatnonzero(first)
        total = np.add.reduceat(weight, begin)
        start = np.append(begin, len(links))
        share = weight / np.repeat(total, np.diff(start))
        facts = np.stack(
            [
                np.log1p(np.diff(start)),
                np.log1p(total),
                np.add.reduceat(share * known, begin),
                np.log1p(np.add.reduceat(known, begin)),
            ],
            axis=1,
        )
        return cls(kind[begin], target[begin], start, source, share.astype(np.float32), facts.astype(np.float32))

    def by_kind(self, rows: int) -> Iterator[tuple[int, slice, csr_array]]:
        """Each kind that occurs, its entries, and the matrix (entries, rows) that takes rows to weighted means."""
        ends = np.flatnonzero(np.diff(self.kind)) + 1
        for first, last in zip([0, *ends.tolist()], [*ends.tolist(), len(self.kind)], strict=True):
            if first == last:
                return
            start = self.start[first : last + 1]
            links = slice(start[0], start[-1])
            means = csr_array((self.share[links], self.source[links], start - start[0]), shape=(last - first, rows))
            yield int(self.kind[first]), slice(first, last), means
