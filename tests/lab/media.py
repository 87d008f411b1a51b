# SPDX-License-Identifier: BSD-3-Clause
"""Phones: real sockets that send RTP at its pace and note what they hear.

One loop drives all phones of a test in one thread; every frame has its
absolute deadline, so lateness of one does not add up. Times of arrival come
from the kernel.
"""

import heapq
import itertools
import random
import selectors
import socket
import struct
import time
from collections import namedtuple

from . import rtp, sdp

SO_TIMESTAMPNS = 35
Heard = namedtuple("Heard", "data rtp source at_ns channel tos")
Sent = namedtuple("Sent", "seq payload at_ns to")
_numbers = itertools.count(1)


class Loop:
    """Timers and sockets; runs when `run` is called and only then."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self._timers = []
        self._order = itertools.count()

    def watch(self, sock, function):
        self.selector.register(sock, selectors.EVENT_READ, function)

    def forget(self, sock):
        self.selector.unregister(sock)

    def at(self, when, function):
        """Call @function at the monotonic time @when."""
        heapq.heappush(self._timers, (when, next(self._order), function))

    def after(self, seconds, function):
        self.at(time.monotonic() + seconds, function)

    def run(self, seconds, until=None):
        """Run for @seconds, or until @until() is true; returns its value."""
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()
                now = time.monotonic()
            if until and until():
                return True
            due = min(end, self._timers[0][0]) if self._timers else end
            # Also at the end: what came while this process had no CPU.
            for key, _ in self.selector.select(max(0, due - now)):
                key.data()
            if now >= end:
                return bool(until and until())

    def close(self):
        for key in list(self.selector.get_map().values()):
            self.selector.unregister(key.fileobj)
            key.fileobj.close()
        self.selector.close()
        self._timers.clear()


class Phone:
    """One party of a call, at @address in @ns."""

    def __init__(self, loop, ns, address, port=0, *, name=None, mux=False,
                 rtcp_port=None, audio=None, payload_type=rtp.PCMU):
        self.loop = loop
        self.ns = ns
        self.name = name or ns.name
        self.address = address
        self.mux = mux
        self.explicit_rtcp = rtcp_port
        self.payload_type = payload_type
        self.audio = audio
        # Two phones of one host are two streams.
        self.random = random.Random(
            f"{self.name} {address} {port} {next(_numbers)}")
        self.ssrc = self.random.getrandbits(32)
        self.seq = self.random.getrandbits(16)
        self.timestamp = self.random.getrandbits(32)
        self.frames = 0          # produced so far, sent or dropped
        self.sent = []           # Sent, in the order of sending
        self.heard = []          # Heard on the RTP channel
        self.heard_rtcp = []
        self.unreadable = []     # what could not be opened, with the reason
        self.reports = 0         # RTCP packets sent
        self.reported = []       # and what was in them
        self.remote = None       # (address, port) or None: nowhere
        self.remote_rtcp = None
        self.remote_mux = False
        self.drop = set()        # frame numbers not to send
        self.hold_back = {}      # frame number: frames to send it later
        self._late = []
        self._talking = 0
        self._reporting = False
        self._sockets = []
        self.rtp = self._open_pair(port, rtcp_port)

    # sockets

    def _open(self, port):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        sock = self.ns.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        try:
            sock.bind((self.address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def _listen(self, sock, channel):
        self._sockets.append(sock)
        self.loop.watch(sock, lambda: self._receive(sock, channel))

    def _open_pair(self, port, rtcp_port):
        for _ in range(100):
            first = port or self.random.randrange(10000, 25000, 2)
            try:
                media = self._open(first)
            except OSError:
                if port:
                    raise
                continue
            if self.mux:
                self.rtcp = media
                break
            try:
                self.rtcp = self._open(rtcp_port or first + 1)
                break
            except OSError:
                media.close()
                if port:
                    raise
        self.port = first
        self.rtcp_port = (first if self.mux
                          else self.rtcp.getsockname()[1])
        self._listen(media, "rtp")
        if not self.mux:
            self._listen(self.rtcp, "rtcp")
        return media

    def rebind(self, port=0):
        """Go on from another port, as behind a NAT that moved the stream.
        The old socket still listens, so that a stray packet is seen."""
        self.old_heard_count = len(self.heard)
        self.rtp = self._open(port or self.port + 1000)
        self.port = self.rtp.getsockname()[1]
        self._listen(self.rtp, "rtp")
        if self.mux:
            self.rtcp, self.rtcp_port = self.rtp, self.port

    def close(self):
        self.hang_up()
        for sock in self._sockets:
            self.loop.forget(sock)
            sock.close()
        self._sockets.clear()

    def _receive(self, sock, channel):
        local = sock.getsockname()[1]
        for _ in range(64):
            try:
                data, extra, _, source = sock.recvmsg(4096, 256)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # an ICMP error to something we sent
            at_ns, tos = time.clock_gettime_ns(time.CLOCK_REALTIME), 0
            for level, kind, value in extra:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, ns = struct.unpack("qq", value[:16])
                    at_ns = seconds * 1_000_000_000 + ns
                elif level in (socket.IPPROTO_IP, socket.IPPROTO_IPV6):
                    tos = value[0]
            is_rtcp = channel == "rtcp" or (self.mux and rtp.is_rtcp(data))
            data = self.unseal(data, is_rtcp)
            if data is None:
                continue
            into = self.heard_rtcp if is_rtcp else self.heard
            into.append(Heard(data, None if is_rtcp else rtp.parse(data),
                              (source[0], source[1]), at_ns, local, tos))

    # what SRTP changes (lab/srtp.py)

    def seal(self, packet, rtcp=False):
        """What is put on the wire for @packet."""
        return packet

    def unseal(self, data, rtcp):
        """What was in @data; None, and noted, when it can't be read."""
        return data

    # signalling

    def sdp(self, *, direction="sendrecv", address=None, port=None,
            version=1):
        """What this phone would offer or answer."""
        return sdp.write(
            address or self.address,
            sdp.audio(self.port if port is None else port,
                      mux=self.mux, direction=direction,
                      rtcp_port=self.explicit_rtcp),
            version=version)

    def offer_sdp(self, **options):
        """The same, for an offer, whatever was answered before."""
        return self.sdp(**options)

    def aim(self, text, index=0):
        """Send to where @text, an SDP of the other side, says."""
        media = sdp.parse(text)[index]
        self.remote = (media.address, media.port)
        self.remote_mux = media.mux and self.mux
        self.remote_rtcp = (self.remote if self.remote_mux
                            else (media.rtcp_address, media.rtcp_port))
        return media

    # sending

    def payload(self, number):
        """Frame @number of this phone's voice: its audio, or noise that no
        other frame of any phone equals."""
        if self.audio is not None:
            at = number * rtp.FRAME
            return self.audio[at:at + rtp.FRAME].ljust(rtp.FRAME, b"\xff")
        return random.Random(f"{self.ssrc} {number}").randbytes(rtp.FRAME)

    def talk(self, seconds=None, start=0.0, frames=None):
        """Begin to send a frame every 20 ms, for @seconds or for ever."""
        self._talking += 1
        turn = self._talking
        left = frames
        if frames is None and seconds is not None:
            left = round(seconds / rtp.FRAME_S)
        due = time.monotonic() + start

        def tick():
            nonlocal due, left
            if turn != self._talking or (left is not None and left <= 0):
                return
            self.send_frame()
            due += rtp.FRAME_S
            if left is not None:
                left -= 1
            self.loop.at(due, tick)

        self.loop.at(due, tick)

    def mute(self):
        self._talking += 1

    def send_frame(self):
        """Send the next frame now (or drop it, or keep it for later)."""
        number = self.frames
        payload = self.payload(number)
        packet = self.seal(rtp.pack(
            payload, self.seq, self.timestamp, self.ssrc, self.payload_type,
            marker=number == 0))
        seq = self.seq
        self.frames += 1
        self.seq = (self.seq + 1) & 0xffff
        self.timestamp = (self.timestamp + rtp.FRAME) & 0xffffffff
        if number in self.hold_back:
            self._late.append((number + self.hold_back[number], seq,
                               payload, packet))
        elif number not in self.drop:
            self._send(seq, payload, packet)
        for late in [each for each in self._late if each[0] <= number]:
            self._late.remove(late)
            self._send(*late[1:])

    def _send(self, seq, payload, packet):
        if self.remote is None:
            return
        at_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self.send_raw(packet)
        self.sent.append(Sent(seq, payload, at_ns, self.remote))

    def send_raw(self, data, to=None, channel="rtp"):
        """Bytes as they are, from this phone's RTP or RTCP port."""
        sock = self.rtp if channel == "rtp" else self.rtcp
        if to is None:
            to = self.remote if channel == "rtp" else self.remote_rtcp
        try:
            sock.sendto(data, to)
        except (ConnectionRefusedError, BlockingIOError):
            sock.sendto(data, to)  # an older ICMP error surfaced first

    def report(self, every=None):
        """Send a sender report now, and again @every so many seconds."""
        if every is not None:
            self._reporting = True

        def tick():
            if every is not None and not self._reporting:
                return
            self._send_report()
            if every is not None:
                self.loop.after(every, tick)

        tick()

    def _send_report(self):
        if self.remote_rtcp is None:
            return
        about = None
        got = [each.rtp for each in self.heard if each.rtp]
        if got:
            seqs = unwrap([each.seq for each in got])
            lost = max(seqs) - min(seqs) + 1 - len(set(seqs))
            about = (got[-1].ssrc, lost, max(seqs), self._jitter())
        packet = rtp.sender_report(
            self.ssrc, len(self.sent), rtp.FRAME * len(self.sent),
            self.timestamp, about)
        self.reports += 1
        self.reported.append(packet)
        self.send_raw(self.seal(packet, True), channel="rtcp")

    def _jitter(self):
        """Of what was heard, in units of the RTP clock."""
        heard = [each for each in self.heard if each.rtp]
        media = unwrap([each.rtp.seq for each in heard])
        return round(jitter_ns(
            (seq * rtp.FRAME_S * 1e9, each.at_ns)
            for seq, each in zip(media, heard)) * rtp.CLOCK / 1e9)

    def hang_up(self):
        self.mute()
        self._reporting = False

    # what came

    def frames_heard(self, since=0):
        return [each for each in self.heard[since:] if each.rtp]


