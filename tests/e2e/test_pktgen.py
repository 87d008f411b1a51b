# SPDX-License-Identifier: BSD-3-Clause
"""bench/pktgen through the daemon: what it says of packets is what the relay
says of them, and what goes wrong is seen."""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path

from lab.netns import Lab
from lab.relay import ROOT, Relay, binary, environment

NG, HTTP = "127.0.0.1:2223", "127.0.0.1:8080"
CALLS, RATE = 20, 4000
PACKETS = 1200  # of a run
VLAN = 7
RUN_S = 30  # none takes so long
LOST, NOT_LEAST = "lost", 3
CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"
GONE = re.compile(r'"call_id": ?"(pktgen-[^"]*-3)"')


def program():
    """$PKTGEN, or the one that was built with the daemon."""
    given = os.environ.get("PKTGEN")
    built = Path(binary()).parents[1] / "bench/pktgen"
    return given or str(built if built.exists()
                        else ROOT / "build/release/bench/pktgen")


def cable(name):
    """A host @name with r0 and r1, and phones at p0 and p1."""
    lab = Lab()
    host, phones = lab.namespace(name), lab.namespace("phones")
    for side in (0, 1):
        lab.link(host, f"r{side}", phones, f"p{side}")
        phones.sysctl(**{f"net__ipv6__conf__p{side}__disable_ipv6": 1})
    return lab, host, phones


def start(ns, *arguments):
    devices = [f"--device=net_af_packet{side},iface=p{side},qpairs=1"
               for side in (0, 1)]
    return ns.popen([program(), "--json", *devices, "--calls", str(CALLS),
                     "--rate", str(RATE), "--seconds", "0.3",
                     *map(str, arguments)],
                    env=environment(), stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, text=True)


class Said:
    """How a generator ended."""

    def __init__(self, process):
        out, self.complaints = process.communicate(timeout=RUN_S)
        self.status = process.returncode
        line = out.splitlines()[-1] if out.strip() else ""
        self.json = json.loads(line) if line.startswith("{") else {}
        self.ways = [self.json.get(way) for way in ("a_to_b", "b_to_a")]

    def sum(self, key):
        return sum(way[key] for way in self.ways)


class PktgenCase(unittest.TestCase):
    def assert_clean(self, said):
        """All went through, once, in order, to whom it was for."""
        self.assertEqual(said.status, 0, said.complaints)
        self.assertEqual(said.json["verdict"], "passed", said.json)
        self.assertEqual(said.sum("sent"), PACKETS)
        self.assertEqual(said.sum("received"), PACKETS)
        for key in ("lost", "reordered", "duplicated", "wrong", "forged",
                    "refused"):
            self.assertEqual(said.sum(key), 0, key)
        for way in filter(lambda way: way["sent"] > 0, said.ways):
            for times in way["latency_us"], way["latency_all_us"]:
                self.assertLess(0, times["p50"])
                self.assertLessEqual(times["p50"], times["p99"])
                self.assertLessEqual(times["p99.9"], times["most"])


