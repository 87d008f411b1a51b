# SPDX-License-Identifier: BSD-3-Clause
"""The attacker's tools, programs in C that are built when first asked for."""

import re
import subprocess
from pathlib import Path

from .netns import LabError, run

FOLDER = Path(__file__).parent


class _Tool:
    """Runs NAME.c in the background, in @ns, until it ends by itself."""

    NAME = None
    LAST = None  # what its last line looks like

    def __init__(self, lab, ns, *arguments):
        program = lab.path(self.NAME)
        if not Path(program).exists():
            run("cc", "-O2", "-D_GNU_SOURCE", "-o", program,
                str(FOLDER / f"{self.NAME}.c"))
        self.process = ns.popen([program, *map(str, arguments)],
                                stdout=subprocess.PIPE, text=True)
        lab.on_close(self.process.kill)

    def running(self):
        return self.process.poll() is None

    def wait(self):
        out, _ = self.process.communicate(timeout=60)
        found = re.match(self.LAST, out)
        if self.process.returncode != 0 or not found:
            raise LabError(f"{self.NAME} ended with "
                           f"{self.process.returncode}")
        return found.groups()


class Spray(_Tool):
    """Sends to every port of a range from one socket."""

    NAME = "spray"
    LAST = r"sent (\d+) received (\d+) bytes (\d+)"

    def __init__(self, lab, ns, address, ports, rate, seconds, mode):
        super().__init__(lab, ns, address, *ports, rate, seconds, mode)

    def wait(self):
        """(packets sent, packets that came back, their bytes)"""
        return tuple(map(int, super().wait()))


class Forge(_Tool):
    """Sends what looks like @phone's SRTP to where that phone sends."""

    NAME = "forge"
    LAST = r"sent (\d+) in (\S+)"

    def __init__(self, lab, ns, phone, rate, seconds):
        super().__init__(lab, ns, *phone.remote, phone.address, phone.port,
                         phone.ssrc, phone.seq, rate, seconds)

    def wait(self):
        """(packets sent, seconds that it took)"""
        sent, seconds = super().wait()
        return int(sent), float(seconds)


class Volley(_Tool):
    """Sends @frames, as they are, out of an interface of @ns."""

    NAME = "volley"
    LAST = r"sent (\d+) in (\S+)"

    def __init__(self, lab, ns, frames, rate, seconds, interface="eth0"):
        path = lab.path(f"volley{len(lab.closers)}")
        with open(path, "wb") as file:
            for each in frames:
                file.write(len(each).to_bytes(2, "big") + each)
        super().__init__(lab, ns, path, interface, rate, seconds)

    def wait(self):
        """(packets sent, seconds that it took)"""
        sent, seconds = super().wait()
        return int(sent), float(seconds)
