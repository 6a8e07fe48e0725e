"""The evidence pack: for whom, what of it, in which language, and why; made on the spot and on record."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from graph.errors import InputError, RingroadError
from workbench.casebook.casefile import NOTE
from workbench.services.all import Services
from workbench.services.canvas.graph_shapes import element_id, ref_of
from workbench.services.evidence.pack_request import DEALER, INTERNAL, POLICE, SECTIONS, Reveal, Wanted, places
from workbench.services.permissions import Act, Person
from workbench.ui import guard, ids
from workbench.ui.callbacks.case_common import done, modal, number_of
from workbench.ui.clientside import clientside
from workbench.ui.components.case_actions import PACK
from workbench.ui.i18n import LANGUAGES, errors, language, t, when
from workbench.ui.packs.written import written
from workbench.ui.viewmodel import case_words as words
from workbench.ui.viewmodel import sentences

MODAL, MAKE, TROUBLE = "case-pack-modal", "case-pack-make", "case-pack-no"
FOR, DEALERS, REFERENCE = "case-pack-for", "case-pack-dealer", "case-pack-ref"
PARTS, NOTES = "case-pack-parts", "case-pack-notes"
SPOKEN, WHY, REVEALS, REASONS = "case-pack-language", "case-pack-why", "case-pack-reveals", "case-pack-reasons"
SEEN, FILE = "case-pack-seen", "case-pack-file"
LONGEST_NOTE = 80

FIELDS = {
    "recipient": FOR, "dealer": DEALERS, "reference": REFERENCE, "sections": PARTS, "notes": NOTES, "reveals": REVEALS,
    "language": SPOKEN, "why": WHY,
}  # fmt: skip
"""What `wanted` reads, by the ids of the form."""


MEANS: Mapping[str, Callable[[], str]] = {
    INTERNAL: lambda: t("Masked as on the screen."),
    POLICE: lambda: t("Masked, but for what a senior investigator puts in the clear."),
    DEALER: lambda: t("Only this dealer's applications, and what to verify. No third party, no score, no suspicion."),
}


def dialog() -> Any:
    return html.Div(
        [
            dcc.Store(id=SEEN),
            dcc.Download(id=FILE),
            modal(MODAL, t("Make an evidence pack"), *_form(), size=620),
        ]
    )


def _form() -> list[Any]:
    return [
        dmc.RadioGroup(
            id=FOR, label=t("For whom"), value=INTERNAL,
            children=dmc.Group([dmc.Radio(words.of(words.RECIPIENT, each), value=each) for each in SECTIONS], mt=4),
        ),
        html.P(MEANS[INTERNAL](), id=f"{FOR}-means", className="cs-by"),
        dmc.Select(id=DEALERS, label=t("Which dealer"), data=[], display="none", mt=8),
        dmc.TextInput(id=REFERENCE, debounce=True, label=t("Number of the authority's request"), display="none", mt=8),
        dmc.CheckboxGroup(id=PARTS, label=t("What stands in it"), value=list(SECTIONS[INTERNAL]),
                          children=html.Div(parts(INTERNAL), id=f"{PARTS}-box", className="cs-parts"), mt=10),
        dmc.MultiSelect(id=NOTES, label=t("Which notes"), data=[], clearable=True, mt=8,
                        description=t("None is in it unless you choose it.")),
        dmc.MultiSelect(id=REVEALS, label=t("What stands in the clear"), data=[], searchable=True, clearable=True,
                        description=t("Each needs a reason of its own; each is on record before it is read."),
                        display="none", mt=8),
        html.Div(id=REASONS),
        dmc.RadioGroup(
            id=SPOKEN, label=t("Language"), value=language.get(), mt=10,
            children=dmc.Group([dmc.Radio(name, value=code) for code, name in LANGUAGES.items()], mt=4),
        ),
        dmc.Textarea(debounce=True, id=WHY, label=t("Why is it made?"), autosize=True, minRows=2, mt=10),
        html.Div(id=TROUBLE, className="cs-trouble", role="alert"),
        dmc.Button(t("Make and download"), id=MAKE, fullWidth=True, mt=12),
    ]  # fmt: skip


def parts(recipient: str) -> list[Any]:
    return [dmc.Checkbox(label=words.of(words.SECTION, each), value=each, size="xs") for each in SECTIONS[recipient]]


def notes(services: Services, who: Person, number: int) -> list[dict[str, str]]:
    file = services.casefiles.file(who, number)
    return [
        {"value": str(each.id), "label": f"{when(each.at)} · {' '.join(each.text.split())[:LONGEST_NOTE]}"}
        for each in file.entries if each.kind == NOTE
    ]  # fmt: skip


def revealable(services: Services, who: Person, number: int) -> list[dict[str, str]]:
    if not who.may(Act.REVEAL):
        return []
    told = services.evidence.revealable(who, number)
    return [{"value": element_id(ref), "label": sentences.typed(ref.type, masked)} for ref, masked in told]


def reasons(chosen: Mapping[str, str]) -> list[Any]:
    """By element id, as it is masked."""
    return [
        dmc.TextInput(
            id={"t": "case-pack-reason", "ref": each}, debounce=True, mt=6,
            label=t("Why in the clear: {thing}", thing=masked),
             size="xs",
        )
        for each, masked in chosen.items()
    ]  # fmt: skip


def wanted(told: Mapping[str, Any], given: Mapping[str, str], seen: Mapping[str, Any] | None) -> Wanted:
    """From what a browser sent. Raises InputError."""
    chosen = told.get("reveals") or [] if told.get("recipient") == POLICE else []
    as_of = (seen or {}).get("as_of")
    try:
        return Wanted(
            str(told.get("recipient") or ""), tuple(map(str, told.get("sections") or ())),
            str(told.get("language") or ""), str(told.get("why") or ""), reference=str(told.get("reference") or ""),
            dealer=str(told.get("dealer") or ""), notes=frozenset(int(each) for each in told.get("notes") or ()),
            reveals=tuple(Reveal(ref_of(each), given.get(each) or "") for each in chosen),
            places=places((seen or {}).get("positions")),
            as_of=datetime.fromisoformat(as_of) if isinstance(as_of, str) else None,
        )  # fmt: skip
    except (ValueError, TypeError):
        raise InputError("what was chosen cannot be read; open the dialog again") from None


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(MODAL, "opened"), Output(DEALERS, "data"), Output(DEALERS, "value"), Output(NOTES, "data"),
        Output(NOTES, "value"), Output(REVEALS, "data"), Output(REVEALS, "value"), Output(TROUBLE, "children"),
        Output(WHY, "value"),
        Input(PACK, "n_clicks"), State(ids.CASE, "data"), prevent_initial_call=True,
    )  # fmt: skip
    def opened(clicks: int | None, case: dict[str, Any] | None) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 9
        who, number = guard.person(), number_of(case)
        dealers = services.evidence.dealers(who, number)
        offered = revealable(services, who, number)
        only = dealers[0] if len(dealers) == 1 else None
        return True, dealers, only, notes(services, who, number), [], offered, [], "", ""

    @app.callback(
        Output(f"{PARTS}-box", "children"), Output(PARTS, "value"), Output(f"{FOR}-means", "children"),
        Output(DEALERS, "display"), Output(REFERENCE, "display"), Output(REVEALS, "display"),
        Output(NOTES, "display"), Input(FOR, "value"), prevent_initial_call=True,
    )  # fmt: skip
    def chosen(recipient: str | None) -> tuple[Any, ...]:
        one = recipient if recipient in (POLICE, DEALER) else INTERNAL
        police, dealer = one == POLICE, one == DEALER
        reveals = police and guard.person().may(Act.REVEAL)
        shown = (_display(dealer), _display(police), _display(reveals), _display(not dealer))
        return parts(one), list(SECTIONS[one]), MEANS[one](), *shown

    @app.callback(
        Output(REASONS, "children"),
        Input(REVEALS, "value"),
        Input(FOR, "value"),
        State(REVEALS, "data"),
        prevent_initial_call=True,
    )
    def asked(some: list[str] | None, recipient: str | None, offered: list[dict[str, str]] | None) -> Any:
        names = {each["value"]: each["label"] for each in offered or []}
        return reasons({each: names.get(each, each) for each in some or []}) if recipient == POLICE else []

    clientside(app, "casefile.seen", Output(SEEN, "data"), Input(MAKE, "n_clicks"), State(ids.CASE, "data"),
               prevent_initial_call=True)  # fmt: skip

    @app.callback(
        output=[
            Output(FILE, "data"),
            Output(MODAL, "opened", allow_duplicate=True),
            Output(TROUBLE, "children", allow_duplicate=True),
        ],
        inputs={"seen": Input(SEEN, "data")},
        state={
            "case": State(ids.CASE, "data"),
            "given": State({"t": "case-pack-reason", "ref": ALL}, "value"),
            "told": {name: State(id_, "value") for name, id_ in FIELDS.items()},
        },
        running=[(Output(MAKE, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def make(
        seen: dict[str, Any] | None, case: dict[str, Any] | None, given: list[str | None], told: dict[str, Any]
    ) -> list[Any]:
        if not seen:
            return [no_update] * 3
        asked_for = ctx.args_grouping["given"]
        why = {each["id"]["ref"]: text or "" for each, text in zip(asked_for, given, strict=True)}
        try:
            pack = services.evidence.pack(
                guard.person(), number_of(case), wanted(told, why, seen), languages=LANGUAGES, write=written
            )
        except RingroadError as error:
            guard.denied(error)
            return [no_update, no_update, errors.told(error.message)]
        done(t("{name} is made; the log has its hash", name=pack.name))
        content = base64.b64encode(pack.content).decode()
        return [{"filename": pack.name, "content": content, "base64": True, "type": "text/html"}, False, ""]


def _display(shown: bool) -> str:
    return "block" if shown else "none"
