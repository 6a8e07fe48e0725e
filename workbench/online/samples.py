"""A synthetic application and what becomes of it, for the API's documentation; nobody of this kind exists."""

from __future__ import annotations

from typing import Any, Final

APPLICATION: Final[dict[str, Any]] = {
    "application_id": "APP20250301001",
    "deal_id": "DEAL20250301001",
    "applicant_id": "CUS6910341106",
    "dealer_id": "D4043208069",
    "salesperson_id": "S7549634760",
    "channel": "dealer_tablet",
    "product": "new",
    "submitted_at": "2025-03-01T10:15:00+08:00",
    "amount": 103500.0,
    "term_months": 36,
    "down_payment": 30200.0,
    "invoice_price": 133700.0,
    "extras_amount": 4800.0,
    "ltv": 0.774,
    "vin": "LSVAM418XP2184847",
    "purpose": "commute",
    "auto_limit_flag": False,
    "session_id": "ses_60338335388",
    "form_seconds": 639.0,
    "paste_count": 0,
    "edit_count": 8,
    "applicant": {
        "id_type": "resident",
        "id_number": "310101199003074511",
        "name": "欧阳明轩",
        "gender": "male",
        "birth_date": "1990-03-07",
        "id_issue_region": "310101",
        "id_valid_to": "2035-11-05",
        "marital": "married",
        "education": "bachelor",
        "occupation_code": "64000",
        "monthly_income": 12500.0,
        "hukou_region": "310101",
        "live_region": "310115",
        "driver_licence_class": "C1",
        "licence_issue_date": "2017-03-23",
        "thin_file_flag": False,
        "phone": "13917123456",
        "work_phone": "02162831972",
        "reserved_phone_match": True,
        "face_score": 0.9425,
        "liveness_score": 0.9928,
        "employer": {
            "employer_id": "EMP4752362506",
            "name_raw": "上海博雅建筑有限公司",
            "uscc": "91310115MA1K3Y8FXR",
            "industry": "construction",
            "reg_date": "2018-09-14",
            "status": "active",
            "insured_headcount": 48,
            "phone": "02162831972",
        },
        "address": {
            "address_id": "ADR2305915535",
            "raw": "上海市浦东新区学府路491号锦绣家园13栋3单元304室",
            "province": "上海市",
            "city": "上海市",
            "district": "浦东新区",
            "street": "学府路491号",
            "community": "锦绣家园",
            "building": "13栋",
            "unit": "3单元",
            "room": "304",
            "level": "room",
            "kind": "residence",
        },
    },
    "phones": [
        {"phone": "13917123456", "operator": "mobile", "tenure_months": 41, "status": "active", "type": "mobile"},
        {"phone": "15598937260", "operator": "unicom", "tenure_months": 88, "status": "active", "type": "mobile"},
    ],
    "contacts": [
        {"role": "spouse", "name": "司马若兰", "phone": "15598937260", "consent_basis": "provided_by_applicant"},
        {"role": "friend", "name": "诸葛子衿", "phone": "18667813037", "consent_basis": "provided_by_applicant"},
    ],
    "device_events": [
        {
            "device_id": "66c395fbd89b8aad757eab04bf4ff0b9",
            "os": "android",
            "model": "2211133C",
            "is_emulator": False,
            "is_rooted": False,
            "vpn_flag": False,
            "ip": "110.175.97.53",
            "ip_asn": "AS4837",
            "ip_type": "shop",
            "wifi_bssid_token": "bssid_4534bcb9b428ea7e",
            "event_type": "submit",
            "event_time": "2025-03-01T10:14:31+08:00",
        }
    ],
    "vehicle": {
        "brand": "大众",
        "series": "朗逸",
        "model_code": "LAVIDA15",
        "model_year": 2025,
        "energy": "ice",
        "list_price": 139900.0,
        "market_price": 133700.0,
        "condition": "new",
        "mileage_km": 24.0,
    },
    "payments": [
        {
            "from_account_token": "acct_2705603726",
            "to_account_token": "acct_8267169318",
            "kind": "down_payment",
            "amount": 30200.0,
            "event_time": "2025-02-28T16:47:09+08:00",
        }
    ],
    "bank_accounts": [
        {"account_token": "acct_2705603726", "bank_code": "105", "card_type": "debit", "owner_match": True}
    ],
    "documents": [
        {"kind": "licence", "phash64": "67effec4f165caac", "exif_device": "HUAWEI"},
        {"kind": "statement", "phash64": "75e63473c7437e18", "pdf_producer": "WPS Office"},
    ],
    "bureau_inquiries": [
        {
            "institution_token": "inst_27960",
            "inst_type": "consumer_finance",
            "reason": "loan_approval",
            "amount": 35500.0,
            "event_time": "2025-02-11T13:08:27+08:00",
        }
    ],
    "call_events": [
        {
            "callee_role": "applicant",
            "phone": "13917123456",
            "start_at": "2025-03-01T10:02:00+08:00",
            "seconds": 264,
            "result": "confirmed",
            "voice_ref": "vr_17123344244",
        }
    ],
    "voice_matches": [
        {"ref_a": "vr_17123344244", "ref_b": "vr_64899896518", "score": 0.31, "model_version": "spk-3.2"}
    ],
    "dealer": {"name": "上海市天成汽车销售服务有限公司", "type": "4s", "grade": "B", "region": "310115"},
    "salesperson": {"start_at": "2023-12-02T00:00:00+08:00"},
}

EVENTS: Final[dict[str, dict[str, Any]]] = {
    "decided": {"decided_at": "2025-03-01T10:16:05+08:00", "decision": "approve", "reviewer_id": "RV6679430681"},
    "funded": {"funded_at": "2025-03-04T15:19:26+08:00"},
    "paid": {
        "from_account_token": "acct_9485943449",
        "to_account_token": "acct_4764058848",
        "kind": "disbursement",
        "amount": 103500.0,
        "event_time": "2025-03-04T15:20:00+08:00",
    },
    "instalment": {
        "instalment_no": 1,
        "due_date": "2025-04-01",
        "paid_at": "2025-04-01T09:00:00+08:00",
        "due_amount": 3190.5,
        "paid_amount": 3190.5,
        "payer_account_token": "acct_2705603726",
        "dpd": 0,
    },
    "vehicle": {
        "vin": "LSVAM418XP2184847",
        "type": "mortgage_released",
        "event_time": "2025-04-02T13:15:30+08:00",
        "source": "registry",
    },
    "call": {
        "callee_role": "contact",
        "phone": "15598937260",
        "start_at": "2025-03-01T11:51:47+08:00",
        "seconds": 71,
        "result": "no_answer",
    },
    "voice_match": {"ref_a": "vr_17123344244", "ref_b": "vr_64899896518", "score": 0.91, "threshold": 0.8},
    "gps": {
        "vin": "LSVAM418XP2184847",
        "device_unit": "wired",
        "day": "2025-03-09",
        "last_seen_cell": "wtw3sjq",
        "km": 58.8,
        "online_hours": 20.2,
    },
}
