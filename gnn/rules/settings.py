"""Every number a lender can set: `settings.yaml`, and over it the lender's own file with the names that differ, or
what a strategy holds in their stead.

Besides its thresholds each rule takes `points` (0 to 100) and `active` (false: the rule is never asked).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gnn.rules.catalogue import RULES
from gnn.rules.rule import Rule, Threshold, Thresholds
from graph.errors import InputError

SHIPPED = Path(__file__).with_name("settings.yaml")
ADVICE = (Threshold("review", "points", 1, 1000), Threshold("decline", "points", 1, 1000))
POINTS = Threshold("points", "points", 0, 100, whole=True)


@dataclass(frozen=True, eq=False)
class Settings:
    """Read once and handed around: what is derived from them is kept by identity.

    `review` and `decline` are sums of weak points; `thresholds` and `points` are by rule code.

    `active` are the codes that are asked.
    """

    review: float
    decline: float
    thresholds: Mapping[str, Thresholds]
    points: Mapping[str, int]
    active: frozenset[str]


def read_settings(own: Path | Mapping[str, Any] | None = None, *, rules: Sequence[Rule] = RULES) -> Settings:
    """The shipped settings; what `own` names is replaced. Raises InputError with the field and what it takes."""
    said: dict[str, dict[str, Any]] = {"advice": {}, **{rule.code: {} for rule in rules}}
    taken = {"advice": ADVICE, **{rule.code: rule.thresholds for rule in rules}}
    for source in (SHIPPED, own) if own is not None else (SHIPPED,):
        file, read = (source.name, _read(source)) if isinstance(source, Path) else ("rules", source)
        for section, fields in _sections(file, read, taken):
            for name, value in fields.items():
                said[section][name] = _checked(file, section, name, value, taken[section])
    for section, wanted in taken.items():
        for each in wanted:
            if each.name not in said[section]:
                raise InputError(f"{SHIPPED.name}: {section}.{each.name} is missing; state {_range(each)}")
    review, decline = said["advice"]["review"], said["advice"]["decline"]
    if decline < review:
        raise InputError(f"advice.decline is {decline:g}, below advice.review {review:g}; decline needs more points")
    return Settings(
        review=review,
        decline=decline,
        thresholds={rule.code: {each.name: said[rule.code][each.name] for each in rule.thresholds} for rule in rules},
        points={rule.code: said[rule.code].get("points", rule.points) for rule in rules},
        active=frozenset(rule.code for rule in rules if said[rule.code].get("active", True)),
    )


def _read(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); name a YAML file with rule settings") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" near line {mark.line + 1}" if mark is not None else ""
        raise InputError(f"{file.name} is no YAML{where}; write `R06:` and below it, indented, `people: 4`") from None


def _sections(file: str, read: Any, taken: Mapping[str, Sequence[Threshold]]) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(read, dict | None):
        raise InputError(f"{file} holds no sections; write `R06:` and below it, indented, `people: 4`")
    for section, fields in (read or {}).items():
        if section not in taken:
            raise InputError(f"{file}: there is no rule {section}; there are {', '.join(taken)}")
        if not isinstance(fields, dict):
            raise InputError(f"{file}: {section} names nothing to set; it takes {_names(section, taken[section])}")
    return list((read or {}).items())


def _checked(file: str, section: str, name: str, value: Any, thresholds: Sequence[Threshold]) -> Any:
    where = f"{file}: {section}.{name}"
    if name == "active" and section != "advice":
        if not isinstance(value, bool):
            raise InputError(f"{where} is {value!r}; it takes true or false")
        return value
    wanted = {each.name: each for each in thresholds} | ({} if section == "advice" else {"points": POINTS})
    if name not in wanted:
        raise InputError(f"{where} is nothing to set; {section} takes {_names(section, thresholds)}")
    threshold = wanted[name]
    values = value if threshold.many and isinstance(value, list) else [value]
    if isinstance(value, list) is not threshold.many or not all(_fits(each, threshold) for each in values):
        raise InputError(f"{where} is {value!r}; it takes {_range(threshold)}")
    return tuple(values) if threshold.many else value


def _fits(value: Any, threshold: Threshold) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return threshold.low <= value <= threshold.high and (not threshold.whole or value == int(value))


def _range(threshold: Threshold) -> str:
    number = "whole number" if threshold.whole else "number"
    what = f"a list of {number}s" if threshold.many else f"a {number}"
    return f"{what} from {threshold.low:g} to {threshold.high:g} ({threshold.unit})"


def _names(section: str, thresholds: Sequence[Threshold]) -> str:
    return ", ".join([each.name for each in thresholds] + ([] if section == "advice" else ["points", "active"]))
