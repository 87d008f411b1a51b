# SPDX-License-Identifier: BSD-3-Clause
"""The SRTP phones of the lab, without the relay: libsrtp2 to libsrtp2."""

import base64
import unittest

from lab import media, rtp, sdp, srtp, town


class Contexts(unittest.TestCase):
    def pair(self, suite, **options):
        keys = srtp.Keys.new(suite, **options)
        return srtp.Context(keys, True), srtp.Context(keys, False)

    def test_each_suite_adds_what_it_should_and_is_opened(self):
        for suite, facts in srtp.SUITES.items():
            for mki_len in (0, 1, 4):
                with self.subTest(suite, mki_len=mki_len):
                    talker, listener = self.pair(suite, mki_len=mki_len)
                    plain = rtp.pack(b"voice" * 32, 7, 160, 99)
                    sealed = talker.protect(plain)
                    self.assertEqual(len(sealed), len(plain) + facts.tag
                                     + mki_len)
                    self.assertEqual(sealed[:12], plain[:12])
                    self.assertNotEqual(sealed[12:172], plain[12:])
                    self.assertEqual(listener.unprotect(sealed),
                                     (srtp.OK, plain))
                    report = rtp.sender_report(99, 1, 160, 160)
                    sealed = talker.protect(report, True)
                    self.assertEqual(
                        len(sealed), len(report) + 4 + mki_len
                        + (16 if "GCM" in suite else 10))
                    self.assertEqual(listener.unprotect(sealed, True),
                                     (srtp.OK, report))

    def test_what_was_changed_or_came_before_is_refused(self):
        for suite in srtp.SUITES:
            with self.subTest(suite):
                talker, listener = self.pair(suite)
                sealed = talker.protect(rtp.pack(b"v" * 160, 7, 160, 99))
                for bad in (srtp.bad_tag(sealed), srtp.bad_body(sealed)):
                    self.assertEqual(listener.unprotect(bad)[0],
                                     srtp.AUTH_FAIL)
                self.assertEqual(listener.unprotect(sealed)[0], srtp.OK)
                self.assertEqual(listener.unprotect(sealed)[0],
                                 srtp.REPLAY_FAIL)

    def test_jumps_advance_the_rollover_counter(self):
        talker, listener = self.pair(srtp.CM_128_80)
        index, end = 65000, 65000 + 3 * 65536
        while index < end:
            packet = rtp.pack(b"v" * 20, index & 0xffff, index, 99)
            self.assertEqual(listener.unprotect(talker.protect(packet)),
                             (srtp.OK, packet))
            index += 30000
        self.assertEqual(talker.roc(99), (index - 30000) >> 16)
        self.assertEqual(listener.roc(99), (index - 30000) >> 16)

    def test_a_counter_can_be_set(self):
        talker, listener = self.pair(srtp.GCM_128)
        for each in (talker, listener):
            first = talker.protect(rtp.pack(b"v" * 20, 1, 0, 99)) \
                if each is talker else first
        self.assertEqual(listener.unprotect(first)[0], srtp.OK)
        talker.set_roc(99, 5)
        sealed = talker.protect(rtp.pack(b"v" * 20, 2, 0, 99))
        self.assertEqual(listener.unprotect(sealed)[0], srtp.AUTH_FAIL)
        listener.set_roc(99, 5)
        self.assertEqual(listener.unprotect(sealed)[0], srtp.OK)

    def test_session_parameters(self):
        for name, rtcp in (("UNENCRYPTED_SRTP", False),
                           ("UNENCRYPTED_SRTCP", True)):
            with self.subTest(name):
                talker, listener = self.pair(srtp.CM_128_80,
                                             parameters=[name])
                plain = (rtp.sender_report(99, 1, 160, 160) if rtcp
                         else rtp.pack(b"v" * 160, 7, 160, 99))
                sealed = talker.protect(plain, rtcp)
                self.assertEqual(sealed[:len(plain)], plain)
                self.assertEqual(listener.unprotect(sealed, rtcp),
                                 (srtp.OK, plain))
        talker, listener = self.pair(srtp.CM_128_80,
                                     parameters=["UNAUTHENTICATED_SRTP"])
        plain = rtp.pack(b"v" * 160, 7, 160, 99)
        sealed = talker.protect(plain)
        self.assertEqual(len(sealed), len(plain))
        self.assertEqual(listener.unprotect(sealed), (srtp.OK, plain))


