"""What a replay writes: replay.html, replay.json and days.csv."""
# ruff: noqa: PLC0415, PD008 - XGBoost and matplotlib take seconds to import; `at` is a time

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from graph.records import CHINA, DAY, Ints
from workbench.assessment import ring_classes, test_rows
from workbench.backtest import Backtest
from workbench.replaying import FED, FROZEN, PLAIN, Ran
from workbench.terminal import written_to

if TYPE_CHECKING:
    from gnn.evaluation.lead import Lead
    from gnn.evaluation.report import Evaluation, Section
    from gnn.replayed import Day, Recovery, Week

SIMPLER = (
    "A day's alerts are chosen at its end and wait for the review's outcome; nothing is paid out meanwhile.",
    "A review's outcome becomes a label one to three days later, never before; features see new labels once a week.",
    "Reviewers judge each application by itself: 92 % of fraud and 97 % of honest ones rightly.",
    "The portfolio is fixed: rings do not adapt when members are stopped, and the declined do not return.",
    "Of a stopped application nothing happens later: no instalment, no transfer, no outcome of the lender's own.",
    "Fraud found after its payout becomes a label and saves nothing.",
)


def write(ran: Ran, out: Path) -> None:
    import orjson

    from gnn.evaluation.page import page

    evaluation = evaluated(ran)
    told = summary(ran) | {
        "plan": asdict(ran.plan),
        "days": [{"date": date_of(ran, day.day)} | asdict(day) for day in days(ran)],
        "weeks": [_week(ran, week) for week in weeks(ran)],
        "labels": dict(label_rows(ran)),
        "evaluation": evaluation,
    }
    option = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    written_to(out / "replay.json", orjson.dumps(told, option=option).decode())
    written_to(out / "replay.html", page(evaluation))
    written_to(out / "days.csv", days_csv(ran))


def date_of(ran: Ran, day: int) -> str:
    return str(np.datetime64(ran.plan.cut + day * DAY + CHINA, "ms").astype("datetime64[D]"))


def days(ran: Ran) -> tuple[Day, ...]:
    from gnn import replayed
    from gnn.evaluation.money import Costs

    return replayed.days(ran.world, ran.plan, ran.done, Costs())


def days_csv(ran: Ran) -> str:
    text = io.StringIO()
    told = days(ran)
    names = list(asdict(told[0]))
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["date", *names[1:]])
    for day in told:
        values = asdict(day) | {"saved": f"{day.saved:.2f}"}
        writer.writerow([date_of(ran, day.day), *(values[name] for name in names[1:])])
    return text.getvalue()


def weeks(ran: Ran) -> tuple[Week, ...]:
    from gnn import replayed

    return replayed.weeks(ran.world, ran.plan, ran.done, ran.scores)


def recoveries(ran: Ran) -> dict[str, Recovery]:
    from gnn import replayed

    if ran.drift_day is None:
        return {}
    told = weeks(ran)
    return {way: replayed.recovery(told, way, drift_day=ran.drift_day) for way in ran.scores}


def summary(ran: Ran) -> dict[str, Any]:
    from gnn import replayed
    from gnn.evaluation.money import Costs

    rows, reviews, world = ran.rows, ran.done.reviews, ran.world
    fraud = world.fraud[reviews.row]
    return {
        "applications": len(rows),
        "frauds": int(world.fraud[rows].sum()),
        "per_day": ran.plan.per_day,
        "reviews": len(reviews),
        "caught": int((fraud & reviews.fraud).sum()),
        "stopped": int((fraud & reviews.stopped).sum()),
        "trainings": len(ran.done.learned),
        "lists": len(ran.done.lists),
        "money": asdict(replayed.balance(world, reviews, len(rows), Costs())),
        "swings": [asdict(each) for each in replayed.swings(world, reviews, len(rows), Costs())],
        "lead": {name: asdict(each) for name, each in lead_times(ran).items()},
        "recovery": {name: asdict(each) for name, each in recoveries(ran).items()},
        "drift_from": None if ran.drift_day is None else date_of(ran, ran.drift_day),
        "notes": list(ran.notes),
    }


def sentences(told: dict[str, Any], out: Path) -> str:
    lines = [
        f"{told['applications']:,} applications, {told['frauds']} of them fraud; {told['reviews']:,} reviews caught "
        f"{told['caught']}, {told['stopped']} before the money was paid out",
        f"saved {told['money']['net'] / 1e6:,.1f} m RMB after all costs",
    ]
    for name, lead in told["lead"].items():
        lines.append(
            f"{name}: {lead['flagged']} of {lead['rings']} new rings flagged, after a median of "
            f"{lead['approved']['median']:g} approved and {lead['funded']['median']:g} funded applications"
        )
    for name, each in told["recovery"].items():
        lines.append(f"{name}: {recovered(each['before'], each['days'])}")
    return "\n".join([*lines, *told["notes"], f"{out / 'replay.html'} shows it all"])


