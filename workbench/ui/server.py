"""The workbench in several processes of several threads each (gunicorn). What they import, they share."""

from __future__ import annotations

import logging
import socket
from typing import Any

from gunicorn.app.base import BaseApplication

from graph.errors import InputError
from graph.settings import Settings
from workbench.services.all import Services
from workbench.services.office import Office
from workbench.ui.app import create_app

DRAIN_SECONDS = 8
LONGEST_SECONDS = 120
"""For one request; a whole graph read for the first time after a load takes most of it."""


class Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    def __init__(self, settings: Settings, *, bind: str, workers: int, threads: int) -> None:
        self._settings = settings
        self._asked = {
            "bind": bind,
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            "timeout": LONGEST_SECONDS,
            "graceful_timeout": DRAIN_SECONDS,
            "keepalive": 30,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "limit_request_line": 2048,
            "limit_request_fields": 60,
            "proc_name": "ringroad-ui",
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._asked.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In each process, after the fork: connections are not shared."""
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
        services = Services(Office(self._settings))
        services.warm()
        return create_app(services).server


def run(settings: Settings, *, host: str, port: int, workers: int, threads: int) -> None:
    """Until SIGTERM or Ctrl-C; what is in flight is answered. Raises InputError for an address that cannot be had."""
    _see_that_it_is_free(host, port)
    Server(settings, bind=f"{host}:{port}", workers=workers, threads=threads).run()


def _see_that_it_is_free(host: str, port: int) -> None:
    """gunicorn would try again for a while, and then say so in many lines."""
    try:
        with socket.create_server((host, port), reuse_port=False):
            pass
    except OSError as error:
        raise InputError(f"port {port} of {host} cannot be had ({error.strerror}); choose another: --port") from None
