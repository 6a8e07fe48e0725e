"""The compose file says what compose understands, what it runs is there, and nothing in it may do more than it must."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from workbench.cli import app

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
WRITES_ITS_OWN_FOLDER = {"neo4j"}
PASSWORD = re.compile(r"PASSWORD|SECRET|AUTH|TOKEN", re.IGNORECASE)


def lacking(what: str) -> None:
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"no {what} to test with: tools/system.sh installs it")
    pytest.skip(f"no {what} to test with")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the file needs beside it, with secrets as deploy/secrets.sh makes them."""
    if shutil.which("openssl") is None:
        lacking("openssl")
    shutil.copy(FILE, tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    made(tmp_path)
    return tmp_path


def made(place: Path) -> str:
    command = [str(place / "deploy/secrets.sh"), "--trial", "ringroad.test"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compose_takes_it(checkout: Path) -> None:
    """Debian's docker-compose reads it against the specification; no engine is needed."""
    tool = shutil.which("docker-compose")
    if tool is None:
        lacking("docker-compose")
    done = subprocess.run([str(tool), "config"], cwd=checkout, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["services"].keys() == SERVICES.keys()


def test_a_team_has_its_services() -> None:
    assert set(SERVICES) == {"neo4j", "postgres", "api", "ui", "scheduler", "proxy"}
    assert OURS == ["api", "scheduler", "ui"]


@pytest.mark.parametrize("service", OURS)
def test_what_a_service_runs_is_a_command_that_tests_run(service: str) -> None:
    root: Any = typer.main.get_command(app)
    group, name, *options = SERVICES[service]["command"]
    with root.commands[group].commands[name].make_context(name, [*options]) as asked:
        assert asked.params.get("host", "0.0.0.0") == "0.0.0.0", "the proxy could not reach it"
    words = re.compile(rf'"{group}", "{name}"|started\("{name}"|serve {name}')
    here = Path(__file__)
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != here]
    assert [path for path in tests if words.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little_and_is_looked_after(name: str) -> None:
    service = SERVICES[name]
    user = str(service["user"]).split(":")
    assert len(user) == 2
    assert "0" not in user
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.get("read_only", False) is (name not in WRITES_ITS_OWN_FOLDER)
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & service.keys()
    assert {"mem_limit", "cpus", "pids_limit", "healthcheck", "stop_grace_period"} <= service.keys()
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"]["max-size"]
    assert re.search(r":\d[\w.-]*$", service["image"]), "its version is not named"


def test_only_the_proxy_is_open_to_others() -> None:
    for name, service in SERVICES.items():
        to_others = [str(port) for port in service.get("ports", []) if not str(port).startswith("127.0.0.1:")]
        assert to_others == (["443:8443"] if name == "proxy" else []), name
    networks = COMPOSE["networks"]
    assert networks["data"]["internal"] is networks["front"]["internal"] is True
    assert set(SERVICES["ui"]["networks"]) == {"data", "front"}, "the workbench asks nobody outside"
    assert "data" not in SERVICES["proxy"]["networks"], "the proxy reaches no database"
    assert SERVICES["postgres"]["networks"] == ["data"]


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_by_file(name: str, checkout: Path) -> None:
    service = SERVICES[name]
    held = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    asked = {setting: str(value) for setting, value in service.get("environment", {}).items()}
    places = {value for setting, value in asked.items() if PASSWORD.search(setting) and value.startswith("/")}
    assert [setting for setting in asked if PASSWORD.search(setting) and not setting.endswith(("_FILE", "ARGS"))] == []
    assert places <= held
    for secret in service.get("secrets", []):
        file = checkout / COMPOSE["secrets"][secret]["file"]
        assert file.read_bytes().strip() or secret == "smtp_password"
        assert file.stat().st_mode & 0o777 == 0o444, "each service reads it as a user of its own"
        assert file.parent.stat().st_mode & 0o777 == 0o700, "and on the machine nobody gets as far"


def test_secrets_are_made_once(checkout: Path) -> None:
    folder = checkout / ".secrets"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert made(checkout) == ""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert before["neo4j_auth"] == b"neo4j/" + before["neo4j_password"]
    assert before["postgres_password"] != before["neo4j_password"]
    assert min(len(before["postgres_password"]), len(before["neo4j_password"])) >= 32
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/.secrets/" in ignored


def test_the_image_runs_as_nobody_special_and_copies_what_there_is() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert f"USER {SERVICES['api']['user']}" in lines
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert copied
    assert [each for each in copied if not (ROOT / each).exists()] == []
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    }
    assert set(copied) == allowed
    assert any("--require-hashes" in line for line in lines)
    assert any("fonts-noto-cjk" in line for line in lines), "reports in Chinese"
