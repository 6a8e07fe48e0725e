"""Places: region codes (GB/T 2260), geohashes, coordinates."""

from __future__ import annotations

import re
from typing import Final

from graph.normalise.reading import Reading, refused
from graph.normalise.text import at_border, compact

_MAINLAND: Final = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65"
MAINLAND: Final = frozenset(_MAINLAND.split())
RESIDENCE_PERMITS: Final = frozenset({"81", "82", "83"})  # people of Hong Kong, Macao and Taiwan
PROVINCES: Final = MAINLAND | RESIDENCE_PERMITS | {"71"}

_REGION: Final = re.compile(r"[0-9]{6}")
_GEOHASH: Final = re.compile(r"[0-9b-hjkmnp-z]{5,12}")
_NULL_ISLAND: Final = "s00000000000"  # latitude and longitude 0: a device that had no fix


def _read_region(text: str) -> Reading:
    """Retired county codes pass: they stay in ID numbers for a lifetime."""
    code = compact(text)
    if not _REGION.fullmatch(code):
        return refused("region_malformed")
    return Reading(code) if code[:2] in PROVINCES else refused("region_province")


def _read_geohash(text: str) -> Reading:
    cell = text.lower() if text.isascii() else ""
    if not _GEOHASH.fullmatch(cell):
        return refused("geohash_malformed")
    return refused("placeholder") if _NULL_ISLAND.startswith(cell) else Reading(cell)


def valid_coordinates(lat: float, lon: float) -> bool:
    """Inside China's bounding box, in degrees. Zero, NaN and swapped axes of most places fall outside."""
    return 3 <= lat <= 54 and 73 <= lon <= 136


read_region = at_border(_read_region)
read_geohash = at_border(_read_geohash)


def mask_geohash(value: str) -> str:
    """Six characters: a cell of about 1.2 by 0.6 km."""
    return f"{value[:6]}*"
