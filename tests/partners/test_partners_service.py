"""Keys, suppliers and the inbox that takes each message once."""

import hashlib

import pytest
from msgspec.structs import replace

from cardstock.errors import NOT_FOUND, CardstockError, InvalidError, NotFoundError, RefusedError, UnavailableError
from cardstock.ids import RequestKey
from cardstock.partners import inbox as inboxes
from cardstock.partners import keys as partner_keys
from cardstock.partners import suppliers as verbs
from cardstock.partners.model import SCOPES, ApiKey, KeyOwner, Supplier
from tests.people.memory_partners import MemoryInbox, MemoryKeys, MemorySuppliers, request

SUPPLIER_SCOPES = frozenset({"orders:fulfil", "catalog:write", "webhooks:write"})


def create(
    keys: MemoryKeys, owner: str = "stf_1", scopes: frozenset[str] = frozenset({"payouts:read"}), key: str = "one"
) -> tuple[ApiKey, str | None]:
    return partner_keys.create_key("console", KeyOwner(owner, "Li Na"), scopes, request(key), keys=keys)


def test_a_credential_is_shown_once_and_only_its_digest_is_stored() -> None:
    keys = MemoryKeys()
    made, credential = create(keys)
    again, nothing = create(keys)

    assert credential is not None
    prefix, key_id, secret = credential.split("_", 2)
    assert (prefix, f"key_{key_id}") == ("csk", made.key_id)
    assert keys.keys[made.key_id].secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in repr(keys.keys)
    assert (again, nothing) == (made, None)


def test_a_key_whose_first_answer_was_lost_on_the_way_here_still_gets_its_credential() -> None:
    class Forgetful(MemoryKeys):
        """Stores the key, hears no answer, asks again and finds it there: what an SDK's retry does."""

        def add(self, key: ApiKey, request: RequestKey) -> str | None:
            super().add(key, request)
            return super().add(key, request)

    made, credential = create(Forgetful())

    assert credential is not None
    assert credential.startswith(f"csk_{made.key_id.removeprefix('key_')}_")


def test_two_keys_have_nothing_in_common() -> None:
    keys = MemoryKeys()
    first, second = create(keys, key="one"), create(keys, key="two")

    assert first[0].key_id != second[0].key_id
    assert first[0].secret_sha256 != second[0].secret_sha256


@pytest.mark.parametrize("scope", sorted(SCOPES - SUPPLIER_SCOPES))
def test_a_suppliers_key_never_gets_a_right_of_staff(scope: str) -> None:
    keys = MemoryKeys()

    with pytest.raises(RefusedError) as refused:
        create(keys, "sup_1", frozenset({scope, "orders:fulfil"}))

    assert refused.value.code == "SCOPE_FOR_STAFF"
    assert keys.keys == {}


def test_a_suppliers_key_gets_the_rights_of_suppliers() -> None:
    made, _ = create(MemoryKeys(), "sup_1", SUPPLIER_SCOPES)

    assert (made.owner, made.scopes) == ("sup_1", SUPPLIER_SCOPES)


def test_an_unknown_scope_is_named() -> None:
    with pytest.raises(InvalidError) as refused:
        create(MemoryKeys(), scopes=frozenset({"payouts:read", "all", "*"}))

    assert (refused.value.code, refused.value.facts) == ("SCOPE_UNKNOWN", {"scopes": "*, all"})


def test_revoking_is_safe_to_repeat_and_an_unknown_key_is_told() -> None:
    keys = MemoryKeys()
    made, _ = create(keys)
    partner_keys.revoke_key(made.key_id, keys=keys)
    partner_keys.revoke_key(made.key_id, keys=keys)

    assert not keys.keys[made.key_id].active
    with pytest.raises(NotFoundError):
        partner_keys.revoke_key("key_unknown", keys=keys)


# --- suppliers ---


def put(suppliers: MemorySuppliers, name: str = "宁波织物", supplier_id: str = "sup_1") -> tuple[Supplier, str | None]:
    return verbs.put_supplier(supplier_id, name, suppliers=suppliers)


def rotate(suppliers: MemorySuppliers, key: str) -> Supplier:
    return verbs.rotate_inbox_secret("sup_1", request(key), suppliers=suppliers)


def test_a_suppliers_secret_is_shown_when_it_is_created_and_not_when_it_is_renamed() -> None:
    suppliers = MemorySuppliers()
    first, secret = put(suppliers)
    renamed, nothing = put(suppliers, "宁波织物有限公司")

    assert secret == first.inbox_secrets[0]
    assert secret.startswith("whsec_")
    assert (renamed.name, renamed.inbox_secrets, nothing) == ("宁波织物有限公司", first.inbox_secrets, None)
    assert suppliers.suppliers["sup_1"] == renamed


