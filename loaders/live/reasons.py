"""What reading a row can find wrong beyond the identifiers themselves, and what would be right, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graph.normalise import REASONS, Reason

JUDGED: Final[Mapping[str, Reason]] = {
    "missing": Reason("This is required; fill it in.", "必填项缺失，请补录。"),
    "time_unreadable": Reason(
        "This is no time between 1900 and 2100; write ISO 8601, e.g. 2025-03-01T10:00:00+08:00.",
        "不是 1900 至 2100 年间的有效时间，请使用 ISO 8601 格式，如 2025-03-01T10:00:00+08:00。",
    ),
    "time_in_future": Reason(
        "This has not happened yet by our clock; check the zone and the clock that wrote it.",
        "该时间晚于当前时间，请检查时区和系统时钟。",
    ),
    "date_unreadable": Reason("This is no date; write e.g. 1990-03-07.", "不是有效日期，请写成 1990-03-07 的格式。"),
    "number_unreadable": Reason("This is no number; write digits only.", "不是有效数字，请只填写数字。"),
    "number_not_whole": Reason(
        "This is counted in whole numbers; leave out the fraction.", "应为整数，请去掉小数部分。"
    ),
    "out_of_range": Reason(
        "The number lies outside what the field can mean; check its unit.", "数值超出合理范围，请核对单位。"
    ),
    "not_in_list": Reason(
        "The word is none of those declared; see the field's description.", "取值不在允许的列表中，请参阅字段说明。"
    ),
    "dates_reversed": Reason(
        "This is dated before what it follows; check both times.", "该时间早于其前序时间，请核对两个时间。"
    ),
    "known_before_event": Reason(
        "This was known before it happened; check both times.", "知晓时间早于发生时间，请核对两个时间。"
    ),
    "duplicate_row": Reason("Another row has the same number; send it once.", "存在相同编号的记录，请勿重复发送。"),
}
"""Shown beside the field, never with the value; `graph.normalise.REASONS` are those of identifiers."""


def remedy(reason: str) -> Reason:
    return JUDGED.get(reason) or REASONS[reason]
