"""What a score rests on: the fewest things, held by others before, without which nobody would look at the application.

Without a thing means that nobody held it before this application did. Then everything that hangs on links is computed
anew by the code that computes it for who arrives: features, rules, what the graph network hears. What the dealer's and
the salesperson's other customers are, and what others were scored, stays.

Where links are not enough, what the application says by itself is taken away, too, one reason code after the other: the
features of a code that raise doubt become those of an ordinary applicant, and models and rules read them so. That is no
fact that could be verified away, only a measure of what the rest amounts to; columns that rules alone read keep what
they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnn.assessor import Assessed, Assessor, Singles
from gnn.evidence import Held, Path
from gnn.explain import without
from gnn.files import ApplicationFile
from graph.records import Ints
from graph.smallest import Found, Places, Progress, Smallest

LINKED = frozenset({"any"})


@dataclass(frozen=True)
class Cleared:
    """Without `things`, and with the features of `codes` at their ordinary values, the score is `left`, less than
    `below` where they are `enough`; no part of them is enough, and where they are the `smallest` nothing fewer is.

    Rules may say all the same that a person looks (`advice`: pass, review or decline), whatever the score.
    """

    score: float
    left: float
    below: float
    things: tuple[Path, ...]
    codes: tuple[str, ...]
    enough: bool
    smallest: bool
    advice: str


def clearing(
    assessor: Assessor,
    row: int,
    file: ApplicationFile,
    *,
    below: float,
    codes: Sequence[str] = (),
    progress: Progress = lambda *_: None,
) -> Cleared | None:
    """Of an application that came before; `codes` are the reasons of its score, the weightiest first. None where the
    score is below already."""
    bench = _Bench.of(assessor, row, file, codes)
    score = bench.score(())
    if score < below:
        return None
    links = Smallest(range(len(bench.paths)), bench.score, below=below, progress=progress).found()
    if links is not None and links.enough:
        return bench.told(links, score, below)
    every = range(len(bench.paths) + len(bench.codes))
    both = Smallest(every, bench.score, below=below, progress=progress).found()
    return None if both is None else bench.told(both, score, below)


@dataclass(frozen=True)
class _Bench:
    """`pairs[i]`: the row's own pairs with the thing of `paths[i]`. Reasons are counted through both lists."""

    assessor: Assessor
    row: int
    file: ApplicationFile
    paths: tuple[Path, ...]
    pairs: tuple[Ints, ...]
    codes: tuple[str, ...]
    kept: dict[Places, Assessed]

    @classmethod
    def of(cls, assessor: Assessor, row: int, file: ApplicationFile, codes: Sequence[str]) -> _Bench:
        desk = assessor.desk
        held = Held(desk.book, row, desk)
        own: dict[tuple[str, int], list[int]] = {}
        for pair in held.pairs:
            type_, id_, _ = desk.thing(int(desk.book.pairs.thing[pair]))
            own.setdefault((type_, id_), []).append(pair)
        paths: dict[tuple[str, int], Path] = {}
        for path in held.paths(LINKED):
            paths.setdefault((path.type, path.thing), path)
        pairs = tuple(np.array(own[key], dtype=np.int64) for key in paths)
        return cls(assessor, row, file, tuple(paths.values()), pairs, tuple(dict.fromkeys(codes)), {})

    def score(self, places: Places) -> float:
        return float(self._without(places).scores.score[0])

    def told(self, found: Found, score: float, below: float) -> Cleared:
        links = len(self.paths)
        return Cleared(
            score, found.score, below,
            tuple(self.paths[at] for at in found.places if at < links),
            tuple(self.codes[at - links] for at in found.places if at >= links),
            found.enough, found.smallest,
            self._without(found.places).scores.rules.advises(0),
        )  # fmt: skip

    def _without(self, places: Places) -> Assessed:
        if places not in self.kept:
            links = len(self.paths)
            pairs = [np.zeros(0, dtype=np.int64), *(self.pairs[at] for at in places if at < links)]
            codes = [self.codes[at - links] for at in places if at >= links]
            self.kept[places] = self.assessor.apart(
                self.row, self.file, np.concatenate(pairs), lambda values: self._ordinary(values, codes)
            )
        return self.kept[places]

    def _ordinary(self, values: Singles, codes: Sequence[str]) -> Singles:
        if not codes:
            return values
        number = {name: at for at, name in enumerate(self.assessor.names)}
        names = self.assessor.scorer.names
        places, changed = [number[name] for name in names], values.copy()
        for code in codes:
            changed[:, places] = without(changed[:, places], names, code)
        return changed
