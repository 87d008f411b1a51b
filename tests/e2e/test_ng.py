# SPDX-License-Identifier: BSD-3-Clause
"""The ng door, asked as SIP proxies ask: framing, transports, the cache of
replies, refusals, and what flags do to media."""

import json
import time

from lab import rtp, sdp, sofia, town
from lab.api import Refused
from lab.case import DRAIN_S, RelayCase
from lab.ng import Door, HttpNg, Ng

PORT = 2223
BURST = 100        # offers before each ping
PINGS = 40
PING_S = 1.0       # a client gives up after that; here it is ms
TOS = 0xb8         # EF, and not what a realm has by itself
OTHER4, OTHER6 = "10.0.0.2", "2001:db8:b::2"


class NgCase(RelayCase):
    options = {"control": {"ng": [f"127.0.0.1:{PORT}", f"[::1]:{PORT}"]}}

    def ng(self, host="127.0.0.1", ns=None, **options):
        ng = Ng(ns or self.town.core, host, PORT, **options)
        self.addCleanup(ng.close)
        return ng

    def http(self, **options):
        return HttpNg(self.api, **options)

    def ng_call(self, *flags, ng=None, caller=None, callee=None, keys=(),
                **options):
        """A call over ng that is not offered yet."""
        call = town.Call(Door(ng or self.ng(), *flags, **dict(keys)),
                         caller or self.phone("alice"),
                         callee or self.phone("callee"), **options)
        call.check = sofia.check
        self.calls.append(call)
        return call

    def offer(self, call_id, **more):
        """The keys of a plain offer of alice's."""
        return {"command": "offer", "call-id": call_id, "from-tag": "a",
                "direction": ["public", "core"],
                "sdp": sdp.write(town.ALICE4, sdp.audio(5004)), **more}

    def ended(self, call_id):
        try:
            self.api.query(call_id)
            return False
        except Refused as refused:
            self.assertEqual(refused.status, 404)
            return True

    def assert_error(self, reply, text):
        self.assertEqual(reply["result"], "error", reply)
        self.assertIn(text, reply["error-reason"])


