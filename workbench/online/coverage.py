"""Which ways of being linked an application has told of: a clean score of one that tells little says little."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gnn.files import ApplicationFile

LINKS = {
    "phone": ("phone", "work_phone"),
    "contact": ("contact",),
    "device": ("device", "signed_in", "ip", "wifi"),
    "address": ("address",),
    "employer": ("employer",),
    "account": ("payer",),
    "vehicle": ("vehicle",),
    "document": ("template",),
    "dealer": ("dealer", "salesperson"),
}
"""Kinds of links, and the roles of `gnn/book.py` that make them. A voice comes with a call, after the form."""

ZH = {
    "phone": "电话", "contact": "联系人", "device": "设备", "address": "地址", "employer": "单位",
    "account": "付款账户", "vehicle": "车辆", "document": "材料", "dealer": "渠道",
}  # fmt: skip


def coverage(file: ApplicationFile) -> dict[str, Any]:
    held = {each.role for each in file.held}
    missing = [name for name, roles in LINKS.items() if not held & set(roles)]
    return told(missing)


def told(missing: Iterable[str]) -> dict[str, Any]:
    missing = list(missing)
    number = f"{len(missing)} of {len(LINKS)} link kinds missing"
    names = ", ".join(missing)
    zh = f"{len(LINKS)}类关联中缺{len(missing)}类"
    return {
        "missing": missing,
        "of": len(LINKS),
        "en": f"{number}: {names}" if missing else "all link kinds given",
        "zh": f"{zh}:{'、'.join(ZH[each] for each in missing)}" if missing else "各类关联齐全",
    }
