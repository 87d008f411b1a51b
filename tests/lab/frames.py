# SPDX-License-Identifier: BSD-3-Clause
"""Frames as bytes, to break them in ways no kernel would send."""

import ipaddress
import socket
import struct


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, to, body, *, protocol=17, fragment=0, options=b"",
         length=None, sum_error=0, version=4, ttl=64):
    head = struct.pack(
        "!BBHHHBBH4s4s", version << 4 | (5 + len(options) // 4), 0,
        length if length is not None else 20 + len(options) + len(body),
        7, fragment, ttl, protocol, 0,
        ipaddress.ip_address(source).packed,
        ipaddress.ip_address(to).packed) + options
    total = checksum(head) ^ sum_error
    return head[:10] + struct.pack("!H", total) + head[12:] + body


def ipv6(source, to, body, *, next_header=17, length=None):
    return struct.pack(
        "!IHBB16s16s", 6 << 28, len(body) if length is None else length,
        next_header, 64, ipaddress.ip_address(source).packed,
        ipaddress.ip_address(to).packed) + body


def udp(source_port, port, data, *, length=None):
    return struct.pack("!HHHH", source_port, port,
                       8 + len(data) if length is None else length, 0) + data


class Wire:
    """A packet socket on one interface."""

    def __init__(self, ns, interface):
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW,
                              socket.htons(3))
        self.sock.bind((interface, 0))
        self.sock.settimeout(1)
        self.mac = self.sock.getsockname()[4]

    def send(self, to_mac, kind, body):
        self.sock.send(to_mac + self.mac + struct.pack("!H", kind) + body)

    def send_ip(self, to_mac, packet):
        self.send(to_mac, 0x86dd if packet[0] >> 4 == 6 else 0x0800, packet)

    def close(self):
        self.sock.close()
