"""What people write into the casebook: on one line, of bounded length, without what looks like an identifier."""

from __future__ import annotations

import re

from graph.errors import InputError

LONG_NUMBER = re.compile(r"\d(?:[\s-]?\d){10}")
MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def words(name: str, text: str, longest: int) -> str:
    """The text on one line. Raises InputError, which names the field and never repeats the text."""
    line = " ".join(text.split())
    if len(line) > longest:
        raise InputError(f"{name} has {len(line)} characters; {longest} at most")
    if LONG_NUMBER.search(line):
        raise InputError(f"{name} holds a long number, perhaps an identifier; say it without")
    if not line.isprintable():
        raise InputError(f"{name} holds characters that do not print; write plain text")
    return line


def remark(name: str, text: str, longest: int) -> str:
    """As `words`, of what is said about somebody: an author may be named by a mail address, a customer may not."""
    line = words(name, text, longest)
    if MAIL.search(line):
        raise InputError(f"{name} holds a mail address; say it without")
    return line


def stated(name: str, text: str, longest: int) -> str:
    """As `words`, and something must be there."""
    line = words(name, text, longest)
    if not line:
        raise InputError(f"{name} is empty; state it")
    return line
