"""The reports there are. Each is one file of this folder with a class of kind `ReportKind`, found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from graph.errors import NodeNotFound
from workbench.reports.document import Report, Section
from workbench.schedule.slots import Cadence, Slot
from workbench.services.all import Services
from workbench.services.permissions import SCHEDULE, Person
from workbench.ui.i18n import language

F = TypeVar("F")

INSTANT = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Asked:
    """A report is asked for by somebody, about a slot. Everything is read as of `as_of`, its last instant."""

    services: Services
    slot: Slot
    now: datetime
    who: Person = SCHEDULE

    @property
    def as_of(self) -> datetime:
        return self.slot.end - INSTANT


class ReportKind(ABC, Generic[F]):
    """`gather` reads once, whatever the languages; `sections` says it, in the language of the context.

    A promise of each: all its sections are there for every store that holds an application, however little else.
    """

    name: ClassVar[str]
    cadence: ClassVar[Cadence]

    @abstractmethod
    def title(self) -> str: ...

    @abstractmethod
    def about(self) -> str:
        """One sentence for the list of reports."""

    @abstractmethod
    def gather(self, asked: Asked) -> F: ...

    @abstractmethod
    def sections(self, facts: F) -> Iterator[Section]: ...

    @abstractmethod
    def counted(self) -> Iterator[str]:
        """How the figures are counted."""

    def written(self, asked: Asked, facts: F, code: str) -> Report:
        with spoken(code):
            return Report(
                self.name, self.title(), asked.slot, asked.as_of, asked.now, code,
                tuple(self.sections(facts)), tuple(self.counted()),
            )  # fmt: skip


@contextmanager
def spoken(code: str) -> Iterator[None]:
    before = language.set(code)
    try:
        yield
    finally:
        language.reset(before)


class _Found(Mapping[str, ReportKind[Any]]):
    """Read when it is first asked for: what reports import takes seconds."""

    def __getitem__(self, name: str) -> ReportKind[Any]:
        return _every()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_every())

    def __len__(self) -> int:
        return len(_every())


REPORTS: Mapping[str, ReportKind[Any]] = _Found()
"""By name, in the order of the alphabet."""


def kind_of(name: str) -> ReportKind[Any]:
    """Raises NodeNotFound."""
    if name not in REPORTS:
        raise NodeNotFound(f"there is no report {name[:40]!r}; there are {', '.join(REPORTS)}")
    return REPORTS[name]


@cache
def _every() -> dict[str, ReportKind[Any]]:
    here = Path(__file__).parent
    modules = [
        importlib.import_module(f"{__package__}.{each.name}")
        for each in pkgutil.iter_modules([str(here / "kinds")], prefix="kinds.")
    ]
    found = [
        one()
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, ReportKind) and one.__module__ == module.__name__
    ]
    return {each.name: each for each in sorted(found, key=lambda one: one.name)}
