"""HeteroSage: it learns from neighbours, sees nothing of the future, and scores one application as it scores all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from gnn.models.examples import Flags, Floats
from gnn.models.hetero_sage import CARD, WEIGHTS, HeteroSage
from gnn.models.sage_net import Graph, Net
from gnn.priors import PriorLinks, Shares, Singles
from graph.errors import InputError, ModelRefused
from graph.records import Ints

KINDS = ("phone", "device", "payer")
SIZE = 2500  # no multiple of the block in which rows are multiplied


@dataclass(frozen=True)
class World:
    x: Singles
    links: PriorLinks
    y: Ints
    weight: Floats
    train: Flags
    validation: Flags


def planted(seed: int = 3) -> World:
    """Fraud is who shares a device with an earlier application of large x[0]; its own columns say nothing."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((SIZE, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[:, 5] = np.nan
    target = rng.integers(1, SIZE, 3 * SIZE)
    source = (rng.random(len(target)) * target).astype(np.int64)
    kind = rng.integers(0, 3, len(target))
    weight = rng.uniform(0.5, 2, len(target)).astype(np.float32)
    y = np.zeros(SIZE, dtype=np.int64)
    y[target[(kind == 1) & (np.nan_to_num(x[source, 0]) > 1.3)]] = 1
    known = (y[source] * (rng.random(len(target)) < 0.3)).astype(np.float32)
    when = np.arange(SIZE)
    return World(
        x,
        PriorLinks(KINDS, source, target, kind, weight, known),
        y,
        np.where(rng.random(SIZE) < 0.1, 0.0, 1.0),
        when < 1400,
        (when >= 1400) & (when < 1900),
    )


def fitted(world: World, seed: int = 1, epochs: int = 60) -> HeteroSage:
    model = HeteroSage(hidden=16, epochs=epochs, dropout=0.2, learning_rate=0.01)
    return model.fit(
        world.x, world.links, world.y, world.weight, train=world.train, validation=world.validation, seed=seed
    )


@pytest.fixture(scope="module")
def world() -> World:
    return planted()


@pytest.fixture(scope="module")
def model(world: World) -> HeteroSage:
    return fitted(world)


def auprc(model: HeteroSage, world: World, links: PriorLinks) -> float:
    return float(average_precision_score(world.y[1900:], model.score(world.x, links)[1900:]))


def test_what_only_the_neighbours_show_is_learnt(world: World, model: HeteroSage) -> None:
    alone = replace(world, links=world.links.until(0))
    rate = world.y[1900:].mean()
    assert auprc(fitted(alone), world, alone.links) < rate + 0.1
    assert auprc(model, world, world.links) > rate + 0.5


def test_known_fraud_of_neighbours_is_read(world: World) -> None:
    y = np.zeros(SIZE, dtype=np.int64)
    assert world.links.known is not None
    y[world.links.target[world.links.known > 0]] = 1
    told = replace(world, y=y)
    untold = replace(told, links=replace(world.links, known=None))
    assert auprc(fitted(told), told, told.links) > 0.95
    assert auprc(fitted(untold), untold, untold.links) < 0.8


def test_scores_are_of_the_right_size(model: HeteroSage) -> None:
    assert model.fitted_.expected == pytest.approx(model.fitted_.observed, rel=0.35)


def test_what_comes_later_does_not_move_an_earlier_score(world: World, model: HeteroSage) -> None:
    scores = model.score(world.x, world.links)
    for cut in (1, 2, 3, 703, 1031, SIZE - 1):
        np.testing.assert_array_equal(model.score(world.x[:cut], world.links.until(cut)), scores[:cut])
        other = world.x.copy()
        other[cut:] = 1e6
        np.testing.assert_array_equal(model.score(other, world.links)[:cut], scores[:cut])


def test_training_looks_at_nothing_after_the_validation_rows(world: World, model: HeteroSage) -> None:
    other = replace(world, x=world.x.copy(), y=world.y.copy(), links=world.links.until(1900))
    other.x[1900:], other.y[1900:] = 1e6, 1
    same = fitted(other)
    assert all((same.weights_[name] == weight).all() for name, weight in model.weights_.items())


def test_the_columns_are_scaled_by_the_training_rows_alone(world: World, model: HeteroSage) -> None:
    other = replace(world, x=world.x.copy())
    other.x[1400:] *= 50
    assert (fitted(other, epochs=2).weights_["spread"] == model.weights_["spread"]).all()


def test_one_new_application_scores_as_in_the_whole_graph(world: World, model: HeteroSage) -> None:
    scores, embeddings = model.score(world.x, world.links), model.embed(world.x, world.links)
    linked = np.bincount(world.links.target, minlength=SIZE)
    assert {0, 1, 5} <= set(linked[-200:].tolist())
    for row in range(SIZE - 200, SIZE):
        into = world.links.target == row
        columns = (world.links.source, world.links.target, world.links.kind, world.links.weight, world.links.known)
        links = PriorLinks(KINDS, *(each[into] for each in columns))  # type: ignore[index]
        score, own = model.one(world.x[row], links, embeddings[:, :row])
        assert score == pytest.approx(scores[row], abs=1e-5)
        np.testing.assert_allclose(own, embeddings[:, row], atol=1e-5)


