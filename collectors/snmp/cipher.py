"""The ciphers of version 3's messages: DES-CBC (RFC 3414 section 8) and AES-CFB (RFC 3826 section 3), from cryptography."""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from collectors.snmp.ber import malformed
from collectors.snmp.credentials import Secret
from collectors.snmp.settings import Priv

BLOCK = 8  # bytes of DES


def crypt(priv: Priv, key: Secret, salt: bytes, clock: tuple[int, int], data: bytes, *, decrypt: bool = False) -> bytes:
    """`data` encrypted or decrypted.

    `salt` is the message's, of 8 bytes, and `clock` the agent's boots and seconds in it. Raises Failed(malformed) for a
    ciphertext of impossible length.
    """
    if priv is Priv.DES:
        if decrypt and len(data) % BLOCK:
            raise malformed("a ciphertext of impossible length")
        data += bytes(-len(data) % BLOCK)
        mixed = bytes(one ^ other for one, other in zip(key.reveal()[BLOCK:], salt, strict=True))
        cipher: Cipher[CBC | CFB] = Cipher(TripleDES(key.reveal()[:BLOCK] * 3), CBC(mixed))  # three times one key: single DES
    else:
        start = clock[0].to_bytes(4, "big") + clock[1].to_bytes(4, "big") + salt
        cipher = Cipher(AES(key.reveal()), CFB(start))
    worker = cipher.decryptor() if decrypt else cipher.encryptor()
    return worker.update(data) + worker.finalize()
