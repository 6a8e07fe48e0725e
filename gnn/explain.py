"""Why an application has its score: reasons from exact contributions, in two texts that never mix, with evidence.

Contributions are log-odds of the fused score. They are summed per reason code, so a reason is what the score
rests on and not an entry of a checklist: put the neutral values of its features in, and the score falls (`without`).
The investigator reads numbers, masked things and application numbers; the applicant reads one of the fixed
sentences below and nothing else.

What is absent is no reason: a feature at its neutral value, or beyond it on the side that excuses, may well move
the score, but nobody is told "vehicle financed before" because it was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gnn.book import Book, Floats
from gnn.evidence import Held, Names, Path
from gnn.features.catalogue import CATALOGUE, CLUSTERS, Feature
from graph.errors import InputError
from graph.ontology import NODES
from graph.records import Ints

Values = npt.NDArray[Any]
Hit = tuple[str, str, float]
"""A rule that holds: its code, its reason code, its points."""


class Text(NamedTuple):
    en: str
    zh: str


class Words(NamedTuple):
    """Of one reason code: the head of the investigator's text, and all that the applicant is told."""

    investigator: Text
    applicant: Text


_NEUTRAL = Text(
    "The application did not pass the overall assessment; you can ask for a review by a person.",
    "综合风险评估未通过，可申请人工复核",
)
WORDS = {
    "RC01": Words(
        Text("device, network or home shared, or an odd session", "设备、网络或住址存在关联，或会话异常"),
        Text("Some of the application's information needs verification.", "申请信息存在需进一步核实的关联情形"),
    ),
    "RC02": Words(
        Text("phone number reused", "号码重复使用"),
        Text("The contact details need verification.", "联系人信息需进一步核实"),
    ),
    "RC03": Words(
        Text("phone not the reserved one, or new", "手机号与预留号码不一致或为新号"),
        Text(
            "The registration of the phone number does not agree with the application.",
            "手机号码实名信息与申请信息不一致",
        ),
    ),
    "RC04": Words(
        Text("employer not verified, or shared", "工作单位无法核实或被共用"),
        Text("The employer could not be verified.", "工作单位信息无法核实"),
    ),
    "RC05": Words(
        Text("several recent applications", "近期多次申请"),
        Text("There were many recent applications for credit.", "近期信贷申请次数较多"),
    ),
    "RC06": Words(
        Text("vehicle financed or applied for before", "车辆已有融资或重复申请"),
        Text("The vehicle is already financed or was applied for before.", "所购车辆存在未结清融资或重复申请"),
    ),
    "RC07": Words(
        Text("price above market", "车价高于市场价"),
        Text("The vehicle's price differs much from the market's reference price.", "车辆价格与市场参考价差异较大"),
    ),
    "RC08": Words(
        Text("documents inconsistent or from a shared template", "材料不一致或模板雷同"),
        Text("The application documents are inconsistent.", "申请材料信息不一致"),
    ),
    "RC09": Words(
        Text("identity check failed", "身份核验异常"),
        Text("The identity check was not passed.", "身份核验未通过"),
    ),
    "RC10": Words(Text("links to other applications, and what they add up to", "团伙关联与综合疑点"), _NEUTRAL),
    "RC11": Words(
        Text("dealer or salesperson under review", "经销商或销售存疑"),
        Text("The information on the sales channel needs verification.", "交易渠道信息需进一步核实"),
    ),
    # Telling that money is looked at would be tipping off (AML Law Art. 35).
    "RC12": Words(Text("suspicious payment", "资金往来可疑"), _NEUTRAL),
}
CODES = tuple(WORDS)


class Auxiliary(NamedTuple):
    reason: str
    cluster: str
    says: Text


