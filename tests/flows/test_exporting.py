"""What is in an export: all of the person's own, nothing of anybody else, each record once, as of the asking."""

import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.compliance import wiring as compliance_wiring
from cardstock.compliance.model import Hold
from cardstock.edge import wiring as edge_wiring
from cardstock.flows.explaining_schemas import Explanation
from cardstock.flows.exporting import write_export
from cardstock.flows.exporting_views_wiring import views
from cardstock.flows.exporting_wiring import exporting_needs
from cardstock.members.consent_model import PURPOSES
from cardstock.members.consent_texts import TERMS
from cardstock.members.model import Member
from cardstock.network.presets import UNLOCK
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import Order
from cardstock.payouts.lines import Confirmation, Line
from cardstock.recommendations import wiring as recommendations_wiring
from cardstock.recommendations.model import Entry, Row, member_key
from cardstock.retention import BY_KEY as RETENTION
from cardstock.signing import ACCESS
from tests.people.agreements import AgreementHolder
from tests.people.exports import Exporter, Person, book_statements
from tests.people.finance import PAYOUT
from tests.people.shop import Shop

ANNA_MARKS = {
    "nickname": "Anna-Nightingale-77", "openid": "anna-openid-8841", "openid elsewhere": "anna-second-5512",
    "number": "+8613800138111", "name": "欧阳安娜", "card": "Anna Cardname", "share": "Anna-share-label",
    "receiver": "欧阳收件", "receiver's phone": "13900139111", "address": "杭州市西湖区孤山路安娜大院8号",
    "reason": "anna-changed-her-mind", "bank": "安娜银行", "branch": "安娜支行",
}  # fmt: skip
OTHER_MARKS = {
    "nickname": "Bert-Bluebird-33", "openid": "bert-openid-9903", "number": "+8613700137222", "card": "Bert Cardname",
    "receiver": "伯特收件", "receiver's phone": "13600136222", "address": "成都市锦江区伯特路9号",
    "sibling": "sib-openid-4411",
    "sibling's nickname": "Sibling-Sparrow-12", "staff": "Li Na",
}  # fmt: skip
NUMBER = "11010519491231002X"
ACCOUNT_NUMBER = "1001000000000090"


