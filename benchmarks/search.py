"""How long the workbench searches, over what people type: `python -m benchmarks.search HOME`.

HOME is a copy of a home with a loaded portfolio and its rings: each search leaves its entry in the audit log.
Identifiers come out of its vault, all else out of its graph; a tenth of the questions have no answer.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from graph.ontology import NODES
from graph.settings import Settings
from graph.vault import NotInVault
from workbench.services.find.search import Search
from workbench.services.office import Office
from workbench.services.permissions import Person, Role

WHO = Person("bench", "Benchmark", Role.INVESTIGATOR)
IDENTIFIERS = ("Phone", "Person", "Vehicle", "Account", "Device")
NOTHING = ("不存在的公司", "zzzzqq", "13900000001", "沪A12345", "R1234", "C12")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("home", type=Path)
    asked.add_argument("--each", type=int, default=40, help="questions of each kind")
    given = asked.parse_args()
    with Office(Settings.read({"RINGROAD_HOME": str(given.home)})) as office:
        with office.store.bulk():
            pass  # a home of an earlier release lacks the newest indexes
        size = office.store.size()
        print(f"{sum(size.nodes.values()):,} nodes, {sum(size.edges.values()):,} links")
        tell(office, given.each)


def tell(office: Office, each: int) -> None:
    chance = random.Random(11)
    questions = [*_questions(office, each, chance)]
    chance.shuffle(questions)
    search, took = Search(office), dict[str, list[float]]()
    search.find(WHO, "R")  # rings are read once
    for kind, text in questions:
        begun = time.perf_counter()
        search.find(WHO, text)
        took.setdefault(kind, []).append(1e3 * (time.perf_counter() - begun))
    every = [one for times in took.values() for one in times]
    for kind, times in [*sorted(took.items()), ("all", every)]:
        p50, p95 = np.percentile(times, (50, 95))
        print(f"{kind:<22} {len(times):>5}   p50 {p50:>7.1f} ms   p95 {p95:>7.1f} ms   max {max(times):>7.1f} ms")


def _questions(office: Office, each: int, chance: random.Random) -> Iterator[tuple[str, str]]:
    snapshot = office.snapshot()
    for type_ in IDENTIFIERS:
        table, kind = snapshot.nodes[type_].table, NODES[type_].kind
        for at in chance.sample(range(len(table)), min(each, len(table))):
            try:
                yield f"exact {type_}", office.vault.reveal(str(kind), table["key"][at].as_py())
            except NotInVault:
                continue
            if type_ in ("Phone", "Vehicle"):
                yield f"end of {type_}", table["masked"][at].as_py()[-4:]
    for type_ in ("Employer", "Dealer"):
        table = snapshot.nodes[type_].table
        for at in chance.sample(range(len(table)), min(each, len(table))):
            name = table["name"][at].as_py() or "启明物流有限公司"
            yield from ((f"{type_} name", name), (f"{type_} part", name[3:7]), (f"{type_} two letters", name[3:5]))
            yield f"{type_} code", table["key"][at].as_py()
    keys = snapshot.nodes["Application"].table["key"]
    for at in chance.sample(range(len(keys)), each):
        yield from (("application", keys[at].as_py()), ("application prefix", keys[at].as_py()[:6]))
    yield from (("nothing", text) for text in NOTHING * (1 + each // 3))


if __name__ == "__main__":
    main()
