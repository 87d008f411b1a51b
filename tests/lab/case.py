# SPDX-License-Identifier: BSD-3-Clause
"""The base of the end-to-end tests: a town, a relay, and what to assert."""

import unittest

from . import media, sofia, town
from .api import Refused
from .relay import Relay

DRAIN_S = 0.15  # for the last packets to come through
LATE_S = 1.0    # and when the machine stood meanwhile


class RelayCase(unittest.TestCase):
    """One town and one daemon for all tests of a class; every test leaves
    the daemon alive, and the class ends with a clean stop of it."""

    queues = 1
    realm_changes = {}
    options = {}  # of Relay
    speed = False  # True: with the release build

    @classmethod
    def setUpClass(cls):
        cls.town = town.Town(cls.queues)
        cls.addClassCleanup(cls.town.close)
        cls.prepare()
        cls.relay = Relay(cls.town.lab, cls.town.core, cls.realms(),
                          speed=cls.speed, **cls.options)
        cls.api = cls.relay.api
        cls.addClassCleanup(cls._stop)

    @classmethod
    def prepare(cls):
        """For subclasses: change the town before the daemon starts."""

    @classmethod
    def realms(cls):
        return town.realms(**cls.realm_changes)

    @classmethod
    def _stop(cls):
        wrong = cls.relay.stop()
        if wrong:
            raise AssertionError("the daemon's end: " + "; ".join(wrong))

    def setUp(self):
        if not self.relay.alive():
            self.fail("the daemon is gone:\n" + self.relay.log()[-4000:])
        self.calls = []

    def tearDown(self):
        for call in self.calls:
            try:
                call.delete()
            except (Refused, OSError):
                pass  # ended by the test itself, or the daemon is gone
            for phone in (call.caller, call.callee):
                phone.close()
        if not self.relay.alive():
            self.fail("the daemon died:\n" + self.relay.log()[-4000:])

    # calls

    def phone(self, where, address=None, **options):
        phone = self.town.phone(where, address, **options)
        self.addCleanup(phone.close)
        return phone

    def call(self, caller=None, callee=None, **options):
        """A call that is not offered yet; alice to callee unless said."""
        call = town.Call(self.api, caller or self.phone("alice"),
                         callee or self.phone("callee"), **options)
        call.check = sofia.check
        self.calls.append(call)
        return call

    def nat_call(self, **options):
        return self.call(self.phone("lan"), signalling_source=town.NAT4,
                         **options)

    # media

    def run_for(self, seconds, until=None):
        return self.town.loop.run(seconds, until)

    def assert_heard(self, talker, listener, sent_from=0, heard_from=0):
        def compare():
            return media.compare(talker, listener, sent_from, heard_from)

        if compare():
            self.run_for(LATE_S, until=lambda: not compare())
        wrong = compare()
        if wrong:
            self.fail("; ".join(wrong) + self._drops())

    def _drops(self):
        try:
            found = {name: count for name, count
                     in self.api.verdicts().items() if count}
        except (OSError, ValueError):
            return " (and the daemon does not answer)"
        return f" (verdicts: {found})"

    def assert_two_way(self, call, seconds=1.0, later=0.0):
        """Both talk for @seconds, the callee @later; each hears every
        packet of the other once, in order, byte for byte."""
        pair = call.caller, call.callee
        before = [(len(each.sent), len(each.heard)) for each in pair]
        call.caller.talk(seconds)
        call.callee.talk(seconds - later, start=later)
        self.run_for(seconds + DRAIN_S)
        for talker, listener in ((0, 1), (1, 0)):
            self.assert_heard(pair[talker], pair[listener],
                              before[talker][0], before[listener][1])

    def assert_silence(self, phone, seconds, since=None):
        start = len(phone.heard) if since is None else since
        self.run_for(seconds)
        self.assertEqual(len(phone.heard) - start, 0,
                         f"{phone.name} still hears something")

    def assert_refused(self, status, function, *arguments, **fields):
        """The call is refused with @status; returns the Refused."""
        with self.assertRaises(Refused) as caught:
            function(*arguments, **fields)
        refused = caught.exception
        self.assertEqual(refused.status, status, refused.problem)
        self.assertEqual(refused.headers.get_content_type(),
                         "application/problem+json")
        for key in ("type", "title", "status"):
            self.assertIn(key, refused.problem)
        self.assertEqual(refused.problem["status"], status)
        return refused