class Life:
    """Anna, who has of everything something; Bert, whom she brought; and her account that is only verified as her."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.exporter = shop, Exporter(shop.cloud, shop.clock)
        self.trade = shop.trade
        shop.stock_up()
        _ = shop.channel
        mark = ANNA_MARKS
        self.anna = self.exporter.person(mark["openid"], phone_code=f"dev:{mark['number']}")
        self.anna.send("PUT", "/v1/me", {"nickname": mark["nickname"], "birth_year": 1990})
        self.bert = self.exporter.person(
            OTHER_MARKS["openid"], phone_code=f"dev:{OTHER_MARKS['number']}", invite=self.anna.id
        )
        self.bert.send("PUT", "/v1/me", {"nickname": OTHER_MARKS["nickname"]})
        self.trade.appoint(self.anna.id)

    def card(self, person: Person, name: str) -> str:
        face = {"versions": {"default": {"name": name}}}
        return str(person.send("POST", "/v1/cards", face, key=name.replace(" ", "-")).body["card"])

    def order(self, person: Person, mark: dict[str, str], units: int = 1, *, pay: bool = True) -> str:
        self.shop.clock.move(seconds=1)
        lines = [{"sku": "85123A", "units": units}, {"sku": "84406B", "units": 1}]
        quote = person.send("POST", "/v1/quotes", {"lines": lines}).body["quote"]
        receiver = {"name": mark["receiver"], "phone": mark["receiver's phone"], "address": mark["address"]}
        body = {"quote": quote, "receiver": receiver}
        order_id = str(person.send("POST", "/v1/orders", body, key=quote[-40:]).body["order_id"])
        if pay:
            self.trade.pay(order_id)
            self.follow()
        return order_id

    def follow(self) -> None:
        """What follows from orders and entries arrives."""
        self.trade.settle_down()
        book_statements(self.trade)

    def refund(self, person: Person, order_id: str, key: str, units: int = 1) -> None:
        body = {"reason": ANNA_MARKS["reason"], "lines": [{"sku": "85123A", "units": units}]}
        person.send("POST", f"/v1/orders/{order_id}/refunds", body, key=key)

    def verify(self, person: Person) -> None:
        person.send("PUT", "/v1/me/identity", {"name": ANNA_MARKS["name"], "id_number": NUMBER})

    def export(self, person: Person | None = None, **more: Any) -> Any:
        person = person or self.anna
        return self.exporter.read(person.id, self.exporter.make(person.id, **more))


@pytest.fixture
def life(shop: Shop) -> Life:
    return Life(shop)


def test_all_of_the_own_marks_are_in_the_file_and_none_of_anybody_else(life: Life) -> None:
    anna, bert, mark = life.anna, life.bert, ANNA_MARKS
    key = life.card(anna, mark["card"])
    anna.send("POST", f"/v1/cards/{key}/shares", {"label": mark["share"]}, key="share")
    life.card(bert, OTHER_MARKS["card"])
    own, earning = life.order(anna, mark, 3), life.order(bert, OTHER_MARKS)
    life.refund(anna, own, "refund-1")
    life.follow()
    for order_id in (own, earning):
        life.trade.receive(order_id)
    life.follow()
    life.verify(anna)
    account = {"holder": mark["name"], "number": ACCOUNT_NUMBER, "bank": mark["bank"], "branch": mark["branch"]}
    anna.send("PUT", "/v1/me/bank-account", account)
    sibling = life.exporter.person(OTHER_MARKS["sibling"])
    sibling.send("PUT", "/v1/me", {"nickname": OTHER_MARKS["sibling's nickname"]})
    life.verify(sibling)
    second = life.exporter.person(mark["openid elsewhere"])
    code = anna.send("PUT", "/v1/me/merge-code").body["code"]
    second.send("POST", "/v1/me/merges", {"code": code})
    life.shop.clock.move(days=25)
    life.trade.night()
    life.follow()
    hold = Hold(own, ("same_payer",), (sibling.id, bert.id), life.shop.clock.now())
    compliance_wiring.holds().save_new_hold(hold)
    row = Row(member_key(anna.id), life.shop.clock.now(), (Entry("71053", "WHITE METAL LANTERN", own=1000),))
    recommendations_wiring.learnt_rows().write_rows([row])
    read = life.export()
    text = json.dumps(read, ensure_ascii=False)
    (first, other) = read["members"]

    assert {name: value for name, value in mark.items() if value not in text} == {}
    assert {name: value for name, value in OTHER_MARKS.items() if value in text} == {}
    assert sibling.id not in text
    assert NUMBER not in text
    assert ACCOUNT_NUMBER not in text
    assert (first["member_id"], other["member_id"]) == (anna.id, second.id)
    assert [one["order"]["order_id"] for one in first["orders"]] == [own]
    assert [one["status"] for one in first["orders"][0]["refunds"]] == ["succeeded"]
    assert [part["parcels"][0]["carrier"] for part in first["orders"][0]["shipments"]] == ["SF", "SF"]
    assert first["holds"] == [
        {"order_id": own, "reasons": ["same_payer"], "at": first["holds"][0]["at"], "state": "open", "lifted_at": None}
    ]
    assert [reward["order_id"] for reward in first["rewards"]] == [earning]
    assert first["rewards"][0]["items"][0]["text"].startswith("推荐奖励：买家由您推荐。")
    assert first["balance"][0]["available_fen"] == sum(
        line["change_fen"].get("available", 0) for line in first["statement"]
    ) > 0  # fmt: skip
    assert first["network"][0]["role"] == "partner"
    assert first["identity"][0]["name"] == mark["name"]
    assert first["bank_accounts"][0]["change"]["account"]["number_masked"] == "**** 0090"
    assert first["recommendations"][0]["products"][0]["sku"] == "71053"
    assert {one["member_id"] for one in first["merges"]} == {anna.id, second.id}
    assert other["accounts"][0]["name"] == mark["openid elsewhere"]


def test_payment_agreements_are_in_the_file_as_of_its_moment_without_the_channel_s_number(life: Life) -> None:
    holder = AgreementHolder(life.shop, member=life.anna.id)
    agreement_id = holder.signed()
    order_id = holder.order()
    holder.charge(order_id, agreement_id)
    life.shop.clock.move(minutes=1)
    asked = life.exporter.ask(life.anna.id).body
    life.shop.clock.move(seconds=30)
    holder.end(agreement_id)
    holder.asked()
    assert life.exporter.work(*life.exporter.messages()) == 0
    read = life.exporter.read(life.anna.id, asked["export_id"])
    (found,) = read["members"][0]["payment_agreements"]
    (order,) = read["members"][0]["orders"]
    shown = holder.send("GET", f"/v1/orders/{order_id}").body

    assert (found["agreement"]["agreement_id"], found["agreement"]["status"]) == (agreement_id, "active")
    assert (found["agreement"]["ended_at"], found["charged_on_day"]) == (None, [{"order_id": order_id, "fen": 3_003}])
    assert (order["order"]["agreement"], shown["agreement"]) == (agreement_id, agreement_id)
    assert "sbc_" not in json.dumps(read)
    assert "支付协议" in RETENTION["orders"].holds.zh
    assert "支付协议" in TERMS["account"].zh.what


def test_every_section_that_is_ever_filled_has_its_retention_class_term_and_clause(life: Life) -> None:
    read = life.export(headers={"Accept-Language": "en"})

    assert (
        list(read["sections"]) == list(read["counts"]) == [name for name in read["members"][0] if name != "member_id"]
    )
    for about in read["sections"].values():
        assert about.keys() == {"class", "what", "kept", "clause"}
        for text in (about["what"], about["kept"], about["clause"], *read["not_included"], read["about"]):
            assert text["zh"]
            assert text["en"]
    assert read["language"] == "en"


def test_every_consent_and_withdrawal_is_in_the_file_with_its_time_and_version(life: Life) -> None:
    life.shop.clock.move(minutes=1)
    life.anna.send("PUT", "/v1/me/consents/card_visits", {"granted": False})
    asked = life.exporter.ask(life.anna.id).body
    life.shop.clock.move(seconds=30)
    life.anna.send("PUT", "/v1/me/consents/recommendations", {"granted": False})
    assert life.exporter.work(*life.exporter.messages()) == 0
    said = life.exporter.read(life.anna.id, asked["export_id"])["members"][0]["consents"]

    assert [one["purpose"] for one in said if one["granted"]] == sorted(PURPOSES)
    assert said[-1] == {
        "purpose": "card_visits", "title": "名片访问记录", "version": 1, "granted": False, "at": asked["as_of"],
        "app": said[-1]["app"],
    }  # fmt: skip
    assert len(said) == len(PURPOSES) + 1
    assert ANNA_MARKS["openid"] not in json.dumps(said)


def test_who_was_brought_sees_the_inviter_and_nothing_else_of_that_member(life: Life) -> None:
    life.card(life.anna, ANNA_MARKS["card"])
    life.order(life.anna, ANNA_MARKS)
    read = life.export(life.bert)
    text = json.dumps(read, ensure_ascii=False)

    assert read["members"][0]["network"][0]["referrer"] == life.anna.id
    assert [name for name, value in ANNA_MARKS.items() if value in text] == []


def test_a_member_who_lost_a_number_reads_it_masked_and_nothing_of_the_other(life: Life) -> None:
    life.order(life.anna, ANNA_MARKS)
    thief = life.exporter.person("thief-openid-1", phone_code=f"dev:{ANNA_MARKS['number']}")
    first, theirs = life.export()["members"][0], life.export(thief)["members"][0]

    assert [(one["phone"], one["platform"]) for one in first["phone_moves"]] == [("+86138****8111", "dev")]
    assert "thief" not in json.dumps(first)
    assert theirs["phone_moves"] == []
    assert ANNA_MARKS["openid"] not in json.dumps(theirs)


def test_a_payment_is_in_the_file_with_its_tax_and_without_what_would_take_the_money(shop: Shop) -> None:
    exporter, finance = Exporter(shop.cloud, shop.clock), shop.finance
    paid = finance.member(1, 500_000, name="张打款")
    other = finance.member(2, 600_000, name="李别人")
    book_statements(shop.trade)
    early = exporter.ask(paid).body["export_id"]
    shop.clock.move(seconds=1)
    finance.sent()
    assert finance.results(others=True)[0] == 202
    finance.drain()
    book_statements(shop.trade)
    token = edge_wiring.signer().sign(ACCESS, {"sub": paid}, lifetime=timedelta(hours=9))
    export_id = exporter.send(paid, "POST", key="k", token=token).body["export_id"]
    shop.clock.move(seconds=30)
    assert exporter.work(*exporter.messages()) == 0
    content = exporter.content(paid, export_id)
    (line,) = json.loads(content)["members"][0]["payouts"]

    assert (line["payment"]["status"], line["payment"]["period"]) == ("paid", PAYOUT[4:8] + "-" + PAYOUT[8:])
    assert line["payment"]["gross_fen"] == line["payment"]["net_fen"] + line["payment"]["tax_fen"] == 500_000
    assert (line["name"], line["bank"]["holder"], line["payment"]["confirm"]) == ("张打款", "张打款", None)
    assert "李别人" not in content.decode()
    assert other not in content.decode()
    assert b"sealed" not in content
    assert exporter.read(paid, early)["members"][0]["payouts"] == []


def test_a_transfer_that_waits_for_the_member_is_shown_without_what_accepts_it() -> None:
    waiting = Line(
        "pay_202611",
        "2026-11",
        "mem_1",
        1,
        "n1",
        500,
        "waiting_user",
        confirmation=Confirmation("mch", "wx1", "secret"),
    )
    shown = views(Explanation.of)("payouts", waiting, "zh")

    assert (shown["payment"].status, shown["payment"].confirm) == ("waiting_user", None)


def test_a_coupon_is_in_the_file_with_its_use_once_it_was_granted(shop: Shop) -> None:
    shop.plan = UNLOCK
    life = Life(shop)
    before = life.exporter.ask(life.anna.id).body["export_id"]
    life.shop.clock.move(seconds=1)
    friends = [life.exporter.person(f"friend-{number}", invite=life.anna.id) for number in range(2)]
    for number, friend in enumerate(friends):
        number_17 = f"1101051949123100{number + 1}"
        friend.send("PUT", "/v1/me/identity", {"name": "王小明", "id_number": with_check_digit(number_17)})
    after = life.export()["members"][0]["coupons"]

    assert life.exporter.read(life.anna.id, before)["members"][0]["coupons"] == []
    assert [one["coupon"] for one in after] == [f"benefit.{life.anna.id}.1"]
    assert (after[0]["state"], after[0]["order_id"], after[0]["charged_fen"]) == ("unused", None, 0)


def with_check_digit(digits: str) -> str:
    """An identity number of these seventeen digits."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(one) * weight for one, weight in zip(digits, weights, strict=True)) % 11]


