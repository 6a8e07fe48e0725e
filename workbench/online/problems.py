"""What is wrong with what was sent: the field, what is the matter and what would be right; never the value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from pydantic import ValidationError

from loaders.live import SECTIONS, Finding, remedy
from loaders.live.sections import EVENTS
from loaders.tables import BY_NAME

MOST: Final = 1e15
"""No number of an application is larger; those declared narrower are judged with the rest of their meaning."""


class Problem(NamedTuple):
    """What is wrong with a field and what would be right; never what was given."""

    field: str
    problem: str
    remedy: str


SAYS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("is missing", "fill it in"),
    "extra_forbidden": ("is no field here", "leave it out, or compare its name with the OpenAPI document"),
    "json_invalid": ("is no JSON", "send one JSON document in UTF-8"),
    "string_type": ("is no text", "send a JSON string"),
    "float_type": ("is no number", "send a JSON number, without quotes"),
    "bool_type": ("is neither true nor false", "send a JSON boolean, without quotes"),
    "list_type": ("is no list", "send a JSON array"),
    "dict_type": ("is no object", "send a JSON object"),
    "model_type": ("is no object", "send a JSON object"),
    "model_attributes_type": ("is no object", "send a JSON object"),
    "multiple_of": ("is no whole number", "leave out the fraction"),
    "finite_number": ("is no finite number", "send a number, or leave the field out"),
    "greater_than_equal": ("is too small", f"send a number from {-MOST:g} to {MOST:g}"),
    "less_than_equal": ("is too large", f"send a number from {-MOST:g} to {MOST:g}"),
    "string_pattern_mismatch": ("is no ISO 8601 time or date", "write e.g. 2025-03-01T10:00:00+08:00"),
    "union_tag_not_found": ("has no kind", f"send `kind`, one of {', '.join(EVENTS)}"),
    "union_tag_invalid": ("is of no kind known here", f"send `kind`, one of {', '.join(EVENTS)}"),
}
_OWN_WORD: Final = re.compile("[a-z_]{1,40}")


def problems_of(error: ValidationError) -> list[Problem]:
    """In the words of this service: pydantic's own can hold the value."""
    found = []
    for each in error.errors(include_input=False, include_url=False):
        loc, type_, limits = each["loc"], each["type"], each.get("ctx", {})
        if loc and loc[0] in EVENTS and "details" in loc[1:2]:
            loc = loc[1:]  # the tag of the union
        if type_ == "string_pattern_mismatch" and loc[-1:] == ("application_id",):
            problem, remedy_ = "holds other characters", "use letters, digits and _.:- only, at most 64"
        elif type_ in ("too_long", "string_too_long"):
            what = "rows" if type_ == "too_long" else "characters"
            problem, remedy_ = "is too long", f"send at most {limits['max_length']} {what}"
        else:
            problem, remedy_ = SAYS.get(type_, ("cannot be read", "compare it with the OpenAPI document"))
        found.append(Problem(".".join(_shown(part) for part in loc) or "(body)", problem, remedy_))
    return found


def problem_of(finding: Finding) -> Problem:
    """Of a finding behind the form: what was left out, or kept all the same."""
    done = {"reject": "was refused", "quarantine": "was left out", "warn": "was kept"}
    return Problem(finding.field, f"{done[finding.policy]}: {finding.reason}", remedy(finding.reason).en)


def _shown(part: str | int) -> str:
    """A field name that nobody declared may hold anything: only a plain word is repeated."""
    return str(part) if isinstance(part, int) or part in _DECLARED or _OWN_WORD.fullmatch(part) else "(unknown)"


_DECLARED: Final = {column.name for table in BY_NAME.values() for column in table.columns} | set(SECTIONS)