def unwrap(seqs):
    """16-bit sequence numbers as integers that go on past 65535."""
    result = []
    for seq in seqs:
        if not result:
            result.append(seq)
            continue
        last = result[-1]
        delta = (seq - last) & 0xffff
        result.append(last + (delta - 0x10000 if delta > 0x7fff else delta))
    return result


def jitter_ns(pairs):
    """Interarrival jitter (RFC 3550 A.8) of (sent, arrived) times in ns."""
    value, last = 0.0, None
    for sent, arrived in pairs:
        transit = arrived - sent
        if last is not None:
            value += (abs(transit - last) - value) / 16
        last = transit
    return value


def compare(talker, listener, sent_from=0, heard_from=0):
    """Was everything heard as it was spoken? Returns a list of complaints,
    empty when every packet came once, in order, with its bytes."""
    sent = talker.sent[sent_from:]
    heard = [each.rtp for each in listener.heard[heard_from:] if each.rtp]
    who = f"{talker.name} to {listener.name}"
    unread = [status for status, _ in listener.unreadable]
    strangers = [each for each in heard if each.ssrc != talker.ssrc]
    heard = [each for each in heard if each.ssrc == talker.ssrc]
    wrong = []
    if strangers:
        wrong.append(f"{who}: {len(strangers)} packets of somebody else")
    if unread:
        wrong.append(f"{who}: {len(unread)} packets can't be read, status "
                     f"{sorted(set(unread))}")
    if not sent:
        wrong.append(f"{who}: nothing was said")
    want = [(each.seq, each.payload) for each in sent]
    got = [(each.seq, each.payload) for each in heard]
    if got == want:
        return wrong
    got_seqs = [seq for seq, _ in got]
    lost = [seq for seq, _ in want if seq not in set(got_seqs)]
    first = want[0][0] if want else 0
    if lost:
        places = [(seq - first) & 0xffff for seq in lost]
        wrong.append(f"{who}: {len(lost)} of {len(want)} lost, frames "
                     f"{', '.join(map(str, places[:12]))}"
                     f"{' ...' if len(places) > 12 else ''}")
    if len(set(got_seqs)) != len(got_seqs):
        wrong.append(f"{who}: {len(got_seqs) - len(set(got_seqs))} came twice")
    order = unwrap(got_seqs)
    if order != sorted(order) and [seq for seq, _ in want] == sorted(
            [seq for seq, _ in want]):
        wrong.append(f"{who}: the order changed")
    bodies = dict(want)
    damaged = [seq for seq, body in got if bodies.get(seq) != body]
    if damaged:
        wrong.append(f"{who}: {len(damaged)} packets with other bytes")
    return wrong or [f"{who}: what came differs from what was sent"]
