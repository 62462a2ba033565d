"""Version 3's security: messages that are signed and encrypted for one user of one agent (RFC 3414, 3826, 7860).

hashlib and cryptography do the cryptography; here are the message's form, the agent's clock, and what its reports mean.
"""

import hashlib
import hmac
from collections.abc import Container

from collectors.snmp.ber import OCTETS, SEQUENCE, integer, malformed, name, oid_of, open_, read_integer, read_octets, tlv
from collectors.snmp.credentials import Secret, User
from collectors.snmp.message import Again, Reply, read
from collectors.snmp.settings import Auth, Priv
from netready.clock import Clock
from netready.failure import Failed, Failure
from netready.instrument import Chance

SIGNED, ENCRYPTED, REPORTABLE = 1, 2, 4  # bits of msgFlags
MODEL = 3  # USM, RFC 3411 section 5
LARGEST = 65507  # bytes that we take: what fits a UDP datagram over IPv4
SIGNATURES = {Auth.MD5: 12, Auth.SHA1: 12, Auth.SHA224: 16, Auth.SHA256: 24, Auth.SHA384: 32, Auth.SHA512: 48}  # bytes
KEYS = {Priv.DES: 16, Priv.AES128: 16, Priv.AES192: 24, Priv.AES256: 32, Priv.AES192_CISCO: 24, Priv.AES256_CISCO: 32}  # bytes
LATEST = (1 << 31) - 1  # of both parts of an agent's clock
STRETCH = 1 << 20  # bytes of repeated passphrase that make a key, RFC 3414 appendix A.2
LEAST_ENGINE, MOST_ENGINE = 5, 32  # bytes of an engine id, RFC 3411 section 5
# usmStats, RFC 3414 section 5: what a report counts, and so what it complains of.
STATS = (1, 3, 6, 1, 6, 3, 15, 1, 1)
LEVEL, WINDOW, USER, ENGINE, DIGEST, DECRYPTION = (name((*STATS, leaf, 0)) for leaf in range(1, 7))
CONTEXTS = {name((1, 3, 6, 1, 6, 3, 12, 1, leaf, 0)) for leaf in (4, 5)}  # not to be had, unknown: RFC 3413 section 3.2
COMPLAINTS = {
    LEVEL: "the agent does not let this user speak at this security level; look at auth and priv",
    USER: "the agent does not know this user",
    DIGEST: "the agent cannot verify the signature: auth or its passphrase is another there",
    DECRYPTION: "the agent cannot decrypt the request: priv or its passphrase is another there",
}


