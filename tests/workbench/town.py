"""A handful of facts to look at: two applicants of a ring, one outside, a dealer, employers, a car."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import insert

from graph.normalise import KINDS, id_check, vin_check
from graph.ontology import NODES
from graph.records import Edge, Node, NodeRef, batch_of, to_millis
from workbench.casebook.case_tables import cases
from workbench.services.office import Office

SEEN = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
RING = "R0A1B2C3D4E"
PHONE, OTHER_PHONE = "13912345678", "15887654321"
ID = "31010119900307451" + id_check("31010119900307451")
VIN = "LSVNV133" + "?" + "E2123456"
VIN = VIN.replace("?", vin_check(VIN.replace("?", "0")))
CARD = "6222021234567894"
PLATE = "沪A12345"
USCC = "91310102MA8939297C"
CLEAR = (PHONE, OTHER_PHONE, ID, VIN, CARD, PLATE)


def ref(office: Office, type_: str, value: str) -> NodeRef:
    kind = NODES[type_].kind
    return NodeRef(type_, office.vault.token(kind, value) if kind else value)


def build(office: Office) -> None:
    """The facts in the store, what is sealed in the vault, one ring of a last run, one case."""
    at = to_millis(SEEN)
    known = _things(office)
    nodes = [Node(one, at, _mask(one, value), properties) for one, value, properties in known]
    for one, value, _ in known:
        kind = NODES[one.type].kind
        if kind:
            office.vault.keep(kind, [one.key], office.vault.seal(kind, [one.key], [value]))
    office.store.write(batch_of("town", nodes, _links(office, at)))
    office.vault.refer("applicant", ["CUST-77"], [ref(office, "Person", ID).key], "id_number")
    office.settings.rings_file.write_text(json.dumps({"as_of": SEEN.isoformat(), "rings": [_ring(office)]}))
    with office.casebook.writing() as db:
        db.execute(insert(cases).values(_case()))


def _things(office: Office) -> list[tuple[NodeRef, str, Mapping[str, object]]]:
    day = 86_400_000
    dated = {"amount": 90_000.0, "decision": "approve", "decided_at": to_millis(SEEN) + 30 * day, "term_months": 36}
    company = {"name": "上海启明汽车销售有限公司", "uscc": USCC, "grade": "A"}
    car = {"brand": "大众", "series": "途观L", "plate_masked": KINDS["plate"].mask(PLATE)}
    told: list[tuple[str, str, Mapping[str, object]]] = [
        *(("Application", name, dated) for name in ("APP00", "APP0001", "APP0002", "APP0099")),
        ("Person", ID, {"name_masked": "王**", "birth_year": 1990}),
        ("Person", "applicant:CUST-78", {}),
        ("Phone", PHONE, {"province": "上海市"}),
        ("Phone", OTHER_PHONE, {}),
        ("Vehicle", VIN, car | {"plated_at": to_millis(SEEN)}),
        ("Account", CARD, {"bank_code": "102"}),
        ("Device", "FpDevice01", {"os": "ios"}),
        ("Dealer", "D-7", company),
        ("Employer", f"uscc:{USCC}", {"name": "上海启明物流有限公司"}),
        ("Employer", "EMP-1", {"name": "启明"}),
    ]
    return [(ref(office, type_, value), value, properties) for type_, value, properties in told]


def _mask(one: NodeRef, value: str) -> str:
    kind = NODES[one.type].kind
    return KINDS[kind].mask(value) if kind else ""


def _links(office: Office, at: int) -> list[Edge]:
    def edge(relation: str, source: tuple[str, str], target: tuple[str, str]) -> Edge:
        return Edge(relation, ref(office, *source), ref(office, *target), at, at, "town")

    first, second, alone = (("Application", name) for name in ("APP0001", "APP0002", "APP0099"))
    person, other = ("Person", ID), ("Person", "applicant:CUST-78")
    return [
        edge("APPLIED", person, first), edge("APPLIED", other, second), edge("APPLIED", other, alone),
        edge("HAS_PHONE", person, ("Phone", PHONE)), edge("HAS_PHONE", other, ("Phone", PHONE)),
        edge("HAS_PHONE", other, ("Phone", OTHER_PHONE)), edge("FINANCES", first, ("Vehicle", VIN)),
        edge("SOLD_BY", first, ("Dealer", "D-7")), edge("SOLD_BY", second, ("Dealer", "D-7")),
        edge("SOLD_BY", alone, ("Dealer", "D-7")), edge("WORKS_AT", person, ("Employer", "EMP-1")),
        edge("USED_DEVICE", first, ("Device", "FpDevice01")), edge("USED_DEVICE", second, ("Device", "FpDevice01")),
        edge("REPAID_BY", alone, ("Account", CARD)),
    ]  # fmt: skip


def _ring(office: Office) -> dict[str, object]:
    device = ref(office, "Device", "FpDevice01")
    shared = {"type": "Device", "relation": "USED_DEVICE", "key": device.key, "masked": "Fp***01",
              "holders": ["APP0001", "APP0002"], "people": 2}  # fmt: skip
    return {
        "ring_id": RING, "rank": 1, "score": 0.81, "application_ids": ["APP0001", "APP0002"], "size": 2,
        "first_seen": "2026-01-05", "last_seen": "2026-01-05", "exposure": 180_000.0, "undisbursed": 90_000.0,
        "typology": "T04", "because": "2 applications share 1 device", "shared": [shared], "signs": [], "doubts": [],
        "roles": [],
    }  # fmt: skip


def _case() -> dict[str, object]:
    return {
        "id": 1042, "kind": "ring", "subject": RING, "score": 0.81, "size": 2, "exposure": 1.8e5, "savable": 9e4,
        "typology": "T04", "because": "2 applications share 1 device", "reasons": [], "dealer": "D-7",
        "region": "310000", "first_seen": SEEN, "last_seen": SEEN, "grown": 0, "status": "open", "outcome": "",
        "assignee": "", "locked_by": "", "opened_at": SEEN, "opened_because": "found", "changed_at": SEEN,
    }  # fmt: skip
