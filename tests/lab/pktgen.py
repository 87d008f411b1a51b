# SPDX-License-Identifier: BSD-3-Clause
"""bench/pktgen: started in a namespace, and what it said."""

import json
import os
import subprocess
from pathlib import Path

from .relay import ROOT, binary, environment

CALLS, RATE, SECONDS = 20, 4000, 0.3
PACKETS = round(RATE * SECONDS)  # of a run
RUN_S = 60                       # none takes so long


def program():
    """$PKTGEN, or the one that was built with the daemon."""
    given = os.environ.get("PKTGEN")
    built = Path(binary()).parents[1] / "bench/pktgen"
    return given or str(built if built.exists()
                        else ROOT / "build/release/bench/pktgen")


def start(ns, devices, *arguments):
    """Both sides of some calls; @arguments may say otherwise."""
    return ns.popen([program(), "--json",
                     *[f"--device={each}" for each in devices],
                     "--calls", str(CALLS), "--rate", str(RATE),
                     "--seconds", str(SECONDS), *map(str, arguments)],
                    env=environment(), stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, text=True)


class Said:
    """How a generator ended."""

    def __init__(self, process):
        out, self.complaints = process.communicate(timeout=RUN_S)
        self.status = process.returncode
        line = out.splitlines()[-1] if out.strip() else ""
        self.json = json.loads(line) if line.startswith("{") else {}
        self.ways = [self.json.get(way) for way in ("a_to_b", "b_to_a")]

    def sum(self, key):
        return sum(way[key] for way in self.ways)
