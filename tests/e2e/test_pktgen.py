# SPDX-License-Identifier: BSD-3-Clause
"""bench/pktgen through the daemon: what it says of packets is what the relay
says of them, and what goes wrong is seen."""

import json
import re
import signal
import socket
import time
import unittest

from lab import pktgen
from lab.netns import Lab
from lab.pktgen import CALLS, PACKETS, Said
from lab.relay import Relay
from lab.storm import storm

NG, HTTP = "127.0.0.1:2223", "127.0.0.1:8080"
VLAN = 7
SIX_A, SIX_B = "2001:db8:18::1", "2001:db8:19::1"
STOPPED_S = 0.6
LOST = "lost"
FAILED, NOT_LEAST, NEVER_QUIET, GONE_SILENT = 1, 3, 4, 5  # exit statuses
CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"
GONE = re.compile(r'"call_id": ?"(pktgen-[^"]*-3)"')


def cable(name):
    """A host @name with r0 and r1, and phones at p0 and p1."""
    lab = Lab()
    host, phones = lab.namespace(name), lab.namespace("phones")
    for side in (0, 1):
        lab.link(host, f"r{side}", phones, f"p{side}")
        phones.sysctl(**{f"net__ipv6__conf__p{side}__disable_ipv6": 1})
    return lab, host, phones


def start(ns, *arguments):
    """At the ends of such cables."""
    return pktgen.start(ns, [f"net_af_packet{side},iface=p{side},qpairs=1"
                             for side in (0, 1)], *arguments)


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
                   "addresses": [f"198.{18 + side}.255.1/16",
                                 f"2001:db8:{18 + side}::ffff/64"],
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

    def test_what_a_host_took_is_no_lack_of_packets(self):
        with storm() as was:
            for _ in range(4):
                self.assert_clean(self.generate())
        self.assertGreater(was()[0], 0)

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

    def test_ipv6_and_from_one_to_the_other(self):
        for a, b, door in ((SIX_A, SIX_B, ("--ng", NG)),
                           ("198.18.0.1", SIX_B, ("--ng", NG)),
                           (SIX_A, "198.19.0.1", ("--http", HTTP))):
            with self.subTest(f"{a} to {b}"):
                before = self.forwarded()
                said = self.generate("--net-a", a, "--net-b", b, "--rtcp",
                                     0.2, "--calls-an-ip", 5, door=door)
                self.assert_clean(said)
                self.assertLess(5, said.sum("rtcp_received"))
                self.assert_relay_agrees(said, before)

    def test_srtp_and_junk_over_ipv6(self):
        for live in (), ("--srtp-live",):
            with self.subTest(live=live):
                said = self.generate("--net-a", SIX_A, "--net-b", SIX_B,
                                     "--srtp-a", CM, "--junk", 1000, *live)
                self.assert_clean(said)
                self.assertLess(100, said.json["junk_sent"])
                self.assertEqual(said.json["junk_received"], 0)

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


class ThroughMemif(PktgenCase):
    """Two workers on links that have one ring each way."""

    def setUp(self):
        lab = Lab()
        self.addCleanup(lab.close)
        self.host, self.sockets = lab.namespace("host"), lab.folder.name
        self.relay = Relay(
            lab, self.host, [{"name": name, "device": self.device(
                side, "server"), "addresses": [f"198.{18 + side}.255.1/16"],
                "ports": "4096-9095"}
                for side, name in enumerate(("public", "core"))],
            dataplane={"workers": 2},
            control={"ng": [NG], "records": "none"})

    def device(self, side, role):
        return (f"net_memif{side},role={role},id=0,socket-abstract=no,"
                f"socket={self.sockets}/memif{side}")

    def test_two_workers_share_a_ring(self):
        process = pktgen.start(
            self.host, [self.device(side, "client") for side in (0, 1)],
            "--ng", NG, "--realms", "public,core")
        self.addCleanup(process.kill)
        self.assert_clean(Said(process))
        shares = self.relay.api.forwarded()
        self.assertEqual(len(shares), 2)
        self.assertLess(0, min(shares.values()), shares)
        self.assertEqual(self.relay.stop(), [])


