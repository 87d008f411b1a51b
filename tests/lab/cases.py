# SPDX-License-Identifier: BSD-3-Clause
"""The folders of vectors/cases, and how one is played to a relay over ng.
vectors/README.md says what is in them."""

import base64
import json
import os
import re

from . import srtp
from .relay import ROOT

CASES = ROOT / "tests" / "vectors" / "cases"
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())
ZERO = {"0.0.0.0", "::"}
OUR_PORTS = range(20000, 40000)  # none of these is in an in.sdp
PORT = re.compile(r"^(m=\S+ |a=rtcp:)(\d+)", re.M)
NAME = re.compile(r"\b(P\d+)(\+1)?\b|\bLOOP\b")
KEY = re.compile(r"^(a=crypto:\d+ (\S+) inline:)([^| \r]+)", re.M)
LOOP = re.compile(r"(?<=^a=rtpengine:)\S+", re.M)


def steps(folder):
    """The numbers of a case's steps."""
    return range(1, 1 + len(list(folder.glob("*_request.json"))))


def text_of(path):
    """A file to the byte, or None."""
    return path.read_bytes().decode() if path.exists() else None


def json_of(path, default):
    return json.loads(path.read_text("utf-8")) if path.exists() else default


def sections(text):
    return re.split(r"^(?=m=)", text, flags=re.M)


def address_of(section, default=None):
    found = re.search(r"^c=IN IP[46] (\S+)", section, re.M)
    return found.group(1) if found else default


class Names:
    """What differs from run to run has a name in the files: the RTP ports of
    one call are P1, P2 ... in the order of their appearance, their RTCP ports
    P1+1 ..., the keys that nobody offered K1, K2 ..., and the daemon's mark
    against loops is LOOP."""

    def __init__(self):
        self.ports = {}
        self.keys = {}
        self.loop = None

    def came(self, text):
        """@text is what a party wrote: its keys stay as they are."""
        for found in KEY.finditer(text):
            self.keys.setdefault(found.group(3), found.group(3))

    def mask(self, text):
        whole = address_of(sections(text)[0])
        found = LOOP.search(text)
        if found:
            self.loop = found.group()
            text = LOOP.sub("LOOP", text)
        text = KEY.sub(self._key, text)
        return "".join(self._mask(each, address_of(each, whole))
                       for each in sections(text))

    def _mask(self, section, address):
        def name(match):
            port = int(match.group(2))
            if port not in OUR_PORTS:
                return match.group()
            return (match.group(1) + self._name(address, port & ~1)
                    + ("+1" if port & 1 else ""))
        return PORT.sub(name, section)

    def _key(self, match):
        start, suite, key = match.groups()
        if key not in self.keys:
            number = sum(name.startswith("K") and name[1:].isdigit()
                         for name in self.keys.values()) + 1
            # Of the right size, and padded as base64 is.
            facts = srtp.SUITES.get(suite)
            size = len(base64.b64decode(key, validate=True))
            if facts and size != facts.key + facts.salt:
                return f"{start}{size} octets"
            self.keys[key] = f"K{number}"
        return start + self.keys[key]

    def _name(self, address, port):
        for (other, known), name in self.ports.items():
            # Whose line is on hold has no address for now.
            if port == known and (address == other
                                  or ZERO & {address, other}):
                return name
        name = f"P{len(self.ports) + 1}"
        self.ports[(address, port)] = name
        return name

    def unmask(self, text):
        known = {name: port for (_, port), name in self.ports.items()}

        def number(match):
            if match.group(1) is None:
                return self.loop
            return str(known[match.group(1)] + bool(match.group(2)))
        return NAME.sub(number, text)


def cut(value, like):
    """What of @value there is in @like: of queries, not all is looked at."""
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: cut(each, like[key]) for key, each in value.items()
                if key in like}
    if isinstance(value, list) and isinstance(like, list):
        return [cut(each, other) for each, other in zip(value, like)]
    return value


def play(ng, folder, names=None):
    """Play one case: yields (step, request, what came back but for its sdp,
    its sdp with names, its sdp)."""
    names = names or Names()
    call_id = f"{folder.name}-{os.urandom(4).hex()}"
    for step in steps(folder):
        request = json_of(folder / f"{step}_request.json", None)
        body = text_of(folder / f"{step}_in.sdp")
        keys = {"command": request["command"], "call-id": call_id}
        if body is not None:
            keys["sdp"] = names.unmask(body)
            names.came(body)
        reply = ng.ask(request["command"], {**keys, **request})
        sdp = reply.pop("sdp", None)
        yield step, request, reply, sdp and names.mask(sdp), sdp
    ng.ask("delete", {"call-id": call_id, "delete-delay": 0})
