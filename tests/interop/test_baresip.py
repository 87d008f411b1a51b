# SPDX-License-Identifier: BSD-3-Clause
"""baresip, whose SRTP is libre's, through Kamailio (srtp.cfg) to phones that
speak RTP or another SRTP. Every frame of audio differs from every other, and
what was heard is compared with what was said, sample by sample."""

import os
import time
import unittest
from pathlib import Path

from lab import proxy, srtp
from lab.baresip import Baresip, energy, heard
from lab.relay import Relay

TALK_S = 3
FRAMES = TALK_S * 50
FIRST = 5       # frames that may be lost while the call is answered
PRIORITY = "nice", "-n", "-20"
LOUD = 1e6      # the mean square of noise in A-law is about 1e8

BAD = {"srtp_auth", "srtp_replay", "srtp_limit", "malformed"}
SDES, PLAIN = srtp.CM_128_80, None

# Kind and encryption of the caller and the callee, and under which suite
# each of them shall speak.
PAIRS = {
    "RTP to RTP": (("rtp", None), ("rtp", None), PLAIN, PLAIN),
    "RTP to SRTP": (("rtp", None), ("srtp", "srtp-mand"), PLAIN, SDES),
    "SRTP to RTP": (("srtp", "srtp-mand"), ("rtp", None), SDES, PLAIN),
    "SRTP to SRTP": (("srtp", "srtp-mand"), ("srtp", "srtp-mand"),
                     SDES, SDES),
    "RTP to RTP/SAVPF": (("rtp", None), ("feedback", "srtp-mandf"),
                         PLAIN, SDES),
    "RTP to GCM of 256 bits": (("rtp", None), ("gcm256", "srtp-mand"),
                               PLAIN, srtp.GCM_256),
    "SRTP to GCM of 256 bits": (("srtp", "srtp-mand"),
                                ("gcm256", "srtp-mand"), SDES, srtp.GCM_256),
    "SRTP to GCM of 128 bits": (("srtp", "srtp-mand"),
                                ("gcm128", "srtp-mand"), SDES, srtp.GCM_128),
    "RTP to OSRTP": (("rtp", None), ("osrtp", "srtp"), PLAIN, SDES),
    "OSRTP to RTP": (("osrtp", "srtp"), ("rtp", None), SDES, PLAIN),
    "OSRTP to SRTP": (("osrtp", "srtp"), ("srtp", "srtp-mand"), SDES, SDES),
    "RTP to OSRTP, who can't": (("rtp", None), ("osrtp", None),
                                PLAIN, PLAIN),
}


