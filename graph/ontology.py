"""What exists: every node type and every relation, declared once.

Constraints, upsert text, table mapping, projection weights, screen colours and
`ONTOLOGY.md` are derived from the two tables below. Terms and directions follow
domain.md §3.3; what differs from it is written down in `graph/README.md`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from graph.normalise import KINDS, Kind


@dataclass(frozen=True)
class Property:
    """An attribute of a node.

    `dated_by` names the time property from which on the value may be seen: an
    application's decision is part of its row, but nobody knew it at submission.
    """

    name: str
    type: str = "text"  # text | number | integer | boolean | time (milliseconds since 1970, UTC)
    dated_by: str | None = None


@dataclass(frozen=True)
class NodeType:
    """One kind of thing. `kind` None: the key is the lender's own code and stays readable.

    `hub_above` is the number of applications beyond which holding the same node
    says nothing (a switchboard, a carrier's address pool); 0: sharing it never says anything.
    """

    name: str
    zh: str
    en: str
    colour: str
    key: str
    kind: str | None = None
    hub_above: int = 0
    properties: tuple[Property, ...] = ()

    @property
    def lead(self) -> bool:
        """Whether two applications that share such a node deserve a look."""
        return self.hub_above > 0

    @property
    def identifier(self) -> Kind | None:
        """Normaliser and mask of the key; None for the lender's own codes."""
        return KINDS[self.kind] if self.kind else None

    def property(self, name: str) -> Property:
        return next(each for each in self.properties if each.name == name)


@dataclass(frozen=True)
class EdgeType:
    """One relation. `weight` is what sharing through it is worth to a ring (0: nothing).

    `ref` says what tells two edges between the same two nodes apart, where more
    than one may exist; without it they are one edge that keeps its earliest date.
    """

    name: str
    source: str
    target: str
    zh: str
    en: str
    weight: float = 0.0
    ref: str | None = None


_P = Property

NODE_TYPES: tuple[NodeType, ...] = (
    NodeType(
        "Application",
        "进件",
        "application",
        "#2f6fde",
        "the lender's application number",
        properties=(
            _P("submitted_at", "time"),
            _P("decided_at", "time", "decided_at"),
            _P("funded_at", "time", "funded_at"),
            _P("deal_id"),
            _P("channel"),
            _P("product"),
            _P("amount", "number"),
            _P("term_months", "integer"),
            _P("down_payment", "number"),
            _P("invoice_price", "number"),
            _P("extras_amount", "number"),
            _P("ltv", "number"),
            _P("purpose"),
            _P("decision", dated_by="decided_at"),
            _P("decline_reason", dated_by="decided_at"),
            _P("override_flag", "boolean", "decided_at"),
            _P("auto_limit_flag", "boolean"),
            _P("form_seconds", "number"),
            _P("paste_count", "integer"),
            _P("edit_count", "integer"),
        ),
    ),
    NodeType(
        "Person",
        "自然人",
        "person",
        "#0f766e",
        "ID number, or the lender's customer number without one",
        kind="id_number",
        hub_above=12,
        properties=(
            _P("name_masked"),
            _P("id_type"),
            _P("gender"),
            _P("birth_year", "integer"),
            _P("id_issue_region"),
            _P("marital"),
            _P("education"),
            _P("occupation_code"),
            _P("monthly_income", "number"),
            _P("hukou_region"),
            _P("live_region"),
            _P("driver_licence_class"),
            _P("licence_issue_date"),
            _P("thin_file_flag", "boolean"),
            _P("reserved_phone_match", "boolean"),
            _P("face_score", "number"),
            _P("liveness_score", "number"),
        ),
    ),
    NodeType(
        "Phone",
        "电话",
        "phone",
        "#c2410c",
        "phone number",
        kind="phone",
        hub_above=15,
        properties=(
            _P("type"),
            _P("operator"),
            _P("is_mvno", "boolean"),
            _P("province"),
            _P("city"),
            _P("first_seen_at", "time"),
            _P("tenure_months", "number"),
            _P("status"),
            _P("valid_from", "time"),
            _P("valid_to", "time", "valid_to"),
            _P("business_number_flag", "boolean"),
        ),
    ),
    NodeType(
        "Device",
        "设备",
        "device",
        "#7c3aed",
        "vendor fingerprint",
        kind="device",
        hub_above=15,
        properties=(
            _P("os"),
            _P("model"),
            _P("is_emulator", "boolean"),
            _P("is_rooted", "boolean"),
        ),
    ),
    NodeType(
        "IP",
        "IP地址",
        "IP address",
        "#64748b",
        "public address",
        kind="ip",
        hub_above=12,
        properties=(
            _P("ip_asn"),
            _P("ip_type"),
        ),
    ),
    NodeType("WiFi", "WiFi", "WiFi", "#0891b2", "access point token", kind="bssid", hub_above=12),
    NodeType(
        "Address",
        "地址",
        "address",
        "#a16207",
        "standard address down to the room, or building and unit",
        kind="address",
        hub_above=12,
        properties=(
            _P("level"),
            _P("kind"),
            _P("province"),
            _P("city"),
            _P("district"),
            _P("geocode_confidence", "number"),
        ),
    ),
    NodeType(
        "Employer",
        "工作单位",
        "employer",
        "#4d7c0f",
        "credit code, or the lender's number without one",
        hub_above=30,
        properties=(
            _P("name"),
            _P("uscc"),
            _P("address"),
            _P("industry"),
            _P("reg_date"),
            _P("status"),
            _P("insured_headcount", "integer"),
            _P("is_dispatch", "boolean"),
            _P("is_platform", "boolean"),
            _P("is_shell_suspect", "boolean"),
        ),
    ),
    NodeType(
        "Dealer",
        "经销商",
        "dealer",
        "#be123c",
        "the lender's dealer number",
        properties=(
            _P("name"),
            _P("uscc"),
            _P("group_id"),
            _P("grade"),
            _P("type"),
            _P("region"),
            _P("lat", "number"),
            _P("lon", "number"),
            _P("onboarded_at", "time"),
            _P("closed_at", "time", "closed_at"),
            _P("floorplan_limit", "number"),
            _P("monthly_volume", "number"),
        ),
    ),
    NodeType(
        "Salesperson",
        "销售",
        "salesperson",
        "#db2777",
        "the lender's salesperson number",
        properties=(
            _P("start_at", "time"),
            _P("end_at", "time", "end_at"),
        ),
    ),
    NodeType("Reviewer", "审核员", "reviewer", "#6b7280", "the lender's staff number"),
    NodeType(
        "Vehicle",
        "车辆",
        "vehicle",
        "#1d4ed8",
        "VIN",
        kind="vin",
        hub_above=8,
        properties=(
            _P("brand"),
            _P("series"),
            _P("model_code"),
            _P("model_year", "integer"),
            _P("energy"),
            _P("list_price", "number"),
            _P("market_price", "number"),
            _P("valuation_source"),
            _P("valuation_at", "time"),
            _P("condition"),
            _P("mileage_km", "number"),
            _P("plate_masked", dated_by="plated_at"),
            _P("plated_at", "time", "plated_at"),
        ),
    ),
    NodeType(
        "Account",
        "账户",
        "account",
        "#b45309",
        "account token",
        kind="account",
        hub_above=15,
        properties=(
            _P("bank_code"),
            _P("card_bin"),
            _P("card_type"),
            _P("owner_match", "boolean"),
        ),
    ),
    NodeType(
        "DocTemplate",
        "材料模板",
        "document template",
        "#451a03",
        "template cluster, seal or content hash",
        hub_above=30,
        properties=(_P("kind"),),
    ),
    NodeType(
        "VoiceCluster",
        "声纹",
        "voice cluster",
        "#e11d48",
        "the vendor's voice reference",
        kind="voice",
        hub_above=15,
    ),
    NodeType("Place", "地点", "place", "#15803d", "geohash of a stop, about 150 m", kind="geohash", hub_above=15),
    NodeType("Region", "行政区", "region", "#94a3b8", "GB/T 2260 code"),
    NodeType("Institution", "机构", "institution", "#475569", "the bureau's institution token, or a dealer group"),
)

EDGE_TYPES: tuple[EdgeType, ...] = (
    EdgeType("APPLIED", "Person", "Application", "申请", "applied for", 1.0),
    EdgeType("HAS_PHONE", "Person", "Phone", "本人电话", "own phone", 2.5),
    EdgeType("WORK_PHONE", "Person", "Phone", "单位电话", "work phone", 1.2),
    EdgeType("CONTACT_OF", "Phone", "Application", "联系人", "contact of", 1.5, ref="role of the contact"),
    EdgeType("USED_DEVICE", "Application", "Device", "使用设备", "used device", 3.0),
    EdgeType("HAS_DEVICE", "Person", "Device", "登录设备", "signed in with", 2.0),
    EdgeType("FROM_IP", "Application", "IP", "来自IP", "from IP", 1.0),
    EdgeType("ON_WIFI", "Application", "WiFi", "连接WiFi", "on WiFi", 1.0),
    EdgeType("LIVES_AT", "Person", "Address", "居住", "lives at", 1.0),
    EdgeType("WORKS_AT", "Person", "Employer", "就职", "works at", 1.0),
    EdgeType("SOLD_BY", "Application", "Dealer", "经销商", "sold by"),
    EdgeType("HANDLED_BY", "Application", "Salesperson", "经办", "handled by"),
    EdgeType("REVIEWED_BY", "Application", "Reviewer", "审核", "reviewed by"),
    EdgeType("SELLS_FOR", "Salesperson", "Dealer", "任职于", "sells for"),
    EdgeType("FINANCES", "Application", "Vehicle", "所购车辆", "finances", 3.0),
    EdgeType("PAID_DOWNPAYMENT", "Account", "Application", "支付首付", "paid the down payment of", 3.0),
    EdgeType("REPAID_BY", "Application", "Account", "还款账户", "repaid by", 2.5),
    EdgeType("DISBURSED_TO", "Application", "Account", "放款至", "disbursed to"),
    EdgeType("PROCEEDS_TO", "Application", "Account", "变现收款", "resale proceeds to", 3.0),
    EdgeType("TRANSFER_ACCOUNT", "Vehicle", "Account", "过户收款", "transfer paid to", 3.0),
    EdgeType("TRANSFERRED_TO", "Vehicle", "Person", "过户至", "transferred to", 2.5),
    EdgeType("INSURED_BY", "Vehicle", "Person", "被保险人", "insured party", 1.0),
    EdgeType("LAST_SEEN_AT", "Vehicle", "Place", "最后位置", "last seen at", 1.5),
    EdgeType("PLATED_IN", "Vehicle", "Region", "上牌地", "plated in"),
    EdgeType("USES_TEMPLATE", "Application", "DocTemplate", "材料模板", "uses template", 2.0),
    EdgeType("SPOKE_AS", "Application", "VoiceCluster", "通话声纹", "spoke as", 3.0),
    EdgeType("SAME_VOICE", "VoiceCluster", "VoiceCluster", "声纹匹配", "same voice as"),
    EdgeType("INQUIRED_AT", "Person", "Institution", "征信查询", "inquired at"),
    EdgeType("REACHED_AT", "Employer", "Phone", "单位登记电话", "registered phone"),
    EdgeType("LEGAL_PERSON_OF", "Person", "Dealer", "法人", "legal person of"),
    EdgeType("SHAREHOLDER_OF", "Person", "Dealer", "股东", "shareholder of"),
    EdgeType("ACTS_AS", "Person", "Salesperson", "销售本人", "acts as salesperson"),
    EdgeType("PAYEE_ACCOUNT", "Dealer", "Account", "收款账户", "payee account"),
    EdgeType("SAME_GROUP", "Dealer", "Institution", "同集团", "belongs to group"),
)

NODES: dict[str, NodeType] = {each.name: each for each in NODE_TYPES}
EDGES: dict[str, EdgeType] = {each.name: each for each in EDGE_TYPES}


def ontology_hash() -> str:
    """Names the ontology a snapshot or a model was made with; changes with any declaration."""
    return hashlib.sha256(repr((NODE_TYPES, EDGE_TYPES)).encode()).hexdigest()[:16]


def markdown() -> str:
    """`graph/ONTOLOGY.md`, which a test compares with what is committed."""
    lines = [
        "# Ontology",
        "",
        "Generated from `graph/ontology.py` by `python -m graph.ontology`; do not edit.",
        "",
        "## Nodes",
        "",
        "| Node | 中文 | Key | Identifier | Hub above | A lead | Colour | Properties (`@` dated by) |",
        "|---|---|---|---|--:|---|---|---|",
    ]
    for node in NODE_TYPES:
        properties = ", ".join(
            each.name + (f" `@{each.dated_by}`" if each.dated_by else "") for each in node.properties
        )
        lines.append(
            f"| {node.name} | {node.zh} | {node.key} | {node.kind or 'clear'} | {node.hub_above or ''} "
            f"| {'yes' if node.lead else ''} | `{node.colour}` | {properties} |"
        )
    lines += [
        "",
        "## Relations",
        "",
        "Every relation carries `event_time`, `known_at`, `valid_to`, `source` and `confidence`.",
        "",
        "| Relation | From | To | 中文 | English | Weight of sharing | Told apart by |",
        "|---|---|---|---|---|--:|---|",
    ]
    lines += [
        f"| {edge.name} | {edge.source} | {edge.target} | {edge.zh} | {edge.en} "
        f"| {edge.weight or ''} | {edge.ref or ''} |"
        for edge in EDGE_TYPES
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from pathlib import Path

    Path(__file__).with_name("ONTOLOGY.md").write_text(markdown(), encoding="utf-8")
