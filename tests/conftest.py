"""The `store` fixture: each test of a promise runs on SQLite and on a real Neo4j.

Neo4j is started once a session on a free port (tools/neo4j, JDK and Maven), or is
the one of RINGROAD_TEST_NEO4J_URL with RINGROAD_STORE_PASSWORD, which must be empty:
the tests delete everything in it. Without either those tests are skipped, and with
CI=true a skip is a failure.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import neo4j
import pytest

from graph.store import GraphStore
from graph.stores import open_store

ROOT = Path(__file__).parents[1]
PASSWORD = "for-the-tests-only"
BRIEF = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # a server that lives for two minutes

Open = Callable[[], GraphStore]
"""Opens another handle on the same store."""


class Neo4j:
    """A server to test against, emptied on demand."""

    def __init__(self, url: str, password: str) -> None:
        self.url, self.password = url, password
        self._driver = neo4j.GraphDatabase.driver(url.replace("neo4j@", ""), auth=("neo4j", password))

    def open(self) -> GraphStore:
        return open_store(self.url, password=self.password)

    def ask(self, query: str) -> list[neo4j.Record]:
        return self._driver.execute_query(query).records

    def clear(self) -> None:
        self.ask("MATCH (n) CALL (n) { DETACH DELETE n }")

    def close(self) -> None:
        self._driver.close()


def load_serve() -> ModuleType:
    """tools/neo4j/serve.py, which is no package."""
    spec = importlib.util.spec_from_file_location("serve", ROOT / "tools/neo4j/serve.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["serve"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without_neo4j(reason: str) -> None:
    line = f"{reason}; install both, or set RINGROAD_TEST_NEO4J_URL"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"no Neo4j to test on: {line}")
    pytest.skip(f"no Neo4j to test on: {line}")


@pytest.fixture(scope="session")
def serve() -> ModuleType:
    """The launcher of Neo4j, where one can run."""
    module = load_serve()
    if (reason := module.missing()) is not None:
        without_neo4j(reason)
    return module


@pytest.fixture(scope="session")
def neo4j_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4j]:
    if url := os.environ.get("RINGROAD_TEST_NEO4J_URL"):
        server = Neo4j(url, os.environ.get("RINGROAD_STORE_PASSWORD", ""))
        if server.ask("MATCH (n) RETURN count(n)")[0][0]:
            pytest.fail("the server of RINGROAD_TEST_NEO4J_URL is not empty; tests would delete what it holds")
        yield server
        server.close()
        return
    module: ModuleType = request.getfixturevalue("serve")
    running = module.start(tmp_path_factory.mktemp("neo4j"), password=PASSWORD, heap="512m", options=BRIEF)
    server = Neo4j(running.url, PASSWORD)
    yield server
    server.close()
    running.stop()


@pytest.fixture(params=["sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """An empty store behind a function that opens it, as often as one likes; whoever opens it closes it."""
    if request.param == "sqlite":
        yield lambda: open_store(f"sqlite:///{tmp_path / 'graph.sqlite'}")
        return
    server: Neo4j = request.getfixturevalue("neo4j_server")
    yield server.open
    server.clear()


@pytest.fixture
def store(open_again: Open) -> Iterator[GraphStore]:
    with open_again() as opened:
        yield opened


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a trained model, made once for all who ask; copy it, never write to it."""
    from tests.service.conftest import made  # noqa: PLC0415 - most tests need none of what it imports

    return made(tmp_path_factory)
