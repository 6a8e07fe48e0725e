"""What each table says about the graph: a node it describes, relations, and dated events.

Declarations only; `translate.py` carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class End:
    """One end of a relation: the node named by `column`.

    `refer` means that the column holds the lender's own number for a thing whose real
    key stands in another table (a customer number for an ID number); `defines` that
    this is that other table. `prefix` keeps two number ranges of one type apart;
    `split` says that the cell may name several, separated by semicolons.
    """

    type: str
    column: str
    refer: str = ""
    prefix: str = ""
    split: bool = False


@dataclass(frozen=True)
class EdgeFact:
    """A relation in every row whose two ends are filled (and whose `only` column has one of the values).

    `when` names the column of its event time where that is not the row's own; a
    relation is never known before it happened.
    """

    type: str
    source: End
    target: End
    ref: str = ""
    when: str = ""
    until: str = ""
    confidence: str = ""
    only: tuple[str, tuple[str, ...]] = ("", ())


@dataclass(frozen=True)
class TableFacts:
    """`nodes` are the things the row describes; `events` the end that owns its rows as dated events,
    `event_nodes` the event's columns that name nodes."""

    nodes: tuple[End, ...] = ()
    edges: tuple[EdgeFact, ...] = ()
    events: End | None = None
    event_nodes: Mapping[str, End] = field(default_factory=dict)


APPLICATION = End("Application", "application_id")
APPLICANT = End("Person", "applicant_id", refer="applicant")
VEHICLE = End("Vehicle", "vin")
DEALER = End("Dealer", "dealer_id")
SALESPERSON = End("Salesperson", "salesperson_id")
REVIEWER = End("Reviewer", "reviewer_id")
PHONE = End("Phone", "phone")
EMPLOYER = End("Employer", "employer_id", refer="employer")
ADDRESS = End("Address", "address_id", refer="address")


def _person(column: str, *, split: bool = False) -> End:
    return End("Person", column, refer="applicant", split=split)


def _account(column: str) -> End:
    return End("Account", column)


def _place(column: str) -> End:
    return End("Place", column)


def _paid(type_: str, column: str, *kinds: str) -> EdgeFact:
    return EdgeFact(type_, APPLICATION, _account(column), only=("kind", kinds))


