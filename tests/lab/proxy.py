# SPDX-License-Identifier: BSD-3-Clause
"""The network of the recorded requests, with a proxy and phones in it.

    caller 10.88.1.2 ------+
    callee 10.88.2.2 ------+ switch --- core 10.88.0.1, fd88::1: proxy, relay
    home router 10.88.3.2 -+
    fd88:4::2 -------------+

The core host does not forward, so audio can only come through the relay.
"""

import csv
import os
import re
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

from . import rtp
from .netns import Lab, LabError
from .relay import ROOT

CORE4, CORE6 = "10.88.0.1", "fd88::1"
CALLER, CALLEE = "10.88.1.2", "10.88.2.2"
ROUTER, SIX = "10.88.3.2", "fd88:4::2"
PORTS = 30000, 39999
SIP = 5060
STOCK = "/etc/kamailio/kamailio.cfg"
SCENARIOS = ROOT / "tests" / "interop"
READY_S = 20


def realms():
    return [{"name": "sip", "interface": "eth0", "addresses": [CORE4, CORE6],
             "ports": f"{PORTS[0]}-{PORTS[1]}"}]


class Network:
    def __init__(self):
        self.lab = lab = Lab()
        try:
            self.switch = lab.switch("switch")
            self.core = self._host("core", f"{CORE4}/16", f"{CORE6}/16")
            self.caller = self._host("caller", f"{CALLER}/16")
            self.callee = self._host("callee", f"{CALLEE}/16")
        except BaseException:
            lab.close()
            raise

    def _host(self, name, *addresses):
        ns = self.lab.namespace(name)
        self.lab.plug(self.switch, ns, "eth0", *addresses)
        return ns

    def close(self):
        self.lab.close()


