"""What is to be done on a case before it is closed, and what of it comes next.

What every case needs stands here; what a kind of fraud or a look-alike needs, in `typologies.py`. An item is named by
its English words: change them, and what was ticked is no longer this item.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workbench.casebook.casefile import OPEN, OwnItem, Tick
from workbench.casebook.cases import OUTCOMES, RING
from workbench.online.checks import CHECKS
from workbench.services.cases.typologies import FRAUD, INNOCENT, Kind, Text

FRAUDULENT, VALUABLE, INNOCENT_AFTER_ALL, _ = OUTCOMES

CODE = re.compile(r"\b[TB]\d\d\b")
UMBRELLA = "T08"


@dataclass(frozen=True)
class Item:
    """`needed_for` are the outcomes that a case cannot be closed with while it is open; `source` is where it comes
    from: case, a typology's or a look-alike's code, own."""

    key: str
    words: Text
    source: str
    needed_for: frozenset[str] = frozenset()

    def said(self, language: str) -> str:
        return self.words.zh if language == "zh" else self.words.en


@dataclass(frozen=True)
class Standing:
    """An item and what became of it; `hint` says what the casebook knows about it: 3 of 5 labelled."""

    item: Item
    state: str = OPEN
    author: str = ""
    at: datetime | None = None
    because: str = ""
    hint: tuple[int, int] | None = None


@dataclass(frozen=True)
class Facts:
    """What a checklist depends on."""

    kind: str
    typology: str
    savable: float
    doubts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    labelled: tuple[int, int] = (0, 0)
    confirmed: tuple[int, int] = (0, 0)


_ALL = frozenset(OUTCOMES)
HOLD = Item(
    "case-hold", Text("Hold or release what is not paid out yet", "对尚未放款的进件作出暂停或放行处理"), "case", _ALL
)
WEIGH = Item(
    "case-weigh",
    Text(
        "Weigh what may be innocent: family, fleet, switchboard, shop device",
        "排查正常解释：家庭、车队、总机、门店设备",
    ),
    "case",
    frozenset({FRAUDULENT, VALUABLE, INNOCENT_AFTER_ALL}),
)
LABEL = Item(
    "case-label",
    Text("Label each application, also those that are innocent", "逐笔标注进件，包括正常的进件"),
    "case",
    frozenset({FRAUDULENT, INNOCENT_AFTER_ALL}),
)
CONFIRM = Item(
    "case-confirm",
    Text("Have a second person confirm the labels of fraud", "由第二人复核欺诈标注"),
    "case",
    frozenset({FRAUDULENT}),
)
HARMLESS = Item(
    "case-harmless",
    Text("Mark the links that proved harmless, so that they raise no alarm again", "标记确认无害的关联，避免再次报警"),
    "case",
    frozenset({INNOCENT_AFTER_ALL}),
)


def items(facts: Facts, own: Sequence[OwnItem] = ()) -> tuple[Item, ...]:
    """In the order in which they are done: money first, then what may be innocent, the steps, labels, the second
    person."""
    listed = [HOLD] if facts.savable > 0 else []
    listed.append(WEIGH)
    for code in sorted({code for doubt in facts.doubts for code in CODE.findall(doubt)} & INNOCENT.keys()):
        listed += steps(INNOCENT[code], frozenset({INNOCENT_AFTER_ALL}))
    listed += _steps(facts)
    listed += [Item(each.item, Text(each.text, each.text), "own", _ALL) for each in own]
    return (*listed, LABEL, CONFIRM, HARMLESS)


def _steps(facts: Facts) -> list[Item]:
    """Of the kind of fraud; of a single application that is of no kind yet, what its reasons ask to look into."""
    if facts.kind == RING or facts.typology in FRAUD:
        return steps(FRAUD.get(facts.typology, FRAUD[UMBRELLA]), frozenset({FRAUDULENT}))
    asked = {(code, check.code): check for code in facts.reasons for check in CHECKS.get(code, ())}
    once = {check.code: (code, check) for (code, _), check in reversed(asked.items())}
    return [
        Item(f"{code}-{check.code}", Text(check.en, check.zh), code, frozenset({FRAUDULENT}))
        for code, check in sorted(once.values(), key=lambda pair: facts.reasons.index(pair[0]))
    ]


def steps(kind: Kind, needed_for: frozenset[str]) -> list[Item]:
    return [Item(f"{kind.code}-{_digest(each.en)}", each, kind.code, needed_for) for each in kind.does]


def standing(facts: Facts, ticks: Mapping[str, Tick], own: Sequence[OwnItem] = ()) -> tuple[Standing, ...]:
    """The whole checklist. What was ticked for a typology that the case no longer has is not among it."""
    hints = {LABEL.key: facts.labelled, CONFIRM.key: facts.confirmed}
    return tuple(_standing(each, ticks.get(each.key), hints.get(each.key)) for each in items(facts, own))


def missing(of: Iterable[Standing], outcome: str) -> tuple[Standing, ...]:
    """What stands in the way of closing with that outcome."""
    return tuple(each for each in of if each.state == OPEN and outcome in each.item.needed_for)


def next_step(of: Iterable[Standing]) -> Standing | None:
    """The first that is open; None when all is done, which leaves the closing."""
    return next((each for each in of if each.state == OPEN), None)


def _standing(item: Item, tick: Tick | None, hint: tuple[int, int] | None) -> Standing:
    if tick is None:
        return Standing(item, hint=hint)
    return Standing(item, tick.state, tick.author, tick.at, tick.because, hint)


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:10]
