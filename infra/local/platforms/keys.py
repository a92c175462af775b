"""RSA and AES of the local platforms, on their own: nothing is shared with the clients that call them."""

import base64
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_AES_BLOCK = 16


def new_pair() -> dict[str, str]:
    """A key pair as consoles show it: `private_key` (PKCS #8) and `public_key`, bare base64."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"private_key": base64.b64encode(private).decode(), "public_key": base64.b64encode(public).decode()}


def sign(private_key: str, message: bytes) -> str:
    """RSA-SHA256 in base64."""
    key = _private(private_key)
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def signed(public_key: str, message: bytes, signature: str) -> bool:
    """Whether the owner of the key signed the message."""
    try:
        _public(public_key).verify(
            base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256()
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def encrypt_rsa(public_key: str, message: bytes) -> str:
    """PKCS #1 v1.5 in base64."""
    return base64.b64encode(_public(public_key).encrypt(message, padding.PKCS1v15())).decode()


def encrypt_aes(key: str, message: bytes) -> str:
    """AES-CBC with PKCS #7 and sixteen zero bytes as the first block, in base64."""
    missing = _AES_BLOCK - len(message) % _AES_BLOCK
    cipher = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(bytes(_AES_BLOCK))).encryptor()
    return base64.b64encode(cipher.update(message + bytes([missing]) * missing) + cipher.finalize()).decode()


def envelope(key: bytes, iv: bytes, message: bytes, receiver: str, block: int = 32) -> str:
    """AES-CBC in base64: sixteen random bytes, the length, the message and the receiver, filled by PKCS #7 to `block`
    bytes."""
    plain = secrets.token_bytes(16) + len(message).to_bytes(4, "big") + message + receiver.encode()
    missing = block - len(plain) % block
    return encrypt_blocks(key, iv, plain + bytes([missing]) * missing)


def encrypt_blocks(key: bytes, iv: bytes, plain: bytes) -> str:
    """AES-CBC of whole blocks in base64."""
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return base64.b64encode(cipher.update(plain) + cipher.finalize()).decode()


def open_block(key: bytes, block: bytes) -> bytes:
    """One block alone, before CBC joins it to the one before."""
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(_AES_BLOCK))).decryptor()
    return cipher.update(block) + cipher.finalize()


def seal(key: str, message: bytes, nonce: str, associated: str) -> str:
    """AES-256-GCM under a key of 32 letters, in base64 with the tag at its end."""
    return base64.b64encode(AESGCM(key.encode()).encrypt(nonce.encode(), message, associated.encode())).decode()


@lru_cache(maxsize=64)  # reading one takes as long as forty signatures
def _private(text: str) -> rsa.RSAPrivateKey:
    key = serialization.load_der_private_key(base64.b64decode(text), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@lru_cache(maxsize=64)
def _public(text: str) -> rsa.RSAPublicKey:
    key = serialization.load_der_public_key(base64.b64decode(text))
    assert isinstance(key, rsa.RSAPublicKey)
    return key