class Doors(NgCase):
    def test_a_call_through_each_door(self):
        doors = {"IPv4": self.ng(), "IPv6": self.ng("::1"),
                 "JSON": self.ng(as_json=True), "HTTP": self.http(),
                 "HTTP and JSON": self.http(as_json=True)}
        for name, ng in doors.items():
            with self.subTest(name):
                self.assertEqual(ng.ask("ping"), {"result": "pong"})
                call = self.ng_call(ng=ng).connect()
                self.assert_two_way(call, 0.3)
                self.assertEqual(call.query()["result"], "ok")
                self.assertIn(call.call_id, ng.ask("list")["calls"])
                said = call.delete()["totals"]["RTP"]["packets"]
                self.assertEqual(said, 30)
                self.assertTrue(self.ended(call.call_id))

    def test_a_body_of_json_has_no_cookie(self):
        status, headers, said = self.api.request(
            "POST", "/ng", json.dumps(self.offer("bare")),
            {"Content-Type": "application/json"})
        self.assertEqual((status, headers.get_content_type()),
                         (200, "application/json"))
        reply = json.loads(said)
        self.assertEqual(reply["result"], "ok")
        sofia.check(reply["sdp"])
        self.http().ask("delete", call_id="bare", delete_delay=0)

    def test_another_content_type_is_not_ng(self):
        self.assertGreaterEqual(self.api.request(
            "POST", "/ng", b"1 d7:command4:pinge",
            {"Content-Type": "text/plain"})[0], 400)

    def test_what_is_malformed_gets_an_answer_or_silence(self):
        ng = self.ng()
        for body in (b"", b"d7:command4:pinge", b" d7:command4:pinge",
                     b"\x80\0"):
            with self.subTest(body):
                self.assertTrue(ng.silent(body, 0.2))
        for body, text in (
                (b"", "Invalid data (no payload)"),
                (b"4:ping", "Invalid NG data format"),
                (b"d7:command", "Could not decode bencode dictionary"),
                (b"d7:command99999999999999999999:pinge",
                 "Could not decode bencode dictionary"),
                (b"{\"command\"", "Failed to parse JSON document"),
                (b"de", "Dictionary contains no key \"command\""),
                (b"d7:command5:dancee", "Unrecognized command")):
            with self.subTest(body):
                cookie = ng.cookie().encode()
                reply = ng.exchange(cookie + b" " + body)
                self.assert_error(ng.unpack(reply)[1], text)
        self.assertEqual(ng.ask("ping")["result"], "pong")

    def test_what_is_not_supported_is_named(self):
        reply = self.ng().ask("play media", call_id="x", file="tune.wav")
        self.assertEqual(reply["result"], "error")
        self.assertIn("unsupported", reply["error-reason"].lower())
        self.assertIn("play media", str(reply))

    def test_missing_keys_have_the_known_texts(self):
        ng = self.ng()
        whole = self.offer("missing")
        for key, text in (("sdp", "No SDP body in message"),
                          ("call-id", "No call-id in message"),
                          ("from-tag", "No from-tag in message")):
            keys = {name: value for name, value in whole.items()
                    if name != key}
            self.assert_error(ng.ask("offer", keys), text)
        keys = {**whole, "command": "answer"}
        self.assert_error(ng.ask("answer", keys), "No to-tag in message")
        self.assert_error(ng.ask("answer", {**keys, "to-tag": "b"}),
                          "Unknown call-id")
        self.assert_error(ng.ask("offer", {**whole, "sdp": "v=1"}),
                          "Failed to parse SDP")
        self.assertTrue(self.ended("missing"))

    def test_unknown_wishes_are_named_and_harm_nothing(self):
        ng = self.ng()
        keys = self.offer("wishes", flags=["no-such-flag", "trust-address"],
                          **{"no-such-key": "1", "address-family": "IP6VB_O"})
        reply = ng.ask("offer", keys)
        self.assertEqual(reply["result"], "ok", reply)
        for word in ("no-such-flag", "no-such-key", "IP6VB_O"):
            self.assertIn(word, reply["warning"])
        self.assertNotIn("trust-address", reply["warning"])
        ng.ask("offer", keys)
        self.assertEqual(self.relay.log().count("no-such-flag"), 1)
        ng.ask("delete", call_id="wishes", delete_delay=0)

    def test_60_kib_come_and_go(self):
        ng = self.ng()
        lines = [f"a=x-{number}:" + "x" * 1000 for number in range(56)]
        text = sdp.write(town.ALICE4, sdp.audio(5004), *lines)
        reply = ng.ask("offer", self.offer("large", sdp=text))
        self.assertEqual(reply["result"], "ok", str(reply)[:200])
        self.assertGreater(len(reply["sdp"]), 56000)
        self.assertTrue(set(lines) <= set(reply["sdp"].split("\r\n")))
        ng.ask("delete", call_id="large", delete_delay=0)

    def test_a_ping_waits_for_nothing(self):
        """Re-offers by the hundred before each ping."""
        ng, flood = self.ng(), self.ng()
        took = []
        for number in range(PINGS * BURST):
            flood.socket.send(flood.pack(self.offer(f"load-{number % 20}")))
            if number % BURST < BURST - 1:
                continue
            before = time.monotonic()
            self.assertEqual(ng.ask("ping")["result"], "pong")
            took.append(time.monotonic() - before)
            for _ in range(BURST):
                _, reply = flood.unpack(flood.socket.recv(65536))
                self.assertEqual(reply["result"], "ok", reply)
        took.sort()
        print(f"      pings while {BURST} offers wait: median "
              f"{took[len(took) // 2] * 1e3:.2f} ms, longest "
              f"{took[-1] * 1e3:.2f} ms")
        self.assertLess(took[-1], PING_S)
        for number in range(20):
            ng.ask("delete", call_id=f"load-{number}", delete_delay=0)


