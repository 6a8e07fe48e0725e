"""The OpenAPI document: request bodies from the forms that read them, with whole examples of people who never were."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from workbench.online import samples
from workbench.online.forms import ApplicationForm, EventForm
from workbench.online.labelling import LabelForm

DESCRIPTION = """
Scores of auto-finance applications from what they share with others, for a decision engine.

* **One application, one answer.** `POST /api/v1/score` puts it on disk, then into the graph, then scores it: the next
  application sees it, whichever process answers.
* **Never a default pass.** When something is not whole, the answer is 200 with `degraded` and at least `review`.
* **A pass is by the models, a decline by a strong rule.** What only a model finds goes to a person.
* **Times**: what is told now is known now. Every answer says `as_of`.
* **Errors** are RFC 9457 `application/problem+json`; `errors` name fields and never repeat a value.
* **Keys**: `Authorization: Bearer KID.SECRET`; `ringroad keys create` makes them.
* **Staff and customers**: of a reason, `applicant` is all that a customer may be told.
"""

SCHEMAS = "#/components/schemas/{model}"


def score_body() -> dict[str, Any]:
    shown = {"typical": {"summary": "A new car", "value": samples.APPLICATION}}
    return _keyed(_body("ApplicationForm", shown), required=False)


def batch_body() -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["applications"],
        "additionalProperties": False,
        "properties": {
            "applications": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1000,
                "items": {"$ref": SCHEMAS.format(model="ApplicationForm")},
            }
        },
    }
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def event_body() -> dict[str, Any]:
    shown = {kind: {"value": {"kind": kind, "details": one}} for kind, one in samples.EVENTS.items()}
    return _keyed(_body("EventForm", shown), required=False)


def label_body() -> dict[str, Any]:
    value = {
        "application_id": samples.APPLICATION["application_id"], "label": "CONFIRMED_FRAUD", "typology": "T01",
        "evidence_level": "E2", "source": "review", "maturity": "final", "author": "reviewer-07",
        "second_author": "reviewer-12", "note": "borrower says the car is with somebody else",
    }  # fmt: skip
    return _keyed(_body("LabelForm", {"confirmed": {"value": value}}), required=True)


def _body(model: str, shown: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": SCHEMAS.format(model=model)}, "examples": shown}}
    return {"requestBody": {"required": True, "content": content}}


def _keyed(body: dict[str, Any], *, required: bool) -> dict[str, Any]:
    told = "The same key with the same body gives the same answer; with another body 422."
    schema = {"type": "string", "minLength": 1, "maxLength": 255}
    key = {"name": "Idempotency-Key", "in": "header", "required": required, "description": told, "schema": schema}
    return body | {"parameters": [key]}


def document(app: FastAPI) -> dict[str, Any]:
    """Made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
        )
        components = made.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for name, adapter in (
            ("ApplicationForm", TypeAdapter(ApplicationForm)),
            ("EventForm", TypeAdapter(EventForm)),
            ("LabelForm", TypeAdapter(LabelForm)),
        ):
            schema = adapter.json_schema(ref_template=SCHEMAS)
            schemas |= schema.pop("$defs", {})
            schemas[name] = schema
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "KID.SECRET"}}
        _secured(made)
        _faulty(made)
        app.openapi_schema = made
    return app.openapi_schema


OPEN = ("/healthz", "/readyz")


def _secured(made: dict[str, Any]) -> None:
    for path, methods in made["paths"].items():
        for operation in methods.values() if path not in OPEN else ():
            operation["security"] = [{"key": []}]


def _faulty(made: dict[str, Any]) -> None:
    """A problem is answered as problem+json, and as nothing else."""
    problem = {"schema": {"$ref": SCHEMAS.format(model="Problem")}}
    for methods in made["paths"].values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                if problem in answer.get("content", {}).values():
                    answer["content"] = {"application/problem+json": problem}