class Phones(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = proxy.Network()
        cls.addClassCleanup(cls.network.close)
        cls.start_relay()
        config = cls.network.lab.path("srtp.cfg")
        text = (proxy.SCENARIOS / "srtp.cfg").read_text("utf-8")
        Path(config).write_text(text.replace("CALLEE", proxy.CALLEE), "utf-8")
        cls.proxy = proxy.kamailio(cls.network, config, ())
        cls.port = 5070

    @classmethod
    def start_relay(cls):
        cls.relay = Relay(cls.network.lab, cls.network.core, proxy.realms(),
                          control={"ng": ["127.0.0.1:2223"]},
                          timeouts={"delete_delay_s": 0}, wrapper=PRIORITY)
        cls.addClassCleanup(cls._stop)

    @classmethod
    def _stop(cls):
        wrong = cls.relay.stop()
        if wrong:
            raise AssertionError("; ".join(wrong))

    def phone(self, host, kind, encryption=None):
        cls = type(self)
        cls.port += 2  # the next one is SIP's over TLS
        ns, address = {"caller": (self.network.caller, proxy.CALLER),
                       "callee": (self.network.callee, proxy.CALLEE)}[host]
        phone = Baresip(self.network, ns, f"{kind}-{cls.port}", address,
                        cls.port, encryption, priority=PRIORITY)
        self.addCleanup(phone.kill)
        return phone

    def sipp(self, host, scenario, *options):
        cls = type(self)
        cls.port += 2
        ns, address = {"caller": (self.network.caller, proxy.CALLER),
                       "callee": (self.network.callee, proxy.CALLEE)}[host]
        sipp = proxy.Sipp(self.network, ns, f"sipp{cls.port}", scenario,
                          address, *options, port=cls.port,
                          media_port=cls.port + 1000, priority=PRIORITY)
        self.addCleanup(sipp.kill)
        return sipp

    @staticmethod
    def hang_up(*phones):
        """The first of them does; then their recordings are whole."""
        phones[0].hang_up()
        for each in phones:
            each.wait_for("CALL_CLOSED")
            each.kill()

    def assert_audio(self, spoken, listener, at_least=FRAMES * 2 // 3):
        """@listener heard all of @spoken from one of the first frames on."""
        numbers = heard(listener.recording(), spoken)
        self.assertGreaterEqual(len(numbers), at_least, listener.log()[-3000:])
        self.assertLessEqual(numbers[0], FIRST)
        self.assertEqual(numbers, list(range(numbers[0],
                                             numbers[0] + len(numbers))))
        self.assertGreater(energy(listener.recording()), LOUD)

    def assert_suite(self, phone, suite):
        self.assertEqual(set(phone.suites()), {suite} - {None},
                         phone.log()[-3000:])

    def assert_no_calls(self):
        end = time.monotonic() + 5
        while time.monotonic() < end and self.relay.api.list()["calls"]:
            time.sleep(0.1)
        self.assertEqual(self.relay.api.list()["calls"], [])

    def assert_all_rtp_is_good(self, calls):
        """Of the @calls that there are now. (baresip's first RTCP is in the
        clear: it begins before its SRTP does.)"""
        found = self.relay.api.list()["calls"]
        self.assertEqual(len(found), calls)
        for each in found:
            call = self.relay.api.query(each["call_id"])
            for party in call["parties"]:
                for media in party["media"]:
                    self.assertEqual(set(media["dropped"]) & BAD, set(), call)

    def test_calls_of_all_kinds_at_once(self):
        calls = {name: (self.phone("caller", *caller),
                        self.phone("callee", *callee), *suites)
                 for name, (caller, callee, *suites) in PAIRS.items()}
        for caller, callee, *_ in calls.values():
            caller.dial(callee.user)
        for caller, callee, *_ in calls.values():
            caller.wait_for("CALL_ESTABLISHED")
            callee.wait_for("CALL_ESTABLISHED")
        time.sleep(TALK_S)
        self.assert_all_rtp_is_good(len(PAIRS))
        for caller, callee, *_ in calls.values():
            self.hang_up(caller, callee)
        for name, (caller, callee, *suites) in calls.items():
            with self.subTest(name):
                self.assert_audio(caller.spoken, callee)
                self.assert_audio(callee.spoken, caller)
                self.assert_suite(caller, suites[0])
                self.assert_suite(callee, suites[1])
        self.assert_no_calls()

    def test_an_srtp_phone_hears_the_echo_of_sipp(self):
        echo = self.sipp("callee", "uas.xml", "-rtp_echo", "-m", "2")
        callers = [self.phone("caller", "srtp", "srtp-mand"),
                   self.phone("caller", "osrtp", "srtp")]
        for caller in callers:
            caller.dial(f"rtp-{type(self).port - 4}")
        for caller in callers:
            caller.wait_for("CALL_ESTABLISHED")
        time.sleep(TALK_S)
        for caller in callers:
            self.hang_up(caller)
        self.assertEqual(echo.wait(30), 0, echo.errors())
        for caller in callers:
            with self.subTest(caller.user):
                self.assert_audio(caller.spoken, caller)
                self.assert_suite(caller, SDES)
        self.assert_no_calls()

    def test_sipp_calls_srtp_phones(self):
        spoken = proxy.voice(self.network.lab.path("voice.pcap"), FRAMES)
        calls = []
        for kind, encryption, suite in (
                ("srtp", "srtp-mand", SDES),
                ("gcm256", "srtp-mand", srtp.GCM_256),
                ("osrtp", "srtp", SDES)):
            callee = self.phone("callee", kind, encryption)
            calls.append((callee, self.sipp(
                "caller", "uac.xml", "-s", callee.user, "-m", "1",
                "-d", str(TALK_S * 1000 + 300)), suite))
        for callee, caller, suite in calls:
            with self.subTest(callee.user):
                self.assertEqual(caller.wait(30), 0, caller.errors())
                callee.wait_for("CALL_CLOSED")
                callee.kill()
                self.assert_audio(spoken, callee, FRAMES - FIRST)
                self.assert_suite(callee, suite)
        self.assert_no_calls()

    def connected(self, caller, callee):
        pair = self.phone("caller", *caller), self.phone("callee", *callee)
        pair[0].dial(pair[1].user)
        for each in pair:
            each.wait_for("CALL_ESTABLISHED")
        return pair

    def test_a_refresh_from_either_side_is_not_heard(self):
        """Re-INVITEs that change nothing: one recording, no frame missing."""
        pair = self.connected(("srtp", "srtp-mand"), ("rtp", None))
        for each in pair:
            time.sleep(1)
            each.command("reinvite")
        time.sleep(1)
        self.hang_up(*pair)
        for each, other in zip(pair, reversed(pair)):
            with self.subTest(each.user):
                self.assert_audio(each.spoken, other)
        self.assertEqual(set(pair[0].suites()), {SDES})
        self.assert_no_calls()

    def test_hold_and_resume_keep_the_keys(self):
        """By either side. A held baresip ends its recording; its SRTP counts
        what it can't read."""
        pair = self.connected(("srtp", "srtp-mand"), ("gcm256", "srtp-mand"))
        time.sleep(1)
        for each in pair:
            each.press(b"x")
            time.sleep(0.5)
            each.press(b"X")
            time.sleep(1)
        self.assert_all_rtp_is_good(1)
        self.hang_up(*pair)
        for each in pair:
            with self.subTest(each.user):
                sent, received = each.packets()
                self.assertGreater(sent, 120)
                self.assertGreater(received, 120)
                self.assertNotIn("failed to decrypt", each.log())
        self.assert_no_calls()


if __name__ == "__main__":
    unittest.main()