class Cache(NgCase):
    def test_the_same_request_is_done_once(self):
        ng = self.ng()
        offer = ng.pack(self.offer("once"))
        first = ng.exchange(offer)
        self.assertEqual(ng.exchange(offer), first)
        delete = ng.pack({"command": "delete", "call-id": "once",
                          "delete-delay": 0})
        first = ng.exchange(delete)
        self.assertNotIn(b"warning", first)
        self.assertEqual(ng.exchange(delete), first)
        again = ng.pack({"command": "delete", "call-id": "once",
                         "delete-delay": 0})
        self.assertIn(b"warning", ng.exchange(again))

    def test_another_body_gets_a_reply_of_its_own(self):
        ng = self.ng()
        cookie = ng.cookie()
        for call_id in ("one", "two"):
            reply = ng.exchange(ng.pack(self.offer(call_id), cookie))
            self.assertEqual(ng.unpack(reply)[1]["result"], "ok")
        for call_id in ("one", "two"):
            self.assertFalse(self.ended(call_id))
            ng.ask("delete", call_id=call_id, delete_delay=0)

    def test_a_cookie_is_its_clients_own(self):
        one, two = self.ng(), self.ng()
        delete = {"command": "delete", "call-id": "mine", "delete-delay": 0}
        one.ask("offer", self.offer("mine"))
        self.assertNotIn(b"warning", one.exchange(one.pack(delete, "c")))
        self.assertIn(b"warning", two.exchange(two.pack(delete, "c")))

    def test_an_impatient_client_gets_one_call(self):
        """The same again before the reply came: whatever comes is equal."""
        ng = self.ng()
        offer = ng.pack(self.offer("hurry"))
        for _ in range(4):
            ng.socket.send(offer)
        replies = {ng.socket.recv(65536) for _ in range(4)}
        self.assertEqual(len(replies), 1)
        ng.ask("delete", call_id="hurry", delete_delay=0)


class Wildcard(NgCase):
    options = {"control": {"ng": [f"0.0.0.0:{PORT}", f"[::]:{PORT}"],
                           "ng_clients": ["10.0.0.0/24", "2001:db8:b::/64"]}}

    @classmethod
    def prepare(cls):
        cls.town.lab.address(cls.town.core, "core0", f"{OTHER4}/24",
                             f"{OTHER6}/64")

    def test_replies_come_from_the_address_that_was_asked(self):
        for host in (town.CORE4, OTHER4, town.CORE6, OTHER6):
            with self.subTest(host):
                ng = self.ng(host, self.town.callee)
                self.assertEqual(ng.ask("ping")["result"], "pong")
                self.assertEqual(ng.ask("list")["calls"], [])

    def test_others_are_not_answered(self):
        stranger = self.ng(town.PUBLIC4, self.town.alice)
        self.assertTrue(stranger.silent(b"1 d7:command4:pinge"))
        friend = self.ng(town.CORE4, self.town.callee)
        self.assertEqual(friend.ask("ping")["result"], "pong")


class Neighbours(NgCase):
    """Nobody is named in ng_clients."""

    FAR = "198.51.100.9"
    options = {"control": {"ng": [f"0.0.0.0:{PORT}"]}}

    @classmethod
    def prepare(cls):
        cls.town.lab.address(cls.town.callee, "eth0", f"{cls.FAR}/32")
        cls.town.core.ip(f"route add {cls.FAR} via {town.CALLEE4}")

    def test_who_is_private_or_on_link_is_answered(self):
        self.assertEqual(self.ng().ask("ping")["result"], "pong")
        for host, ns in ((town.CORE4, self.town.callee),
                         (town.PUBLIC4, self.town.alice)):
            with self.subTest(host):
                self.assertEqual(self.ng(host, ns).ask("ping")["result"],
                                 "pong")

    def test_who_is_public_and_far_is_not(self):
        far = self.ng(town.CORE4, self.town.callee, source=self.FAR)
        self.assertTrue(far.silent(b"1 d7:command4:pinge"))
        self.assertEqual(
            self.api.metrics()["sallyport_ng_refused_clients_total", ()], 1)


