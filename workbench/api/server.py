"""What each process of the service runs: `workbench.api.server:create` for uvicorn."""

from __future__ import annotations

import gc
import logging
import sys
import time

from fastapi import FastAPI

from workbench.api.app import create as made
from workbench.online.service import Service
from workbench.online.settings import ServiceSettings


def create() -> FastAPI:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    app = made(Service.open(ServiceSettings.read(), clock=now))
    _spare_the_collector()
    return app


def _spare_the_collector() -> None:
    """What is here now stays: looking through all of it again and again would hold up a score for tens of
    milliseconds. Requests leave few cycles behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def now() -> int:
    return time.time_ns() // 1_000_000
