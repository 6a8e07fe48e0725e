"""The registry: what is opened is what was published, and what serves is what someone chose (P19)."""

from __future__ import annotations

import ast
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import gnn
from gnn import manifest as manifests
from gnn.manifest import Training, catalogue_hash, sha
from gnn.registry import By, Check, Model, Pin, Registry
from graph.errors import ModelRefused, StorageFull, StoreError

NOON = datetime(2025, 10, 1, 12, tzinfo=UTC)
FEATURES = catalogue_hash([("amount", "CNY"), ("age", "years")])
TRAINING = Training(
    features_hash=FEATURES,
    trained_from=NOON - timedelta(days=365),
    trained_until=NOON,
    labels_until=NOON,
    metrics={"pr_auc": 0.3, "ece": 0.01},
    at_least={"pr_auc": 0.2},
    at_most={"ece": 0.02},
    latency_ms=3.0,
    parameters={"depth": 6},
    seed=7,
)


def by(hours: int = 0, why: str = "") -> By:
    return By("ana", why, NOON + timedelta(hours=hours))


def write(folder: Path) -> None:
    (folder / "main.json").write_text('{"trees": []}')
    np.savez(folder / "isolation.npz", medians=np.zeros(3))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def publish(registry: Registry, hours: int = 0, training: Training = TRAINING) -> str:
    return registry.publish(write, training, by(hours))


def promote(registry: Registry, hours: int = 0) -> str:
    version = publish(registry, hours)
    registry.promote(version, by(hours), features_hash=FEATURES)
    return version


def champion(registry: Registry, check: Check | None = None) -> Model:
    return registry.open("champion", features_hash=FEATURES, check=check)


def state(registry: Registry) -> dict[str, bytes]:
    return {
        str(each.relative_to(registry.root)): each.read_bytes() for each in registry.root.rglob("*.*") if each.is_file()
    }


# Publishing ------------------------------------------------------------------------------------------------


def test_what_was_published_comes_back(registry: Registry) -> None:
    version = publish(registry)
    model = registry.open(version, features_hash=FEATURES, check=lambda folder: float(len(list(folder.iterdir()))))
    assert version.startswith("20251001T120000-")
    assert model.manifest.training == TRAINING
    assert model.manifest.created_at == NOON
    assert set(model.manifest.files) == {"main.json", "isolation.npz"}
    assert model.manifest.files["main.json"].size == len('{"trees": []}')
    assert model.manifest.software["numpy"] == np.__version__


def test_versions_are_ordered_by_time_and_told_apart_by_content(registry: Registry) -> None:
    versions = [publish(registry, hours) for hours in (5, 1, 30)]
    other = publish(registry, 5, replace(TRAINING, seed=8))
    assert other != versions[0]
    assert publish(registry, 5) == versions[0]
    assert [each.version for each in registry.list()] == sorted([*versions, other])
    assert [versions[1], versions[2]] == [registry.list()[0].version, registry.list()[-1].version]


def test_a_folder_can_be_published(registry: Registry, tmp_path: Path) -> None:
    source = tmp_path / "trained"
    source.mkdir()
    write(source)
    version = registry.publish(source, TRAINING, by())
    assert (registry.root / version / "main.json").read_text() == (source / "main.json").read_text()


def _pickled(folder: Path) -> None:
    (folder / "main.pkl").write_bytes(b"")


def _linked(folder: Path) -> None:
    (folder / "main.json").symlink_to("/etc/hostname")


def _nested(folder: Path) -> None:
    (folder / "main.json").mkdir()


