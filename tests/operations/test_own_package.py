"""A rule and a reader of a lender's own package, found by their entry points as an installed package has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gnn.rules import read_settings
from gnn.rules.catalogue import RULES, own_rules
from graph.errors import InputError
from loaders import readers

PACKAGE = """
from gnn.rules.rule import Cluster, Rule, Strength, people
from loaders.readers import source_of

class Thousands(Rule):
    \"\"\"The amount is a whole number of hundred thousands.\"\"\"

    code, strength, points, cluster = "X01", Strength.WEAK, 5, Cluster.BEHAVIOUR
    reads, reason, typologies = ("amount",), "RC10", ("T04",)
    zh, en = "金额为整十万", "amount of whole hundred thousands"
    advice_zh, advice_en = "询问金额如何确定。", "Ask how the amount came about."

    def holds(self, columns, settings):
        return columns["amount"] % 100_000 == 0

class Unasked(Rule):
    code = "X02"

class Double(Thousands):
    pass

class Ours(Thousands):
    code = "R06"

class Set(Thousands):
    code, thresholds = "X03", (people(),)

def bars(path):
    lines = path.read_text(encoding="gb18030").splitlines()
    def rows():
        return ((at, line.split("|")) for at, line in enumerate(lines[1:], start=2))
    return source_of(path, lines[0].split("|"), rows)
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    def installed(group: str, *lines: str) -> None:
        place = tmp_path / "lender_own-1.0.dist-info"
        place.mkdir()
        (place / "METADATA").write_text("Metadata-Version: 2.1\nName: lender-own\nVersion: 1.0\n", encoding="utf-8")
        (place / "entry_points.txt").write_text("\n".join((f"[{group}]", *lines)), encoding="utf-8")
        (tmp_path / "lender_own.py").write_text(PACKAGE, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        readers.openers.cache_clear()

    yield installed
    monkeypatch.undo()
    readers.openers.cache_clear()


def test_a_rule_of_ones_own_is_asked_like_the_others(install: Install) -> None:
    install("ringroad.rules", "x01 = lender_own:Thousands")
    (rule,) = own_rules()
    settings = read_settings({"X01": {"points": 7}}, rules=(*RULES, rule))
    assert settings.points["X01"] == 7
    assert "X01" in settings.active
    assert rule.says == "The amount is a whole number of hundred thousands."
    assert rule.holds({"amount": np.array([2e5, 150_000, np.nan])}, {}).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("a = lender_own:Unasked",), "names no rule"),
        (("a = lender_own:bars",), "names no rule"),
        (("a = lender_own:Gone",), "cannot be loaded (AttributeError)"),
        (("a = lender_gone:Gone",), "cannot be loaded (ModuleNotFoundError)"),
        (("a = lender_own:Ours",), "X01 to X99"),
        (("a = lender_own:Thousands", "b = lender_own:Double"), "each code once"),
        (("a = lender_own:Set",), "write them into the class"),
    ],
)
def test_a_rule_that_could_not_be_asked_is_never_left_out_unsaid(
    install: Install, lines: tuple[str, ...], words: str
) -> None:
    install("ringroad.rules", *lines)
    with pytest.raises(InputError, match=re.escape(words)):
        own_rules()


def test_a_reader_of_ones_own_reads_its_ending(install: Install, tmp_path: Path) -> None:
    install("ringroad.readers", ".bar = lender_own:bars")
    folder = tmp_path / "input"
    folder.mkdir()
    (folder / "applications.bar").write_text("application_id|进件\nA1|通过\n\nA2|拒绝|x\n", encoding="gb18030")
    (source,) = readers.open_folder(folder, {"applications": "applications"})
    (chunk,) = source.chunks()
    (again,) = source.chunks()
    assert chunk.rows.to_pylist() == [{"application_id": "A1", "进件": "通过"}]
    assert (chunk.lines.tolist(), chunk.broken) == ([2], (3, 4))
    assert again.rows == chunk.rows


@pytest.mark.parametrize("name", [".csv", "bar", ".BAR"])
def test_a_reader_takes_no_ending_of_ours(install: Install, name: str) -> None:
    install("ringroad.readers", f"{name} = lender_own:bars")
    with pytest.raises(InputError, match="no new ending"):
        readers.openers()