AUXILIARIES = {
    "gnn": Auxiliary("RC10", "ring", Text("graph neural network", "图神经网络")),
    "ring": Auxiliary("RC10", "ring", Text("ring score", "团伙评分")),
    "isolation": Auxiliary("RC10", "behaviour", Text("unlike other applications", "与其他申请差异显著")),
}
RULES = "rules"
"""The one auxiliary whose share is divided among the rules that hold."""

MOST, TOLD, PATHS_TOLD = 5, 3, 3
LEAST = 0.05
"""A smaller share of what speaks against an application is no principal reason."""


@dataclass(frozen=True)
class Reason:
    """`strength` in log-odds and its `share` of all that speaks against the application. `features` are those of the
    code that raise the score, the strongest first. `strength` is 0 for a rule that holds where the model sees nothing.
    """

    code: str
    strength: float
    share: float
    investigator: Text
    applicant: Text
    features: tuple[str, ...]
    evidence: tuple[Path, ...] = ()


# What the columns are ------------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """Per column its entry, the place of its code in `CODES` (after the last: none) and from where on it raises doubt;
    per cluster its columns."""

    features: tuple[Feature, ...]
    code: Ints
    clusters: tuple[Ints, ...]
    neutral: Floats
    below: npt.NDArray[np.bool_]

    def doubtful(self, values: Values) -> npt.NDArray[np.bool_]:
        beyond = np.where(self.below, values < self.neutral, values > self.neutral)
        return np.where(np.isnan(self.neutral), ~np.isnan(values), beyond)


@lru_cache(maxsize=16)
def _plan(names: tuple[str, ...]) -> _Plan:
    features = tuple(entry(name) for name in names)
    return _Plan(
        features,
        np.array([CODES.index(each.reason) if each.reason else len(CODES) for each in features], dtype=np.int64),
        tuple(np.flatnonzero([each.cluster == one for each in features]) for one in CLUSTERS),
        np.array([each.neutral for each in features]),
        np.array([each.below for each in features], dtype=bool),
    )


def entry(name: str) -> Feature:
    """A column may also be the output of an auxiliary, as `gnn` or `gnn_7`."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    other = AUXILIARIES.get(name.split("_", maxsplit=1)[0])
    if other is None:
        raise InputError(
            f"no feature is called {name}; declare it in gnn/features/catalogue.py, or train the model again"
        )
    return Feature(name, "score", "", other.cluster, other.reason, other.says.en, other.says.zh, about="any")


def without(values: Values, names: Sequence[str], code: str) -> Values:
    """The values with a reason's features, as far as they raise doubt, set to those of an application that shares
    nothing and is ordinary.

    `values` of shape (..., features). Features that are derived from others (`points`) keep their value
    unless their own code is asked for.
    """
    if code not in WORDS:
        raise InputError(f"there is no reason {code}; there are {', '.join(CODES)}")
    plan = _plan(tuple(names))
    changed = plan.doubtful(values) & (plan.code == CODES.index(code))
    return np.where(changed, plan.neutral.astype(values.dtype), values)


# Scores per cluster --------------------------------------------------------------------------------------


def clusters(
    contributions: Floats,
    names: Sequence[str],
    auxiliaries: Mapping[str, float | Floats] | None = None,
    points: Floats | None = None,
) -> dict[str, Any]:
    """Per detector cluster a score in 0–1: the base rate, moved by nothing but that cluster's contributions.

    `contributions` of shape (..., features + 1), the base last; so one row or all. A cluster that has nothing
    to say scores the base rate. `points` of shape (..., clusters), as the rules' verdicts give them, divide what
    the rules contribute; without any it is divided equally.
    """
    _same_width(contributions, names)
    columns = _plan(tuple(names)).clusters  # summed one by one: a row alone gives the bits it gives among others
    moved = np.stack([np.ascontiguousarray(contributions[..., each]).sum(axis=-1) for each in columns], axis=-1)
    for name, each in _known(auxiliaries or {}).items():
        if name == RULES:
            given = np.zeros_like(moved) if points is None else np.asarray(points, dtype=np.float64)
            total = given.sum(axis=-1, keepdims=True)
            shares = np.where(total > 0, given / np.where(total > 0, total, 1), 1 / len(CLUSTERS))
            moved = moved + np.asarray(each)[..., None] * shares
        else:
            moved[..., CLUSTERS.index(AUXILIARIES[name].cluster)] += each
    scores = 1 / (1 + np.exp(-(moved + contributions[..., -1:])))
    return {name: scores[..., at] if scores.ndim > 1 else float(scores[at]) for at, name in enumerate(CLUSTERS)}


