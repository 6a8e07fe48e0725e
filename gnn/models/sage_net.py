"""The training side of HeteroSage: `HeteroConv` of `SAGEConv`, full batch, the same bits for the same seed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import nn
from torch_geometric.nn import HeteroConv, SAGEConv

from gnn.models.examples import Examples, Fitted, Progress
from gnn.priors import FACTS, Shares, Singles

Edge = tuple[str, str, str]

APPLICATION = "application"
EVERY = 2
"""Epochs from one look at the validation rows to the next: a look costs a third of an epoch."""


def edge(kind: int) -> Edge:
    """What arrives under a kind is a node type of its own, with a node only where there are links."""
    return (APPLICATION, "before", f"under {kind}")


@dataclass(frozen=True)
class Graph:
    """`means` are sparse (nodes under a kind, applications); `facts` and `target` are by the edge's end."""

    x: torch.Tensor
    means: dict[Edge, torch.Tensor]
    facts: dict[str, torch.Tensor]
    target: dict[str, torch.Tensor]

    @classmethod
    def of(cls, x: Singles, shares: Shares) -> Self:
        graph = cls(torch.from_numpy(x), {}, {}, {})
        for kind, entries, each in shares.by_kind(len(x)):
            means = each.copy()
            means.sum_duplicates()  # two shared phones are two links under one kind
            start, source, share = (torch.from_numpy(each) for each in (means.indptr, means.indices, means.data))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
                sparse = torch.sparse_csr_tensor(start, source, share, means.shape, check_invariants=True)
            graph.means[edge(kind)] = sparse
            graph.facts[edge(kind)[-1]] = torch.from_numpy(shares.facts[entries])
            graph.target[edge(kind)[-1]] = torch.from_numpy(shares.target[entries])
        return graph


class Net(nn.Module):
    """Convolutions exist only for the kinds that have links; `weights` is zero for the others."""

    def __init__(self, graph: Graph, *, kinds: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.kinds, self.present = kinds, [kind for kind in range(kinds) if edge(kind) in graph.means]
        self.enter = nn.Linear(graph.x.shape[1], hidden)
        self.own = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(layers))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "There exist node types")  # applications are updated in `forward`
            self.heard = nn.ModuleList(
                HeteroConv({edge(kind): SAGEConv((hidden, len(FACTS)), hidden, aggr="sum") for kind in self.present})
                for _ in range(layers)
            )
        self.out = nn.Linear(hidden * (layers + 1), 1)
        self.dropout = nn.Dropout(dropout)

    @torch.no_grad()
    def start_at(self, rate: float) -> None:
        """Before the first step every score is near the share of fraud."""
        self.out.weight.mul_(0.1)
        self.out.bias.fill_(float(np.log(rate / (1 - rate))))

    def forward(self, graph: Graph) -> torch.Tensor:
        """Log-odds by application."""
        own = self.dropout(self.enter(graph.x).relu())
        read = [own]
        for linear, heard in zip(self.own, self.heard, strict=True):
            total = linear(own)
            for end, message in heard({APPLICATION: own, **graph.facts}, graph.means).items():
                total = total.index_add(0, graph.target[end], message)
            own = self.dropout(total.relu())
            read.append(own)
        logits: torch.Tensor = self.out(torch.cat(read, dim=1))[:, 0]
        return logits

    @torch.no_grad()
    def weights(self) -> dict[str, Singles]:
        """By name, as scoring reads them: inputs before outputs, `heard` by layer and kind."""
        hidden = self.enter.out_features
        heard = torch.zeros(len(self.own), self.kinds, hidden + len(FACTS), hidden)
        bias = torch.zeros(len(self.own), self.kinds, hidden)
        layers: Any = self.heard
        for layer, convolutions in enumerate(layers):
            for kind in self.present:
                conv = convolutions.convs[edge(kind)]
                heard[layer, kind] = torch.cat([conv.lin_l.weight, conv.lin_r.weight], dim=1).T
                bias[layer, kind] = conv.lin_l.bias
        own: Any = self.own
        weights = {
            "in": self.enter.weight.T,
            "in.bias": self.enter.bias,
            "own": torch.stack([each.weight.T for each in own]),
            "own.bias": torch.stack([each.bias for each in own]),
            "heard": heard,
            "heard.bias": bias,
            "out": self.out.weight.T,
            "out.bias": self.out.bias,
        }
        return {name: each.detach().contiguous().numpy() for name, each in weights.items()}


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """One thread, deterministic algorithms and a seed; torch is left as it was found."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)


HALF = 0.5


def learn(
    net: Net,
    graph: Graph,
    *,
    train: Examples,
    validation: Examples,
    learning_rate: float,
    decay: float,
    epochs: int,
    patience: int,
    progress: Progress,
) -> Fitted:
    """Adam on the weighted log loss; leaves in `net` the weights of the epoch with the highest validation AUPRC."""
    rows, fraud, weight = (torch.from_numpy(each) for each in (train.rows, train.fraud, train.weight))
    loss = nn.BCEWithLogitsLoss(weight, reduction="sum")
    optimiser = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=decay)
    net.start_at(train.rate)
    kept, best, epoch = net.state_dict(), Fitted(0, 0, -1.0, train.rate, validation.rate), 0
    for epoch in range(1, epochs + 1):
        net.train()
        optimiser.zero_grad()
        error: Any = loss(net(graph)[rows], fraud)
        error.backward()
        optimiser.step()
        progress("epoch", epoch, epochs)
        if epoch % EVERY and epoch < epochs:
            continue
        net.eval()
        with torch.no_grad():
            scores = torch.sigmoid(net(graph))[torch.from_numpy(validation.rows)].numpy()
        auprc = float(average_precision_score(validation.fraud >= HALF, scores, sample_weight=validation.weight))
        if auprc > best.auprc:
            best = Fitted(epoch, epoch, auprc, float(scores @ validation.weight), validation.rate)
            kept = {name: value.clone() for name, value in net.state_dict().items()}
        elif epoch - best.best >= patience:
            break
    net.load_state_dict(kept)
    return Fitted(epoch, best.best, best.auprc, best.expected, best.observed)
