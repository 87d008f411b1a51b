# SPDX-License-Identifier: BSD-3-Clause
"""A phone's SRTP: Debian's libsrtp2 does the cryptography, so that what the
relay's engines write is read by somebody else. Keys travel in a=crypto lines
(RFC 4568), written and read here without the relay's help.
"""

import base64
import ctypes
import os
import re
from collections import namedtuple

from . import rtp, sdp
from .media import Phone

OK, AUTH_FAIL, REPLAY_FAIL, REPLAY_OLD, BAD_MKI = 0, 7, 9, 10, 25
WINDOW = 128
ANY_INBOUND, ANY_OUTBOUND = 2, 3
CONFIDENTIALITY, AUTHENTICATION = 1, 2
ROOM = 256  # behind a packet, for what libsrtp adds

# The lengths of master key, salt and RTP's tag, and libsrtp's name.
Suite = namedtuple("Suite", "key salt tag policy rtcp_policy")
SUITES = {
    "AES_CM_128_HMAC_SHA1_80": Suite(
        16, 14, 10, "rtp_default", "rtp_default"),
    "AES_CM_128_HMAC_SHA1_32": Suite(
        16, 14, 4, "aes_cm_128_hmac_sha1_32", "rtp_default"),
    "AES_256_CM_HMAC_SHA1_80": Suite(
        32, 14, 10, "aes_cm_256_hmac_sha1_80", "aes_cm_256_hmac_sha1_80"),
    "AES_256_CM_HMAC_SHA1_32": Suite(
        32, 14, 4, "aes_cm_256_hmac_sha1_32", "aes_cm_256_hmac_sha1_80"),
    "AEAD_AES_128_GCM": Suite(
        16, 12, 16, "aes_gcm_128_16_auth", "aes_gcm_128_16_auth"),
    "AEAD_AES_256_GCM": Suite(
        32, 12, 16, "aes_gcm_256_16_auth", "aes_gcm_256_16_auth"),
}
CM_128_80, CM_128_32, CM_256_80, CM_256_32, GCM_128, GCM_256 = SUITES


class _CryptoPolicy(ctypes.Structure):
    _fields_ = [("cipher_type", ctypes.c_uint32),
                ("cipher_key_len", ctypes.c_int),
                ("auth_type", ctypes.c_uint32),
                ("auth_key_len", ctypes.c_int),
                ("auth_tag_len", ctypes.c_int),
                ("sec_serv", ctypes.c_int)]


class _MasterKey(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("mki_id", ctypes.c_char_p),
                ("mki_size", ctypes.c_uint)]


class _Policy(ctypes.Structure):
    _fields_ = [("ssrc_type", ctypes.c_int), ("ssrc", ctypes.c_uint),
                ("rtp", _CryptoPolicy), ("rtcp", _CryptoPolicy),
                ("key", ctypes.c_char_p),
                ("keys", ctypes.POINTER(ctypes.POINTER(_MasterKey))),
                ("num_master_keys", ctypes.c_ulong),
                ("deprecated_ekt", ctypes.c_void_p),
                ("window_size", ctypes.c_ulong),
                ("allow_repeat_tx", ctypes.c_int),
                ("enc_xtn_hdr", ctypes.c_void_p),
                ("enc_xtn_hdr_count", ctypes.c_int),
                ("next", ctypes.c_void_p)]


_loaded = None


def _library():
    global _loaded
    if _loaded is None:
        _loaded = ctypes.CDLL("libsrtp2.so.1")
        status = _loaded.srtp_init()
        if status != OK:
            raise OSError(f"srtp_init: status {status}")
    return _loaded


