# SPDX-License-Identifier: BSD-3-Clause
"""What offers and answers ask for, and what the media then does."""

import socket

from lab import sdp, town
from lab.case import DRAIN_S, RelayCase


class Offers(RelayCase):
    realm_changes = {"public": {"dscp": 46}, "core": {"dscp": 0}}

    # again and changed

    def test_an_unchanged_offer_changes_nothing(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        first = list(call.replies)
        call.connect()
        self.assertEqual(call.replies[2:], first)
        self.assert_two_way(call, 0.3)

    def test_a_party_moves_to_another_address(self):
        """The old place is heard until the new one has spoken."""
        call = self.call().connect()
        old, callee = call.caller, call.callee
        old.talk()
        callee.talk()
        self.run_for(0.4)
        new = self.phone("mallory", name="alice elsewhere")
        call.offer(new.sdp(version=2))
        call.answer()
        ports = [sdp.parse(each)[0].port for each in call.replies]
        self.assertEqual(ports[:2], ports[2:], "ports are fixed for the call")
        self.run_for(0.3)
        old.mute()
        self.run_for(DRAIN_S)
        self.assert_heard(old, callee)
        new.remote = old.remote
        new.talk()
        self.run_for(0.1)
        heard_old, heard_new = len(old.heard), len(new.heard)
        self.run_for(0.4)
        for phone in (new, callee):
            phone.mute()
        self.run_for(DRAIN_S)
        self.assertEqual(len(old.heard), heard_old, "the old place is quiet")
        self.assertGreater(len(new.heard) - heard_new, 15)
        came = [(each.rtp.seq, each.rtp.payload)
                for each in callee.frames_heard()
                if each.rtp.ssrc == new.ssrc]
        self.assertEqual(came, [(each.seq, each.payload)
                                for each in new.sent])

    def test_a_listener_is_sent_to_though_it_never_speaks(self):
        """The SDP moves from a phone behind a NAT to a recorder. The old
        source is kept until another speaks, but not for ever."""
        call = self.call(self.phone("lan"),
                         signalling_source=town.NAT4).connect()
        self.assert_two_way(call, 0.5, later=0.3)
        recorder = self.phone("alice")
        call.offer(recorder.sdp(direction="recvonly", version=2))
        call.answer()
        call.callee.talk(5.5)
        self.run_for(5.5 + DRAIN_S)
        self.assertGreater(len(recorder.heard), 10)

    def test_the_callee_offers_again(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        call.offer(by=call.callee)
        call.answer(by=call.caller)
        ports = [sdp.parse(each)[0].port for each in call.replies]
        self.assertEqual(ports[2:], ports[1::-1], "each keeps its port")
        self.assert_two_way(call, 0.3)

    def test_several_calls_do_not_mix(self):
        calls = [self.call().connect() for _ in range(4)]
        for call in calls:
            call.caller.talk(0.5)
            call.callee.talk(0.5)
        self.run_for(0.5 + DRAIN_S)
        for call in calls:
            self.assert_heard(call.caller, call.callee)
            self.assert_heard(call.callee, call.caller)

    # hold

    def test_hold_and_resume(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        call.offer(call.caller.sdp(direction="sendonly", version=2))
        self.assertEqual(call.media()[0].direction, "sendonly")
        call.answer(call.callee.sdp(direction="recvonly", version=2))
        before = len(call.callee.heard), len(call.caller.sent)
        silent = len(call.caller.heard)
        call.caller.talk(0.4)
        call.callee.talk(0.4)
        self.run_for(0.4 + DRAIN_S)
        self.assertEqual(len(call.caller.heard), silent,
                         "a holding party is not sent to")
        self.assert_heard(call.caller, call.callee, before[1], before[0])
        call.offer(call.caller.sdp(version=3))
        call.answer(call.callee.sdp(version=3))
        self.assert_two_way(call, 0.4)

    def test_inactive_is_silent_both_ways(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        call.offer(call.caller.sdp(direction="inactive", version=2))
        call.answer(call.callee.sdp(direction="inactive", version=2))
        self._nothing_passes(call)
        call.connect()
        self.assert_two_way(call, 0.3)

    def test_hold_by_address_zero(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        call.offer(call.caller.sdp(address="0.0.0.0", version=2))
        call.answer()
        before = len(call.caller.heard)
        call.callee.talk(0.3)
        self.run_for(0.3 + DRAIN_S)
        self.assertEqual(len(call.caller.heard), before)
        call.connect()
        self.assert_two_way(call, 0.3)

    def _nothing_passes(self, call):
        before = len(call.caller.heard), len(call.callee.heard)
        call.caller.talk(0.3)
        call.callee.talk(0.3)
        self.run_for(0.3 + DRAIN_S)
        self.assertEqual((len(call.caller.heard), len(call.callee.heard)),
                         before)

    # families

    def test_ipv6_caller_to_ipv4_callee(self):
        call = self.call(self.phone("alice", town.ALICE6))
        call.offer(address_family="IP4")
        call.answer()
        self.assertEqual(sdp.parse(call.replies[0])[0].address, town.CORE4)
        self.assertEqual(sdp.parse(call.replies[1])[0].address, town.PUBLIC6)
        self._with_rtcp(call)

    def test_ipv4_caller_to_ipv6_callee(self):
        call = self.call(callee=self.phone("callee", town.CALLEE6))
        call.offer(address_family="IP6")
        call.answer()
        self.assertEqual(sdp.parse(call.replies[0])[0].address, town.CORE6)
        self._with_rtcp(call)

    def test_ipv6_both_sides(self):
        call = self.call(self.phone("alice", town.ALICE6),
                         self.phone("callee", town.CALLEE6)).connect()
        self._with_rtcp(call)

    def _with_rtcp(self, call):
        for phone in (call.caller, call.callee):
            phone.report(every=0.2)
        self.assert_two_way(call, 0.6)
        for phone, other in ((call.caller, call.callee),
                             (call.callee, call.caller)):
            self.assertEqual(len(phone.heard_rtcp), other.reports)

    def test_dscp_is_set_and_ecn_kept(self):
        call = self.call().connect()
        call.callee.rtp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS,
                                   10 << 2 | 2)
        self.assert_two_way(call, 0.3)
        self.assertEqual({each.tos for each in call.caller.heard},
                         {46 << 2 | 2}, "the realm's DSCP, the sender's ECN")
        self.assertEqual({each.tos for each in call.callee.heard}, {0})

    # RTCP

    def test_rtcp_on_a_port_of_its_own(self):
        """RFC 3605: not the one after RTP's."""
        call = self.call(callee=self.phone("callee", port=22222,
                                           rtcp_port=22777)).connect()
        self._with_rtcp(call)

    def test_rtcp_mux_on_both_sides(self):
        call = self.call(self.phone("alice", mux=True),
                         self.phone("callee", mux=True)).connect()
        self.assertTrue(all(sdp.parse(each)[0].mux for each in call.replies))
        self._with_rtcp(call)

    def test_rtcp_mux_on_the_callers_side_only(self):
        call = self.call(self.phone("alice", mux=True))
        call.offer(rtcp_mux=["demux"])
        self.assertFalse(call.media()[0].mux)
        call.answer()
        self.assertTrue(call.media()[0].mux)
        self._with_rtcp(call)

    def test_rtcp_mux_on_the_callees_side_only(self):
        call = self.call(callee=self.phone("callee", mux=True))
        call.offer(rtcp_mux=["offer"])
        self.assertTrue(call.media()[0].mux)
        call.answer()
        self.assertFalse(call.media()[0].mux)
        self._with_rtcp(call)

    # what is not RTP

    def test_fax_over_udptl(self):
        call = self.call()
        for step, phone in ((call.offer, call.caller),
                            (call.answer, call.callee)):
            step(sdp.write(phone.address, sdp.image(phone.port)))
        packets = [bytes([0, number, 6, 0x40, number, 0xaa])
                   for number in range(20)]
        for data in packets:
            call.caller.send_raw(data)
            call.callee.send_raw(data[::-1])
        self.run_for(DRAIN_S)
        self.assertEqual([each.data for each in call.callee.heard], packets)
        self.assertEqual([each.data for each in call.caller.heard],
                         [each[::-1] for each in packets])

    def test_fax_from_a_stranger_is_not_relayed(self):
        call = self.call()
        for step, phone in ((call.offer, call.caller),
                            (call.answer, call.callee)):
            step(sdp.write(phone.address, sdp.image(phone.port)))
        stranger = self.phone("mallory")
        for number in range(20):
            stranger.send_raw(bytes([0, number, 1, 2]), call.caller.remote)
        self.run_for(DRAIN_S)
        self.assertEqual(call.callee.heard, [])

    def test_audio_and_fax_in_one_call(self):
        call = self.call()
        fax = self.phone("alice"), self.phone("callee")
        both = [sdp.write(phone.address, sdp.audio(phone.port),
                          sdp.image(each.port))
                for phone, each in zip((call.caller, call.callee), fax)]
        call.offer(both[0])
        call.answer(both[1])
        fax[0].aim(call.replies[1], 1)
        fax[1].aim(call.replies[0], 1)
        fax[0].send_raw(b"\0\1from the caller")
        fax[1].send_raw(b"\0\1from the callee")
        self.assert_two_way(call, 0.4)
        self.assertEqual([each.data for each in fax[1].heard],
                         [b"\0\1from the caller"])
        self.assertEqual([each.data for each in fax[0].heard],
                         [b"\0\1from the callee"])

    def test_a_refused_line_stays_refused(self):
        call = self.call()
        call.offer(sdp.write(call.caller.address,
                             sdp.audio(call.caller.port), sdp.image(41000)))
        call.answer(sdp.write(call.callee.address,
                              sdp.audio(call.callee.port), sdp.image(0)))
        self.assertEqual(call.media()[1].port, 0)
        self.assertNotEqual(call.media()[0].port, 0)
        self.assert_two_way(call, 0.3)

    def test_zrtp_passes_from_the_party_only(self):
        """RFC 6189 on a plain leg; not from anybody else."""
        hello = b"\x10\x00\x12\x34ZRTP\xde\xad\xbe\xef" + b"PZ" * 20
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        before = len(call.callee.heard)
        call.caller.send_raw(hello)
        self.phone("mallory").send_raw(hello, call.caller.remote)
        self.run_for(DRAIN_S)
        self.assertEqual([each.data for each in call.callee.heard[before:]],
                         [hello])

    def test_stun_and_dtls_do_not_pass_a_plain_leg(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        before = len(call.callee.heard)
        call.caller.send_raw(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"t" * 12)
        call.caller.send_raw(b"\x16\xfe\xfd" + b"\0" * 40)
        call.caller.send_raw(b"\x40\x00" + b"\0" * 40)
        self.run_for(DRAIN_S)
        self.assertEqual(len(call.callee.heard), before)

    # SDP as text

    def test_lines_that_are_not_ours_leave_as_they_came(self):
        call = self.call()
        mine = call.caller.sdp().replace(
            "a=ptime:20\r\n", "a=ptime:20\r\na=x-vendor:  keep  me \r\n")
        call.offer(mine)
        call.answer()
        changed = sdp.changes(mine, call.replies[0])
        for sign, line in changed:
            # rtpengine has a=ptime behind its own lines, and so do we.
            self.assertRegex(line, r"^(c=|m=audio |a=rtcp:|o=|a=ptime:)",
                             changed)
        self.assertIn("a=x-vendor:  keep  me \r\n", call.replies[0])

    def test_no_address_of_one_side_is_told_the_other(self):
        call = self.call(replace=["origin"]).connect()
        self.assertNotIn(town.ALICE4, call.replies[0])
        self.assertNotIn(town.CALLEE4, call.replies[1])