def test_what_happens_after_the_asking_is_not_in_the_file(life: Life) -> None:
    anna = life.anna
    kept, refunded_before, refunded_after = (life.order(anna, ANNA_MARKS, 3) for _ in range(3))
    earning = life.order(life.bert, OTHER_MARKS, 3)
    waiting = life.order(anna, ANNA_MARKS, pay=False)
    life.refund(anna, refunded_before, "before")
    life.follow()
    life.shop.clock.move(seconds=1)
    export_id = life.exporter.ask(anna.id).body["export_id"]
    life.shop.clock.move(seconds=1)
    life.refund(anna, refunded_before, "again")
    life.refund(anna, refunded_after, "after", 2)
    life.refund(life.bert, earning, "bert")
    life.trade.pay(waiting)
    late = life.order(anna, ANNA_MARKS)
    life.trade.receive(kept)
    life.follow()
    life.card(anna, "Late Card")
    life.shop.clock.move(seconds=30)
    assert life.exporter.work(*life.exporter.messages()) == 0
    first = life.exporter.read(anna.id, export_id)["members"][0]
    orders = {one["order"]["order_id"]: one for one in first["orders"]}

    assert list(orders) == [waiting, refunded_after, refunded_before, kept]
    assert late not in json.dumps(first)
    assert [orders[one]["order"]["status"] for one in (waiting, kept)] == ["placed", "paid"]
    assert (orders[waiting]["payment"]["channel"], orders[waiting]["order"]["paid_at"]) == (None, None)
    assert orders[kept]["order"]["received_at"] is orders[kept]["order"]["shipped_at"] is None
    assert [part["parcels"] for part in orders[kept]["shipments"]] == [[], []]
    assert [part["status"] for part in orders[kept]["shipments"]] == ["open", "open"]
    assert orders[waiting]["shipments"] == []
    assert [len(orders[one]["refunds"]) for one in (refunded_before, refunded_after)] == [1, 0]
    assert [orders[one]["order"]["lines"][0]["refunded_units"] for one in (refunded_before, refunded_after)] == [1, 0]
    assert orders[refunded_after]["order"]["refunded_fen"] == 0
    assert [line["cancelled"] for part in orders[refunded_after]["shipments"] for line in part["lines"]] == [0, 0]
    assert [line["kind"] for line in first["statement"]] == ["accrued"]
    assert first["rewards"][0]["items"][0]["taken_back"] == []
    assert first["balance"][0]["frozen_fen"] == first["rewards"][0]["items"][0]["rest_fen"]
    assert first["cards"] == []


