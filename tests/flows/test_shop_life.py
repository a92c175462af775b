"""A random life of the whole shop, with the books proven after every single call to AWS."""

from tests.house.proof import proven
from tests.people.audits import audit_now
from tests.people.shop import Shop
from tests.people.whole_life import Life

STEPS = 500


def test_the_books_are_right_after_every_call_of_five_hundred_random_steps(shop: Shop) -> None:
    life = Life(shop, "n")
    with proven() as proof:
        for number in range(STEPS):
            life.step(kill=number % 9 == 8)
        life.finish()
        proof.everything()
    kinds = {entry.partition(".")[0] for entry in proof.entries}
    risen = [item for item in shop.cloud.items("network") if item["pk"]["S"].startswith("promote.")]

    assert audit_now().findings == ()
    # A life that proves something: everything happened, somebody rose, somebody owed, and functions died on the way.
    assert kinds == {"accrue", "release", "claw", "claim", "payout", "payout-failed"}
    assert life.done.keys() == {each.__name__ for each in life.happenings}
    assert risen
    assert proof.debtors
    assert life.killed > 30
    assert proof.calls > 3_000
