"""The twenty-one input tables (domain.md §3.2): columns, types, classes and what to do with a bad value.

`policy` says what a bad value costs: `reject` the row is quarantined whole;
`quarantine` the value is dropped and recorded, the row stays; `warn` it is recorded
and kept. `cls` is the data class of JR/T 0171-2020: C1 internal, C2 identity and
financial, S sensitive under PIPL Art. 28. A column that is not listed is not loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Policy = Literal["reject", "quarantine", "warn"]


@dataclass(frozen=True)
class Column:
    """`type` is text, enum, time, date, number, integer, boolean, json, or a kind of `graph.normalise`."""

    name: str
    type: str = "text"
    cls: str = "C1"
    required: bool = False
    policy: Policy = "quarantine"
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """`event` and `known` name the columns of the two clocks, the first filled one counts;
    reference rows without any clock are known since the beginning."""

    name: str
    zh: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    event: tuple[str, ...] = ()
    known: tuple[str, ...] = ("known_at",)
    ordered: tuple[tuple[str, str], ...] = ()  # (earlier, later) pairs of time columns

    def column(self, name: str) -> Column:
        return next(each for each in self.columns if each.name == name)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.columns if each.required)


def _id(name: str, *, required: bool = False, cls: str = "C1") -> Column:
    return Column(name, "opaque", cls, required, "reject" if required else "quarantine")


def _of(type_: str, *names: str, cls: str = "C1", policy: Policy = "quarantine") -> Iterator[Column]:
    return (Column(name, type_, cls, policy=policy) for name in names)


def _enum(name: str, values: str, *, policy: Policy = "quarantine") -> Column:
    return Column(name, "enum", values=tuple(values.split()), policy=policy)


def _range(name: str, low: float, high: float, *, unit: str = "", cls: str = "C1", type_: str = "number",
           policy: Policy = "quarantine") -> Column:  # fmt: skip
    return Column(name, type_, cls, low=low, high=high, unit=unit, policy=policy)


def _money(*names: str, cls: str = "C2") -> Iterator[Column]:
    return (Column(name, "number", cls, low=0, high=1e12, unit="RMB") for name in names)


KNOWN = Column("known_at", "time")
EVENT = Column("event_time", "time")

TABLES: tuple[Table, ...] = (
    Table("addresses", "地址", ("address_id",), (
        _id("address_id", required=True, cls="C2"),
        Column("raw", cls="C2"), Column("std", cls="C2"),
        *_of("text", "province", "city", "district", "street", "community", "building", "unit", "room", cls="C2"),
        _enum("level", "room building community village town street district city"),
        _range("lat", 3, 54, unit="degree", cls="S"), _range("lon", 73, 136, unit="degree", cls="S"),
        _range("geocode_confidence", 0, 1),
        _enum("kind", "residence dormitory urban_village office dealer mass_registration"), KNOWN,
    )),
    Table("employers", "单位", ("employer_id",), (
        _id("employer_id", required=True), *_of("text", "name_raw"),
        Column("name_norm", "employer_name", policy="warn"),
        Column("uscc", "uscc"), *_of("text", "industry"), Column("reg_date", "date"), *_of("text", "status"),
        _range("insured_headcount", 0, 1e7, type_="integer", unit="persons"), *_of("text", "address"),
        Column("phone", "phone"), *_of("boolean", "is_dispatch", "is_platform", "is_shell_suspect"), KNOWN,
    )),
    Table("bank_accounts", "银行账户", ("account_token",), (
        Column("account_token", "account", "S", True, "reject"),
        *_of("text", "bank_code", "card_bin", "card_type"), Column("owner_match", "boolean", "C2"), KNOWN,
    )),
    Table("dealers", "经销商", ("dealer_id",), (
        _id("dealer_id", required=True), *_of("text", "name"), Column("uscc", "uscc"),
        Column("legal_person_token", "opaque", "C2"), Column("shareholders", cls="C2"), _id("group_id"),
        _enum("grade", "A B C D E"), _enum("type", "4s second_net used direct_store"),
        *_of("text", "address", "region"), _range("lat", 3, 54, unit="degree"), _range("lon", 73, 136, unit="degree"),
        *_of("time", "onboarded_at", "closed_at"), Column("payee_account_token", "account", "S"),
        *_of("text", "known_device_list"), *_money("floorplan_limit", cls="C1"),
        _range("monthly_volume", 0, 1e6, unit="deals"), KNOWN,
    ), event=("onboarded_at",), known=("known_at", "onboarded_at")),
    Table("salespeople", "销售", ("salesperson_id",), (
        _id("salesperson_id", required=True), _id("dealer_id"), Column("person_token", "opaque", "C2"),
        Column("phone", "phone", "C2"), *_of("text", "cert_no", cls="C2"), *_of("time", "start_at", "end_at"), KNOWN,
    ), event=("start_at",), known=("known_at", "start_at"), ordered=(("start_at", "end_at"),)),
    Table("phones", "号码", ("phone",), (
        Column("phone", "phone", "C2", True, "reject"), Column("owner_token", "opaque", "C2"), *_of("text", "operator"),
        *_of("boolean", "is_mvno"), *_of("text", "province", "city"), Column("first_seen_at", "time"),
        _range("tenure_months", 0, 600, unit="months"), _enum("status", "active suspended cancelled empty ported"),
        *_of("time", "valid_from", "valid_to"), _enum("type", "mobile landline 400 service iot"),
        *_of("boolean", "business_number_flag"), KNOWN,
    ), event=("valid_from", "first_seen_at"), known=("known_at", "first_seen_at")),
    Table("vehicles", "车辆", ("vin",), (
        Column("vin", "vin", "C2", True, "reject"), *_of("text", "brand", "series", "model_code"),
        _range("model_year", 1980, 2100, type_="integer"), _enum("energy", "ice bev phev erev"),
        *_money("list_price", "market_price", cls="C1"), *_of("text", "valuation_source"),
        Column("valuation_at", "time"),
        *_of("text", "engine_no", "certificate_no", cls="C2"), _enum("condition", "new used"),
        _range("mileage_km", 0, 3e6, unit="km"), Column("plate", "plate", "C2", policy="warn"),
        Column("plate_region", "region"), Column("plated_at", "time"), KNOWN,
    ), known=("known_at", "valuation_at")),
    Table("applicants", "申请人", ("applicant_id",), (
        _id("applicant_id", required=True, cls="C2"),
        _enum("id_type", "resident hmt_residence foreign_pr passport"),
        Column("id_number", "id_number", "C2"), Column("name", "name", "C2", policy="warn"),
        _enum("gender", "male female m f 男 女 1 2 0"), Column("birth_date", "date", "C2"),
        Column("id_issue_region", "region", policy="warn"), Column("id_valid_to", "date"),
        *_of("text", "marital", "education", "occupation_code"),
        _range("monthly_income", 0, 1e6, unit="RMB per month", cls="C2"),
        *_of("region", "hukou_region", "live_region", policy="warn"), *_of("text", "driver_licence_class"),
        Column("licence_issue_date", "date"), *_of("boolean", "thin_file_flag"), Column("phone", "phone", "C2"),
        Column("work_phone", "phone", "C2"), _id("employer_id"), _id("address_id", cls="C2"),
        *_of("boolean", "reserved_phone_match"), _range("face_score", 0, 1, cls="S"),
        _range("liveness_score", 0, 1, cls="S"), KNOWN,
    )),
    Table("applications", "进件", ("application_id",), (
        _id("application_id", required=True), _id("deal_id"), _id("applicant_id", cls="C2"), _id("dealer_id"),
        _id("salesperson_id"), _enum("channel", "app mini_program dealer_pc dealer_tablet h5 api", policy="warn"),
        _enum("product", "new used lease_direct leaseback commercial no_mortgage", policy="warn"),
        Column("submitted_at", "time", required=True, policy="reject"), *_of("time", "decided_at", "funded_at"),
        *_money("amount"), _range("term_months", 1, 120, type_="integer", unit="months"),
        *_money("down_payment", "invoice_price", "extras_amount"), _range("ltv", 0, 1.2, policy="warn"),
        Column("vin", "vin", "C2"), *_of("text", "purpose"), _enum("decision", "approve decline review cancel pending"),
        *_of("text", "decline_reason"), *_of("boolean", "auto_limit_flag"), _id("reviewer_id"),
        *_of("boolean", "override_flag"), _id("session_id"), _range("form_seconds", 0, 1e6, unit="s"),
        _range("paste_count", 0, 1e4, type_="integer"), _range("edit_count", 0, 1e4, type_="integer"), KNOWN,
    ), event=("submitted_at",), known=("known_at", "submitted_at"),
       ordered=(("submitted_at", "decided_at"), ("decided_at", "funded_at"))),
    Table("contacts", "联系人", ("contact_row_id",), (
        _id("contact_row_id", required=True), _id("application_id", required=True),
        _enum("role", "spouse parent child sibling friend colleague guarantor co_borrower emergency", policy="warn"),
        Column("name", "name", "C2", policy="warn"), Column("phone", "phone", "C2"), *_of("text", "relation_declared"),
        _enum("consent_basis", "provided_by_applicant own_consent contract", policy="warn"),
        *_of("boolean", "notified_flag", "is_debtor"), KNOWN,
    )),
    Table("device_events", "设备", ("event_id",), (
        _id("event_id", required=True), _id("application_id"), _id("applicant_id", cls="C2"),
        Column("device_id", "device", "C2"), Column("imei", "imei", "C2"), *_of("text", "os", "model"),
        *_of("boolean", "is_emulator", "is_rooted", "vpn_flag"), Column("ip", "ip", "C2"), *_of("text", "ip_asn"),
        _enum("ip_type", "mobile_nat broadband idc shop", policy="warn"), Column("wifi_bssid_token", "bssid", "C2"),
        _range("lat", 3, 54, unit="degree", cls="S"), _range("lon", 73, 136, unit="degree", cls="S"),
        _enum("coord_sys", "wgs84 gcj02 WGS-84 GCJ-02", policy="warn"), *_of("text", "event_type"), EVENT, KNOWN,
    ), event=("event_time",)),
    Table("documents", "材料", ("doc_id",), (
        _id("doc_id", required=True), _id("application_id", required=True),
        _enum("kind", "id licence income statement employment invoice policy", policy="warn"),
        *_of("hash", "sha256", "phash64"), *_of("text", "pdf_producer", "exif_device"), Column("seal_hash", "hash"),
        _id("template_cluster"), Column("ocr_fields", "json", "C2"), KNOWN,
    )),
    Table("payments", "支付", ("payment_id",), (
        _id("payment_id", required=True), _id("application_id"), Column("from_account_token", "account", "S"),
        Column("to_account_token", "account", "S"),
        _enum("kind", "down_payment disbursement instalment refund resale extras", policy="reject"),
        *_money("amount"), EVENT, KNOWN,
    ), event=("event_time",)),
    Table("repayments", "还款", ("application_id", "instalment_no"), (
        _id("application_id", required=True),
        Column("instalment_no", "integer", required=True, policy="reject", low=0, high=600),
        *_of("time", "due_date", "paid_at"), *_money("due_amount", "paid_amount"),
        Column("payer_account_token", "account", "S"), _range("dpd", -3650, 36500, unit="days"), KNOWN,
    ), event=("due_date",)),
    Table("vehicle_events", "车辆事件", ("event_id",), (
        _id("event_id", required=True), Column("vin", "vin", "C2", True, "reject"),
        _enum("type", "invoice invoice_reversed plated mortgage_registered mortgage_released title_transfer insured "
                      "policy_cancelled inspection repair export", policy="reject"),
        Column("party_from", "opaque", "C2"), Column("party_to", "opaque", "C2"),
        Column("party_account", "account", "S"),
        *_money("amount"), *_of("text", "doc_no"), EVENT, KNOWN, *_of("text", "source"),
    ), event=("event_time",)),
    Table("gps_pings", "GPS", ("vin", "device_unit", "day"), (
        Column("vin", "vin", "C2", True, "reject"), _enum("device_unit", "wired wireless", policy="warn"),
        Column("day", "time", required=True, policy="reject"),
        *_of("geohash", "home_stop_cell", "night_stop_cell", "last_seen_cell", cls="S"),
        _range("km", 0, 5000, unit="km"), _range("online_hours", 0, 24, unit="h"),
        *_of("boolean", "tamper_flag", "power_cut_flag"), KNOWN,
    ), event=("day",)),
    Table("call_events", "电核", ("call_id",), (
        _id("call_id", required=True), _id("application_id", required=True),
        _enum("callee_role", "applicant contact employer", policy="warn"), Column("phone", "phone", "C2"),
        Column("start_at", "time"), _range("seconds", 0, 86400, unit="s"), *_of("text", "result"), _id("reviewer_id"),
        Column("voice_ref", "voice", "S"), KNOWN,
    ), event=("start_at",)),
    Table("voice_matches", "声纹匹配", ("ref_a", "ref_b"), (
        Column("ref_a", "voice", "S", True, "reject"), Column("ref_b", "voice", "S", True, "reject"),
        _range("score", 0, 1), *_of("text", "model_version"), _range("threshold", 0, 1), *_of("text", "gallery_scope"),
        KNOWN,
    )),
    Table("bureau_inquiries", "征信查询", ("inquiry_id",), (
        _id("inquiry_id", required=True), _id("applicant_id", required=True, cls="C2"), _id("institution_token"),
        *_of("text", "inst_type"), _enum("reason", "loan_approval card guarantee post_loan self", policy="warn"),
        *_money("amount"), *_of("opaque", "vin_token", "dealer_token"), EVENT, KNOWN,
    ), event=("event_time",)),
    Table("outcomes", "欺诈结论", ("outcome_id",), (
        _id("outcome_id", required=True), _id("application_id"), _id("cluster_id"),
        _enum("label", "CONFIRMED_FRAUD SUSPECTED CLEARED_BENIGN DATA_ERROR INSUFFICIENT OUT_OF_SCOPE_CREDIT",
              policy="reject"),
        *_of("text", "typology"), _enum("evidence_level", "E1 E2 E3", policy="warn"),
        _enum("source", "review fpd collection police court partner customer_complaint", policy="warn"),
        *_of("time", "occurred_at", "reported_at"), *_of("opaque", "reviewer", "second_reviewer", "supersedes"),
        Column("note", cls="C2"), KNOWN,
    ), event=("occurred_at",), known=("known_at", "reported_at")),
    Table("staff_actions", "员工操作", ("action_id",), (
        _id("action_id", required=True), _id("application_id"), _id("reviewer_id"), *_of("text", "action", "reason"),
        EVENT, KNOWN,
    ), event=("event_time",)),
)  # fmt: skip
"""In the order of loading: what others refer to comes first."""

BY_NAME: dict[str, Table] = {table.name: table for table in TABLES}
