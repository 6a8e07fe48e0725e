"""What an honest application comes with: contacts, accounts, a car, a device and the network it used."""

from __future__ import annotations

import numpy as np

from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Flags, Ints, chance, pick, pick_at, rank_within, some, whole
from loaders.portfolio.clock import NEVER

SLOTS = ("contact0", "contact1", "contact2")


def give_contacts(book: Book) -> None:
    """Adds contact0-2: numbers of relatives and friends, each used for one deal only."""
    rng, apps = book.streams("contacts"), book.applications
    n = len(apps)
    wanted = pick(rng, book.p["contacts_per_application"], n).astype(int)
    for slot, column in enumerate(SLOTS):
        has = wanted > slot
        phones = np.full(n, NONE, np.int64)
        phones[has] = book.entities.new("phone", int(has.sum()))
        book.entities.note("phone", phones, city=book.person("city"))
        apps[column] = book.by_deal(phones)
    _kin_contacts(book, rng)
    _star_contacts(book)


def _kin_contacts(book: Book, rng: np.random.Generator) -> None:
    """Family members name each other."""
    people, apps = book.people, book.applications
    household = people["household"].to_numpy()
    rank = rank_within(household, np.arange(len(people)))
    members = np.flatnonzero(household >= 0)
    size = np.bincount(household[members])
    by_place = np.full((len(size), 4), NONE, np.int64)
    by_place[household[members], rank[members] % 4] = people["phone"].to_numpy()[members]
    own, mine = book.person("household"), rank[book.app("person")]
    kin = by_place[own, (mine + 1) % np.maximum(size[own], 1) % 4]
    named = book.by_deal(chance(rng, book.p["households.share_contact"], len(apps))) & (own >= 0)
    named &= kin != book.person("phone")
    apps.loc[named, "contact0"] = kin[named]


def _star_contacts(book: Book) -> None:
    """B13: driving schools and insurance agents stand in many forms."""
    rng, apps = book.streams("star contacts"), book.applications
    count = book.p.per("star_contacts.per_60k", book.size)
    links = whole(rng, book.p["star_contacts.links"], count)
    plain = np.flatnonzero((book.app("kind") == "plain") & (book.app("deal") == np.arange(len(apps))))
    rows = some(rng, plain, int(links.sum()))
    star = np.repeat(np.arange(count), links)[: len(rows)]
    phones = book.entities.new("phone", count)
    book.entities.note("phone", phones, business=True, city=pick_at(rng, book.cities["weight"].to_numpy(), count))
    apps.loc[rows, "contact1"] = phones[star]
    apps["contact1"] = book.by_deal(book.app("contact1"))
    book.entities.belongs("phone", phones, _named("star_contact", count), "business_number")


def give_accounts(book: Book) -> None:
    """Adds payer (of the down payment) and repayer; now and then a relative's account."""
    rng, n = book.streams("accounts"), len(book.applications)
    own = book.person("account")
    for column in ("payer", "repayer"):
        other = chance(rng, book.p["credit_default.payer_other_share"], n)
        accounts = own.copy()
        accounts[other] = book.entities.new("account", int(other.sum()))
        book.applications[column] = book.by_deal(accounts)
    book.applications["buyer"] = NONE
    book.applications["template"] = NONE
    book.applications["speaker"] = NONE


def give_cars(book: Book) -> None:
    """Adds vehicle and model; a fleet or group buy takes one model."""
    rng, apps = book.streams("cars"), book.applications
    n = len(apps)
    apps["vehicle"] = book.by_deal(book.entities.new("vehicle", n))
    model = pick_at(rng, book.models["weight"].to_numpy(), n)
    trucks = np.flatnonzero(book.models["body"] == "truck")
    groups = apps["kind"].isin(["fleet", "group_buy"]).to_numpy()
    of_group = pick_at(rng, book.models["weight"].to_numpy(), n)
    model[groups] = of_group[book.app("group")[groups]]
    apps["model"] = book.by_deal(model)
    hauls = (book.app("kind") == "fleet") & (book.app("group") % 2 == 0) | (book.app("typology") == "T20")
    apps.loc[hauls, "model"] = trucks[book.app("group")[hauls] % len(trucks)]


