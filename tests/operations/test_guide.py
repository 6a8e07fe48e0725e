"""The operations guide: what it tells people to type is typed here, and what it names is there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Told, inside
from tests.loaders import lender

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)


def section(title: str) -> str:
    return GUIDE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the guide's places are: a small instance with a ring and a label, its key file kept apart as well."""
    for name in ("RINGROAD_STORE", "RINGROAD_CASEBOOK"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    lender.written(tmp_path / "input", lender.tables())
    for words in (
        ("load", tmp_path / "input"),
        ("rings",),
        ("labels", "add", "A5", "--label", "CLEARED_BENIGN", "--source", "review"),
        ("users", "add", "anna", "--role", "manager"),
    ):
        assert inside(home, *words).code == 0, words
    for folder in ("backups", "safe"):
        (tmp_path / folder).mkdir()
    shutil.copy2(home / "vault.key", tmp_path / "safe/vault.key")
    return home


def typed(block: str, home: Path, place: Path) -> dict[str, str]:
    """Line by line, as a shell does; what each command of ours said."""
    said = {}
    for there, ours in (("/var/backups/ringroad", "backups"), ("/safe", "safe"), ("/srv", "srv")):
        block = block.replace(there, str(place / ours))
    for line in block.strip().splitlines():
        first, *words = shlex.split(line)
        if first == "export":
            assert words[0].startswith("RINGROAD_HOME=")
            home = Path(words[0].partition("=")[2])
        elif first == "ringroad":
            told: Told = inside(home, *words)
            assert told.code == 0, (line, told)
            said[" ".join(words[:2])] = told.out
        else:
            subprocess.run([first, *words], check=True, timeout=30)
    return said


def test_backup_and_restore_as_the_guide_says(home: Path, tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    out, back = BLOCK.findall(section("Backup and restore"))
    before = {each: inside(home, *each.split()).out for each in ("labels list --json", "aside --json")}
    typed(out, home, tmp_path)
    assert (next((tmp_path / "backups").glob("*.tar"))).stat().st_mode & 0o077 == 0
    said = typed(back, home, tmp_path)
    assert said["labels list"] == before["labels list --json"]
    assert "is the one that was anchored" in said["audit verify"]
    again = tmp_path / "srv/ringroad-again"
    assert inside(again, "aside", "--json").out == before["aside --json"]
    assert again.stat().st_mode & 0o777 == 0o700


def test_a_backup_is_not_restored_over_people_s_work(home: Path, tmp_path: Path) -> None:
    (out, _) = BLOCK.findall(section("Backup and restore"))
    typed(out, home, tmp_path)
    (backup,) = (tmp_path / "backups").glob("*.tar")
    refused = inside(home, "restore", backup)
    assert refused.code == 2
    assert "not empty" in refused.err


def test_figures_that_alarms_ask_for_are_there() -> None:
    there = "".join(
        (ROOT / "workbench" / place).read_text(encoding="utf-8")
        for place in ("online/metrics.py", "schedule/metrics.py")
    )
    named = re.findall(r"`ringroad_([a-z_]+)`", GUIDE)
    assert len(named) >= 4
    assert [name for name in named if f'{name.removesuffix("_total")}"' not in there] == []


@pytest.mark.parametrize(
    "title", ["The store is down", "The casebook is down", "The disk is full", "The keeper is behind"]
)
def test_a_runbook_names_a_command(title: str) -> None:
    (text,) = re.findall(rf"\n\*\*{title}\.\*\* (.*?)(?:\n\n|\Z)", GUIDE, re.DOTALL)
    assert "`ringroad " in text


def test_the_timer_starts_a_tick_as_nobody_special() -> None:
    unit = (ROOT / "deploy/systemd/ringroad-tick.service").read_text(encoding="utf-8")
    timer = (ROOT / "deploy/systemd/ringroad-tick.timer").read_text(encoding="utf-8")
    assert re.search(r"^ExecStart=/\S+/ringroad tick$", unit, re.MULTILINE)
    assert {"User=ringroad", "NoNewPrivileges=yes", "ProtectSystem=strict", "Type=oneshot"} <= set(unit.splitlines())
    assert "OnCalendar=*:0/1" in timer.splitlines()
    tool = shutil.which("systemd-analyze")
    if tool is not None:
        done = subprocess.run([tool, "calendar", "*:0/1"], capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, done.stderr
