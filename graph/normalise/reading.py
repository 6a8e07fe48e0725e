"""What reading a raw value gives, and what a kind of identifier is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Reading(NamedTuple):
    """`value` None: there is no canonical form, or the value must never link two people.

    `reason` is set exactly then. `warning` accompanies a value that stands but
    deserves a look. Both are codes of `REASONS`; neither ever holds the value.
    """

    value: str | None
    reason: str | None = None
    warning: str | None = None


def refused(reason: str) -> Reading:
    return Reading(None, reason)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of identifier. `read` never raises, whatever cell it is given.

    `mask` takes a canonical value; what it lets through is a promise of domain.md §3.4.
    """

    name: str
    read: Callable[[object], Reading]
    mask: Callable[[str], str]

    def normalise(self, raw: object) -> str | None:
        """The graph key of the value; normalising it again changes nothing."""
        return self.read(raw).value
