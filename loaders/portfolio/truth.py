"""The truth, for evaluators only: members, rings, shared entities, and what declined loans would have done."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loaders.portfolio.address_rows import standard_parts
from loaders.portfolio.book import Book
from loaders.portfolio.clock import NEVER
from loaders.portfolio.fates import NO_DEFAULT
from loaders.portfolio.names import Names, only

KINDS = {"fleet": "B05", "group_buy": "B11", "clan": "B12"}


def member_rows(book: Book, names: Names) -> dict[str, Any]:
    """One row per application that is fraud, a bystander, or in a benign look-alike cluster."""
    apps = book.applications
    cluster, benign = _benign(book)
    listed = np.flatnonzero(apps["fraud"] | (apps["bystander_of"] >= 0) | (benign != ""))
    by = apps["bystander_of"].to_numpy()[listed]
    ring = np.where(by >= 0, by, apps["ring"].to_numpy()[listed])
    role = np.where(by >= 0, "bystander", apps["role"].to_numpy()[listed])
    fraud = apps["fraud"].to_numpy()[listed]
    known = apps["label_at"].to_numpy()[listed]
    return {
        "application_id": names("application", listed),
        "applicant_id": names("applicant", apps["person"].to_numpy()[listed]),
        "ring_id": names("ring", ring), "typology": _or_none(apps["typology"].to_numpy()[listed]),
        "role": _or_none(role), "is_fraud": fraud,
        "discovery": _or_none(apps["discovery"].to_numpy()[listed]),
        "label_known_at": book.clock.texts(known),
        "benign_kind": _or_none(np.where(fraud, "", benign[listed])),
        "cluster_id": _or_none(np.where(fraud, "", cluster[listed])),
        "submitted_at": book.clock.texts(apps["moment"].to_numpy()[listed]),
        "known_at": book.clock.texts(apps["moment"].to_numpy()[listed]),
    }  # fmt: skip


def _or_none(values: np.ndarray) -> np.ndarray:
    return only(values != "", values)


def _benign(book: Book) -> tuple[np.ndarray, np.ndarray]:
    """Cluster name and B code per application; of several, the one named first here counts."""
    n = len(book.applications)
    cluster, kind = np.full(n, "", dtype=object), np.full(n, "", dtype=object)
    for name, code in KINDS.items():
        own = book.app("kind") == name
        cluster[own], kind[own] = [f"{name}-{number}" for number in book.app("group")[own]], code
    household = book.person("household")
    own = (household >= 0) & (kind == "")
    cluster[own], kind[own] = [f"household-{number}" for number in household[own]], "B01"
    truth = book.entities.truth()
    named = (
        ("urban_village", "B06", "place", book.person("home")),
        ("dormitory", "B06", "place", book.person("home")),
        ("star_contact", "B13", "phone", book.app("contact1")),
        ("recycled", "B08", "phone", book.person("phone")),
        ("switchboard", "B02", "phone", book.person("work_phone")),
    )  # fmt: skip
    for prefix, code, entity_kind, held in named:
        chosen = truth[(truth["kind"] == entity_kind) & truth["cluster_id"].str.startswith(prefix)]
        lookup = pd.Series(chosen["cluster_id"].to_numpy(), index=chosen["entity"]).loc[
            lambda found: ~found.index.duplicated()
        ]
        mine = pd.Series(held).map(lookup).fillna("").to_numpy()
        own = (mine != "") & (kind == "")
        cluster[own], kind[own] = mine[own], code
    return cluster, kind


def ring_rows(book: Book, names: Names) -> dict[str, Any]:
    rings, apps = book.rings, book.applications[book.applications["ring"] >= 0]
    by_ring = apps.groupby("ring")
    controller = (
        apps[apps["role"] == "controller"].drop_duplicates("ring").set_index("ring")["person"].reindex(rings["ring"])
    )
    dealers = by_ring["dealer"].agg(lambda each: "|".join(names("dealer", np.unique(each)).to_pylist()))
    return {
        "ring_id": names("ring", rings["ring"].to_numpy()), "typology": rings["typology"].to_numpy(),
        "size": by_ring["person"].nunique().to_numpy(), "applications": by_ring.size().to_numpy(),
        "start": book.clock.texts(by_ring["moment"].min().to_numpy()),
        "end": book.clock.texts(by_ring["moment"].max().to_numpy()),
        "planned_start": book.clock.texts(rings["start"].to_numpy()),
        "controller_id": names("applicant", controller.to_numpy().astype(np.int64)),
        "is_mega": rings["is_mega"].to_numpy(dtype=bool), "insider": rings["insider"].to_numpy(dtype=bool),
        "recidivist_of": names("ring", rings["recidivist_of"].to_numpy()),
        "reused": _or_none(rings["reused"].to_numpy(dtype=object)),
        "drift": rings["drift"].to_numpy(dtype=bool), "share_probability": rings["skill"].to_numpy(),
        "dealer_ids": dealers.to_numpy(dtype=object), "exposure": by_ring["amount"].sum().to_numpy(),
        "known_at": book.clock.texts(by_ring["moment"].min().to_numpy()),
    }  # fmt: skip


def entity_rows(book: Book, names: Names) -> dict[str, Any]:
    """Every entity that more than one honest or fraudulent party shares on purpose, with its class."""
    truth = book.entities.truth()
    raw = np.full(len(truth), None, dtype=object)
    for kind in sorted(truth["kind"].unique()):
        own = (truth["kind"] == kind).to_numpy()
        entities = truth["entity"].to_numpy()[own]
        raw[own] = _place_keys(book, entities) if kind == "place" else names(kind, entities).to_pylist()
    label = truth["cluster_id"].str.extract(r"^ring-(\d+)$")[0]
    ring = label.fillna(-1).astype(np.int64).to_numpy()
    cluster = np.where(ring >= 0, names("ring", np.asarray(ring)).to_pylist(), truth["cluster_id"].to_numpy())
    return {
        "kind": truth["kind"].replace({"place": "address", "vehicle": "vin"}).to_numpy(dtype=object),
        "entity_id": pa.array(raw, pa.string()), "cluster_id": cluster.astype(object),
        "infra_class": truth["infra_class"].to_numpy(dtype=object), "is_fraud": truth["is_fraud"].to_numpy(),
        "known_at": np.full(len(truth), book.clock.start.astype("datetime64[s]")),
    }  # fmt: skip


def _place_keys(book: Book, places: np.ndarray) -> list[str]:
    """The standard parts joined by bars: what address rows of the same home have in common."""
    parts = standard_parts(book, places)
    return ["|".join(part or "" for part in row) for row in zip(*parts.values(), strict=True)]


def would_have_rows(book: Book, names: Names) -> dict[str, Any]:
    """How every application would have performed if funded."""
    missed, n = book.app("first_missed"), len(book.applications)
    return {
        "application_id": names("application", np.arange(n)), "would_default": missed < NO_DEFAULT,
        "would_miss_instalment": np.where(missed < NO_DEFAULT, missed, 0),
        "is_fraud": book.app("fraud").astype(bool), "funded": book.app("funded_at") < NEVER,
        "released_control": book.app("released"), "known_at": book.clock.texts(book.app("moment")),
    }  # fmt: skip
