# SPDX-License-Identifier: BSD-3-Clause
"""A host that takes CPUs away for a while and tells nobody.

Virtual machines live with this, those for CI most of all. The kernel's clocks
say that whoever was interrupted had worked all the time, so what judges by
them is wrong then. storm.bpf.c does it to this machine, as root.
"""

import contextlib
import platform
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .netns import LabError, run

FOLDER = Path(__file__).parent
EVERY_MS, MOST_MS = 300, 120
STARTS_S = 30


def _build(folder):
    clang = shutil.which("clang-14") or shutil.which("clang")
    run(clang or "clang", "-target", "bpf", "-O2", "-g",
        f"-I/usr/include/{platform.machine()}-linux-gnu", "-c",
        str(FOLDER / "storm.bpf.c"), "-o", f"{folder}/storm.o")
    run("cc", "-O2", "-D_GNU_SOURCE", str(FOLDER / "storm.c"), "-o",
        f"{folder}/storm", "-lbpf")


@contextlib.contextmanager
def storm(seed=1, every_ms=EVERY_MS, most_ms=MOST_MS):
    """Pauses of all CPUs and of some, up to @most_ms, one in @every_ms; what
    they were is a function that is answered behind it: (times, seconds), of
    all CPUs together."""
    said = []
    with tempfile.TemporaryDirectory() as folder:
        _build(folder)
        process = subprocess.Popen(
            [f"{folder}/storm", f"{folder}/storm.o", str(seed),
             str(every_ms), str(most_ms)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            first = process.stdout.readline()
            if first != "storm\n":
                raise LabError(f"no storm: {first}{process.stdout.read()}")
            yield lambda: said[0]
        finally:
            process.send_signal(signal.SIGTERM)
            last, _ = process.communicate(timeout=STARTS_S)
            found = re.match(r"paused (\d+) times, (\S+) s", last)
            said.append((int(found[1]), float(found[2])) if found else (0, 0))
