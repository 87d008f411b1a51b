# SPDX-License-Identifier: BSD-3-Clause
"""SRTP and those without the key: SEC-6, 21 to 23; and who has the key and
moves."""

import os

from lab import rtp, srtp
from lab.attack import Forge
from lab.case import DRAIN_S
from lab.srtp_case import SrtpCase
from lab.stalls import excused, undisturbed

# A fifth of the full rate: a shared core of a small machine carries the
# kernel's part of that, veth and all, and the relay beside it.
SURE = 20000
RATE = int(os.environ.get("SRTP_FLOOD_RATE", SURE))
RING = 2048  # packets that wait for the relay at most
FLOOD_S = float(os.environ.get("SRTP_FLOOD_SECONDS", "3"))


class Forged(SrtpCase):
    def forgeries(self, phone):
        """What nobody with the key has sent, from the right address."""
        good = phone.sender.protect(rtp.pack(
            b"?" * 160, phone.seq, phone.timestamp, phone.ssrc))
        phone.seq = (phone.seq + 1) & 0xffff
        yield srtp.bad_tag(good)
        yield srtp.bad_body(good)
        for at in (1, 2, 3, 4, 8, 11):  # of the header, which is signed
            yield good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]
        yield good[:-1]
        yield good + b"\0"
        yield good[:12]
        yield good[:23]
        yield srtp.invented(phone.ssrc, phone.seq)
        yield srtp.invented(phone.ssrc, phone.seq + 30000)
        yield srtp.invented(phone.ssrc ^ 1, phone.seq)
        yield rtp.pack(b"in the clear".ljust(160), phone.seq, 0, phone.ssrc)
        other = srtp.Context(srtp.Keys.new(phone.chosen[1]), True)
        yield other.protect(rtp.pack(b"?" * 160, phone.seq, 0, phone.ssrc))
        other.close()

    def test_forgeries_change_nothing(self):
        """From the party's own socket, between its words, in each suite."""
        for suite in srtp.SUITES:
            with self.subTest(suite):
                call = self.bridge(self.srtp_phone(suites=[suite]))
                self.assert_burst(call)
                before = self.dropped(call)
                heard = len(call.callee.heard)
                count = 0
                for each in self.forgeries(call.caller):
                    call.caller.send_raw(each)
                    count += 1
                self.run_for(DRAIN_S)
                after = self.dropped(call)
                self.assertEqual(len(call.callee.heard), heard)
                change = {name: after[name] - before.get(name, 0)
                          for name in after
                          if after[name] != before.get(name, 0)}
                self.assertEqual(sum(change.values()), count, change)
                self.assertGreaterEqual(change["srtp_auth"], 10, change)
                # What is too old need not be looked at.
                self.assertLessEqual(set(change), {
                    "srtp_auth", "srtp_replay", "malformed"}, change)
                self.assert_burst(call)

    def test_a_forged_roll_over_does_not_happen(self):
        """Invented packets around the wrap, from the right address: the
        rollover counter is the party's alone."""
        caller = self.srtp_phone()
        self.set_seq(caller, 0xfff0)
        call = self.bridge(caller)
        self.assert_burst(call, 10)
        for seq in list(range(0xff00, 0x10000, 8)) + list(range(0, 600, 8)):
            caller.send_raw(srtp.invented(caller.ssrc, seq))
        self.run_for(DRAIN_S)
        self.assert_burst(call, 30)
        self.assertEqual(self.roc_of(caller, call.callee), 1)

    def test_what_was_heard_once_is_not_heard_again(self):
        """SEC-22: recorded on the path, sent again from the same place and
        from another; and it moves nothing."""
        call = self.bridge()
        recorded = []
        seal = call.caller.seal

        def record(packet, rtcp=False):
            sealed = seal(packet, rtcp)
            if not rtcp:
                recorded.append(sealed)
            return sealed

        call.caller.seal = record
        self.assert_burst(call, 30)
        heard = len(call.callee.heard)
        thief = self.phone("mallory")
        for each in recorded:
            call.caller.send_raw(each)
            thief.send_raw(each, call.caller.remote)
        self.run_for(DRAIN_S)
        self.assertEqual(len(call.callee.heard), heard)
        self.assertEqual(self.dropped(call)["srtp_replay"],
                         2 * len(recorded))
        self.assert_burst(call)
        self.assertEqual(thief.heard, [])

    def test_rtcp_is_authentic_or_goes_nowhere(self):
        call = self.bridge()
        self.assert_burst(call)
        report = rtp.sender_report(call.caller.ssrc, 1, 2, 3)
        sealed = call.caller.sender.protect(report, True)
        call.caller.send_raw(sealed, channel="rtcp")
        self.run_for(DRAIN_S)
        self.assertEqual([each.data for each in call.callee.heard_rtcp],
                         [report])
        for bad in (sealed, srtp.bad_tag(sealed), report, sealed[:-1],
                    sealed[:8], call.caller.sender.protect(
                        report, True)[:-4]):
            call.caller.send_raw(bad, channel="rtcp")
        self.run_for(DRAIN_S)
        self.assertEqual(len(call.callee.heard_rtcp), 1)
        self.assertGreaterEqual(self.dropped(call)["srtp_replay"], 1)
        call.caller.report()
        self.run_for(DRAIN_S)
        self.assertEqual(len(call.callee.heard_rtcp), 2)

    def test_only_so_many_sources_under_one_key(self):
        """SEC-31: a ninth SSRC is not heard, and the eight go on."""
        call = self.bridge()
        self.assert_burst(call)
        caller = call.caller
        mine = caller.ssrc
        for number in range(1, 10):
            caller.ssrc = (mine + number) & 0xffffffff
            said = self.said(caller, 2)
            heard = self.payloads(call.callee)[-2:]
            self.assertEqual(heard == said, number < 8, number)
        self.assertEqual(self.dropped(call)["srtp_limit"], 4)
        caller.ssrc = mine
        self.assert_burst(call)


