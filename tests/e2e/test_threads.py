# SPDX-License-Identifier: BSD-3-Clause
"""Control and workers at work at once; tests/run repeats this under TSan."""

from lab import town
from lab.case import DRAIN_S, RelayCase
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