def test_what_the_member_does_to_the_account_after_the_asking_is_not_in_the_file(shop: Shop) -> None:
    exporter = Exporter(shop.cloud, shop.clock)
    anna = exporter.person("anna", phone_code="dev:+8613800138111")
    key = anna.send("POST", "/v1/cards", {"versions": {"default": {"name": "Anna"}}}, key="card").body["card"]
    anna.send("PUT", "/v1/me/identity", {"name": "王小明", "id_number": NUMBER})
    asked = exporter.ask(anna.id).body["export_id"]
    shop.clock.move(seconds=1)
    anna.send("POST", f"/v1/cards/{key}/shares", {}, key="share")
    exporter.person("anna")
    exporter.person("thief", phone_code="dev:+8613800138111")
    assert anna.send("PUT", "/v1/me/closing", {}).body["state"] == "waiting"
    shop.clock.move(seconds=29)
    assert exporter.work(*exporter.messages()) == 0
    (early,), (late,) = (exporter.read(anna.id, each)["members"] for each in (asked, exporter.make(anna.id)))
    names = ("cards", "shares", "sessions", "phone_moves", "closing")

    assert [len(early[name]) for name in names] == [1, 0, 1, 0, 0]
    assert [len(late[name]) for name in names] == [1, 1, 2, 1, 1]


