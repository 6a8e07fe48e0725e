"""The parameters of a portfolio: one YAML file, a partial file laid over it, unknown keys refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from graph.errors import InputError

DEFAULTS = Path(__file__).parent / "parameters.yaml"


class ParameterError(InputError):
    """A parameter file names what does not exist or gives it the wrong shape."""


class Parameters:
    """`p["evasion.recidivism"]`; the path is the YAML path."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree

    @classmethod
    def load(cls, overrides: Path | None = None) -> Parameters:
        tree = _read(DEFAULTS)
        return cls(_overlaid(tree, _read(overrides), "") if overrides else tree)

    def __getitem__(self, path: str) -> Any:
        found: Any = self.tree
        for step in path.split("."):
            found = found[step]
        return found

    def per(self, path: str, applications: int) -> int:
        """A quota given `..._per_60k` (or 100k, 300k), scaled to this portfolio; at least one."""
        base = {"60k": 60_000, "100k": 100_000, "300k": 300_000}[path.rsplit("_", 1)[-1]]
        return max(1, round(float(self[path]) * applications / base))


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ParameterError(f"parameters {path}: cannot be read ({error})") from error
    if not isinstance(tree, dict):
        raise ParameterError(f"parameters {path}: expected a mapping of names to values")
    return {str(key): _named(value) for key, value in tree.items()}


def _named(tree: Any) -> Any:
    """YAML reads `1:` as a number; every key is a name here."""
    return {str(key): _named(value) for key, value in tree.items()} if isinstance(tree, dict) else tree


def _overlaid(base: dict[str, Any], over: Mapping[str, Any], where: str) -> dict[str, Any]:
    unknown = sorted(set(over) - set(base))
    if unknown:
        raise ParameterError(f"parameters: unknown key {where}{unknown[0]}; known here: {', '.join(base)}")
    return {key: _replaced(value, over[key], f"{where}{key}") if key in over else value for key, value in base.items()}


def _replaced(old: Any, new: Any, name: str) -> Any:
    if isinstance(old, dict) != isinstance(new, dict):
        raise ParameterError(f"parameters: {name} is {new!r}; expected the shape of {old!r}")
    return _overlaid(old, new, f"{name}.") if isinstance(old, dict) else new
