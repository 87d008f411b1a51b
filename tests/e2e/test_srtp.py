# SPDX-License-Identifier: BSD-3-Clause
"""SRTP on one side, RTP or another SRTP on the other: every suite, RTCP,
families, what a packet may have, and what keys may ask for. Each engine once;
one class asks over HTTP, the other over ng."""

import struct

from lab import rtp, srtp, town
from lab.case import DRAIN_S
from lab.srtp_case import SAVP, SrtpCase

ALL = list(srtp.SUITES)


def with_extras(phone, payload, csrcs=2, words=3):
    """A packet with CSRCs and a header extension (RFC 8285)."""
    head = struct.pack("!BBHII", 0x90 | csrcs, 0, phone.seq, phone.timestamp,
                       phone.ssrc)
    head += b"".join(struct.pack("!I", 1000 + each) for each in range(csrcs))
    head += struct.pack("!HH", 0xbede, words) + bytes([0x12]) + b"abc" * 3
    return head.ljust(12 + 4 * csrcs + 4 + 4 * words, b"\0") + payload


class IpsecMb(SrtpCase):
    options = {**SrtpCase.options, "dataplane": {"srtp": "ipsec-mb"}}

    def pair(self, caller, callee, **offer):
        return self.connect(self.call(caller, callee), **offer)

    def test_every_suite_both_ways(self):
        """SRTP callers and callees of RTP phones, with one port and two."""
        calls = []
        for suite in ALL:
            for mux in (False, True):
                calls.append(self.pair(
                    self.srtp_phone(suites=[suite], mux=mux),
                    self.phone("callee", mux=mux)))
                calls.append(self.pair(
                    self.phone("alice", mux=mux),
                    self.srtp_phone("callee", suites=[suite], mux=mux),
                    sdes=[f"only-{suite}"]))
        for call in calls:
            self.assert_own_keys(call)
            self.assertEqual(
                ["crypto" in each for each in call.replies],
                [isinstance(call.callee, srtp.SrtpPhone),
                 isinstance(call.caller, srtp.SrtpPhone)])
        self.assert_all_two_way(calls)
        chosen = [(1, suite) for suite in ALL for _ in (False, True)]
        self.assertEqual([call.caller.chosen for call in calls[::2]], chosen)
        self.assertEqual([call.callee.chosen for call in calls[1::2]], chosen)

    def test_between_different_suites_and_keys(self):
        calls = [self.pair(self.srtp_phone(suites=[one]),
                           self.srtp_phone("callee", suites=[two]),
                           sdes=[f"only-{two}"])
                 for one, two in zip(ALL, ALL[1:] + ALL[:1])]
        calls += [self.pair(self.srtp_phone(suites=[suite]),
                            self.srtp_phone("callee", suites=[suite]))
                  for suite in ALL]
        for call in calls:
            self.assert_own_keys(call)
        self.assert_all_two_way(calls)

    def test_equal_keys_on_both_legs_are_still_opened(self):
        """SEC-7: what is not authentic goes nowhere."""
        caller, callee = self.srtp_phone(), self.srtp_phone("callee")
        callee.own = dict(caller.own)
        call = self.pair(caller, callee)
        self.assert_two_way(call, 0.2)
        for sealed in (srtp.invented(caller.ssrc, caller.seq),
                       srtp.bad_tag(caller.sender.protect(rtp.pack(
                           b"?" * 160, caller.seq + 1, 0, caller.ssrc)))):
            caller.send_raw(sealed)
        self.run_for(DRAIN_S)
        self.assertEqual(self.dropped(call)["srtp_auth"], 2)
        caller.seq = (caller.seq + 2) & 0xffff
        self.assert_two_way(call, 0.2)

    def test_families_and_realms(self):
        calls = []
        for caller, callee in (
                ((town.ALICE6,), (town.CALLEE4,)),
                ((town.ALICE4,), (town.CALLEE6,)),
                ((town.ALICE6,), (town.CALLEE6,))):
            for secure in ((True, False), (False, True), (True, True)):
                phones = [
                    (self.srtp_phone if keyed else self.phone)(where, *at)
                    for where, at, keyed in zip(("alice", "callee"),
                                                (caller, callee), secure)]
                call = self.call(*phones)
                self.connect(call, address_family="IP6" if ":" in callee[0]
                             else "IP4")
                calls.append(call)
        self.assert_all_two_way(calls)

    def test_behind_a_nat(self):
        caller = self.srtp_phone("lan")
        call = self.bridge(caller, signalling_source=town.NAT4)
        self.assert_two_way(call, 0.4, later=0.1)

    def test_an_mki_is_read_and_written(self):
        calls = [self.pair(self.srtp_phone(suites=[suite], mki_len=size),
                           self.phone("callee"))
                 for suite in ALL for size in (1, 4)]
        for call in calls:
            self.assertEqual(len(srtp.read(call.replies[1])[0].mki),
                             call.caller.mki_len)
        self.assert_all_two_way(calls)

    def test_session_parameters_are_kept_to(self):
        calls = [self.pair(self.srtp_phone(parameters=[name]),
                           self.phone("callee"))
                 for name in ("UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP",
                              "UNAUTHENTICATED_SRTP")]
        for call in calls:
            self.assertEqual(srtp.read(call.replies[1])[0].parameters,
                             call.caller.parameters and tuple(
                                 call.caller.parameters))
        self.assert_all_two_way(calls)

    def test_base64_without_padding_is_read_and_never_written(self):
        caller = self.srtp_phone(suites=[srtp.GCM_256], padding=False)
        call = self.pair(caller, self.phone("callee"))
        self.assertIn("=", call.replies[1].split("inline:")[1].split()[0])
        self.assert_two_way(call, 0.2)

    def test_extensions_csrcs_and_empty_payloads(self):
        for suite in (srtp.CM_128_80, srtp.CM_256_32, srtp.GCM_128):
            with self.subTest(suite):
                call = self.pair(self.srtp_phone(suites=[suite]),
                                 self.phone("callee"))
                self.assert_two_way(call, 0.1)
                for talker, listener in ((call.caller, call.callee),
                                         (call.callee, call.caller)):
                    packets = []
                    for size in (0, 1, 4, 15, 16, 17, 160, 1200):
                        packets.append(with_extras(talker, b"x" * size))
                        talker.seq = (talker.seq + 1) & 0xffff
                        talker.send_raw(talker.seal(packets[-1]))
                        packets.append(rtp.pack(b"", talker.seq, 0,
                                                talker.ssrc))
                        talker.seq = (talker.seq + 1) & 0xffff
                        talker.send_raw(talker.seal(packets[-1]))
                    heard = len(listener.heard)
                    self.run_for(DRAIN_S)
                    self.assertEqual(
                        [each.data for each in listener.heard[heard:]],
                        packets)
                    self.assertEqual(listener.unreadable, [])

    def test_what_is_too_long_for_the_link_is_dropped(self):
        """A tag more may be a byte too much; the call goes on."""
        call = self.pair(self.phone("alice"), self.srtp_phone("callee"))
        self.assert_two_way(call, 0.1)
        heard = len(call.callee.heard)
        for size in (1462, 1472):
            call.caller.send_raw(rtp.pack(
                b"x" * (size - 12), call.caller.seq, 0, call.caller.ssrc))
            call.caller.seq = (call.caller.seq + 1) & 0xffff
        self.run_for(DRAIN_S)
        self.assertEqual([len(each.data) for each
                          in call.callee.heard[heard:]], [1462])
        self.assertEqual(self.dropped(call)["too_big"], 1)
        self.assert_two_way(call, 0.2)

    def test_the_answer_has_one_key_and_the_tag_of_its_line(self):
        caller = self.srtp_phone(
            suites=[srtp.GCM_256, srtp.CM_256_32, srtp.CM_128_80])
        call = self.pair(caller, self.phone("callee"))
        answer, = srtp.read(call.replies[1])
        self.assertEqual((answer.tag, answer.suite), (1, srtp.GCM_256))
        self.assertEqual(call.media()[0].protocol, SAVP)

    def test_an_offer_is_short(self):
        """At most four suites: SIP over UDP must fit the MTU."""
        call = self.pair(self.phone("alice"), self.srtp_phone("callee"))
        offered = srtp.read(call.replies[0])
        self.assertEqual(offered[0].suite, srtp.CM_128_80)
        self.assertLessEqual(len(offered), 4)
        self.assertEqual(len({each.key for each in offered}), len(offered))
        self.assertEqual(len({each.tag for each in offered}), len(offered))


class Libsrtp(IpsecMb):
    """The same with the other engine, and over ng."""

    options = {**SrtpCase.options, "dataplane": {"srtp": "libsrtp"}}

    def pair(self, caller, callee, **offer):
        return self.connect(self.ng_call(caller, callee), **offer)