class Keys:
    """What one direction of a leg is protected with, as a line says it."""

    def __init__(self, suite, key, mki=b"", tag=1, parameters=()):
        facts = SUITES[suite]
        if len(key) != facts.key + facts.salt:
            raise ValueError(f"{suite}: a key of {len(key)} octets")
        self.suite, self.key, self.mki, self.tag = suite, key, mki, tag
        self.parameters = tuple(parameters)

    @classmethod
    def new(cls, suite=CM_128_80, tag=1, mki_len=0, parameters=()):
        facts = SUITES[suite]
        return cls(suite, os.urandom(facts.key + facts.salt),
                   os.urandom(mki_len), tag, parameters)

    def __eq__(self, other):
        return isinstance(other, Keys) and vars(self) == vars(other)

    def same_key(self, other):
        """Equal but for the tag: the same cryptographic context."""
        return other is not None and (
            (self.suite, self.key, self.mki, self.parameters)
            == (other.suite, other.key, other.mki, other.parameters))

    def line(self, padding=True):
        text = base64.b64encode(self.key).decode()
        if not padding:
            text = text.rstrip("=")
        if self.mki:
            text += (f"|2^31|{int.from_bytes(self.mki, 'big')}"
                     f":{len(self.mki)}")
        return " ".join((f"a=crypto:{self.tag} {self.suite} inline:{text}",
                         *self.parameters))


CRYPTO = re.compile(r"a=crypto:(\d+) (\S+) inline:([A-Za-z0-9+/]+=*)"
                    r"(\|[^ ]*)?(?: (.*))?")


def read(text, index=0):
    """The Keys of m-line @index of @text, of known suites; ValueError for a
    line that is broken."""
    section = re.split(r"^(?=m=)", text.replace("\r\n", "\n"),
                       flags=re.M)[index + 1]
    result = []
    for line in section.split("\n"):
        if not line.startswith("a=crypto:"):
            continue
        found = CRYPTO.fullmatch(line)
        if not found:
            raise ValueError("a line of a=crypto is broken")
        tag, suite, key, more, parameters = found.groups()
        if suite not in SUITES:
            continue
        mki = b""
        if more and ":" in more:
            value, _, size = more.rpartition("|")[2].partition(":")
            mki = int(value).to_bytes(int(size), "big")
        key = base64.b64decode(key + "=" * (-len(key) % 4), validate=True)
        result.append(Keys(suite, key, mki, int(tag),
                           (parameters or "").split()))
    return result


def suites(text, index=0):
    """[(tag, suite)] of m-line @index."""
    return [(each.tag, each.suite) for each in read(text, index)]


