"""All services of one process, each made when it is first asked for."""
# ruff: noqa: PLC0415 - numba and NetworkX take long to import; only some services need them

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from workbench.services.office import Office

if TYPE_CHECKING:
    from workbench.services.access.audit import AuditLog
    from workbench.services.access.people import People
    from workbench.services.access.reveal import Reveals
    from workbench.services.canvas.exports import Exports
    from workbench.services.canvas.investigate import Investigate
    from workbench.services.canvas.views import LastViews
    from workbench.services.canvas.visits import Visits
    from workbench.services.cases.attachments import Attachments
    from workbench.services.cases.casefile import Casefiles
    from workbench.services.cases.cases import Cases
    from workbench.services.cases.closing import Closing
    from workbench.services.cases.my_cases import MyCases
    from workbench.services.cases.queue import Queue
    from workbench.services.cases.saved import SavedThings
    from workbench.services.evidence.evidence import Evidence
    from workbench.services.feedback.feedback import Feedback
    from workbench.services.feedback.marks import Marks
    from workbench.services.feedback.rescoring import Rescoring
    from workbench.services.find.entities import Entities
    from workbench.services.find.search import Search
    from workbench.services.health import HealthReports
    from workbench.services.lenses.dealers import Dealers
    from workbench.services.lenses.ledger import Ledger
    from workbench.services.lenses.passport import Passport
    from workbench.services.lenses.vehicles import Vehicles
    from workbench.services.overview import Overviews
    from workbench.services.reasons.counterfactual import Counterfactuals
    from workbench.services.reasons.reasons import Reasons
    from workbench.services.reasons.similar import Similar
    from workbench.services.rings import Rings


class Services:
    def __init__(self, office: Office) -> None:
        self.office = office

    def warm(self) -> None:
        """What takes long once is done before anybody asks."""
        self.office.last_run()
        self.rescoring.warm()
        self.reasons.warm()

    @cached_property
    def overview(self) -> Overviews:
        from workbench.services.overview import Overviews

        return Overviews(self.office)

    @cached_property
    def health(self) -> HealthReports:
        from workbench.services.health import HealthReports

        return HealthReports(self.office)

    @cached_property
    def people(self) -> People:
        from workbench.services.access.people import People

        return People(self.office)

    @cached_property
    def rings(self) -> Rings:
        from workbench.services.rings import Rings

        return Rings(self.office)

    @cached_property
    def audit(self) -> AuditLog:
        from workbench.services.access.audit import AuditLog

        return AuditLog(self.office)

    @cached_property
    def reveals(self) -> Reveals:
        from workbench.services.access.reveal import Reveals

        return Reveals(self.office)

    @cached_property
    def investigate(self) -> Investigate:
        from workbench.services.canvas.investigate import Investigate

        return Investigate(self.office, self.rings)

    @cached_property
    def reasons(self) -> Reasons:
        from workbench.services.reasons.reasons import Reasons

        return Reasons(self.office, self.rings)

    @cached_property
    def similar(self) -> Similar:
        from workbench.services.reasons.similar import Similar

        return Similar(self.office)

    @cached_property
    def casefiles(self) -> Casefiles:
        from workbench.services.cases.casefile import Casefiles

        return Casefiles(self.office, self.rings)

    @cached_property
    def attachments(self) -> Attachments:
        from workbench.services.cases.attachments import Attachments

        return Attachments(self.office)

    @cached_property
    def my_cases(self) -> MyCases:
        from workbench.services.cases.my_cases import MyCases

        return MyCases(self.office)

    @cached_property
    def evidence(self) -> Evidence:
        from workbench.services.evidence.evidence import Evidence

        return Evidence(self.office, self.casefiles, self.investigate, self.reveals)

    @cached_property
    def passport(self) -> Passport:
        from workbench.services.lenses.passport import Passport

        return Passport(self.office, self.rings, self.investigate)

    @cached_property
    def ledger(self) -> Ledger:
        from workbench.services.lenses.ledger import Ledger

        return Ledger(self.office)

    @cached_property
    def dealers(self) -> Dealers:
        from workbench.services.lenses.dealers import Dealers

        return Dealers(self.office, self.ledger)

    @cached_property
    def vehicles(self) -> Vehicles:
        from workbench.services.lenses.vehicles import Vehicles

        return Vehicles(self.office, self.ledger)

    @cached_property
    def search(self) -> Search:
        from workbench.services.find.search import Search

        return Search(self.office)

    @cached_property
    def entities(self) -> Entities:
        from workbench.services.find.entities import Entities

        return Entities(self.office, self.rings, self.investigate)

    @cached_property
    def exports(self) -> Exports:
        from workbench.services.canvas.exports import Exports

        return Exports(self.office, self.investigate)

    @cached_property
    def last_views(self) -> LastViews:
        from workbench.services.canvas.views import LastViews

        return LastViews(self.office)

    @cached_property
    def visits(self) -> Visits:
        from workbench.services.canvas.visits import Visits

        return Visits(self.office)

    @cached_property
    def closing(self) -> Closing:
        from workbench.services.cases.closing import Closing

        return Closing(self.casefiles, self.cases)

    @cached_property
    def cases(self) -> Cases:
        from workbench.services.cases.cases import Cases

        return Cases(self.office)

    @cached_property
    def queue(self) -> Queue:
        from workbench.services.cases.queue import Queue

        return Queue(self.office)

    @cached_property
    def saved(self) -> SavedThings:
        from workbench.services.cases.saved import SavedThings

        return SavedThings(self.office)

    @cached_property
    def rescoring(self) -> Rescoring:
        from workbench.services.feedback.rescoring import Rescoring

        return Rescoring(self.office)

    @cached_property
    def feedback(self) -> Feedback:
        from workbench.services.feedback.feedback import Feedback

        return Feedback(self.office, self.rescoring, self.rings.of_applications, self.rings.members)

    @cached_property
    def marks(self) -> Marks:
        from workbench.services.feedback.marks import Marks

        return Marks(self.office, self.rescoring, self.rings.members)

    @cached_property
    def counterfactuals(self) -> Counterfactuals:
        from workbench.services.reasons.counterfactual import Counterfactuals

        return Counterfactuals(self.office, self.rescoring, self.reasons.desks)