class Sources(NgCase):
    """Who may speak, as flags of offer and answer say."""

    def test_the_source_of_the_signalling_instead_of_the_sdp(self):
        caller = self.phone("lan")
        call = self.ng_call("SIP-source-address", caller=caller,
                            signalling_source=town.NAT4)
        call.offer()
        call.answer(flags=["trust-address"])
        for seconds in (0.4, 0.4):
            caller.talk(seconds)
            call.callee.talk(seconds, start=0.1)
            self.run_for(seconds + DRAIN_S)
        self.assert_heard(caller, call.callee)
        self.assertGreater(len(caller.heard), 20)

    def test_asymmetric_gets_media_at_its_sdp_wherever_it_sends_from(self):
        call = self.ng_call("asymmetric").connect()
        self.assert_two_way(call, 0.3)
        sdp_port, heard = call.caller.port, len(call.callee.heard)
        call.caller.rebind()
        call.caller.talk(0.6)
        call.callee.talk(0.6)
        self.run_for(0.6 + DRAIN_S)
        self.assertGreater(len(call.callee.heard), heard + 10)
        later = [each for each in call.caller.heard if each.at_ns
                 > call.callee.sent[-20].at_ns]
        self.assertGreater(len(later), 10)
        self.assertEqual({each.channel for each in later}, {sdp_port})

    def test_media_handover_follows_to_another_host(self):
        call = self.ng_call("media-handover").connect()
        self.assert_two_way(call, 0.3)
        other = self.phone("mallory", name="the caller elsewhere")
        other.remote = call.caller.remote
        other.talk(1.5)
        call.callee.talk(1.5)
        self.run_for(1.5 + DRAIN_S)
        self.assertGreater(len(other.frames_heard()), 25)
        self.assertGreater(
            len([each for each in call.callee.heard if each.rtp
                 and each.rtp.ssrc == other.ssrc]), 25)

    def test_without_it_nobody_takes_a_call_over(self):
        call = self.ng_call().connect()
        self.assert_two_way(call, 0.3)
        thief = self.phone("mallory")
        thief.remote = call.caller.remote
        thief.talk(0.5)
        self.assert_two_way(call, 0.5)
        self.assertEqual(thief.heard, [])


