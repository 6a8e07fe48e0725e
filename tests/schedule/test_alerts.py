"""What changed about a loan since it was paid out, as of a night; and nothing that became known later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gnn.rules import read_settings
from graph.records import DAY, NodeRef
from tests.gnn.test_rules_columns import FUNDED, applies, events
from tests.graph.facts import Facts, edge, taken
from workbench.casebook.loan_alerts import Hit
from workbench.schedule.alerts import LINK, holding

RULES = read_settings()
Told = dict[str, pa.Table]

TRANSFER = {"owner": "VX", "type": "title_transfer"}
CANCELLED = {"owner": "VX", "type": "policy_cancelled"}


def car(day: float, **what: Any) -> Told:
    return {"vehicle_events": events("Vehicle", {"day": day, **what})}


def label(day: float, owner: str = "AY", said: str = "CONFIRMED_FRAUD") -> Told:
    return {"outcomes": events("Application", {
        "owner": owner, "day": day, "label": said, "evidence_level": "E1", "source": "review",
    })}  # fmt: skip


def found(folder: Path, facts: Facts, told: Told, day: float) -> dict[tuple[str, str], Hit]:
    snapshot = taken(folder, facts)
    return {hit.key: hit for hit in holding(snapshot, told, night=round(day * DAY), rules=RULES)}


def loan(**stated: Any) -> Facts:
    """Of X, applied for on day 380, paid out on day 382."""
    return applies("X", 380, **(FUNDED | stated))


@pytest.mark.parametrize(("what", "rule"), [(TRANSFER, "R21"), (CANCELLED, "R22")])
def test_a_change_is_told_from_the_night_on_which_it_is_known(tmp_path: Path, what: dict[str, Any], rule: str) -> None:
    assert found(tmp_path, loan(), car(390, **what), 389.9) == {}
    hit = found(tmp_path, [], car(390, **what), 390)["AX", rule]
    assert (hit.strength, hit.calls, hit.exposure) == ("strong", True, 100_000.0)
    assert 8.0 in hit.evidence["columns"].values()


@pytest.mark.parametrize(
    "stated",
    [
        {"funded_at": 0, "decision": "approve"},
        {"funded_at": 391 * DAY},
        {"decision": "cancel", "decided_at": 385 * DAY},
    ],
)
def test_only_loans_that_are_paid_out_and_not_settled(tmp_path: Path, stated: dict[str, Any]) -> None:
    assert found(tmp_path, loan(**stated), car(390, **TRANSFER), 390) == {}


def test_who_paid_off_may_sell_and_known_fraud_needs_no_alert(tmp_path: Path) -> None:
    sold = {"vehicle_events": events("Vehicle", {"owner": "VX", "day": 388, "type": "mortgage_released"},
                                     {"day": 389, **CANCELLED}, {"day": 390, **TRANSFER})}  # fmt: skip
    assert found(tmp_path, loan(), sold, 391) == {}
    assert found(tmp_path, [], car(390, **TRANSFER) | label(389, "AX"), 391) == {}


# New links to confirmed fraud ----------------------------------------------------------------------------


def neighbours(relation: str, day: float) -> Facts:
    """X and Y, who share a thing from a day on."""
    kind = {"USED_DEVICE": ("A", "device"), "WORKS_AT": ("P", "employer"), "REPAID_BY": ("A", "account")}[relation]
    both = [(f"{kind[0]}{name}", kind[1]) for name in "XY"]
    return [
        *loan(), *applies("Y", 379, "D2"), *applies("Z", 300, "D3"),
        *(edge(relation, *ends, day) for ends in both),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shared_since", "said", "night", "told"),
    [
        (380, 395, 395, True),  # the label came later
        (380, 395, 394, False),
        (380, 381.5, 395, False),  # known when the money went out
        (390, 381, 391, True),  # the link came later
        (390, 381, 389, False),
    ],
)
def test_a_link_to_confirmed_fraud_is_new_when_either_was_known_after_funding(
    tmp_path: Path, shared_since: float, said: float, night: float, told: bool
) -> None:
    relation = "USED_DEVICE" if shared_since == 380 else "REPAID_BY"
    hits = found(tmp_path, neighbours(relation, shared_since), label(said), night)
    assert (("AX", LINK) in hits) == told
    if told:
        hit = hits["AX", LINK]
        assert hit.evidence["relations"] == [relation]
        assert hit.evidence["nodes"] == [NodeRef("Application", "AY").id]
        assert hit.calls


def test_a_common_employer_alone_is_no_link_and_cleared_fraud_is_none(tmp_path: Path) -> None:
    assert found(tmp_path, neighbours("WORKS_AT", 380), label(395), 396) == {}
    device = tmp_path / "device"
    device.mkdir()
    cleared = {"outcomes": pa.concat_tables([label(395)["outcomes"], label(396, said="CLEARED_BENIGN")["outcomes"]])}
    assert ("AX", LINK) in found(device, neighbours("USED_DEVICE", 380), cleared, 395.5)
    assert found(device, [], cleared, 396) == {}


# Nothing from later --------------------------------------------------------------------------------------


def test_facts_known_tomorrow_change_nothing(tmp_path: Path) -> None:
    """The same night, with a world in which everything happened since: links, papers, pings, labels, corrections."""
    night, later = 391.0, tmp_path / "later"
    later.mkdir()
    now = neighbours("USED_DEVICE", 380)
    told = car(390, **TRANSFER) | label(389)
    after: Facts = [
        *applies("W", 392, "D2", car="VX"), edge("USED_DEVICE", "AW", "device", 392),
        edge("REPAID_BY", "AX", "account", 393), edge("REPAID_BY", "AY", "account", 393),
        *(each for at in range(40) for each in applies(f"C{at}", 394)),
        *(edge("USED_DEVICE", f"AC{at}", "device", 394) for at in range(40)),
    ]  # fmt: skip
    pings = events("Vehicle", *({"owner": "VX", "day": 383 + at, "last_seen_cell": 0} for at in range(30)))
    since = {
        "vehicle_events": pa.concat_tables([told["vehicle_events"], car(392, **CANCELLED)["vehicle_events"]]),
        "outcomes": pa.concat_tables([
            told["outcomes"], label(395, said="CLEARED_BENIGN")["outcomes"], label(396, "AX")["outcomes"],
        ]),
    }  # fmt: skip
    before = {"gps_pings": pings.filter(pa.compute.less_equal(pings["known_at"], round(night * DAY)))}
    then = found(tmp_path, now, told | before, night)
    assert {("AX", "R21"), ("AX", LINK)} <= then.keys()
    assert found(later, [*now, *after], since | {"gps_pings": pings}, night) == then
    assert found(later, [], since | {"gps_pings": pings}, 397) != then


def test_who_was_cleared_is_no_fraud_that_night_whatever_is_said_of_him_tomorrow(tmp_path: Path) -> None:
    """The last word on a label is not what was known."""
    cleared = pa.concat_tables([label(389)["outcomes"], label(390, said="CLEARED_BENIGN")["outcomes"]])
    accused_again = pa.concat_tables([cleared, label(395)["outcomes"]])
    assert found(tmp_path, neighbours("USED_DEVICE", 380), {"outcomes": cleared}, 391) == {}
    assert found(tmp_path, [], {"outcomes": accused_again}, 391) == {}
    assert ("AX", LINK) in found(tmp_path, [], {"outcomes": accused_again}, 395)