def test_scoring_computes_what_was_trained(world: World, model: HeteroSage) -> None:
    graph = Graph.of(model._columns(world.x), Shares.of(world.links))
    net = Net(graph, kinds=3, hidden=16, layers=2, dropout=0.2).eval()
    mirror = HeteroSage(hidden=16)
    mirror.kinds_ = KINDS
    mirror.weights_ = model.weights_ | net.weights()
    with torch.no_grad():
        np.testing.assert_allclose(torch.sigmoid(net(graph)), mirror.score(world.x, world.links), atol=1e-6)


def test_the_same_seed_gives_the_same_bits_and_leaves_torch_alone(world: World) -> None:
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first, again, other = (fitted(world, seed, epochs=4).score(world.x, world.links) for seed in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).any()
    assert (torch.get_rng_state() == state).all()
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_best_epoch_is_kept(world: World) -> None:
    noise = replace(world, y=np.random.default_rng(0).integers(0, 2, SIZE))
    model = HeteroSage(hidden=16, patience=6).fit(
        noise.x, noise.links, noise.y, noise.weight, train=noise.train, validation=noise.validation, seed=1
    )
    rows = noise.validation & (noise.weight > 0)
    assert model.fitted_.epochs - model.fitted_.best == 6
    scores = model.score(noise.x, noise.links)
    assert model.fitted_.auprc == pytest.approx(average_precision_score(noise.y[rows], scores[rows]), abs=1e-3)


def test_a_row_of_weight_nought_is_not_learnt_from(world: World) -> None:
    turned = replace(world, y=np.where(world.weight > 0, world.y, 1 - world.y))
    assert (fitted(turned, epochs=4).weights_["out"] == fitted(world, epochs=4).weights_["out"]).all()


def test_a_kind_without_links_in_training_says_nothing(world: World) -> None:
    unseen = (world.links.kind == 2) & (world.links.target < 1900)
    columns = (world.links.source, world.links.target, world.links.kind, world.links.weight)
    links = PriorLinks(KINDS, *(each[~unseen] for each in columns))  # type: ignore[arg-type]
    model = fitted(replace(world, links=links), epochs=4)
    without = PriorLinks(KINDS, *(each[world.links.kind != 2] for each in columns))  # type: ignore[arg-type]
    np.testing.assert_array_equal(model.score(world.x, links), model.score(world.x, without))


@pytest.mark.parametrize("name", ["training", "validation"])
@pytest.mark.parametrize("label", [0, 1, None])
def test_labels_of_one_class_are_refused(world: World, name: str, label: int | None) -> None:
    rows = world.train if name == "training" else world.validation
    y = world.y if label is None else np.where(rows, label, world.y)
    weight = world.weight if label is not None else np.where(rows, 0.0, world.weight)
    with pytest.raises(InputError, match=f"the {name} labels are all of one class"):
        fitted(replace(world, y=y, weight=weight))


def test_no_links_and_no_applications_score(world: World, model: HeteroSage) -> None:
    assert np.isfinite(model.score(world.x, world.links.until(0))).all()
    assert model.score(world.x[:0], world.links.until(0)).shape == (0,)
    nothing = np.full(6, np.nan, dtype=np.float32)
    assert 0 < model.one(nothing, world.links.until(0), model.embed(world.x, world.links))[0] < 1


def test_another_input_is_refused(world: World, model: HeteroSage) -> None:
    with pytest.raises(InputError, match="5 features were given; the model was trained on 6"):
        model.score(world.x[:, :5], world.links)
    with pytest.raises(InputError, match="trained on"):
        model.score(world.x, replace(world.links, kinds=("phone", "device", "vehicle")))


def test_a_saved_model_scores_the_same_bits(world: World, model: HeteroSage, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    loaded = HeteroSage.load(tmp_path / "model")
    assert loaded == model
    assert loaded.fitted_ == model.fitted_
    np.testing.assert_array_equal(loaded.score(world.x, world.links), model.score(world.x, world.links))


def _flip(folder: Path) -> None:
    written = bytearray((folder / WEIGHTS).read_bytes())
    written[-5] ^= 1
    (folder / WEIGHTS).write_bytes(written)


def _describe(folder: Path) -> None:
    card = json.loads((folder / CARD).read_text())
    card["parameters"]["hidden"] = 8
    (folder / CARD).write_text(json.dumps(card))


@pytest.mark.parametrize(
    "damage",
    [
        _flip,
        _describe,
        lambda folder: (folder / WEIGHTS).unlink(),
        lambda folder: (folder / CARD).unlink(),
        lambda folder: (folder / CARD).write_text("{"),
        lambda folder: (folder / CARD).write_text("[]"),
        lambda folder: (folder / CARD).write_text('{"parameters": {"colour": 1}}'),
        lambda folder: (folder / CARD).write_bytes(b"\xff\xfe"),
    ],
)
def test_damaged_files_are_refused(model: HeteroSage, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    model.save(tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelRefused, match="train"):
        HeteroSage.load(tmp_path)
