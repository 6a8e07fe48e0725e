"""What a password must be, and how it is kept: argon2id, hashed anew at the next sign-in when the parameters change."""

from __future__ import annotations

import secrets
import string
import threading
import unicodedata
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from graph.errors import InputError, StoreBusy

SHORTEST, LONGEST = 12, 256
DIFFERENT = 5
AT_ONCE = 4
WAIT_SECONDS = 10.0
GIVEN_CHARACTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0OoIl1")))

_WORDS = """
password passwort passw pass qwerty qwertyuiop qwertz asdfghjkl asdf zxcvbnm zxcv admin administrator root
user welcome letmein iloveyou woaini changeme secret default master login guest test demo monkey dragon
football baseball sunshine princess superman trustno ringroad workbench investigator manager auditor senior
company summer winter spring autumn mima huanying beijing shanghai shenzhen guangzhou china
"""
USUAL = frozenset(_WORDS.split())
"""What is left of the most usual passwords without digits, signs and repetition."""

HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
"""RFC 9106, the second recommended choice: 64 MiB, three passes."""

_places = threading.BoundedSemaphore(AT_ONCE)


def checked(password: str, *, name: str) -> str:
    """The password as it is hashed. Raises InputError, which never repeats it."""
    password = normalised(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"a password takes {SHORTEST} to {LONGEST} characters; a sentence is easy to remember")
    if len(set(password.casefold())) < DIFFERENT or _in_a_row(password):
        raise InputError("this password repeats itself; take a sentence of your own")
    rest = password.casefold().replace(name.casefold(), "")
    if len(rest) < SHORTEST - 4:
        raise InputError("this password is hardly more than the user's name; take a sentence of your own")
    bare = rest.rstrip(string.digits + string.punctuation + " ")
    if _usual(_letters(rest)) or _usual(_letters(bare.translate(_LOOK_ALIKES))):
        raise InputError("this password is among the most usual ones; take a sentence of your own")
    return password


def normalised(password: str) -> str:
    """Two keyboards send one character in two ways."""
    return unicodedata.normalize("NFKC", password)


def given() -> str:
    """One to be told to somebody: 95 bits, without characters that look like others."""
    return "-".join("".join(secrets.choice(GIVEN_CHARACTERS) for _ in range(4)) for _ in range(4))


def hashed(password: str) -> str:
    with _Place():
        return HASHER.hash(password)


def right(password: str, kept: str | None) -> bool:
    """Takes as long for a user that there is not (`kept` None)."""
    password = normalised(password[: LONGEST + 1])
    with _Place():
        if kept is None:
            HASHER.hash(password)
            return False
        try:
            return HASHER.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def outdated(kept: str) -> bool:
    return HASHER.check_needs_rehash(kept)


class _Place:
    """Each hash takes 64 MiB and a core: more at once would stop everybody's work."""

    def __enter__(self) -> None:
        if not _places.acquire(timeout=WAIT_SECONDS):
            raise StoreBusy("too many people sign in at once; try again in a moment")

    def __exit__(self, *_: object) -> None:
        _places.release()


_LOOK_ALIKES = str.maketrans("013457@$!", "oleastasi")


def _letters(text: str) -> str:
    return "".join(each for each in text if each.isalpha())


def _usual(letters: str) -> bool:
    """Nothing but usual words, one after the other; or nothing at all."""
    reached = {0}
    for end in range(1, len(letters) + 1):
        if any(letters[begin:end] in USUAL for begin in reached):
            reached.add(end)
    return len(letters) in reached


def _in_a_row(password: str) -> bool:
    """12345678901234, abcdefghijklmn: every character follows the one before, up or down, or is it."""
    steps = [ord(after) - ord(before) for before, after in pairwise(password)]
    return sum(-1 <= step <= 1 or abs(step) == 9 for step in steps) >= len(steps) - 1
