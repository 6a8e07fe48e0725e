"""What each process of the service runs: `workbench.api.server:create` for uvicorn."""

from __future__ import annotations

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
    return made(Service.open(ServiceSettings.read(), clock=now))


def now() -> int:
    return time.time_ns() // 1_000_000