class Moving(SrtpCase):
    """Latch policy of SRTP legs: who has the key is followed."""

    def assert_followed(self, call, new):
        """What the callee says arrives at @new, soon."""
        for _ in range(30):
            new.send_frame()
            call.callee.send_frame()
            self.run_for(0.02)
        self.run_for(DRAIN_S)
        self.assertGreater(len(self.payloads(new)), 10)
        self.assertEqual(self.payloads(call.callee)[-30:],
                         [each.payload for each in new.sent[-30:]])
        call.caller = new
        self.assert_burst(call)

    def test_a_nat_gives_another_port(self):
        call = self.bridge()
        self.assert_burst(call)
        call.caller.rebind()
        del call.caller.heard[:]
        self.assert_followed(call, call.caller)

    def test_another_address_is_followed_without_a_word_of_sip(self):
        """From one network to another: only the key says who it is."""
        call = self.bridge()
        self.assert_burst(call)
        new = self.srtp_phone("mallory", name="alice elsewhere")
        new.inherit(call.caller)
        self.assert_followed(call, new)

    def test_an_address_that_sdp_does_not_have_is_believed_at_once(self):
        """The first packet with the right key, no probation."""
        caller = self.srtp_phone("lan")
        call = self.bridge(caller)  # without a word of where its SIP came from
        caller.send_frame()
        self.run_for(DRAIN_S)
        self.assertEqual(len(call.callee.heard), 1)
        call.callee.send_frame()
        self.run_for(DRAIN_S)
        self.assertEqual(len(caller.heard), 1)
        self.assert_burst(call)

    def test_without_the_key_nobody_takes_a_call_over(self):
        call = self.bridge()
        self.assert_burst(call)
        thieves = [self.phone("mallory"), self.phone("alice"),
                   self.srtp_phone("mallory")]
        thieves[2].sender = srtp.Context(srtp.Keys.new(), True)
        for thief in thieves:
            thief.remote = call.caller.remote
            thief.talk(0.5)
        self.assert_two_way(call, 0.5)
        self.assertEqual([each.heard for each in thieves], [[]] * 3)

    def test_a_copy_that_is_quicker_moves_nothing(self):
        """Every packet of the party's comes from a thief first, now and
        then: the holder keeps the call."""
        call = self.bridge()
        self.assert_burst(call)
        thief = self.phone("mallory")
        seal = call.caller.seal
        count = 0

        def race(packet, rtcp=False):
            nonlocal count
            sealed = seal(packet, rtcp)
            count += 1
            if count % 3 == 0:
                thief.send_raw(sealed, call.caller.remote)
            return sealed

        call.caller.seal = race
        heard = len(call.caller.heard)
        for _ in range(40):
            call.caller.send_frame()
            call.callee.send_frame()
            self.run_for(0.01)
        self.run_for(DRAIN_S)
        self.assertEqual(thief.heard, [])
        self.assertEqual(len(call.caller.heard) - heard, 40)


class Flood(SrtpCase):
    """SEC-23, scaled: forged packets at a rate into one leg. Release build;
    SRTP_FLOOD_RATE=100000 and SRTP_FLOOD_SECONDS for a machine with cores of
    its own."""

    speed = True
    options = {**SrtpCase.options, "wrapper": ["nice", "-n", "-20"]}

    def test_a_flood_of_bad_tags_costs_nobody_a_packet(self):
        undisturbed(self, self._flood)

    def _flood(self, stalls):
        calls = [self.bridge(), self.bridge(
            self.srtp_phone(suites=[srtp.GCM_128])), self.bridge(
            self.phone("alice"), self.srtp_phone("callee")), self.bridge(
            self.phone("alice"), self.phone("callee"))]
        self.assert_all_two_way(calls)
        before = self.api.verdicts()
        forge = Forge(self.town.lab, self.town.mallory, calls[0].caller,
                      RATE, FLOOD_S)
        self.run_for(0.2)
        with excused(stalls, RING / RATE):
            self.assert_all_two_way(calls, FLOOD_S - 0.8)
        self.assertTrue(forge.running(), "the flood lasted to the end")
        sent, seconds = forge.wait()
        self.run_for(DRAIN_S)
        after = self.api.verdicts()
        # Some have numbers that the party has used by then.
        refused = sum(after[name] - before[name]
                      for name in ("srtp_auth", "srtp_replay"))
        print(f"      {sent} forged packets in {seconds:.1f} s "
              f"({sent / seconds:.0f} a second), {refused} reached the relay;"
              " nothing was lost", flush=True)
        self.assertGreater(sent / seconds, min(RATE, SURE) * 0.8)
        self.assertLessEqual(refused, sent)
        self.assertGreater(refused, 0.9 * sent)
        self.assert_all_two_way(calls)
