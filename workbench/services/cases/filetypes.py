"""What a file is, by its first bytes and by its name: both must say the same, and nothing is ever opened.

An office file is a zip, whose table of contents stands in it unpacked: that is read as bytes. So no bomb goes off, no
entity is resolved, and a file that no program could open is taken as long as it looks like one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from graph.errors import InputError

LONGEST_NAME = 96

_ZIP = b"PK\x03\x04"
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_HEADER = re.compile(rb"(?:From |[A-Za-z][A-Za-z0-9-]*:)[^\r\n]*\r?\n")
_OTHERS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0", b"#!")
_LONG_NUMBER = re.compile(r"\d(?:[\s-]?\d){10,}")
_BARE = re.compile(r"[^\w.()（）+ -]")
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True)
class FileType:
    media_type: str
    suffixes: tuple[str, ...]
    holds: Callable[[bytes], bool]


def _text(content: bytes) -> bool:
    """UTF-8 or GB18030 without control characters, and no other kind of file in disguise."""
    if _CONTROL.search(content) or content.startswith((*_OTHERS, b"%PDF-", _ZIP)):
        return False
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _office(part: bytes) -> Callable[[bytes], bool]:
    def holds(content: bytes) -> bool:
        listed = content.startswith(_ZIP) and b"[Content_Types].xml" in content and part in content
        return listed and b"vbaProject.bin" not in content

    return holds


_MAIN = "application/vnd.openxmlformats-officedocument."

TYPES: tuple[FileType, ...] = (
    FileType("application/pdf", ("pdf",), lambda content: content.startswith(b"%PDF-")),
    FileType("image/png", ("png",), lambda content: content.startswith(b"\x89PNG\r\n\x1a\n")),
    FileType("image/jpeg", ("jpg", "jpeg"), lambda content: content.startswith(b"\xff\xd8\xff")),
    FileType("text/plain", ("txt",), _text),
    FileType("text/csv", ("csv",), _text),
    FileType(f"{_MAIN}spreadsheetml.sheet", ("xlsx",), _office(b"xl/workbook.xml")),
    FileType(f"{_MAIN}wordprocessingml.document", ("docx",), _office(b"word/document.xml")),
    FileType("message/rfc822", ("eml",), lambda content: _text(content) and bool(_HEADER.match(content))),
)

SUFFIXES = tuple(suffix for each in TYPES for suffix in each.suffixes)
_BY_SUFFIX = {suffix: each for each in TYPES for suffix in each.suffixes}


def judged(name: str, content: bytes) -> tuple[str, str]:
    """The cleaned name and the media type. Raises InputError for what is not taken, or is not what its name says."""
    kept = cleaned(name)
    suffix = kept.rpartition(".")[2].lower()
    if suffix not in _BY_SUFFIX:
        raise InputError(f"files that end in .{suffix[:12]} are not taken; choose one of {', '.join(SUFFIXES)}")
    if content and not _BY_SUFFIX[suffix].holds(content):
        macros = " (or holds macros)" if suffix in ("xlsx", "docx") else ""
        raise InputError(f"the file's content is not what .{suffix} says{macros}; save it anew as what it is")
    return kept, _BY_SUFFIX[suffix].media_type


def cleaned(name: str) -> str:
    """The last part of a path, without what a file system, a header or a reader could take for something else.

    A long number, perhaps somebody's, becomes xxx: names of files stand in logs.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFKC", name))[-1]
    printed = "".join(each if each.isprintable() else " " for each in last)
    bare = " ".join(_BARE.sub("_", _LONG_NUMBER.sub("xxx", printed)).split()).strip(". ")
    stem, dot, suffix = bare.rpartition(".")
    if not dot or not stem.strip("._- "):
        raise InputError("the file has no name with an ending; name it like statement.pdf")
    if _DEVICES.fullmatch(bare):
        stem = f"_{stem}"
    return f"{stem[:LONGEST_NAME]}.{suffix}"
