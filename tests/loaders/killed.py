"""Loads a folder again and again, and kills each load at a random moment. Run by test_load.py.

This process imports what a load needs and never loads itself, so that each fork starts clean and at once.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

from loaders import beside, readers
from tests.loaders.lender import Home

readers.ROWS = 2


def load(folder: Path, home: Path) -> int:
    child = os.fork()
    if not child:
        try:
            Home(home).load(folder, max_rejected=1.0)
        except BaseException:  # noqa: BLE001 - told, and this fork ends
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def main(folder: Path, homes: Path, times: int, seed: int, large: int) -> None:
    beside.LARGE = large
    begin = time.monotonic()
    os.waitpid(load(folder, homes / "whole"), 0)
    whole = time.monotonic() - begin
    chance, died = random.Random(seed), 0
    for number in range(times):
        for _ in range(2):
            child = load(folder, homes / str(number))
            time.sleep(chance.uniform(0.1, 0.7) * whole)
            os.kill(child, signal.SIGKILL)
            died += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    sys.stdout.write(f"{died}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