FACTS: dict[str, TableFacts] = {
    "addresses": TableFacts(nodes=(ADDRESS,)),
    "employers": TableFacts(nodes=(EMPLOYER,), edges=(EdgeFact("REACHED_AT", EMPLOYER, PHONE),)),
    "bank_accounts": TableFacts(nodes=(_account("account_token"),)),
    "dealers": TableFacts(
        nodes=(DEALER,),
        edges=(
            EdgeFact("LEGAL_PERSON_OF", _person("legal_person_token"), DEALER),
            EdgeFact("SHAREHOLDER_OF", _person("shareholders", split=True), DEALER),
            EdgeFact("PAYEE_ACCOUNT", DEALER, _account("payee_account_token")),
            EdgeFact("SAME_GROUP", DEALER, End("Institution", "group_id", prefix="group:")),
        ),
    ),
    "salespeople": TableFacts(
        nodes=(SALESPERSON,),
        edges=(
            EdgeFact("SELLS_FOR", SALESPERSON, DEALER, until="end_at"),
            EdgeFact("ACTS_AS", _person("person_token"), SALESPERSON),
            EdgeFact("HAS_PHONE", _person("person_token"), PHONE),
        ),
    ),
    "phones": TableFacts(nodes=(PHONE,)),
    "vehicles": TableFacts(
        nodes=(VEHICLE,),
        edges=(EdgeFact("PLATED_IN", VEHICLE, End("Region", "plate_region"), when="plated_at"),),
    ),
    "applicants": TableFacts(
        nodes=(APPLICANT,),
        edges=(
            EdgeFact("HAS_PHONE", APPLICANT, PHONE),
            EdgeFact("WORK_PHONE", APPLICANT, End("Phone", "work_phone")),
            EdgeFact("WORKS_AT", APPLICANT, EMPLOYER),
            EdgeFact("LIVES_AT", APPLICANT, ADDRESS),
        ),
    ),
    "applications": TableFacts(
        nodes=(APPLICATION,),
        edges=(
            EdgeFact("APPLIED", APPLICANT, APPLICATION),
            EdgeFact("SOLD_BY", APPLICATION, DEALER),
            EdgeFact("HANDLED_BY", APPLICATION, SALESPERSON),
            EdgeFact("REVIEWED_BY", APPLICATION, REVIEWER, when="decided_at"),
            EdgeFact("FINANCES", APPLICATION, VEHICLE),
        ),
    ),
    "contacts": TableFacts(edges=(EdgeFact("CONTACT_OF", PHONE, APPLICATION, ref="role"),)),
    "device_events": TableFacts(
        nodes=(End("Device", "device_id"), End("IP", "ip")),
        edges=(
            EdgeFact("USED_DEVICE", APPLICATION, End("Device", "device_id")),
            EdgeFact("HAS_DEVICE", APPLICANT, End("Device", "device_id"), only=("application_id", ())),
            EdgeFact("FROM_IP", APPLICATION, End("IP", "ip")),
            EdgeFact("ON_WIFI", APPLICATION, End("WiFi", "wifi_bssid_token")),
        ),
        events=APPLICATION,
        event_nodes={"applicant_id": APPLICANT, "device_id": End("Device", "device_id")},
    ),
    "documents": TableFacts(
        edges=(
            EdgeFact("USES_TEMPLATE", APPLICATION, End("DocTemplate", "template")),
            EdgeFact("USES_TEMPLATE", APPLICATION, End("DocTemplate", "seal_hash", prefix="seal:")),
        ),
        events=APPLICATION,
    ),
    "payments": TableFacts(
        edges=(
            EdgeFact(
                "PAID_DOWNPAYMENT",
                _account("from_account_token"),
                APPLICATION,
                only=("kind", ("down_payment",)),
            ),
            _paid("DISBURSED_TO", "to_account_token", "disbursement"),
            _paid("PROCEEDS_TO", "to_account_token", "resale", "refund"),
            _paid("REPAID_BY", "from_account_token", "instalment"),
        ),
        events=APPLICATION,
        event_nodes={each: _account(each) for each in ("from_account_token", "to_account_token")},
    ),
    "repayments": TableFacts(
        edges=(EdgeFact("REPAID_BY", APPLICATION, _account("payer_account_token"), when="paid_at"),),
        events=APPLICATION,
        event_nodes={"payer_account_token": _account("payer_account_token")},
    ),
    "vehicle_events": TableFacts(
        edges=(
            EdgeFact("TRANSFERRED_TO", VEHICLE, _person("party_to"), only=("type", ("title_transfer", "export"))),
            EdgeFact("INSURED_BY", VEHICLE, _person("party_to"), only=("type", ("insured",))),
            EdgeFact(
                "TRANSFER_ACCOUNT",
                VEHICLE,
                _account("party_account"),
                only=("type", ("title_transfer", "export")),
            ),
        ),
        events=VEHICLE,
        event_nodes={
            "party_from": _person("party_from"),
            "party_to": _person("party_to"),
            "party_account": _account("party_account"),
        },
    ),
    "gps_pings": TableFacts(
        edges=(EdgeFact("LAST_SEEN_AT", VEHICLE, _place("last_seen_cell")),),
        events=VEHICLE,
        event_nodes={each: _place(each) for each in ("home_stop_cell", "night_stop_cell", "last_seen_cell")},
    ),
    "call_events": TableFacts(
        edges=(EdgeFact("SPOKE_AS", APPLICATION, End("VoiceCluster", "voice_ref")),),
        events=APPLICATION,
        event_nodes={"phone": PHONE, "voice_ref": End("VoiceCluster", "voice_ref")},
    ),
    "voice_matches": TableFacts(
        edges=(EdgeFact("SAME_VOICE", End("VoiceCluster", "ref_a"), End("VoiceCluster", "ref_b"), confidence="score"),)
    ),
    "bureau_inquiries": TableFacts(
        edges=(EdgeFact("INQUIRED_AT", APPLICANT, End("Institution", "institution_token")),),
        events=APPLICANT,
    ),
    "outcomes": TableFacts(events=APPLICATION),
    "staff_actions": TableFacts(events=APPLICATION, event_nodes={"reviewer_id": REVIEWER}),
}