class Lines(unittest.TestCase):
    def test_a_line_is_read_as_it_was_written(self):
        for suite in srtp.SUITES:
            for mki_len in (0, 4):
                keys = srtp.Keys.new(suite, 5, mki_len)
                for padding in (True, False):
                    text = sdp.write("192.0.2.1", sdp.audio(
                        4000, crypto=[keys.line(padding)]))
                    self.assertEqual(srtp.read(text), [keys])

    def test_the_example_of_rfc_4568(self):
        line = ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                "inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:4")
        found, = srtp.read(f"v=0\nm=audio 1 RTP/SAVP 0\n{line}\n")
        self.assertEqual(found.key, base64.b64decode(
            "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"))
        self.assertEqual((found.mki, found.tag), (b"\0\0\0\1", 1))


class Phones(unittest.TestCase):
    """Two of them, on one switch."""

    @classmethod
    def setUpClass(cls):
        cls.town = town.Town()
        cls.addClassCleanup(cls.town.close)

    def pair(self, **options):
        result = []
        for where in ("alice", "mallory"):
            phone = self.town.phone(where, kind=srtp.SrtpPhone, **options)
            self.addCleanup(phone.close)
            result.append(phone)
        return result

    def agree(self, caller, callee):
        callee.aim(caller.offer_sdp())
        caller.aim(callee.sdp())

    def talk(self, *phones, seconds=0.3):
        starts = [(len(each.sent), len(each.heard)) for each in phones]
        for each in phones:
            each.talk(seconds)
            each.report()
        self.town.loop.run(seconds + 0.1)
        one, two = phones
        self.assertEqual(media.compare(one, two, starts[0][0], starts[1][1]),
                         [])
        self.assertEqual(media.compare(two, one, starts[1][0], starts[0][1]),
                         [])

    def test_they_hear_each_other_in_every_suite(self):
        for suite in srtp.SUITES:
            for mux in (False, True):
                with self.subTest(suite, mux=mux):
                    one, two = self.pair(suites=[suite], mux=mux)
                    self.agree(one, two)
                    self.assertEqual(one.chosen, (1, suite))
                    self.talk(one, two, seconds=0.06)
                    self.assertEqual((len(one.heard_rtcp),
                                      len(two.heard_rtcp)), (1, 1))

    def test_they_find_what_both_can(self):
        one, two = self.pair()
        one.suites, two.suites = [srtp.GCM_256, srtp.CM_128_32], [
            srtp.CM_128_80, srtp.CM_128_32]
        one.new_keys()
        two.new_keys()
        self.agree(one, two)
        self.assertEqual(one.chosen, (2, srtp.CM_128_32))
        self.assertEqual(two.chosen, one.chosen)
        self.talk(one, two)

    def test_a_wrong_key_is_heard_as_nothing(self):
        one, two = self.pair()
        self.agree(one, two)
        one.sender = srtp.Context(srtp.Keys.new(), True)
        one.talk(0.1)
        self.town.loop.run(0.2)
        self.assertEqual(two.heard, [])
        self.assertIn("can't be read", str(media.compare(one, two)))

    def test_the_same_keys_again_keep_their_contexts(self):
        one, two = self.pair()
        self.agree(one, two)
        contexts = one.sender, one.receivers[0], two.sender, two.receivers[0]
        self.talk(one, two)
        self.agree(two, one)
        self.assertEqual(contexts, (one.sender, one.receivers[0],
                                    two.sender, two.receivers[0]))
        self.talk(one, two)

    def test_new_keys_are_taken_in_turn(self):
        one, two = self.pair()
        self.agree(one, two)
        self.talk(one, two)
        one.new_keys()
        self.agree(one, two)
        self.talk(one, two)
        self.assertEqual(set(two.heard_under), {1, 2})
        self.assertEqual(set(one.heard_under), {1})
