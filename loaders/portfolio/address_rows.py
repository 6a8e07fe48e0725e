"""Addresses as applicants state them: the same home in several spellings, the standard parts beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Ints, chance
from loaders.portfolio.names import Names, joined, numbered, only


def draw_places(book: Book) -> None:
    """Facts of every place: its own random ones, or its community's street and name."""
    rng, fact, note = book.streams("places"), book.entities.fact, book.entities.note
    n = book.entities.sizes["place"]
    places = np.arange(n)
    own = {
        "district": rng.integers(0, len(book.words["districts"]), n),
        "street": rng.integers(0, len(book.words["streets"]), n), "number": rng.integers(1, 900, n),
        "estate": rng.integers(0, len(book.words["communities"]), n), "unit": rng.integers(1, 5, n),
        "room": rng.integers(1, 30, n) * 100 + rng.integers(1, 5, n), "lat_off": rng.normal(0, 0.09, n),
        "lon_off": rng.normal(0, 0.09, n),
    }  # fmt: skip
    community = fact("place", "community", NONE)
    founder = _first_place(community)
    leader = np.where(community >= 0, founder[community], places)
    village = np.isin(fact("place", "kind", "residence"), ("urban_village",))
    for name in ("district", "street", "number", "estate", "lat_off", "lon_off"):
        note("place", places, **{name: own[name][leader]})
    built = fact("place", "building", 0)
    note(
        "place",
        places,
        building=np.where(built > 0, built, rng.integers(1, 25, n)),
        village=village,
        unit=own["unit"],
        room=own["room"],
    )


def _first_place(community: Ints) -> Ints:
    """A place that stands for each community."""
    first = np.zeros(int(community.max(initial=-1)) + 1, np.int64)
    first[community[community >= 0][::-1]] = np.flatnonzero(community >= 0)[::-1]
    return first if len(first) else np.zeros(1, np.int64)


def address_rows(book: Book, names: Names) -> dict[str, Any]:
    """One row per applicant: what this applicant wrote."""
    rng, people = book.streams("address rows"), book.people
    place = people["home"].to_numpy()
    n, fact = len(place), book.entities.fact
    parts = standard_parts(book, place)
    level = fact("place", "level", "room")[place]
    jitter = rng.normal(0, 0.0002, (2, n))
    city = book.cities.iloc[fact("place", "city", 0)[place]]
    return {
        "address_id": names("address", np.arange(n)), "raw": _spelled(book, rng, parts), **parts,
        "level": level, "lat": city["lat"].to_numpy() + fact("place", "lat_off", 0.0)[place] + jitter[0],
        "lon": city["lon"].to_numpy() + fact("place", "lon_off", 0.0)[place] + jitter[1],
        "geocode_confidence": rng.beta(12, 2, n), "kind": fact("place", "kind", "residence")[place],
        "known_at": book.clock.texts(people["moment"].to_numpy()),
    }  # fmt: skip


def standard_parts(book: Book, place: Ints) -> dict[str, np.ndarray]:
    """Province down to room; parts below the stated level are empty."""
    fact, words = book.entities.fact, book.words
    city = book.cities.iloc[fact("place", "city", 0)[place]]
    level = fact("place", "level", "room")[place]
    estate, village = (
        fact("place", "estate", 0)[place],
        fact("place", "village", False)[place] | (level == "village"),
    )
    name = np.where(village, words["villages"][estate % len(words["villages"])], words["communities"][estate])
    room = level == "room"
    building = numbered(fact("place", "building", 0)[place], after="栋")
    number = numbered(fact("place", "number", 0)[place], after="号")
    return {
        "province": city["province"].to_numpy(), "city": city["city"].to_numpy(),
        "district": words["districts"][fact("place", "district", 0)[place]],
        "street": joined(words["streets"][fact("place", "street", 0)[place]], number),
        "community": name, "building": only(level != "village", building),
        "unit": only(room, numbered(fact("place", "unit", 0)[place], after="单元")),
        "room": only(room, numbered(fact("place", "room", 0)[place])),
    }  # fmt: skip


def _spelled(book: Book, rng: np.random.Generator, parts: dict[str, np.ndarray]) -> np.ndarray:
    """Free text; a third of the people drop the province or write 号楼 and dashes."""
    n = len(parts["city"])
    filled = {name: pd.Series(values).fillna("").to_numpy(dtype=object) for name, values in parts.items()}
    room = np.where(filled["room"] == "", "", filled["room"] + "室").astype(object)
    variant = chance(rng, book.p["data_quality.address_free_text_variants"], n)
    dropped = variant & chance(rng, 0.5, n)
    head = np.where(dropped | (filled["province"] == filled["city"]), "", filled["province"]).astype(object)
    full = joined(
        head,
        *[filled[name] for name in ("city", "district", "street", "community", "building", "unit")],
        room,
    )
    dashed = [
        text.replace("栋", "号楼").replace("单元", "-") if each else text
        for text, each in zip(full, variant & ~dropped, strict=True)
    ]
    return np.array(dashed, dtype=object)