def _same_width(contributions: Floats, names: Sequence[str]) -> None:
    if contributions.shape[-1] != len(names) + 1:
        raise InputError(
            f"{contributions.shape[-1]} contributions for {len(names)} features; there is one each, and the base"
        )


def _known(auxiliaries: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in auxiliaries:
        if name not in AUXILIARIES and name != RULES:
            raise InputError(f"no auxiliary model is called {name}; there are {', '.join([*AUXILIARIES, RULES])}")
    return auxiliaries


# Reasons -------------------------------------------------------------------------------------------------


def reasons(
    contributions: Floats,
    values: Values,
    names: Sequence[str],
    *,
    auxiliaries: Mapping[str, float] | None = None,
    hits: Sequence[Hit] = (),
) -> tuple[Reason, ...]:
    """Of one application, the weightiest first, at most five; none where nothing speaks against it, nor any
    with less than `LEAST` of it.

    `contributions` of shape (features + 1,), the base last, and `auxiliaries` by name, in log-odds of the fused
    score. The code of a rule that holds is always among them, for it may be what decides. Where only what is absent
    raises the score, the overall assessment (RC10) says so.
    """
    _same_width(contributions, names)
    plan = _plan(tuple(names))
    parts = np.where(plan.doubtful(values), contributions[:-1], 0.0)
    strength = np.bincount(plan.code, weights=parts, minlength=len(CODES) + 1)[:-1]
    said: dict[int, list[Text]] = {}
    for at, amount, text in _others(_known(auxiliaries or {}), hits):
        strength[at] += amount
        if text is not None:
            said.setdefault(at, []).append(text)
    hit = {CODES.index(reason) for _, reason, _ in hits}
    raised = float(contributions[:-1].sum()) + sum((auxiliaries or {}).values())
    if raised > 0 and not hit and not (strength > 0).any():
        parts = contributions[:-1]
        strength[CODES.index("RC10")] = raised
    against = float(strength[strength > 0].sum())
    order = sorted(range(len(CODES)), key=lambda at: (-strength[at], at))
    listed = [at for at in order if at in hit or (strength[at] > 0 and strength[at] >= LEAST * against)]
    while len(listed) > MOST:
        listed.remove(next((at for at in reversed(listed) if at not in hit), listed[-1]))
    found = []
    for at in listed:
        features, told = _told(plan, at, parts, values)
        amount = max(0.0, float(strength[at]))
        found.append(_reason(CODES[at], amount, against, features, [*said.get(at, []), *told]))
    return tuple(found)


def _others(auxiliaries: Mapping[str, float], hits: Sequence[Hit]) -> Iterator[tuple[int, float, Text | None]]:
    """(place of the code, log-odds, what is said of it) of the auxiliaries and the rules."""
    for name, amount in auxiliaries.items():
        if name != RULES:
            other = AUXILIARIES[name]
            sign = f"{amount:+.2f}"
            text = Text(f"{other.says.en}: {sign}", f"{other.says.zh}：{sign}") if amount > 0 else None
            yield CODES.index(other.reason), amount, text
    amount, total = auxiliaries.get(RULES, 0.0), sum(points for _, _, points in hits)
    if not hits:
        yield CODES.index("RC10"), amount, None
    for code, reason, points in hits:
        share = points / total if total > 0 else 1 / len(hits)
        text = Text(f"rule {code} ({points:g} points)", f"规则{code}({points:g}分)")
        yield CODES.index(reason), amount * share, text


def _told(plan: _Plan, at: int, parts: Floats, values: Values) -> tuple[tuple[str, ...], list[Text]]:
    """The features of a code that raise the score, the strongest first, and what the first of them say."""
    own = np.flatnonzero((plan.code == at) & (parts > 0))
    raising = own[np.argsort(-parts[own], kind="stable")].tolist()
    told = [says(plan.features[each], float(values[each])) for each in raising[:TOLD]]
    return tuple(plan.features[each].name for each in raising), told


def _reason(code: str, strength: float, against: float, features: tuple[str, ...], told: Sequence[Text]) -> Reason:
    words = WORDS[code]
    en, zh = "; ".join([each.en for each in told]), "；".join([each.zh for each in told])
    return Reason(
        code=code,
        strength=strength,
        share=strength / against if against else 0.0,
        investigator=Text(f"{words.investigator.en} ({en})", f"{words.investigator.zh}({zh})"),
        applicant=words.applicant,
        features=features,
    )


UNITS = {
    "RMB": Text(" RMB", "元"),
    "days": Text(" days", "天"),
    "months": Text(" months", "个月"),
    "years": Text(" years", "年"),
    "seconds": Text(" s", "秒"),
    "km": Text(" km", "公里"),
    "points": Text(" points", "分"),
}
"""Other units stand in what the feature is called."""


def says(feature: Feature, value: float) -> Text:
    if not np.isfinite(value):
        number = Text("not stated", "未提供")
    elif feature.unit == "0/1":
        number = Text("yes", "是") if value else Text("no", "否")
    elif feature.unit == "share":
        number = Text(f"{value:.0%}", f"{value:.0%}")
    elif feature.words:
        word = feature.words[int(value)] if 0 <= value < len(feature.words) else f"{value:g}"
        number = Text(word, word)
    else:
        digits = f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.2f}"
        unit = UNITS.get(feature.unit, Text("", ""))
        number = Text(digits + unit.en, digits + unit.zh)
    return Text(f"{feature.en}: {number.en}", f"{feature.zh}：{number.zh}")


