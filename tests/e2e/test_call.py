# SPDX-License-Identifier: BSD-3-Clause
"""A call from configuration to packets: the slice all else stands on."""

import socket
import subprocess
import threading
import time
from pathlib import Path

from lab import rtp, sdp, town
from lab.case import DRAIN_S, RelayCase
from lab.media import compare


class Audio:
    """What must hold with any driver."""

    def test_two_way_audio(self):
        call = self.call().connect()
        to_callee, to_caller = (sdp.parse(each)[0] for each in call.replies)
        self.assertEqual(to_callee.address, town.CORE4)
        self.assertEqual(to_caller.address, town.PUBLIC4)
        self.assertIn(to_callee.port, range(20000, 21000, 2))
        self.assertIn(to_caller.port, range(30000, 31000, 2))
        self.assert_two_way(call)
        for phone in (call.caller, call.callee):
            self.assertEqual({each.source for each in phone.heard},
                             {phone.remote}, "media comes from where SDP says")

    def test_rtcp_goes_beside_rtp_unchanged(self):
        call = self.call().connect()
        for phone in (call.caller, call.callee):
            phone.talk(0.6)
            phone.report(every=0.2)
        self.run_for(0.75)
        for phone, other in ((call.caller, call.callee),
                             (call.callee, call.caller)):
            self.assertEqual(len(phone.heard_rtcp), other.reports)
            self.assertGreaterEqual(other.reports, 3)
            for each in phone.heard_rtcp:
                self.assertTrue(rtp.is_rtcp(each.data))
                self.assertEqual(each.data[4:8],
                                 other.ssrc.to_bytes(4, "big"))
                self.assertEqual(each.source, phone.remote_rtcp)

    def test_words_before_the_answer_are_heard_after_it(self):
        """A phone speaks with its 200 OK, which takes longer."""
        call = self.call()
        call.offer()
        call.callee.talk(frames=20)
        self.run_for(0.09)
        self.assertEqual(call.caller.heard, [])
        call.answer()
        self.run_for(0.4 + DRAIN_S)
        self.assert_heard(call.callee, call.caller)

    def test_delete_stops_media_at_once(self):
        call = self.call().connect()
        call.caller.talk(1.0)
        call.callee.talk(1.0)
        self.run_for(0.4)
        self.assertGreater(len(call.callee.heard), 15)
        call.delete()
        self.run_for(0.005)  # what the kernel has queued for us already
        counts = len(call.caller.heard), len(call.callee.heard)
        self.run_for(0.4)
        self.assertEqual((len(call.caller.heard), len(call.callee.heard)),
                         counts)
        self.assert_refused(404, call.query)


