# SPDX-License-Identifier: BSD-3-Clause
"""What the machine took from the relay while a test ran.

A flood fills a NIC's ring within milliseconds when the worker does not look:
because another thread has its CPU, or the hypervisor has. The relay measures
both. What the first took, the kernel's clock tells from work of the relay's
own, and a test may grant it. What the second took, nobody can tell from a
relay that is slow: then a test tries again. A fault comes again, too.
"""

import contextlib

LEAST_S = 0.002  # as the relay counts it
GRANT_S = 0.2    # a run that was disturbed for longer proves little
TRIES = 3


class Disturbed(AssertionError):
    """Too much was lost, but no more than was due while the relay stood."""


class Stalls:
    """Of all workers, since this was made."""

    def __init__(self, api):
        self.api = api
        self.before = self._read()

    def _read(self):
        sums = dict.fromkeys(("stalled", "displaced"), 0.0)
        for (name, _), value in self.api.metrics().items():
            for kind in sums:
                if name == f"sallyport_worker_{kind}_seconds_total":
                    sums[kind] += float(value)
        return sums

    def seconds(self, kind="stalled"):
        """That workers stood; "displaced": with another thread there."""
        return self._read()[kind] - self.before[kind]

    def __str__(self):
        return (f"the relay stood for {self.seconds() * 1e3:.0f} ms, "
                f"displaced for {self.seconds('displaced') * 1e3:.0f}")


def due_within(phone, seconds):
    """The most frames that @phone sent within so many seconds."""
    at, most, first = [each.at_ns for each in phone.sent], 0, 0
    for last, when in enumerate(at):
        while when - at[first] > seconds * 1e9:
            first += 1
        most = max(most, last - first + 1)
    return most if seconds >= LEAST_S else 0


def undisturbed(test, attempt):
    """Do attempt(stalls); again when that was Disturbed, if not too often."""
    for left in reversed(range(TRIES)):
        stalls = Stalls(test.api)
        try:
            return attempt(stalls)
        except Disturbed as error:
            if not left:
                raise
            print(f"      once more, as {stalls}: {error}", flush=True)


@contextlib.contextmanager
def excused(stalls, seconds):
    """A failure in here is Disturbed if the relay stood for so long."""
    try:
        yield
    except AssertionError as error:
        if stalls.seconds() < seconds:
            raise
        raise Disturbed(str(error)) from error