# Evidence ------------------------------------------------------------------------------------------------


def with_evidence(found: Iterable[Reason], book: Book, row: int, names: Names | None = None) -> tuple[Reason, ...]:
    """The reasons with the things that carry them and who held those before, as known when the row was scored.

    A dealer's or salesperson's path leads to known fraud among the earlier customers, if there is any. `names` are the
    desk's where the row arrived there.
    """
    held = Held(book, row, names)
    return tuple(_evident(each, held.paths(_behind(each))) for each in found)


def _behind(reason: Reason) -> frozenset[str]:
    """The kinds and roles of what the reason cites; of its whole code where only a rule holds."""
    cited = frozenset(entry(name).about for name in reason.features) - {""}
    return cited or _of_code(reason.code)


@cache
def _of_code(code: str) -> frozenset[str]:
    return frozenset(each.about for each in CATALOGUE.values() if each.reason == code) - {""}


CROWDED = ("Dealer", "Salesperson")


def _evident(reason: Reason, paths: tuple[Path, ...]) -> Reason:
    if not paths:
        return reason
    en, zh = reason.investigator
    for path in paths[:PATHS_TOLD]:
        node = NODES[path.type]
        en += f"; {' '.join(filter(None, (node.en, path.label)))}"
        zh += f";{node.zh}{path.label}"
        if path.earlier:
            crowd = path.type in CROWDED
            en += f" {'with known fraud in' if crowd else 'also in'} {', '.join(path.earlier)}"
            zh += f"{'已知欺诈' if crowd else '亦见于'}{'、'.join(path.earlier)}"
    return replace(reason, investigator=Text(en, zh), evidence=paths)
