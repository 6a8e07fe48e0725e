"""What a browser could hold while somebody looks at a ring and its case: for callbacks posted by hand.

A component that a callback asks for and that is not here fails the test: say what it would hold.
"""

from __future__ import annotations

from typing import Any

from tests.ui.conftest import person
from workbench.casebook.queue_query import Query
from workbench.services.all import Services
from workbench.services.feedback.labelling import Verdict
from workbench.services.permissions import Person
from workbench.services.subject import Subject

UNTIL, WHY = "2027-01-31", "seen on the payslip"
VIEW: dict[str, Any] = {"nodes": [], "positions": {}}
GRID = {"startRow": 0, "endRow": 20, "sortModel": [], "filterModel": {}}


def held(services: Services, who: Person) -> dict[str, Any]:
    """For his screen; what he could act upon is there: an open case, a closed one, a label that waits, a file, names
    of his own, a mark in force. The identifiers are those of now, for an act makes old ones stale."""
    lin, zhou = person("lin"), person("zhou")
    ring, other = services.office.last_run()["rings"][:2]
    about = Subject("ring", ring["ring_id"])
    named = {"kind": "ring", "name": about.name}
    case = services.cases.for_subject(zhou, about, open=True)
    assert case is not None
    file = services.casefiles.file(zhou, case.id)
    if not file.files or file.files[-1].removed_at is not None:
        services.attachments.attach(zhou, case.id, "a.txt", b"text")
    shared = ring["shared"][0]
    thing, member = f"{shared['type']}~{shared['key']}", f"Application~{ring['application_ids'][0]}"
    seen = {str(case.id): services.casefiles.file(zhou, case.id).seen}
    open_ = {"number": case.id, "seen": seen[str(case.id)], "where": "page"}
    own = _own(services, who, about)
    return {
        "subject.data": named, "as-of.data": None, "changed.data": None, "selected.data": [thing],
        "url.pathname": "/queue", "url.search": "", "case.data": open_, "case-changed.data": 1,
        **_queue(seen, own["filter"]), **_deciding(ring, _waiting(services, lin, other)),
        **_graph(named, thing, member, own["view"]), **_case(), **_others(),
        "case-instead.value": [({"item": each.item.key}, WHY) for each in file.checklist],
        "mark-ask.data": {"link": [shared["relation"], f"Application~{shared['holders'][0]}", thing]},
        "innocent-ask.n_clicks": [({"in": "why", "id": thing}, 1)], "role-ask.n_clicks": [({"id": member}, 1)],
        "reveal.data": {"type": shared["type"], "key": shared["key"], "masked": "*"},
        "dealer-code.data": file.case.dealer, "vehicle-token.data": "0" * 32,
        "case-gone-asked.data": services.casefiles.file(zhou, case.id).files[-1].id,
    }  # fmt: skip


def closed(services: Services) -> dict[str, Any]:
    """What holds a case that can be opened again."""
    zhou, about = person("zhou"), Subject("ring", services.office.last_run()["rings"][2]["ring_id"])
    case = services.cases.for_subject(zhou, about)
    if case is None or not case.closed:
        case = services.cases.for_subject(zhou, about, open=True)
        assert case is not None
        open_ = services.closing.missing(zhou, case.id, "no_finding")
        instead, seen = {each.item.key: WHY for each in open_}, services.casefiles.file(zhou, case.id).seen
        services.closing.close(zhou, case.id, outcome="no_finding", reason=WHY, instead=instead, seen=seen)
    return {"number": case.id, "seen": services.casefiles.file(zhou, case.id).seen, "where": "page"}


def _own(services: Services, who: Person, about: Subject) -> dict[str, int]:
    """A filter and a view of his own."""
    if not services.saved.filters(who):
        services.saved.add_filter(who, "first", Query())
    if not services.saved.views(who, about):
        services.saved.add_view(who, about, "first", VIEW)
    return {"filter": services.saved.filters(who)[0].id, "view": services.saved.views(who, about)[0].id}


def _waiting(services: Services, who: Person, ring: dict[str, Any]) -> int:
    """A label that wants a second person."""
    waiting = services.feedback.waiting(person("zhou"))
    if waiting:
        return int(waiting[0].said.id)
    verdict = Verdict("CONFIRMED_FRAUD", "T01", "E2")
    for name in ring["application_ids"]:
        done = services.feedback.propose(who, [name], verdict, request_key=f"held {name}")
        if not done.again:
            return done.ids[0]
    raise AssertionError("no member is left to label")


def _queue(seen: dict[str, int], filter_: int) -> dict[str, Any]:
    return {
        "queue.getRowsRequest": GRID, "queue-asked.data": {}, "queue-changed.data": 1, "queue-stamp.data": 0,
        "queue-strip.getRowsRequest": GRID, "queue-strip-tab.value": "all", "queue-chosen.data": {"seen": seen},
        "queue-act.data": {"do": "status", "to": "waiting", "seen": seen}, "queue-snoozing.data": {"seen": seen},
        "queue-snooze-days.value": "3", "queue-snooze-why.value": WHY, "queue-take.data": {"ts": 1},
        "queue-saved-at.data": 1, "queue-save-name.value": "second", "queue-save-shared.checked": True,
        "queue-use.n_clicks": [({"id": filter_}, 1)], "queue-remove.n_clicks": [({"id": filter_}, 1)],
        "queue-rename.value": [({"id": filter_}, "third")],
    }  # fmt: skip