class ThroughTheRelay(PktgenCase):
    """Two cables, one of them with VLAN tags."""

    @classmethod
    def setUpClass(cls):
        cls.lab, cls.core, cls.ns = cable("core")
        cls.addClassCleanup(cls.lab.close)
        realms = [{"name": name,
                   "device": f"net_af_packet{side},iface=r{side},qpairs=1",
                   "addresses": [f"198.{18 + side}.255.1/16"],
                   "ports": "4096-9095"}
                  for side, name in enumerate(("public", "core"))]
        realms[1]["vlan"] = VLAN
        cls.relay = Relay(cls.lab, cls.core, realms, http=HTTP,
                          control={"ng": [NG], "records": "none"})
        cls.addClassCleanup(cls._stop)

    @classmethod
    def _stop(cls):
        wrong = cls.relay.stop()
        if wrong:
            raise AssertionError("the daemon's end: " + "; ".join(wrong))

    def start(self, *arguments, door=("--ng", NG)):
        process = start(self.ns, *door, "--netns", self.core.path, "--realms",
                        "public,core", "--vlan", f"0,{VLAN}", *arguments)
        self.addCleanup(process.kill)
        return process

    def generate(self, *arguments, **options):
        return Said(self.start(*arguments, **options))

    def forwarded(self):
        return self.relay.api.verdicts().get("forwarded", 0)

    def assert_relay_agrees(self, said, before):
        self.assertEqual(
            self.forwarded() - before,
            said.sum("received") + said.sum("rtcp_received")
            + said.json["warm_up_received"])
        self.assertEqual(self.relay.api.list()["calls"], [])

    def test_counts_are_the_relays(self):
        for door in ("--ng", NG), ("--http", HTTP):
            with self.subTest(door[0]):
                before = self.forwarded()
                said = self.generate(door=door)
                self.assert_clean(said)
                self.assert_relay_agrees(said, before)

    def test_srtp_both_ways_and_rtcp(self):
        for suites, live in ((CM, GCM), ()), ((GCM, CM), ("--srtp-live",)):
            with self.subTest(live=live):
                before = self.forwarded()
                said = self.generate("--srtp-a", suites[0], "--srtp-b",
                                     suites[1], "--rtcp", 0.2, *live)
                self.assert_clean(said)
                self.assertLess(5, said.sum("rtcp_sent"))
                self.assertEqual(said.sum("rtcp_sent"),
                                 said.sum("rtcp_received"))
                self.assert_relay_agrees(said, before)

    def test_one_side_only_over_http(self):
        said = self.generate("--only", "b", "--srtp-b", CM,
                             door=("--http", HTTP))
        self.assert_clean(said)
        self.assertEqual(said.ways[0]["sent"], 0)

    def test_silence_events_and_junk(self):
        said = self.generate("--dtx", 40, "--dtmf", 100, "--junk", 1000)
        self.assertEqual(said.json["verdict"], "passed", said.json)
        self.assertLess(said.sum("sent"), PACKETS)
        self.assertEqual(said.sum("lost"), 0)
        self.assertLess(100, said.json["junk_sent"])
        self.assertEqual(said.json["junk_received"], 0)

    def test_a_call_that_ends_is_lost(self):
        process = self.start("--seconds", 1)
        before = self.forwarded()
        while self.forwarded() < before + PACKETS:  # it is under way
            self.assertIsNone(process.poll())
        calls = json.dumps(self.relay.api.list())
        self.relay.api.delete(GONE.search(calls).group(1))
        said = Said(process)
        self.assertEqual(said.json["verdict"], LOST)
        for way in said.ways:
            self.assertLess(0, way["lost"])
            self.assertLessEqual(way["lost"], way["sent"] // CALLS)
            self.assertEqual(way["sent"], way["lost"] + way["received"])
            self.assertEqual(way["wrong"], 0)

    def test_a_search_finds_what_it_may(self):
        said = self.generate("--search", "2000,2200", "--seconds", 0.1,
                             "--confirm", 0.2, "--fresh-calls")
        self.assertEqual(said.status, 0, said.complaints)
        self.assertEqual(said.json["end"], "found")
        self.assertEqual(said.json["limit"], "most")
        steps = said.json["steps"]
        self.assertEqual(steps[0]["asked"], 2000)
        self.assertEqual(steps[-1]["asked"], steps[-2]["asked"])
        self.assertLess(2200 / 1.03, steps[-1]["asked"])

    def test_a_search_says_when_nothing_passes(self):
        said = self.generate("--search", "2000,4000", "--seconds", 0.1,
                             door=())
        self.assertEqual(said.status, NOT_LEAST, said.complaints)
        self.assertEqual(said.json["end"], "not least")
        self.assertEqual(said.json["verdict"], "silent")
        self.assertEqual(said.sum("received"), 0)


class ThroughARouter(PktgenCase):
    """The kernel between two sides, which may send to the wrong party."""

    def setUp(self):
        lab, self.router, self.ns = cable("router")
        self.addCleanup(lab.close)
        self.router.sysctl(net__ipv4__ip_forward=1)
        for side in (0, 1):
            lab.address(self.router, f"r{side}", f"198.{18 + side}.255.1/16")

    def generate(self):
        return Said(start(self.ns, "--gateway-a", "198.18.255.1",
                          "--gateway-b", self.router.mac("r1")))

    def test_a_gateway_is_asked_for_or_given(self):
        self.assert_clean(self.generate())

    def test_packets_of_another_call_are_found(self):
        self.router.nft("""
            table ip swap {
                chain pre {
                    type filter hook prerouting priority -300;
                    ip daddr 198.19.0.1 udp dport 10000 udp dport set 10002
                }
            }
        """)
        said = self.generate()
        a_to_b, b_to_a = said.ways
        self.assertEqual(a_to_b["wrong"], a_to_b["sent"] // CALLS)
        self.assertEqual(a_to_b["lost"], a_to_b["wrong"])
        self.assertEqual(b_to_a["wrong"], 0)
        self.assertEqual(b_to_a["lost"], 0)
        self.assertEqual(said.json["verdict"], LOST)