class AfXdpAudio(Audio, RelayCase):
    """The default driver, two interfaces shared with the kernel."""

    def test_the_driver_is_af_xdp(self):
        self.assertEqual(self.relay.drivers(),
                         {"public": "af_xdp", "core": "af_xdp"})

    def test_the_kernel_goes_on_beside_media(self):
        """Ping, TCP and UDP outside of the range, on the same address."""
        call = self.call().connect()
        size, port = 2 << 20, 5000
        server = self.town.core.socket(socket.AF_INET, socket.SOCK_STREAM)
        client = self.town.alice.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp = self.town.core.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker = self.town.alice.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for each in (server, client, udp, asker):
            self.addCleanup(each.close)
            each.settimeout(5)
        server.bind((town.PUBLIC4, port))
        server.listen()
        udp.bind((town.PUBLIC4, 5060))
        got = []

        def receive():
            peer, _ = server.accept()
            with peer:
                while chunk := peer.recv(65536):
                    got.append(chunk)

        def transfer():
            client.connect((town.PUBLIC4, port))
            client.sendall(bytes(range(256)) * (size // 256))
            client.close()

        threads = [threading.Thread(target=each)
                   for each in (receive, transfer)]
        ping = self.town.alice.popen(
            ["ping", "-q", "-c", "5", "-i", "0.1", "-W", "1", town.PUBLIC4],
            stdout=subprocess.DEVNULL)
        for each in threads:
            each.start()
        asker.sendto(b"question", (town.PUBLIC4, 5060))
        self.assert_two_way(call)
        for each in threads:
            each.join(5)
        self.assertEqual(ping.wait(5), 0, "every ping answered")
        self.assertEqual(b"".join(got), bytes(range(256)) * (size // 256))
        self.assertEqual(udp.recv(100), b"question")

    def test_the_port_range_is_kept_from_the_kernel(self):
        reserved = self.town.core.read(
            "/proc/sys/net/ipv4/ip_local_reserved_ports")
        self.assertIn("30000-30999", reserved)
        self.assertIn("20000-20999", reserved)

    def test_verdicts_add_up_to_what_was_sent(self):
        call = self.call().connect()
        before = self.api.verdicts()
        self.assert_two_way(call, 0.5)
        call.caller.report()
        for number in range(7):  # to a port of no call, of no RTP, strangers
            call.caller.send_raw(b"x" * 20, (town.PUBLIC4, 30998))
            call.caller.send_raw(b"\xff" * 20)
        stranger = self.phone("mallory")
        for number in range(5):
            stranger.send_raw(rtp.pack(b"y" * 160, 9, 9, 9),
                              call.caller.remote)
        self.run_for(DRAIN_S)
        after = self.api.verdicts()
        sent = (len(call.caller.sent) + len(call.callee.sent) + 1 + 14 + 5)
        change = {name: after[name] - before.get(name, 0) for name in after}
        self.assertEqual(sum(change.values()), sent, change)
        self.assertEqual(sum(after.values()), self.api.received(),
                         "each packet ends in exactly one verdict")
        self.assertEqual(change["forwarded"],
                         len(call.caller.sent) + len(call.callee.sent) + 1)
        self.assertEqual(change["no_flow"], 7, change)
        self.assertEqual(change["not_media"], 7, change)
        self.assertEqual(change["source"] + change["probation"], 5, change)

    def test_the_call_can_be_asked_for(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.4)
        told = call.query()
        self.assertEqual(told["call_id"], call.call_id)
        self.assertIn(call.caller.address, str(told))
        listed = [each["call_id"] if isinstance(each, dict) else each
                  for each in self.api.list(limit=100)["calls"]]
        self.assertIn(call.call_id, listed)

    def test_a_list_comes_in_pages(self):
        ids = {self.call().connect().call_id for _ in range(5)}
        seen, after = [], None
        for _ in range(20):
            page = self.api.list(limit=2, **({"after": after} if after
                                             else {}))["calls"]
            if not page:
                break
            self.assertLessEqual(len(page), 2)
            seen += [each["call_id"] if isinstance(each, dict) else each
                     for each in page]
            after = seen[-1]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertLessEqual(ids, set(seen))

    def test_health_and_readiness(self):
        self.assertEqual(self.api.request("GET", "/healthz")[0], 200)
        self.assertEqual(self.api.request("GET", "/readyz")[0], 200)
        status, headers, body = self.api.request("GET", "/openapi.json")
        self.assertEqual(status, 200)
        self.assertEqual(headers.get_content_type(), "application/json")
        self.assertIn(b"/v1/offer", body)

    def test_requests_are_answered_at_once(self):
        """Fifty calls one after another; each reply comes at once."""
        start = time.monotonic()
        caller, callee = self.phone("alice"), self.phone("callee")
        for _ in range(50):
            call = town.Call(self.api, caller, callee).connect()
            call.delete()
        self.assertLess(time.monotonic() - start, 5.0)
        self.assertEqual(self.api.list()["calls"], [])


class AfPacketAudio(Audio, RelayCase):
    """The driver for machines without AF_XDP."""

    realm_changes = {"public": {"driver": "af_packet"},
                     "core": {"driver": "af_packet"}}

    def test_the_kernel_answers_ping(self):
        self.town.alice.run("ping", "-q", "-c", "3", "-i", "0.1", "-W", "1",
                            town.PUBLIC4)


class ManyQueues(RelayCase):
    """An interface that spreads its packets over several queues."""

    queues = 2

    def test_no_queue_is_deaf(self):
        calls = [self.call().connect() for _ in range(6)]
        for call in calls:
            call.caller.talk(0.5)
            call.callee.talk(0.5)
        self.run_for(0.5 + DRAIN_S)
        for call in calls:
            self.assertEqual(compare(call.caller, call.callee)
                             + compare(call.callee, call.caller), [])


class Hugepages(RelayCase):
    """Packets and flows in memory that the kernel reserved for it."""

    options = {"dataplane": {"hugepages": True}}
    pages = Path("/proc/sys/vm/nr_hugepages")

    @classmethod
    def prepare(cls):
        before = int(cls.pages.read_text())
        cls.addClassCleanup(cls.pages.write_text, str(before))
        cls.pages.write_text(str(before + 256))

    def test_two_way_audio(self):
        free = [int(line.split()[1]) for line
                in Path("/proc/meminfo").read_text().splitlines()
                if line.startswith("HugePages_Free")]
        self.assertLess(free[0], 256, "the daemon uses none")
        self.assert_two_way(self.call().connect(), 0.5)


class Busy(RelayCase):
    """A worker that polls and never sleeps."""

    options = {"dataplane": {"idle": "busy"}}

    def test_two_way_audio(self):
        self.assert_two_way(self.call().connect(), 0.5)