def _deciding(ring: dict[str, Any], waiting: int) -> dict[str, Any]:
    form = {"label.value": "SUSPECTED", "typology.value": "T01", "evidence.value": "E2", "source.value": "review",
            "provisional.checked": False, "note.value": WHY}  # fmt: skip
    rows = [{"id": waiting, "mine": False}]
    return {
        **{f"{prefix}decide-{name}": value for prefix in ("", "bulk-") for name, value in form.items()},
        "decide-key.data": "one", "bulk-label-key.data": "two", "decide-chosen.value": ring["application_ids"][:1],
        "mark-choice.value": "here", "mark-kind.value": None, "mark-reason.value": WHY, "mark-until.value": UNTIL,
        "mark-end.n_clicks": [({"what": "link", "id": 1}, 1)],
        "role-store.data": {"id": f"Application~{ring['application_ids'][0]}"}, "role-choice.value": "organiser",
        "role-thing.value": f"Application~{ring['application_ids'][0]}", "role-reason.value": WHY,
        "labels-waiting.rowData": rows, "labels-waiting.selectedRows": rows, "labels-reason.value": WHY,
        "labels-form.value": "csv", "reveal-reason.value": WHY,
    }  # fmt: skip


def _graph(named: dict[str, str], thing: str, member: str, view: int) -> dict[str, Any]:
    taken = {"subject": named, "ids": [thing, member], "nodes": 2, "edges": 1}
    return {
        "find-req.data": {"text": named["name"], "sequence": 1}, "find-open.data": {"id": thing},
        "open-req.data": {"subject": named}, "expand-req.data": {"op": "counts", "id": member},
        "why-lights.data": {}, "why-folds.value": ["without", "similar"], "why-similar.children": None,
        "views-req.data": {"act": "save", "name": "second", "content": VIEW, "subject": named, "number": view},
        "views-last-req.data": {"subject": named, "content": VIEW},
        "export-table-req.data": taken | {"kind": "csv"}, "export-graph-req.data": taken | {"kind": "graphml"},
        "export-picture-req.data": taken | {"kind": "svg"},
    }  # fmt: skip


def _case() -> dict[str, Any]:
    item = {"item": "case-weigh", "before": "open"}
    return {
        "case-note-text.value": "asked the dealer", "case-kinds.value": "all", "case-tick.n_clicks": [(item, 1)],
        "case-skip.n_clicks": [(item, 1)], "case-skip-asked.data": item, "case-skip-why.value": WHY,
        "case-item-text.value": "ask the employer", "case-remove.n_clicks": [({"file": 1}, 1)],
        "case-gone-why.value": WHY, "case-outcome.value": "no_finding", "case-close-why.value": WHY,
        "case-again-why.value": WHY,
        "case-status.n_clicks": [({"to": "waiting"}, 1)], "case-deadline-date.value": f"{UNTIL} 18:00:00",
        "case-snooze-date.value": f"{UNTIL} 18:00:00", "case-snooze-reason.value": WHY, "case-work-who.value": "lin",
        "case-pack-for.value": "internal", "case-pack-reveals.value": [], "case-pack-reveals.data": [],
        "case-pack-seen.data": {"positions": {}}, "case-pack-reason.value": [],
        "case-pack-dealer.value": None, "case-pack-ref.value": "", "case-pack-parts.value": ["summary"],
        "case-pack-notes.value": [], "case-pack-language.value": "en", "case-pack-why.value": WHY,
    }  # fmt: skip


def _others() -> dict[str, Any]:
    return {
        "dealers-as-of.value": None, "dealers-tick.disabled": False, "dealers-grid.getRowsRequest": GRID,
        "dealers-asked.data": {}, "dealers-text.value": "", "dealers-region.value": None, "dealers-kind.value": None,
        "dealers-only.value": None, "dealer-as-of.value": None, "vehicles-as-of.value": None,
        "vehicles-grid.getRowsRequest": GRID, "vehicles-asked.data": {}, "vehicles-text.value": "",
        "vehicles-sign.value": None, "vehicle-as-of.value": None,
        "audit-grid.getRowsRequest": GRID, "audit-asked.data": {}, "audit-actor.value": "lin",
        "audit-action.value": "", "audit-subject.value": "", "audit-since.value": None, "audit-until.value": None,
        "audit-anchored.value": "{}",
        "users-name.value": "new", "users-shown.value": "New One", "users-as.value": "manager",
        "users-speaks.value": "en", "users-do.n_clicks": [({"act": "role", "name": "sun"}, 1)],
        "users-asked.data": {"act": "role", "name": "sun"}, "users-act-role.value": "senior",
        "users-act-name.value": "Sun", "me-speaks.value": "zh", "me-present.value": "x", "me-new.value": "a",
        "me-again.value": "b", "me-factor-present.value": "", "me-code.value": "",
    }  # fmt: skip
