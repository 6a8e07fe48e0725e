"""What sessions and papers told of applications that came by file, kept beside an image so that they can be explained.

An image holds what everybody shares; how an application was filled in stands in events, of which a million
applications have many millions. What is read of them is nine small numbers each.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnn.book import Book
from gnn.features.facts import EVENTS, FLAGS, PAPERS, event_facts
from gnn.files import ApplicationFile

FILE = "sessions.npy"
UNSAID = -1
MOST = np.iinfo(np.int16).max

Small = npt.NDArray[np.int16]
PLACE = {name: at for at, name in enumerate(EVENTS)}


def of(book: Book) -> Small:
    """Per row of the book; `UNSAID` where nobody loads any."""
    facts = event_facts(book)
    return np.where(np.isnan(facts), UNSAID, np.clip(np.nan_to_num(facts), 0, MOST)).astype(np.int16)


def save(folder: Path, book: Book) -> None:
    np.save(folder / FILE, of(book))


def read(folder: Path) -> Small | None:
    """Mapped, not read; None where an earlier release made the image."""
    try:
        kept: Small = np.load(folder / FILE, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    return kept


def with_events(file: ApplicationFile, told: Small) -> ApplicationFile:
    """The file with events and papers that say as much as those that it came with."""
    return replace(file, device_events=_events(told), documents=_papers(told))


def _events(told: Small) -> tuple[dict[str, Any], ...] | None:
    count = int(told[PLACE["session_events"]])
    if count == UNSAID:
        return None
    flags = {flag: bool(value) for name, flag in FLAGS.items() if (value := int(told[PLACE[name]])) != UNSAID}
    return (*([flags] if count else []), *({} for _ in range(count - 1)))


def _papers(told: Small) -> tuple[str | None, ...] | None:
    count = int(told[PLACE["documents"]])
    if count == UNSAID:
        return None
    kinds = [kind for kind in PAPERS if int(told[PLACE[f"has_{kind}"]]) == 1]
    return (*kinds, *(None for _ in range(count - len(kinds))))
