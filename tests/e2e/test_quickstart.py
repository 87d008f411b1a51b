# SPDX-License-Identifier: BSD-3-Clause
"""The newcomer's first command, as the newcomer runs it."""

import os
import re
import signal
import subprocess
import time
import unittest

from lab.netns import PREFIX, RUN
from lab.relay import ROOT


class Quickstart(unittest.TestCase):
    def start(self):
        process = subprocess.Popen(
            [str(ROOT / "deploy" / "quickstart")], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={key: value for key, value in os.environ.items()
                 if key != "SALLYPORT"})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def left(process):
        """The namespaces it has; exec keeps its process id."""
        return [name for name in os.listdir(RUN)
                if name.startswith(f"{PREFIX}{process.pid}-")]

    def test_it_tells_of_a_call_that_worked(self):
        process = self.start()
        said, _ = process.communicate(timeout=180)
        self.assertEqual(process.returncode, 0, said[-3000:])
        self.assertEqual(len(re.findall(r"speech +identical", said)), 2)
        self.assertIn("driver af_xdp", said)
        self.assertIn("was  c=IN IP4 192.168.1.20", said)
        self.assertIn("The stranger got nothing back.", said)
        self.assertNotIn("\x1b", said, "no colour without a terminal")
        self.assertEqual(self.left(process), [])

    def test_an_interrupted_one_leaves_nothing(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                process = self.start()
                end = time.monotonic() + 60
                while time.monotonic() < end and len(
                        self.left(process)) < 8:
                    time.sleep(0.05)
                time.sleep(0.5)
                process.send_signal(number)
                process.communicate(timeout=30)
                self.assertEqual(process.returncode, 130)
                self.assertEqual(self.left(process), [])
