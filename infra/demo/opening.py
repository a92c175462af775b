"""Opening the shop: keys, suppliers, plan, catalogue, and members with their inviters."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from infra.demo.one_run import Demo
from infra.demo.shop import Member
from infra.demo.shop_data import SUPPLIERS
from infra.demo.texts import ENGLISH, GUIDES, card_of, name_of_article

AT_ONCE: Final = 33
"""Products with one SKU that one call publishes."""

SEED = "cardstock"
SHELF = 6
"""Products on a guide's card."""
UNVERIFIED = 7

# The demonstration's plan: the preset chain21 in shares of what was paid, so that every article earns. Two levels, paid
# for a qualifying purchase: refused without approvals of a second person, who gives them for the demonstration and
# says so.
PLAN = {
    "preset": "chain21",
    "id": "chain21-demo",
    "title": "2+1 合伙人计划（演示）",
    "direct_distributor": {"value": 800, "unit": "bps"},
    "direct_partner": {"value": 1500, "unit": "bps"},
    "team": {"value": 700, "unit": "bps"},
    "cap_bps": 3000,
}
FOR_TWO = (
    "payouts:read", "payouts:open", "open_items:read", "open_items:clear",
    "bank_accounts:confirm", "bank_accounts:reveal",
)  # fmt: skip
"""Scopes of both first persons, so that what takes two can be tried with their keys."""
PHONES = {"finance": "phone-li-na", "compliance": "phone-zhao-min", "shop": "phone-wang-fang"}
"""Login names of the members who are persons of the staff on the phone, by the name of their key."""
REASON = "Demonstration on recorded orders; no money moves."


def open_shop(demo: Demo, tick: Callable[[], None]) -> None:
    """Keys, suppliers, plan, catalogue."""
    secret_id = demo.suite.environment["ADMIN_SECRET_ID"]
    stored = demo.suite.clients.secrets.get_secret_value(SecretId=secret_id)["SecretString"]
    root = f"csk_root_{json.loads(stored)['key']}"
    finance, compliance = (demo.shop.add_person(root, name) for name in ("Li Na", "Zhao Min"))
    for name, person_id in (("finance", finance), ("compliance", compliance)):
        demo.phones[name] = demo.shop.link_phone(root, person_id, PHONES[name])
    hiring = demo.keys["hiring"] = demo.shop.make_key(root, finance, "Hiring", ["staff:write"])
    other = demo.shop.make_key(root, compliance, "Roles", ["staff:write"])
    headquarters = demo.shop.add_person(hiring, "Wang Fang")
    for owner, person_id, roles in (
        (hiring, compliance, ("owner", "finance")),
        (other, finance, ("owner", "finance")),
        (hiring, headquarters, ("operator", "service")),
    ):
        demo.shop.give_roles(owner, person_id, roles)
    demo.phones["shop"] = demo.shop.link_phone(hiring, headquarters, PHONES["shop"])
    demo.keys["shop"] = demo.shop.make_key(
        root,
        headquarters,
        "Headquarters",
        [
            *("suppliers:write", "catalog:write", "network:appoint", "plans:publish", "webhooks:write"),
            *("orders:refund", "orders:read", "members:read", "suppliers:read", "catalog:read", "sales:read"),
        ],
    )
    demo.keys["root"] = root
    demo.keys["finance"] = demo.shop.make_key(
        root,
        finance,
        "Finance",
        [*FOR_TWO, "payouts:approve", "payouts:settle", "debts:write_off"],
    )
    demo.keys["compliance"] = demo.shop.make_key(
        root, compliance, "Compliance", [*FOR_TWO, "payouts:approve", "plans:approve", "debts:write_off"]
    )
    for supplier_id in SUPPLIERS:
        demo.shop.add_supplier(demo.keys["shop"], root, supplier_id, supplier_id.removeprefix("sup_").title())
    publish_plan(demo)
    qualifying = best_known(demo, 1)[0].rpartition("-")[0]
    articles = sorted(demo.data.articles.values(), key=lambda article: article.sku)
    batches = [articles[start : start + AT_ONCE] for start in range(0, len(articles), AT_ONCE)]

    def publish(batch: Sequence[Any]) -> None:
        products = [
            {
                "product_id": article.sku,
                "title": {"zh": name_of_article(article.code, article.name)},
                "supplier_id": article.supplier_id,
                "variants": [
                    {
                        "price_fen": article.price_fen,
                        "qualifying": article.code == qualifying,
                        "initial_stock": article.units + 10,
                    }
                ],
            }
            for article in batch
        ]
        demo.shop.http.send("PUT", "/v1/products", {"products": products}, token=demo.keys["shop"])

    demo.all(publish, batches, tick)