class Media(NgCase):
    def test_tos_is_on_the_wire(self):
        call = self.ng_call(keys={"TOS": TOS}).connect()
        self.assert_two_way(call, 0.3)
        for phone in (call.caller, call.callee):
            self.assertEqual({each.tos for each in phone.heard}, {TOS})

    def test_tos_is_on_the_wire_of_ipv6(self):
        call = self.ng_call(
            keys={"TOS": TOS}, caller=self.phone("alice", town.ALICE6),
            callee=self.phone("callee", town.CALLEE6)).connect()
        self.assert_two_way(call, 0.3)
        self.assertEqual({each.tos for each in call.callee.heard}, {TOS})

    def test_a_deleted_call_speaks_on_for_its_delay(self):
        call = self.ng_call().connect()
        self.assert_two_way(call, 0.3)
        call.delete(delete_delay=2)
        self.assert_two_way(call, 0.4)
        self.run_for(4, lambda: self.ended(call.call_id))
        self.assertTrue(self.ended(call.call_id))
        heard = len(call.callee.heard)
        call.caller.talk(0.2)
        self.run_for(0.2 + DRAIN_S)
        self.assertEqual(len(call.callee.heard), heard)

    def test_an_unknown_call_is_deleted_with_a_warning(self):
        ng = self.ng()
        reply = ng.ask("delete", call_id="nobody", from_tag="a")
        self.assertEqual(reply["result"], "ok")
        self.assertIn("Call-ID not found or tags didn't match",
                      reply["warning"])
        self.assert_error(ng.ask("delete", call_id="nobody",
                                 flags=["fatal"]), "Call-ID not found")

    def test_blocked_media_come_back(self):
        call = self.ng_call().connect()
        ng = call.api.ng
        self.assert_two_way(call, 0.3)
        self.assertEqual(ng.ask("block media", call_id=call.call_id)
                         ["result"], "ok")
        heard = len(call.callee.heard), len(call.caller.heard)
        call.caller.talk(0.3)
        call.callee.talk(0.3)
        self.run_for(0.3 + DRAIN_S)
        self.assertEqual((len(call.callee.heard), len(call.caller.heard)),
                         heard)
        self.assertEqual(ng.ask("unblock media", call_id=call.call_id)
                         ["result"], "ok")
        self.assert_two_way(call, 0.3)

    def test_one_side_is_silenced(self):
        call = self.ng_call().connect()
        ng = call.api.ng
        self.assert_two_way(call, 0.3)
        chosen = {"call-id": call.call_id, "from-tag": call.tags[0],
                  "flags": ["directional"]}
        self.assertEqual(ng.ask("silence media", chosen)["result"], "ok")
        heard = len(call.callee.heard)
        said = len(call.callee.sent), len(call.caller.heard)
        call.caller.talk(0.3)
        call.callee.talk(0.3)
        self.run_for(0.3 + DRAIN_S)
        came = [each.rtp.payload for each in call.callee.heard[heard:]]
        self.assertEqual(len(came), 15)
        self.assertTrue(all(set(each) <= {0xff, 0x7f} for each in came))
        self.assert_heard(call.callee, call.caller, *said)
        self.assertEqual(ng.ask("unsilence media", chosen)["result"], "ok")
        self.assert_two_way(call, 0.3)

    def test_digits_are_blocked_and_speech_is_not(self):
        call = self.ng_call().connect()
        ng = call.api.ng
        self.assert_two_way(call, 0.3)
        self.assertEqual(ng.ask("block DTMF", call_id=call.call_id)
                         ["result"], "ok")
        heard = len(call.callee.heard)
        call.caller.payload_type = 101
        call.caller.send_frame()
        call.caller.payload_type = rtp.PCMU
        call.caller.send_frame()
        self.run_for(DRAIN_S)
        self.assertEqual([each.rtp.payload_type for each
                          in call.callee.heard[heard:]], [rtp.PCMU])

    def test_the_callee_may_offer_without_naming_realms(self):
        call = self.ng_call().connect()
        self.assert_two_way(call, 0.3)
        mine, theirs = call.caller.remote, call.callee.remote
        call.offer(call.callee.sdp(version=2), by=call.callee)
        call.answer(call.caller.sdp(version=2), by=call.caller)
        self.assertEqual((call.caller.remote, call.callee.remote),
                         (mine, theirs))
        self.assert_two_way(call, 0.3)

    def test_statistics_have_the_known_sections(self):
        found = self.ng().ask("statistics")["statistics"]
        for section in ("currentstatistics", "totalstatistics"):
            self.assertIn(section, found)
        self.assertGreaterEqual(found["totalstatistics"]["uptime"], 0)


class Limits(NgCase):
    realm_changes = {"public": {"ports": "30000-30007"}}

    def test_out_of_ports_costs_one_offer(self):
        calls, ng = [], self.ng()
        try:
            for _ in range(6):
                calls.append(self.ng_call(ng=ng).connect())
        except Refused as refused:
            self.assertIn("Ran out of ports", refused.problem)
        else:
            self.fail("more calls than ports")
        self.assertGreaterEqual(len(calls), 1)
        for call in calls:
            self.assert_two_way(call, 0.3)


class Drain(NgCase):
    @classmethod
    def _stop(cls):
        if cls.relay.alive():
            super()._stop()

    def tearDown(self):
        for call in self.calls:
            call.caller.close()
            call.callee.close()

    def test_proxies_are_sent_elsewhere(self):
        ng = self.ng()
        call = self.ng_call(ng=ng).connect()
        self.api.drain()
        self.assert_error(ng.ask("offer", self.offer("late")),
                          "Parallel session limit reached")
        reply = ng.ask("offer", self.offer("later",
                                           supports=["load limit"]))
        self.assertEqual(reply["result"], "load limit")
        self.assert_two_way(call, 0.3)
        call.offer(call.caller.sdp(version=2))
        call.answer()
        self.assert_two_way(call, 0.3)
        call.delete()
        self.assertEqual(self.relay.process.wait(5), 0)
        self.assertEqual(self.relay.log_complaints(), [])
