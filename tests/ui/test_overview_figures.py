"""The plots of the overview: money adds up, names can be read, none lies over another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from workbench.services.overview import Heat, Overview, Tiles
from workbench.ui.viewmodel import overview_figures as figures

DAY = datetime(2026, 3, 1, tzinfo=UTC)
TILES = Tiles(0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0, 0, 0, None)


def overview(**more: Any) -> Overview:
    nothing: dict[str, Any] = dict.fromkeys(("alerts", "runs", "ages", "moved", "heat"), ())
    return Overview(run_as_of=None, tiles=TILES, **nothing | more)


def test_each_branch_holds_as_much_as_all_in_it() -> None:
    heat = [
        Heat("440100", "D1", "广州市盛世汽车销售服务有限公司", 3, 3e6, 0.5),
        Heat("440300", "D2", "D2", 1, 1e6, 0.9),
        Heat("", "D3", "有限公司", 1, 5e5, 0.1),
    ]
    tree = figures.heat(overview(heat=heat)).data[0]
    money, inside = dict(zip(tree.ids, tree.values, strict=True)), dict[str, float]()
    for name, parent in zip(tree.ids, tree.parents, strict=True):
        inside[parent] = inside.get(parent, 0.0) + money[name]
    assert {parent: money[parent] for parent in inside if parent} == {k: v for k, v in inside.items() if k}
    assert list(tree.parents).count("") == 1
    assert tree.labels[2:4] == ("广州市盛世", "D2")
    assert tree.labels[-1] == "有限公司"
    assert (tree.customdata[2], tree.customdata[3]) == ("¥3.00M · 3 cases", "¥1.00M · 1 case")


@pytest.mark.parametrize("last", [(5e5, 0.0), (1e6, 9.9e5), (1e6, 1e6), (0.0, 0.0)])
def test_names_at_the_end_of_lines_stand_apart_and_above_the_axis(last: tuple[float, float]) -> None:
    shown = figures.at_stake(overview(runs=[(DAY, 3, 2e6, 1e6), (DAY.replace(month=5), 3, *last)]))
    first, second = (each.y for each in shown.layout.annotations)
    assert abs(first - second) >= 0.24 * 2e6 - 1e-6
    assert min(first, second) >= 0


def test_where_there_is_nothing_nothing_is_drawn() -> None:
    lines = [*figures.alerts(overview()).data, *figures.at_stake(overview()).data]
    assert not any(trace.x for trace in lines)
    assert not figures.heat(overview()).data[0].ids