def best_known(demo: Demo, count: int) -> list[str]:
    """The SKUs of the articles that most customers bought, one an article, the most popular first."""
    popular = Counter[str]()
    sku_of: dict[str, str] = {}
    for sale in demo.data.sales:
        for sku in sale.units:
            sku_of.setdefault(sku.rpartition("-")[0], sku)
        popular.update({sku.rpartition("-")[0] for sku in sale.units})
    return [sku_of[code] for code, _ in popular.most_common(count)]


def publish_plan(demo: Demo) -> None:
    """Publish the plan, which a second person has approved for the demonstration with a key of that person."""
    for check in ("levels", "peer", "fee", "head_count"):
        body = {"plan": PLAN, "check": check, "reason": REASON}
        demo.shop.http.send("POST", "/v1/commission-plans/approvals", body, token=demo.keys["compliance"])
    demo.shop.http.send("POST", "/v1/commission-plans", PLAN, token=demo.keys["shop"])


def invite_members(demo: Demo, tick: Callable[[], None]) -> None:
    """Guides become partners and make their cards; every customer logs in with an inviter of a seeded network."""
    shelf = best_known(demo, SHELF)
    for name in GUIDES:
        guide = demo.shop.log_in(name)
        path = f"/v1/members/{guide.member_id}/partner-appointments"
        demo.shop.http.send("POST", path, {"reason": "First partner of the brand"}, token=demo.keys["shop"])
        card = demo.shop.http.send("POST", "/v1/cards", {"versions": card_of(name, shelf)}, token=guide.token).body
        for audience, keys in (("default", demo.cards), (ENGLISH, demo.english_cards)):
            path, body = f"/v1/cards/{card['card']}/shares", {"audience": audience}
            keys.append(str(demo.shop.http.send("POST", path, body, token=guide.token).body["share"]))
        demo.guides.append(guide)
        tick()
    chance = random.Random(SEED)  # noqa: S311 - a seeded network, no secret
    known: list[Member] = list(demo.guides)
    inviters = {guide.member_id for guide in demo.guides}
    for number, customer in enumerate(demo.data.customers):
        inviter = chance.choice(known[-40:] if chance.random() < 0.7 else demo.guides)
        inviters.add(inviter.member_id)
        member = demo.shop.log_in(
            f"customer-{customer}", inviter.member_id, demo.platforms[number % len(demo.platforms)]
        )
        demo.members[customer] = member
        known.append(member)
        tick()
    demo.inviters = [member for member in known if member.member_id in inviters]


def verify_persons(demo: Demo, payees: Sequence[Member]) -> None:
    """Verify the real names of those who can be paid something, and set their bank accounts. One forgets."""

    def verify(numbered: tuple[int, Member]) -> None:
        number, member = numbered
        if number != UNVERIFIED:
            body = {"name": name_of(number), "id_number": id_number(number)}
            demo.shop.http.send("PUT", "/v1/me/identity", body, token=member.token)
            account = {
                "holder": body["name"],
                "number": f"1001{number:012d}",
                "bank": "示例银行",
                "branch": "杭州支行",
            }
            demo.shop.http.send("PUT", "/v1/me/bank-account", account, token=member.token)

    demo.all(verify, enumerate(payees), lambda: None)


def name_of(number: int) -> str:
    """An invented name, different for each of the first 3 456 numbers."""
    rest, family = divmod(number, 12)
    rest, first = divmod(rest, 16)
    return (
        "王李张刘陈杨赵黄周吴徐孙"[family]
        + "安博晨德恩芳国慧佳君乐敏宁鹏青若"[first]
        + "诗文晓雅怡泽哲真志子瑶悦欣辰溪彤琪梓"[rest % 18]
    )


def id_number(number: int) -> str:
    """A well-formed invented ID number: region and birthday of an adult, a serial, and the check digit of GB 11643."""
    digits = f"310101199001{1 + number // 900:02d}{100 + number % 900:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return digits + "10X98765432"[rest]