def recovered(before: float, back: int | None) -> str:
    if not isfinite(before):
        return "no four weeks before the drift to compare with; choose an earlier --cut"
    if back == 0:
        return "recall never fell below its level before the drift"
    return (
        "recall not back at its level before the drift" if back is None else f"recall back {back} days after the drift"
    )


# Lead time -----------------------------------------------------------------------------------------------


def as_backtest(ran: Ran) -> Backtest:
    return Backtest(ran.ready, ran.started, ran.rows, [], (), ran.plan.cut)


def lead_times(ran: Ran) -> dict[str, Lead]:
    """Of rings that began after the cut: what was approved, and paid out, before their first flag."""
    from gnn.evaluation.lead import detection_lead, first_flags
    from gnn.replay import RINGS, SCORE

    classes = ring_classes(as_backtest(ran), ran.truth)
    rings = ran.truth.frame["ring_id"].map(classes)
    place = np.flatnonzero((rings.notna() & (rings != "continuing")).to_numpy())
    if not len(place):
        return {}
    nodes, end = ran.ready.snapshot.nodes["Application"], int(ran.ready.book.as_of.max())
    approved = (nodes.table["decision"].to_pandas().to_numpy(dtype=object) == "approve")[place]
    members = pd.DataFrame({
        "application_id": place,
        "ring": ran.truth.frame["ring_id"].to_numpy()[place],
        "submitted_at": _times(ran.ready.book.submitted[place]),
        "approved_at": _times(np.where(approved, nodes.times("decided_at", as_of=end)[place], 0)),
        "funded_at": _times(nodes.times("funded_at", as_of=end)[place]),
        "amount": ran.world.amount[place],
    })  # fmt: skip
    reviews, listed_at = ran.done.reviews, ran.done.listed_at
    by_score, by_desk = reviews.source == SCORE, reviews.source != RINGS
    named = np.flatnonzero(listed_at <= end)
    flags = {
        "by score, rule or ring list": (
            np.append(reviews.row[by_desk], named), np.append(reviews.at[by_desk], listed_at[named])
        ),
        "by score": (reviews.row[by_score], reviews.at[by_score]),
        "by score or rule": (reviews.row[by_desk], reviews.at[by_desk]),
        "by ring list": (named, listed_at[named]),
    }  # fmt: skip
    return {
        name: detection_lead(
            members, first_flags(members, pd.DataFrame({"application_id": rows, "flagged_at": _times(at)}))
        )
        for name, (rows, at) in flags.items()
    }


def _times(millis: Ints) -> pd.Series[pd.Timestamp]:
    told = pd.Series(millis)
    return pd.to_datetime(told.where(told > 0), unit="ms", utc=True)


# The page ------------------------------------------------------------------------------------------------


def evaluated(ran: Ran) -> Evaluation:
    from gnn.evaluation.comparison import evaluate_rows
    from gnn.evaluation.report import Evaluation, Header

    plan, frame = ran.plan, test_rows(as_backtest(ran), ran.truth)
    methods = {name: score[ran.rows] for name, score in ran.scores.items()}
    methods = {name: methods[name] for name in sorted(methods, key=lambda name: name == FED)}
    judged = bool(frame["is_fraud"].sum() > 0)
    rows = (
        evaluate_rows(
            frame, methods, against=PLAIN if PLAIN in methods else FROZEN, main=FED, per_day=max(plan.per_day, 1)
        )
        if judged
        else None
    )
    return Evaluation(
        Header(
            f"Replay from {date_of(ran, 0)}", cut=date_of(ran, 0), truth=ran.truth.said, rules=SIMPLER,
            data=f"{len(frame):,} applications on {plan.days} days, {len(ran.ready.book):,} in all",
            facts=(
                ("Trained", f"{len(ran.done.learned)} times, every {plan.retrain_every} days"),
                ("Reviews", f"{plan.per_day} a day by score, what rules advise, ring lists all {plan.list_every} days"),
                *(("Note", note) for note in ran.notes),
            ),
        ),
        rows=rows,
        lead=lead_times(ran),
        more=(money_section(ran), week_section(ran), label_section(ran), recovery_section(ran)),
    )  # fmt: skip


