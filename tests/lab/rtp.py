# SPDX-License-Identifier: BSD-3-Clause
"""RTP and RTCP as bytes (RFC 3550)."""

import struct
from collections import namedtuple

PCMU, PCMA = 0, 8
FRAME = 160         # octets of G.711 in a packet
FRAME_S = 0.020     # and their time
CLOCK = 8000

Rtp = namedtuple("Rtp", "payload_type marker seq timestamp ssrc payload")


def pack(payload, seq, timestamp, ssrc, payload_type=PCMU, marker=False):
    return struct.pack("!BBHII", 0x80, payload_type | (marker << 7),
                       seq & 0xffff, timestamp & 0xffffffff, ssrc) + payload


def parse(data):
    """An Rtp, or None when the bytes are not RTP without extras."""
    if len(data) < 12 or data[0] != 0x80 or 192 <= data[1] <= 223:
        return None
    _, second, seq, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    return Rtp(second & 0x7f, bool(second >> 7), seq, timestamp, ssrc,
               data[12:])


def is_rtcp(data):
    """By RFC 5761: the second byte tells."""
    return len(data) >= 4 and data[0] >> 6 == 2 and 192 <= data[1] <= 223


def sender_report(ssrc, packets, octets, timestamp, about=None, ntp=(0, 0)):
    """SR with one report block when @about is (ssrc, lost, highest, jitter),
    and the SDES that a compound packet needs."""
    blocks = b""
    if about:
        other, lost, highest, jitter = about
        blocks = struct.pack("!IIIIII", other, lost & 0xffffff,
                             highest & 0xffffffff, jitter, 0, 0)
    body = struct.pack("!IIIIII", ssrc, ntp[0], ntp[1],
                       timestamp & 0xffffffff, packets, octets) + blocks
    head = struct.pack("!BBH", 0x80 | bool(about), 200, len(body) // 4)
    return head + body + sdes(ssrc)


def receiver_report(ssrc, other, lost=0, highest=0, jitter=0):
    body = struct.pack("!IIIIIII", ssrc, other, lost & 0xffffff,
                       highest & 0xffffffff, jitter, 0, 0)
    return struct.pack("!BBH", 0x81, 201, len(body) // 4) + body + sdes(ssrc)


def sdes(ssrc, cname=b"phone@lab"):
    item = struct.pack("!IBB", ssrc, 1, len(cname)) + cname + b"\0"
    item += b"\0" * (-len(item) % 4)
    return struct.pack("!BBH", 0x81, 202, len(item) // 4) + item
