"""Tokens are signed with SHA-256, those that v0.2.0 signed with SHA-1 open until they expire, and nothing else does."""

import base64
import hashlib
from datetime import timedelta

import pytest
from itsdangerous import URLSafeSerializer

from cardstock.clock import to_epoch_ms
from cardstock.edge.tokens import Signer
from cardstock.errors import UnauthorizedError
from tests.people.clock import TestClock

SIGNER = Signer(keys=lambda: ["newest", "older"])


def signed_by(key: str, digest: object, purpose: str = "access", **claims: object) -> str:
    made = URLSafeSerializer(key, salt=purpose, signer_kwargs={"digest_method": digest}).dumps(claims)
    return made if isinstance(made, str) else made.decode()


def test_a_token_is_signed_with_sha_256_and_the_newest_key() -> None:
    token = SIGNER.sign("access", {"sub": "mem_1"})
    signature = token.rpartition(".")[2]

    assert len(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))) == 32
    assert token == signed_by("newest", hashlib.sha256, sub="mem_1")


@pytest.mark.parametrize("key", ["newest", "older"])
def test_a_token_of_the_release_before_opens_until_it_expires(clock: TestClock, key: str) -> None:
    expires = clock.now() + timedelta(days=30)
    old = signed_by(key, hashlib.sha1, sub="mem_1", exp=to_epoch_ms(expires))
    opened = SIGNER.open("access", old)
    clock.set(expires)

    assert opened == {"sub": "mem_1"}
    with pytest.raises(UnauthorizedError, match="TOKEN_EXPIRED"):
        SIGNER.open("access", old)


@pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.sha256, hashlib.md5, hashlib.sha512])
def test_a_token_of_another_key_purpose_or_hash_does_not_open(digest: object) -> None:
    forged = [signed_by("guessed", digest), signed_by("newest", digest, purpose="quote")]
    if digest in (hashlib.md5, hashlib.sha512):
        forged.append(signed_by("newest", digest))

    for token in forged:
        with pytest.raises(UnauthorizedError, match="TOKEN_INVALID"):
            SIGNER.open("access", token)
