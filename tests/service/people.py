"""Applications of people who share nothing, from the documented example: what a test wants shared it names."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from loaders.portfolio import identifiers
from workbench.online import samples

CHINA = timedelta(hours=8)


class People:
    """Ever new ones; the same seed gives the same."""

    def __init__(self, seed: int) -> None:
        self._chance, self.seed, self._count = np.random.default_rng(seed), seed, 0

    def application(self, *, at: int, **changes: Any) -> dict[str, Any]:
        """Submitted a minute before `at` (milliseconds); `changes` replace top-level fields, None leaves one out.

        Region, dealer and salesperson are the example's; everything that could link two people is this person's own.
        """
        self._count += 1
        made, number = deepcopy(samples.APPLICATION), f"{self.seed:03}{self._count:06}"
        made |= {"application_id": f"T{number}", "deal_id": f"DEAL{number}", "applicant_id": f"CUS{number}",
                 "session_id": f"ses_{number}", "submitted_at": iso(at - 60_000), "vin": self._vin()}  # fmt: skip
        phone, office, friends = self.phone(), self.landline(), [self.phone(), self.phone()]
        person = made["applicant"]
        person |= {"id_number": self._id_number(), "name": self._name(), "phone": phone, "work_phone": office}
        person["employer"] |= {"employer_id": f"EMP{number}", "uscc": self._credit_code(), "phone": office}
        person["address"] |= {"address_id": f"ADR{number}", "street": f"测试路{self._count}号", "room": number[-3:]}
        person["address"]["raw"] = f"上海市浦东新区测试路{self._count}号{number[-3:]}室"
        made["phones"] = [each | {"phone": one} for each, one in zip(made["phones"], [phone, friends[0]], strict=True)]
        made["contacts"] = [each | {"phone": one} for each, one in zip(made["contacts"], friends, strict=True)]
        made["device_events"][0] |= {"device_id": self.hex(32), "ip": self._ip(), "event_time": iso(at - 90_000),
                                     "wifi_bssid_token": f"bssid_{self.hex(16)}"}  # fmt: skip
        account = f"acct_{number}"
        made["payments"][0] |= {"from_account_token": account, "to_account_token": f"acct_dealer{number}",
                                "event_time": iso(at - 86_400_000)}  # fmt: skip
        made["bank_accounts"][0]["account_token"] = account
        for each in made["documents"]:
            each["phash64"] = self.hex(16)
        made["bureau_inquiries"][0]["event_time"] = iso(at - 20 * 86_400_000)
        made["call_events"], made["voice_matches"] = [], []
        made |= changes
        return {name: value for name, value in made.items() if value is not None}

    def phone(self) -> str:
        return str(identifiers.mobiles(self._chance, np.array([138]))[0])

    def landline(self) -> str:
        return f"021{self._chance.integers(50_000_000, 69_999_999)}"

    def hex(self, width: int) -> str:
        return str(identifiers.hexes(self._chance, 1, width)[0])

    def _vin(self) -> str:
        return str(identifiers.vins(self._chance, np.array(["LSV"]), np.array([2025]))[0])

    def _id_number(self) -> str:
        birth = np.array([f"{self._chance.integers(1970, 2000)}-03-07"], dtype="datetime64[D]")
        return str(identifiers.resident_ids(self._chance, np.array([310101]), birth, np.array([True]))[0])

    def _credit_code(self) -> str:
        return str(identifiers.credit_codes(self._chance, np.array([310115]))[0])

    def _ip(self) -> str:
        return str(identifiers.public_ips(self._chance, 1)[0])

    def _name(self) -> str:
        return "测试" + "".join(self._chance.choice(list("安邦辰德恩芳光海佳凯兰明宁平青瑞思天文霞"), 2))


def iso(millis: int) -> str:
    return (datetime.fromtimestamp(millis / 1000, UTC) + CHINA).strftime("%Y-%m-%dT%H:%M:%S+08:00")
