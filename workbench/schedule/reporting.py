"""A report by the clock: made as of its slot, and a letter queued for each who gets it."""
# ruff: noqa: PLC0415 - what reports import takes seconds

from __future__ import annotations

from graph.errors import InputError
from workbench.casebook import report_mails
from workbench.schedule import nightly
from workbench.schedule.job import Did, Turn
from workbench.schedule.mail import REPORTS


def report(name: str, turn: Turn) -> Did:
    """Made anew where somebody asks again; who had a letter about the slot gets no other."""
    from workbench.reports.making import make
    from workbench.services.all import Services
    from workbench.services.office import Office

    wanted, folder = turn.plan.report(name), turn.settings.home / REPORTS
    with Office(turn.settings, clock=turn.clock) as office:
        try:
            newest = nightly.newest(office.snapshot(), turn.slot)
        except InputError as error:
            return Did(trouble=f"nothing was made: {error.message}")
        made = make(
            Services(office), name, turn.slot, folder=folder, now=turn.clock(), languages=wanted.languages,
            formats=wanted.formats,
        )  # fmt: skip
        with office.casebook.writing() as db:
            letters = report_mails.queue(db, name, turn.slot.name, wanted.to, now=turn.clock())
    late = nightly.late(newest, turn.slot)
    return Did({"files": len(made.files), "letters": letters}, "; ".join([*made.notes, *([late] if late else [])]))
