# SPDX-License-Identifier: BSD-3-Clause
"""Requests that real proxies sent for real phones (vectors/ng), byte by byte,
and the layout of rtpengine's replies to them."""

import ipaddress
import json
import re
import unittest
from collections import Counter

from lab import proxy, sofia, srtp
from lab.ng import Ng, decode, encode
from lab.relay import ROOT, Relay

VECTORS = ROOT / "tests" / "vectors" / "ng"
SCENARIOS = sorted(path for path in VECTORS.iterdir() if path.is_dir())
OURS = {proxy.CORE4, proxy.CORE6}

# Of codecs, rtpengine writes its own lines behind all others; ours stay where
# they came. What is in a line and how many there are must be the same.
MOVABLE = {"rtpmap", "fmtp", "rtcp-fb", "mid"}
# DTLS and ICE end at rtpengine and, for now, pass through the relay. So do
# these lines, and the protocol that they belong to.
DTLS = {"fingerprint", "setup", "tls-id"}
ICE = {"ice-ufrag", "ice-pwd", "ice-options", "ice-lite", "candidate",
       "end-of-candidates"}


def sections(text):
    """Lines by section: the session's, then each m= line's."""
    result = [[]]
    for line in text.split("\r\n")[:-1]:
        if line.startswith("m="):
            result.append([])
        result[-1].append(line)
    return result


def name(line):
    return line[2:].partition(":")[0] if line.startswith("a=") else None


def masked(line):
    """Without what differs from one relay to the next: its ports."""
    line = re.sub(r"^(m=\S+) [1-9]\d*", r"\1 PORT", line)
    return re.sub(r"^a=rtcp:\d+", "a=rtcp:PORT", line)


def kind(line):
    """What keys an m= line asks for."""
    protocol = line.split()[2]
    return ("DTLS" if protocol.startswith("UDP/TLS/")
            else "SDES" if "SAVP" in protocol else "none")


def ends_here(theirs, asked):
    """Did rtpengine begin or end DTLS between these two m= lines?"""
    kinds = {kind(theirs[0]), kind(asked[0])}
    return "DTLS" in kinds and len(kinds) > 1


def as_ours(theirs, asked, request):
    """The lines of one section of rtpengine's reply, but for what it has
    only because DTLS and ICE end there, and those a=crypto beyond the first
    in an offer: it offers more suites."""
    if theirs[0].startswith("m=") and ends_here(theirs, asked):
        # A line whose keys nobody made must not ask for keys.
        words = theirs[0].split(" ")
        words[2] = asked[0].split(" ")[2]
        theirs = [" ".join(words), *(line for line in theirs[1:]
                                     if name(line) != "crypto")]
    if theirs[0].startswith("m=") and kind(theirs[0]) == "DTLS":
        theirs = [line for line in theirs if name(line) != "crypto"]
    if request["command"] == "answer":
        # It is an end of its own, and adds what the answerer left out.
        theirs = [line for line in theirs if line in asked
                  or name(line) not in ("mid", "ptime")]
    if request.get("ICE") == "force":
        # A candidate's family counts there, not the one asked for.
        theirs = [line.replace(f"IN IP6 {proxy.CORE6}",
                               f"IN IP4 {proxy.CORE4}") for line in theirs]
    return theirs


def keys_masked(lines, answer):
    """a=crypto without keys: of an answer with tag and suite, of an offer
    just that there are such lines here."""
    result = []
    for line in lines:
        if name(line) == "crypto":
            line = line.partition(" inline:")[0] if answer else "a=crypto"
            if line in result:
                continue
        result.append(line)
    return result


def layout(lines):
    """(the lines in their order, those that may stand elsewhere)."""
    lines = [masked(line) for line in lines
             if name(line) not in DTLS | ICE]
    return ([line for line in lines if name(line) not in MOVABLE],
            Counter(line for line in lines if name(line) in MOVABLE))


def lines_of(text, names):
    return [[line for line in each if name(line) in names]
            for each in sections(text)]


def first_media(text):
    """The first m= line."""
    return sections(text)[1][0]


def rtcp_distances(text):
    """From the RTP port of each m= line to its a=rtcp; 0 is the same."""
    found = []
    for section in sections(text)[1:]:
        port = int(section[0].split()[1])
        found.append([int(line.split(":")[1].split()[0]) - port
                      for line in section if name(line) == "rtcp"])
    return found


def addresses(text):
    """Every IP address in @text, however it is placed."""
    found = set()
    for word in re.split(r"[^0-9A-Fa-f.:]+", text):
        try:
            found.add(str(ipaddress.ip_address(word.strip(".:"))))
        except ValueError:
            pass
    return found


