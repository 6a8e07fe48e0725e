"""Slots: every moment lies in one, they follow each other without a gap, and their names lead back to them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import InputError
from workbench.schedule.slots import CHINA, EXAMPLES, Cadence, ended, named, of

CADENCES = st.sampled_from(list(Cadence))
MOMENTS = st.datetimes(datetime(2000, 1, 3), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zoned by st


@given(CADENCES, MOMENTS)
def test_every_moment_lies_in_one_and_none_is_missed(cadence: Cadence, at: datetime) -> None:
    slot = of(cadence, at)
    assert slot.start <= at < slot.end
    assert slot.after.start == slot.end
    assert slot.after.before == slot
    assert slot.before.end == slot.start
    assert named(cadence, slot.name) == slot
    assert ended(cadence, at).end <= at < ended(cadence, at).after.end


@pytest.mark.parametrize(
    ("cadence", "name"),
    [(Cadence.DAILY, "2025-07-01"), (Cadence.WEEKLY, "2025-W27"), (Cadence.MONTHLY, "2025-07")],
)
def test_they_are_those_of_china(cadence: Cadence, name: str) -> None:
    """And a year's first week may begin in the year before."""
    assert of(cadence, datetime(2025, 6, 30, 16, tzinfo=UTC)).name == name
    assert of(Cadence.WEEKLY, datetime(2024, 12, 31, tzinfo=CHINA)).name == "2025-W01"


@pytest.mark.parametrize("cadence", list(Cadence))
@pytest.mark.parametrize(
    "name", ["", "2025", "2025-13", "2025-02-30", "2025-W54", "２025-06", "2025-W00", "0000-01-01"]
)
def test_what_is_none_is_refused(cadence: Cadence, name: str) -> None:
    with pytest.raises(InputError, match=EXAMPLES[cadence]):
        named(cadence, name)
