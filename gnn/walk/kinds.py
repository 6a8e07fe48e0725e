"""What two applications can share, what that is worth, and how far back anybody looks."""

from __future__ import annotations

import numpy as np

from gnn.book import ROLE, ROLES
from graph.records import Ints

KINDS = (
    "phone", "work_phone", "contact", "other_phone", "device", "ip", "wifi", "address", "employer", "payer",
    "template", "vehicle",
)  # fmt: skip
"""What two people can share before funding; `other_phone`: one's number in another role at the other's."""

POST_KINDS = ("voice", "repayer", "other_account", "proceeds", "buyer", "insured", "place")
"""What shows only later; for the score of a night, never for a decision."""

WEIGHTS = {
    "phone": 2.5, "work_phone": 1.2, "contact": 1.5, "other_phone": 2.0, "device": 3.0, "ip": 1.0, "wifi": 1.0,
    "address": 1.0, "employer": 1.0, "payer": 3.0, "template": 2.0, "vehicle": 3.0, "voice": 3.0, "repayer": 2.5,
    "other_account": 2.5, "proceeds": 3.0, "buyer": 2.5, "insured": 1.0, "place": 1.5,
}  # fmt: skip
"""What sharing is worth (domain.md §4.8, as in the ontology)."""

WITHIN = {
    "phone": "phone", "work_phone": "work_phone", "contact": "contact", "device": "device", "signed_in": "device",
    "ip": "ip", "wifi": "wifi", "address": "address", "employer": "employer", "payer": "payer",
    "template": "template", "vehicle": "vehicle", "voice": "voice", "repayer": "repayer", "proceeds": "proceeds",
    "sale": "proceeds", "buyer": "buyer", "insured": "insured", "place": "place",
}  # fmt: skip
ACROSS = (
    ({"phone", "work_phone", "contact"}, "other_phone"),
    ({"payer", "repayer", "proceeds", "sale"}, "other_account"),
    ({"device", "signed_in"}, "device"),
    ({"proceeds", "sale"}, "proceeds"),
)

WINDOW_DAYS = 120
RECENT_DAYS = 30
HALF_LIFE_DAYS = 30.0
NEWEST = 64
"""So many earlier holders of one thing are looked at; beyond it nothing is learned, and time is bounded."""

CROWD = 1024
"""So many earlier customers of one dealer."""

WIDER = 16
"""A look back from a later night goes past everybody who came since: so many times as far."""

MOST_LINKS = 16
HOME = 5
"""An address of up to so many earlier holders is a family's (domain.md B01)."""

ODD_POINTS = 10

UNION = (
    "people_30d", "people_120d", "people_two_kinds", "most_kinds", "kinds_shared", "weight", "heaviest",
    "same_dealer", "same_salesperson", "dealers", "days_since", "days_apart_mean", "days_span", "fraud", "fraud_weight",
    "cleared", "declined", "kin", "set_aside", "two_hops", "two_hops_fraud", "triangles", "strangers_30d",
    "same_province", "similar_amount", "same_model", "dealers_30d",
)  # fmt: skip
BY_KIND = ("30d", "60d", "90d", "weight")
HISTORY = ("applications_30d", "applications_90d", "applications_365d", "dealers_30d", "declined_90d", "fraud", "deal")


def kind_table(kinds: tuple[str, ...]) -> Ints:
    """Per (own role, other's role) the number of the kind that they share; -1 for none."""
    number = {kind: at for at, kind in enumerate(kinds)}
    table = np.full((len(ROLES), len(ROLES)), -1, dtype=np.int64)
    for roles, kind in ACROSS:
        for one in roles:
            for other in roles:
                table[ROLE[one], ROLE[other]] = number.get(kind, -1)
    for role, kind in WITHIN.items():
        table[ROLE[role], ROLE[role]] = number.get(kind, -1)
    return table
