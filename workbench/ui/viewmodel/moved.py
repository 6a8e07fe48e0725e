"""What became of the rings after somebody decided something, in a line."""

from __future__ import annotations

from workbench.services.feedback.rescoring import Changed, Rescored
from workbench.ui.i18n import errors, language, t

MOST = 3
"""So many rings are named."""


def sentences(told: Rescored) -> list[str]:
    if told.note:
        return [errors.told(told.note)]
    if not told.changes:
        return [t("No ring changed.")]
    said = [sentence(each) for each in told.changes[:MOST]]
    left = len(told.changes) - MOST
    return [*said, t("{count} more rings changed.", count=left)] if left > 0 else said


def sentence(one: Changed) -> str:
    if one.after is None:
        if one.into:
            return t("Ring {ring} became part of {into}.", ring=one.ring_id, into=one.into)
        return t("Ring {ring} fell apart.", ring=one.ring_id)
    if one.before is None:
        return t(
            "New ring {ring}: {score}, {count} applications.",
            ring=one.ring_id, score=f"{one.after.score:.2f}", count=one.after.size,
        )  # fmt: skip
    return _moved(one.ring_id, one.before.score, one.after.score) + _members(one)


def _moved(ring: str, before: float, after: float) -> str:
    if f"{before:.2f}" == f"{after:.2f}":
        return t("Ring {ring} stays at {score}", ring=ring, score=f"{after:.2f}")
    return t("Ring {ring} from {before} to {after}", ring=ring, before=f"{before:.2f}", after=f"{after:.2f}")


def _members(one: Changed) -> str:
    assert one.after is not None  # noqa: S101 - asked of rings that stand
    if one.left and one.joined:
        return t("; {left} left, {joined} joined.", left=len(one.left), joined=len(one.joined))
    if one.left:
        return t("; {left} left, {count} remain.", left=len(one.left), count=one.after.size)
    if one.joined:
        return t("; {joined} joined.", joined=len(one.joined))
    return "。" if language.get() == "zh" else "."
