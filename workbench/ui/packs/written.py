"""A pack as a file: cover, sections, seal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.services.evidence.evidence import Making
from workbench.services.evidence.pack_facts import Facts
from workbench.services.evidence.pack_request import COVER, Wanted
from workbench.services.evidence.pack_seal import Part, sealed
from workbench.ui.i18n import language
from workbench.ui.packs import markup
from workbench.ui.packs.cover import cover, seal
from workbench.ui.packs.sections import body


def written(facts: Facts, wanted: Wanted, making: Making) -> bytes:
    """In the language that was asked for, whatever its maker reads."""
    with spoken(wanted.language):
        first = cover(facts, wanted, made_at=making.at, made_by=making.by.display_name, demo=making.signer.public)
        parts = [Part(COVER, first), *(Part(name, body(name, facts, wanted)) for name in wanted.sections)]
        about = {
            "case": facts.case.name, "recipient": wanted.recipient, "dealer": wanted.dealer,
            "reference": wanted.reference, "made_at": making.at.isoformat(), "made_by": making.by.name,
            "as_of": facts.as_of.isoformat(), "language": wanted.language,
        }  # fmt: skip
        title = f"{facts.case.name} · Ringroad"
        head = markup.head(title, wanted.language)
        return sealed(head, parts, markup.FOOT, about=about, signer=making.signer, shown=seal)


@contextmanager
def spoken(code: str) -> Iterator[None]:
    before = language.set(code)
    try:
        yield
    finally:
        language.reset(before)
