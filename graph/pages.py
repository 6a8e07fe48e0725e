"""Pages that look alike: perceptual hashes a few bits apart are one template.

A page belongs to the earliest page that it looks like, so what is known later changes nothing
about earlier pages. A snapshot finds this out once, for all its pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba.extending import intrinsic
from pyarrow import compute

from graph.records import Ints, ranges

PAGE = "^page:[0-9a-f]{16}$"
"""The key of a template that is known by its perceptual hash of 64 bits."""

SAME_PAGE_BITS = 6
"""Hashes that differ in no more bits are one page (domain.md R28)."""

BLOCKS, BLOCK_BITS = 4, 16
"""Of six differing bits some quarter of the hash has at most one: that finds the candidates."""

Bits = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Pages:
    """Per document template the first that it looks like, itself for most."""

    first: Ints

    @cached_property
    def _grouped(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.first, kind="stable")
        return order, np.concatenate([[0], np.cumsum(np.bincount(self.first, minlength=len(self.first)))])

    def alike(self, firsts: Ints) -> Ints:
        """All templates that belong to these."""
        order, start = self._grouped
        return np.asarray(order[ranges(start[firsts], start[firsts + 1] - start[firsts])])


def same_pages(keys: pa.ChunkedArray, before: Pages | None = None) -> Pages:
    """Of templates in the order in which they became known; `before` are the first of them, compared already.

    A page joins the earliest page within `SAME_PAGE_BITS`; pages do not chain on from there.
    """
    keys = keys.combine_chunks()
    first = np.arange(len(keys))
    at = np.flatnonzero(compute.match_substring_regex(keys, PAGE).to_numpy(zero_copy_only=False))
    digits = "".join(compute.utf8_slice_codeunits(keys.take(pa.array(at)), -16).to_pylist())
    bits = np.frombuffer(bytes.fromhex(digits), dtype=">u8").astype(np.uint64)
    old = np.zeros(0, dtype=np.int64)
    if before is not None:
        old = np.searchsorted(at, before.first[at[at < len(before.first)]])
    first[at] = at[leaders(bits, old)]
    return Pages(first)


def leaders(bits: Bits, old: Ints | None = None) -> Ints:
    """Per hash the place of the first leader it looks like; `old` are those of the first hashes."""
    shifts = np.arange(BLOCKS, dtype=np.uint64) * np.uint64(BLOCK_BITS)
    blocks = ((bits[None, :] >> shifts[:, None]) & np.uint64(2**BLOCK_BITS - 1)).astype(np.int64)
    order = np.argsort(blocks, axis=1, kind="stable")
    start = np.stack([np.concatenate([[0], np.cumsum(np.bincount(each, minlength=2**BLOCK_BITS))]) for each in blocks])
    leader = np.full(len(bits), -1, dtype=np.int64)
    known = 0 if old is None else len(old)
    leader[:known] = old if old is not None else 0
    buckets = Buckets(blocks, start, order, bits[order])
    _join(bits, buckets, leader, known)
    _claim(bits, buckets, leader)
    return leader


@intrinsic
def _ones(_context: Any, word: Any) -> Any:
    """How many bits are set: one instruction, which NumPy 2 has and Numba has not."""
    return word(word), lambda _, builder, __, arguments: builder.ctpop(arguments[0])


class Buckets(NamedTuple):
    """Pages by each quarter of their hash: those of bucket b are `order[q, start[q, b]:start[q, b + 1]]`."""

    blocks: Ints
    start: Ints
    order: Ints
    bits: Bits


@numba.njit(cache=True)
def _join(bits: Bits, near: Buckets, leader: Ints, known: int) -> None:
    """Each page from `known` on joins the first leader before `known` that it looks like, if there is one."""
    if known == 0:
        return
    for page in range(known, len(bits)):
        best = known
        for block in range(BLOCKS):
            for flip in range(-1, BLOCK_BITS):
                bucket = near.blocks[block, page] ^ (1 << flip if flip >= 0 else 0)
                for at in range(near.start[block, bucket], near.start[block, bucket + 1]):
                    other = near.order[block, at]
                    if other >= best:
                        break  # a bucket is in the order of its pages
                    if leader[other] == other and _ones(bits[page] ^ near.bits[block, at]) <= SAME_PAGE_BITS:  # type: ignore[call-arg]
                        best = other
        if best < known:
            leader[page] = best


@numba.njit(cache=True)
def _claim(bits: Bits, near: Buckets, leader: Ints) -> None:
    """Each page that nobody claimed yet leads, and claims the later ones that look like it."""
    for page in range(len(bits)):
        if leader[page] >= 0:
            continue
        leader[page] = page
        for block in range(BLOCKS):
            for flip in range(-1, BLOCK_BITS):
                bucket = near.blocks[block, page] ^ (1 << flip if flip >= 0 else 0)
                for at in range(near.start[block, bucket], near.start[block, bucket + 1]):
                    if _ones(bits[page] ^ near.bits[block, at]) <= SAME_PAGE_BITS:  # type: ignore[call-arg]
                        other = near.order[block, at]
                        if leader[other] < 0:
                            leader[other] = page