class Dialogue:
    """What is said to one agent in one user's name; it learns the agent's engine id and clock from the agent's reports."""

    def __init__(self, user: User, clock: Clock, chance: Chance) -> None:
        self._user = user
        self._clock = clock
        self._salt = chance.getrandbits(64)  # of the next message; RFC 3826 section 3.1.2.1 wants each used once
        self._engine = b""
        self._boots = self._seconds = 0
        self._learned = 0.0  # our monotonic clock when the agent's stood at `_seconds`
        self._auth = self._priv = Secret(b"")
        if user.priv is not None:
            # Imported here because it loads cryptography, which nobody else needs.
            from collectors.snmp.cipher import crypt  # noqa: PLC0415

            self._crypt = crypt

    def wrap(self, number: int, pdu: bytes, vlan: int | None = None) -> bytes:
        """A message with this number, which is the request's too; before the engine is known, a question for it.

        Cisco's switches take a VLAN's table for that of another context, "vlan-10".
        """
        if not self._engine:
            return _message((number, REPORTABLE), (b"", 0, 0, b""), 0, b"", tlv(SEQUENCE, tlv(OCTETS), tlv(OCTETS), pdu))
        seconds = min(self._seconds + int(self._clock.monotonic() - self._learned), LATEST)
        context = b"" if vlan is None else b"vlan-%d" % vlan
        scoped, flags, salt = tlv(SEQUENCE, tlv(OCTETS, self._engine), tlv(OCTETS, context), pdu), REPORTABLE, b""
        if self._user.priv is not None:
            self._salt = (self._salt + 1) % (1 << 64)
            salt = self._salt.to_bytes(8, "big")
            if self._user.priv is Priv.DES:
                salt = self._boots.to_bytes(4, "big") + salt[4:]
            scoped = tlv(OCTETS, self._crypt(self._user.priv, self._priv, salt, (self._boots, seconds), scoped))
            flags |= ENCRYPTED
        who = (self._engine, self._boots, seconds, self._user.name.encode())
        if self._user.auth is None:
            return _message((number, flags), who, 0, salt, scoped)
        size = SIGNATURES[self._user.auth]
        data = _message((number, flags | SIGNED), who, size, salt, scoped)
        end = len(data) - len(scoped) - len(tlv(OCTETS, salt))
        return data[: end - size] + self._signature(self._user.auth, data) + data[end:]

    def unwrap(self, data: bytes, own: Container[int]) -> Reply | int:
        """The response in a message that answers one of `own`, else the number of the request that it answers.

        Raises Failed(malformed) for what cannot be read or is not the agent's, Failed(refused) when the agent will have none of
        this user, Failed(not-supported) when it reports something else, and Again.
        """
        at, end = open_(data, 0, len(data), SEQUENCE)
        version, at = read_integer(data, at, end)
        if version != MODEL:
            raise malformed("a message of another version")
        here, at = open_(data, at, end, SEQUENCE)
        number, here = read_integer(data, here, at)
        _, here = read_integer(data, here, at)
        here, last = read_octets(data, here, at)
        flags = data[here] if last - here == 1 else 0
        if number not in own:
            return number
        here, at = read_octets(data, at, end)
        here, last = open_(data, here, at, SEQUENCE)
        engine, here = _octets(data, here, last)
        boots, here = read_integer(data, here, last)
        seconds, here = read_integer(data, here, last)
        if not (0 <= boots <= LATEST and 0 <= seconds <= LATEST):
            raise malformed("a clock that cannot be")
        _, here = read_octets(data, here, last)
        begin, here = read_octets(data, here, last)
        salt, _ = _octets(data, here, last)
        signed = bool(flags & SIGNED) and self._verified(data, begin, here, engine)
        if flags & ENCRYPTED:
            if not signed or self._user.priv is None or len(salt) != 8:
                raise malformed("an encrypted message that is not signed")
            begin, end = read_octets(data, at, end)
            data = self._crypt(self._user.priv, self._priv, salt, (boots, seconds), data[begin:end], decrypt=True)
            at, end = 0, len(data)
        reply = _scoped(data, at, end)
        if reply.report:
            self._heed(reply, engine, boots, seconds, signed=signed)
        if engine != self._engine or (self._user.auth and not signed) or (self._user.priv and not flags & ENCRYPTED):
            raise malformed("an answer below the user's security level")
        # What is signed and carries a number drawn at random just now is no old message, so its clock holds.
        self._learn_clock(boots, seconds)
        return reply if reply.number == number else reply.number

    def silence(self) -> str:
        """What it may mean that nothing was ever answered."""
        if self._engine:
            return "no answer to this user, though the agent is there: priv or its passphrase may be another"
        return "no answer: SNMP version 3 is off, or the device is down"

    def _heed(self, report: Reply, engine: bytes, boots: int, seconds: int, *, signed: bool) -> None:
        """Do as a report says, and raise Again or Failed."""
        if not report.binds:
            raise malformed("a report of nothing")
        what = report.binds[0][0]
        if what == ENGINE and not LEAST_ENGINE <= len(engine) <= MOST_ENGINE:
            raise malformed("an engine id of impossible length")
        if what == ENGINE and engine != self._engine:
            self._engine = engine
            self._learn_clock(boots, seconds)
            self._make_keys()
            raise Again(Failure.REFUSED, "the agent gives another engine id each time")
        if what == ENGINE:
            raise Failed(Failure.REFUSED, "the agent does not know the engine id that it gave")
        if what == WINDOW:
            if not signed:
                raise malformed("a report about the time that is not signed")
            self._learn_clock(boots, seconds)
            raise Again(
                Failure.REFUSED, "the agent says that messages come outside its time window, also when set by its own clock"
            )
        if what in COMPLAINTS:
            raise Failed(Failure.REFUSED, COMPLAINTS[what])
        if what in CONTEXTS:
            raise Failed(Failure.NOT_SUPPORTED, "the agent has no such context")
        raise Failed(Failure.NOT_SUPPORTED, f"the agent reports {'.'.join(map(str, oid_of(what)))} instead of an answer")

    def _learn_clock(self, boots: int, seconds: int) -> None:
        self._boots, self._seconds, self._learned = boots, seconds, self._clock.monotonic()

    def _make_keys(self) -> None:
        if self._user.auth is not None and self._user.auth_secret is not None:
            self._auth = localised(self._user.auth, self._user.auth_secret, self._engine)
            if self._user.priv is not None and self._user.priv_secret is not None:
                self._priv = extended(self._user.priv, self._user.auth, self._user.priv_secret, self._engine)

    def _signature(self, auth: Auth, data: bytes) -> bytes:
        return hmac.digest(self._auth.reveal(), data, auth.value)[: SIGNATURES[auth]]

    def _verified(self, data: bytes, begin: int, end: int, engine: bytes) -> bool:
        """Whether the message carries this user's signature; raises Failed(malformed) when it carries another."""
        auth = self._user.auth
        if auth is None or engine != self._engine:
            return False
        unsigned = data[:begin] + bytes(end - begin) + data[end:]
        if not hmac.compare_digest(self._signature(auth, unsigned), data[begin:end]):
            raise malformed("an answer whose signature is not this user's")
        return True