def give_devices(book: Book) -> None:
    """Adds device: the shop's tablet, the salesperson's phone (both B03), or the customer's own."""
    rng, p, n = book.streams("devices"), book.p["devices"], len(book.applications)
    dealer, seller, moment = book.app("dealer"), book.app("salesperson"), book.app("moment")
    tablets, replaced = _tablets(book, rng)
    tablet = tablets[dealer, (moment >= replaced[dealer]).astype(int)]
    staff = book.salespeople
    lends = staff["lends"].to_numpy()[seller]
    draw = book.by_deal(rng.random(n))
    left = np.where(book.drifted(), 1 - book.p["drift.tablet_to_own"], 1.0)
    on_tablet = draw < p["dealer_tablet_share"] * left
    lent = p["salesperson_phone_share"] / book.p["salespeople.lends_phone_share"]
    on_phone = ~on_tablet & lends & (book.by_deal(rng.random(n)) < lent / (1 - p["dealer_tablet_share"]))
    book.applications["device"] = np.select(
        [on_tablet, on_phone], [tablet, staff["device"].to_numpy()[seller]], book.person("device")
    )
    book.applications["in_shop"] = book.by_deal(_in_shop(book, rng, on_tablet | on_phone))
    lenders = staff["device"].to_numpy()[staff["lends"].to_numpy()]
    book.entities.belongs("device", lenders, _named("salesperson_phone", len(lenders)), "dealer_asset")


def _in_shop(book: Book, rng: np.random.Generator, shop_device: Flags) -> Flags:
    """On the shop's WiFi: its own devices nearly always, so that the overall share comes out as given."""
    p, n = book.p["network"], len(shop_device)
    theirs = max(shop_device.mean(), 0.01)
    own = (p["shop_wifi_share"] - theirs * p["shop_device_on_wifi"]) / (1 - theirs)
    return chance(rng, np.where(shop_device, p["shop_device_on_wifi"], max(own, 0.0)), n)


def _tablets(book: Book, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Two tablets per dealer, the second from the day the first was replaced."""
    n = len(book.dealers)
    tablets = book.entities.new("device", 2 * n).reshape(n, 2)
    broken = chance(rng, min(book.p["devices.replacement_per_year"] * book.clock.days / 365, 1.0), n)
    replaced = np.where(broken, (rng.random(n) * book.clock.end).astype(np.int64), NEVER)
    for generation in (0, 1):
        book.entities.belongs("device", tablets[:, generation], _named("shop", n), "dealer_asset")
    book.dealers["tablet"] = tablets[:, 0]
    return tablets, replaced


def give_networks(book: Book) -> None:
    """Adds ip, wifi, ip_type and vpn: shop WiFi, carrier NAT (B04), or broadband at home.

    `outside_ip` and `outside_type` are what the session would have shown away from the shop.
    """
    rng, p, apps, n = book.streams("networks"), book.p["network"], book.applications, len(book.applications)
    shops, wifis = (book.entities.new(kind, len(book.dealers)) for kind in ("ip", "wifi"))
    in_shop = book.app("in_shop")
    homes = book.entities.new("ip", len(book.people))
    nat = book.by_deal(chance(rng, p["nat_share"], n))
    risky = np.where(book.app("fraud"), p["idc_vpn_fraud"], p["idc_vpn_benign"])
    apps["vpn"] = chance(rng, risky, n) & ~nat & ~in_shop
    apps["outside_ip"] = np.where(nat, _nat_pools(book, rng), homes[book.app("person")])
    apps["outside_type"] = np.select([nat, book.app("vpn")], ["mobile_nat", "idc"], "broadband").astype(object)
    apps["ip"] = np.where(in_shop, shops[book.app("dealer")], book.app("outside_ip"))
    apps["ip_type"] = np.where(in_shop, "shop", book.app("outside_type")).astype(object)
    apps["wifi"] = np.where(in_shop, wifis[book.app("dealer")], NONE)
    late = chance(rng, book.p["drift.ipv6_share"], len(homes)) & (book.people["moment"].to_numpy() >= book.clock.drift)
    book.entities.note("ip", homes[late], version=6)
    book.entities.belongs("ip", shops, _named("shop", len(shops)), "dealer_asset")
    book.entities.belongs("wifi", wifis, _named("shop", len(wifis)), "dealer_asset")


def _nat_pools(book: Book, rng: np.random.Generator) -> Ints:
    """One pool of the customer's province for every row."""
    province, codes = np.unique(book.cities["province"].to_numpy(), return_inverse=True)
    weight = np.bincount(codes, book.cities["weight"].to_numpy()).astype(float)
    count = max(book.p.per("network.carrier_nat_pools_per_60k", book.size), len(province))
    owner = np.sort(np.r_[np.arange(len(province)), pick_at(rng, weight, count - len(province))])
    pools = book.entities.new("ip", count)
    book.entities.belongs("ip", pools, _named("nat", count), "carrier_nat")
    here = codes[book.person("city")]
    first, last = np.searchsorted(owner, here), np.searchsorted(owner, here, side="right")
    nth = (rng.random(len(here)) ** book.p["network.nat_skew"] * (last - first)).astype(np.int64)
    return np.asarray(pools[first + nth])


def _named(kind: str, count: int) -> np.ndarray:
    return np.array([f"{kind}-{number}" for number in range(count)], dtype=object)
