"""Why an application has its score: what was answered and on what ground, and what speaks for the applicant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import dcc, html

from workbench.services.reasons.desks import NONE, PREPARING
from workbench.services.reasons.explaining import BATCH, NOW, SERVICE, Explained
from workbench.services.reasons.reasons import ApplicationWhy
from workbench.services.reasons.verify import of_codes
from workbench.ui.aria import aria
from workbench.ui.components import why_parts as parts
from workbench.ui.components.why_deal import deal
from workbench.ui.components.why_parts import Lights
from workbench.ui.i18n import number, share, t, when
from workbench.ui.viewmodel import case_words, sentences, why_words

MOST_LINKED = 6


def application(why: ApplicationWhy, lights: Lights) -> list[Any]:
    one = why.explained
    if not one.scored:
        return [_unscored(one)]
    return [
        _head(why),
        *_worse(one),
        _reasons(why, lights),
        _rules(one.told.get("rules", ())),
        _linked(one, lights),
        _clusters(one.told.get("clusters", {})),
        _innocent(one),
        *deal(one.deal),
        _without(one),
        _contract(one),
    ]


def _unscored(one: Explained) -> html.Div:
    if one.desk == PREPARING:
        text = t("The graph for scores is being opened; the reasons come in a moment.")
    elif one.desk == NONE:
        text = t("There is no graph for scores yet; `ringroad serve refresh` makes one.")
    else:
        text = t("It came after the graph for scores was made; the next one will know it.")
    return html.Div(className="rr-empty", children=[html.H2(t("Not scored")), html.P(text)], **aria(live="polite"))


def _head(why: ApplicationWhy) -> html.Div:
    told = why.explained.told
    score = told.get("score")
    shown = "–" if score is None else f"{score:.2f}"
    ring = [dcc.Link(t("stands in {ring}", ring=why.ring), href=f"/ring/{why.ring}", className="rr-link")]
    return html.Div(
        className="rr-section why-summary",
        children=[
            html.Div(parts.gauge(score, label=t("Score {score}", score=shown))),
            html.Div(
                className="why-about",
                children=[
                    html.Div(_decision(told)),
                    html.P([standing(why)], className="rr-small"),
                    html.P(calibrated(why), className="rr-soft rr-small"),
                    html.P(ring, className="rr-small") if why.ring else None,
                ],
            ),
        ],
    )


def _decision(told: Mapping[str, Any]) -> Any:
    decision = str(told["decision"])
    colour = {"pass": "teal", "review": "orange", "decline": "red"}.get(decision, "gray")
    by = why_words.of(why_words.DECIDED_BY, str(told.get("decided_by") or ""))
    return parts.badge(" ".join(filter(None, (case_words.of(case_words.DECISION, decision), by))), colour)


def standing(why: ApplicationWhy) -> str:
    """What the score means: how many score higher, and what became of those as high."""
    place = why.place
    if place is None and why.counting:
        return t("Its place in the portfolio is being counted; look again in a moment.")
    if place is None:
        return t("How it stands in the portfolio is known after `ringroad score`.")
    said = why_words.higher(place.share_above, place.all)
    known = place.fraud + place.innocent
    if not known:
        return said
    return t(
        "{said}; of {known} judged that scored as high, {fraud} were fraud",
        said=said, known=number(known), fraud=number(place.fraud),
    )  # fmt: skip


def calibrated(why: ApplicationWhy) -> str:
    """Whether the score may be read as a probability."""
    score, error = why.explained.told.get("score"), why.validated.get("ece")
    if score is None:
        return t("A strong rule decided; no model was asked.")
    if error is None:
        return t("It ranks; it promises no probability.")
    return t(
        "Of 1,000 such applications about {count} are fraud; in the validation months such figures were off by {error}",
        count=number(1000 * score, 1 if score < 0.01 else 0),
        error=share(error, 1),
    )


def _contract(one: Explained) -> html.Section:
    """On what ground the answer stands; nothing of it is hidden in a corner."""
    told = one.told
    rows = {
        t("Where it comes from"): {
            SERVICE: t("answer of the score service, as kept"),
            BATCH: t("`ringroad score`, as kept in the casebook"),
            NOW: t("made now, from what was known at submission"),
        }[one.source],
        t("What was known by"): _time(told.get("as_of")),
        t("Graph of"): _time(told.get("graph_as_of")),
        t("Model"): str(told.get("model_version") or "–"),
    }
    if coverage := told.get("coverage"):
        rows[t("Coverage")] = why_words.pair(coverage)
    return parts.section(t("On what ground"), parts.figures(rows), _differs(one))


def _worse(one: Explained) -> list[Any]:
    """Named modes in which the answer is worth less stand on top."""
    told = one.told.get("degraded", ())
    notes = [parts.note(why_words.of(why_words.DEGRADED, each), "why-bad") for each in told]
    return [html.Div(notes, className="rr-section", role="alert")] if notes else []


def _differs(one: Explained) -> Any:
    """Made again from what was known then, with what is known of others now."""
    now, then = one.now, one.told.get("score")
    if now is None or now["score"] is None or one.source == NOW or then is None or abs(now["score"] - then) < 5e-3:
        return None
    return parts.note(
        t("Made again now, by model {model}, the score is {score}", model=now["model_version"],
          score=f"{now['score']:.2f}")
    )  # fmt: skip


def _time(text: Any) -> str:
    return when(datetime.fromisoformat(text)) if text else "–"


def _reasons(why: ApplicationWhy, lights: Lights) -> html.Section:
    one = why.explained
    told = one.told.get("reasons", ())
    made = parts.note(t("The reasons were made now, by the model that serves.")) if _made_now(one) else None
    if told:
        lines = [_reason(each, why, lights) for each in told]
    elif one.told.get("codes"):
        lines = [parts.line(code, "", key="") for code in one.told["codes"]]
        lines.append(parts.note(t("What they rest on is known once the graph for scores knows the application.")))
    elif one.desk == PREPARING:
        lines = [parts.note(t("The graph for scores is being opened; the reasons come in a moment."))]
    else:
        lines = [parts.note(t("Nothing speaks against it."))]
    return parts.section(t("Why this score"), *lines, made)


def _made_now(one: Explained) -> bool:
    return one.source != NOW and one.reasons_from == NOW


def _reason(told: Mapping[str, Any], why: ApplicationWhy, lights: Lights) -> Any:
    code = told["code"]
    head, detail, where = why_words.parted(why_words.pair(told["investigator"]))
    lit = why.lit.get(code)
    key = lights.add(lit.nodes, lit.edges) if lit else ""
    return parts.line(
        f"{code} {head[:1].upper()}{head[1:]}",
        detail,
        key=key,
        part=told["share"],
        figure=share(told["share"]),
        inside=[parts.note(where) if where else None, parts.checks(why_words.all_of(of_codes([code])))],
    )


def _rules(rules: Any) -> Any:
    if not rules:
        return None
    lines = [
        parts.line(
            f"{each['code']} {why_words.pair(each)}",
            t("strong: it decides alone") if each["strength"] == "strong" else t("{points} points",
                                                                                 points=f"{each['points']:g}"),
            key="",
        )
        for each in rules
    ]  # fmt: skip
    return parts.section(t("Rules that hold"), *lines)


def _clusters(told: Mapping[str, float]) -> Any:
    if not told:
        return None
    rows = [
        html.Div(
            className="why-line why-plain",
            children=[
                html.Div(sentences.of(sentences.CLUSTERS, name), className="why-text"),
                html.Div([parts.bar(value, tone="why-blue"), html.Span(f"{value:.2f}", className="why-figure rr-num")],
                         className="why-measure"),
            ],
        )
        for name, value in sorted(told.items(), key=lambda each: -each[1])
    ]  # fmt: skip
    return parts.section(t("What each detector says alone"), *rows)


def _linked(one: Explained, lights: Lights) -> Any:
    told = one.told.get("linked", ())[:MOST_LINKED]
    if not told:
        return None
    rows = [
        html.Div(
            className="why-linked",
            children=[
                parts.lit_button(
                    each["application_id"],
                    lights.add([f"Application~{each['application_id']}"], []),
                    focus=f"Application~{each['application_id']}",
                ),
                html.Span(", ".join(_kind(kind) for kind in each["by"]), className="why-detail"),
            ],
        )
        for each in told
    ]
    return parts.section(t("Closest to it"), *rows)


def _kind(kind: str) -> str:
    return why_words.of(why_words.LINK_KINDS, kind)


def _innocent(one: Explained) -> html.Section:
    found: list[Any] = [
        parts.line(why_words.pair(each.says._asdict()), "", key="", part=each.strength / one.favours[0].strength)
        for each in one.favours
    ]
    missing = (one.told.get("coverage") or {}).get("missing", ())
    if missing:
        names = ", ".join(why_words.of(why_words.LINK_KINDS, each) for each in missing)
        found.append(parts.note(t("It tells nothing of: {names}. Links that nobody told are not seen.", names=names)))
    if not found:
        found.append(parts.note(t("Nothing in particular lowers its score.")))
    return parts.section(t("What speaks for it"), *found, more="why-innocent")


def _without(one: Explained) -> Any:
    """What is left of the score without each reason."""
    if not one.without or one.review_from is None:
        return None
    rows = [
        parts.line(
            t("without {code}", code=code),
            t("it would pass") if score < one.review_from else t("somebody would look all the same"),
            key="",
            part=score,
            figure=f"{score:.2f}",
        )
        for code, score in sorted(one.without.items(), key=lambda each: each[1])
    ]
    from_ = t("A person looks from {score} on.", score=f"{one.review_from:.3f}")
    return parts.section(t("What if a reason did not hold"), *rows, parts.note(from_))


def steps(why: ApplicationWhy) -> Any:
    """What to verify of this application, as its reasons suggest."""
    told = why.explained.told
    codes = [each["code"] for each in told.get("reasons", ())] or told.get("codes", ())
    return parts.checks(why_words.all_of(of_codes(codes))) or parts.note(t("Nothing in particular."))
