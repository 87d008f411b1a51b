# SPDX-License-Identifier: BSD-3-Clause
"""What the scripts around bench/pktgen share: the machine's description, the
generator, two memif links, the relay on them and testpmd in its place."""

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from lab.netns import Lab, LabError
from lab.relay import ROOT, Relay
from rows import Rows

RESULTS = ROOT / "bench/results.md"
NG = "127.0.0.1:2223"
REALMS = "public", "core"
BUSY = 0.8           # of the most packets seen in a moment
GENERATOR_S = 600    # no run takes so long
TESTPMD_S = 1.5      # until it is there
TESTPMD_ANSWERS_S = 0.1
SAMPLE_S = 0.4
DISTANCE_S = 0.1     # between two looks
SAME = 2             # distances within this ratio are one
PATIENCE_S = 90      # with CPUs that moved, in all of a script
TRIES = 4
CALLS_AN_ADDRESS = 25000
FIRST, LAST = 4096, 65535
# Whoever is interrupted for some milliseconds must find all packets still
# there; in small buffers, so that they stay in the caches as a NIC's do.
RING = 14            # log2
ROOM = 256           # for 214 bytes, and 230 with SRTP
NICE = os.environ.get("BENCH_NICE", "-20")


def program(variable, path):
    given = os.environ.get(variable)
    found = Path(given) if given else ROOT / path
    if not found.exists():
        raise SystemExit(f"{found} is missing: ninja -C build/release")
    return str(found)


def nice(command):
    """The command, to be run before all else on the machine, which is not
    what is measured. Where the kernel shares the CPU by session, nice alone
    orders nothing but the session's own."""
    order = f'echo {NICE} >/proc/self/autogroup; exec "$@"'
    return ["setsid", "nice", "-n", NICE, "sh", "-c", order, "sh", *command]


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


