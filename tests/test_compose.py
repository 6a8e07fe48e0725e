"""The compose file says what compose understands, and what it runs is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from workbench.cli import app

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def test_compose_takes_it(tmp_path: Path) -> None:
    """Debian's docker-compose reads it against the specification; no engine is needed."""
    tool = shutil.which("docker-compose")
    if tool is None:
        pytest.skip("docker-compose is not installed")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/neo4j_auth").touch()
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    done = subprocess.run([tool, "config"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {"api", "neo4j", "ui"} <= set(yaml.safe_load(done.stdout)["services"])


@pytest.mark.parametrize("service", ["api", "ui"])
def test_what_a_service_runs_is_a_command(compose: dict[str, Any], service: str) -> None:
    root: Any = typer.main.get_command(app)
    group, name, *options = compose["services"][service]["command"]
    command = root.commands[group].commands[name]
    known = {flag for each in command.params for flag in each.opts}
    assert {each for each in options if each.startswith("--")} <= known


def test_services_stay_on_this_machine_and_may_do_little(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert all(str(port).startswith("127.0.0.1:") for port in service["ports"]), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["healthcheck"], name
        assert service["mem_limit"], name
    assert all(compose["services"][name]["read_only"] for name in ("api", "ui"))


def test_the_image_runs_as_nobody_special_and_copies_what_there_is() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER ringroad" in lines
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert copied
    assert [each for each in copied if not (ROOT / each).exists()] == []
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    }
    assert set(copied) == allowed
    assert any("--require-hashes" in line for line in lines)
