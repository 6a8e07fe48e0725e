#!/usr/bin/env python3
"""A real Neo4j on this machine, without Docker: `make neo4j`.

Standard library only. Needs JDK 17 or later and, the first time, Maven, which
fetches Neo4j Community (GPLv3) into `target/`. It runs as a process of its own;
nothing of Ringroad links to it. The tests start theirs through `start` below.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
JARS = HERE / "target" / "jars"
SOURCES = (HERE / "pom.xml", HERE / "src/main/java/ringroad/Server.java")
OPENS = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch", "java.base/java.util.concurrent")
START_SECONDS = 120


class Unavailable(Exception):
    """No server can run here; the message says what is missing."""


@dataclass
class Running:
    """A server that answers. It watches its standard input, so it ends with this process in any case."""

    url: str
    password: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """Close the database in order."""
        self.process.terminate()
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate(timeout=60)


def missing() -> str | None:
    """What keeps a server from running here, in one line; None when nothing does."""
    if shutil.which("java") is None:
        return "a JDK (17 or later) is not installed"
    if _stale() and shutil.which("mvn") is None:
        return "Maven is not installed and Neo4j has not been fetched yet"
    return None


def build() -> None:
    """Fetch Neo4j and compile the launcher, once; two processes at a time do not meet."""
    (HERE / "target").mkdir(exist_ok=True)
    with (HERE / "target/build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _stale():
            return
        shutil.rmtree(JARS, ignore_errors=True)
        made = subprocess.run(  # noqa: S603 - a fixed command
            ["mvn", "-B", "-q", "-f", str(HERE), "package"],  # noqa: S607 - the Maven of this machine
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise Unavailable(f"Maven could not fetch or build Neo4j: {_reason(made.stdout + made.stderr)}")


def start(folder: Path, *, password: str, port: int = 0, heap: str = "1g", options: tuple[str, ...] = ()) -> Running:
    """Start a server on `folder` and wait until it answers. Port 0: a free one; `options` are the JVM's."""
    if (reason := missing()) is not None:
        raise Unavailable(f"no Neo4j here: {reason}")
    build()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = ["java", f"-Xmx{heap}", *options, *(f"--add-opens={each}=ALL-UNNAMED" for each in OPENS)]
    command += [
        "-cp",
        f"{JARS}/*",
        "ringroad.Server",
        "--port",
        str(port),
        "--conf",
        str(HERE / "neo4j.conf"),
    ]
    log = folder / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - a fixed command
            [*command, "--watch-stdin", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "RINGROAD_STORE_PASSWORD": password},
            start_new_session=True,  # Ctrl-C reaches us, and we stop it in order
        )
    url = _await_ready(process)
    if url is None:
        process.kill()
        process.communicate()
        raise Unavailable(f"Neo4j did not start: {_reason(log.read_text(errors='replace'))}")
    return Running(url=url.replace("bolt://", "bolt://neo4j@"), password=password, process=process)


def _await_ready(process: subprocess.Popen[str]) -> str | None:
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout or ():
            if line.startswith("READY "):
                return line.split()[1]
    finally:
        timer.cancel()
    return None


def _stale() -> bool:
    made = JARS / "ringroad-neo4j.jar"
    return not made.exists() or any(each.stat().st_mtime > made.stat().st_mtime for each in SOURCES)


def _reason(output: str) -> str:
    """The one line of a Java or Maven failure that says why."""
    lines = [each.strip() for each in output.splitlines() if each.strip()]
    telling = lines[:1] + [each for each in lines if each.startswith(("Caused by:", "[ERROR]"))]
    return " … ".join(dict.fromkeys([telling[0], telling[-1]]))[:400] if telling else "it said nothing"


def _password(folder: Path) -> str:
    """The environment's, or one made once and kept beside the data, readable by its owner only."""
    if given := os.environ.get("RINGROAD_STORE_PASSWORD"):
        return given
    kept = folder / "password"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(24))
    return kept.read_text().strip()


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a Neo4j server on this machine until Ctrl-C.")
    parser.add_argument("--data", type=Path, default=Path(".cache/neo4j"), help="where it keeps its files")
    parser.add_argument("--port", type=int, default=7687, help="0: a free one")
    parser.add_argument("--heap", default="2g", help="memory for transactions; a large load needs more")
    options = parser.parse_args()
    say = sys.stdout.write
    if missing() is None and _stale():
        say("Fetching Neo4j once (about 130 MB) …\n")
        sys.stdout.flush()
    try:
        running = start(options.data.absolute(), password=_password(options.data), port=options.port, heap=options.heap)
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")
        return 4
    try:
        say(f"Neo4j answers on {running.url}. Ctrl-C stops it. In another terminal:\n\n")
        say(f"  export RINGROAD_STORE={running.url.replace('bolt://', 'neo4j://')}\n")
        if "RINGROAD_STORE_PASSWORD" not in os.environ:
            say(f"  export RINGROAD_STORE_PASSWORD=$(cat {options.data / 'password'})\n")
        say("\n")
        sys.stdout.flush()
        running.process.wait()
    except KeyboardInterrupt:
        running.stop()
        return 0
    sys.stderr.write(f"Neo4j ended by itself; its own log tells why: {options.data / 'logs/debug.log'}\n")
    return 4


if __name__ == "__main__":
    sys.exit(main())