class Context:
    """One direction under one key; its state per SSRC is libsrtp's."""

    def __init__(self, keys, outbound):
        self.keys = keys
        self.lib = _library()
        self.mki = 1 if keys.mki else 0
        facts = SUITES[keys.suite]
        self.session = self._open(outbound, facts.policy, facts.rtcp_policy)
        # libsrtp 2.5.0 looks for the MKI of SRTCP where RTP's tag would have
        # it: wrong where the two tags differ. So RTCP has its own session.
        self.reports = (
            self._open(outbound, facts.rtcp_policy, facts.rtcp_policy)
            if keys.mki else self.session)

    def _open(self, outbound, rtp_policy, rtcp_policy):
        policy, keys = _Policy(), self.keys
        for part, name in ((policy.rtp, rtp_policy),
                           (policy.rtcp, rtcp_policy)):
            getattr(self.lib, f"srtp_crypto_policy_set_{name}")(
                ctypes.byref(part))
        self._parameters(policy)
        policy.ssrc_type = ANY_OUTBOUND if outbound else ANY_INBOUND
        master = _MasterKey(keys.key, keys.mki or None, len(keys.mki))
        one = (ctypes.POINTER(_MasterKey) * 1)(ctypes.pointer(master))
        policy.keys = ctypes.cast(
            one, ctypes.POINTER(ctypes.POINTER(_MasterKey)))
        policy.num_master_keys = 1
        policy.window_size = WINDOW
        session = ctypes.c_void_p()
        status = self.lib.srtp_create(ctypes.byref(session),
                                      ctypes.byref(policy))
        if status != OK:
            raise OSError(f"srtp_create: status {status}")
        return session

    def _parameters(self, policy):
        for name in self.keys.parameters:
            if name == "UNENCRYPTED_SRTP":
                policy.rtp.sec_serv &= ~CONFIDENTIALITY
            elif name == "UNENCRYPTED_SRTCP":
                policy.rtcp.sec_serv &= ~CONFIDENTIALITY
            elif name == "UNAUTHENTICATED_SRTP":
                policy.rtp.sec_serv &= ~AUTHENTICATION
                policy.rtp.auth_tag_len = 0
            else:
                raise ValueError(f"parameter {name}")

    def _call(self, session, function, data, *more):
        """(status, bytes) of one of libsrtp's four functions."""
        buffer = ctypes.create_string_buffer(data, len(data) + ROOM)
        length = ctypes.c_int(len(data))
        status = getattr(self.lib, function)(
            session, buffer, ctypes.byref(length), self.mki, *more)
        return status, buffer.raw[:length.value] if status == OK else None

    def protect(self, packet, rtcp=False):
        status, data = (
            self._call(self.reports, "srtp_protect_rtcp_mki", packet, 0)
            if rtcp else self._call(self.session, "srtp_protect_mki",
                                    packet, 0))
        if status != OK:
            raise OSError(f"srtp_protect: status {status}")
        return data

    def unprotect(self, packet, rtcp=False):
        """(status, the packet in the clear or None)"""
        if rtcp:
            return self._call(self.reports, "srtp_unprotect_rtcp_mki", packet)
        return self._call(self.session, "srtp_unprotect_mki", packet)

    def roc(self, ssrc):
        value = ctypes.c_uint32()
        status = self.lib.srtp_get_stream_roc(self.session, ssrc,
                                              ctypes.byref(value))
        if status != OK:
            raise OSError(f"srtp_get_stream_roc: status {status}")
        return value.value

    def set_roc(self, ssrc, roc):
        """The stream must have had a packet."""
        status = self.lib.srtp_set_stream_roc(self.session, ssrc, roc)
        if status != OK:
            raise OSError(f"srtp_set_stream_roc: status {status}")

    def close(self):
        for session in {each.value: each for each in
                        (self.session, self.reports) if each}.values():
            self.lib.srtp_dealloc(session)
        self.session = self.reports = ctypes.c_void_p()


