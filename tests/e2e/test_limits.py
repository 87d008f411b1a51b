# SPDX-License-Identifier: BSD-3-Clause
"""Ends that nobody asked for: timeouts, full pools, drain, a signal."""

import socket
import time

from lab import rtp, town
from lab.api import Refused
from lab.case import DRAIN_S, RelayCase

MEDIA_S, HOLD_S, OFFER_S = 2, 5, 2
LATE_S = 3  # the clock of ends ticks in seconds


class Timeouts(RelayCase):
    options = {"timeouts": {"media_s": MEDIA_S, "hold_s": HOLD_S,
                            "offer_s": OFFER_S, "delete_delay_s": 0}}

    def _lives(self, call):
        try:
            call.query()
            return True
        except Refused as refused:
            self.assertEqual(refused.status, 404)
            return False

    def _end_of(self, call, longest):
        start = time.monotonic()
        while self._lives(call):
            if time.monotonic() - start > longest:
                self.fail(f"the call still lives after {longest} s")
            self.run_for(0.1)
        return time.monotonic() - start

    def test_an_offer_that_is_never_answered_ends(self):
        call = self.call()
        call.offer()
        took = self._end_of(call, OFFER_S + LATE_S)
        self.assertGreater(took, OFFER_S - 0.5)

    def test_silence_ends_a_call_and_rtcp_does_not_keep_it(self):
        talking, silent = self.call().connect(), self.call().connect()
        for call in (talking, silent):
            for phone in (call.caller, call.callee):
                phone.report(every=0.3)
        talking.caller.talk()
        talking.callee.talk()
        self.assert_two_way(silent, 0.3)
        took = self._end_of(silent, MEDIA_S + LATE_S)
        self.assertGreater(took, MEDIA_S - 0.7)
        self.assertTrue(self._lives(talking))
        talking.caller.mute()
        self.run_for(DRAIN_S)
        self.assert_heard(talking.caller, talking.callee)

    def test_hold_has_a_time_of_its_own(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        call.offer(call.caller.sdp(direction="inactive", version=2))
        call.answer(call.callee.sdp(direction="inactive", version=2))
        took = self._end_of(call, HOLD_S + LATE_S)
        self.assertGreater(took, MEDIA_S + 1)


class FullOfCalls(RelayCase):
    options = {"dataplane": {"max_calls": 3}}

    def test_a_refusal_costs_one_offer_and_no_call(self):
        calls = [self.call().connect() for _ in range(3)]
        for call in calls:
            call.caller.talk()
        refused = self.assert_refused(503, self.call().offer)
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        self.assertIn("calls", str(refused.problem))
        self.assert_two_way(calls[1], 0.5)
        calls[0].delete()
        fourth = self.call().connect()
        self.assert_two_way(fourth, 0.3)


class OutOfPorts(RelayCase):
    realm_changes = {"public": {"ports": "30000-30007"}}

    def test_the_empty_pool_is_named(self):
        """Eight ports are four pairs at most; calls that have theirs go on."""
        calls = []
        refused = None
        for _ in range(6):
            try:
                calls.append(self.call().connect())
            except Refused as error:
                refused = error
                break
        self.assertGreaterEqual(len(calls), 1)
        self.assertIsNotNone(refused, "more calls than ports")
        self.assertEqual(refused.status, 503)
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        self.assertIn("port", str(refused.problem))
        self.assertIn("public", str(refused.problem))
        for call in calls:
            self.assert_two_way(call, 0.2)


class Ends(RelayCase):
    """Every test ends the daemon in its own way, and starts the next."""

    @classmethod
    def _stop(cls):
        if cls.relay.alive():
            super()._stop()

    def setUp(self):
        if not self.relay.alive():
            self.relay.start()
        super().setUp()

    def tearDown(self):
        for call in self.calls:
            call.caller.close()
            call.callee.close()

    def test_drain_ends_with_the_last_call(self):
        call = self.call().connect()
        self.api.drain()
        self.assertNotEqual(self.api.request("GET", "/readyz")[0], 200)
        self.assert_refused(503, self.call().offer)
        self.assert_two_way(call, 0.3)
        call.delete()
        self.assertEqual(self.relay.process.wait(5), 0)
        self.assertEqual(self.relay.log_complaints(), [])
        self.assertIn("stopping text=drained", self.relay.log())

    def test_a_signal_ends_it_with_calls_and_media(self):
        call = self.call().connect()
        call.caller.talk()
        call.callee.talk()
        self.run_for(0.3)
        start = time.monotonic()
        self.assertEqual(self.relay.stop(), [])
        self.assertLess(time.monotonic() - start, 8)
        self.run_for(0.01)  # what our sockets had already
        heard = len(call.callee.heard)
        self.run_for(0.2)
        self.assertEqual(len(call.callee.heard), heard)

    def test_the_interface_is_the_kernels_again_afterwards(self):
        self.assertEqual(self.relay.stop(), [])
        phone = self.phone("alice")
        server = self.town.core.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        server.settimeout(1)
        server.bind((town.PUBLIC4, 30002))
        phone.send_raw(b"to the kernel", (town.PUBLIC4, 30002))
        self.assertEqual(server.recv(100), b"to the kernel")


class Unanswered(RelayCase):
    """SEC-10: a destination that never spoke gets only so many packets."""

    realm_changes = {"core": {"unanswered_packets": 20}}

    def test_a_silent_destination_is_not_flooded(self):
        call = self.call().connect()
        call.caller.talk(1.0)
        self.run_for(1.1)
        self.assertEqual(len(call.callee.heard), 20)
        self.assertGreaterEqual(self.api.verdicts()["unanswered"], 25)

    def test_a_listener_that_sends_rtcp_hears_everything(self):
        call = self.call().connect()
        self.run_for(0.05)
        call.callee.send_raw(rtp.receiver_report(call.callee.ssrc, 1),
                             channel="rtcp")
        self.run_for(0.05)
        call.caller.talk(1.0)
        self.run_for(1.2)
        self.assert_heard(call.caller, call.callee)
