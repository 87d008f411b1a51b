# SPDX-License-Identifier: BSD-3-Clause
"""Control and workers at work at once; tests/run repeats this under TSan."""

from lab import town
from lab.case import DRAIN_S, RelayCase


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
