"""What the next run can build on: the last one with all its rings, beside `rings.json`.

It is a help, never a source: whatever is wrong with the file, there just is no last run. Node
ids come from tokens, so it goes when the index key is rotated (`Instance.rotate`).
"""
# ruff: noqa: PLC0415 - graph.rerun takes seconds to import, and rotating needs no more than the file's place

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from graph.ontology import ontology_hash
from graph.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from graph.opinions import Opinions
    from graph.records import Ints
    from graph.rerun import Aside, Run
    from graph.rings import Ring

FORMAT = 2


class Decided(NamedTuple):
    """What of people's opinions changes a run."""

    overrides: tuple[tuple[str, str, bool, str], ...]
    innocent: tuple[tuple[str, str, str], ...]
    cleared: tuple[str, ...]
    risk: tuple[tuple[str, float], ...]

    @classmethod
    def by(cls, opinions: Opinions) -> Decided:
        overrides = ((each.type, each.key, each.infrastructure, each.kind) for each in opinions.overrides)
        links = ((each.relation, each.source, each.target) for each in opinions.innocent)
        return cls(
            tuple(sorted(overrides)), tuple(sorted(links)), tuple(sorted(opinions.cleared)),
            tuple(sorted(opinions.risk.items())),
        )  # fmt: skip

    def labelled_otherwise(self, other: Decided) -> set[str]:
        """The applications of which people now think something else."""
        cleared = set(self.cleared).symmetric_difference(other.cleared)
        return cleared | {name for name, _ in set(self.risk).symmetric_difference(other.risk)}

    def linked_otherwise(self, other: Decided) -> set[tuple[str, str, str]]:
        """The links that became innocent, or are so no longer."""
        return set(self.innocent).symmetric_difference(other.innocent)


@dataclass(frozen=True)
class ByModel:
    """What a version thought of each application, by node ids."""

    version: str
    ids: Ints
    risk: npt.NDArray[np.float64]
    fraud: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LastRun:
    """`run` was made on the state of `store` after its batch `batch`, with `decided` in force.

    `applications` were known to it, in the window or not. Loaded again, `run.found` lists no rings: the
    next run ranks `run.rings` anew. `by_model` says what ranked them, if not what can be said in words; such a run is
    not gone on from.
    """

    run: Run
    store: str
    batch: tuple[int, str, str]
    decided: Decided
    applications: int
    by_model: ByModel | None = None


def place(settings: Settings) -> Path:
    return settings.home / "lastrun.json"


def beside(settings: Settings) -> Path:
    """What a model thought of everybody, where one ranked the rings."""
    return settings.home / "lastrun.npz"


def save(settings: Settings, last: LastRun) -> None:
    """Written beside its place and renamed, for the owner only."""
    run = vars(last.run) | {
        "found": vars(last.run.found) | {"rings": ()},
        "rings": [asdict(ring) for ring in last.run.rings],
        "aside": {name: [each.ids.tolist(), list(each.kinds)] for name, each in last.run.aside.items()},
    }
    about = {"store": last.store, "batch": last.batch, "decided": last.decided, "applications": last.applications}
    place(settings).unlink(missing_ok=True)  # the two files are of one run, or there is none
    model = (
        None if last.by_model is None else {"version": last.by_model.version, "digest": _save(settings, last.by_model)}
    )
    body = json.dumps(about | {"run": run, "by_model": model}, ensure_ascii=False)
    _write(place(settings), f"{_head(body)}\n{body}".encode())


def _save(settings: Settings, told: ByModel) -> str:
    import numpy as np

    content = io.BytesIO()
    np.savez(content, ids=told.ids, risk=told.risk, fraud=told.fraud)
    _write(beside(settings), content.getvalue())
    return _digest(content.getvalue())


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


def load(settings: Settings) -> LastRun | None:
    """None for a file that is missing, damaged, or of another release."""
    try:
        head, _, body = place(settings).read_text(encoding="utf-8").partition("\n")
        if head != _head(body):
            return None
        return _last(settings, json.loads(body))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _head(body: str) -> str:
    """Format, ontology, checksum: a file that was cut or changed is none."""
    return f"ringroad {FORMAT} {ontology_hash()} {_digest(body.encode())}"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _by_model(settings: Settings, told: Mapping[str, str]) -> ByModel:
    """Raises ValueError for a file that is not of this run."""
    import numpy as np

    content = beside(settings).read_bytes()
    if _digest(content) != told["digest"]:
        raise ValueError("of another run")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return ByModel(told["version"], arrays["ids"], arrays["risk"], arrays["fraud"])


def _last(settings: Settings, told: dict[str, Any]) -> LastRun:
    from graph.rerun import Run
    from graph.rings import Found

    run = told["run"]
    found = Found(**run["found"] | {"rings": ()})
    rings = [ring_of(each) for each in run["rings"]]
    return LastRun(
        run=Run(**run | {"found": found, "rings": rings, "aside": _aside(run["aside"])}),
        store=told["store"],
        batch=tuple(told["batch"]),
        decided=_decided(told["decided"]),
        applications=told["applications"],
        by_model=None if told["by_model"] is None else _by_model(settings, told["by_model"]),
    )


def _decided(told: Sequence[Sequence[Any]]) -> Decided:
    overrides, innocent, cleared, risk = told
    return Decided(tuple(map(tuple, overrides)), tuple(map(tuple, innocent)), tuple(cleared), tuple(map(tuple, risk)))


def _aside(told: Mapping[str, Any]) -> dict[str, Aside]:
    import numpy as np

    from graph.rerun import Aside

    return {name: Aside(np.array(ids, dtype=np.int64), tuple(kinds)) for name, (ids, kinds) in told.items()}


def ring_of(told: Mapping[str, Any]) -> Ring:
    """From what `asdict` made of it, or `rings.json` tells; what else stands there is passed over."""
    from graph.rings import Ring
    from graph.roles import Role
    from graph.sentences import Shared

    told = {name: value for name, value in told.items() if name in Ring.__dataclass_fields__}
    lists = {name: tuple(told[name]) for name in ("application_ids", "signs", "doubts")}
    shared = tuple(Shared(**each | {"holders": tuple(each["holders"])}) for each in told["shared"])
    return Ring(**told | lists | {"shared": shared, "roles": tuple(Role(**each) for each in told["roles"])})