class Program:
    """A program in a namespace whose children die with it: it has its own
    process numbers, and the first of them is the program."""

    def __init__(self, lab, ns, name, command):
        self.name, self.ns = name, ns
        self.log_path = lab.path(f"{name}.log")
        with open(self.log_path, "wb") as log:
            self.process = ns.popen(
                ["unshare", "--pid", "--fork", "--kill-child=SIGKILL",
                 *command], stdout=log, stderr=log, cwd=lab.folder.name)
        lab.on_close(self.kill)

    def log(self):
        return Path(self.log_path).read_text(encoding="utf-8",
                                             errors="replace")

    def wait(self, seconds):
        """Its exit status; LabError when it still runs after @seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LabError(f"{self.name} still ran after {seconds:.0f} s:\n"
                           + self.log()[-4000:]) from None

    def kill(self):
        """End it; its ports are free afterwards. The program goes first:
        after unshare it would die in its own time."""
        if self.process.poll() is not None:
            return
        pid = self.process.pid
        inner = Path(f"/proc/{pid}/task/{pid}/children").read_text(
            encoding="ascii").split()
        for child in inner or [pid]:
            os.kill(int(child), signal.SIGKILL)
        self.process.wait()


def kamailio(network, config=STOCK, defines=("WITH_NAT", "WITH_RTPENGINE")):
    """Debian's Kamailio, with Debian's configuration unless said."""
    program = Program(
        network.lab, network.core, "kamailio",
        ["kamailio", "-f", config, "-DD", "-E", "-m", "256", "-M", "16",
         "-l", f"udp:{CORE4}:{SIP}", "-Y", network.lab.folder.name,
         "-P", network.lab.path("kamailio.pid"),
         *[word for name in defines for word in ("-A", name)]])
    asker = network.caller.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.settimeout(0.2)
    asker.connect((CORE4, SIP))
    options = message("OPTIONS", f"sip:{CORE4}", asker, "ready", 1)
    end = time.monotonic() + READY_S
    with asker:
        while time.monotonic() < end and program.process.poll() is None:
            try:
                asker.send(options)
                if asker.recv(4096).startswith(b"SIP/2.0 200"):
                    return program
            except OSError:
                time.sleep(0.1)
    raise LabError("Kamailio does not answer:\n" + program.log()[-4000:])


def message(method, uri, sock, call_id, number, *headers, user="callee"):
    """A request without a body, from @sock, which is connected."""
    host, port = sock.getsockname()
    return "\r\n".join((
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call_id}{number}",
        f"From: <sip:{user}@{CORE4}>;tag={call_id}",
        f"To: <sip:{user}@{CORE4}>", f"Call-ID: {call_id}",
        f"CSeq: {number} {method}", "Max-Forwards: 70", *headers,
        "Content-Length: 0", "", "")).encode()


def register(ns, address, user="callee", port=SIP):
    """Tell the registrar that @user is at @address."""
    with ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.bind((address, port))
        sock.connect((CORE4, SIP))
        sock.send(message("REGISTER", f"sip:{CORE4}", sock,
                          f"register-{user}-{port}", 1,
                          f"Contact: <sip:{user}@{address}:{port}>",
                          "Expires: 600", user=user))
        reply = sock.recv(4096)
        if not reply.startswith(b"SIP/2.0 200"):
            raise LabError(f"not registered: {reply.decode()}")


def voice(path, frames):
    """A pcap file with @frames of G.711 A-law for SIPp to play; returns
    them."""
    said = [os.urandom(rtp.FRAME) for _ in range(frames)]
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number in range(frames):
            packet = rtp.pack(said[number], number,
                              number * rtp.FRAME, 0x5a11b047, rtp.PCMA,
                              number == 0)
            udp = struct.pack("!HHHH", 6000, 6000, 8 + len(packet), 0)
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(packet), 0,
                             0, 64, 17, 0, bytes(4), bytes(4))
            frame = bytes(12) + b"\x08\x00" + ip + udp + packet
            us = number * 20000
            file.write(struct.pack("=IIII", us // 1000000, us % 1000000,
                                   len(frame), len(frame)) + frame)
    return said


class Sipp(Program):
    """One SIPp; its numbers are read from its statistics file."""

    def __init__(self, network, ns, name, scenario, address, *options,
                 port=SIP, media_port=6000, priority=()):
        self.stat_path = network.lab.path(f"{name}.csv")
        super().__init__(
            network.lab, ns, name,
            [*priority, "sipp", f"{CORE4}:{SIP}", "-sf", str(SCENARIOS / scenario),
             "-i", address, "-p", str(port), "-mi", address,
             "-cid_str", f"%u-{os.urandom(4).hex()}@%s",
             "-mp", str(media_port), "-nostdin", "-fd", "1",
             "-trace_stat", "-stf", self.stat_path,
             "-trace_err", "-error_file", network.lab.path(f"{name}.err"),
             *options])

    def numbers(self):
        """{column: value} of the last line, cumulative ones."""
        with open(self.stat_path, encoding="ascii") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return {key[:-3]: int(value) for key, value in rows[-1].items()
                if key and key.endswith("(C)") and value.isdigit()}

    def errors(self):
        path = Path(self.log_path).with_suffix(".err")
        return path.read_text(errors="replace") if path.exists() else ""


class Meter:
    """RTP packets that a host's kernel sent to the relay and had from it."""

    RULES = """
        table inet tally {
            counter sent {}
            counter heard {}
            chain out {
                type filter hook output priority 0;
                ip daddr %s udp dport %d-%d counter name sent
            }
            chain in {
                type filter hook input priority 0;
                ip saddr %s udp sport %d-%d counter name heard
            }
        }
    """

    def __init__(self, ns):
        self.ns = ns
        ns.nft(self.RULES % ((CORE4, *PORTS) * 2))

    def read(self):
        said = self.ns.run("nft", "list", "counters")
        found = dict(re.findall(r"counter (\w+) {\s+packets (\d+)", said))
        return int(found["sent"]), int(found["heard"])
