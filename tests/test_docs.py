"""What is public is documented, and what is documented is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main

from graph import ontology
from graph.errors import RingroadError
from graph.vault import Vault  # noqa: F401 - its errors join the tree
from workbench.cli import app

ROOT = Path(__file__).parents[1]
VARIABLE = re.compile(r"\bRINGROAD_[A-Z0-9_]+\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
REGISTRY = re.compile(r"https?://[^\s\"')]*(?:pypi|/simple\b|artifactory|nexus|repo1?\.maven)", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:home|Users|root|work|mnt|private|var/folders)/[\w.-]+")
SOURCES = (".py", ".java", ".sh", ".yml", ".yaml", ".ipynb")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", ".env.example")


def files() -> list[Path]:
    """What is committed, or would be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return sorted({ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()})


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def names_in(paths: list[Path]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        for name in VARIABLE.findall(text_of(path)):
            found.setdefault(name, []).append(str(path.relative_to(ROOT)))
    return found


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert commands
    assert [name for name in commands if f"`ringroad {name}" not in readme] == []


def commands_in(text: str) -> list[str]:
    """What follows `ringroad` in code: between backticks, or on a line of its own."""
    spans = re.findall(r"`(?:\.venv/bin/)?ringroad ([^`\n]+)`", text)
    lines = re.findall(r"^\s*(?:\S*/)?ringroad ([a-z].*)$", text, re.MULTILINE)
    contained = re.findall(r"^\s*(?:#\s+)?docker compose run .*\bapi (\S.*)$", text, re.MULTILINE)
    return [re.split(r"\s[|#&…>]|…", each)[0].strip() for each in (*spans, *lines, *contained)]


def wrong_in(said: str) -> str:
    """The first word of a command line that is none, "" for a right one. Arguments stand in capitals or are values."""
    command: Any = typer.main.get_command(app)
    words = said.split()
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return words[0]
        command = command.commands[words.pop(0)]
    known = {flag for each in command.params for flag in (*each.opts, *each.secondary_opts)} | {"--help"}
    return next((word for word in words if word.startswith("--") and word.partition("=")[0] not in known), "")


@pytest.mark.parametrize(
    "path",
    [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md", ROOT / "docker-compose.yml"],
    ids=lambda path: path.name,
)
def test_every_command_that_is_told_is_one(path: Path) -> None:
    told = commands_in(text_of(path))
    assert {said: wrong for said in told if (wrong := wrong_in(said))} == {}


def test_the_guide_tells_commands() -> None:
    """So that the test above reads what it is meant to."""
    told = commands_in(text_of(ROOT / "docs/operations.md"))
    assert len(told) > 50
    assert "users add anna --role manager" in told
    assert wrong_in("keys rotate --undone") == "--undone"
    assert wrong_in("leak") == "leak"


def test_every_exit_code_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    codes, waiting = set[int](), [RingroadError]
    while waiting:
        error = waiting.pop()
        codes.add(error.exit_code)
        waiting += error.__subclasses__()
    assert [code for code in sorted(codes) if f"\n| {code} |" not in readme] == []


def test_the_settings_are_those_of_env_example() -> None:
    """Tests may set variables of the product; a variable of their own counts like one of the product."""
    here = Path(__file__)
    sources = [each for each in files() if (each.suffix in SOURCES or each.name == "Makefile") and each != here]
    used, told = names_in(sources), names_in([ROOT / ".env.example"])
    assert {name: where for name, where in used.items() if name not in told} == {}
    assert sorted(set(told) - set(used)) == []
    assert sorted(set(names_in([each for each in files() if each.suffix == ".md"])) - set(told)) == []


def test_the_ontology_page_is_up_to_date() -> None:
    assert (ROOT / "graph/ONTOLOGY.md").read_text(encoding="utf-8") == ontology.markdown(), (
        "run: python -m graph.ontology"
    )


def test_links_between_documents_resolve() -> None:
    broken = []
    for path in files():
        if path.suffix != ".md":
            continue
        for target in LINK.findall(text_of(path)):
            place = target.split("#")[0]
            if place and "://" not in place and not place.startswith("mailto:") and not (path.parent / place).exists():
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def test_no_registry_address_and_no_path_of_a_machine_is_committed() -> None:
    here = Path(__file__)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in files()
        if path != here
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        for match in (*REGISTRY.finditer(line), *MACHINE_PATH.finditer(line))
    ]
    assert found == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_of_the_root_are_there(name: str) -> None:
    assert text_of(ROOT / name).strip()
