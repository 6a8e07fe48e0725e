"""A real PostgreSQL, as for the casebook's own tests."""

from tests.workbench.conftest import postgres

__all__ = ["postgres"]
