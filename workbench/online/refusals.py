"""Requests that are not answered, and why; the status lives on the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graph.errors import RingroadError


class Refused(RingroadError):
    """A request that is not answered, and when to come again: of seconds, or never (None). `elsewhere`: on another
    connection, which leads to another process."""

    status = 503
    elsewhere = False

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Overloaded(Refused):
    """More requests wait than can be answered in time."""


class Draining(Refused):
    """This process ends; another one answers."""

    elsewhere = True


class TooManyRequests(Refused):
    """This key asked more often than it may."""

    status = 429


class TooLarge(Refused):
    """A body is longer than this route takes."""

    status = 413


class NotJson(Refused):
    """A body of another type than JSON."""

    status = 415


class BadRequest(RingroadError):
    """A request that does not say what it must; `errors` name each field, never its value."""

    status = 422

    def __init__(self, message: str, errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(message)
        self.errors = list(errors)


class NotFound(RingroadError):
    """Nothing stands under this name."""

    status = 404


class AlreadyLoaded(RingroadError):
    """An application that came by file is no request of the service; its score is `ringroad score`'s."""

    status = 409