def versions():
    """Of all that takes part: {name: version}"""
    said = said_by(program("SALLYPORT", "build/release/control/sallyport"),
                   "--version")
    rtpengine = "none"
    if shutil.which("rtpengine"):
        found = re.search(r"[0-9][0-9.]+", said_by("rtpengine", "--version"))
        rtpengine = found.group() if found else "unknown"
    return {
        "sallyport": said.removeprefix("sallyport ") + " at " + said_by(
            "git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "DPDK": said_by("pkg-config", "--modversion", "libdpdk"),
        "rtpengine": rtpengine, "Linux": platform.release()}


def machine():
    """What the numbers are of, in lines."""
    info = Path("/proc/cpuinfo").read_text(encoding="ascii")
    model = re.search(r"^model name\s*: (.*)$", info, re.M)
    return [
        f"{datetime.date.today()}, {os.cpu_count()} CPUs "
        f"{model.group(1) if model else platform.machine()}, "
        f"load {os.getloadavg()[0]:.1f}",
        ", ".join(f"{name} {what}" for name, what in versions().items())]


def arguments(page, *known, root=True):
    """A script's options: @known are (name, {what argparse takes}), beside
    what all have."""
    parser = argparse.ArgumentParser()
    for name, how in known:
        parser.add_argument(name, **how)
    parser.add_argument("--record", action="store_true",
                        help="add what it prints to results.md")
    parser.add_argument("--json", metavar="FILE",
                        help="append a line of JSON for each row")
    options = parser.parse_args()
    if root and os.geteuid() != 0:
        raise SystemExit("this makes network namespaces: be root")
    page.rows = Rows(options.json, page.bench)
    return options


def median(values):
    return statistics.median(values)


class Page:
    """What is printed, and written down when that is asked for."""

    def __init__(self, bench):
        self.bench = bench
        self.rows = Rows(None, bench)
        self.lines = []

    def say(self, text=""):
        print(text, flush=True)
        self.lines.append(text)

    def aim(self, claim, value, limit, better="more"):
        met = self.rows.aim(claim, value, limit, better)
        self.say(f"{claim}: {value:.2f}, "
                 + ("met" if met else f"missed (aim {limit})"))

    def record(self):
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(f"\n## bench/{self.bench}\n\n    "
                       + "\n    ".join(self.lines) + "\n")


class Distance:
    """How far the two CPUs are from each other: nanoseconds that a cache line
    takes there and back. A virtual machine's are two threads of a core in one
    minute, and cores far apart in the next, as the host likes; over shared
    memory packets then cost another time. So things are compared at one
    distance, that which was there most of the time at first."""

    def __init__(self):
        self.first = median(self.now() for _ in range(5))
        self.elsewhere = 0  # results that came at another one after all
        self.patience = PATIENCE_S

    @staticmethod
    def now():
        time.sleep(DISTANCE_S)
        return float(said_by(
            *nice([program("BOUNCE", "build/release/bench/bounce")]),
            *map(str, cpus())))

    def is_first(self):
        return 1 / SAME < self.now() / self.first < SAME

    def steadily(self, run):
        """What run() answers when it is right, not None, and the CPUs were
        where they were at first; whatever comes when patience is at its end."""
        result = None
        for _ in range(TRIES):
            began = time.monotonic()
            while (not self.is_first()
                   and time.monotonic() - began < self.patience):
                pass
            self.patience -= time.monotonic() - began
            began = time.monotonic()
            result = run()
            if result is not None:
                if self.is_first():
                    return result
                self.patience -= time.monotonic() - began
                if self.patience <= 0:
                    break
        if result is None:
            raise LabError(f"no result in {TRIES} tries")
        self.elsewhere += 1
        return result

    def __str__(self):
        return (f"CPUs {self.first:.0f} ns apart (a cache line there and "
                "back)")


class Links:
    """A namespace with two memif sockets in it: sides A and B."""

    def __init__(self, lab):
        self.lab = lab
        self.ns = lab.namespace("bench")
        self.sockets = [lab.path(f"link{side}") for side in (0, 1)]
        self.distance = Distance()

    def device(self, side, role):
        return (f"net_memif{side},role={role},id=0,rsize={RING},bsize={ROOM},"
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
        return OurRelay(
            self.lab, self.ns, self.realms(calls), speed=True,
            control={"ng": [NG], "records": "none"}, wrapper=nice(()),
            dataplane={"max_calls": calls + 1000, "idle": "busy",
                       "workers": [cpus()[1]], **dataplane})

    def testpmd(self, mode="macswap"):
        return Testpmd(self, mode)

    def generate(self, *arguments, forwarder=None, alone=True, watch=None):
        """What bench/pktgen says of one run, which sets up calls if the
        @forwarder is a relay. It may be not @alone on its CPU. Meanwhile
        @watch is called."""
        command = [program("PKTGEN", "build/release/bench/pktgen"), "--json",
                   "--cpu", str(cpus()[0])]
        for side in (0, 1):
            command += ["--device", self.device(side, "client")]
        if forwarder and forwarder.relayed:
            command += ["--ng", NG, "--realms", ",".join(REALMS)]
        if forwarder and alone:
            command += ["--watch", str(forwarder.pid()),
                        "--ring", str(1 << RING)]
        command += map(str, arguments)
        done = self.ns.popen(nice(command), stdout=subprocess.PIPE, text=True)
        try:
            while watch and done.poll() is None:
                time.sleep(SAMPLE_S)
                watch()
            said, _ = done.communicate(timeout=GENERATOR_S)
        finally:
            done.kill()
        lines = said.splitlines()
        if not lines or not lines[-1].startswith("{"):
            raise LabError(f"pktgen ended with {done.returncode}")
        return Outcome(json.loads(lines[-1]))

    def search(self, start, *arguments):
        """The highest rate of what start() makes; None if none was found."""
        with running(start) as forwarder:
            found = self.generate(*arguments, forwarder=forwarder)
        return found if found.said["end"] == "found" else None

    def cost_ns(self, forwarder, *arguments):
        """What a packet costs a forwarder's core while the generator does
        this: of the moments with the most packets."""
        seen = []
        self.generate(*arguments, forwarder=forwarder,
                      watch=lambda: seen.append(forwarder.spent()))
        steps = [(now[0] - then[0], now[1] - then[1])
                 for then, now in zip(seen, seen[1:]) if now[1] > then[1]]
        most = max((packets for _, packets in steps), default=0)
        busy = [step for step in steps if step[1] > most * BUSY]
        return (sum(step[0] for step in busy)
                / max(sum(step[1] for step in busy), 1))


@contextlib.contextmanager
def running(start):
    """A forwarder that start() makes, for one run of the generator: when the
    other end of a memif link goes while it is polled, DPDK's driver may take
    the process along."""
    forwarder = start()
    try:
        yield forwarder
    finally:
        wrong = forwarder.stop()
        if wrong:
            print("the daemon's end: " + "; ".join(wrong), file=sys.stderr)


class OurRelay(Relay):
    """The daemon; knows what a packet costs its workers."""

    relayed = True  # calls are set up at it

    def pid(self):
        return self.process.pid

    def spent(self):
        """Nanoseconds of turns that found packets, packets: so far."""
        metrics = self.api.metrics()
        seconds, packets = [
            sum(value for (name, _), value in metrics.items()
                if name == wanted)
            for wanted in ("sallyport_busy_seconds_total",
                           "sallyport_received_total")]
        return seconds * 1e9, packets


class Testpmd:
    """DPDK's own forwarder in the relay's place, on the relay's CPU."""

    relayed = False

    def __init__(self, links, mode):
        generator, mine = cpus()
        command = ["stdbuf", "-oL", "dpdk-testpmd",
                   f"--lcores=0@{generator},1@{mine}",
                   "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
                   "--log-level=error", "-m", "256"]
        for side in (0, 1):
            command += ["--vdev", links.device(side, "server")]
        command += ["--", "-i", "--nb-cores=1", f"--forward-mode={mode}",
                    "--total-num-mbufs=16384", "--no-mlockall",
                    "--record-core-cycles", "--auto-start"]
        self.said = Path(links.lab.path(f"testpmd{len(links.lab.closers)}"))
        with self.said.open("wb") as said:
            self.process = links.ns.popen(
                nice(command), stdin=subprocess.PIPE, stdout=said,
                stderr=subprocess.DEVNULL)
        links.lab.on_close(self.process.kill)
        time.sleep(TESTPMD_S)
        if self.process.poll() is not None:
            raise LabError("dpdk-testpmd did not start")

    def pid(self):
        return self.process.pid

    def command(self, text):
        self.process.stdin.write(f"{text}\n".encode())
        self.process.stdin.flush()

    def spent(self):
        """Nanoseconds of bursts forwarded, packets: so far. It forgets
        them when the generator leaves."""
        self.command("show fwd stats all")
        time.sleep(TESTPMD_ANSWERS_S)
        found = re.findall(
            r"\(total cycles=(\d+) / total \S+ packets=(\d+)\) at (\d+) MHz",
            self.said.read_text(errors="replace"))
        if not found:
            return 0, 0
        cycles, packets, mhz = map(int, found[-1])
        return cycles * 1e3 / mhz, packets

    def stop(self):
        self.command("quit")
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


__all__ = ["Lab", "LabError", "Links", "Outcome", "Page", "arguments",
           "machine", "median", "running"]
