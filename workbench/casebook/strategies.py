"""What the score service decides by, from when on: thresholds, rules, which model serves, which one is tried out.

Versions are appended and never changed. Going back is a new version with an old content, effective at once.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, insert, select

from graph.errors import InputError, NodeNotFound
from workbench.casebook import strategy_overrides
from workbench.casebook.strategy_overrides import Override, merged
from workbench.casebook.tables import strategies
from workbench.casebook.words import stated

VERSION = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{8}")
"""Of a model, as the registry names it."""

LATE = timedelta(minutes=1)
"""So far back `effective_from` may lie: clocks differ, and people type. It then counts from now."""

Arm = Literal["champion", "challenger"]


@dataclass(frozen=True)
class Challenger:
    """A model that decides for a share of applications. A new `salt` draws them anew."""

    version: str
    share: float
    salt: str


@dataclass(frozen=True)
class Strategy:
    """`review_from`: None for what the model says itself. `decline`: whether strong rules may decline by themselves.
    `rules` as in `gnn/rules/settings.yaml`, only what differs. `champion`: None for the registry's own. Of the
    `overrides` the first that holds for an application counts."""

    review_from: float | None = None
    decline: bool = True
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    champion: str | None = None
    challenger: Challenger | None = None
    shadow: str | None = None
    overrides: tuple[Override, ...] = ()

    @classmethod
    def read(cls, content: Any) -> Strategy:
        """Checked through and through. Raises InputError with the field and what it takes."""
        told = _named("a strategy", content, [each.name for each in fields(cls)])
        review, decline, rules = told.get("review_from"), told.get("decline", True), told.get("rules") or {}
        if review is not None:
            _share("review_from", review)
        if not isinstance(decline, bool):
            raise InputError(f"decline is {decline!r}; it takes true or false")
        _rules(rules)
        overrides = strategy_overrides.read(told.get("overrides"))
        for each in overrides:
            _rules(each.rules)
            _rules(merged(rules, each.rules))
        champion, shadow = (_version(name, told.get(name)) for name in ("champion", "shadow"))
        challenger = _challenger(told.get("challenger"))
        twice = {"challenger": challenger.version if challenger else None, "shadow": shadow}
        for name, version in twice.items():
            if version is not None and version == champion:
                raise InputError(f"{name} {version} is the champion; name another version or leave it out")
        return cls(None if review is None else float(review), decline, rules, champion, challenger, shadow, overrides)

    def content(self) -> dict[str, Any]:
        return asdict(self) | {"overrides": [each.content() for each in self.overrides]}

    @property
    def versions(self) -> tuple[str, ...]:
        """Of models, that it names."""
        tried = self.challenger.version if self.challenger else None
        return tuple(each for each in (self.champion, tried, self.shadow) if each is not None)


@dataclass(frozen=True)
class Adopted:
    """A strategy on record. `copy_of`: the one that it goes back to."""

    id: int
    effective_from: datetime
    strategy: Strategy
    author: str
    reason: str
    created_at: datetime
    copy_of: int | None


BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
SHIPPED = Adopted(0, BEGINNING, Strategy(), "ringroad", "as shipped", BEGINNING, None)
"""In force until somebody sets another one; there is always a way back to it."""


# Telling -------------------------------------------------------------------------------------------------


def propose(
    db: Connection, content: Any, *, effective_from: datetime, author: str, reason: str, now: datetime
) -> Adopted:
    """A new version. It is in force from `effective_from` on, until another one is. `db` is of `Casebook.writing`."""
    strategy = Strategy.read(content)
    if effective_from < now - LATE:
        raise InputError(f"effective_from {effective_from.isoformat()} is past; decisions made since then would change")
    return _append(db, Adopted(0, max(effective_from, now), strategy, author, reason, now, None))


def roll_back(db: Connection, *, to: int, author: str, reason: str, now: datetime) -> Adopted:
    """A new version with an old one's content, at once; what had been planned for later no longer comes into force."""
    old = get(db, to)
    return _append(db, Adopted(0, now, old.strategy, author, reason, now, old.id))


def _append(db: Connection, made: Adopted) -> Adopted:
    newest = db.execute(select(func.max(strategies.c.id))).scalar()
    if newest is None:
        _insert(db, SHIPPED)
    reason, author = stated("the reason", made.reason, 1000), stated("author", made.author, 255)
    made = replace(made, id=(newest or 0) + 1, reason=reason, author=author)
    _insert(db, made)
    return made


