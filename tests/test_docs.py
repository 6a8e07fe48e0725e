"""What is public is documented, and what is documented is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

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
