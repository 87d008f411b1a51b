# SPDX-License-Identifier: BSD-3-Clause
"""Bad input of every kind costs nothing but itself."""

import json
import random
import socket
import time

from lab import rtp, sdp, town
from lab.case import DRAIN_S, RelayCase

BAD = 400, 422
JSON = {"Content-Type": "application/json"}
GOOD = sdp.write("203.0.113.20", sdp.audio(40000))


class BadInput(RelayCase):
    """One call talks all the time; it must not lose a packet by any of
    this, and no half of a refused request may stay behind."""

    realm_changes = {"public": {"ports": "30000-39999"},
                     "core": {"ports": "20000-29999"}}

    def setUp(self):
        super().setUp()
        self.steady = self.call().connect()
        self.steady.caller.talk()
        self.steady.callee.talk()
        self.ids = self._ids()

    def tearDown(self):
        try:
            self.run_for(0.1)
            self.steady.caller.mute()
            self.steady.callee.mute()
            self.run_for(DRAIN_S)
            self.assert_heard(self.steady.caller, self.steady.callee)
            self.assert_heard(self.steady.callee, self.steady.caller)
            self.assertEqual(self._ids(), self.ids, "a refused call stayed")
        finally:
            super().tearDown()

    def _ids(self):
        return [each["call_id"] if isinstance(each, dict) else each
                for each in self.api.list(limit=1000)["calls"]]

    def _post(self, body, path="/v1/offer", status=BAD):
        self.run_for(0.001)
        got, headers, text = self.api.request(
            "POST", path, body, JSON)
        self.assertIn(got, status, text[:300])
        self.assertEqual(headers.get_content_type(),
                         "application/problem+json")
        problem = json.loads(text)
        for key in ("type", "title", "status", "detail"):
            self.assertIn(key, problem)
        return problem

    def _offer(self, **changes):
        fields = {"call_id": "bad", "from_tag": "f", "sdp": GOOD,
                  "from_realm": "public", "to_realm": "core", **changes}
        return json.dumps({key: value for key, value in fields.items()
                           if value is not ...})

    # JSON

    def test_json_that_is_none(self):
        for body in ("", "{", "[]", "1", "null", '"x"', "{}", "\0\0", "}{",
                     '{"call_id":"a","call_id":"b"}', "{'call_id':'x'}",
                     b"\xff\xfe\xfd", '{"call_id":"\ud800"}'.encode(
                         "utf-8", "surrogatepass"), "[" * 5000):
            with self.subTest(body=body[:40]):
                self._post(body)

    def test_fields_that_are_wrong(self):
        for change in ({"call_id": ...}, {"from_tag": ...}, {"sdp": ...},
                       {"call_id": 7}, {"call_id": ""}, {"sdp": ["v=0"]},
                       {"call_id": "x" * 5000}, {"from_realm": "nowhere"},
                       {"signalling_source": "not an address"},
                       {"signalling_source": "1.2.3"}, {"frm_tag": "typo"},
                       {"rtcp_mux": "offer"}, {"rtcp_mux": ["ofer"]},
                       {"replace": ["orgin"]}, {"address_family": "IP5"},
                       {"ice": "force-field"}, {"latch": "none"}):
            with self.subTest(change=change):
                self._post(self._offer(**change))

    def test_a_typo_is_met_with_a_suggestion(self):
        problem = self._post(self._offer(signaling_source="192.0.2.1"))
        self.assertIn("signalling_source", problem["detail"])

    # SDP

    def test_sdp_that_is_none(self):
        audio = sdp.audio(40000)
        for text in (
                "", "hello", "v=0", "v=1\r\n" + GOOD[5:], GOOD[:30],
                GOOD.replace("c=IN IP4 203.0.113.20\r\n", ""),
                GOOD.replace("m=audio 40000", "m=audio 70000"),
                GOOD.replace("m=audio 40000", "m=audio -1"),
                GOOD.replace("m=audio 40000", "m=audio x"),
                GOOD.replace("c=IN IP4 203", "c=IN IP4 999"),
                GOOD.replace("c=IN IP4", "c=IN IP6"),
                GOOD.replace("RTP/AVP 0", "RTP/AVP 300"),
                "\0" * 100, "v=0\0" + GOOD[3:],
                sdp.write("203.0.113.20", *[audio] * 33),
                sdp.write("203.0.113.20", audio + "\r\na=x" * 2000)):
            with self.subTest(text=text[:60]):
                self._post(self._offer(sdp=text))

    def test_random_damage_to_sdp(self):
        """Cut, swapped or overwritten anywhere: 200 or a problem, always."""
        dice = random.Random(7)
        for number in range(150):
            text = list(GOOD)
            for _ in range(dice.randrange(1, 4)):
                at = dice.randrange(len(text))
                kind = dice.randrange(3)
                if kind == 0:
                    del text[at:at + dice.randrange(1, 20)]
                elif kind == 1:
                    text[at] = chr(dice.randrange(1, 256))
                else:
                    text[at:at] = text[:dice.randrange(1, 40)]
            status, _, body = self.api.request(
                "POST", "/v1/offer",
                self._offer(call_id=f"damaged{number}", sdp="".join(text)),
                JSON)
            self.assertIn(status, (200, 400, 403, 422), body[:300])
            if status == 200:
                self.api.delete(f"damaged{number}")
            self.run_for(0.001)

    # HTTP

    def test_paths_and_methods_that_are_none(self):
        for method, path, status in (
                ("GET", "/", (404,)), ("GET", "/v1/offer", (405,)),
                ("POST", "/v1/nothing", (404,)), ("PUT", "/v1/offer", (405,)),
                ("DELETE", "/healthz", (405,)),
                ("GET", "/v1/calls/nobody", (404,)),
                ("DELETE", "/v1/calls/nobody", (404,)),
                ("GET", "/v1/calls/" + "x" * 3000, BAD),
                ("GET", "/v1/calls?limit=x", BAD),
                ("GET", "/v1/calls/%zz", BAD)):
            with self.subTest(method=method, path=path[:40]):
                got, headers, _ = self.api.request(method, path)
                self.assertIn(got, status)
                self.assertEqual(headers.get_content_type(),
                                 "application/problem+json")

    def test_a_body_that_is_too_large(self):
        self._post(self._offer(sdp="x" * 70000), status=(413,))
        status, _, _ = self.api.request(
            "POST", "/v1/offer", b"x",
            {**JSON, "Content-Length": "99999999"})
        self.assertEqual(status, 413)

    def test_unknown_and_misplaced_calls(self):
        for path, body, status in (
                ("/v1/delete", {"call_id": "nobody"}, 404),
                ("/v1/answer", {"call_id": "nobody", "from_tag": "a",
                                "to_tag": "b", "sdp": GOOD}, 404)):
            with self.subTest(path=path):
                self._post(json.dumps(body), path, (status,))

    def test_noise_on_the_http_port(self):
        dice = random.Random(11)
        for data in (b"\r\n" * 50, b"GET", b"\x16\x03\x01" + b"\0" * 300,
                     b"POST /v1/offer HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                     b"POST /v1/offer HTTP/1.1\r\nTransfer-Encoding: chunked"
                     b"\r\n\r\nffffffffffff\r\n",
                     b"GET /" + b"a" * 70000, dice.randbytes(4000)):
            with self._connect() as sock:
                try:
                    sock.sendall(data)
                    self.run_for(0.01)
                except OSError:
                    pass  # it was thrown out before it had said all

    def test_clients_that_stall_do_not_stall_others(self):
        stuck = [self._connect() for _ in range(30)]
        try:
            for sock in stuck:
                sock.sendall(b"POST /v1/offer HTTP/1.1\r\nHost: x\r\n"
                             b"Content-Length: 1000\r\n\r\n{")
            start = time.monotonic()
            call = self.call().connect()
            call.delete()
            self.assertLess(time.monotonic() - start, 0.5)
        finally:
            for sock in stuck:
                sock.close()

    def _connect(self):
        sock = self.town.core.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(2)
        sock.connect(("127.0.0.1", 8080))
        return sock

    # packets

    def test_packets_that_are_no_rtp(self):
        victim = self.call().connect()
        self.ids = self._ids()
        self.assert_two_way(victim, 0.2)
        before = self.api.verdicts()
        voice = rtp.pack(b"v" * 160, 1, 1, victim.caller.ssrc)
        bad = [b"", b"\x80", voice[:11], b"\x40" + voice[1:],
               b"\x00" + voice[1:], b"\x8f" + voice[1:13],
               b"\x90" + voice[1:14], b"\x90" + voice[1:12]
               + b"\xbe\xde\xff\xff" + b"\0" * 20, b"\xff" * 40]
        heard = len(victim.callee.heard)
        for data in bad:
            victim.caller.send_raw(data)
        self.run_for(DRAIN_S)
        after = self.api.verdicts()
        self.assertEqual(len(victim.callee.heard), heard)
        dropped = sum(after[name] - before[name] for name in
                      ("malformed", "not_media", "bad_frame"))
        self.assertEqual(dropped, len(bad))
        self.assert_two_way(victim, 0.2)

    def test_a_frame_too_big_for_the_next_link(self):
        victim = self.call().connect()
        self.ids = self._ids()
        self.town.core.ip("link set dev core0 mtu 1000")
        self.addCleanup(self.town.core.ip, "link set dev core0 mtu 1500")
        self.run_for(0.3)
        before = self.api.verdicts()["too_big"]
        for _ in range(3):
            victim.caller.send_raw(rtp.pack(
                b"b" * 1200, 1, 1, victim.caller.ssrc))
        self.run_for(DRAIN_S)
        self.assertEqual(self.api.verdicts()["too_big"] - before, 3)

    def test_random_packets_to_every_port_of_a_call(self):
        dice = random.Random(3)
        stranger = self.phone("mallory")
        for number in range(300):
            data = dice.randbytes(dice.randrange(0, 200))
            stranger.send_raw(data, self.steady.caller.remote)
            stranger.send_raw(data, self.steady.caller.remote_rtcp)
            if number % 20 == 0:
                self.run_for(0.005)

    def test_the_api_under_load_costs_no_media(self):
        """Sallies of requests while a call talks (checked at the end)."""
        pair = self.phone("alice"), self.phone("callee")
        end = time.monotonic() + 1.5
        done = 0
        while time.monotonic() < end:
            call = town.Call(self.api, *pair).connect()
            self.run_for(0)
            call.delete()
            self.run_for(0)
            done += 1
        self.assertGreater(done, 20)


class Token(RelayCase):
    """Off loopback a bearer token is compulsory."""

    options = {"http": "203.0.113.1:8080"}
    token = "a-token-of-the-lab-0123456789"

    @classmethod
    def prepare(cls):
        path = cls.town.lab.path("token")
        with open(path, "w", encoding="ascii") as file:
            file.write(cls.token + "\n")
        cls.options = dict(cls.options, control={"token_file": path},
                           token=cls.token)

    def test_no_token_no_answer(self):
        for headers, status in (
                ({}, 401), ({"Authorization": "Bearer wrong"}, 401),
                ({"Authorization": f"Bearer {self.token}x"}, 401),
                ({"Authorization": f"Bearer {self.token}"}, 200)):
            with self.subTest(headers=headers):
                self.assertEqual(self.api.request(
                    "GET", "/v1/calls", headers=headers)[0], status)
