"""Filling an empty deployment for a developer: `make serve`."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console

from infra.demo.companies import DEVELOPMENT
from infra.demo.one_run import Demo, DemoError
from infra.demo.opening import AT_ONCE, invite_members, open_shop, verify_persons
from infra.demo.progress import progress
from infra.demo.shop_data import read
from infra.demo.summary import NOTES
from infra.demo.texts import GUIDES, name_of_article
from infra.local.suite import Suite

SEED_INVOICES = 40
EXAMPLE_SKU, EXAMPLE_SUPPLIER = "85123A", "sup_lights"
LAMP = "LAMP"
"""The product that the blocks of `infra/contract/README.md` buy: two of it fit instalments and payment agreements."""


def seed(suite: Suite) -> None:
    """Fill an empty deployment that runs in the background: catalogue, members, cards, and a few orders of today.

    What a developer needs to continue (logins, persons with their keys and scopes, secrets, cards, SKUs) is left in
    `seed.json` of the state folder. The products and the supplier of the documents' examples are seeded too.
    """
    console = Console(highlight=False)
    data = read(limit=SEED_INVOICES)
    demo = Demo(suite, data, console)
    with progress(console) as step:
        open_shop(demo, step("catalogue", -(-len(data.articles) // AT_ONCE)))
        invite_members(demo, step("members", len(GUIDES) + len(data.customers)))
        verify_persons(demo, demo.inviters)
        publish_examples(demo)
        done = step("orders", len(data.sales))
        for number, sale in enumerate(data.sales):
            [order] = demo.shop_for([sale])
            demo.ship(order)
            if number % 2:
                demo.receive(order)
            done()
        step("learning a night")
        learned = suite.run_schedule("recommendations/nightly_learning")
        if learned.error is not None:
            raise DemoError(f"nothing was learned: {learned.error}")
    target = write_notes(demo)
    console.print(f"seeded; logins, keys and cards are in {target}")


def write_notes(demo: Demo) -> Path:
    """Write what was seeded into the state folder, for whoever continues; returns the file."""
    data, people = demo.data, defaultdict[str, list[str]](list)
    for member in demo.members.values():
        people[member.platform].append(member.name)
    notes = {
        "logins": [f"dev:{name}" for name in (*GUIDES, *people.pop(DEVELOPMENT, ()))],
        "people": people,  # on the local platforms: GET /wechat/codes?person=...
        "cards": demo.cards,
        "cards_in_english": demo.english_cards,
        "skus": [EXAMPLE_SKU, LAMP, *sorted(data.articles)[:20]],
        "persons": persons_of(demo),
        "staff_keys": demo.keys,
        "supplier_keys": demo.shop.supplier_keys,
        "supplier_inbox_secrets": demo.shop.supplier_secrets,
    }
    target = demo.suite.state_dir / NOTES
    target.touch(mode=0o600)  # keys and secrets: nobody else on this machine reads them
    target.chmod(0o600)
    target.write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
    return target


def publish_examples(demo: Demo) -> None:
    """Publish the products, by their supplier, that the examples of the API document and of its README name."""
    demo.shop.add_supplier(demo.keys["shop"], demo.keys["root"], EXAMPLE_SUPPLIER, "Lights")
    heart = name_of_article(EXAMPLE_SKU, "WHITE HANGING HEART T-LIGHT HOLDER")
    for product_id, title, price in ((EXAMPLE_SKU, heart, 25_500), (LAMP, "露营灯 CAMPING LAMP", 9_900)):
        variant = {"price_fen": price, "initial_stock": 1_000}
        body = {"title": {"zh": title}, "supplier_id": EXAMPLE_SUPPLIER, "variants": [variant]}
        demo.shop.http.send("PUT", f"/v1/products/{product_id}", body, token=demo.keys["shop"])


def persons_of(demo: Demo) -> list[dict[str, Any]]:
    """The persons of the staff with their roles, the login of the phone that confirms log-ins and steps of money, and
    the name and the scopes of each of their keys."""
    root, send, phones = demo.keys["root"], demo.shop.http.send, demo.phones.values()
    persons = send("GET", "/v1/staff", token=root, query={"limit": "100"}).body["items"]
    return [
        {
            "person_id": person["person_id"],
            "name": person["name"],
            "roles": person["roles"],
            "login": next((f"dev:{one.name}" for one in phones if one.member_id == person["member_id"]), None),
            "keys": [
                {"name": key["name"], "scopes": key["scopes"]}
                for key in send("GET", "/v1/partners/keys", token=root, query={"owner": person["person_id"]}).body[
                    "items"
                ]
            ],
        }
        for person in persons
    ]
