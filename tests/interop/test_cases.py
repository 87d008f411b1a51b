# SPDX-License-Identifier: BSD-3-Clause
"""Calls by the rule they show (vectors/cases): every ng request with its SDP,
and the SDP and warning that come back, byte for byte."""

import ipaddress
import re
import unittest

from lab import sofia, town
from lab.case import RelayCase
from lab.cases import (FOLDERS, ZERO, cut, json_of, play, sections, steps,
                       text_of)
from lab.ng import Ng

RELAY = {town.PUBLIC4, town.PUBLIC6, town.CORE4, town.CORE6}


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
