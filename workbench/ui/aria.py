"""What a screen reader is told."""

from __future__ import annotations

from typing import Any


def aria(**said: object) -> dict[str, Any]:
    """`html.Nav(…, **aria(label=t("Pages")))`: names get their `aria-`, underscores become hyphens."""
    return {f"aria-{name.replace('_', '-')}": value for name, value in said.items()}


def data(**told: object) -> dict[str, Any]:
    """The same with `data-`, for our own scripts."""
    return {f"data-{name.replace('_', '-')}": value for name, value in told.items()}
