"""An address for every page there is: a new page is covered the moment it stands in PAGES."""

from __future__ import annotations

import re
from typing import Any

from tests.ui.conftest import person
from workbench.services.all import Services
from workbench.services.lenses.dealer_rows import Asked
from workbench.services.lenses.vehicles import AskedCars
from workbench.services.permissions import Person
from workbench.services.subject import Subject
from workbench.ui.pages import PAGES
from workbench.ui.pages.page import Page

PART = re.compile(r"\(\?P<(\w+)>[^()]*\)")


def addresses(services: Services) -> list[tuple[Page, str]]:
    """Each page, and where it is; a page for rings and for single applications comes twice. What an address names is
    there: a case is opened for it."""
    known = _known(services)
    return [(page, address) for page in PAGES for kind in known["kind"] for address in _of(page, kind, known)]


def _of(page: Page, kind: str, known: dict[str, dict[str, str]]) -> list[str]:
    text = page.path.pattern.replace("C?", "")
    if "(?P<kind>" not in text and kind != "ring":
        return []
    made = PART.sub(lambda found: known[found[1]][kind], text)
    assert page.path.fullmatch(made), f"say in tests/ui/addresses.py how to open {text}"
    return [made]


def _known(services: Services) -> dict[str, dict[str, str]]:
    """By the name of the part, and by kind."""
    he, ring = person("he"), services.office.last_run()["rings"][0]
    case = services.cases.for_subject(person("zhou"), Subject("ring", ring["ring_id"]), open=True)
    assert case is not None
    dealer = services.dealers.list(he, Asked(only="rings"), start=0, end=1).rows[0].code
    vehicle = services.vehicles.list(he, AskedCars(), start=0, end=1).rows[0].token
    alike = {"number": str(case.id), "code": dealer, "token": vehicle}
    return {
        "kind": {"ring": "ring", "application": "application"},
        "name": {"ring": ring["ring_id"], "application": ring["application_ids"][0]},
    } | {name: dict.fromkeys(("ring", "application"), value) for name, value in alike.items()}


def layout(page: Page, services: Services, who: Person, address: str) -> Any:
    """What the page is made of for that person."""
    found = page.path.fullmatch(address)
    assert found
    return page.layout(services, who, found.groupdict())
