# SPDX-License-Identifier: BSD-3-Clause
"""Calls so long that the rollover counter moves, and streams that restart:
the phones' libsrtp2 and the relay must keep the same count. Sequence numbers
run on in steps, so that 22 minutes of speech take a moment."""

import random
import struct

from lab import srtp, town
from lab.case import DRAIN_S
from lab.srtp_case import WRAP, SrtpCase

NEAR = WRAP - 10
ROUNDS = 3


class LongCalls(SrtpCase):
    def both_at(self, call, seq):
        """Both sides' sequence numbers run on to @seq, unheard by the test."""
        for phone in (call.caller, call.callee):
            self.advance(phone, seq)
        self.run_for(DRAIN_S)

    def kinds(self):
        """SRTP on one side, on both, and AEAD."""
        found = [self.bridge(),
                 self.bridge(self.phone("alice"),
                             self.srtp_phone("callee")),
                 self.bridge(self.srtp_phone(suites=[srtp.GCM_256]),
                             self.srtp_phone("callee",
                                             suites=[srtp.CM_128_32]))]
        return found

    def assert_count(self, call, roc):
        pair = call.caller, call.callee
        for talker, listener in (pair, reversed(pair)):
            self.assertEqual(self.roc_of(talker, listener), roc)

    def test_three_rounds_with_a_word_at_each_turn(self):
        for call in self.kinds():
            for phone in (call.caller, call.callee):
                self.set_seq(phone, NEAR)
            self.assert_burst(call)
            self.assert_count(call, 1)
            for number in range(2, 2 + ROUNDS):
                self.both_at(call, NEAR)
                self.assert_burst(call)
                self.assert_count(call, number)

    def test_a_re_offer_at_each_turn(self):
        """From either side, the last number before and the first after."""
        for call in self.kinds():
            for phone in (call.caller, call.callee):
                self.set_seq(phone, NEAR)
            first = list(call.replies)
            roc = 0
            for by, last in ((call.caller, WRAP - 1), (call.callee, 0),
                             (call.callee, WRAP - 1), (call.caller, 0)):
                self.both_at(call, last)
                self.connect(call, by=by)
                roc += 1
                self.assert_burst(call, 12)
                self.assert_count(call, roc)
                self.both_at(call, NEAR)
            offers = [each for each in call.replies if each in first]
            self.assertGreaterEqual(len(offers), 2, "the same keys again")

    def test_hold_and_resume_over_the_turn(self):
        """The holder is silent while the other would have wrapped; then
        both go on where they were."""
        for call in self.kinds():
            caller, callee = call.caller, call.callee
            for phone in (caller, callee):
                self.set_seq(phone, NEAR)
            self.assert_burst(call, 5)
            call.offer(caller.offer_sdp(direction="sendonly", version=2),
                       transport=self.protocol(callee))
            call.answer(callee.sdp(direction="recvonly", version=2))
            # Music on hold goes over the turn; the callee is silent.
            start = len(caller.sent), len(callee.heard)
            self.burst(caller, frames=20)
            self.assert_heard(caller, callee, *start)
            call.offer(caller.offer_sdp(version=3),
                       transport=self.protocol(callee))
            call.answer(callee.sdp(version=3))
            self.assert_burst(call, 20)
            self.assert_count(call, 1)

    def test_loss_and_disorder_at_the_turn(self):
        """SEC-24: a fifth lost, others up to a hundred places late."""
        chance = random.Random(24)
        for call in self.kinds():
            for phone in (call.caller, call.callee):
                self.set_seq(phone, WRAP - 150)
                phone.drop = {each for each in range(1, 290)
                              if chance.random() < 0.2}
                phone.hold_back = {
                    each: chance.randrange(1, 100) for each in range(1, 190)
                    if each not in phone.drop and chance.random() < 0.2}
            self.assert_burst(call, 300)
            self.assertGreater(len(call.caller.sent), 200)
            self.assert_count(call, 1)
            self.assertNotIn("srtp_auth", self.dropped(call))

    def test_the_counter_outlives_the_ports_of_the_call(self):
        """The callee goes from IPv4 to IPv6 with the keys that it has."""
        caller = self.phone("alice")
        callee = self.srtp_phone("callee")
        call = self.bridge(caller, callee)
        for phone in (caller, callee):
            self.set_seq(phone, NEAR)
        self.assert_burst(call)
        self.assert_count(call, 1)
        new = self.srtp_phone("callee", town.CALLEE6)
        new.inherit(callee)
        new.answering = None
        call.callee = new
        self.connect(call, address_family="IP6")
        self.assertEqual(call.media(-2)[0].address, town.CORE6)
        self.assert_burst(call)
        self.assert_count(call, 1)
        self.both_at(call, NEAR)
        self.assert_burst(call)
        self.assert_count(call, 2)

    def test_the_counter_outlives_a_change_of_our_ports(self):
        """new_ports: where one party moved, the other is given another port
        of ours; its keys stay, and their counters."""
        caller, callee = self.phone("alice"), self.srtp_phone("callee")
        call = self.bridge(caller, callee)
        for phone in (caller, callee):
            self.set_seq(phone, NEAR)
        self.assert_burst(call)
        port = callee.remote[1]
        new = self.phone("alice")
        for name in ("ssrc", "seq", "timestamp", "frames"):
            setattr(new, name, getattr(caller, name))
        call.caller = new
        self.connect(call, new_ports=True)
        self.assertNotEqual(callee.remote[1], port)
        self.assert_burst(call)
        self.assert_count(call, 1)
        self.both_at(call, NEAR)
        self.assert_burst(call)
        self.assert_count(call, 2)


