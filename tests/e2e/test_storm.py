# SPDX-License-Identifier: BSD-3-Clause
"""A host that takes CPUs away in silence, and what the relay makes of it. All
other tests must stand it, too: STORM=1 tests/run e2e."""

from lab.case import RelayCase
from lab.stalls import Stalls
from lab.storm import storm

ENOUGH_S = 0.05  # of pauses
PATIENCE_S = 20


class Storm(RelayCase):
    # A worker that sleeps misses nothing.
    options = {"dataplane": {"idle": "busy"}}

    def test_the_relay_measures_what_no_clock_of_the_kernel_shows(self):
        call = self.call().connect()
        stalls = Stalls(self.api)
        hidden = 0
        with storm() as was:
            for _ in range(PATIENCE_S * 5):
                self.run_for(0.2)
                hidden = stalls.seconds() - stalls.seconds("displaced")
                if hidden >= ENOUGH_S:
                    break
        times, seconds = was()
        self.assertGreater(times, 0)
        self.assertGreater(seconds, 0)
        self.assertGreaterEqual(hidden, ENOUGH_S, stalls)
        self.assert_two_way(call, 0.3)
