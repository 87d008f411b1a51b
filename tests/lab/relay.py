# SPDX-License-Identifier: BSD-3-Clause
"""The daemon under test: started in a namespace, stopped, looked through."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from .api import Api
from .netns import LabError

ROOT = Path(__file__).resolve().parents[2]
SANITIZERS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
              "WARNING: ThreadSanitizer", "runtime error:",
              "UndefinedBehaviorSanitizer")
SUPPRESSIONS = Path(__file__).with_name("tsan.supp")
READY_S = 30
STOP_S = 20
SHOWN = 6000  # characters of a log


def binary(speed=False):
    """The daemon to test: $SALLYPORT, or what tests/run built: with
    sanitizers, unless @speed matters."""
    given = os.environ.get("SALLYPORT")
    if given:
        return given
    for folder in ("release",) if speed else ("asan", "release"):
        path = ROOT / "build" / folder / "control" / "sallyport"
        if path.exists():
            return str(path)
    raise LabError("no daemon is built: tests/run build, or set SALLYPORT")


def yaml(value, depth=0):
    """The YAML of nested dicts and lists; scalars as JSON, which it is."""
    pad = "  " * depth
    if isinstance(value, dict):
        lines = []
        for key, each in value.items():
            if isinstance(each, dict):
                lines += [f"{pad}{key}:", yaml(each, depth + 1)]
            elif isinstance(each, list) and each and isinstance(each[0], dict):
                lines.append(f"{pad}{key}:")
                for item in each:
                    body = yaml(item, depth + 2)
                    lines.append(f"{pad}  - {body.lstrip()}")
            else:
                lines.append(f"{pad}{key}: {scalar(each)}")
        return "\n".join(lines)
    return pad + scalar(value)


def scalar(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(scalar, value)) + "]"
    plain = (isinstance(value, str) and value and ":" not in value
             and "=" not in value and "," not in value)
    return value if plain else json.dumps(value)


def environment():
    return dict(
        os.environ,
        ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99",
        UBSAN_OPTIONS="print_stacktrace=1",
        TSAN_OPTIONS=f"exitcode=99 suppressions={SUPPRESSIONS}")


def once(ns, *arguments, wrapper=()):
    """Run the daemon to its end: (status, what it said)."""
    done = ns.popen([*wrapper, binary(), *arguments], env=environment(),
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    text=True)
    try:
        said, _ = done.communicate(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        done.kill()
        said, _ = done.communicate()
        return None, said
    return done.returncode, said


class Relay:
    """One daemon. @realms are dicts as in the configuration file."""

    def __init__(self, lab, ns, realms, *, http="127.0.0.1:8080",
                 dataplane=None, timeouts=None, control=None, cpus=None,
                 speed=False, token=None, wrapper=(), start=True):
        self.lab, self.ns = lab, ns
        self.config = {
            "control": {"http": http, **(control or {})},
            "dataplane": {"workers": 1, "hugepages": False, "idle": "sleep",
                          **(dataplane or {})},
            "realms": realms,
        }
        if timeouts:
            self.config["timeouts"] = timeouts
        self.cpus = cpus
        self.wrapper = list(wrapper)
        self.binary = binary(speed)
        # Not installed: the XDP program is where the build left it.
        built = Path(self.binary).parents[1] / "dataplane/xdp_filter.bpf.o"
        if built.exists():
            self.config["dataplane"].setdefault("xdp_program", str(built))
        number = len(lab.closers)
        self.config_path = lab.path(f"relay{number}.yaml")
        self.log_path = lab.path(f"relay{number}.log")
        host, _, port = http.rpartition(":")
        self.api = Api(ns, host.strip("[]"), int(port),
                       token=token)
        self.process = None
        if start:
            self.start()

    def command(self):
        prefix = ["taskset", "-c", self.cpus] if self.cpus else []
        return (prefix + self.wrapper
                + [self.binary, "--config", self.config_path])

    def start(self):
        Path(self.config_path).write_text(yaml(self.config) + "\n",
                                          encoding="utf-8")
        with open(self.log_path, "wb") as log:
            self.process = self.ns.popen(self.command(), stdout=log,
                                         stderr=log, env=environment())
        self.lab.on_close(self.kill)
        self._wait_ready()

    def _wait_ready(self):
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise LabError(f"the daemon ended with "
                               f"{self.process.returncode} at start:\n"
                               f"{self.log()}")
            try:
                if self.api.ready():
                    return
            except OSError:
                pass
            time.sleep(0.02)
        self.kill()
        raise LabError(f"not ready after {READY_S} s:\n{self.log()}")

    def log(self):
        return Path(self.log_path).read_text(encoding="utf-8",
                                             errors="replace")

    def drivers(self):
        """{realm: driver} as the start-up log says."""
        return dict(re.findall(r" realm name=(\S+) .*?driver=(\S+)",
                               self.log()))

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """SIGTERM; returns complaints: a bad status, a sanitizer's report."""
        if self.process is None:
            return ["it was never started"]
        wrong = []
        if self.process.poll() is not None:
            wrong.append("it had ended by itself")
        else:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            wrong.append(f"it still ran {STOP_S} s after SIGTERM")
            status = None
        if status:
            wrong.append(f"its exit status is {status}")
        self.process = None
        wrong += self.log_complaints()
        return wrong + [self._telling_log()] if wrong else []

    def _telling_log(self):
        """From a sanitizer's first words on, or the end."""
        log = self.log()
        at = min((log.find(mark) for mark in SANITIZERS if mark in log),
                 default=max(0, len(log) - SHOWN))
        return log[at:at + SHOWN]

    def log_complaints(self):
        log = self.log()
        return [f"its log has {mark!r}" for mark in SANITIZERS if mark in log]

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