class Vectors(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.network = proxy.Network()
        cls.addClassCleanup(cls.network.close)
        cls.relay = Relay(cls.network.lab, cls.network.core, proxy.realms(),
                          control={"ng": ["127.0.0.1:2223"]},
                          timeouts={"delete_delay_s": 0})
        cls.addClassCleanup(cls._stop)
        cls.ng = Ng(cls.network.core)
        cls.addClassCleanup(cls.ng.close)

    @classmethod
    def _stop(cls):
        wrong = cls.relay.stop()
        if wrong:
            raise AssertionError("; ".join(wrong))

    def replay(self, scenario):
        """[(request, the recorded reply, ours)]"""
        result = []
        for path in sorted(scenario.glob("*_req.bin")):
            datagram = path.read_bytes()
            recorded = json.loads(path.with_name(path.name.replace(
                "_req.bin", "_rep.json")).read_text("utf-8"))
            cookie, _, body = datagram.partition(b" ")
            request = decode(body)
            if request["command"] == "answer" and result:
                changed = self.answer_to_ours(request, result)
                if changed is not request:
                    request = changed
                    datagram = cookie + b" " + encode(request)
            got, reply = self.ng.unpack(self.ng.exchange(datagram))
            self.assertEqual(got.encode(), cookie)
            result.append((request, recorded, reply))
        return result

    @staticmethod
    def answer_to_ours(request, before):
        """A recorded answer chose of rtpengine's suites; the phone would
        have chosen the first of ours."""
        offers = [reply["sdp"] for asked, _, reply in before
                  if asked["command"] == "offer" and "sdp" in reply]
        ours = offers and srtp.read(offers[-1])
        theirs = srtp.read(request["sdp"])
        if not ours or not theirs or any(
                (each.tag, each.suite) == (theirs[0].tag, theirs[0].suite)
                for each in ours):
            return request
        chosen = srtp.Keys.new(ours[0].suite, ours[0].tag)
        return {**request, "sdp": re.sub(r"a=crypto:.*", chosen.line(),
                                         request["sdp"])}

    def check_sdp(self, request, recorded, text):
        sofia.check(text)
        came = sections(request["sdp"])
        answer = request["command"] == "answer"
        self.assertEqual(len(sections(text)), len(came))
        self.assertEqual(
            [layout(keys_masked(each, answer)) for each in sections(text)],
            [layout(keys_masked(as_ours(theirs, asked, request), answer))
             for theirs, asked in zip(sections(recorded), came)])
        self.assertEqual(lines_of(text, DTLS), lines_of(request["sdp"], DTLS))
        self.check_keys(request, text)
        self.assertEqual(lines_of(text, ICE), [[] for _ in sections(text)])
        self.assertEqual(addresses(text) - OURS, set(), "an address leaks")
        distances = rtcp_distances(recorded)
        if request["command"] == "offer":
            # It offered another phone the mux that the one before took.
            distances = [[1] * len(each) for each in distances]
        self.assertEqual(rtcp_distances(text), distances)

    def check_keys(self, request, text):
        """What is offered is short and ours: no key of a party passes."""
        parties = {line.split("inline:")[1].split()[0].rstrip("=")
                   for each in lines_of(request["sdp"], {"crypto"})
                   for line in each}
        for lines in lines_of(text, {"crypto"}):
            keys = [line.split("inline:")[1].split()[0] for line in lines]
            self.assertLessEqual(len(keys), 4)
            self.assertFalse({each.rstrip("=") for each in keys} & parties)
            self.assertTrue(all(len(each) % 4 == 0 for each in keys),
                            "base64 is padded")

    def check_warning(self, request, recorded, reply):
        """There is one where DTLS or candidates were asked for, only."""
        warned = (request.get("ICE") == "force"
                  or any(ends_here(theirs, asked) for theirs, asked in zip(
                      sections(recorded)[1:],
                      sections(request["sdp"])[1:])))
        self.assertEqual("warning" in reply, warned, reply)

    def test_every_scenario(self):
        self.assertGreater(len(SCENARIOS), 20)
        for scenario in SCENARIOS:
            with self.subTest(scenario.name):
                offered = None
                for request, recorded, reply in self.replay(scenario):
                    if request["command"] == "answer" and kind(
                            offered) != "DTLS" == kind(first_media(
                                request["sdp"])):
                        # rtpengine's offer of DTLS was answered, not ours.
                        self.assertEqual(reply["result"], "error", reply)
                        continue
                    self.assertEqual(reply["result"], "ok", reply)
                    if request["command"] == "offer":
                        offered = first_media(reply["sdp"])
                    self.assertEqual("sdp" in reply, "sdp" in recorded)
                    if "sdp" in reply:
                        self.check_sdp(request, recorded["sdp"],
                                       reply["sdp"])
                        self.check_warning(request, recorded["sdp"], reply)
        self.assertEqual(self.relay.api.list()["calls"], [])

    def test_replies_of_a_deletion_have_what_clients_read(self):
        """A deletion's statistics, shaped as the recorded ones."""
        exchanges = self.replay(VECTORS / "s6_vmail")
        _, recorded, reply = exchanges[-1]
        answer = exchanges[-2][0]
        for tag in answer["from-tag"], answer["to-tag"]:
            ours = reply["tags"][tag]
            theirs = recorded["tags"][tag]
            self.assertEqual(ours["tag"], tag)
            stream = theirs["medias"][0]["streams"][0]
            for key in ("local port", "endpoint", "stats"):
                self.assertIn(key, ours["medias"][0]["streams"][0])
            self.assertEqual(
                ours["medias"][0]["streams"][0]["endpoint"],
                stream["endpoint"])
        self.assertEqual(set(reply["totals"]["RTP"]),
                         set(recorded["totals"]["RTP"]))
        self.assertIn("created", reply)
        self.assertIn("SSRC", reply)
