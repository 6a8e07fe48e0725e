"""What the members of a ring share, and how rings evade: rotation, new pools after an alert, camouflage."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Flags, Ints, chance, pick, some, uniform, whole
from loaders.portfolio.clock import DAY, NEVER
from loaders.portfolio.rings import share_of

ENTITY = {
    "device": "device", "ip": "ip", "contact": "phone", "work_phone": "phone", "employer": "employer",
    "payer": "account", "repayer": "account", "home": "place", "template": "template", "speaker": "speaker",
    "buyer": "party", "vehicle": "vehicle",
}  # fmt: skip
COLUMN = {"contact": "contact0"}
OF_PERSON = ("work_phone", "employer", "home")
GENERATION = 1000
"""Slots of a ring's first pool; those of the pool after an alert follow."""


def share_pools(book: Book) -> None:
    """Ring members take the ring's entities; every use is decided by the ring's carelessness."""
    members = np.flatnonzero((book.app("ring") >= 0) & (book.app("deal") == np.arange(len(book.applications))))
    pools = {kind: _pool(book, kind, members) for kind in ENTITY}
    reused = _recidivists(book, pools)
    for kind, pool in pools.items():
        _use(book, kind, pool, members)
    _camouflage(book, members)
    _bystanders(book, members)
    book.rings["reused"] = reused


