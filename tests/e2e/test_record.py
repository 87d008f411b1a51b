# SPDX-License-Identifier: BSD-3-Clause
"""What is told of calls unasked: records in a file, and the webhook, with a
server that fails, dawdles or is not there. Calls must not notice."""

import json
import os
import re
import time
from pathlib import Path

from lab import town
from lab.case import RelayCase
from lab.hook import HOOK_PORT, Hook

MEDIA_S = 2
PATIENCE_S = 20  # for what happens in its own time
FIELDS = {"event", "time", "call_id", "reason", "created", "answered",
          "duration_ms", "parties"}


class RecordCase(RelayCase):
    options = {"timeouts": {"media_s": MEDIA_S},
               "control": {"webhook": f"http://127.0.0.1:{HOOK_PORT}/calls"}}

    @classmethod
    def prepare(cls):
        cls.path = cls.town.lab.path("calls.json")
        cls.options = {**cls.options, "control": {
            **cls.options["control"], "records": cls.path}}
        cls.hook = Hook(cls.town.core)
        cls.hook.open()
        cls.addClassCleanup(cls.hook.close)

    def setUp(self):
        super().setUp()
        self.hook.answers, self.hook.delay_s = [], 0
        self.until(lambda: self.counted("waiting", "webhook") == 0,
                   "the end of what other tests left")

    def until(self, condition, what):
        """Let calls go on until @condition holds."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                self.fail(f"not within {PATIENCE_S} s: {what}")
            self.run_for(0.05)

    def records(self, path=None):
        path = Path(path or self.path)
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def record_of(self, call, path=None):
        def found():
            return [each for each in self.records(path)
                    if each["call_id"] == call.call_id]

        self.until(found, f"a record of {call.call_id}")
        found = found()
        self.assertEqual(len(found), 1, found)
        return found[0]

    def counted(self, name, outbox):
        return self.api.metrics()[f"sallyport_outbox_{name}",
                                  (("outbox", outbox),)]


class Records(RecordCase):
    def test_a_call_leaves_one_line_with_what_was_heard(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.5)
        call.delete()
        record = self.record_of(call)
        self.assertLessEqual(FIELDS, record.keys())
        self.assertEqual(record["event"], "call_end")
        self.assertEqual(record["reason"], "deleted")
        for key in ("time", "created", "answered"):
            self.assertRegex(record[key],
                             r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertLessEqual(record["created"], record["answered"])
        self.assertGreaterEqual(record["duration_ms"], 500)
        self.assertEqual([each["realm"] for each in record["parties"]],
                         ["public", "core"])
        for party, phone in zip(record["parties"],
                                (call.caller, call.callee)):
            media = party["media"][0]
            self.assertEqual(media["packets"], len(phone.sent))
            self.assertEqual(media["lost"], 0)
            self.assertGreater(media["mos"], 4)

    def test_the_webhook_gets_the_same_as_the_file(self):
        call = self.call().connect()
        call.delete()
        self.until(lambda: self.hook.of(call), "the webhook's event")
        self.assertEqual(self.hook.of(call), [(204, self.record_of(call))])
        headers = self.hook.events[-1][2]
        self.assertEqual(headers["Content-Type"], "application/json")

    def test_a_rotated_file_is_left_alone(self):
        before = self.call().connect()
        before.delete()
        self.record_of(before)
        old = self.path + ".1"
        os.rename(self.path, old)
        after = self.call().connect()
        after.delete()
        self.record_of(after)
        self.record_of(before, old)
        self.assertNotIn(after.call_id, [each["call_id"]
                                    for each in self.records(old)])

    def test_a_leg_that_falls_silent_is_told_and_so_is_its_return(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        call.caller.talk()
        self.until(lambda: self.hook.of(call, "leg_silent"), "leg_silent")
        [(_, silent)] = self.hook.of(call, "leg_silent")
        self.assertEqual(silent["limit_s"], MEDIA_S)
        call.callee.talk()
        self.until(lambda: self.hook.of(call, "leg_heard"), "leg_heard")
        [(_, heard)] = self.hook.of(call, "leg_heard")
        self.assertEqual(heard["tag"], silent["tag"])
        call.delete()
        self.assertEqual(self.record_of(call)["reason"], "deleted")

    def test_failures_are_tried_again_in_order(self):
        again = self.counted("again_total", "webhook")
        self.hook.answers = [500, 503, 302, 429]
        calls = [self.call().connect() for _ in range(2)]
        for call in calls:
            call.delete()
        self.until(lambda: self.hook.of(calls[1]), "the second event")
        self.assertEqual([status for status, _ in self.hook.of(calls[0])],
                         [500, 503, 302, 429, 204])
        self.assertEqual([status for status, _ in self.hook.of(calls[1])],
                         [204])
        self.assertEqual(self.counted("again_total", "webhook"), again + 4)

    def test_what_is_refused_for_good_holds_nothing_up(self):
        lost = self.counted("lost_total", "webhook")
        self.hook.answers = [400]
        first, second = self.call().connect(), self.call().connect()
        first.delete()
        second.delete()
        self.until(lambda: self.hook.of(second), "the second event")
        self.assertEqual(self.hook.of(first)[0][0], 400)
        self.assertEqual(len(self.hook.of(first)), 1)
        self.assertEqual(self.counted("lost_total", "webhook"), lost + 1)
        self.record_of(first)

    def test_a_slow_server_slows_no_call_down(self):
        self.hook.delay_s = 1
        talking = self.call().connect()
        talking.caller.talk()
        talking.callee.talk()
        took = []
        for _ in range(10):
            start = time.monotonic()
            self.call().connect().delete()
            took.append(time.monotonic() - start)
        self.assertLess(sorted(took)[5], 0.5, took)
        self.run_for(0.5)
        for phone in (talking.caller, talking.callee):
            phone.mute()
        self.run_for(0.2)
        self.assert_heard(talking.caller, talking.callee)
        self.assert_heard(talking.callee, talking.caller)
        self.assertGreater(self.counted("waiting", "webhook"), 0)
        self.hook.delay_s = 0
        self.until(lambda: self.counted("waiting", "webhook") == 0,
                   "an empty queue")

    def test_a_server_that_was_away_gets_all_of_it(self):
        self.hook.close()
        calls = [self.call().connect() for _ in range(3)]
        again = self.counted("again_total", "webhook")
        for call in calls:
            call.delete()
        self.until(lambda: self.counted("again_total", "webhook") > again,
                   "a second attempt")
        self.hook.open()
        self.until(lambda: self.hook.of(calls[2]), "the last event")
        for call in calls:
            self.assertEqual(len(self.hook.of(call)), 1)
            self.record_of(call)


class Shutdown(RecordCase):
    """Ends with the process: each call has its record all the same."""

    def test_calls_that_were_going_on_are_recorded(self):
        calls = [self.call().connect() for _ in range(5)]
        self.assertEqual(self.relay.stop(), [])
        for call in calls:
            self.assertEqual(self.record_of(call)["reason"], "shutdown")
            self.assertEqual(len(self.hook.of(call)), 1)
        self.relay.start()

    def test_a_server_that_hangs_delays_the_end_by_seconds_only(self):
        self.hook.delay_s = 30
        call = self.call().connect()
        start = time.monotonic()
        self.assertEqual(self.relay.stop(), [])
        self.assertLess(time.monotonic() - start, 15)
        self.assertEqual(self.record_of(call)["reason"], "shutdown")
        self.relay.start()


class StandardOutput(RelayCase):
    """The default: records on standard output, the log on the other one."""

    def test_records_are_lines_of_json_beside_the_log(self):
        call = self.call().connect()
        call.delete()
        end = time.monotonic() + PATIENCE_S
        pattern = re.compile(r'^\{"event":"call_end".*\}$', re.MULTILINE)
        while not (found := pattern.findall(self.relay.log())):
            self.assertLess(time.monotonic(), end, self.relay.log())
            time.sleep(0.05)
        self.assertEqual(json.loads(found[0])["call_id"], call.call_id)


class Metrics(RelayCase):
    """What the daemon really says is what Prometheus can read."""

    def test_families_have_their_type_before_their_samples(self):
        self.call().connect().delete()
        kinds = {}
        text = self.api.request("GET", "/metrics")[2].decode()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, kinds)
                kinds[name] = kind
            elif not line.startswith("#"):
                name = re.match(r"[a-z_0-9]+", line).group()
                name = name if name in kinds else re.sub(
                    "_(bucket|sum|count)$", "", name)
                self.assertIn(name, kinds)
                if kinds[name] == "counter":
                    self.assertTrue(name.endswith("_total"), name)
