"""What services say when they refuse, in the language of who asked.

Services know no languages: their messages are English. `zh/errors/*.po` hold the translations, one file per area, each
message as the code has it with `{names}` of one's own where values stand; a message that none of them matches stays as
it is. A test holds every entry to a message that the code can say.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from workbench.ui.i18n import DEFAULT, language

FIELD = re.compile(r"\{(\w+)\}")
FIELDS = ("reason", "display name")
"""Names of fields that messages of `casebook/words.py` begin with."""


def told(message: str) -> str:
    """The message of a RingroadError, for a screen."""
    for pattern, said in _known(language.get()):
        if found := pattern.fullmatch(message):
            return said.format(**found.groupdict())
    return message[:1].upper() + message[1:]


@cache
def _known(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return () if code == DEFAULT else tuple((_pattern(message), said) for message, said in entries(code))


def entries(code: str) -> list[tuple[str, str]]:
    """Longest first: what says more of a message is the better match."""
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).parent.joinpath(code, "errors").glob("*.po")):
        with path.open("rb") as file:
            found |= {str(each.id): str(each.string) for each in read_po(file) if each.id and each.string}
    return sorted(found.items(), key=lambda pair: -len(FIELD.sub("", pair[0])))


def _pattern(message: str) -> re.Pattern[str]:
    parts = FIELD.split(message)
    return re.compile("".join(f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)))
