"""A home for a whole file of tests. What no process writes to is linked; the rest is copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.service.conftest import Asking, asking


def a_home(trained: Path, place: Path) -> Path:
    """Images are mapped copy-on-write, so they are linked: who damages a file puts another in its place."""

    def taken(source: str, target: str) -> str:
        return str(shutil.copy2(source, target))

    def linked(source: str, target: str) -> str:
        if source.endswith((".npy", ".arrow")):
            Path(target).hardlink_to(source)
            return target
        return taken(source, target)

    place.mkdir(parents=True, exist_ok=True)
    home = place / "home"
    shutil.copytree(trained, home, copy_function=taken, ignore=shutil.ignore_patterns("desks", "run"))
    try:
        shutil.copytree(trained / "desks", home / "desks", copy_function=linked)
    except shutil.Error:  # on another disk
        shutil.rmtree(home / "desks")
        shutil.copytree(trained / "desks", home / "desks")
    return home


@contextmanager
def in_process(trained: Path, factory: pytest.TempPathFactory, **environ: str) -> Iterator[Asking]:
    with asking(a_home(trained, factory.mktemp("asked")), **environ) as one:
        yield one
