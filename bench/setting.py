# SPDX-License-Identifier: BSD-3-Clause
"""What the scripts around bench/pktgen share: the machine's description, the
generator, two memif links, the relay on them and testpmd in its place."""

import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from lab.netns import Lab, LabError
from lab.relay import ROOT, Relay

RESULTS = ROOT / "bench/results.md"
NG = "127.0.0.1:2223"
REALMS = "public", "core"
GENERATOR_S = 600    # no run takes so long
TESTPMD_S = 1.5      # until it is there
CALLS_AN_ADDRESS = 25000
FIRST, LAST = 4096, 65535
NICE = os.environ.get("BENCH_NICE")  # where others use the machine, too


def program(variable, path):
    given = os.environ.get(variable)
    found = Path(given) if given else ROOT / path
    if not found.exists():
        raise SystemExit(f"{found} is missing: ninja -C build/release")
    return str(found)


def nice(command):
    return ["nice", "-n", NICE, *command] if NICE else list(command)


def said_by(*command):
    done = subprocess.run(command, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    return (done.stdout or done.stderr).strip()


def cpus():
    """The generator's and the relay's."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("this takes two CPUs: one each")
    return allowed[0], allowed[1]


def machine():
    """What the numbers are of, in lines."""
    info = Path("/proc/cpuinfo").read_text(encoding="ascii")
    model = re.search(r"^model name\s*: (.*)$", info, re.M)
    return [
        f"{datetime.date.today()}, {os.cpu_count()} CPUs "
        f"{model.group(1) if model else platform.machine()}, "
        f"Linux {platform.release()}, load {os.getloadavg()[0]:.1f}",
        f"{said_by(program('SALLYPORT', 'build/release/control/sallyport'), '--version')}"
        f" at {said_by('git', '-C', str(ROOT), 'describe', '--always', '--dirty')}"
        f", DPDK {said_by('pkg-config', '--modversion', 'libdpdk')}"]


class Page:
    """What is printed, and written down when that is asked for."""

    def __init__(self):
        self.lines = []

    def say(self, text=""):
        print(text, flush=True)
        self.lines.append(text)

    def record(self, title):
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(f"\n## {title}\n\n    "
                       + "\n    ".join(self.lines) + "\n")


class Links:
    """A namespace with two memif sockets in it: sides A and B."""

    def __init__(self, lab):
        self.lab = lab
        self.ns = lab.namespace("bench")
        self.sockets = [lab.path(f"link{side}") for side in (0, 1)]

    def device(self, side, role):
        return (f"net_memif{side},role={role},id=0,rsize=11,"
                f"socket={self.sockets[side]},socket-abstract=no")

    def realms(self, calls):
        """Addresses enough for so many calls."""
        count = -(-calls // CALLS_AN_ADDRESS)
        return [{"name": name, "device": self.device(side, "server"),
                 "addresses": [f"198.{18 + side}.255.{n + 1}/16"
                               for n in range(count)],
                 "ports": f"{FIRST}-{LAST}"}
                for side, name in enumerate(REALMS)]

    def relay(self, calls, **dataplane):
        return Relay(
            self.lab, self.ns, self.realms(calls), speed=True,
            control={"ng": [NG], "records": "none"}, wrapper=nice(()),
            dataplane={"max_calls": calls + 1000, "idle": "busy",
                       "workers": [cpus()[1]], **dataplane})

    def testpmd(self, mode="macswap"):
        return Testpmd(self, mode)

    def generate(self, *arguments, relayed=True):
        """What bench/pktgen says of one run."""
        command = [program("PKTGEN", "build/release/bench/pktgen"), "--json",
                   "--cpu", str(cpus()[0])]
        for side in (0, 1):
            command += ["--device", self.device(side, "client")]
        if relayed:
            command += ["--ng", NG, "--realms", ",".join(REALMS)]
        command += map(str, arguments)
        done = self.ns.popen(nice(command), stdout=subprocess.PIPE, text=True)
        try:
            said, _ = done.communicate(timeout=GENERATOR_S)
        finally:
            done.kill()
        lines = said.splitlines()
        if not lines or not lines[-1].startswith("{"):
            raise LabError(f"pktgen ended with {done.returncode}")
        return Outcome(json.loads(lines[-1]))


class Testpmd:
    """DPDK's own forwarder in the relay's place, on the relay's CPU."""

    def __init__(self, links, mode):
        generator, mine = cpus()
        command = ["dpdk-testpmd", f"--lcores=0@{generator},1@{mine}",
                   "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
                   "--log-level=error", "-m", "256"]
        for side in (0, 1):
            command += ["--vdev", links.device(side, "server")]
        command += ["--", "--nb-cores=1", f"--forward-mode={mode}",
                    "--total-num-mbufs=16384", "--no-mlockall",
                    "--auto-start"]
        # It ends when its input does.
        self.process = links.ns.popen(
            nice(command), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        links.lab.on_close(self.process.kill)
        time.sleep(TESTPMD_S)
        if self.process.poll() is not None:
            raise LabError("dpdk-testpmd did not start")

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Outcome:
    """A run of the generator, both ways together."""

    def __init__(self, said):
        self.said = said
        self.ways = said["a_to_b"], said["b_to_a"]
        self.rate = said["offered"]
        self.lost = self.sum("lost")

    def sum(self, key):
        return sum(way[key] for way in self.ways)

    def latency(self, share):
        """Microseconds; of the worse way."""
        return max(way["latency_us"][share] for way in self.ways)


__all__ = ["Lab", "Links", "Outcome", "Page", "machine"]
