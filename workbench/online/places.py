"""Where the graph for scores lies, and what is said of it; quick to import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graph.errors import SnapshotError
from graph.settings import Settings

CURRENT = "current"


def desks(settings: Settings) -> Path:
    return settings.home / "desks"


def current(settings: Settings) -> str | None:
    """The name of the image that serves; None where none was made."""
    try:
        return (desks(settings) / CURRENT).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def about(settings: Settings, name: str) -> Mapping[str, Any]:
    """When it was made, up to which entry of the journal, and for which `versions`. Raises SnapshotError."""
    folder = desks(settings) / name
    try:
        told = json.loads((folder / "image.json").read_text(encoding="utf-8"))
        return {**told["about"], "versions": list(told["scorers"])}
    except (OSError, ValueError, KeyError, TypeError):
        raise SnapshotError(f"{folder} holds no image of a desk; make one: ringroad serve refresh") from None