def _pool(book: Book, kind: str, members: Ints) -> pd.DataFrame:
    """Ring, slot and entity for every member; members in sequence stand in one slot until it is rotated."""
    rng, ring = book.streams(f"pool {kind}"), book.app("ring")[members]
    uses = _uses(book, rng, kind)[ring]
    slot = book.app("order")[members] // uses + GENERATION * _replaced(book, members)
    keys, inverse = np.unique(ring * 10 * GENERATION + slot, return_inverse=True)
    entities = book.entities.new(ENTITY[kind], len(keys))
    city = book.rings["city"].to_numpy()[keys // (10 * GENERATION)]
    facts = {"city": city, **_look(book, rng, kind, len(keys))}
    book.entities.note(ENTITY[kind], entities, **facts)
    return pd.DataFrame({"ring": ring, "slot": slot, "entity": entities[inverse]})


def _look(book: Book, rng: np.random.Generator, kind: str, n: int) -> dict[str, object]:
    if kind == "employer":
        return {"kind": "shell"}
    if kind in ("payer", "repayer"):
        return {
            "card_type": np.where(chance(rng, book.p["accounts.ring_debit"], n), "debit", "corporate").astype(object)
        }
    if kind in ("contact", "work_phone"):
        return {"mvno": chance(rng, book.p["phones.mvno_share.fraud"], n)}
    return {}


def _uses(book: Book, rng: np.random.Generator, kind: str) -> Ints:
    """Applications per pool entity, one figure a ring."""
    spans = {
        "contact": book.p["evasion.rotate_contact_every"],
        "device": book.p["evasion.rotate_device_every"],
    }
    uses = book.p["fraud.entity_uses"][kind]
    return whole(rng, spans.get(kind, (uses, uses)), len(book.rings))


def _replaced(book: Book, members: Ints) -> Ints:
    """1 for members who came after the ring was alerted and had bought new equipment."""
    rng, p = book.streams("adaptation"), book.p["evasion"]
    alerts = book.applications.loc[members].query("discovery == 'review'").groupby("ring")["label_at"].min()
    alert = alerts.reindex(book.rings["ring"]).fillna(NEVER // 2).to_numpy().astype(np.int64)
    renewed = alert + (uniform(rng, p["adaptation_days"], len(alert)) * DAY).astype(np.int64)
    renewed[~chance(rng, p["adaptation"], len(alert))] = NEVER // 2
    return np.where(book.app("moment")[members] > renewed[book.app("ring")[members]], 1, 0)


def _recidivists(book: Book, pools: dict[str, pd.DataFrame]) -> list[str]:
    """The new ring of an old controller keeps one or two of the old entities."""
    rng, kept = book.streams("recidivism"), [""] * len(book.rings)
    for child, parent in book.rings.loc[book.rings["recidivist_of"] >= 0, ["ring", "recidivist_of"]].to_numpy():
        usable = [kind for kind in ("payer", "device", "contact", "work_phone") if share_kind(book, child, kind)]
        count = int(whole(rng, book.p["evasion.reused_entities"], 1)[0])
        kinds = [str(kind) for kind in rng.permutation(usable)[:count]]
        for kind in kinds:
            pool = pools[kind]
            old = pool.loc[pool["ring"] == parent, "entity"].iloc[-1]
            pool.loc[(pool["ring"] == child) & (pool["slot"] == 0), "entity"] = old
        kept[child] = "|".join(kinds)
    return kept


def share_kind(book: Book, ring: int, kind: str) -> float:
    typology = book.rings["typology"].iloc[ring]
    return float(book.p["typologies"][typology]["shares"].get(kind, 0))


def _use(book: Book, kind: str, pool: pd.DataFrame, members: Ints) -> None:
    rng, apps = book.streams(f"use {kind}"), book.applications
    skill = np.r_[book.rings["skill"].to_numpy(), 0.0][book.app("ring")]
    share = share_of(book, kind, skill)[members]
    if kind == "template":
        share *= np.where(book.app("moment")[members] >= book.clock.drift, book.p["drift.template_reuse"], 1.0)
    takes = chance(rng, share, len(members))
    rows, entities = members[takes], pool["entity"].to_numpy()[takes]
    column = COLUMN.get(kind, kind)
    if kind in OF_PERSON:
        book.people.loc[book.app("person")[rows], column] = entities
    else:
        apps.loc[rows, column] = entities
        apps[column] = book.by_deal(book.app(column))
    if kind in ("device", "ip"):
        _leave_shop(book, rows, keep_ip=kind == "ip")
    names = np.array([f"ring-{number}" for number in pool["ring"].to_numpy()[takes]], dtype=object)
    book.entities.belongs(ENTITY[kind], entities, names, "none", fraud=True)


def _leave_shop(book: Book, rows: Ints, *, keep_ip: bool) -> None:
    """Who works on the ring's device or network does not stand in the shop's WiFi."""
    apps = book.applications
    moved = np.isin(book.app("deal"), rows)
    apps.loc[moved, ["in_shop", "vpn"]] = False
    apps.loc[moved, "wifi"] = NONE
    if keep_ip:  # a flat's broadband or a 4G router
        apps.loc[moved, "ip_type"] = np.where(book.app("ip")[moved] % 2, "broadband", "mobile_nat")
        return
    apps.loc[moved, ["ip", "ip_type"]] = apps.loc[moved, ["outside_ip", "outside_type"]].to_numpy()


def _camouflage(book: Book, members: Ints) -> None:
    """Members claim a big employer or a community, so that every ring hangs on a hub."""
    rng, people = book.streams("camouflage"), book.people
    links = pick(rng, book.p["evasion.camouflage_links"], len(members)).astype(int)
    person = book.app("person")[members]
    kind = book.entities.fact("employer", "kind", "")
    donors = people[(kind[people["employer"]] == "switchboard") & (people["employer"] >= 0)]
    works = person[(links > 0) & (people["work_phone"].to_numpy()[person] == NONE)]
    chosen = donors.iloc[rng.integers(0, len(donors), len(works))]
    people.loc[works, ["employer", "work_phone"]] = chosen[["employer", "work_phone"]].to_numpy()
    community = book.entities.fact("place", "community", NONE)
    neighbours = people[(community[people["home"]] >= 0) & ~people["fraud"]]
    lives = person[(links > 1) & _unshared(people["home"].to_numpy(), person)]
    chosen = neighbours.iloc[rng.integers(0, len(neighbours), len(lives))]
    people.loc[lives, "home"] = chosen["home"].to_numpy()


def _unshared(entities: Ints, rows: Ints) -> Flags:
    return np.asarray(np.bincount(entities)[entities[rows]] == 1)


def _bystanders(book: Book, members: Ints) -> None:
    """Innocent relatives with an honest loan of their own, reachable under the number a ring member gave."""
    rng, apps = book.streams("bystanders"), book.applications
    named = some(rng, members, round(len(members) * book.p["evasion.bystanders"]))
    free = (book.app("kind") == "plain") & (book.person("household") == NONE)
    plain = np.flatnonzero(free & (book.app("deal") == np.arange(len(apps))))
    relatives = some(rng, plain, len(named))
    apps.loc[named, "contact1"] = book.person("phone")[relatives]
    apps["contact1"] = book.by_deal(book.app("contact1"))
    apps["bystander_of"] = NONE
    apps.loc[relatives, "bystander_of"] = book.app("ring")[named]
    people = book.people
    people.loc[book.app("person")[relatives], "home"] = people["home"].to_numpy()[book.app("person")[named]]
