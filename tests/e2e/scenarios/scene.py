"""A reference case as a file says it: who applies with what in common, what is told later, what must be answered.

    steps:
    - apply: zhang              # somebody who shares nothing but what is named here
      day: 3                    # since the case began; never before the step above
      set: {amount: 98000, applicant.face_score: 0.41, phones.0.tenure_months: 1}
      same: {contact: qian}     # this thing is that of an earlier application (`THINGS`)
      common: {work_phone: switchboard}   # a thing of the loaded portfolio that was set aside (`COMMON`)
      expect: {decision: review, rules: [R03], reasons: [RC09]}
    - label: {of: zhang, label: CONFIRMED_FRAUD}
    - tell: {of: zhang, kind: vehicle, details: {vin: =zhang.vin, event_time: now}}
    - night: {ring: [zhang, qian], rules: {R05: [zhang]}}

`=NAME.PATH` stands for what that application holds there, `now` for the time of the step, and a whole number as the
time of an inquiry for so many days before (-) the application.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

CASES: Final = Path(__file__).with_name("cases")

THINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "address": ("applicant.address",),
    "car": ("vin", "vehicle"),
    "contact": ("contacts.1.phone",),
    "deal": ("deal_id", "vin", "vehicle"),
    "device": ("device_events.0.device_id",),
    "employer": ("applicant.employer_id", "applicant.employer"),
    "network": ("device_events.0.ip", "device_events.0.wifi_bssid_token"),
    "payer": ("payments.0.from_account_token", "bank_accounts"),
    "person": ("applicant_id", "applicant", "phones", "contacts"),
    "seal": ("documents.2.seal_hash",),
    "shop": ("dealer_id", "salesperson_id", "dealer"),
    "statement": ("documents.1.phash64",),
    "work_phone": ("applicant.work_phone",),
}
"""What an application can have in common with an earlier one, and where it stands in both."""

COMMON: Final[Mapping[str, str]] = {"work_phone": "work_phone", "device": "device"}
"""Kinds of things that the loaded portfolio set aside, and the role in which most of its applications hold one."""

EXPECTED: Final = frozenset(
    {"decision", "by", "rules", "rules_not", "reasons", "reasons_not", "evidence", "linked", "linked_not"}
)


@dataclass(frozen=True)
class Expected:
    """`rules` and `reasons` must be there, `…_not` must not; `by` is what decided, None where it does not matter.

    `evidence` names per reason code the types of the things that carry it. `linked` are applications of the case.
    """

    decision: str
    by: str | None = None
    rules: tuple[str, ...] = ()
    rules_not: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    reasons_not: tuple[str, ...] = ()
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    linked: tuple[str, ...] = ()
    linked_not: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    kind: str
    day: float
    says: Mapping[str, Any]
    expected: Expected | None = None


@dataclass(frozen=True)
class Scene:
    """`source` names where the case comes from and the capabilities and look-alikes (domain.md) that it is about."""

    name: str
    zh: str
    en: str
    source: str
    why: str
    benign: bool
    steps: tuple[Step, ...]

    @property
    def asked(self) -> Iterator[tuple[str, Expected]]:
        """Applications of which an answer is expected."""
        for step in self.steps:
            if step.expected is not None:
                yield step.says["apply"], step.expected


def scenes() -> list[Scene]:
    return [read(path) for path in sorted(CASES.glob("*.yaml"))]


def read(path: Path) -> Scene:
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    steps = tuple(_step(each) for each in said["steps"])
    assert [each.day for each in steps] == sorted(each.day for each in steps), f"{path.name}: steps out of order"
    return Scene(
        path.stem, said["title"]["zh"], said["title"]["en"], said["source"], " ".join(said["why"].split()),
        said["benign"], steps,
    )  # fmt: skip


def _step(said: dict[str, Any]) -> Step:
    kind = next(each for each in ("apply", "label", "tell", "night") if each in said)
    expect = said.pop("expect", None)
    return Step(kind, float(said.pop("day", 0)), said, None if expect is None else _expected(expect))


def _expected(said: dict[str, Any]) -> Expected:
    assert said.keys() <= EXPECTED, f"unknown: {said.keys() - EXPECTED}"
    lists = {name: tuple(each) for name, each in said.items() if isinstance(each, list)}
    evidence = {code: tuple(types) for code, types in said.get("evidence", {}).items()}
    return Expected(**{**said, **lists, "evidence": evidence})


# Applications --------------------------------------------------------------------------------------------


def at(content: Any, path: str) -> Any:
    for name in path.split("."):
        content = content[int(name)] if isinstance(content, list) else content[name]
    return content


def put(content: Any, path: str, value: Any) -> None:
    """The last name may be new, and a list one longer."""
    holder, _, name = path.rpartition(".")
    place = at(content, holder) if holder else content
    if isinstance(place, list):
        place[int(name) : int(name) + 1] = [value]
    else:
        place[name] = value


def made(step: Step, base: dict[str, Any], cast: Mapping[str, dict[str, Any]], common: Mapping[str, str]) -> Any:
    """The application of a step, from one that shares nothing."""
    one = deepcopy(base)
    for thing, name in step.says.get("same", {}).items():
        for path in THINGS[thing]:
            put(one, path, deepcopy(at(cast[name], path)))
    for thing in step.says.get("common", ()):
        put(one, THINGS[thing][0], common[thing])
    for path, value in step.says.get("set", {}).items():
        put(one, path, filled(value, cast, ""))
    _agree(one)
    _date(one)
    return one


def _agree(one: dict[str, Any]) -> None:
    """Rows that describe what stands elsewhere follow it."""
    one["phones"][0]["phone"] = one["applicant"]["phone"]
    one["call_events"] = [each | {"phone": one["applicant"]["phone"]} for each in one["call_events"]]
    if "employer" in one["applicant"]:
        one["applicant"]["employer_id"] = one["applicant"]["employer"]["employer_id"]
    if one.get("bank_accounts"):
        one["bank_accounts"][0]["account_token"] = one["payments"][0]["from_account_token"]


def _date(one: dict[str, Any]) -> None:
    """An inquiry's time is written as days before the application."""
    submitted = datetime.fromisoformat(one["submitted_at"])
    for each in one["bureau_inquiries"]:
        if isinstance(each["event_time"], int):
            each["event_time"] = (submitted + timedelta(days=each["event_time"])).isoformat()


def filled(value: Any, cast: Mapping[str, dict[str, Any]], now: str) -> Any:
    """With `=NAME.PATH` and `now` replaced."""
    if isinstance(value, dict):
        return {name: filled(each, cast, now) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, cast, now) for each in value]
    if isinstance(value, str) and value.startswith("="):
        name, _, path = value[1:].partition(".")
        return deepcopy(at(cast[name], path))
    return now if value == "now" and now else value


def identifiers(one: Mapping[str, Any]) -> set[str]:
    """All in an application that names somebody or somebody's thing."""
    person = one["applicant"]
    found = [person["id_number"], person["name"], person["phone"], person.get("work_phone"), one.get("vin")]
    found += [each["phone"] for each in one["phones"]]
    found += [each[name] for each in one["contacts"] for name in ("name", "phone")]
    found += [each[name] for each in one["payments"] for name in ("from_account_token", "to_account_token")]
    found += [person["address"]["raw"], person["address"]["street"]]
    found += [each[name] for each in one["device_events"] for name in ("device_id", "ip", "wifi_bssid_token")]
    found += [each["voice_ref"] for each in one["call_events"]]
    return {each for each in found if each}
