"""What one row's columns mean beyond their names: `loaders/meaning.py` for a row."""

from __future__ import annotations

from typing import Any

from graph.normalise import KINDS
from loaders.meaning import ADDRESS_PARTS, LINKABLE_LEVELS

Values = dict[str, Any]


def prepare(table: str, values: Values) -> None:
    """Adds the derived columns: masks instead of names and plates, a birth year instead of a birth date."""
    if table == "applicants":
        if "name" in values:
            values["name_masked"] = KINDS["name"].mask(values["name"])
        if "birth_date" in values:
            values["birth_year"] = int(values["birth_date"][:4])
    elif table == "vehicles" and "plate" in values:
        values["plate_masked"] = KINDS["plate"].mask(values["plate"])
    elif table == "documents":
        if template := _template(values):
            values["template"] = template
    elif table == "employers":
        name = values.get("name_norm") or values.get("name_raw")
        if name is not None:
            values["name"] = name


def _template(values: Values) -> str | None:
    """The vendor's template cluster, or else the perceptual hash; identity documents have no template."""
    if cluster := values.get("template_cluster"):
        return str(cluster)
    page = values.get("phash64")
    return None if page is None or values.get("kind") in ("id", "licence") else f"page:{page}"


def meaning_of(refer: str, values: Values) -> str | None:
    """What one of the lender's numbers stands for according to the row that defines it."""
    if refer == "applicant":
        return values.get("id_number")
    if refer == "employer":
        return f"uscc:{values['uscc']}" if "uscc" in values else None
    return _standard_address(values)


def _standard_address(values: Values) -> str | None:
    """The standard parts as one canonical text, where they reach down far enough to link people."""
    level = values.get("level")
    linkable = level is None or level in LINKABLE_LEVELS
    if "std" in values and not any(part in values for part in ADDRESS_PARTS):
        text, deep = values["std"].replace("/", ""), True
    else:
        text = "".join(values.get(part, "") for part in ADDRESS_PARTS)
        deep = "room" in values or ("building" in values and "unit" in values)
    return KINDS["address"].normalise(text) if linkable and deep else None
