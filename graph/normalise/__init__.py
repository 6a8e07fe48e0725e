"""Raw cell -> canonical value, or the reason why there is none. For every kind of identifier.

Normalise once, at the border; inside, only canonical values exist. Graph keys are
tokens of the canonical value, so one value spelled in two ways must come out as
one, and a value that says nothing about people (filler, private addresses) as None.

Decisions
---------
* Own checks, no third-party gate: python-stdnum refuses the residence permits of
  Hong Kong and Taiwan people and credit codes with letters in front; phonenumbers
  refuses prefixes that exist. Checked against domain.md §3.4, value by value.
* Refused and "must never link" are both None: whoever builds a key needs no second
  question. The reason tells them apart for the person who repairs the file.
* No clock: whether a birth date lies in the future is the table schema's question.
"""

from __future__ import annotations

from typing import Final

from graph.normalise import account, address, company, identity, network, person_name, phone, place, vehicle
from graph.normalise.account import luhn_digit
from graph.normalise.company import organisation_check, uscc_check
from graph.normalise.identity import IdFacts, id_check, id_facts, read_document
from graph.normalise.phone import PhoneType, is_virtual, phone_type
from graph.normalise.place import valid_coordinates
from graph.normalise.reading import Kind, Reading
from graph.normalise.reasons import REASONS, Reason
from graph.normalise.text import fold, mask_ends, mask_nothing
from graph.normalise.vehicle import vin_check

__all__ = [
    "KINDS",
    "REASONS",
    "IdFacts",
    "Kind",
    "PhoneType",
    "Reading",
    "Reason",
    "fold",
    "id_check",
    "id_facts",
    "is_virtual",
    "luhn_digit",
    "organisation_check",
    "phone_type",
    "read_document",
    "uscc_check",
    "valid_coordinates",
    "vin_check",
]

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("id_number", identity.read_id, identity.mask_id),
        Kind("passport", identity.read_passport, mask_ends),
        Kind("person", identity.read_person, identity.mask_id),
        Kind("name", person_name.read_name, person_name.mask_name),
        Kind("phone", phone.read_phone, phone.mask_phone),
        Kind("email", network.read_email, network.mask_email),
        Kind("vin", vehicle.read_vin, vehicle.mask_vin),
        Kind("plate", vehicle.read_plate, vehicle.mask_plate),
        Kind("uscc", company.read_uscc, mask_ends),
        Kind("employer_name", company.read_employer, mask_nothing),
        Kind("card", account.read_card, account.mask_card),
        Kind("account", account.read_account, account.mask_account),
        Kind("imei", network.read_imei, mask_ends),
        Kind("device", account.read_device, mask_ends),
        Kind("ip", network.read_ip, network.mask_ip),
        Kind("bssid", network.read_bssid, mask_ends),
        Kind("region", place.read_region, mask_nothing),
        Kind("address", address.read_address, address.mask_address),
        Kind("geohash", place.read_geohash, place.mask_geohash),
        Kind("hash", network.read_hash, mask_ends),
        Kind("opaque", account.read_opaque, mask_ends),
        Kind("voice", account.read_opaque, mask_ends),
    )
}
