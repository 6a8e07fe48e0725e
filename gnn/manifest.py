"""What a model says of itself: what it was made of, which files it has, how good and fast it must be.

Nothing here is ever unpickled; artefacts of other kinds than `FILE` are refused.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from graph.ontology import ontology_hash

FORMAT = 1
MANIFEST = "manifest.json"
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.(json|npz|safetensors|ubj)")
SOFTWARE = ("numba", "numpy", "scikit-learn", "scipy", "torch", "torch-geometric", "xgboost-cpu")
MALFORMED = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a JSON text of another shape raises."""


class Unsound(Exception):
    """Why a model is refused, before it is said which."""


def catalogue_hash(features: Iterable[tuple[str, str]]) -> str:
    """Names a catalogue of (feature, unit): another order is another catalogue."""
    return hashlib.sha256(json.dumps([list(each) for each in features]).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Training:
    """What a model was made of, and its gate: metrics it must reach and milliseconds it may take.

    A metric that was not measured is left out, and so fails a gate that names it.
    """

    features_hash: str
    trained_from: datetime
    trained_until: datetime
    labels_until: datetime
    metrics: Mapping[str, float]
    at_least: Mapping[str, float]
    at_most: Mapping[str, float]
    latency_ms: float
    parameters: Mapping[str, Any]
    seed: int

    def below_gate(self) -> str:
        """The first metric that fails, in words; "" when all hold. NaN fails."""
        for sign, gate in (("≥", self.at_least), ("≤", self.at_most)):
            for name, limit in gate.items():
                value = self.metrics.get(name, float("nan"))
                if not (value >= limit if sign == "≥" else value <= limit):
                    return f"its {name} is {value:.4g}, the gate asks for {sign} {limit:.4g}"
        return ""


@dataclass(frozen=True)
class File:
    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`; `ontology` is the hash of the one it was made with."""

    version: str
    created_at: datetime
    ontology: str
    software: Mapping[str, str]
    training: Training
    files: Mapping[str, File]

    def must_fit(self, features_hash: str | None) -> None:
        """Raises Unsound unless it can score here; None asks for no particular feature catalogue."""
        if self.ontology != ontology_hash():
            raise Unsound("it was made with another ontology")
        if features_hash not in (None, self.training.features_hash):
            raise Unsound("it was made with another feature catalogue")
        if weak := self.training.below_gate():
            raise Unsound(weak)

    def render(self) -> bytes:
        try:
            told = {"format": FORMAT, **asdict(self)}
            return json.dumps(told, indent=1, sort_keys=True, allow_nan=False, default=stamp).encode()
        except ValueError:
            raise Unsound("NaN and infinity are no metrics: leave out what was not measured") from None

    @classmethod
    def parse(cls, text: bytes) -> Manifest:
        try:
            told = json.loads(text)
            known = told.pop("format") == FORMAT
            if known:
                training = told.pop("training")
                for name in ("trained_from", "trained_until", "labels_until"):
                    training[name] = datetime.fromisoformat(training[name])
                created_at = datetime.fromisoformat(told.pop("created_at"))
                files = {name: File(**each) for name, each in told.pop("files").items()}
                return cls(**told, created_at=created_at, training=Training(**training), files=files)
        except MALFORMED:
            raise Unsound("its manifest is damaged") from None
        raise Unsound(f"its manifest is not of format {FORMAT}: another release made it")


def measure(folder: Path) -> dict[str, File]:
    """Every file of a folder; Unsound for anything but a plain artefact."""
    files = {}
    for path in sorted(folder.iterdir()):
        if not FILE.fullmatch(path.name) or path.is_symlink() or not path.is_file():
            raise Unsound(f"{path.name!r} is no artefact: plain .json, .npz, .safetensors and .ubj files are")
        with path.open("rb") as file:
            files[path.name] = File(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
    return files


def software() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in SOFTWARE:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def sha(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def stamp(moment: object) -> str:
    """A time in a JSON text."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise Unsound(f"{moment!r} is neither JSON nor a time with a zone")
    return moment.astimezone(UTC).isoformat()
