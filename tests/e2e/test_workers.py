# SPDX-License-Identifier: BSD-3-Clause
"""Several workers: a call lives on one, and order never changes."""

from lab.case import DRAIN_S, RelayCase
from lab.media import compare
from lab.srtp_case import SrtpCase


class TwoWorkers(RelayCase):
    options = {"dataplane": {"workers": 2}}
    count = 8

    def test_every_call_is_whole_and_in_order(self):
        calls = [self.call().connect() for _ in range(self.count)]
        for call in calls:
            for phone in (call.caller, call.callee):
                phone.talk(1.0)
                phone.report(every=0.3)
        self.run_for(1.0 + DRAIN_S)
        wrong = [complaint for call in calls for complaint
                 in compare(call.caller, call.callee)
                 + compare(call.callee, call.caller)]
        self.assertEqual(wrong, [], self._drops())
        for call in calls:
            self.assertEqual(len(call.callee.heard_rtcp),
                             call.caller.reports)

    def test_both_workers_carry_calls(self):
        calls = [self.call().connect() for _ in range(self.count)]
        for call in calls:
            call.caller.talk(0.3)
        self.run_for(0.3 + DRAIN_S)
        shares = self.api.forwarded()
        self.assertEqual(len(shares), 2)
        self.assertLess(0, min(shares.values()), shares)

    def test_a_burst_keeps_its_order(self):
        """Two hundred packets as fast as the socket takes them."""
        call = self.call().connect()
        self.assert_two_way(call, 0.1)
        before = len(call.caller.sent), len(call.callee.heard)
        for _ in range(200):
            call.caller.send_frame()
        self.run_for(0.3)
        self.assert_heard(call.caller, call.callee, *before)


class TwoWorkersOneCore(TwoWorkers):
    options = {"dataplane": {"workers": 2}, "cpus": "0"}
    count = 4


class TwoWorkersTwoQueues(TwoWorkers):
    queues = 2


class TwoWorkersAfPacket(TwoWorkers):
    realm_changes = {"public": {"driver": "af_packet"},
                     "core": {"driver": "af_packet"}}


class TwoWorkersWithKeys(SrtpCase):
    """Each worker has an engine of its own."""

    options = {**SrtpCase.options, "dataplane": {"workers": 2}}

    def test_every_call_is_whole_and_in_order(self):
        calls = [self.bridge() for _ in range(4)]
        calls += [self.bridge(self.phone("alice"), self.srtp_phone("callee"))
                  for _ in range(4)]
        self.assert_all_two_way(calls, 0.6)
        self.assertEqual({self.api.query(call.call_id)["worker"]
                          for call in calls}, {0, 1})
