"""What an investigation is about: a ring or a single application."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graph.errors import NodeNotFound

RING, APPLICATION = "ring", "application"


@dataclass(frozen=True)
class Subject:
    """`kind` is ring or application; `name` the ring's lasting name or the lender's application number."""

    kind: str
    name: str

    def __post_init__(self) -> None:
        if self.kind not in (RING, APPLICATION) or not re.fullmatch(r"[\w.:-]{1,255}", self.name):
            raise NodeNotFound("there is no such ring or application; open one from the queue")

    @property
    def href(self) -> str:
        return f"/{self.kind}/{self.name}"
