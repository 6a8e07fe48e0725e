"""Valid identifiers by the hundred thousand: every function takes arrays and returns one text per row.

The check characters follow domain.md §3.4 (GB 11643, ISO 3779, GB 32100, Luhn).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from loaders.portfolio.chance import Flags, Ints, distinct

Glyphs = NDArray[np.uint8]
Text = Any
"""A pyarrow string array."""

ALPHANUMERIC = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8)
USCC = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", np.uint8)
VIN_LETTERS = np.frombuffer(b"ABCDEFGHJKLMNPRSTUVWXYZ", np.uint8)
BASE32 = np.frombuffer(b"0123456789bcdefghjkmnpqrstuvwxyz", np.uint8)
VIN_YEARS = b"ABCDEFGHJKLMNPRSTVWXY"
VIN_VALUES = dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9],
        strict=True,
    )
)
MVNO = (162, 165, 167, 170, 171)
PREFIXES = (134, 135, 136, 137, 138, 139, 150, 151, 152, 157, 158, 159, 178, 182, 183, 187, 188, 198,
            130, 131, 132, 155, 156, 166, 175, 176, 185, 186, 133, 153, 173, 177, 180, 181, 189, 199)  # fmt: skip
PUBLIC_OCTETS = (36, 39, 42, 49, 58, 59, 60, 61, 101, 106, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119,
                 120, 121, 122, 123, 124, 125, 171, 175, 180, 182, 183, 202, 210, 211, 218, 219, 221, 222)  # fmt: skip


def digits(numbers: Ints, width: int) -> Ints:
    return numbers[:, None] // 10 ** np.arange(width - 1, -1, -1, dtype=np.int64) % 10


def glyphs(numbers: Ints, width: int) -> Glyphs:
    return (digits(numbers, width) + ord("0")).astype(np.uint8)


def text(*columns: Glyphs) -> Text:
    matrix = np.ascontiguousarray(np.concatenate(columns, axis=1))
    return pa.array(matrix.view(f"S{matrix.shape[1]}").ravel(), pa.binary()).cast(pa.string())


def constant(word: str, n: int) -> Glyphs:
    return np.broadcast_to(np.frombuffer(word.encode(), np.uint8), (n, len(word)))


def words(texts: NDArray[Any], width: int) -> Glyphs:
    """Equal-length ASCII texts as a glyph matrix."""
    return texts.astype(f"S{width}").view(np.uint8).reshape(len(texts), width)


def tokens(rng: np.random.Generator, prefix: str, n: int, width: int = 10) -> Text:
    """Opaque ids whose order says nothing about class or time."""
    return text(constant(prefix, n), glyphs(distinct(rng, n, 10**width), width))


def hexes(rng: np.random.Generator, n: int, width: int) -> Text:
    alphabet = np.frombuffer(b"0123456789abcdef", np.uint8)
    return text(alphabet[rng.integers(0, 16, (n, width), dtype=np.uint8)])


def hex_of(numbers: NDArray[np.uint64]) -> Text:
    """Sixteen hexadecimal digits of a 64-bit number."""
    alphabet = np.frombuffer(b"0123456789abcdef", np.uint8)
    shifts = np.arange(60, -4, -4, dtype=np.uint64)
    return text(alphabet[(numbers[:, None] >> shifts & np.uint64(15)).astype(np.int64)])


def resident_ids(rng: np.random.Generator, region: Ints, birth: NDArray[np.datetime64], male: Flags) -> Text:
    """Different 18-character numbers; the sequence digit carries the gender."""
    days = np.datetime_as_string(birth, unit="D")
    born = np.array([day.replace("-", "") for day in days], dtype=np.int64)
    stem = (region * 10**8 + born) * 1000
    sequence = rng.integers(0, 499, len(region)) * 2 + male
    while len(repeated := _repeated(stem + sequence)):
        sequence[repeated] = rng.integers(0, 499, len(repeated)) * 2 + male[repeated]
    body = digits(stem + sequence, 17)
    weights = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
    check = np.frombuffer(b"10X98765432", np.uint8)[body @ weights % 11]
    return text((body + ord("0")).astype(np.uint8), check[:, None])


def _repeated(keys: Ints) -> Ints:
    first = np.unique(keys, return_index=True)[1]
    return np.setdiff1d(np.arange(len(keys)), first)


def mobiles(rng: np.random.Generator, prefix: Ints) -> Text:
    """Different numbers: the eight digits after the prefix never repeat."""
    return text(glyphs(prefix, 3), glyphs(distinct(rng, len(prefix), 10**8), 8))


def vins(rng: np.random.Generator, wmi: NDArray[Any], year: Ints) -> Text:
    n = len(wmi)
    body = np.concatenate([
        words(wmi, 3), VIN_LETTERS[rng.integers(0, len(VIN_LETTERS), (n, 5))], constant("0", n),
        np.frombuffer(VIN_YEARS, np.uint8)[(year - 2010) % len(VIN_YEARS)][:, None],
        VIN_LETTERS[rng.integers(0, 8, (n, 1))], glyphs(distinct(rng, n, 10**6), 6),
    ], axis=1)  # fmt: skip
    value = np.zeros(256, np.int64)
    value[ord("0") : ord("9") + 1] = np.arange(10)
    for letter, worth in VIN_VALUES.items():
        value[ord(letter)] = worth
    weights = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
    body[:, 8] = np.frombuffer(b"0123456789X", np.uint8)[value[body] @ weights % 11]
    return text(body)


def credit_codes(rng: np.random.Generator, region: Ints) -> Text:
    """Companies (91...) with both check characters: the organisation code's and the whole code's."""
    n = len(region)
    organisation = np.concatenate([constant("MA", n), glyphs(distinct(rng, n, 10**6), 6)], axis=1)
    worth = np.zeros(256, np.int64)
    worth[ALPHANUMERIC] = np.arange(36)
    remainder = 11 - worth[organisation] @ np.array([3, 7, 9, 10, 5, 8, 4, 2]) % 11
    check = np.where(remainder == 10, ord("X"), np.where(remainder == 11, ord("0"), remainder + ord("0")))
    body = np.concatenate([constant("91", n), glyphs(region, 6), organisation, check[:, None].astype(np.uint8)], axis=1)
    place = np.zeros(256, np.int64)
    place[USCC] = np.arange(31)
    weights = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
    return text(body, USCC[(31 - place[body] @ weights % 31) % 31][:, None])


def imeis(rng: np.random.Generator, n: int) -> Text:
    body = digits(86 * 10**12 + rng.integers(0, 10**12, n), 14)
    doubled = body[:, 1::2] * 2
    total = body[:, ::2].sum(axis=1) + (doubled // 10 + doubled % 10).sum(axis=1)
    return text((body + ord("0")).astype(np.uint8), (-total % 10 + ord("0")).astype(np.uint8)[:, None])


def public_ips(rng: np.random.Generator, n: int) -> Text:
    """Different IPv4 addresses outside every private or reserved range."""
    rest = distinct(rng, n, 2**24 - 1)
    first = np.array(PUBLIC_OCTETS)[rng.integers(0, len(PUBLIC_OCTETS), n)]
    parts = [first, rest >> 16 & 255, rest >> 8 & 255, rest & 255]
    return _joined(parts, ".")


def public_ipv6(rng: np.random.Generator, n: int) -> Text:
    rest = distinct(rng, n, 2**48)
    return text(constant("240e:", n), words(_hex4(rest >> 32), 4), constant(":", n), words(_hex4(rest >> 16), 4),
                constant(":", n), words(_hex4(rest), 4), constant("::1", n))  # fmt: skip


def _hex4(numbers: Ints) -> NDArray[Any]:
    alphabet = np.frombuffer(b"0123456789abcdef", np.uint8)
    low = numbers & 0xFFFF | 0x1000
    matrix = alphabet[low[:, None] >> np.array([12, 8, 4, 0]) & 15]
    return np.ascontiguousarray(matrix).view("S4").ravel()


def _joined(parts: list[Ints], separator: str) -> Text:
    return pc.binary_join_element_wise(*[pa.array(part).cast(pa.string()) for part in parts], separator)


def geohash7(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Text:
    """Cells of about 150 m; 35 bits, longitude first."""
    x = ((lon + 180) / 360 * 2**18).astype(np.int64)
    y = ((lat + 90) / 180 * 2**17).astype(np.int64)
    interleaved = np.zeros(len(lat), np.int64)
    for bit in range(18):
        interleaved |= (x >> bit & 1) << 2 * bit
    for bit in range(17):
        interleaved |= (y >> bit & 1) << 2 * bit + 1
    return text(BASE32[interleaved[:, None] >> np.arange(30, -5, -5) & 31])
