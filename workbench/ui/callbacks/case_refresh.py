"""A case's parts, drawn anew when somebody did something on it. What is being written stays."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from workbench.services.all import Services
from workbench.services.cases.casefile import File
from workbench.services.permissions import Person
from workbench.ui import guard, ids
from workbench.ui.callbacks import case_files
from workbench.ui.callbacks.case_common import PANEL, number_of
from workbench.ui.components import case_actions, case_parts, notes
from workbench.ui.i18n import t
from workbench.ui.packs import timeline

HEAD, NEXT, SUMMARY, LIST = "case-head", "case-next", "case-summary", "case-list"
NOTES, FILES, MEMBERS, LINE, LOG = "case-notes", "case-files", "case-members", "case-line", "case-log"
KINDS = "case-kinds"
PARTS = (HEAD, NEXT, SUMMARY, LIST, NOTES, FILES, MEMBERS, LINE, LOG)
"""Each the id of what holds one part. A panel has all of them, some of them empty."""

GROUPS: dict[str, tuple[str, ...]] = {
    "all": (),
    "work": ("opened", "reopened", "closed", "status", "assigned", "taken", "locked", "unlocked", "snoozed",
             "woke", "deadline", "merged", "took_in", "exported"),
    "notes": ("note",),
    "checklist": ("tick", "item"),
    "files": ("attached", "removed"),
    "ring": ("grew", "ended", "label"),
}  # fmt: skip
NOTES_IN_PANEL = 3


def store(file: File, where: str) -> dict[str, Any]:
    return {
        "number": file.case.id, "seen": file.seen, "where": where, "kind": file.case.kind, "subject": file.case.subject,
    }  # fmt: skip


def group_names() -> list[dict[str, str]]:
    said = {
        "all": t("All"), "work": t("Work"), "notes": t("Notes"), "checklist": t("Checklist"), "files": t("Files"),
        "ring": t("Ring and labels"),
    }  # fmt: skip
    return [{"value": each, "label": said[each]} for each in GROUPS]


def drawn(services: Services, who: Person, file: File, where: str, group: str = "all") -> dict[str, Any]:
    """By id what each part holds now."""
    panel = where == PANEL
    told = () if panel else services.casefiles.members(who, file)
    events = [] if panel else timeline.around(told, (file.ring or {}).get("lineage"), file.entries, file.people)
    return {
        HEAD: case_actions.head(file, who, where),
        NEXT: case_parts.next_step(file),
        SUMMARY: case_parts.summary(file),
        LIST: case_parts.checklist(file),
        NOTES: notes.listed(file, most=NOTES_IN_PANEL if panel else 0),
        FILES: [] if panel else case_files.listed(file),
        MEMBERS: [] if panel else case_parts.members(told, file),
        LINE: [] if panel else case_parts.timeline(events),
        LOG: [] if panel else case_parts.activity(file, GROUPS.get(group, ())),
    }


def boxes(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: html.Div(content, id=name) for name, content in parts.items()}


def register(app: Dash, services: Services) -> None:
    @app.callback(
        output={"store": Output(ids.CASE, "data"), "parts": {name: Output(name, "children") for name in PARTS}},
        inputs={"_changed": Input(ids.CASE_CHANGED, "data")},
        state={"case": State(ids.CASE, "data"), "group": State(KINDS, "value")},
        prevent_initial_call=True,
    )
    def refresh(_changed: int | None, case: dict[str, Any] | None, group: str | None) -> dict[str, Any]:
        if not case or not _changed:
            return {"store": no_update, "parts": dict.fromkeys(PARTS, no_update)}
        who, where = guard.person(), str(case.get("where") or "")
        file = services.casefiles.file(who, number_of(case))
        return {"store": store(file, where), "parts": drawn(services, who, file, where, group or "all")}

    @app.callback(
        Output(LOG, "children", allow_duplicate=True),
        Input(KINDS, "value"),
        State(ids.CASE, "data"),
        prevent_initial_call=True,
    )
    def filtered(group: str | None, case: dict[str, Any] | None) -> Any:
        if not case or case.get("where") == PANEL:
            return no_update
        file = services.casefiles.file(guard.person(), number_of(case))
        return case_parts.activity(file, GROUPS.get(group or "all", ()))
