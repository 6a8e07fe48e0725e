"""`schedule.yaml` in RINGROAD_HOME: which jobs run and when, who gets which report, what is suspicious of a person.

Without the file everything runs at its usual time and nobody gets a letter. A mistake in it is said with its field and
what would be right, and nothing runs until it is mended: half a schedule is worse than a late one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

import yaml

from graph.errors import InputError
from graph.settings import Settings

FILE = "schedule.yaml"
AT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
LONGEST_ADDRESS = 255
MOST_RECIPIENTS = 50
LONGEST_FILE = 256_000

LANGUAGES = ("zh", "en")
FORMATS = ("pdf", "html", "csv", "xlsx")


@dataclass(frozen=True)
class ReportPlan:
    """`to`: who gets it by mail. `formats`: what is made; a letter takes the PDF and the page of it."""

    to: tuple[str, ...] = ()
    languages: tuple[str, ...] = LANGUAGES
    formats: tuple[str, ...] = FORMATS


@dataclass(frozen=True)
class WatchPlan:
    """How much one person may reveal and export in an hour before others are told."""

    reveals: int = 20
    exports: int = 10


@dataclass(frozen=True)
class JobPlan:
    """`at` None: its usual time."""

    enabled: bool = True
    at: time | None = None


@dataclass(frozen=True)
class Plan:
    jobs: Mapping[str, JobPlan] = field(default_factory=dict)
    reports: Mapping[str, ReportPlan] = field(default_factory=dict)
    watch: WatchPlan = WatchPlan()

    def job(self, name: str) -> JobPlan:
        return self.jobs.get(name, JobPlan())

    def report(self, name: str) -> ReportPlan:
        return self.reports.get(name, ReportPlan())


def read(settings: Settings, *, jobs: Collection[str], reports: Collection[str]) -> Plan:
    """`jobs` and `reports` are the names that there are. Raises InputError."""
    told = _told(settings.home / FILE)
    _known("", told, ("jobs", "reports", "watch"))
    own, made = _named("jobs", told.get("jobs"), jobs), _named("reports", told.get("reports"), reports)
    return Plan(
        {name: _job(f"jobs.{name}", each) for name, each in own.items()},
        {name: _report(f"reports.{name}", each) for name, each in made.items()},
        _watch("watch", told.get("watch")),
    )


def _told(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > LONGEST_FILE:
            raise InputError(f"{FILE} has more than {LONGEST_FILE:,} bytes; that is no schedule")
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"{FILE} cannot be read ({error.strerror}); see to its permissions") from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" near line {mark.line + 1}" if mark is not None else ""
        raise InputError(
            f"{FILE} is no YAML{where}; write `jobs:` and below it, indented, `rings: {{enabled: true}}`"
        ) from None
    return _section("the file", told)


# Sections ------------------------------------------------------------------------------------------------


def _job(name: str, said: Any) -> JobPlan:
    told = _section(name, said)
    _known(name, told, ("enabled", "at"))
    return JobPlan(_one(name, told, "enabled", _switch, True), _one(name, told, "at", _time, None))


def _report(name: str, said: Any) -> ReportPlan:
    told = _section(name, said)
    _known(name, told, ("to", "languages", "formats"))
    return ReportPlan(
        _one(name, told, "to", _addresses, ()),
        _one(name, told, "languages", lambda field, value: _among(field, value, LANGUAGES), LANGUAGES),
        _one(name, told, "formats", lambda field, value: _among(field, value, FORMATS), FORMATS),
    )


def _watch(name: str, said: Any) -> WatchPlan:
    told, usual = _section(name, said), WatchPlan()
    _known(name, told, ("reveals", "exports"))
    return WatchPlan(
        _one(name, told, "reveals", _count, usual.reveals), _one(name, told, "exports", _count, usual.exports)
    )


def _named(section: str, said: Any, there: Collection[str]) -> Mapping[str, Any]:
    told = _section(section, said)
    _known(section, told, there)
    return told


def _section(name: str, said: Any) -> Mapping[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, dict) or not all(isinstance(each, str) for each in said):
        raise InputError(f"{FILE}: {name} is no section; write names and below each, indented, its settings")
    return said


def _known(section: str, told: Mapping[str, Any], there: Collection[str]) -> None:
    if unknown := [each for each in told if each not in there]:
        what = f"{section}.{unknown[0][:40]}" if section else unknown[0][:40]
        raise InputError(f"{FILE}: there is no {what}; there are {', '.join(sorted(there))}")


# Values --------------------------------------------------------------------------------------------------


def _one(section: str, told: Mapping[str, Any], name: str, read_: Callable[[str, Any], Any], usual: Any) -> Any:
    return read_(f"{section}.{name}", told[name]) if told.get(name) is not None else usual


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{FILE}: {name} is neither true nor false")
    return value


def _time(name: str, value: Any) -> time:
    found = AT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise InputError(f'{FILE}: {name} is no time of day; write it in quotation marks, "06:30", China time')
    return time(int(found[1]), int(found[2]))


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise InputError(f"{FILE}: {name} is no whole number from 1 to 1,000,000")
    return value


def _addresses(name: str, value: Any) -> tuple[str, ...]:
    """None of them is ever repeated in an error: an address is somebody's."""
    if not isinstance(value, list):
        raise InputError(f"{FILE}: {name} is no list; write [risk@lender.example]")
    if len(value) > MOST_RECIPIENTS:
        raise InputError(f"{FILE}: {name} has {len(value)} addresses; {MOST_RECIPIENTS} at most, use a mailing list")
    for at, each in enumerate(value, start=1):
        if not isinstance(each, str) or len(each) > LONGEST_ADDRESS or not ADDRESS.fullmatch(each):
            raise InputError(f"{FILE}: number {at} of {name} is no mail address; write name@lender.example alone")
    return tuple(dict.fromkeys(value))


def _among(name: str, value: Any, choice: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or any(each not in choice for each in value):
        raise InputError(f"{FILE}: {name} is no list of {', '.join(choice)}; write at least one of them")
    return tuple(dict.fromkeys(value))
