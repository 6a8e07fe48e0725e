"""The one error tree.

A message says subject, value and what would be right; it never contains a
personal identifier. The class carries what the error means to HTTP (`status`)
and to a shell (`exit_code`, documented in the README); one handler renders it.
"""

from __future__ import annotations


class RingroadError(Exception):
    """Anything a user can be told in one line."""

    status = 500
    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class InputError(RingroadError):
    """What was given cannot be read: a missing folder, a wrong encoding, a bad date."""

    status = 422
    exit_code = 2


class TooManyRejected(InputError):
    """More rows than the allowed share were refused; nothing was written."""

    exit_code = 3


class StoreError(RingroadError):
    """The store cannot be reached, opened or written."""

    status = 503
    exit_code = 4


class StoreBusy(StoreError):
    """Another process holds the store for longer than we wait."""


class StorageFull(StoreError):
    """The disk has no room left; what was written before stands."""

    status = 507


class BatchConflict(StoreError):
    """A batch id was used before with other content."""

    status = 409


class NodeNotFound(RingroadError):
    """The store holds no such node as of the time asked for."""

    status = 404
    exit_code = 6


class SnapshotError(RingroadError):
    """A snapshot on disk is missing, damaged, or made by another ontology."""

    status = 503
    exit_code = 4


class ModelRefused(RingroadError):
    """A model is missing, damaged, made for something else, too weak or too slow: it does not serve."""

    status = 503
    exit_code = 4


class KeyReused(InputError):
    """A request came again under the same idempotency key with other content."""


class NotAuthenticated(RingroadError):
    """Nobody we know: no API key, an unknown one, or a wrong secret."""

    status = 401


class NotAllowed(RingroadError):
    """Somebody we know, who may not do this."""

    status = 403
