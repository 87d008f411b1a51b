# SPDX-License-Identifier: BSD-3-Clause
"""A switch port with a VLAN, for kernels that were built without VLANs.

Frames from the access side get the tag, frames with it lose it, others are
dropped and counted. One thread, two packet sockets, a few thousand frames a
second: enough for phones.
"""

import selectors
import socket
import struct
import threading

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SOL_PACKET, PACKET_AUXDATA = 263, 8
VLAN_VALID = 1 << 4


class Tagger:
    def __init__(self, lab, ns, trunk, access, vlan):
        self.vlan = vlan
        self.tagged = 0    # towards the trunk
        self.untagged = 0  # towards the access side
        self.others = 0    # on the trunk without our tag
        self._trunk = self._open(ns, trunk)
        self._access = self._open(ns, access)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()
        lab.on_close(self.close)

    @staticmethod
    def _open(ns, interface):
        sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(ETH_P_ALL))
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        sock.bind((interface, 0))
        sock.setblocking(False)
        return sock

    def _copy(self):
        selector = selectors.DefaultSelector()
        selector.register(self._trunk, selectors.EVENT_READ, self._strip)
        selector.register(self._access, selectors.EVENT_READ, self._tag)
        while not self._stop.is_set():
            for key, _ in selector.select(0.1):
                key.data()
        selector.close()

    @staticmethod
    def _receive(sock):
        """Frame and tag (or None); frames we sent ourselves are skipped."""
        data, extra, _, source = sock.recvmsg(9000, 64)
        if source[2] == PACKET_OUTGOING:
            return None, None
        for level, kind, value in extra:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, tag, _ = struct.unpack("IIIHHHH",
                                                           value[:20])
                if status & VLAN_VALID:
                    return data, tag & 0xfff
        if data[12:14] == b"\x81\x00":
            tag = struct.unpack_from("!H", data, 14)[0] & 0xfff
            return data[:12] + data[16:], tag
        return data, None

    def _strip(self):
        data, tag = self._receive(self._trunk)
        if data is None:
            return
        if tag != self.vlan:
            self.others += 1
            return
        self.untagged += 1
        self._send(self._access, data)

    def _tag(self):
        data, tag = self._receive(self._access)
        if data is None or tag is not None:
            return
        self.tagged += 1
        self._send(self._trunk, data[:12]
                   + struct.pack("!HH", 0x8100, self.vlan) + data[12:])

    @staticmethod
    def _send(sock, data):
        try:
            sock.send(data)
        except (BlockingIOError, OSError):
            pass  # a full or vanished interface loses frames, as switches do

    def close(self):
        self._stop.set()
        self._thread.join(2)
        self._trunk.close()
        self._access.close()
