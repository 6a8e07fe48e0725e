"""Pages that look alike are one template; brute force says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.excerpt import holders_at_most, things_of
from graph.moved import Moved
from graph.pages import SAME_PAGE_BITS, leaders, same_pages
from graph.records import DAY, NodeRef, node_ids
from graph.rings import find_rings
from tests.graph.facts import Facts, customer, edge, taken


def brute(bits: list[int]) -> list[int]:
    """Each joins the first leader it looks like."""
    found: list[int] = []
    for at, one in enumerate(bits):
        alike = [lead for lead in dict.fromkeys(found) if (one ^ bits[lead]).bit_count() <= SAME_PAGE_BITS]
        found.append(alike[0] if alike else at)
    return found


@settings(max_examples=50, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6),
    flips=st.lists(st.tuples(st.integers(0, 5), st.sets(st.integers(0, 63), max_size=9)), max_size=30),
)
def test_leaders_are_those_of_brute_force(seeds: list[int], flips: list[tuple[int, set[int]]]) -> None:
    bits = list(seeds)
    for which, places in flips:
        bits.append(seeds[which % len(seeds)] ^ sum(1 << place for place in places))
    assert leaders(np.array(bits, dtype=np.uint64)).tolist() == brute(bits)


def pages(*hashes: str) -> Facts:
    facts: Facts = []
    for number, text in enumerate(hashes):
        facts += [*customer(str(number), 390 + number), edge("USES_TEMPLATE", f"A{number}", text, 390 + number)]
    return facts


def test_only_pages_are_compared(tmp_path: Path) -> None:
    snap = taken(tmp_path, pages("page:00000000000000ff", "page:00000000000000f0", "page:0f0f0f0f0f0f0f0f", "seal:ff"))
    names = snap.nodes["DocTemplate"].table["key"].to_pylist()
    told = [names[at] for at in snap.pages.first.tolist()]
    assert dict(zip(names, told, strict=True))["page:00000000000000f0"] == "page:00000000000000ff"
    assert len(set(told)) == 3
    assert sorted(snap.pages.alike(np.array([names.index("page:00000000000000ff")])).tolist()) == [0, 1]


def test_pages_that_came_later_join_those_of_before() -> None:
    keys = [f"page:{number:016x}" for number in (0xFF, 0xF0F0F0F0F0, 0xFE, 0x1FF, 0xF0F0F0F0F1, 0xABCDEF0123456789)]
    whole = same_pages(pa.chunked_array([keys]))
    for known in range(len(keys) + 1):
        before = same_pages(pa.chunked_array([keys[:known]], type=pa.string()))
        assert before.first.tolist() == whole.first[:known].tolist(), "nothing later changes an earlier page"
        assert same_pages(pa.chunked_array([keys]), before).first.tolist() == whole.first.tolist()


def test_three_files_from_one_template_are_found(tmp_path: Path) -> None:
    """Copies differ by a bit or two, and the third person shares nothing else. Papers alone would be software."""
    facts = pages("page:00000000000000ff", "page:00000000000000fe", "page:00000000000001ff")
    facts += [edge("PAID_DOWNPAYMENT", "payer", f"A{number}", 392) for number in range(2)]
    (ring,) = find_rings(taken(tmp_path, facts), as_of=400 * DAY, window_days=120).rings
    assert ring.application_ids == ("A0", "A1", "A2")
    assert "1 document template (uses template, 3 of 3)" in ring.because
    assert ring.typology == "T05"


def test_holders_of_pages_named_in_any_order(tmp_path: Path) -> None:
    same, other = ("page:00000000000000ff", "page:00000000000000f0"), "page:0f0f0f0f0f0f0f0f"
    snap = taken(tmp_path, pages(*same, other, same[0]))
    table = snap.nodes["DocTemplate"]
    things = things_of(snap, "DocTemplate", np.append(node_ids("DocTemplate", [other, same[1]]), 7))
    names = [table.table["key"][at].as_py() for at in things.tolist()]
    assert sorted(things.tolist()) == things.tolist()
    assert dict(zip(names, holders_at_most(snap, "DocTemplate", things).tolist(), strict=True)) == {
        same[0]: 3,
        other: 1,
    }


def test_what_is_said_of_a_page_is_about_all_who_have_one_like_it(tmp_path: Path) -> None:
    first, later = "page:00000000000000ff", "page:00000000000000f0"
    snap = taken(tmp_path, pages(first, later, "page:0f0f0f0f0f0f0f0f"))
    said = Moved(things=[NodeRef("DocTemplate", later)]).rows(snap, as_of=400 * DAY)
    assert sorted(snap.nodes["Application"].table["key"].take(said).to_pylist()) == ["A0", "A1"]
