"""Whether the deal holds together: what does not fit first, what fits in one fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gnn.consistency import Told
from workbench.ui.components import why_parts as parts
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel import why_words


def deal(told: Sequence[Told]) -> list[Any]:
    """Nothing where there is no graph to ask."""
    if not told:
        return []
    odd, unsaid, fit = ([each for each in told if each.fits is one] for one in (False, None, True))
    lines = [parts.line(_said(each), "", key="") for each in odd]
    if fit:
        title = t("1 check fits") if len(fit) == 1 else t("{count} checks fit", count=number(len(fit)))
        lines.append(parts.line(title, "", key="", inside=[parts.note(_said(each)) for each in fit]))
    if unsaid:
        title = (
            t("1 check could not be made")
            if len(unsaid) == 1
            else t("{count} checks could not be made", count=number(len(unsaid)))
        )
        inside = [
            parts.note(t("not known whether {what}", what=why_words.pair(each.words._asdict()))) for each in unsaid
        ]
        lines.append(parts.line(title, "", key="", inside=inside))
    return [parts.section(t("Does the deal hold together"), *lines)]


def _said(told: Told) -> str:
    said = why_words.pair(told.words._asdict())
    return f"{said[:1].upper()}{said[1:]}"
