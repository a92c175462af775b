"""RSA and AES as platforms use them: SHA-256 with PKCS #1 v1.5 for signatures, OAEP for names, PKCS #1 v1.5 and AES-CBC
for telephone numbers.

The only importer of `cryptography`, which takes 30 ms; loaded where money moves, and for a log-in that needs it.
"""

import base64
import binascii

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7


class PrivateKey:
    """Our own key: PEM, or the bare base64 of the channels' consoles. Raises ValueError for anything else."""

    def __init__(self, text: str) -> None:
        if "-----BEGIN" in text:
            key = serialization.load_pem_private_key(text.encode(), password=None)
        else:
            key = serialization.load_der_private_key(base64.b64decode(text, validate=True), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("the private key is not an RSA key")
        self._key = key

    def sign(self, message: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()

    def decrypt(self, encrypted: str) -> bytes:
        """What was encrypted for this key with PKCS #1 v1.5, from base64. Raises ValueError where the form is wrong.

        What was encrypted for another key may become random bytes instead.
        """
        return self._key.decrypt(base64.b64decode(encrypted, validate=True), padding.PKCS1v15())


class ContentKey:
    """An AES key in base64, 128 bits. Raises ValueError for anything else."""

    def __init__(self, text: str) -> None:
        self._key = base64.b64decode(text, validate=True)
        if len(self._key) != 16:
            raise ValueError("the content key is not 128 bits long")

    def decrypt(self, encrypted: str) -> bytes:
        """AES-CBC with PKCS #7 and sixteen zero bytes as the first block, from base64. Raises ValueError.

        Check the signature over `encrypted` first.
        """
        cipher = Cipher(algorithms.AES(self._key), modes.CBC(bytes(16))).decryptor()
        padded = cipher.update(base64.b64decode(encrypted, validate=True)) + cipher.finalize()
        unpadder = PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()


class EnvelopeKey:
    """A key of envelopes: a message under AES-CBC, with the name of the app that it is for.

    Plain, an envelope has sixteen random bytes, the message's length (four bytes, the highest first), the message, and
    the app's name; padded by PKCS #7 to blocks of sixteen or thirty-two bytes. Raises ValueError for a key of a length
    that AES does not have.
    """

    def __init__(self, key: bytes) -> None:
        self._key = algorithms.AES(key)

    def open(self, encrypted: str, iv: bytes) -> tuple[bytes, str]:
        """The message, and the app's name, from base64. Raises ValueError for what is no envelope under this key.

        Nothing in an envelope proves that it was not altered.
        """
        cipher = Cipher(self._key, modes.CBC(iv)).decryptor()
        padded = cipher.update(base64.b64decode(encrypted, validate=True)) + cipher.finalize()
        missing = padded[-1] if padded else 0
        plain = padded[:-missing] if 1 <= missing <= 32 else b""
        length = int.from_bytes(plain[16:20], "big")
        if len(plain) < 20 + length or padded != plain + bytes([missing]) * missing:
            raise ValueError("no envelope under this key")
        return plain[20 : 20 + length], plain[20 + length :].decode()


class NoticeKey:
    """The key of a merchant's notices (APIv3密钥): 32 letters and digits. Raises ValueError for anything else."""

    def __init__(self, text: str) -> None:
        raw = text.encode()
        if len(raw) != 32:
            raise ValueError("the key of notices is not 32 bytes long")
        self._key = AESGCM(raw)

    def decrypt(self, encrypted: str, nonce: str, associated: str) -> bytes:
        """AES-256-GCM, from base64 with the tag at its end. Raises ValueError for what was not sealed with this key."""
        try:
            return self._key.decrypt(nonce.encode(), base64.b64decode(encrypted, validate=True), associated.encode())
        except InvalidTag:
            raise ValueError("sealed with another key") from None


class PublicKey:
    """A channel's key: PEM or bare base64. Raises ValueError for anything else."""

    def __init__(self, text: str) -> None:
        if "-----BEGIN" in text:
            key = serialization.load_pem_public_key(text.encode())
        else:
            key = serialization.load_der_public_key(base64.b64decode(text, validate=True))
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError("the public key is not an RSA key")
        self._key = key

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether the key's owner signed the message; False for a signature that is not base64."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    def encrypt(self, text: str) -> str:
        """A text that only the key's owner can read, in base64; different each time."""
        # WeChat Pay requires SHA-1; OAEP does not depend on its collision resistance.
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - see above
        return base64.b64encode(self._key.encrypt(text.encode(), oaep)).decode()