def money_section(ran: Ran) -> Section:
    from gnn.evaluation.cells import thousands, whole
    from gnn.evaluation.report import Section, Table

    told = summary(ran)
    money, swings = told["money"], told["swings"]
    row = [whole(told["reviews"]), whole(told["caught"]), whole(told["stopped"]), thousands(money["stopped"]),
           *(thousands(-money[name]) for name in ("reviews", "declined", "delayed")),
           thousands(money["net"])]  # fmt: skip
    return Section(
        "Money, as it went",
        "RMB. What the reviews of this replay stopped before its payout, times the loss given fraud, less their costs.",
        (
            Table(
                ("", "reviews", "fraud caught", "of it before payout", "stopped", "cost of reviews",
                 "declined though honest", "delayed", "saved"),
                [["whole replay", *row]],
            ),
            Table(
                ("assumption", "saved: at worst", "at best"),
                [[each["constant"].replace("_", " "), *(thousands(each[end]) for end in ("low", "high"))]
                 for each in swings],
                title="If one assumption is 50 % lower or higher",
            ),
        ),
    )  # fmt: skip


def week_section(ran: Ran) -> Section:
    from gnn.evaluation.cells import percent
    from gnn.evaluation.report import Section, Table

    told = weeks(ran)
    heads = ["week from", "applications", "fraud", "ceiling", *ran.scores]
    return Section(
        "Week by week",
        "Each way of scoring chooses the hundredth with the highest scores of the week. A week holds few frauds: one "
        "more or less moves recall by a tenth.",
        (
            Table(
                heads,
                [[date_of(ran, week.first_day), week.applications, week.frauds, percent(week.ceiling),
                  *(percent(week.recall(way)) for way in ran.scores)] for week in told],
                title="Recall at 1 %",
            ),
            Table(
                heads,
                [[date_of(ran, week.first_day), week.applications, week.frauds, percent(week.precision_ceiling),
                  *(percent(week.precision(way)) for way in ran.scores)] for week in told],
                title="Precision at 1 %",
            ),
            Table(
                ("week from", "fraud", "reviewed", "fraud among them", "recall", "precision"),
                [[date_of(ran, week.first_day), week.frauds, week.reviewed, week.found,
                  percent(week.found / week.frauds if week.frauds else np.nan),
                  percent(week.found / week.reviewed if week.reviewed else np.nan)] for week in told],
                title="What the desk reviewed, by score and rules, on the day",
            ),
        ),
    )  # fmt: skip


def label_section(ran: Ran) -> Section:
    from gnn.evaluation.report import Section, Table

    told = label_rows(ran)
    names = list(told[0][1])
    return Section(
        "Labels",
        "What was known on the days of training, and at the end. Stopped applications lose what the lender would have "
        "found later.",
        (Table(("known on", *names), [[date, *(counts[name] for name in names)] for date, counts in told]),),
    )


def label_rows(ran: Ran) -> list[tuple[str, dict[str, int]]]:
    from gnn.feedback import stays
    from gnn.replayed import label_counts

    last = ran.plan.cut + ran.plan.days * DAY - 1
    own, rows = ran.ready.book.labels, []
    for at in (*ran.done.learned, last):
        kept = stays(len(own.fraud_from), ran.done.reviews.known(at))
        fraud, cleared = own.known(at) & (own.fraud_from <= kept), (own.cleared_from <= at) & (own.cleared_from <= kept)
        counts = {"fraud, the lender's own": int(fraud.sum()), "cleared, the lender's own": int(cleared.sum())}
        rows.append(
            (date_of(ran, (at + 1 - ran.plan.cut) // DAY), counts | label_counts(ran.world, ran.done.reviews, at))
        )
    return rows


def recovery_section(ran: Ran) -> Section:
    from gnn.evaluation.cells import percent
    from gnn.evaluation.report import Section, Table

    since = (
        "no ring of the truth belongs to a drift" if ran.drift_day is None else f"from {date_of(ran, ran.drift_day)}"
    )
    return Section(
        "Recovery after the drift",
        f"Recall at 1 % of four weeks together, before and after the drift ({since}). Without feedback nobody reviews, "
        "nobody trains.",
        (
            Table(
                ("", "before", "worst four weeks since", "last four weeks", ""),
                [
                    [
                        way,
                        percent(each.before),
                        percent(each.worst),
                        percent(each.last),
                        recovered(each.before, each.days),
                    ]
                    for way, each in recoveries(ran).items()
                ],
            ),
        ),
    )


def _week(ran: Ran, week: Week) -> dict[str, Any]:
    return {
        "from": date_of(ran, week.first_day),
        **asdict(week),
        "ceiling": week.ceiling,
        "precision_ceiling": week.precision_ceiling,
        "recall": {way: week.recall(way) for way in ran.scores},
        "precision": {way: week.precision(way) for way in ran.scores},
    }