def _insert(db: Connection, made: Adopted) -> None:
    row = {name: getattr(made, name) for name in Adopted.__dataclass_fields__ if name != "strategy"}
    db.execute(insert(strategies).values(content=made.strategy.content(), **row))


# Reading -------------------------------------------------------------------------------------------------


def listed(db: Connection) -> Sequence[Adopted]:
    """All, in the order in which they were made; none before the first was set."""
    return [_adopted(row) for row in db.execute(select(strategies).order_by(strategies.c.id))]


def get(db: Connection, id: int) -> Adopted:  # noqa: A002 - the column's own name
    row = db.execute(select(strategies).where(strategies.c.id == id)).one_or_none()
    if row is not None:
        return _adopted(row)
    if id == SHIPPED.id:
        return SHIPPED
    raise NodeNotFound(f"there is no strategy {id}; `ringroad strategy list` shows them")


def in_force(db: Connection, at: datetime) -> Adopted:
    """The one that began last; of two that began together the one set last. A roll-back ends all plans made before."""
    begun = select(strategies).where(strategies.c.effective_from <= at)
    back = (
        select(func.max(strategies.c.id))
        .where(strategies.c.effective_from <= at, strategies.c.copy_of.is_not(None))
        .scalar_subquery()
    )
    newest = begun.where(strategies.c.id >= func.coalesce(back, 0))
    row = db.execute(newest.order_by(strategies.c.effective_from.desc(), strategies.c.id.desc()).limit(1)).first()
    return SHIPPED if row is None else _adopted(row)


def before(db: Connection, at: datetime) -> int:
    """The one to go back to: what was in force before the one that is."""
    now = in_force(db, at)
    original = now if now.copy_of is None else get(db, now.copy_of)
    if original.id == SHIPPED.id:
        raise InputError("nothing was in force before what was shipped; set another: ringroad strategy set FILE.yaml")
    return in_force(db, original.effective_from - timedelta(microseconds=1)).id


def arm(application_id: str, strategy: Strategy) -> Arm:
    """The same in every process and at every time; a greater share moves applications to the challenger only."""
    challenger = strategy.challenger
    if challenger is None:
        return "champion"
    drawn = hashlib.blake2b(f"{challenger.salt}\0{application_id}".encode(), digest_size=8).digest()
    return "challenger" if int.from_bytes(drawn, "big") < challenger.share * 2**64 else "champion"


def _adopted(row: Row[Any]) -> Adopted:
    """Without checking the rules again: a release that knows fewer must still be able to list them."""
    told = dict(row.content)
    if told.get("challenger"):
        told["challenger"] = Challenger(**told["challenger"])
    told["overrides"] = tuple(Override.of(each) for each in told.get("overrides", ()))
    known = {name: value for name, value in told.items() if name in Strategy.__dataclass_fields__}
    values = {name: getattr(row, name) for name in Adopted.__dataclass_fields__ if name != "strategy"}
    return Adopted(strategy=Strategy(**known), **values)


# Checking ------------------------------------------------------------------------------------------------


def _named(what: str, told: Any, names: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(told, Mapping):
        raise InputError(f"{what} is a mapping; it takes {', '.join(names)}")
    for name in told:
        if name not in names:
            raise InputError(f"{str(name)[:40]!r} is nothing to set in {what}; it takes {', '.join(names)}")
    return told


def _share(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"{name} is {_short(value)}; it takes a number from 0 to 1")
    return float(value)


def _version(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not VERSION.fullmatch(value):
        raise InputError(f"{name} is {_short(value)}; it takes a version of `ringroad models list`, or null")
    return value


def _challenger(told: Any) -> Challenger | None:
    if told is None:
        return None
    names = [each.name for each in fields(Challenger)]
    told = _named("challenger", told, names)
    if missing := [name for name in names if told.get(name) is None]:
        raise InputError(f"challenger.{missing[0]} is missing; a challenger takes {', '.join(names)}")
    salt, version = told["salt"], _version("challenger.version", told["version"])
    if not isinstance(salt, str) or not 1 <= len(salt) <= 64 or not salt.isprintable():
        raise InputError("challenger.salt takes 1 to 64 characters; another one draws the applications anew")
    return Challenger(str(version), _share("challenger.share", told["share"]), salt)


def _rules(told: Any) -> None:
    from gnn.rules import read_settings  # noqa: PLC0415 - only who sets rules waits for them

    if not isinstance(told, Mapping):
        raise InputError("rules is a mapping of sections; write `R06:` and below it, indented, `people: 4`")
    read_settings(dict(told))


def _short(value: Any) -> str:
    return "not a number" if isinstance(value, float) and math.isnan(value) else repr(value)[:40]
