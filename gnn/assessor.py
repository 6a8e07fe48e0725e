"""Scores of applications one by one: the models of one or several versions over one desk.

The desk takes each application once, whoever scores it. The graph network's embedding of an application is made when
somebody needs it, its own score or that of a later one: by then it has the bits it would have had at once, since all
that it reads is dated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gnn.book import Book
from gnn.features.assemble import Features
from gnn.files import ApplicationFile
from gnn.models.hetero_sage import HeteroSage
from gnn.online import Desk
from gnn.priors import PriorLinks
from gnn.room import grown
from gnn.rules import RULES, Settings, Stage, Verdicts, evaluate
from gnn.rules.columns import RESIDENT, Peers, decision_columns
from gnn.scorer import Scorer, Scores, log_odds, prior_links
from gnn.walk import KINDS, Links
from graph.errors import InputError
from graph.records import Ints

Columns = Mapping[str, npt.NDArray[Any]]
Singles = npt.NDArray[np.float32]

PEERS_READ = ("amount", "product", "price_to_income")
READ = frozenset(PEERS_READ).union(*(rule.reads for rule in RULES if rule.stage is Stage.DECISION))
"""What rules, and the columns made for them, read of the features."""

MOST_WAITING = 1024
"""So many applications may wait for their embedding; beyond it each arrival makes two."""


class Arrived(NamedTuple):
    """One application at the desk, or several. `rule_columns` are what the rules read besides the features, `read` what
    they read of these."""

    row: int
    seen: Features
    rule_columns: Columns
    read: Columns


class Assessed(NamedTuple):
    """`rule_columns` are what the rules read besides the features."""

    row: int
    seen: Features
    scores: Scores
    rule_columns: Columns


class Hearing:
    """A graph network over a desk. `embeddings[row]` is of shape (layers + 1, hidden); those of `waiting` are still to
    be made from the features that wait there."""

    def __init__(self, sage: HeteroSage, embeddings: Singles, places: Ints) -> None:
        self.sage, self.embeddings, self._places = sage, embeddings, places
        self.waiting: dict[int, Singles] = {}

    def score(self, book: Book, row: int, values: Singles, links: Links) -> float:
        """Of a row that waits no longer."""
        self._make_ready(book, row, links)
        score, own = self._one(book, row, values, links)
        self._keep(row, own)
        return score

    def again(self, book: Book, row: int, values: Singles, links: Links) -> float:
        """As when it arrived; nothing is kept."""
        self._make_ready(book, row, links)
        return self._one(book, row, values, links)[0]

    def settle(self, book: Book, links: Links, most: int) -> None:
        """Embeds the applications that have waited longest."""
        for row in sorted(self.waiting)[:most]:
            self._keep(row, self._one(book, row, self.waiting[row], links)[1])

    def _make_ready(self, book: Book, row: int, links: Links) -> None:
        """Those that a row hears, and those that they hear, in the order in which they arrived."""
        needed: set[int] = set()
        asked = [row]
        while asked and self.waiting:
            found = {int(one) for one in links.row[asked.pop()] if one >= 0 and int(one) in self.waiting} - needed
            needed |= found
            asked += found
        for one in sorted(needed):
            self._keep(one, self._one(book, one, self.waiting[one], links)[1])

    def _one(self, book: Book, row: int, values: Singles, links: Links) -> tuple[float, Singles]:
        x = values[self._places]
        return self.sage.one(x, links_into(book, row, links), self.embeddings.transpose(1, 0, 2))

    def _keep(self, row: int, own: Singles) -> None:
        self.embeddings = grown(self.embeddings, row + 1, 0)
        self.embeddings[row] = own
        self.waiting.pop(row, None)


@dataclass
class _Shared:
    """What all assessors over one desk have in common."""

    desk: Desk
    names: tuple[str, ...]
    peers: Peers | None
    hearings: list[Hearing] = field(default_factory=list)


class Assessor:
    """A desk and the models that score what arrives there; one thread, as the desk.

    `tailored` gives the settings of the rules for a row of features; None: the scorer's, for all.
    """

    def __init__(self, desk: Desk, scorer: Scorer, seen: Features, peers: Peers | None = None) -> None:
        """`seen` are the features of the book that the desk was opened on."""
        self._open(_Shared(desk, seen.names, peers), scorer, embedded(desk.book, scorer, seen))

    def _open(self, shared: _Shared, scorer: Scorer, embeddings: Singles | None) -> None:
        self._shared, self.scorer = shared, scorer
        self.tailored: Callable[[Features], Settings] | None = None
        number = {name: at for at, name in enumerate(shared.names)}
        self._places = np.array([number[name] for name in scorer.names], dtype=np.int64)
        self._read = tuple((name, number[name]) for name in sorted(READ & set(shared.names)))
        self._hearing: Hearing | None = None
        if scorer.sage is not None and embeddings is not None:
            self._hearing = Hearing(scorer.sage, embeddings, self._places)
            shared.hearings.append(self._hearing)

    @classmethod
    def resumed(
        cls, desk: Desk, scorer: Scorer, names: Sequence[str], embeddings: Singles | None, peers: Peers | None
    ) -> Assessor:
        """`names` of the desk's features; `embeddings` as `embedded` made them, None for a scorer without a network."""
        assessor = cls.__new__(cls)
        assessor._open(_Shared(desk, tuple(names), peers), scorer, embeddings)
        return assessor

    def beside(self, scorer: Scorer, embeddings: Singles | None) -> Assessor:
        """Another set of models over the same desk: what arrives here can be assessed there, too."""
        assessor = type(self).__new__(type(self))
        assessor._open(self._shared, scorer, embeddings)
        return assessor

    def close(self) -> None:
        """Its models are asked no more; the desk goes on without them."""
        if self._hearing is not None and self._hearing in self._shared.hearings:
            self._shared.hearings.remove(self._hearing)

    @property
    def desk(self) -> Desk:
        return self._shared.desk

    @property
    def names(self) -> tuple[str, ...]:
        """Of all features of an application."""
        return self._shared.names

    @property
    def peers(self) -> Peers | None:
        return self._shared.peers

    # Arrivals --------------------------------------------------------------------------------------------

    def assess(self, file: ApplicationFile) -> Assessed:
        """The file arrives and is scored by everything told before it. Raises InputError where it is there already."""
        return self.assess_row(self.arrive(file))

    def arrive(self, file: ApplicationFile) -> Arrived:
        """For `assess_row`, here and of every assessor beside it."""
        return self.arrived([self.follow(file)])[0]

    def follow(self, file: ApplicationFile) -> int:
        """The file's row; nobody asks for its score, and what comes later is scored as if somebody had."""
        return self.desk.arrive(file)

    def arrived(self, rows: Sequence[int]) -> list[Arrived]:
        """Of rows that came since the last call, in their order; those that came with them are seen to, too. Raises
        InputError for another row."""
        together = self._seen(rows)
        return [] if together is None else [_one(together, row, at) for at, row in enumerate(rows)]

    def warm(self) -> None:
        """Loads what is compiled, so that the first application does not wait for it; nothing arrives."""
        self.desk.warm()
        arrived = np.flatnonzero(self.desk.book.as_of[: self.desk.start.rows] <= self.desk.start.at)
        if len(arrived):
            row, book = int(arrived[-1]), self.desk.book
            self.again(row, ApplicationFile(int(book.ids[row]), int(book.known_at[row]), {}, ()))

    def settle(self, most: int = MOST_WAITING) -> int:
        """Makes embeddings that wait, for idle moments; how many still do."""
        self._seen(())
        for hearing in self._shared.hearings:
            hearing.settle(self.desk.book, self.desk.links, most)
        return sum(len(hearing.waiting) for hearing in self._shared.hearings)

    def _seen(self, rows: Sequence[int]) -> Arrived | None:
        """These rows together, of all whose features are still to be asked for; None for no row."""
        if not self.desk.fresh and not rows:
            return None
        seen = self.desk.features()
        for hearing in self._shared.hearings:
            hearing.waiting.update(zip(seen.rows.tolist(), seen.values, strict=True))
            if len(hearing.waiting) > MOST_WAITING:
                hearing.settle(self.desk.book, seen.links, 2 * len(seen.rows))
        if not rows:
            return None
        at = np.minimum(np.searchsorted(seen.rows, rows), len(seen.rows) - 1)
        if (seen.rows[at] != np.array(rows)).any():
            raise InputError("these rows did not all come since the last call; ask for an earlier one again")
        return self._arrived(rows[-1], replace(seen, values=seen.values[at], rows=seen.rows[at]))

    # Scores ----------------------------------------------------------------------------------------------

    def verdicts(self, arrived: Arrived) -> Verdicts:
        """What the rules say; no model is asked."""
        settings = self.scorer.settings if self.tailored is None else self.tailored(arrived.seen)
        return evaluate({**arrived.read, **arrived.rule_columns}, settings)

    def assess_row(self, arrived: Arrived, told: Verdicts | None = None) -> Assessed:
        """Of the row that arrived last, or of an earlier one whose score nobody asked for: the same bits. `told` are
        its `verdicts`, where somebody asked for them before."""
        book, hearing = self.desk.book, self._hearing
        row, seen = arrived.row, arrived.seen
        heard = None if hearing is None else [hearing.score(book, row, seen.values[0], seen.links)]
        return Assessed(row, seen, self._scored(arrived, heard, told), arrived.rule_columns)

    def assess_many(self, files: Iterable[ApplicationFile]) -> tuple[Assessed, ...]:
        """The files arrive one after the other, each seeing those before; then all are scored together, which costs
        less and gives the bits of one by one."""
        rows = [self.follow(file) for file in files]
        together, heard, book = self._seen(rows), None, self.desk.book
        if together is None:
            return ()
        arrived = [_one(together, row, at) for at, row in enumerate(rows)]
        if self.tailored is not None:
            return tuple(self.assess_row(each) for each in arrived)
        if self._hearing is not None:
            heard = [self._hearing.score(book, each.row, each.seen.values[0], each.seen.links) for each in arrived]
        scores = self._scored(together, heard)
        return tuple(Assessed(each.row, each.seen, scores.of(at), each.rule_columns) for at, each in enumerate(arrived))

    def again(self, row: int, file: ApplicationFile) -> Assessed:
        """An earlier row, as of its own arrival with this file. What rules compare with others' (`Peers`) is that of
        the desk's night, so a row from before it can find another 99th percentile there, and another limit."""
        self._seen(())
        seen = self.desk.features_again(row, file)
        arrived, book, hearing = self._arrived(row, seen), self.desk.book, self._hearing
        heard = None if hearing is None else [hearing.again(book, row, seen.values[0], seen.links)]
        return Assessed(row, seen, self._scored(arrived, heard), arrived.rule_columns)

    def apart(
        self, row: int, file: ApplicationFile, pairs: Ints, change: Callable[[Singles], Singles] = lambda values: values
    ) -> Assessed:
        """As `again`, had nobody before held what these pairs of the row hold, and with `change`d features; rules and
        all models see the same."""
        self._seen(())
        with self.desk.apart(row, file, pairs) as found:
            seen = replace(found, values=change(found.values))
            arrived, book, hearing = self._arrived(row, seen), self.desk.book, self._hearing
            heard = None if hearing is None else [hearing.again(book, row, seen.values[0], seen.links)]
            return Assessed(row, seen, self._scored(arrived, heard), arrived.rule_columns)

    def _scored(self, arrived: Arrived, heard: list[float] | None, told: Verdicts | None = None) -> Scores:
        """`heard` is what the graph network says, by row."""
        values, scorer = arrived.seen.values, self.scorer
        told = self.verdicts(arrived) if told is None else told
        x = values[:, self._places]
        auxiliaries = scorer.alone(x, told)
        if heard is not None:
            auxiliaries["gnn"] = log_odds(np.array(heard))
        return scorer.fused(arrived.seen.rows, x, auxiliaries, told)

    def _arrived(self, row: int, seen: Features) -> Arrived:
        read = {name: seen.values[:, place] for name, place in self._read}
        return Arrived(row, seen, self._columns(seen.rows, read), read)

    def _columns(self, rows: Ints, named: Columns) -> Columns:
        peers = self.peers
        if peers is None:
            return {}
        columns = decision_columns(self.desk.book, rows, named, peers)
        refused = columns["id_number_refused"]
        for at in np.flatnonzero(np.isnan(refused)).tolist() if peers.numbered else ():
            refused[at] = self._refused(int(rows[at]))
        return columns

    def _refused(self, row: int) -> float:
        """Of an applicant whom no night has seen yet: by the mask, as `Peers.by_number`."""
        person = self.desk.applicant(row)
        if person is None or person.properties.get("id_type") != RESIDENT or not person.label:
            return float("nan")
        return float(not person.label[:1].isdigit())


