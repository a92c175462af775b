"""A shop of thousands of products, made from the judged sets: each has its own title, number and price."""

from random import Random

from msgspec.structs import replace

from cardstock.search.model import Entry
from tests.search.judged import chinese_entries, real_entries


def large_shop(products: int) -> list[Entry]:
    """So many products; the same for each call."""
    random, known, foreign = Random(7), chinese_entries(), real_entries()
    entries = []
    for number in range(products):
        one, other = known[number % len(known)], random.choice(known)
        words = other.title_zh.split()
        title = " ".join([*one.title_zh.split()[:2], *random.sample(words, min(3, len(words)))])
        entries.append(
            replace(
                one,
                product_id=f"P{number:05}",
                title_zh=title,
                title_en=f"{one.title_en} {random.choice(foreign).title_en}",
                brand=f"{other.brand} {random.randrange(50)}",
                skus=(f"P{number:05}-A", f"P{number:05}-B"),
                price_fen=random.randrange(500, 90_000),
                sold=random.randrange(5_000),
            )
        )
    return entries
