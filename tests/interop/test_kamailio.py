# SPDX-License-Identifier: BSD-3-Clause
"""Debian's Kamailio with Debian's configuration (WITH_NAT, WITH_RTPENGINE)
and SIPp's phones. INTEROP_CPS, INTEROP_SECONDS and INTEROP_TALK_S say how
many calls a second, for how long, of which length."""

import os
import time
import unittest

from lab import proxy
from lab.relay import Relay

CPS = int(os.environ.get("INTEROP_CPS", "20"))
SECONDS = int(os.environ.get("INTEROP_SECONDS", "5"))
TALK_S = float(os.environ.get("INTEROP_TALK_S", "1"))
ECHO_S = 0.5      # from the last word to the hang-up
FAST = CPS > 20   # with the release build
PRIORITY = "nice", "-n", "-20"  # phones and relays have no neighbours
PATIENCE_S = 60   # beyond the time that the calls take
DELETE_DELAY_S = 1


class Kamailio(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = proxy.Network()
        cls.addClassCleanup(cls.network.close)
        cls.relay = Relay(cls.network.lab, cls.network.core, proxy.realms(),
                          control={"ng": ["127.0.0.1:2223"]},
                          timeouts={"delete_delay_s": DELETE_DELAY_S},
                          speed=FAST, wrapper=PRIORITY)
        cls.api = cls.relay.api
        cls.addClassCleanup(cls._stop)
        cls.proxy = proxy.kamailio(cls.network)
        cls.caller = proxy.Meter(cls.network.caller)
        cls.callee = proxy.Meter(cls.network.callee)

    @classmethod
    def _stop(cls):
        wrong = cls.relay.stop()
        if wrong:
            raise AssertionError("; ".join(wrong))

    def setUp(self):
        self.frames = round(TALK_S * 50)
        proxy.voice(self.network.lab.path("voice.pcap"), self.frames)
        self.user = f"user{self.id().rpartition('.')[2]}"

    def uas(self, name, scenario, *options, port=proxy.SIP):
        """A callee that the registrar knows under the test's user."""
        proxy.register(self.network.callee, proxy.CALLEE, self.user, port)
        sipp = proxy.Sipp(self.network, self.network.callee,
                          f"{self.user}-{name}", scenario, proxy.CALLEE,
                          *options, port=port, media_port=port + 1000,
                          priority=PRIORITY)
        self.addCleanup(sipp.kill)
        return sipp

    def uac(self, scenario, calls, cps):
        talk_ms = round((TALK_S + ECHO_S) * 1000)
        sipp = proxy.Sipp(
            self.network, self.network.caller, f"{self.user}-uac", scenario,
            proxy.CALLER, "-s", self.user, "-m", str(calls), "-r", str(cps),
            "-l", "5000", "-d", str(talk_ms), priority=PRIORITY)
        self.addCleanup(sipp.kill)
        return sipp

    def finish(self, sipp, seconds=0.0):
        """SIPp is through, and says that every call went as it should."""
        status = sipp.wait(seconds + PATIENCE_S)
        numbers = sipp.numbers()
        self.assertEqual(numbers["FailedCall"], 0, sipp.errors()[-2000:]
                         + self.proxy.log()[-2000:])
        self.assertEqual(status, 0, sipp.log()[-2000:])
        return numbers

    def assert_relay_is_empty(self):
        end = time.monotonic() + DELETE_DELAY_S + 5
        while time.monotonic() < end:
            if not self.api.list()["calls"]:
                return
            time.sleep(0.1)
        self.fail(f"calls are left: {self.api.list()}")

    def traffic(self):
        return (*self.caller.read(), *self.callee.read())

    def assert_all_heard(self, before, packets):
        """@packets were said by the callers, and each was heard, said again
        and heard; the relay counted them, too."""
        now = [after - was for was, after in zip(before, self.traffic())]
        said, came_back, echoed, arrived = now
        story = (f"{said} of {packets} said, {arrived} arrived, {echoed} said "
                 f"back, {came_back} heard; the relay had "
                 f"{self.api.received()}, and {self.api.verdicts()}")
        self.assertEqual(said, packets, story)
        self.assertEqual(arrived, said, story)
        self.assertEqual(came_back, echoed, story)
        self.assertEqual(echoed, arrived, f"SIPp lost some: {story}")
        return now

    def test_calls_with_media(self):
        calls = CPS * SECONDS
        self.uas("uas", "uas.xml", "-rtp_echo")
        before, verdicts = self.traffic(), self.api.verdicts()
        uac = self.uac("uac.xml", calls, CPS)
        numbers = self.finish(uac, SECONDS + TALK_S)
        said, came_back, echoed, arrived = self.assert_all_heard(
            before, calls * self.frames)
        after = self.api.verdicts()
        counted = {name: count - verdicts.get(name, 0)
                   for name, count in after.items()}
        print(f"      {numbers['SuccessfulCall']} calls at {CPS} a second, "
              f"{numbers['Retransmissions']} retransmissions; {said} said, "
              f"{arrived} arrived, {echoed} said back, {came_back} heard")
        self.assertEqual(numbers["SuccessfulCall"], calls)
        self.assertEqual(counted.pop("forwarded"), said + echoed)
        self.assertEqual(sum(counted.values()), 0, counted)
        self.assert_relay_is_empty()
        self.assertNotIn(" ERROR:", self.proxy.log())

    def test_a_caller_who_cancels_leaves_nothing(self):
        self.uas("uas", "uas_rings.xml")
        self.finish(self.uac("uac_cancel.xml", 5, 5))
        self.assert_relay_is_empty()

    def test_a_busy_callee_leaves_nothing(self):
        self.uas("uas", "uas_busy.xml")
        uac = self.uac("uac.xml", 1, 1)
        self.assertNotEqual(uac.wait(PATIENCE_S), 0)
        self.assert_relay_is_empty()

    def test_of_two_phones_that_ring_one_answers(self):
        """Parallel forking; the stock configuration names no branches."""
        rings = self.uas("rings", "uas_rings.xml", "-m", "3")
        self.uas("answers", "uas.xml", "-rtp_echo", port=5070)
        before = self.traffic()
        self.finish(self.uac("uac.xml", 3, 3))
        self.finish(rings)
        self.assert_all_heard(before, 3 * self.frames)
        self.assert_relay_is_empty()

    def test_of_two_phones_one_is_busy_and_one_answers(self):
        busy = self.uas("busy", "uas_busy.xml", "-m", "3")
        self.uas("answers", "uas.xml", "-rtp_echo", port=5070)
        before = self.traffic()
        self.finish(self.uac("uac.xml", 3, 3))
        self.finish(busy)
        self.assert_all_heard(before, 3 * self.frames)
        self.assert_relay_is_empty()
