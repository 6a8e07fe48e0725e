"""A file for `dcc.Download`."""

from __future__ import annotations

from base64 import b64encode


def file(content: bytes, name: str) -> dict[str, object]:
    return {"content": b64encode(content).decode(), "filename": name, "base64": True}
