# SPDX-License-Identifier: BSD-3-Clause
"""Control and workers at work at once; tests/run repeats this under TSan."""

import os
import threading

from lab import sdp, town
from lab.case import DRAIN_S, RelayCase
from lab.ng import REPLY_MAX, Ng
from lab.srtp import SrtpPhone
from lab.srtp_case import SrtpCase


class Threads(RelayCase):
    options = {"dataplane": {"workers": 2}}

    def test_calls_come_and_go_while_media_flows(self):
        steady = [self.call().connect() for _ in range(3)]
        for call in steady:
            for phone in (call.caller, call.callee):
                phone.talk()
                phone.report(every=0.2)
        pair = self.phone("alice"), self.phone("callee")
        for number in range(15):
            call = town.Call(self.api, *pair)
            call.offer()
            call.answer()
            pair[0].talk(0.1)
            self.run_for(0.08)
            call.query()
            self.api.metrics()
            self.api.list(limit=10)
            if number % 3 == 0:
                call.offer()
            call.delete()
        for call in steady:
            call.caller.mute()
            call.callee.mute()
        self.run_for(DRAIN_S)
        for call in steady:
            self.assert_heard(call.caller, call.callee)
            self.assert_heard(call.callee, call.caller)


class Flood(RelayCase):
    """Worker and control have one CPU, and control has more to do than it
    can."""

    port, rounds, at_once = 2223, 8, 50
    options = {"control": {"ng": [f"127.0.0.1:{port}"]},
               "cpus": str(min(os.sched_getaffinity(0)))}

    def flood(self, replies):
        """Calls that are offered, offered again and deleted."""
        ng = Ng(self.town.core, "127.0.0.1", self.port)
        offer = {"direction": ["public", "core"],
                 "sdp": sdp.write(town.ALICE4, sdp.audio(5004))}
        try:
            for number in range(self.rounds):
                for command, keys in (("offer", offer), ("offer", offer),
                                      ("delete", {})):
                    for each in range(self.at_once):
                        ng.socket.send(ng.pack({
                            "command": command, "from-tag": "a",
                            "call-id": f"flood{number}-{each}", **keys}))
                    for _ in range(self.at_once):
                        reply = ng.unpack(ng.socket.recv(REPLY_MAX))[1]
                        replies.append(reply["result"])
        except OSError as error:
            replies.append(str(error))
        finally:
            ng.close()

    def test_calls_talk_on_while_others_come_in_floods(self):
        calls = [self.call().connect() for _ in range(4)]
        for call in calls:
            call.caller.talk()
            call.callee.talk()
        replies = []
        flood = threading.Thread(target=self.flood, args=(replies,))
        flood.start()
        self.run_for(60, until=lambda: not flood.is_alive())
        flood.join()
        for call in calls:
            call.caller.mute()
            call.callee.mute()
        self.run_for(DRAIN_S)
        self.assertEqual(set(replies), {"ok"}, replies[-1:])
        self.assertEqual(len(replies), 3 * self.at_once * self.rounds)
        self.assertEqual(len(self.api.list()["calls"]), len(calls))
        for call in calls:
            self.assert_heard(call.caller, call.callee)
            self.assert_heard(call.callee, call.caller)


class Keys(SrtpCase):
    options = {**SrtpCase.options, "dataplane": {"workers": 2}}

    def test_keys_come_and_go_while_srtp_flows(self):
        """New keys in re-offers, short calls beside, and queries: keys cross
        from control to the workers all the time."""
        steady = [self.bridge(), self.bridge(
            self.phone("alice"), self.srtp_phone("callee")), self.bridge(
            self.srtp_phone(), self.srtp_phone("callee"))]
        for call in steady:
            for phone in (call.caller, call.callee):
                phone.talk()
                phone.report(every=0.2)
        for number in range(10):
            short = self.bridge()
            short.caller.talk(0.1)
            again = steady[number % 3]
            if number % 2:
                for phone in (again.caller, again.callee):
                    if isinstance(phone, SrtpPhone):
                        phone.new_keys()
            self.connect(again)
            self.run_for(0.08)
            short.query()
            self.api.metrics()
            short.delete()
        for call in steady:
            call.caller.mute()
            call.callee.mute()
        self.run_for(DRAIN_S)
        for call in steady:
            self.assert_heard(call.caller, call.callee)
            self.assert_heard(call.callee, call.caller)