def _forged(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")


@pytest.mark.parametrize(
    ("source", "because"),
    [
        (_pickled, "'main.pkl' is no artefact"),
        (_linked, "'main.json' is no artefact"),
        (_nested, "'main.json' is no artefact"),
        (_forged, "the registry's to write"),
        (lambda _: None, "no files"),
    ],
)
def test_only_plain_artefacts_are_published(registry: Registry, source: Callable[[Path], None], because: str) -> None:
    before = promote(registry)
    kept = state(registry)
    with pytest.raises(ModelRefused, match=f"not published: .*{because}"):
        registry.publish(source, TRAINING, by(1))
    assert state(registry) == kept
    assert [each.version for each in registry.list()] == [before]


def test_a_metric_that_is_no_number_is_not_published(registry: Registry) -> None:
    with pytest.raises(ModelRefused, match="leave out what was not measured"):
        publish(registry, training=replace(TRAINING, metrics={"pr_auc": float("nan")}))


# Roles -----------------------------------------------------------------------------------------------------


def test_rollback_goes_back_step_by_step_and_the_history_stays(registry: Registry) -> None:
    first, second, third = (promote(registry, hours) for hours in range(3))
    assert registry.rollback(by(4, "too many alerts"), features_hash=FEATURES) == second
    assert registry.rollback(by(5), features_hash=FEATURES) == first
    assert champion(registry).version == first
    with pytest.raises(ModelRefused, match="no champion before"):
        registry.rollback(by(6), features_hash=FEATURES)
    told = [(each.did, each.before) for each in registry.history() if each.did != "publish"]
    assert told == [("promote", ""), ("promote", first), ("promote", second), ("rollback", third), ("rollback", second)]
    assert ("ana", "too many alerts") in [(each.who, each.why) for each in registry.history()]


def test_after_a_rollback_the_way_back_leaves_out_what_was_rolled_back(registry: Registry) -> None:
    first, _ = promote(registry, 0), promote(registry, 1)
    registry.rollback(by(2), features_hash=FEATURES)
    promote(registry, 3)
    assert registry.rollback(by(4), features_hash=FEATURES) == first


def test_promoting_the_champion_again_changes_nothing(registry: Registry) -> None:
    first, second = promote(registry), promote(registry, 1)
    kept = state(registry)
    registry.promote(second, by(2), features_hash=FEATURES)
    assert state(registry) == kept
    assert registry.rollback(by(3), features_hash=FEATURES) == first


def test_a_shadow_scores_beside_the_champion_until_it_is_promoted(registry: Registry) -> None:
    first, second = promote(registry), publish(registry, 1)
    registry.shadow(second, by(2), features_hash=FEATURES)
    assert registry.open("shadow", features_hash=FEATURES).version == second
    assert [each.role for each in registry.list()] == ["champion", "shadow"]
    with pytest.raises(ModelRefused, match="own shadow"):
        registry.shadow(first, by(2), features_hash=FEATURES)
    registry.promote(second, by(3), features_hash=FEATURES)
    assert [each.role for each in registry.list()] == ["", "champion"]
    with pytest.raises(ModelRefused, match="no model is shadow"):
        registry.open("shadow", features_hash=FEATURES)
    registry.shadow(first, by(4), features_hash=FEATURES)
    registry.shadow(None, by(5), features_hash=FEATURES)
    with pytest.raises(ModelRefused, match="no model is shadow"):
        registry.open("shadow", features_hash=FEATURES)


def test_an_empty_registry_says_what_to_do(registry: Registry) -> None:
    assert registry.list() == ()
    assert registry.history() == ()
    with pytest.raises(ModelRefused, match="no model is champion: see `ringroad train`"):
        champion(registry)


# Refusals --------------------------------------------------------------------------------------------------


def _missing(folder: Path) -> None:
    (folder / "main.json").unlink()


def _corrupt(folder: Path) -> None:
    (folder / "main.json").write_text('{"trees": {}}')


def _extra(folder: Path) -> None:
    (folder / "more.json").write_text("{}")


def _changed_manifest(folder: Path) -> None:
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace('"pr_auc": 0.3', '"pr_auc": 0.9'))


def _no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _link_to_a_file(folder: Path) -> None:
    shutil.move(folder / "main.json", folder.parent / "elsewhere.json")
    (folder / "main.json").symlink_to(folder.parent / "elsewhere.json")


def _link_to_a_folder(folder: Path) -> None:
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to(folder.parent / "elsewhere")