class Restarts(SrtpCase):
    """What an SRTP phone hears when the RTP phone begins anew: all, and no
    index of a key was used twice."""

    def setUp(self):
        super().setUp()
        self.caller = self.phone("alice")
        self.callee = self.srtp_phone("callee")
        self.bridge(self.caller, self.callee)
        self.wire = []
        unseal = self.callee.unseal

        def watch(data, rtcp):
            opened = unseal(data, rtcp)
            if not rtcp and opened:
                self.wire.append((self.callee.receivers[0].roc(
                    int.from_bytes(data[8:12], "big")), data))
            return opened

        self.callee.unseal = watch

    def assert_all_heard(self, frames, but=0):
        """All of some frames, the first @but perhaps not."""
        start = len(self.callee.heard)
        said = self.said(self.caller, frames)
        heard = self.payloads(self.callee, start)
        self.assertGreaterEqual(len(heard), frames - but)
        self.assertEqual(heard, said[len(said) - len(heard):])

    def assert_no_index_twice(self):
        self.assertEqual(self.callee.unreadable, [])
        used = [(roc, data[2:4], data[8:12]) for roc, data in self.wire]
        self.assertEqual(len(used), len(set(used)))

    def test_sequence_numbers_that_restart(self):
        """Backwards by a little, by much, to where they were before."""
        self.assert_all_heard(20)
        for seq in (20000, 5000, 300, 64000, 20000, 21000, 0, WRAP - 500):
            self.caller.seq = seq
            self.caller.timestamp = seq * 7 & 0xffffffff
            # The first one may be a straggler, for all the relay knows.
            self.assert_all_heard(20, but=1)
        self.assert_no_index_twice()

    def test_reports_count_as_their_reader_does(self):
        """The SRTP phone hears other numbers than the RTP phone sent, once
        that one has restarted; what it reports is told in the latter's."""
        for seq in (20000, 5000, 300):
            self.caller.seq = seq
            self.assert_all_heard(20, but=1)
            self.callee.report()
            self.run_for(DRAIN_S)
            about, highest = struct.unpack_from(
                "!I4xI", self.caller.heard_rtcp[-1].data, 28)
            self.assertEqual(about, self.caller.ssrc)
            self.assertEqual(highest & 0xffff, self.caller.sent[-1].seq)

    def test_another_stream_in_the_same_call(self):
        """Another SSRC, as after a transfer behind the trunk; and back."""
        first = self.caller.ssrc
        for ssrc in (first, 1, 2, first):
            self.caller.ssrc = ssrc
            self.assert_all_heard(10)
        self.assert_no_index_twice()

    def test_the_same_numbers_with_other_words(self):
        """Said again with other payloads: no index may be used twice, so
        these are lost or get others; then the call goes on."""
        self.assert_all_heard(30)
        self.caller.seq = (self.caller.seq - 25) & 0xffff
        self.said(self.caller, 25)
        self.assert_all_heard(20)
        self.assert_no_index_twice()
