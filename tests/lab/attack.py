# SPDX-License-Identifier: BSD-3-Clause
"""The attacker's tools: a fast sprayer, built when first asked for."""

import re
import subprocess
from pathlib import Path

from .netns import LabError, run

SOURCE = Path(__file__).with_name("spray.c")


class Spray:
    """Sends in the background from @ns; see spray.c for the arguments."""

    def __init__(self, lab, ns, address, ports, rate, seconds, mode):
        program = lab.path("spray")
        if not Path(program).exists():
            run("cc", "-O2", "-D_GNU_SOURCE", "-o", program, str(SOURCE))
        first, last = ports
        self.process = ns.popen(
            [program, address, str(first), str(last), str(rate),
             str(seconds), mode], stdout=subprocess.PIPE, text=True)
        lab.on_close(self.process.kill)

    def running(self):
        return self.process.poll() is None

    def wait(self):
        """(packets sent, packets that came back, their bytes)"""
        out, _ = self.process.communicate(timeout=60)
        found = re.match(r"sent (\d+) received (\d+) bytes (\d+)", out)
        if self.process.returncode != 0 or not found:
            raise LabError(f"spray ended with {self.process.returncode}")
        return tuple(map(int, found.groups()))