def embedded(book: Book, scorer: Scorer, seen: Features) -> Singles | None:
    """Of every row, of shape (rows, layers + 1, hidden); None for a scorer without a graph network."""
    if scorer.sage is None:
        return None
    layers = scorer.sage.embed(seen.only(scorer.names), prior_links(book, seen))
    return np.ascontiguousarray(layers.transpose(1, 0, 2))


def _one(together: Arrived, row: int, at: int) -> Arrived:
    one = slice(at, at + 1)
    seen = replace(together.seen, values=together.seen.values[one], rows=together.seen.rows[one])
    columns, read = (
        {name: each[one] for name, each in told.items()} for told in (together.rule_columns, together.read)
    )
    return Arrived(row, seen, columns, read)


def links_into(book: Book, row: int, links: Links) -> PriorLinks:
    """Those of one row, as `prior_links` gives them for all."""
    slots = np.flatnonzero(links.row[row] >= 0)
    source, mask = links.row[row, slots].astype(np.int64), links.kinds[row, slots]
    carried = (mask[:, None] >> np.arange(len(KINDS))) & 1 == 1
    at, kind = np.nonzero(carried)
    weight = (links.weight[row, slots] / np.maximum(carried.sum(axis=1), 1))[at]
    source = source[at]
    when = np.full(len(source), book.as_of[row])
    known = book.labels.evidence_at(source, when) > 0
    return PriorLinks(
        KINDS, source, np.full(len(source), row), kind, np.maximum(weight, 1e-6).astype(np.float32),
        known.astype(np.float32),
    )  # fmt: skip