def localised(auth: Auth, passphrase: Secret, engine: bytes) -> Secret:
    """The key that a passphrase is at one engine, RFC 3414 appendix A.2. It takes milliseconds, and is meant to."""
    repeated = passphrase.reveal() * (STRETCH // len(passphrase.reveal()) + 1)
    key = hashlib.new(auth.value, repeated[:STRETCH]).digest()
    return Secret(hashlib.new(auth.value, key + engine + key).digest())


def extended(priv: Priv, auth: Auth, passphrase: Secret, engine: bytes) -> Secret:
    """The key of an encryption at one engine: the localised key, made longer in the method's way where it is too short."""
    key = localised(auth, passphrase, engine)
    if len(key.reveal()) < KEYS[priv]:
        cisco = priv in {Priv.AES192_CISCO, Priv.AES256_CISCO}
        more = localised(auth, key, engine).reveal() if cisco else hashlib.new(auth.value, key.reveal()).digest()
        key = Secret(key.reveal() + more)
    return Secret(key.reveal()[: KEYS[priv]])


def _message(head: tuple[int, int], who: tuple[bytes, int, int, bytes], signature: int, salt: bytes, scoped: bytes) -> bytes:
    """The whole message, with zeros where the signature comes; `head` is its number and flags."""
    number, flags = head
    engine, boots, seconds, user = who
    about = tlv(SEQUENCE, integer(number), integer(LARGEST), tlv(OCTETS, bytes((flags,))), integer(MODEL))
    security = tlv(
        SEQUENCE,
        tlv(OCTETS, engine),
        integer(boots),
        integer(seconds),
        tlv(OCTETS, user),
        tlv(OCTETS, bytes(signature)),
        tlv(OCTETS, salt),
    )
    return tlv(SEQUENCE, integer(MODEL), about, tlv(OCTETS, security), scoped)


def _octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    at, stop = read_octets(data, at, end)
    return data[at:stop], stop


def _scoped(data: bytes, at: int, end: int) -> Reply:
    """The response in a scoped PDU; after it DES leaves padding."""
    at, end = open_(data, at, end, SEQUENCE)
    _, at = read_octets(data, at, end)
    _, at = read_octets(data, at, end)
    return read(data, at, end)