def test_the_two_newest_secrets_are_valid_and_two_rotations_end_a_leaked_one() -> None:
    suppliers = MemorySuppliers()
    _, first = put(suppliers)
    second = rotate(suppliers, "a").inbox_secrets[0]
    both = suppliers.suppliers["sup_1"].inbox_secrets
    third = rotate(suppliers, "b").inbox_secrets[0]

    assert both == (second, first)
    assert suppliers.suppliers["sup_1"].inbox_secrets == (third, second)


def test_a_repeated_rotation_does_not_cost_the_secret_in_use() -> None:
    suppliers = MemorySuppliers()
    _, in_use = put(suppliers)
    first = rotate(suppliers, "a")
    again = rotate(suppliers, "a")

    assert again == first
    assert in_use in again.inbox_secrets


def test_of_two_rotations_at_once_neither_is_lost() -> None:
    suppliers = MemorySuppliers()
    put(suppliers)

    class Raced(MemorySuppliers):
        """Somebody else rotates between the read and the write, once."""

        def find(self, supplier_id: str) -> Supplier | None:
            found = suppliers.find(supplier_id)
            if found is not None and len(found.inbox_secrets) == 1:
                suppliers.suppliers[supplier_id] = replace(found, inbox_secrets=("theirs", *found.inbox_secrets))
            return found

        def rotate(self, *arguments: object) -> bool:
            return suppliers.rotate(*arguments)  # type: ignore[arg-type]  # passed on as they are

    made = rotate(Raced(), "a")

    assert made.inbox_secrets[1] == "theirs"


def test_who_never_wins_the_race_is_told_to_try_again() -> None:
    class Lost(MemorySuppliers):
        def rotate(self, *arguments: object) -> bool:
            return False

    suppliers = Lost()
    put(suppliers)

    with pytest.raises(UnavailableError) as refused:
        rotate(suppliers, "a")

    assert refused.value.code == "STORE_BUSY"


@pytest.mark.parametrize("supplier_id", ["sup_", "sup_A", "staff", "sup_1/x", "sup_1\n", "x" * 5_000, "key_1"])
def test_a_supplier_id_has_one_form(supplier_id: str) -> None:
    suppliers = MemorySuppliers()

    with pytest.raises(InvalidError) as refused:
        put(suppliers, supplier_id=supplier_id)

    assert refused.value.code == "SUPPLIER_ID_INVALID"
    assert verbs.find_supplier(supplier_id, suppliers=suppliers) is None


def test_an_unknown_supplier_cannot_rotate() -> None:
    with pytest.raises(NotFoundError):
        rotate(MemorySuppliers(), "a")


# --- the inbox ---


class Effect:
    """Counts how often a message took effect; fails while it is told to."""

    def __init__(self) -> None:
        self.times = 0
        self.error: CardstockError | None = None

    def __call__(self) -> None:
        if self.error is not None:
            raise self.error
        self.times += 1


def take(inbox: MemoryInbox, act: Effect, body: bytes = b"{}", message_id: str = "m1", source: str = "sup_1") -> bool:
    return inboxes.take_message(source, message_id, body, act, inbox=inbox)


def test_a_message_takes_effect_once() -> None:
    inbox, act = MemoryInbox(), Effect()

    assert [take(inbox, act), take(inbox, act), take(inbox, act)] == [True, False, False]
    assert act.times == 1


def test_an_id_is_its_senders_own() -> None:
    inbox, act = MemoryInbox(), Effect()
    take(inbox, act, source="sup_1")
    take(inbox, act, source="sup_2")

    assert act.times == 2


def test_an_id_that_comes_again_with_another_body_is_refused_and_nothing_happens() -> None:
    inbox, act = MemoryInbox(), Effect()
    take(inbox, act)

    with pytest.raises(RefusedError) as refused:
        take(inbox, act, b'{"stock":0}')

    assert refused.value.code == "MESSAGE_ID_REUSED"
    assert act.times == 1


def test_a_message_that_could_not_take_effect_is_kept_and_may_come_again() -> None:
    inbox, act = MemoryInbox(), Effect()
    act.error = NOT_FOUND()
    with pytest.raises(NotFoundError):
        take(inbox, act)
    act.error = None

    assert inbox.messages["sup_1", "m1"].body == b"{}"
    assert take(inbox, act)
    assert act.times == 1
