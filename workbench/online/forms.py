"""What the score service takes: forms made from the declarations of the input tables.

A form says what JSON it is: types, lengths, numbers of rows. What a value means, and whether it may stand, is judged
behind it (`loaders/live`), with the same findings as a load's. Errors name fields and never show a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, NotRequired, Union

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    WithJsonSchema,
    create_model,
    with_config,
)
from typing_extensions import TypedDict

from loaders.live import SECTIONS
from loaders.live.sections import EVENTS, LATER, nested
from loaders.tables import BY_NAME, Column
from workbench.online import samples
from workbench.online.problems import MOST, Problem, problem_of, problems_of

__all__ = ["ApplicationForm", "EventForm", "Problem", "problem_of", "problems_of", "read_event"]

STRICT: Final = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
ZONE: Final = r"(Z|[+-][0-9]{2}:?[0-9]{2})?"
TIME: Final = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,6}})?)?{ZONE})?$"
NAME: Final = r"^[A-Za-z0-9_.:-]+$"
"""An application's number stands in addresses, too."""

DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

BAD: Final = {
    "reject": "A bad value refuses the row.",
    "quarantine": "A bad value is left out and reported.",
    "warn": "A bad value is kept and reported.",
}
MEANING: Final[Mapping[str, str]] = {
    "known_at": "When this was known; not in the future. Leave it out for what is known now",
    "event_time": "When it happened",
    "ltv": "Loan to value: amount over price",
    "vin": "Vehicle identification number, 17 characters",
    "uscc": "Unified social credit code, 18 characters",
    "id_number": "Number of the identity document named by id_type",
    "phash64": "Perceptual hash of the page, 64 bits in hexadecimal",
    "dpd": "Days past due; negative when paid early",
    "hukou_region": "Registered residence, GB/T 2260 code",
    "std": "Standardised address, parts separated by slashes",
    "reserved_phone_match": "Whether the bank holds the same phone number for the payment card",
    "thin_file_flag": "Whether the bureau knows next to nothing of the applicant",
    "auto_limit_flag": "Whether the amount was approved automatically",
    "account_token": "Account or card number, or its token",
    "voice_ref": "The voice vendor's reference of the recording",
    "device_id": "The vendor's device fingerprint",
    "wifi_bssid_token": "Access point: MAC address or its token",
    "instalment_no": "Number of the instalment, from 0",
}
"""Where the column's name does not say it."""


# Fields ------------------------------------------------------------------------------------------------


def _type(column: Column) -> Any:
    if column.type == "boolean":
        return bool
    if column.type == "number":
        return Annotated[float, Field(ge=-MOST, le=MOST)]
    if column.type == "integer":
        whole = {"type": "integer", "minimum": -MOST, "maximum": MOST}
        return Annotated[float, Field(ge=-MOST, le=MOST, multiple_of=1), WithJsonSchema(whole)]
    if column.type == "json":
        return Annotated[dict[str, Any], Field(max_length=200)]
    if column.type in ("time", "date"):
        return Annotated[str, Field(pattern=TIME if column.type == "time" else DATE, max_length=40)]
    return Annotated[str, Field(max_length=500 if column.type == "text" else 200)]


def _description(column: Column) -> str:
    said = MEANING.get(column.name) or column.name.replace("_", " ").capitalize()
    parts = [said]
    if column.unit:
        parts.append(f"in {column.unit}")
    if column.low is not None:
        parts.append(f"{column.low:,g} to {column.high:,g}")
    if column.values:
        parts.append(f"one of {', '.join(column.values)}")
    if column.type == "time":
        parts.append("ISO 8601; without a zone it is China time")
    return f"{', '.join(parts)}. {BAD[column.policy]}"


class _Part(NamedTuple):
    """One field of a form: its type, what the documentation says of it, whether it must be there."""

    type: Any
    about: Mapping[str, Any]
    required: bool

    @property
    def annotated(self) -> Any:
        return Annotated[self.type if self.required else self.type | None, Field(**self.about)]

    @property
    def of_model(self) -> Any:
        return self.annotated if self.required else (self.annotated, None)


def _field(column: Column, example: Any, *, required: bool) -> _Part:
    more: dict[str, Any] = {"x-class": column.cls}
    if column.values:
        more["x-extensible-enum"] = list(column.values)
    shown = _example(column) if example is None else example
    about = {"description": _description(column), "examples": [shown], "json_schema_extra": more}
    return _Part(_type(column), about, required)


def _example(column: Column) -> Any:
    if column.values:
        return column.values[0]
    if column.low is not None:
        return 1 if column.type == "integer" else max(column.low, 1.0)
    plain = {"time": "2025-03-01T10:00:00+08:00", "date": "2025-03-01", "boolean": False, "number": 1.0}
    identifiers = {"region": "310115", "imei": "867531044123459", "plate": "沪A7K3M9", "geohash": "wtw3sjq"}
    return {**plain, **identifiers, "json": {"pages": 2}, "hash": "67effec4f165caac"}.get(column.type, column.name)