def test_an_order_that_is_refunded_between_two_reads_is_read_until_both_belong_together(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is read before the refund, its refunds after it: nothing may be taken off that was never put on."""
    order_id = life.order(life.anna, ANNA_MARKS, 3)
    asked = life.exporter.ask(life.anna.id).body["export_id"]
    life.shop.clock.move(seconds=30)
    before = orders_wiring.orders().find_order(order_id)
    life.refund(life.anna, order_id, "meanwhile", 2)
    orders = orders_wiring.orders()
    monkeypatch.setattr(orders, "orders_of_member", lambda *_: ([before], None))
    assert life.exporter.work(*life.exporter.messages()) == 0
    (found,) = life.exporter.read(life.anna.id, asked)["members"][0]["orders"]

    assert found["order"]["lines"][0]["refunded_units"] == found["order"]["refunded_fen"] == 0
    assert found["refunds"] == []


def test_an_order_that_changes_during_that_is_read_once_more(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second refund comes between the reads of refunds and order: the order would have its units, without it."""
    order_id = life.order(life.anna, ANNA_MARKS, 3)
    asked = life.exporter.ask(life.anna.id).body["export_id"]
    life.shop.clock.move(seconds=30)
    life.refund(life.anna, order_id, "first")
    orders, reads = orders_wiring.orders(), 0
    read = orders.refunds_of_order

    def and_another(read_of: str) -> Any:
        nonlocal reads
        found, reads = read(read_of), reads + 1
        if reads == 2:
            life.refund(life.anna, order_id, "second")
        return found

    monkeypatch.setattr(orders, "refunds_of_order", and_another)
    assert write_export(asked, life.anna.id, exporting_needs(Explanation.of)) == "ready"
    monkeypatch.undo()
    (found,) = life.exporter.read(life.anna.id, asked)["members"][0]["orders"]

    assert (found["order"]["lines"][0]["refunded_units"], found["refunds"], reads) == (0, [], 3)


def test_an_order_that_never_stands_still_is_read_with_the_next_delivery(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = life.order(life.anna, ANNA_MARKS, 9)
    life.exporter.ask(life.anna.id)
    (message,) = life.exporter.messages()
    life.shop.clock.move(seconds=30)
    life.refund(life.anna, order_id, "first")
    orders = orders_wiring.orders()
    read = orders.find_order
    versions = iter(range(100, 200))

    def restless(found: str) -> Order:
        order = read(found)
        assert order is not None
        return replace(order, version=next(versions))

    monkeypatch.setattr(orders, "find_order", restless)

    assert life.exporter.work(message) == 1
    monkeypatch.undo()
    assert life.exporter.work(message) == 0


def test_accounts_that_merge_after_the_asking_or_have_closed_are_not_in_the_file(life: Life) -> None:
    second, third = life.exporter.person("anna-second"), life.exporter.person("anna-third")
    for other in (second, third):
        if other is third:
            asked = life.exporter.ask(life.anna.id).body["export_id"]
            life.shop.clock.move(seconds=1)
        code = life.anna.send("PUT", "/v1/me/merge-code").body["code"]
        other.send("POST", "/v1/me/merges", {"code": code})
    life.shop.clock.move(seconds=30)
    assert life.exporter.work(*life.exporter.messages()) == 0
    early, late = life.exporter.read(life.anna.id, asked), life.export()
    second.close()
    closed = life.export()

    assert [[one["member_id"] for one in read["members"]] for read in (early, late, closed)] == [
        [life.anna.id, second.id], [life.anna.id, second.id, third.id], [life.anna.id, third.id],
    ]  # fmt: skip
    assert [len(early["members"][0]["merges"]), len(late["members"][0]["merges"])] == [2, 3]


FIELDS = {
    "phone_lost": "phone_moves", "person": "identity", "group": "merges", "consents": "consents",
    "closing_at": "closing", "former": "closed_accounts", "staff_link": "staff_person", "id": "member_id",
    "account": "first_account",
}  # fmt: skip
"""Field of a member -> under which name or in which section it is in a file, where that is not its own name."""
NOT_TOLD = {"siblings", "same_person", "erased_at", "taken_identities"}
"""Other accounts that are only verified as the same person, marks of persons who the member is not; and a closed
account gets no export."""


def test_every_field_of_a_member_is_in_the_file_or_is_named_here(life: Life) -> None:
    first = life.export()["members"][0]
    shown = first.keys() | first["profile"][0].keys()
    fields = set(Member.__struct_fields__) - NOT_TOLD

    assert {name for name in fields if FIELDS.get(name, name) not in shown} == set()


def test_a_statement_that_is_behind_the_books_is_read_again_later(life: Life) -> None:
    life.order(life.bert, OTHER_MARKS, pay=False)
    (order_id,) = (item["pk"]["S"] for item in life.shop.cloud.items("orders"))
    life.trade.pay(order_id)
    life.trade.settle_down()
    life.exporter.ask(life.anna.id)
    life.shop.clock.move(seconds=30)
    messages = life.exporter.messages()
    behind, files = life.exporter.work(*messages), life.exporter.files()
    book_statements(life.trade)

    assert (behind, files) == (1, [])
    assert life.exporter.work(*messages) == 0
    assert len(life.exporter.files()) == 1