def _gone(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("damage", "because"),
    [
        (_missing, "'main.json' is missing"),
        (_corrupt, "'main.json' was changed"),
        (_extra, "'more.json' is extra"),
        (_changed_manifest, "manifest is not the one published"),
        (_no_manifest, "manifest is not the one published"),
        (_link_to_a_file, "'main.json' is no artefact"),
        (_link_to_a_folder, "its folder is a link"),
        (_gone, "cannot be read"),
    ],
)
def test_a_damaged_champion_never_serves_and_none_takes_its_place(
    registry: Registry, damage: Callable[[Path], None], because: str
) -> None:
    first, second = promote(registry), promote(registry, 1)
    damage(registry.root / second)
    for refused in (second, "champion"):
        with pytest.raises(ModelRefused, match=f"{because}.*`ringroad train`.*`ringroad models rollback`"):
            registry.open(refused, features_hash=FEATURES)
    assert {each.version: because in each.trouble for each in registry.list()}.get(second, True)
    assert registry.rollback(by(2), features_hash=FEATURES) == first
    assert champion(registry).version == first


def repinned(registry: Registry, version: str, change: Callable[[dict[str, object]], None]) -> None:
    """A manifest changed by someone who also changed what guards it."""
    file = registry.root / version / "manifest.json"
    old, told = sha(file.read_bytes()), json.loads(file.read_text())
    change(told)
    file.write_text(json.dumps(told))
    for guard in ("roles.json", "history.jsonl"):
        path = registry.root / guard
        path.write_text(path.read_text().replace(old, sha(file.read_bytes())))