def _fields(
    table: str, example: Mapping[str, Any], optional: Iterable[str], without: Iterable[str]
) -> dict[str, _Part]:
    """A field per column. A number that the lender did not give is made, so none of those is required."""
    return {
        column.name: _field(
            column,
            example.get(column.name),
            required=column.required and column.type != "opaque" and column.name not in optional,
        )
        for column in BY_NAME[table].columns
        if column.name not in without
    }


# Forms -------------------------------------------------------------------------------------------------


def _sections(within: str, example: Mapping[str, Any]) -> dict[str, _Part]:
    fields = {}
    for name in nested(within):
        section, shown = SECTIONS[name], example[name]
        form: Any = _section(name, shown[0] if section.many else shown)
        about: dict[str, Any] = {
            "description": f"{BY_NAME[section.table].zh}: " + (f"up to {section.most} rows" if section.many else "one"),
        }
        if section.many:
            form = Annotated[list[form], Field(max_length=section.most)]
        fields[name] = _Part(form, about, required=False)
    return fields


def _section(name: str, example: Mapping[str, Any]) -> Any:
    """A dictionary with declared keys: what is not given is not there, which saves a third of the time."""
    section = SECTIONS[name]
    optional = (*section.follows, section.agrees)
    return _dictionary(f"{_title(name)}Form", _fields(section.table, example, optional, ()) | _sections(name, example))


def _dictionary(title: str, fields: Mapping[str, _Part]) -> Any:
    keys = {name: part.annotated if part.required else NotRequired[part.annotated] for name, part in fields.items()}
    return with_config(STRICT)(TypedDict(title, keys))  # type: ignore[operator]


def _title(name: str) -> str:
    return name.title().replace("_", "")


def _head() -> type[BaseModel]:
    later = [name for columns in LATER.values() for name in columns]
    fields = _fields("applications", samples.APPLICATION, (), later)
    number = BY_NAME["applications"].column("application_id")
    named = _field(number, samples.APPLICATION["application_id"], required=True)
    fields["application_id"] = named._replace(type=Annotated[str, Field(pattern=NAME, max_length=64)])
    fields |= _sections("", samples.APPLICATION)
    parts: dict[str, Any] = {name: part.of_model for name, part in fields.items()}
    return create_model("ApplicationHead", __config__=STRICT, **parts)


if TYPE_CHECKING:
    _ApplicationHead = BaseModel
else:
    _ApplicationHead = _head()


class ApplicationForm(_ApplicationHead):
    """One application: the columns of `applications`, and the rows of other tables that belong to it.

    What follows from the nesting need not be repeated, and a row without a number of its own gets one.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [samples.APPLICATION]})

    if TYPE_CHECKING:
        application_id: str

    def said(self) -> dict[str, Any]:
        """As `loaders.live.Teller.tell` takes it: what is filled, and nothing else."""
        return {name: value for name, value in vars(self).items() if value is not None}


def _event(kind: str) -> type[BaseModel]:
    table, example = EVENTS[kind], samples.EVENTS[kind]
    columns = (*LATER.get(kind, [column.name for column in BY_NAME[table].columns]), "known_at")
    without = [column.name for column in BY_NAME[table].columns if column.name not in columns]
    fields = _fields(table, example, ("application_id",), without)
    for name in LATER.get(kind, ())[:2]:  # a decision is a word and a time
        fields[name] = _field(BY_NAME[table].column(name), example[name], required=True)
    shown = ConfigDict(json_schema_extra={"examples": [{"kind": kind, "details": example}]})
    tag: Any = Literal[kind]
    parts: dict[str, Any] = {
        "kind": (tag, Field(description=f"A row of {table} ({BY_NAME[table].zh})")),
        "details": (_dictionary(f"{_title(kind)}Details", fields), Field(description="What is known of it")),
    }
    return create_model(f"{_title(kind)}Event", __config__=STRICT | shown, **parts)


_EVENTS: Final = tuple(_event(kind) for kind in EVENTS)

if TYPE_CHECKING:

    class EventForm(BaseModel):
        """What became of an application: `details` is a row of the table that `kind` stands for."""

        kind: str
        details: dict[str, Any]
else:
    EventForm = Annotated[Union[_EVENTS], Field(discriminator="kind")]  # noqa: UP007 - of a tuple

_READ_EVENT: Final[TypeAdapter[Any]] = TypeAdapter(EventForm)


def read_event(body: bytes) -> tuple[str, dict[str, Any]]:
    """(kind, details) as `loaders.live.Teller.tell_event` takes them. Raises pydantic's ValidationError."""
    form = _READ_EVENT.validate_json(body)
    return form.kind, form.details
