"""Pages that look alike: perceptual hashes a few bits apart are one template."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba.extending import intrinsic
from pyarrow import compute

from graph.records import Ints
from graph.snapshot import Snapshot

PAGE = "^page:[0-9a-f]{16}$"
"""The key of a template that is known by its perceptual hash of 64 bits."""

SAME_PAGE_BITS = 6
"""Hashes that differ in no more bits are one page (domain.md R28)."""

BLOCKS, BLOCK_BITS = 4, 16
"""Of six differing bits some quarter of the hash has at most one: that finds the candidates."""

Bits = npt.NDArray[np.uint64]


def same_pages(snapshot: Snapshot, as_of: int) -> Ints:
    """Per document template the first known one that it looks like, itself for most.

    A page joins the earliest page within `SAME_PAGE_BITS`; pages do not chain on from there.
    """
    nodes = snapshot.nodes["DocTemplate"]
    first = np.arange(len(nodes))
    keys = nodes.table["key"].combine_chunks()
    hashed = compute.match_substring_regex(keys, PAGE).to_numpy(zero_copy_only=False) & (nodes.known_at <= as_of)
    at = np.flatnonzero(hashed)
    digits = "".join(compute.utf8_slice_codeunits(keys.take(pa.array(at)), -16).to_pylist())
    first[at] = at[leaders(np.frombuffer(bytes.fromhex(digits), dtype=">u8").astype(np.uint64))]
    return first


def leaders(bits: Bits) -> Ints:
    """Per hash the place of the first one that claimed it."""
    shifts = np.arange(BLOCKS, dtype=np.uint64) * np.uint64(BLOCK_BITS)
    blocks = ((bits[None, :] >> shifts[:, None]) & np.uint64(2**BLOCK_BITS - 1)).astype(np.int64)
    order = np.argsort(blocks, axis=1, kind="stable")
    start = np.stack([np.concatenate([[0], np.cumsum(np.bincount(each, minlength=2**BLOCK_BITS))]) for each in blocks])
    return np.asarray(_claim(bits, blocks, order, bits[order], start))


@intrinsic
def _ones(_context: Any, word: Any) -> Any:
    """How many bits are set: one instruction, which NumPy 2 has and Numba has not."""
    return word(word), lambda _, builder, __, arguments: builder.ctpop(arguments[0])


@numba.njit(cache=True)
def _claim(bits: Bits, blocks: Ints, order: Ints, sorted_bits: Bits, start: Ints) -> Ints:
    """Each page that nobody claimed yet claims the later ones it looks like."""
    leader = np.full(len(bits), -1, dtype=np.int64)
    for page in range(len(bits)):
        if leader[page] >= 0:
            continue
        leader[page] = page
        for block in range(BLOCKS):
            for flip in range(-1, BLOCK_BITS):
                near = blocks[block, page] ^ (1 << flip if flip >= 0 else 0)
                for at in range(start[block, near], start[block, near + 1]):
                    if _ones(bits[page] ^ sorted_bits[block, at]) <= SAME_PAGE_BITS:  # type: ignore[call-arg]
                        other = order[block, at]
                        if leader[other] < 0:
                            leader[other] = page
    return leader
