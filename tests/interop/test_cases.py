# SPDX-License-Identifier: BSD-3-Clause
"""Calls by the rule they show (vectors/cases): every ng request with its SDP,
and the SDP and warning that come back, byte for byte."""

import ipaddress
import json
import os
import re
import unittest

from lab import sofia, town
from lab.case import RelayCase
from lab.ng import Ng
from lab.relay import ROOT

CASES = ROOT / "tests" / "vectors" / "cases"
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())
RELAY = {town.PUBLIC4, town.PUBLIC6, town.CORE4, town.CORE6}
ZERO = {"0.0.0.0", "::"}
OUR_PORTS = range(20000, 40000)  # none of these is in an in.sdp
PORT = re.compile(r"^(m=\S+ |a=rtcp:)(\d+)", re.M)
NAME = re.compile(r"\b(P\d+)(\+1)?\b|\bLOOP\b")
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
    P1+1 ..., and the daemon's mark against loops is LOOP."""

    def __init__(self):
        self.ports = {}
        self.loop = None

    def mask(self, text):
        whole = address_of(sections(text)[0])
        found = LOOP.search(text)
        if found:
            self.loop = found.group()
            text = LOOP.sub("LOOP", text)
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


def foreign(text, request):
    """The addresses in @text that are neither the relay's nor asked for."""
    if "origin" not in request.get("replace", ()):
        text = re.sub(r"^o=.*$", "", text, flags=re.M)
    if request.get("ICE") == "pass":
        text = re.sub(r"^a=candidate.*$", "", text, flags=re.M)
    text = "".join(each for each in sections(text)
                   if not each.startswith("m=message"))
    found = set()
    for word in re.split(r"[^0-9A-Fa-f.:]+", text):
        try:
            found.add(str(ipaddress.ip_address(word.strip(".:"))))
        except ValueError:
            pass
    return found - RELAY - ZERO - {request.get("media-address")}


def cut(value, like):
    """What of @value there is in @like: of queries, not all is looked at."""
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: cut(each, like[key]) for key, each in value.items()
                if key in like}
    if isinstance(value, list) and isinstance(like, list):
        return [cut(each, other) for each, other in zip(value, like)]
    return value


def play(ng, folder):
    """Play one case: yields (step, request, what came back but for its sdp,
    its sdp with names, its sdp)."""
    names = Names()
    call_id = f"{folder.name}-{os.urandom(4).hex()}"
    for step in steps(folder):
        request = json_of(folder / f"{step}_request.json", None)
        body = text_of(folder / f"{step}_in.sdp")
        keys = {"command": request["command"], "call-id": call_id}
        if body is not None:
            keys["sdp"] = names.unmask(body)
        reply = ng.ask(request["command"], {**keys, **request})
        sdp = reply.pop("sdp", None)
        yield step, request, reply, sdp and names.mask(sdp), sdp
    ng.ask("delete", {"call-id": call_id, "delete-delay": 0})


class Cases(RelayCase):
    maxDiff = None
    realm_changes = {"public": {"ports": "30000-39999"},
                     "core": {"ports": "20000-29999"}}
    options = {"control": {"ng": ["127.0.0.1:2223"]}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ng = Ng(cls.town.core)
        cls.addClassCleanup(cls.ng.close)

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.api.list()["calls"], [])

    def check(self, folder):
        for step, request, reply, masked, sdp in play(self.ng, folder):
            with self.subTest(step=step):
                expected = json_of(folder / f"{step}_reply.json",
                                   {"result": "ok"})
                if request["command"] in ("query", "delete"):
                    reply = cut(reply, expected)
                self.assertEqual(reply, expected)
                self.assertEqual(masked, text_of(folder / f"{step}_out.sdp"))
                if sdp is not None:
                    sofia.check(sdp)
                    self.assertEqual(foreign(sdp, request), set(),
                                     "an address leaks")

    def test_all_of_them_are_whole(self):
        """Each has its steps, and says in one line where it differs from
        rtpengine on purpose."""
        self.assertGreater(len(FOLDERS), 100)
        differ = 0
        for folder in FOLDERS:
            with self.subTest(folder.name):
                known = {"differs"}
                for step in steps(folder):
                    known |= {f"{step}_{kind}" for kind in
                              ("request.json", "in.sdp", "out.sdp",
                               "reply.json")}
                self.assertTrue(steps(folder))
                self.assertEqual({path.name for path in folder.iterdir()}
                                 - known, set())
                why = text_of(folder / "differs")
                differ += why is not None
                self.assertRegex(why or "why\n", r"\A[^\n]+\n\Z")
        print(f"      {len(FOLDERS)} cases; {differ} differ from rtpengine "
              "on purpose", flush=True)


def _test_of(folder):
    def test(self):
        self.check(folder)
    return test


for _folder in FOLDERS:
    setattr(Cases, f"test_{_folder.name}", _test_of(_folder))


if __name__ == "__main__":
    unittest.main()
