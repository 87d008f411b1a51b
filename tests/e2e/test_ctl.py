# SPDX-License-Identifier: BSD-3-Clause
"""sallyportctl against the daemon, and what bash completes for it."""

import json
import os
import shlex
import subprocess
from pathlib import Path

from lab import town
from lab.case import RelayCase
from lab.relay import ROOT, binary, environment

COMPLETION = ROOT / "deploy" / "completions" / "sallyportctl"
COMMANDS = ["calls", "call", "query", "delete", "drain", "statistics"]


class CtlCase(RelayCase):
    def ctl(self, *arguments, **variables):
        program = Path(binary()).with_name("ctl") / "sallyportctl"
        return self.say([str(program), *arguments], **variables)

    def say(self, command, **variables):
        done = self.town.core.popen(
            command, env={**environment(), **variables}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = done.communicate(timeout=20)
        return done.returncode, said

    def good(self, *arguments):
        status, said = self.ctl(*arguments)
        self.assertEqual(status, 0, said)
        return said

    def bad(self, status, *arguments):
        got, said = self.ctl(*arguments)
        self.assertEqual(got, status, said)
        self.assertTrue(said.startswith("sallyportctl: "), said)
        self.assertEqual(said.count("\n"), 1, said)
        return said


class CommandLine(CtlCase):
    def test_calls_and_one_call(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        self.assertIn(call.call_id, self.good("calls"))
        self.assertIn(call.caller.address, self.good("call", call.call_id))
        found = json.loads(self.good("--json", "calls"))
        self.assertIn(call.call_id, [each["call_id"]
                                     for each in found["calls"]])
        found = json.loads(self.good("-j", "call", call.call_id))
        self.assertEqual(found["call_id"], call.call_id)

    def test_a_call_is_found_by_tag_and_by_label(self):
        call, other = self.call().connect(), self.call(label="ward 7")
        other.connect()
        for tag in call.tags:
            said = self.good("query", "--tag", tag)
            self.assertIn(call.call_id, said)
            self.assertNotIn(other.call_id, said)
        self.assertIn(other.call_id, self.good("query", "--label", "ward 7"))
        found = json.loads(self.good("--json", "query", "--tag",
                                     call.tags[0]))
        self.assertEqual([each["call_id"] for each in found["calls"]],
                         [call.call_id])
        self.assertIn("nobody", self.bad(1, "query", "--tag", "nobody"))

    def test_a_call_is_deleted(self):
        call = self.call().connect()
        self.good("delete", call.call_id)
        self.bad(1, "delete", "no such call")

    def test_statistics(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        numbers = json.loads(self.good("--json", "statistics"))
        said = self.good("statistics")
        self.assertGreater(len(numbers["statistics"]), 3)
        for key in numbers["statistics"]:
            self.assertIn(f"\n{key}\n", said)
        rows = [line.split() for line in said.splitlines()]
        self.assertIn(["public", town.PUBLIC4, "30000", "30999"],
                      [row[:4] for row in rows])

    def test_a_wrong_command_line_is_explained(self):
        for words in (["dance"], ["call"], ["call", "one", "two"],
                      ["calls", "one"], ["query"], ["query", "x"],
                      ["query", "--tag", "a", "--label", "b"],
                      ["calls", "--tag", "a"]):
            with self.subTest(words):
                self.assertIn(words[0], self.bad(2, *words))

    def test_a_relay_that_is_not_there_is_explained(self):
        said = self.bad(1, "--url", "http://127.0.0.1:9", "calls")
        self.assertIn("127.0.0.1:9", said)
        self.assertIn("--url", said)

    def complete(self, *words):
        """What bash offers for the last of @words."""
        folder = Path(binary()).with_name("ctl")
        script = (f". {COMPLETION}; COMP_WORDS=(sallyportctl \"$@\"); "
                  "COMP_CWORD=$#; _sallyportctl; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        status, said = self.say(
            ["bash", "-c", script, "bash", *words],
            PATH=f"{folder}:{os.environ['PATH']}")
        self.assertEqual(status, 0, said)
        return said.split()

    def test_bash_completes_commands_options_and_calls(self):
        call = self.call().connect()
        self.assertEqual(sorted(self.complete("")), sorted(COMMANDS))
        self.assertEqual(self.complete("de"), ["delete"])
        self.assertEqual(self.complete("--js"), ["--json"])
        self.assertEqual(self.complete("query", ""), ["--tag", "--label"])
        self.assertIn(call.call_id, self.complete("call", "call-"))
        self.assertEqual(self.complete("delete", "zzz"), [])

    def test_a_completed_call_id_is_no_command(self):
        """A caller chooses it, and SIP allows all of these characters."""
        for call_id in ("`touch${IFS}x`", "x>y(z)~\"'"):
            self.api.offer(call_id=call_id, from_tag="a",
                           sdp=self.phone("alice").sdp())
            (offered,) = self.complete("call", call_id[:2])
            self.assertEqual(self.complete("call", offered), [offered])
            self.assertEqual(shlex.split(offered), [call_id])
            self.api.delete(call_id)


class Token(CtlCase):
    token = "0123456789abcdef0123456789abcdef"

    @classmethod
    def prepare(cls):
        cls.token_file = cls.town.lab.path("token")
        Path(cls.token_file).write_text(cls.token + "\n", encoding="ascii")
        cls.options = {"token": cls.token,
                       "control": {"token_file": cls.token_file}}

    def test_a_token_is_asked_for_and_taken(self):
        said = self.bad(1, "calls")
        self.assertIn("--token-file", said)
        self.good("--token-file", self.token_file, "calls")


class Drain(CtlCase):
    @classmethod
    def _stop(cls):
        if cls.relay.alive():
            super()._stop()

    def tearDown(self):
        for call in self.calls:
            call.caller.close()
            call.callee.close()

    def test_drain_ends_with_the_last_call(self):
        call = self.call().connect()
        self.assertIn("refused", self.good("drain"))
        self.assert_refused(503, self.call().offer)
        self.good("delete", call.call_id)
        self.relay.process.wait(40)
        self.assertEqual(self.relay.log_complaints(), [])
