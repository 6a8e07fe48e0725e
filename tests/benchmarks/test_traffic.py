"""The applications that the service is measured with are such as a lender sends, and nobody's twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.traffic import GROUP, GROUPED, ONE_SHARED, Traffic
from loaders.live import Teller
from loaders.portfolio import generate
from tests.loaders.lender import Home
from workbench.online.forms import ApplicationForm

MANY = 2_000


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("portfolio")
    generate(folder, preset="tiny", seed=7)
    traffic = Traffic.like(folder / "input", seed=3, mark="x", many=300)
    return [traffic.body() for _ in range(MANY)]


def test_the_service_takes_them_with_hardly_a_warning(bodies: list[bytes], tmp_path: Path) -> None:
    said = [ApplicationForm.model_validate_json(body).said() for body in bodies[:300]]
    with Home(tmp_path / "home").vault() as vault:
        found = [Teller(vault).tell(each, now=2_000_000_000_000).findings for each in said]
    assert sum(map(bool, found)) < 0.2 * len(found)


def test_numbers_and_people_are_new_each_time(bodies: list[bytes]) -> None:
    sent = [orjson.loads(body) for body in bodies]
    for name in ("application_id", "applicant_id", "deal_id", "session_id"):
        assert len({each[name] for each in sent}) == MANY, name
    people = Counter(each["applicant"].get("id_number") for each in sent)
    assert sum(number - 1 for name, number in people.items() if name) < 0.02 * MANY


def test_what_is_nobodys_own_stays_and_few_share_the_rest(bodies: list[bytes]) -> None:
    sent = [orjson.loads(body) for body in bodies]
    assert len({each["dealer_id"] for each in sent}) < 100
    devices = Counter(each["device_events"][0].get("device_id") for each in sent if each.get("device_events"))
    assert sum(number == 1 for number in devices.values()) > 0.3 * MANY
    assert any(number > 20 for number in devices.values())
    with_others = [_phones(each) & earlier for each, earlier in zip(sent, _before(sent), strict=True)]
    rare = Counter(phone for phones in with_others for phone in phones)
    shared = sum(any(rare[phone] <= GROUP for phone in phones) for phones in with_others)
    assert 0.1 * (ONE_SHARED + GROUPED) < shared / MANY < 2 * (ONE_SHARED + GROUPED)


def _phones(sent: dict[str, Any]) -> set[str]:
    own = [sent["applicant"].get("phone"), sent["applicant"].get("work_phone")]
    return {each for each in [*own, *(one.get("phone") for one in sent.get("contacts", []))] if each}


def _before(sent: list[dict[str, Any]]) -> Iterator[set[str]]:
    """The phones of all that came earlier."""
    earlier: set[str] = set()
    for each in sent:
        yield set(earlier)
        earlier |= _phones(each)
