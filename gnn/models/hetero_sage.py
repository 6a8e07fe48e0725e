"""HeteroSage: GraphSAGE over prior links, one convolution for each kind of shared entity.

An application's columns become an embedding; each layer adds to it, kind by kind, the weighted mean of what the
applications before it embedded, with how many there were and how many were known to be fraud; the score reads the
embeddings of every layer. Training is full batch in PyTorch Geometric (`HeteroConv` of `SAGEConv`). Scoring is NumPy
on the same weights: a new application takes one aggregation per layer over cached embeddings, well below a
millisecond, and what came later cannot move an earlier score by a single bit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Final, Self

import numba
import numpy as np
import numpy.typing as npt
import safetensors.numpy

from gnn.models.examples import Examples, Fitted, Flags, Floats, Progress
from gnn.priors import PriorLinks, Shares, Singles
from graph.errors import InputError, ModelRefused

Labels = Flags | npt.NDArray[np.int64] | Floats
"""Classes, or degrees of fraud from 0 to 1; in validation a degree of a half counts as fraud."""

WEIGHTS, CARD = "hetero_sage.safetensors", "hetero_sage.json"
BLOCK = 1024
CLIP = 5.0
NEUTRAL = {"centre": 0.0, "spread": 1.0, "gaps": 0.0}
"""For a column that states nothing in training, or always the same."""


@dataclass(kw_only=True)
class HeteroSage:
    """Parameters are stored unchanged; `weights_` (float32 by name), `kinds_` and `fitted_` come from `fit`.

    `x` is float32 of shape (applications, features) in order of submission, NaN where nothing is stated. Scores are
    not calibrated, but classes are not weighted either, so they are of the right size. Embeddings are float32 of shape
    (layers + 1, applications, hidden), the columns' own first.
    """

    hidden: Final[int] = 48
    layers: Final[int] = 2
    dropout: Final[float] = 0.5
    learning_rate: Final[float] = 0.004
    decay: Final[float] = 0.001
    epochs: Final[int] = 120
    patience: Final[int] = 24
    weights_: dict[str, Singles] = field(init=False, repr=False, compare=False)
    kinds_: tuple[str, ...] = field(init=False, repr=False, compare=False)
    fitted_: Fitted = field(init=False, repr=False, compare=False)

    def fit(
        self,
        x: Singles,
        links: PriorLinks,
        y: Labels,
        weight: Floats,
        *,
        train: Flags,
        validation: Flags,
        seed: int,
        progress: Progress = lambda *_: None,
    ) -> Self:
        """Stops once `patience` epochs did not raise the validation AUPRC and keeps the best epoch's weights.

        `weight` is 0 where the label is unknown. Rows after the last of `train` and `validation` are not looked at.
        The same seed gives the same bits: one thread, deterministic algorithms. Raises InputError where the
        training or validation rows hold one class only.
        """
        from gnn.models.sage_net import Graph, Net, learn, repeatable  # noqa: PLC0415 - torch takes seconds to import

        learnt = Examples.of(y, weight, train, "training")
        watched = Examples.of(y, weight, validation, "validation")
        end = int(max(learnt.rows[-1], watched.rows[-1])) + 1
        links = links.until(end)
        self.kinds_, self.weights_ = links.kinds, _scales(x[learnt.rows])
        with repeatable(seed):
            graph = Graph.of(self._columns(x[:end]), Shares.of(links))
            net = Net(graph, kinds=len(links.kinds), hidden=self.hidden, layers=self.layers, dropout=self.dropout)
            self.fitted_ = learn(
                net,
                graph,
                train=learnt,
                validation=watched,
                learning_rate=self.learning_rate,
                decay=self.decay,
                epochs=self.epochs,
                patience=self.patience,
                progress=progress,
            )
        self.weights_ |= net.weights()
        return self

    def score(self, x: Singles, links: PriorLinks) -> Floats:
        """Probability of fraud of every application, uncalibrated; later rows and links have no part in it."""
        return self.read(self.embed(x, links))

    def read(self, embeddings: Singles) -> Floats:
        """Probabilities from embeddings: what `score` returns, once they are there."""
        together = np.concatenate([*embeddings], axis=1)
        return _sigmoid(_rows(together, self.weights_["out"])[:, 0] + self.weights_["out.bias"])

    def embed(self, x: Singles, links: PriorLinks) -> Singles:
        """All embeddings, to be cached for `one`."""
        self._check(x.shape[1], links)
        w, shares = self.weights_, Shares.of(links)
        embeddings = np.empty((self.layers + 1, len(x), self.hidden), dtype=np.float32)
        for at in range(0, len(x), BLOCK):
            embeddings[0, at : at + BLOCK] = _relu(_rows(self._columns(x[at : at + BLOCK]), w["in"]) + w["in.bias"])
        for layer in range(self.layers):
            total = _rows(embeddings[layer], w["own"][layer]) + w["own.bias"][layer]
            for kind, entries, means in shares.by_kind(len(x)):
                heard = np.concatenate([means @ embeddings[layer], shares.facts[entries]], axis=1)
                total[shares.target[entries]] += _rows(heard, w["heard"][layer, kind]) + w["heard.bias"][layer, kind]
            embeddings[layer + 1] = _relu(total)
        return embeddings

    def one(self, x: Singles, links: PriorLinks, embeddings: Singles) -> tuple[float, Singles]:
        """A new application of shape (features,) with the links into it: its score and its embeddings, of shape
        (layers + 1, hidden), to be appended to the cache. `embeddings` holds those of the links' sources;
        the result is that of the whole graph up to rounding."""
        self._check(len(x), links)
        w, order = self.weights_, np.argsort(links.kind, kind="stable")
        known = np.zeros(len(links), dtype=np.float32) if links.known is None else links.known[order]
        own = np.empty((self.layers + 1, self.hidden), dtype=np.float32)
        own[0] = _relu(self._columns(x[None])[0] @ w["in"] + w["in.bias"])
        _hear(
            own, embeddings, links.source[order], links.kind[order], links.weight[order], known,
            w["own"], w["own.bias"], w["heard"], w["heard.bias"],
        )  # fmt: skip
        return float(_sigmoid(own.ravel() @ w["out"] + w["out.bias"])[0]), own

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        written = safetensors.numpy.save(self.weights_)
        (folder / WEIGHTS).write_bytes(written)
        card = {
            "parameters": {each.name: getattr(self, each.name) for each in fields(self) if each.init},
            "kinds": self.kinds_,
            "fitted": asdict(self.fitted_),
            "sha256": hashlib.sha256(written).hexdigest(),
        }
        (folder / CARD).write_text(json.dumps(card, indent=2), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises ModelRefused where the files are missing, damaged, or not of one model."""
        try:
            card = json.loads((folder / CARD).read_text(encoding="utf-8"))
            written = (folder / WEIGHTS).read_bytes()
            model, digest = cls(**card["parameters"]), card["sha256"]
            model.kinds_, model.fitted_ = tuple(card["kinds"]), Fitted(**card["fitted"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelRefused(f"{folder}: holds no complete model ({error}); train it again") from error
        if hashlib.sha256(written).hexdigest() != digest:
            raise ModelRefused(
                f"{folder / WEIGHTS}: is not the file that {CARD} was written for; train the model again"
            )
        model.weights_ = safetensors.numpy.load(written)
        if model.weights_["heard.bias"].shape != (model.layers, len(model.kinds_), model.hidden):
            raise ModelRefused(f"{folder / CARD}: describes another model than {WEIGHTS} holds; train it again")
        return model

    def _check(self, features: int, links: PriorLinks) -> None:
        if features != (expected := len(self.weights_["centre"])):
            raise InputError(f"{features} features were given; the model was trained on {expected}")
        if links.kinds != self.kinds_:
            raise InputError(f"links are of kinds {links.kinds}; the model was trained on {self.kinds_}")

    def _columns(self, x: Singles) -> Singles:
        """What the net reads: signed log1p in standard deviations, 0 where missing; then 1 where missing."""
        w, stated = self.weights_, np.isfinite(x)
        scaled = np.clip((_tame(np.where(stated, x, 0)) - w["centre"]) / w["spread"], -CLIP, CLIP)
        gaps = ~stated[:, w["gaps"].astype(bool)]
        return np.concatenate([np.where(stated, scaled, 0), gaps], axis=1, dtype=np.float32)


def _scales(x: Singles) -> dict[str, Singles]:
    """Centre and spread of each column over the training rows, and in which of them values may be missing."""
    scales = {name: np.full(x.shape[1], value, dtype=np.float32) for name, value in NEUTRAL.items()}
    for number, column in enumerate(x.T):
        stated = _tame(column[np.isfinite(column)]).astype(np.float64)
        if not len(stated):
            continue
        scales["gaps"][number] = len(stated) < len(column)
        scales["centre"][number] = stated.mean()
        if np.ptp(stated) > 0:
            scales["spread"][number] = stated.std()
    return scales


def _tame(x: Singles) -> Singles:
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))


