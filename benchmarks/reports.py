"""How long each report takes, from facts that are in memory to files on disk.

python -m benchmarks.reports HOME [--now 2026-01-01T07:00:00+08:00]

HOME is that of an instance with a portfolio (and, for rings and scores to be told, a run and scores). Slots are the
newest ones that have data. Times are of a process that has gathered its facts, which is measured first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from graph.settings import Settings
from workbench.reports.catalogue import REPORTS
from workbench.reports.cli import _newest
from workbench.reports.making import FORMATS, make
from workbench.services.all import Services
from workbench.services.office import Office


def measure(services: Services, now: datetime) -> list[tuple[str, str, float, dict[str, int]]]:
    """(report, slot, seconds, kB by format) with both languages and all formats."""
    found = []
    with tempfile.TemporaryDirectory(prefix="ringroad-bench-") as folder:
        for name, kind in REPORTS.items():
            slot, _ = _newest(services, kind.cadence, now)
            began = time.perf_counter()
            made = make(services, name, slot, folder=Path(folder), now=now)
            seconds = time.perf_counter() - began
            sizes = {form: sum(each.size for each in made.files if each.format == form) // 1024 for form in FORMATS}
            found.append((name, slot.name, seconds, sizes))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--now", type=datetime.fromisoformat, default=datetime.now(UTC))
    options = parser.parse_args()
    with Office(Settings.read({"RINGROAD_HOME": str(options.home)})) as office:
        services = Services(office)
        began = time.perf_counter()
        facts = services.ledger.facts()
        applications = len(facts.snapshot.nodes["Application"])
        print(f"{applications:,} applications, facts gathered in {time.perf_counter() - began:.1f} s")
        for name, slot, seconds, sizes in measure(services, options.now):
            print(
                f"{name:<12}{slot:<12}{seconds:>6.1f} s  "
                + "  ".join(f"{form} {size} kB" for form, size in sizes.items())
            )


if __name__ == "__main__":
    main()
