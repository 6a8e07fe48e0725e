"""All rules there are: whatever stands in a file named like `r06_shared_device.py`, in the order of the codes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

from gnn.rules.rule import Rule

NAMED = re.compile(r"(r\d\d[a-z]?)_\w+")


def discover() -> tuple[Rule, ...]:
    found: list[Rule] = []
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if NAMED.fullmatch(module.name):
            loaded = importlib.import_module(f"{__package__}.{module.name}")
            found += [
                each()
                for each in vars(loaded).values()
                if inspect.isclass(each) and issubclass(each, Rule) and each.__module__ == loaded.__name__
            ]
    return tuple(sorted(found, key=lambda rule: rule.code.upper()))


RULES = discover()
BY_CODE = {rule.code: rule for rule in RULES}