def _sigmoid(x: Singles) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x.astype(np.float64))))


def _relu(x: Singles) -> Singles:
    return np.maximum(x, 0)


def _rows(x: Singles, weight: Singles) -> Singles:
    """x @ weight, a row's bits the same whatever other rows there are: BLAS rounds by the shape, here always one."""
    out = np.empty((len(x), weight.shape[1]), dtype=np.float32)
    for at in range(0, len(x), BLOCK):
        block = x[at : at + BLOCK]
        if len(block) < BLOCK:
            block = np.concatenate([block, np.zeros((BLOCK - len(block), x.shape[1]), dtype=np.float32)])
        out[at : at + BLOCK] = (block @ weight)[: len(x) - at]
    return out


@numba.njit(cache=True)
def _hear(own, embeddings, source, kind, weight, known, own_weight, own_bias, heard, heard_bias):  # type: ignore[no-untyped-def] # noqa: PLR0917
    """`embed` for one row: its layers from the first one on, of links ordered by kind."""
    hidden = own.shape[1]
    for layer in range(len(own_weight)):
        total = own_bias[layer].copy()
        _through(own[layer], own_weight[layer], total)
        begin = 0
        while begin < len(kind):
            of, end, summed = kind[begin], begin, 0.0
            while end < len(kind) and kind[end] == of:
                summed += weight[end]
                end += 1
            message, fraud, told = np.zeros(heard.shape[2], dtype=np.float32), 0.0, 0.0
            for at in range(begin, end):
                share = weight[at] / summed
                for column in range(hidden):
                    message[column] += np.float32(share) * embeddings[layer, source[at], column]
                fraud += share * known[at]
                told += known[at]
            message[hidden], message[hidden + 1] = np.log1p(end - begin), np.log1p(summed)
            message[hidden + 2], message[hidden + 3] = fraud, np.log1p(told)
            _through(message, heard[layer, of], total)
            total += heard_bias[layer, of]
            begin = end
        own[layer + 1] = np.maximum(total, np.float32(0))


@numba.njit(cache=True)
def _through(x, weight, total):  # type: ignore[no-untyped-def]
    for row in range(len(x)):
        for column in range(len(total)):
            total[column] += x[row] * weight[row, column]
