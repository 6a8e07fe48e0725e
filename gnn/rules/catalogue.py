"""All rules there are: whatever stands in a file named like `r06_shared_device.py`, in the order of the codes; and
after them those of the lender's own packages, which name their classes as entry points `ringroad.rules`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from importlib.metadata import entry_points
from pathlib import Path

from gnn.rules.rule import Rule
from graph.errors import InputError

NAMED = re.compile(r"(r\d\d[a-z]?)_\w+")
GROUP, OWN = "ringroad.rules", re.compile(r"X\d\d")


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
    return (*sorted(found, key=lambda rule: rule.code.upper()), *own_rules())


def own_rules() -> tuple[Rule, ...]:
    """Raises InputError for one that could not be asked, or whose code is another's: none is left out unsaid.

    It is loaded while this package is: its module imports `gnn.rules.rule` and holds nothing that others import first.
    """
    found: dict[str, Rule] = {}
    for point in entry_points(group=GROUP):
        try:
            kind = point.load()
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"entry point {point.name} of {GROUP} cannot be loaded ({type(error).__name__}); name MODULE:CLASS,"
                " and in a program of your own import gnn.rules before that module"
            ) from None
        if not (inspect.isclass(kind) and issubclass(kind, Rule)) or inspect.isabstract(kind):
            raise InputError(
                f"entry point {point.name} of {GROUP} names no rule; name a class made from gnn.rules.Rule"
            )
        if not OWN.fullmatch(kind.code) or kind.code in found:
            raise InputError(f"rule {kind.code} of {point.value}: rules of one's own are X01 to X99, each code once")
        if kind.thresholds:
            raise InputError(
                f"rule {kind.code}: settings.yaml has no number for its thresholds; write them into the class"
            )
        found[kind.code] = kind()
    return tuple(found[code] for code in sorted(found))


RULES = discover()
BY_CODE = {rule.code: rule for rule in RULES}
