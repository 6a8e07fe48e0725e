"""A home of one's own with a trained model, as the tests of the score service have it."""

from tests.service.conftest import home

__all__ = ["home"]