class ThroughARouter(PktgenCase):
    """The kernel between two sides, which may lose packets, or send them to
    the wrong party."""

    def setUp(self):
        lab, self.router, self.ns = cable("router")
        self.addCleanup(lab.close)
        self.router.sysctl(net__ipv4__ip_forward=1,
                           net__ipv6__conf__all__forwarding=1)
        for side in (0, 1):
            lab.address(self.router, f"r{side}", f"198.{18 + side}.255.1/16",
                        f"2001:db8:{18 + side}::ffff/64")

    def start(self, *arguments):
        process = start(self.ns, "--gateway-a", "198.18.255.1", "--gateway-b",
                        self.router.mac("r1"), *arguments)
        self.addCleanup(process.kill)
        return process

    def generate(self, *arguments):
        return Said(self.start(*arguments))

    def rule(self, text):
        """What becomes of packets that come to the router."""
        self.router.nft(f"""
            table ip rules {{
                chain pre {{
                    type filter hook prerouting priority -300;
                    {text}
                }}
            }}
        """)

    def arrived(self):
        """Packets that came to the router."""
        return sum(int(line.split()[2])
                   for line in self.router.read("/proc/net/dev").splitlines()
                   if line.split()[0] in ("r0:", "r1:"))

    def test_a_gateway_is_asked_for_or_given(self):
        self.assert_clean(self.generate())

    def test_so_it_is_with_ipv6(self):
        self.assert_clean(self.generate(
            "--net-a", SIX_A, "--net-b", SIX_B, "--gateway-a",
            "2001:db8:18::ffff"))

    def test_checksums_are_right(self):
        """Side B is a socket, and its kernel looks."""
        for a, b in ("198.18.0.1", "198.19.0.1"), (SIX_A, SIX_B):
            with self.subTest(b):
                self.router.ip(f"addr add {b} dev lo")
                party = self.router.socket(socket.AF_INET6 if ":" in b
                                           else socket.AF_INET,
                                           socket.SOCK_DGRAM)
                self.addCleanup(party.close)
                party.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                party.bind((b, 10000))
                party.setblocking(False)
                said = Said(start(self.ns, "--net-a", a, "--net-b", b,
                                  "--gateway-a", self.router.mac("r0"),
                                  "--calls", 1, "--rate", 1000))
                self.assertLess(100, said.ways[0]["sent"])
                for _ in range(said.ways[0]["sent"]):
                    self.assertEqual(len(party.recv(1500)), 12 + 160)

    def test_packets_of_another_call_are_found(self):
        self.rule("ip daddr 198.19.0.1 udp dport 10000 udp dport set 10002")
        said = self.generate()
        a_to_b, b_to_a = said.ways
        self.assertEqual(a_to_b["wrong"], a_to_b["sent"] // CALLS)
        self.assertEqual(a_to_b["lost"], a_to_b["wrong"])
        self.assertEqual(b_to_a["wrong"], 0)
        self.assertEqual(b_to_a["lost"], 0)
        self.assertEqual(said.json["verdict"], LOST)
        self.assertEqual(said.json["watched"], False)
        self.assertEqual(said.json["relay_missed"], 0)

    def test_nothing_is_judged_while_who_is_watched_has_no_cpu(self):
        """It sleeps, so each slice is excused what it lost."""
        self.rule("udp dport 10002 drop")
        sleeper = self.router.popen(["sleep", "60"])
        self.addCleanup(sleeper.wait)
        self.addCleanup(sleeper.kill)
        said = self.generate("--search", "2000,4000", "--seconds", 0.1,
                             "--watch", sleeper.pid)
        self.assertEqual(said.status, NEVER_QUIET, said.complaints)
        self.assertEqual(said.json["end"], "never quiet")
        self.assertEqual(said.json["watched"], True)
        self.assertLess(said.json["quiet_seconds"],
                        said.json["disturbed_seconds"])
        self.assertEqual(said.json["lost_quiet"], 0)
        self.assertLess(0, said.json["relay_missed"])
        self.assertLess(0, said.sum("lost"))

    def test_nothing_is_judged_while_the_generator_has_no_cpu(self):
        """All slices of a long pause are disturbed, not the first only."""
        process = self.start("--seconds", 1)
        while self.arrived() < PACKETS and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)
        time.sleep(STOPPED_S)
        process.send_signal(signal.SIGCONT)
        said = Said(process)
        for key in "stalled", "disturbed_seconds":
            self.assertGreaterEqual(said.json[key], 0.9 * STOPPED_S, key)
        self.assertEqual(said.json["verdict"], "passed", said.json)

    def test_who_is_watched_must_be_there(self):
        process = self.router.popen(["true"])
        process.wait()
        said = self.generate("--watch", process.pid)
        self.assertEqual(said.status, FAILED)
        self.assertIn(f"process {process.pid}", said.complaints)

    def test_a_search_ends_when_nothing_comes_through_any_more(self):
        process = self.start("--search", "2000,8000", "--seconds", 0.1,
                             "--confirm", 1)
        # More than the least rate's trials may take: five, three times as
        # long as asked for.
        while (self.arrived() < 5 * 3 * 2000 * 0.1 + PACKETS
               and process.poll() is None):
            time.sleep(0.02)
        self.rule("udp dport 10000-10100 drop")
        said = Said(process)
        self.assertEqual(said.status, GONE_SILENT, said.json)
        self.assertEqual(said.json["end"], "gone silent")
        self.assertEqual(said.json["verdict"], "silent")
        self.assertIn("passed", [step["verdict"]
                                 for step in said.json["steps"]])
