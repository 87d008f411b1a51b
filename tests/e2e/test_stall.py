# SPDX-License-Identifier: BSD-3-Clause
"""The relay tells when it had no CPU."""

import os
import re
import signal
import time

from lab.case import RelayCase
from lab.stalls import Stalls, due_within

STOPPED_S = 0.15
TOLD = re.compile("worker_stalled worker=0 ms=[0-9]{3,} "
                  "displaced_ms=[0-9]{3,} .*had this worker's CPU")


class Stopped(RelayCase):
    # A worker that sleeps misses nothing.
    options = {"dataplane": {"idle": "busy"}}

    def _stop_for(self, seconds):
        os.kill(self.relay.process.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(self.relay.process.pid, signal.SIGCONT)

    def _soon(self, is_so, seconds=5):
        for _ in range(seconds * 20):
            if is_so():
                break
            self.run_for(0.05)

    def test_a_stop_is_measured_and_told(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        stalls = Stalls(self.api)
        self._stop_for(STOPPED_S)
        # A little less, as clocks are rounded; when the worker has its CPU
        # again.
        self._soon(lambda: stalls.seconds() >= 0.99 * STOPPED_S)
        self.assertGreaterEqual(stalls.seconds(), 0.99 * STOPPED_S)
        self.assertGreaterEqual(stalls.seconds("displaced"),
                                0.95 * STOPPED_S, "another had the CPU")
        self.assertLessEqual(stalls.seconds("displaced"), stalls.seconds())
        # After a line about something smaller the next is ten seconds off.
        self._soon(lambda: TOLD.search(self.relay.log()), 15)
        self.assertRegex(self.relay.log(), TOLD)
        self.assert_two_way(call, 0.2)

    def test_a_sleep_is_none(self):
        """Nor are the turns of a worker that nobody disturbs for long:
        what is counted is far less than the time that went by."""
        stalls, began = Stalls(self.api), time.monotonic()
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        self.assertLess(stalls.seconds(), time.monotonic() - began)

    def test_what_was_due_is_counted_by_when_it_was_sent(self):
        phone = self.phone("alice")
        phone.remote = phone.address, 9
        phone.talk(0.4)
        self.run_for(0.45)
        self.assertEqual(due_within(phone, 0), 0)
        self.assertGreaterEqual(due_within(phone, 0.1), 5)
        self.assertEqual(due_within(phone, 10), len(phone.sent))
