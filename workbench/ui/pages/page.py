"""What a page is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from re import Pattern
from typing import Any

from dash import Dash

from workbench.services.all import Services
from workbench.services.permissions import Act, Person

Layout = Callable[[Services, Person, Mapping[str, str]], Any]
Register = Callable[[Dash, Services], None]


@dataclass(frozen=True)
class Page:
    """`path` matches the whole address and names its parts; `layout` gets them. `rail`: the paths of its icon (24 x 24)
    in the rail, "" for a page that others lead to. `title` is the English of its name, for `t`."""

    path: Pattern[str]
    title: str
    act: Act
    layout: Layout
    register: Register = lambda _app, _services: None
    rail: str = ""
    href: str = ""