def _escaping(told: dict[str, object]) -> None:
    secret = b"{}"
    told["files"] = told["files"] | {"../secret.json": {"sha256": sha(secret), "size": len(secret)}}  # type: ignore[operator]


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (_escaping, "'../secret.json' is missing"),
        (lambda told: told.update(format=2), "another release"),
        (lambda told: told.update(ontology="0" * 16), "another ontology"),
        (lambda told: told.pop("training"), "manifest is damaged"),
        (lambda told: told.update(files=[]), "manifest is damaged"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(
    registry: Registry, change: Callable[[dict[str, object]], None], because: str
) -> None:
    version = promote(registry)
    (registry.root / "secret.json").write_bytes(b"{}")
    repinned(registry, version, change)
    with pytest.raises(ModelRefused, match=because):
        champion(registry)


@pytest.mark.parametrize("version", ["../../etc", "/etc", "..", "20251001T120000-00000000", ""])
def test_a_version_that_was_never_published_is_none(registry: Registry, version: str) -> None:
    promote(registry)
    with pytest.raises(ModelRefused, match="never published"):
        registry.open(version, features_hash=FEATURES)


def test_a_pointer_cannot_lead_out_of_the_folder(registry: Registry, tmp_path: Path) -> None:
    version = promote(registry)
    shutil.copytree(registry.root / version, tmp_path / "outside")
    roles = registry.root / "roles.json"
    roles.write_text(roles.read_text().replace(version, "../outside"))
    with pytest.raises(ModelRefused, match=r"roles.json is damaged.*`ringroad models promote VERSION`"):
        champion(registry)


def test_a_damaged_pointer_can_be_made_anew(registry: Registry) -> None:
    version = promote(registry)
    (registry.root / "roles.json").write_text('{"champions"')
    with pytest.raises(ModelRefused, match=r"roles.json is damaged"):
        champion(registry)
    (registry.root / "roles.json").unlink()
    registry.promote(version, by(1), features_hash=FEATURES)
    assert champion(registry).version == version


def test_another_feature_catalogue_is_refused(registry: Registry) -> None:
    version = publish(registry)
    other = catalogue_hash([("age", "years"), ("amount", "CNY")])
    with pytest.raises(ModelRefused, match="another feature catalogue"):
        registry.open(version, features_hash=other)
    with pytest.raises(ModelRefused, match="another feature catalogue"):
        registry.promote(version, by(), features_hash=other)
    assert other != FEATURES != catalogue_hash([("amount", "CNY"), ("age", "months")])


def test_another_ontology_is_refused(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(registry)
    monkeypatch.setattr(manifests, "ontology_hash", lambda: "another")
    with pytest.raises(ModelRefused, match="another ontology"):
        champion(registry)


@pytest.mark.parametrize(
    ("metrics", "because"),
    [
        ({"pr_auc": 0.19, "ece": 0.01}, "pr_auc is 0.19, the gate asks for ≥ 0.2"),
        ({"pr_auc": 0.3, "ece": 0.021}, "ece is 0.021, the gate asks for ≤ 0.02"),
        ({"ece": 0.01}, "pr_auc is nan"),
        ({"pr_auc": 0.2, "ece": 0.02}, ""),
    ],
)
def test_a_model_below_its_gate_never_gets_a_role(registry: Registry, metrics: dict[str, float], because: str) -> None:
    before = promote(registry)
    weak = publish(registry, 1, replace(TRAINING, metrics=metrics))
    if not because:
        registry.promote(weak, by(2), features_hash=FEATURES)
        return
    with pytest.raises(ModelRefused, match=because):
        registry.promote(weak, by(2), features_hash=FEATURES)
    with pytest.raises(ModelRefused, match=because):
        registry.shadow(weak, by(2), features_hash=FEATURES)
    with pytest.raises(ModelRefused, match=because):
        registry.open(weak, features_hash=FEATURES)
    assert champion(registry).version == before


@pytest.mark.parametrize("took", [3.001, float("nan"), float("inf"), -1.0])
def test_a_slow_model_is_refused(registry: Registry, took: float) -> None:
    promote(registry)
    assert champion(registry, lambda _: 3.0)
    with pytest.raises(ModelRefused, match="ms for an application, more than its 3 ms"):
        champion(registry, lambda _: took)


def test_a_model_that_does_not_load_is_refused(registry: Registry) -> None:
    def check(folder: Path) -> float:
        raise KeyError(folder.name)

    promote(registry)
    with pytest.raises(ModelRefused, match=r"does not load \(KeyError\)"):
        champion(registry, check)


# What goes wrong on disk -----------------------------------------------------------------------------------


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("size", [5, 400, 1_300])
def test_a_full_disk_changes_nothing(registry: Registry, size: int) -> None:
    """The sizes let fail, in turn: an artefact, the manifest, the line of the history."""
    first = promote(registry)
    for hours in range(1, 5):
        publish(registry, hours)
    kept = state(registry)
    with files_no_longer_than(size), pytest.raises(StorageFull, match="no room left"):
        publish(registry, 9)
    assert state(registry) == kept
    assert champion(registry).version == first
    assert publish(registry, 9) in {each.version for each in registry.list()}


def test_a_full_disk_keeps_the_champion(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = promote(registry), publish(registry, 1)
    kept = state(registry)
    with files_no_longer_than(len(kept["history.jsonl"]) + 10), pytest.raises(StorageFull):
        registry.promote(second, by(2), features_hash=FEATURES)
    assert state(registry) == kept
    monkeypatch.setattr(Path, "rename", _full)
    with pytest.raises(StorageFull):
        registry.promote(second, by(2), features_hash=FEATURES)
    assert state(registry) == kept
    assert champion(registry).version == first


def _full(self: Path, target: Path) -> Path:
    raise OSError(28, "No space left on device", str(self))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(StoreError, match=r"models cannot be written \(File exists\)"):
        publish(Registry(tmp_path / "models"))


FORKED = """
import os, shutil, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.gnn import test_registry as t
from gnn.registry import Registry
root = Path(sys.argv[2])
def forked(act):
    child = os.fork()
    if child == 0:
        act()
        os._exit(0)
    return child
def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""
KILLED = """
def killed(moment):
    def dying(call):
        def act(*args, **more):
            nonlocal moment
            moment -= 1
            if moment < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)
        return act
    registry = Registry(root.with_name(str(moment)))
    os.fsync, Path.rename = dying(os.fsync), dying(Path.rename)
    registry.promote(t.publish(registry, 9), t.by(9), features_hash=t.FEATURES)
for moment in range(99):
    shutil.copytree(root, root.with_name(str(moment)))
    if ended(forked(lambda: killed(moment))) != -signal.SIGKILL:
        break
"""
PROMOTING = """
def promoting(process):
    registry, versions = Registry(root), sys.argv[3:]
    for at in range(30):
        registry.promote(versions[(at + process) % 3], t.by(at), features_hash=t.FEATURES)
assert [ended(each) for each in [forked(lambda: promoting(process)) for process in range(3)]] == [0, 0, 0]
"""


def run(script: str, *arguments: str) -> None:
    """Forks in a process of its own: pytest may have threads."""
    command = [sys.executable, "-c", FORKED + script, str(Path(__file__).parents[2]), *arguments]
    subprocess.run(command, cwd=Path(gnn.__file__).parents[1], check=True, timeout=60)


def test_a_publish_or_promotion_killed_anywhere_leaves_nothing_half(tmp_path: Path) -> None:
    first = promote(Registry(tmp_path / "models"))
    run(KILLED, str(tmp_path / "models"))
    ends = []
    for moment in range(len(list(tmp_path.iterdir())) - 1):
        registry = Registry(tmp_path / str(moment))
        listed = registry.list()
        assert all(not each.trouble for each in listed)
        ends.append((len(listed), champion(registry).version != first))
        assert promote(registry, 20) == champion(registry).version
        assert not (registry.root / ".new").exists()
    assert ends == sorted(ends)
    assert set(ends) == {(1, False), (2, False), (2, True)}


def test_processes_that_promote_at_once_lose_nothing(registry: Registry) -> None:
    """Each promotion stands in the history and in the way back, in the same order."""
    run(PROMOTING, str(registry.root), *[publish(registry, hours) for hours in range(3)])
    told = [each for each in registry.history() if each.did == "promote"]
    roles = json.loads((registry.root / "roles.json").read_text())
    assert [Pin(**each) for each in roles["champions"]] == [each.pin for each in told]
    assert [each.before for each in told[1:]] == [each.pin.version for each in told[:-1] if each.pin]
    assert len(told) > 30


def test_a_line_cut_short_never_happened(registry: Registry) -> None:
    promote(registry)
    history = registry.history()
    with (registry.root / "history.jsonl").open("a") as file:
        file.write('{"did": "pro')
    assert registry.history() == history
    promote(registry, 1)
    assert registry.history()[: len(history)] == history
    assert len(registry.history()) == len(history) + 2


def test_a_damaged_history_is_said(registry: Registry) -> None:
    version = promote(registry)
    path = registry.root / "history.jsonl"
    path.write_text("not JSON\n" + path.read_text())
    assert champion(registry).version == version
    with pytest.raises(StoreError, match=r"history.jsonl is damaged"):
        registry.history()


# No pickle -------------------------------------------------------------------------------------------------

PICKLERS = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def unpickles(source: str) -> list[int]:
    """Lines that could run code hidden in a file: picklers, `torch.load`, NumPy told to allow pickle."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        names = [each.name for each in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in [*names, ""]]
        if isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        asked = isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False"
        bad = any(set(name.split(".")) & PICKLERS or name in ("torch.load", "torch.save") for name in names)
        if bad or asked:
            lines.append(getattr(node, "lineno", 0))
    return lines


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "from sklearn.externals import joblib",
        "torch.load(path)",
        "from torch import load",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=chosen)",
        "pd.io.pickle.read(path)",
    ],
)
def test_the_scan_finds_what_unpickles(source: str) -> None:
    assert set(unpickles(source)) == {1}


def test_nothing_in_gnn_unpickles() -> None:
    sources = sorted(Path(gnn.__file__).parent.rglob("*.py"))
    assert Path(manifests.__file__) in sources
    assert unpickles("np.load(path, allow_pickle=False)\nimport json\nfrom torch import nn") == []
    assert {str(each): lines for each in sources if (lines := unpickles(each.read_text()))} == {}
