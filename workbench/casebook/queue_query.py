"""What somebody asks the queue for: which cases, in which order. Kept as JSON where it has a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from graph.errors import InputError
from workbench.casebook.cases import APPLICATION, RING, STATUSES

TABS = ALL, MINE, NEW, SNOOZED, DONE = ("all", "mine", "new", "snoozed", "closed")
ORDERS = ("savable", "score", "age", "exposure", "deadline", "grown", "funding")
KINDS = (RING, APPLICATION)
ME, NOBODY = "me", "nobody"
"""Whom `assignee` may name besides a user."""

MOST_ROWS = 500
MOST_VALUES = 40
LONGEST = 64


@dataclass(frozen=True)
class Query:
    """What is empty asks for all. `score_from` and `savable_from` (RMB) are included. Raises InputError."""

    tab: str = ALL
    kind: str = ""
    status: tuple[str, ...] = ()
    assignee: str = ""
    typology: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    dealer: tuple[str, ...] = ()
    score_from: float = 0.0
    savable_from: float = 0.0
    new: bool = False
    text: str = ""
    order: str = ORDERS[0]
    backwards: bool = False
    offset: int = field(default=0, metadata={"place": True})
    limit: int = field(default=100, metadata={"place": True})

    def __post_init__(self) -> None:
        _one_of("tab", self.tab, TABS)
        _one_of("order", self.order, ORDERS)
        _one_of("kind", self.kind, ("", *KINDS))
        for each in self.status:
            _one_of("status", each, STATUSES)
        for values in (self.status, self.typology, self.region, self.dealer):
            if len(values) > MOST_VALUES:
                raise InputError(f"a filter takes up to {MOST_VALUES} values")
            if any(not isinstance(each, str) or len(each) > LONGEST for each in values):
                raise InputError(f"a value of a filter takes up to {LONGEST} characters")
        if max(len(self.text), len(self.assignee)) > LONGEST:
            raise InputError(f"a filter takes up to {LONGEST} characters")
        if not (0 <= self.offset <= 10_000_000 and 1 <= self.limit <= MOST_ROWS):
            raise InputError(f"a page has 1 to {MOST_ROWS} rows")

    def as_json(self) -> dict[str, Any]:
        """What of it differs from asking for everything; where the page stands is no part of it."""
        plain = asdict(Query())
        return {
            each.name: list(value) if isinstance(value, tuple) else value
            for each in fields(self)
            if not each.metadata.get("place") and (value := getattr(self, each.name)) != plain[each.name]
        }

    @property
    def filters(self) -> bool:
        """Whether anything narrows what its tab holds."""
        return bool(self.as_json().keys() - {"tab", "order", "backwards"})

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Query:
        """Raises InputError for what it does not know, and for values of another type."""
        plain, read = cls(), dict[str, Any]()
        for name, value in told.items():
            before = getattr(plain, name, None)
            if before is None:
                raise InputError("this filter holds what the queue does not know")
            read[name] = _typed(name, before, value)
        return cls(**read)


def _typed(name: str, like: Any, value: Any) -> Any:
    if isinstance(like, tuple):
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            raise InputError(f"{name} of a filter takes a list of texts")
        return tuple(value)
    if isinstance(like, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(like):
        raise InputError(f"{name} of a filter takes a {type(like).__name__}")
    return value


def _one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"{name} {value[:40]!r} is none; it takes one of {', '.join(each for each in known if each)}")