class SrtpPhone(Phone):
    """A phone that offers and answers a=crypto lines.

    @suites is what it can do, in its order. Its keys stay the same until
    `new_keys`, and so do the contexts of keys that stay. What came and could
    not be read is in `unreadable`, as (status of libsrtp, bytes).
    """

    def __init__(self, *arguments, suites=(CM_128_80,), mki_len=0,
                 parameters=(), protocol="RTP/SAVP", padding=True, **options):
        super().__init__(*arguments, **options)
        self.suites, self.mki_len = list(suites), mki_len
        self.parameters = parameters
        self.protocol, self.padding = protocol, padding
        self.chosen = None    # tag and suite, once both are known
        self.sender = None    # Context: what it sends under
        self.receivers = []   # newest first
        self.heard_under = []  # which of them opened each packet of RTP
        self.offering = None   # its lines by tag, while its offer is open
        self.answering = None  # its line for the offer that it got
        self.own = {}         # suite: Keys
        self.new_keys()

    def new_keys(self):
        """From the next offer or answer on."""
        self.own = {suite: Keys.new(suite, mki_len=self.mki_len,
                                    parameters=self._fitting(suite))
                    for suite in self.suites}

    def _fitting(self, suite):
        return () if suite.startswith("AEAD") else self.parameters

    def inherit(self, other):
        """Be the same phone at another place: @other falls silent. Keys,
        contexts and the stream itself go on."""
        other.hang_up()
        for name in ("suites", "own", "chosen", "sender", "receivers",
                     "offering", "answering", "ssrc", "seq", "timestamp",
                     "frames", "remote", "remote_rtcp", "remote_mux"):
            setattr(self, name, getattr(other, name))
        other.sender, other.receivers = None, []

    def close(self):
        super().close()
        for each in [self.sender, *self.receivers]:
            if each:
                each.close()
        self.sender, self.receivers = None, []

    # signalling

    def offer_lines(self):
        """Its lines of an offer; the tags count from 1."""
        lines = [Keys(each.suite, each.key, each.mki, tag, each.parameters)
                 for tag, each in enumerate(
                     (self.own[suite] for suite in self.suites), 1)]
        self.offering = {each.tag: each for each in lines}
        return lines

    def offer_sdp(self, **options):
        self.answering = None
        return self.sdp(**options)

    def sdp(self, *, direction="sendrecv", address=None, port=None,
            version=1, lines=None):
        """The answer to an offer that `aim` was given; else an offer."""
        if lines is None:
            lines = ([self.answering] if self.answering
                     else self.offer_lines())
        return sdp.write(
            address or self.address,
            sdp.audio(self.port if port is None else port, mux=self.mux,
                      direction=direction, rtcp_port=self.explicit_rtcp,
                      protocol=self.protocol,
                      crypto=[each.line(self.padding) for each in lines]),
            version=version)

    def aim(self, text, index=0):
        """Read an answer to its own open offer, or an offer."""
        media = super().aim(text, index)
        theirs = read(text, index)
        if self.offering is not None:
            self._agreed(theirs, media)
        else:
            self._choose(theirs, media)
        return media

    def _agreed(self, theirs, media):
        mine, self.offering = self.offering, None
        if "SAVP" not in media.protocol and not theirs:
            self._in_clear()
            return
        if len(theirs) != 1:
            raise ValueError(f"an answer with {len(theirs)} keys")
        own = mine.get(theirs[0].tag)
        if own is None or own.suite != theirs[0].suite:
            raise ValueError(f"an answer of {theirs[0].tag} "
                             f"{theirs[0].suite} to another offer")
        self._use(own, theirs[0])

    def _choose(self, theirs, media):
        for suite in self.suites:
            for each in theirs:
                if each.suite == suite:
                    own = self.own[suite]
                    self.answering = Keys(suite, own.key, own.mki, each.tag,
                                          each.parameters)
                    self._use(self.answering, each)
                    return
        if "SAVP" in media.protocol:
            raise ValueError("an offer without a key that this phone can use")
        self._in_clear()

    def _in_clear(self):
        self.chosen = self.answering = self.sender = None
        self.receivers = []

    def _use(self, own, theirs):
        self.chosen = own.tag, own.suite
        if not (self.sender and self.sender.keys.same_key(own)):
            self.sender = Context(own, True)
        if not (self.receivers
                and self.receivers[0].keys.same_key(theirs)):
            self.receivers.insert(0, Context(theirs, False))

    # media

    def seal(self, packet, rtcp=False):
        return (self.sender.protect(packet, rtcp) if self.sender
                else packet)

    def unseal(self, data, rtcp):
        if not self.receivers:
            return data
        first = OK
        for number, each in enumerate(self.receivers):
            status, packet = each.unprotect(data, rtcp)
            if status == OK:
                if not rtcp:
                    self.heard_under.append(len(self.receivers) - number)
                return packet
            first = first or status
        self.unreadable.append((first, data))
        return None

    def roc_heard(self, ssrc):
        return self.receivers[0].roc(ssrc)


# what is not right

def bad_tag(packet):
    """The same with one bit of the tag changed."""
    return packet[:-1] + bytes([packet[-1] ^ 1])


def bad_body(packet):
    """The same with one bit of the payload changed."""
    return packet[:12] + bytes([packet[12] ^ 0x80]) + packet[13:]


def invented(ssrc, seq, size=182):
    """What somebody without a key makes up."""
    return rtp.pack(os.urandom(size - 12), seq, 0, ssrc)

