"""Outcomes: what investigators wrote down, when; late, incomplete and partly wrong (domain.md §4.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from loaders.portfolio import identifiers as make
from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Ints, chance, pick, some, uniform
from loaders.portfolio.clock import DAY, NEVER
from loaders.portfolio.fates import delays
from loaders.portfolio.names import Names, only, refer

SOURCES = {
    "review": "review",
    "fpd": "fpd",
    "epd": "collection",
    "complaint": "customer_complaint",
    "police": "police",
}
LOOKS = {"fleet": "B05", "group_buy": "B11", "clan": "B12"}


def outcome_rows(book: Book, names: Names) -> dict[str, Any]:
    rng = book.streams("outcome rows")
    positives = _positives(book)
    found = [
        positives,
        _honest_defaults(book, rng, positives),
        _bystanders(book, rng, positives),
        _cleared(book, rng),
        _credit(book, rng),
    ]
    final = pd.concat(found, ignore_index=True)
    final = final[final["reported"] < book.clock.end].reset_index(drop=True)
    final["supersedes"] = NONE
    return _written(book, rng, names, _with_suspicions(book, rng, final))


def _found(app: Ints, reported: Ints, label: str, channel: Any, typology: Any) -> pd.DataFrame:
    return pd.DataFrame({"app": app, "reported": reported, "label": label, "channel": channel, "typology": typology})


def _positives(book: Book) -> pd.DataFrame:
    app = np.flatnonzero(book.app("label_at") < NEVER)
    return _found(
        app,
        book.app("label_at")[app],
        "CONFIRMED_FRAUD",
        book.app("discovery")[app],
        book.app("typology")[app],
    )


def _honest_defaults(book: Book, rng: np.random.Generator, positives: pd.DataFrame) -> pd.DataFrame:
    """Honest people who missed the first instalments, taken for fraud."""
    share = book.p["labels.fpd_honest"]
    wanted = round((positives["channel"] == "fpd").sum() * share / (1 - share))
    honest = ~book.app("fraud") & (book.app("funded_at") < NEVER)
    app = some(rng, np.flatnonzero(honest & (book.app("first_missed") == 1)), wanted)
    known = book.app("moment")[app] + (delays(rng, book.p["labels.delay_days.fpd"], len(app)) * DAY).astype(np.int64)
    return _found(app, known, "CONFIRMED_FRAUD", "fpd", pick(rng, book.p["fraud.individual_mix"], len(app)))


def _bystanders(book: Book, rng: np.random.Generator, positives: pd.DataFrame) -> pd.DataFrame:
    """A batch by the police takes innocent relatives of the ring along."""
    police = positives[positives["channel"] == "police"]
    day = dict(zip(book.app("ring")[police["app"]], police["reported"], strict=True))
    near = np.flatnonzero(np.isin(book.app("bystander_of"), [ring for ring in day if ring >= 0]))
    app = some(rng, near, int(np.ceil(len(police) * book.p["labels.bystanders_labelled"])))
    reported = np.array([day[ring] for ring in book.app("bystander_of")[app]], dtype=np.int64)
    late = np.maximum(reported, book.app("moment")[app] + DAY)
    return _found(app, late, "CONFIRMED_FRAUD", "police", "T01")


def _cleared(book: Book, rng: np.random.Generator) -> pd.DataFrame:
    """Reviewed and found innocent; a few of them were not."""
    p, n = book.p["labels"], round(len(book.applications) * book.p["labels.cleared_share"])
    missed = some(
        rng,
        np.flatnonzero(book.app("fraud") & (book.app("discovery") == "never")),
        round(n * p["cleared_fraud"]),
    )
    weight = np.where(
        np.isin(book.app("kind"), list(LOOKS)),
        p["cleared_weight"]["group"],
        np.where(book.person("household") >= 0, p["cleared_weight"]["family"], 1.0),
    ) * ~book.app("fraud")
    honest = rng.choice(len(weight), n - len(missed), replace=False, p=weight / weight.sum())
    app = np.r_[missed, honest]
    kind = np.array([LOOKS.get(each, "") for each in book.app("kind")[app]], dtype=object)
    kind[(kind == "") & (book.person("household")[app] >= 0)] = "B01"
    known = book.app("moment")[app] + (delays(rng, p["delay_days"]["review"], len(app)) * DAY).astype(np.int64)
    return _found(app, known, "CLEARED_BENIGN", "review", kind)


def _credit(book: Book, rng: np.random.Generator) -> pd.DataFrame:
    """Collections close most honest defaults as a matter of credit."""
    honest = ~book.app("fraud") & (book.app("funded_at") < NEVER) & (book.app("first_missed") < 13)
    app = np.flatnonzero(honest & chance(rng, book.p["labels.credit_closed"], len(honest)))
    months = book.app("first_missed")[app] + 3
    known = book.app("funded_at")[app] + (months * 30.44 * DAY).astype(np.int64)
    labels = pick(rng, book.p["labels.credit_labels"], len(app))
    return _found(app, known, "OUT_OF_SCOPE_CREDIT", "epd", "").assign(label=labels)


def _with_suspicions(book: Book, rng: np.random.Generator, final: pd.DataFrame) -> pd.DataFrame:
    """Some positives were SUSPECTED first; the later row supersedes the earlier."""
    slow = (final["label"] == "CONFIRMED_FRAUD") & final["channel"].isin(["fpd", "epd"])
    rows = np.flatnonzero(slow & chance(rng, book.p["labels.suspected_first"], len(final)))
    earlier = final.iloc[rows].assign(label="SUSPECTED")
    moment = book.app("moment")[earlier["app"]]
    earlier["reported"] = moment + (
        (earlier["reported"] - moment) * uniform(rng, book.p["labels.suspected_at"], len(rows))
    ).astype(np.int64)
    final.loc[rows, "supersedes"] = len(final) + np.arange(len(rows))
    return pd.concat([final, earlier], ignore_index=True)


def _written(book: Book, rng: np.random.Generator, names: Names, rows: pd.DataFrame) -> dict[str, Any]:
    n, positive = len(rows), rows["label"].isin(["CONFIRMED_FRAUD", "SUSPECTED"]).to_numpy()
    ids = make.tokens(rng, "OUT", n, 10)
    typology = rows["typology"].to_numpy(dtype=object).copy()
    wrong = positive & chance(rng, book.p["labels.wrong_typology"], n)
    typology[wrong] = pick(rng, book.p["fraud.typology_mix"], int(wrong.sum()))
    levels = np.full(n, None, dtype=object)
    for channel, mix in book.p["labels.evidence"].items():
        own = positive & (rows["channel"] == channel).to_numpy()
        levels[own] = pick(rng, mix, int(own.sum()))
    reported = book.clock.texts(rows["reported"].to_numpy())
    first = np.arange(n) % book.p["decision.reviewers"]
    second = np.where(np.isin(levels, ("E1", "E2")), (first + 1) % book.p["decision.reviewers"], NONE)
    return {
        "outcome_id": ids, "application_id": names("application", rows["app"].to_numpy()),
        "cluster_id": np.full(n, None, dtype=object), "label": rows["label"].to_numpy(dtype=object),
        "typology": only(typology != "", typology), "evidence_level": levels,
        "source": rows["channel"].map(SOURCES).to_numpy(dtype=object),
        "occurred_at": book.clock.texts(book.app("moment")[rows["app"]]), "reported_at": reported,
        "reviewer": names("reviewer", first), "second_reviewer": names("reviewer", second),
        "supersedes": refer(ids, rows["supersedes"].to_numpy()), "note": np.full(n, None, dtype=object),
        "known_at": reported,
    }  # fmt: skip
