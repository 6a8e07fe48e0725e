"""Prior links: nothing leads back in time, and what arrives under a kind is a weighted mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gnn.priors import PriorLinks, Shares

LINKS = PriorLinks(
    kinds=("phone", "device", "payer"),
    source=np.array([2, 0, 1, 0]),
    target=np.array([3, 3, 3, 2]),
    kind=np.array([2, 0, 0, 2]),
    weight=np.array([5, 3, 1, 2], dtype=np.float32),
    known=np.array([0, 0, 1, 0], dtype=np.float32),
)


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("source", [2, 0, 3, 0], "earlier row"),
        ("source", [2, 0, -1, 0], "earlier row"),
        ("kind", [3, 0, 0, 2], "3 kinds"),
        ("kind", [-1, 0, 0, 2], "3 kinds"),
        ("weight", [5, 3, 0, 2], "positive"),
        ("weight", [5, 3, np.nan, 2], "positive"),
        ("weight", [5, 3, np.inf, 2], "positive"),
        ("known", [0, 1], "as long as each other"),
    ],
)
def test_what_cannot_be_a_prior_link_is_refused(column: str, values: list[float], says: str) -> None:
    dtype = getattr(LINKS, column).dtype
    with pytest.raises(ValueError, match=says):
        replace(LINKS, **{column: np.array(values, dtype=dtype)})


def test_links_until_a_row_are_those_into_the_rows_before_it() -> None:
    assert LINKS.until(3).target.tolist() == [2]
    assert LINKS.until(3).known is not None
    assert len(LINKS.until(2)) == 0
    assert len(LINKS.until(4)) == 4


def test_shares_are_weighted_means_by_kind_and_application() -> None:
    shares = Shares.of(LINKS)
    assert list(zip(shares.kind.tolist(), shares.target.tolist(), strict=True)) == [(0, 3), (2, 2), (2, 3)]
    rows = np.array([[10.0], [20.0], [40.0], [80.0]])
    means = {kind: (entries, matrix @ rows) for kind, entries, matrix in shares.by_kind(4)}
    assert set(means) == {0, 2}
    assert means[0][1].tolist() == [[0.75 * 10 + 0.25 * 20]]
    assert means[2][0] == slice(1, 3)
    assert means[2][1].tolist() == [[10], [40]]
    np.testing.assert_allclose(shares.facts[0], [np.log(3), np.log(5), 0.25, np.log(2)], rtol=1e-6)


def test_the_order_of_the_links_does_not_matter() -> None:
    turned = PriorLinks(
        LINKS.kinds,
        *(column[::-1] for column in (LINKS.source, LINKS.target, LINKS.kind)),
        LINKS.weight[::-1],
        LINKS.known[::-1],
    )  # type: ignore[index]
    for name, column in vars(Shares.of(LINKS)).items():
        assert (getattr(Shares.of(turned), name) == column).all()


def test_no_links_are_no_shares() -> None:
    shares = Shares.of(LINKS.until(0))
    assert shares.facts.shape == (0, 4)
    assert list(shares.by_kind(4)) == []
