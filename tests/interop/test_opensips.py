# SPDX-License-Identifier: BSD-3-Clause
"""OpenSIPS' way of asking. It is in no Debian 12 package, so its dictionaries
are made here, as its rtpengine module makes them: names with blanks, no
"supports", "received-from" always, a deletion without tags."""

import itertools
import os

from lab import sofia, town
from lab.case import RelayCase
from lab.ng import Ng, family

PORT = 2223


class OpenSips(RelayCase):
    options = {"control": {"ng": [f"127.0.0.1:{PORT}", f"[::1]:{PORT}"]}}

    def setUp(self):
        super().setUp()
        # udp: and udp6: nodes
        self.nodes = [Ng(self.town.core, host, PORT)
                      for host in ("127.0.0.1", "::1")]
        for each in self.nodes:
            self.addCleanup(each.close)
        self.numbers = itertools.count(1)

    def ask(self, keys, node=0):
        """One exchange; its cookies are process, a number, and a count."""
        ng = self.nodes[node]
        cookie = f"{os.getpid()}_{next(self.numbers)}"
        said, reply = ng.unpack(ng.exchange(ng.pack(keys, cookie)))
        self.assertEqual(said, cookie)
        self.assertEqual(reply["result"], "ok", reply)
        self.assertNotIn("warning", reply)
        return reply

    def keys(self, command, text, call_id, source, to_tag=None, **more):
        keys = {"sdp": text, **more,
                "call-id": call_id, "received-from": [family(source), source],
                "from-tag": "from1"}
        if to_tag:
            keys["to-tag"] = to_tag
        return {**keys, "command": command}

    def connect(self, caller, callee, call_id, node=0, **more):
        """Offer and answer; the phones are aimed at the replies."""
        offer = self.ask(self.keys(
            "offer", caller.sdp(), call_id, caller.address, **more,
            **{"direction": ["public", "core"],
               "address family": family(callee.address)}), node)
        callee.aim(offer["sdp"])
        answer = self.ask(self.keys(
            "answer", callee.sdp(), call_id, callee.address, "to1", **more,
            **{"address family": family(caller.address)}), node)
        caller.aim(answer["sdp"])
        for reply in offer, answer:
            sofia.check(reply["sdp"])
        return town.Call(self.api, caller, callee)

    FLAGS = {"ICE": "remove", "flags": ["trust-address", "symmetric"],
             "replace": ["origin", "session-connection"],
             "transport protocol": "RTP/AVP"}

    def test_a_call_over_each_node(self):
        for node in (0, 1):
            with self.subTest(node=node):
                call = self.connect(self.phone("alice"), self.phone("callee"),
                                    f"opensips-{node}", node, **self.FLAGS)
                self.assert_two_way(call, 0.4)
                self.ask({"call-id": f"opensips-{node}",
                          "received-from": ["IP4", town.ALICE4],
                          "delete delay": 0, "command": "delete"}, node)
                self.assertEqual(self.api.list()["calls"], [])

    def test_a_call_from_ipv4_to_ipv6(self):
        call = self.connect(self.phone("alice"),
                            self.phone("callee", town.CALLEE6), "opensips-46",
                            **self.FLAGS)
        self.assert_two_way(call, 0.4)
        self.ask({"call-id": "opensips-46", "command": "delete"})

    def test_statistics_are_there_while_it_talks(self):
        call = self.connect(self.phone("alice"), self.phone("callee"),
                            "opensips-stats", **self.FLAGS)
        self.assert_two_way(call, 0.4)
        reply = self.ask({"call-id": "opensips-stats", "command": "query"})
        self.assertEqual(reply["totals"]["RTP"]["packets"], 40)
        self.assertEqual(set(reply["tags"]), {"from1", "to1"})
        self.assertEqual(len(reply["SSRC"]), 2)
        self.ask({"call-id": "opensips-stats", "command": "delete"})

    def test_every_branch_has_its_name(self):
        """Parallel forking with via-branch, as rtp_relay does it."""
        caller = self.phone("alice")
        callees = {name: self.phone("callee") for name in ("z9hG1", "z9hG2")}
        common = {"direction": ["public", "core"], **self.FLAGS}
        for name, callee in callees.items():
            reply = self.ask({**self.keys("offer", caller.sdp(),
                                          "opensips-fork", caller.address,
                                          **common), "via-branch": name})
            callee.aim(reply["sdp"])
        ports = {callee.remote for callee in callees.values()}
        self.assertEqual(len(ports), 2)
        winner = callees["z9hG2"]
        reply = self.ask({**self.keys("answer", winner.sdp(), "opensips-fork",
                                      winner.address, "to2", **self.FLAGS),
                          "via-branch": "z9hG2"})
        caller.aim(reply["sdp"])
        self.ask({"call-id": "opensips-fork", "via-branch": "z9hG1",
                  "command": "delete"})
        self.assert_two_way(town.Call(self.api, caller, winner), 0.4)
        self.ask({"call-id": "opensips-fork", "command": "delete"})

    def test_ping_is_the_shortest_of_messages(self):
        for ng in self.nodes:
            self.assertEqual(ng.exchange(b"77_1 d7:command4:pinge"),
                             b"77_1 d6:result4:ponge")
