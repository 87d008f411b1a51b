# SPDX-License-Identifier: BSD-3-Clause
"""Media that is kept back on request: blocked, silenced, or its DTMF events
alone; asked over HTTP and over ng, heard by real phones."""

import struct

from lab import rtp, sdp, town
from lab.case import DRAIN_S, RelayCase
from lab.ng import Door, Ng

PORT = 2223
EVENT = 101  # payload type of telephone events, as lab.sdp offers it
G722 = 9
SILENCE = {rtp.PCMU: b"\xff", rtp.PCMA: b"\xd5", G722: b"\xfd"}


class Block(RelayCase):
    options = {"control": {"ng": [f"127.0.0.1:{PORT}"]}}

    def setUp(self):
        super().setUp()
        self.ng = Ng(self.town.core, "127.0.0.1", PORT)
        self.addCleanup(self.ng.close)

    # asking

    def http(self, command, call, **fields):
        path = "/v1/" + command.replace(" ", "_").lower()
        return self.api.json("POST", path,
                             {"call_id": call.call_id, **fields})

    def over_ng(self, command, call, **keys):
        return self.ng.ask(command, call_id=call.call_id, **keys)

    def both_doors(self):
        """(name, function of command, call and the tag that is meant)"""
        yield "http", lambda command, call, tag: self.http(
            command, call, from_tag=tag)
        yield "ng", lambda command, call, tag: self.over_ng(
            command, call, from_tag=tag, flags=["directional"])

    # phones

    def pair(self, payload_type=rtp.PCMU, door=None, codecs=None):
        """A call whose phones talk @payload_type."""
        phones = [self.phone(each, payload_type=payload_type)
                  for each in ("alice", "callee")]
        call = self.call(*phones)
        if door:
            call.api = door
        text = [each.sdp() for each in phones]
        if codecs:
            text = [each.replace("RTP/AVP 0 8 101", codecs[0]).replace(
                "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000", codecs[1])
                for each in text]
        call.offer(text[0])
        call.answer(text[1])
        return call

    def press(self, phone, events=3):
        for _ in range(events):
            phone.send_raw(rtp.pack(
                struct.pack("!BBH", 5, 0x8a, 800), phone.seq,
                phone.timestamp, phone.ssrc, EVENT))
            phone.seq = (phone.seq + 1) & 0xffff

    def talk(self, call, seconds=0.4):
        """Both talk, press a key and report; returns the RTP that the
        caller and the callee heard, events apart, and the events."""
        pair = call.caller, call.callee
        before = [(len(each.heard), len(each.heard_rtcp), len(each.sent))
                  for each in pair]
        for each in pair:
            each.talk(seconds)
            self.press(each)
            each.report()
        self.run_for(seconds + DRAIN_S)
        heard, events = [], []
        for each, (at, reports, _) in zip(pair, before):
            new = [one.rtp for one in each.heard[at:]]
            heard.append([one for one in new if one.payload_type != EVENT])
            events.append([one for one in new if one.payload_type == EVENT])
            self.assertEqual(len(each.heard_rtcp) - reports, 1,
                             "reports pass whatever is blocked")
        self.said = [each.sent[at:] for each, (_, _, at)
                     in zip(pair, before)]
        return heard, events

    def assert_all(self, heard, said):
        self.assertGreater(len(said), 10)
        self.assertEqual([(each.seq, each.payload) for each in heard],
                         [(each.seq, each.payload) for each in said])

    def assert_silence_of(self, heard, said, byte):
        """Every packet came, and none of what it said."""
        self.assertGreater(len(said), 10)
        self.assertEqual([each.seq for each in heard],
                         [each.seq for each in said])
        self.assertEqual({each.payload for each in heard},
                         {byte * rtp.FRAME})

    # what is blocked

    def test_one_party_is_blocked_and_the_other_is_not(self):
        for name, ask in self.both_doors():
            with self.subTest(door=name):
                call = self.pair()
                ask("block media", call, call.tags[0])
                (caller, callee), events = self.talk(call)
                self.assertEqual(callee, [])
                self.assertEqual(len(events[1]), 3, "events still pass")
                self.assert_all(caller, self.said[1])
                ask("unblock media", call, call.tags[0])
                (caller, callee), _ = self.talk(call)
                self.assert_all(callee, self.said[0])
                self.assert_all(caller, self.said[1])
                call.delete()

    def test_all_of_a_call_is_blocked(self):
        for name, ask in (("http", self.http), ("ng", self.over_ng)):
            with self.subTest(door=name):
                call = self.pair()
                ask("block media", call)
                heard, _ = self.talk(call)
                self.assertEqual(heard, [[], []])
                ask("unblock media", call)
                (caller, callee), _ = self.talk(call)
                self.assert_all(callee, self.said[0])
                self.assert_all(caller, self.said[1])
                call.delete()

    def test_silence_is_silent_in_each_codec_that_has_one(self):
        codecs = {G722: ("RTP/AVP 9 101", "a=rtpmap:9 G722/8000")}
        for payload_type, byte in SILENCE.items():
            for name, ask in self.both_doors():
                with self.subTest(payload_type=payload_type, door=name):
                    call = self.pair(payload_type,
                                     codecs=codecs.get(payload_type))
                    reply = ask("silence media", call, call.tags[1])
                    self.assertFalse(reply.get("warnings"), reply)
                    self.assertNotIn("warning", reply)
                    (caller, callee), events = self.talk(call)
                    self.assert_silence_of(caller, self.said[1], byte)
                    self.assertEqual(len(events[0]), 3)
                    self.assert_all(callee, self.said[0])
                    ask("unsilence media", call, call.tags[1])
                    (caller, _), _ = self.talk(call, 0.3)
                    self.assert_all(caller, self.said[1])
                    call.delete()

    def test_what_has_no_silence_is_blocked_and_the_reply_says_so(self):
        codecs = "RTP/AVP 111 101", "a=rtpmap:111 opus/48000/2"
        for name, ask in self.both_doors():
            with self.subTest(door=name):
                call = self.pair(111, codecs=codecs)
                reply = ask("silence media", call, call.tags[0])
                self.assertIn("111", str(reply.get("warnings")
                                         or reply.get("warning")))
                (caller, callee), events = self.talk(call)
                self.assertEqual(callee, [])
                self.assertEqual(len(events[1]), 3)
                self.assert_all(caller, self.said[1])
                call.delete()

    def test_events_are_blocked_while_audio_passes(self):
        for name, ask in self.both_doors():
            with self.subTest(door=name):
                call = self.pair()
                ask("block DTMF", call, call.tags[0])
                (_, callee), events = self.talk(call)
                self.assert_all(callee, self.said[0])
                self.assertEqual([len(each) for each in events], [3, 0])
                ask("unblock DTMF", call, call.tags[0])
                _, events = self.talk(call)
                self.assertEqual([len(each) for each in events], [3, 3])
                call.delete()

    def test_a_block_outlives_a_new_offer(self):
        call = self.pair()
        self.http("block media", call, from_tag=call.tags[0])
        call.offer()
        call.answer()
        (caller, callee), _ = self.talk(call)
        self.assertEqual(callee, [])
        self.assert_all(caller, self.said[1])

    def test_a_blocked_party_is_not_missed(self):
        """Who is blocked sends all the same: the call counts it."""
        call = self.pair()
        self.http("block media", call)
        self.talk(call)
        packets = [each["media"][0]["packets"]
                   for each in call.query()["parties"]]
        self.assertTrue(all(count > 10 for count in packets), packets)

    # who is meant

    def test_ng_finds_parties_as_rtpengine_does(self):
        call = self.pair(door=Door(self.ng, label="L"))
        names = {"label": "L", "address": town.CALLEE4}
        for key, value in names.items():
            self.assertEqual(self.over_ng("block media", call, from_tag="x",
                                          **{key: value})["result"], "ok")
        # Both are called L, and the caller is the first.
        self.assertEqual(self.talk(call, 0.2)[0], [[], []])
        self.over_ng("unblock media", call)
        self.assertEqual(self.talk(call, 0.2)[0], [[], []],
                         "each was blocked by itself")
        self.over_ng("unblock media", call, flags=["all"])
        (caller, callee), _ = self.talk(call)
        self.assert_all(caller, self.said[1])
        self.assert_all(callee, self.said[0])

    def test_ng_says_what_it_did_not_find_in_known_words(self):
        call = self.pair()
        directional = {"flags": ["directional"], "from_tag": call.tags[0]}
        for keys, text in (
                ({"label": "x"}, "No monologue matching the given label"),
                ({"address": "192.0.2.1"},
                 "Failed to match address to any tag"),
                ({"flags": ["directional"], "from_tag": "x"},
                 "From-tag given, but no such tag exists"),
                ({"to_tag": "x", **directional},
                 "Media flow not found (to-tag not found)"),
                ({"to_label": "x", **directional},
                 "Media flow not found (to-label not found)")):
            reply = self.over_ng("block media", call, **keys)
            self.assertEqual(reply["result"], "error", keys)
            self.assertEqual(reply["error-reason"], text)
        reply = self.ng.ask("block media", call_id="nobody")
        self.assertEqual(reply["error-reason"], "Unknown call-ID")
        (caller, callee), _ = self.talk(call, 0.3)
        self.assert_all(callee, self.said[0])
        self.assert_all(caller, self.said[1])

    def test_http_says_what_it_did_not_find(self):
        call = self.pair()
        refused = self.assert_refused(404, self.http, "block media", call,
                                      from_tag="x")
        self.assertTrue(refused.problem["type"].endswith("unknown-tag"))
        self.assert_refused(400, self.http, "block media", call, to_tag="x")
