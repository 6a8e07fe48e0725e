"""HTML for a file that stands by itself: no script, no reference to anything outside, everything escaped.

Whatever text comes in, goes out as text: the functions below are the only ones that write markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("pack.css")

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def head(title: str, language: str) -> str:
    kept = STYLE.read_text(encoding="utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>\n{kept}</style></head>\n<body>\n"
    )


FOOT = "\n</body></html>\n"


def section(name: str, title: str, *content: str) -> str:
    """`content` is made by the functions below; `name` is a word of ours. Without a title it brings its own."""
    top = f"<h2>{escape(title)}</h2>" if title else ""
    return f'<section id="{name}">{top}{"".join(content)}</section>'


def heading(text: str) -> str:
    return f"<h1>{escape(text)}</h1>"


def para(text: str, kind: str = "") -> str:
    return f"<p{_class(kind)}>{escape(text)}</p>"


def box(*texts: str) -> str:
    return f'<div class="box">{"".join(para(each) for each in texts)}</div>'


def bullets(texts: Iterable[str]) -> str:
    listed = "".join(f"<li>{escape(each)}</li>" for each in texts)
    return f"<ul>{listed}</ul>" if listed else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """What is empty is left out."""
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(said)}</dd>' for name, said in pairs if said)}</dl>"


def table(names: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int] = frozenset()) -> str:
    """`numbers` are the columns that stand to the right."""
    kind = [_class("n" if at in numbers else "") for at in range(len(names))]
    top = "".join(f'<th scope="col"{kind[at]}>{escape(each)}</th>' for at, each in enumerate(names))
    body = "".join(
        f"<tr>{''.join(f'<td{kind[at]}>{escape(each)}</td>' for at, each in enumerate(row))}</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def said(who: str, text: str) -> str:
    """Somebody's words with their line breaks; an address in them is text, and nothing to follow."""
    return f'<p class="soft">{escape(who)}</p><p class="said">{escape(text)}</p>'


def legend(entries: Iterable[tuple[str, str]]) -> str:
    """(colour of ours, name)."""
    return f'<div class="key">{"".join(_key(colour, name) for colour, name in entries)}</div>'


def sealed(title: str, what: str, manifest: str, *finished: tuple[str, str]) -> str:
    """`manifest` and the second of each pair are finished HTML of the seal."""
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{html}</dd>" for name, html in finished)
    return section("seal", title, para(what), manifest, f"<dl>{pairs}</dl>")


def _key(colour: str, name: str) -> str:
    return f'<span><i style="background:{colour}"></i>{escape(name)}</span>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
