"""A menu behind a button. Mantine wraps the button in a box that tells screen readers of the menu: here the box is the
button itself, so that what is told and what is pressed are one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc


def menu(
    shown: Any,
    items: Sequence[Any],
    *,
    label: str = "",
    css: str = "",
    position: str = "bottom-end",
) -> dmc.Menu:
    """`shown` must hold nothing that can be pressed; without a `label` its text names the button."""
    button: dict[str, Any] = {"component": "button", "type": "button", "className": css, "w": "auto"}
    if label:
        button["aria-label"] = label
    target = dmc.MenuTarget(shown, boxWrapperProps=button)
    return dmc.Menu([target, dmc.MenuDropdown(list(items))], position=position, withinPortal=True)
