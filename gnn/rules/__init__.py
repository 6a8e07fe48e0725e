"""Strong and weak rules of domain.md §2.4: one file a rule, found by being there."""

from gnn.rules.catalogue import BY_CODE, RULES
from gnn.rules.rule import Cluster, Rule, Stage, Strength
from gnn.rules.settings import Settings, read_settings
from gnn.rules.verdicts import ADVICE, CLUSTERS, Asked, Verdicts, coverage, evaluate

__all__ = [
    "ADVICE",
    "BY_CODE",
    "CLUSTERS",
    "RULES",
    "Asked",
    "Cluster",
    "Rule",
    "Settings",
    "Stage",
    "Strength",
    "Verdicts",
    "coverage",
    "evaluate",
    "read_settings",
]  # fmt: skip
