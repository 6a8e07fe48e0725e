"""The audit log as its page shows it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import dash_mantine_components as dmc
from dash import html

from workbench.casebook.audit import Entry
from workbench.services.permissions import Role
from workbench.ui.aria import aria
from workbench.ui.i18n import CHINA, number, t, when
from workbench.ui.viewmodel.people import role

VERIFY, AGAINST = "audit-verify", "audit-against"


def status(last: Entry | None) -> html.Div:
    """What was found last, and how to look again."""
    if last is None:
        kind, mark, said, below = "", "?", t("Not verified yet"), t("Each row holds the hash of the row before it.")
    elif last.detail["bad"] is not None:
        kind, mark = "au-bad", "!"
        said = t("Row {row} is not as it was written", row=number(last.detail["bad"]))
        below = t("{rows} rows before it are. Looked at by {who}, {when}.", rows=number(last.detail["rows"]),
                  who=last.actor, when=when(last.at))  # fmt: skip
    else:
        kind, mark = "au-good", "✓"
        said = t("{rows} rows are as they were written", rows=number(last.detail["rows"]))
        below = t("Looked at by {who}, {when}.", who=last.actor, when=when(last.at)) + " " + _against(last)
    return html.Div(
        className=f"rr-panel au-status {kind}",
        children=[
            html.Span(mark, className="au-mark", **aria(hidden="true")),
            html.Div([html.Strong(said), html.Div(below, className="rr-soft rr-small")], className="au-status-text",
                     role="status"),
            dmc.Button(t("Verify now"), id=VERIFY, size="xs"),
            dmc.Button(t("Verify against an anchor…"), id=AGAINST, size="xs", variant="default"),
        ],
    )  # fmt: skip


def _against(last: Entry) -> str:
    if last.detail["anchor"] is None:
        return t("Without an anchor a cut end does not show.")
    return t("Row {row} is the one that was anchored.", row=number(last.detail["anchor"]))


def row(entry: Entry) -> dict[str, Any]:
    detail = json.dumps(dict(entry.detail), ensure_ascii=False) if entry.detail else ""
    told = asdict(entry) | {"detail": detail, "hash": f"{entry.hash[:12]}…", "before": ""}
    return told | {"at": f"{entry.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}", "role": _as(entry.role)}


def _as(code: str) -> str:
    others = {"command": t("command line"), "door": t("at the door")}
    return others[code] if code in others else role(Role(code))
