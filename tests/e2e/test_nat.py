# SPDX-License-Identifier: BSD-3-Clause
"""Parties behind a NAT: found fast, followed, and nobody else believed."""

from lab import town
from lab.case import DRAIN_S, RelayCase


class Nat(RelayCase):
    def test_the_first_syllable_is_not_lost(self):
        """The SDP names 192.168.1.20; packets wait while the source is on
        probation, and arrive in order when it is believed."""
        call = self.nat_call().connect()
        self.assert_two_way(call, later=0.3)

    def test_a_muted_phone_hears_though_it_sends_little(self):
        """Opus without sound sends a packet every 400 ms."""
        call = self.nat_call().connect()
        for _ in range(4):
            call.caller.send_frame()
            self.run_for(0.4)
        call.callee.talk(0.3)
        self.run_for(0.3 + DRAIN_S)
        self.assert_heard(call.callee, call.caller)

    def test_a_callee_behind_a_nat(self):
        inner, home = self.phone("callee"), self.phone("lan")
        call = self.call(inner, home, from_realm="core", to_realm="public")
        call.offer()
        call.answer(signalling_source=town.NAT4)
        home.talk(1.0)
        inner.talk(0.7, start=0.3)
        self.run_for(1.0 + DRAIN_S)
        self.assert_heard(home, inner)
        self.assert_heard(inner, home)

    def test_nothing_is_sent_to_the_private_address(self):
        """Before the caller is known its audio has nowhere to go: it must
        not leave for an address of somebody's home network."""
        spy = self.phone("mallory")
        call = self.nat_call().connect()
        call.callee.talk(0.3)
        self.run_for(0.3 + DRAIN_S)
        self.assertEqual(len(call.caller.heard), 0)
        self.assertEqual(len(spy.heard), 0)

    def test_rtcp_follows_through_the_nat(self):
        call = self.nat_call().connect()
        call.caller.talk(1.0)
        call.callee.talk(0.7, start=0.3)
        self.run_for(0.2)
        call.caller.report(every=0.2)
        self.run_for(0.2)
        call.callee.report(every=0.2)
        self.run_for(0.6 + DRAIN_S)
        self.assertGreaterEqual(len(call.callee.heard_rtcp), 3)
        self.assertGreaterEqual(len(call.caller.heard_rtcp), 2)

    def test_a_nat_that_moves_the_stream_is_followed(self):
        self._move(self.nat_call().connect())

    def test_a_public_phone_that_moves_is_followed(self):
        self._move(self.call().connect())

    def _move(self, call):
        """Same address, SSRC and running sequence, another port."""
        caller, callee = call.caller, call.callee
        caller.talk()
        callee.talk(start=0.2)
        self.run_for(0.6)
        old_port = caller.port
        caller.rebind()
        moved_at = len(caller.sent)
        self.run_for(0.25)
        late = len(caller.heard)
        self.run_for(0.4)
        caller.mute()
        callee.mute()
        self.run_for(DRAIN_S)
        channels = [each.channel for each in caller.heard[late:]]
        self.assertGreater(len(channels), 15)
        self.assertNotIn(old_port, channels,
                         "audio still goes to the old port")
        came = {each.rtp.seq for each in callee.frames_heard()
                if each.rtp.ssrc == caller.ssrc}
        lost = [each.seq for each in caller.sent[moved_at:]
                if each.seq not in came]
        self.assertLessEqual(len(lost), 3, "followed within a few packets")
        self.assert_heard(callee, caller)

    def test_another_stream_of_that_address_is_not_followed(self):
        call = self.nat_call().connect()
        call.caller.talk()
        call.callee.talk(start=0.2)
        self.run_for(0.3)
        rival = self.phone("lan", name="rival")
        rival.remote = call.caller.remote
        rival.talk(0.5)
        self.run_for(0.6)
        call.caller.mute()
        call.callee.mute()
        self.run_for(DRAIN_S)
        self.assertEqual(rival.heard, [])
        self.assert_heard(call.caller, call.callee)
        self.assert_heard(call.callee, call.caller)

    def test_a_new_source_takes_over_after_silence(self):
        """The old one is silent for longer than two seconds; the phone
        comes back with another stream from another port of its NAT."""
        call = self.nat_call().connect()
        call.caller.talk(0.3)
        self.run_for(2.5)
        call.caller.rebind()
        call.caller.ssrc ^= 0x55555555
        heard = len(call.callee.heard)
        sent = len(call.caller.sent)
        call.caller.talk(0.6)
        call.callee.talk(0.3, start=0.3)
        self.run_for(0.6 + DRAIN_S)
        self.assert_heard(call.caller, call.callee, sent, heard)
        self.assert_heard(call.callee, call.caller)

    def test_signalling_that_comes_from_elsewhere_keeps_the_source(self):
        """A refresh by another SIP path: the stream's own source is as
        good as before, though neither SDP nor signalling names it now."""
        call = self.nat_call().connect()
        self.assert_two_way(call, 0.5, later=0.3)
        call.offer(signalling_source=town.ALICE4)
        call.answer()
        self.assert_two_way(call, 0.5)


class Anybody(RelayCase):
    realm_changes = {"public": {"latch": "any"}}

    def test_a_source_that_came_before_its_answer_is_answered(self):
        """No SDP and no signalling source is known of it yet."""
        inner, home = self.phone("callee"), self.phone("lan")
        call = self.call(inner, home, from_realm="core", to_realm="public")
        call.offer()
        home.talk(0.3)
        self.run_for(0.3 + DRAIN_S)
        self.assert_heard(home, inner)
        call.answer()
        self.assert_two_way(call, 0.3)


class Advertised(RelayCase):
    """The relay itself behind a 1:1 NAT."""

    realm_changes = {"public": {"advertise": ["198.51.100.7"],
                                "addresses": [town.PUBLIC4]}}

    def test_sdp_names_the_advertised_address(self):
        call = self.call()
        call.offer()
        call.answer(aim=False)
        media = call.media()[0]
        self.assertEqual(media.address, "198.51.100.7")
        self.assertNotIn(town.PUBLIC4, call.replies[-1])
        call.caller.remote = (town.PUBLIC4, media.port)
        self.assert_two_way(call, 0.5)
