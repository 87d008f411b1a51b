# SPDX-License-Identifier: BSD-3-Clause
"""What vectors/cases say of Debian's rtpengine, held against Debian's
rtpengine: a case without the file `differs` gets the same replies of it, but
for an error's detail; one with that file does not."""

import re
import time
import unittest

from lab import cases, proxy, town
from lab.ng import Ng
from lab.netns import LabError

READY_S = 20


class Names(cases.Names):
    """rtpengine pads base64 only when asked, and has RTP on odd ports when
    it knew that RTCP needs none."""

    def mask(self, text):
        def padded(match):
            start, _, key = match.groups()
            return start + key + "=" * (-len(key) % 4)
        return re.sub(r"\b(P\d+)(\+1)?(?=\b)", r"\1", super().mask(
            cases.KEY.sub(padded, text)))


class Rtpengine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.town = town.Town()
        cls.addClassCleanup(cls.town.close)
        addresses = (f"public/{town.PUBLIC4}", f"public/{town.PUBLIC6}",
                     f"core/{town.CORE4}", f"core/{town.CORE6}")
        cls.rtpengine = proxy.Program(
            cls.town.lab, cls.town.core, "rtpengine",
            ["rtpengine", "--table=-1", "--foreground", "--log-stderr",
             "--listen-ng=127.0.0.1:2223", "--port-min=30000",
             "--port-max=39999", "--log-level=5",
             *(word for each in addresses for word in ("-i", each))])
        cls.ng = Ng(cls.town.core, timeout=1)
        cls.addClassCleanup(cls.ng.close)
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            try:
                if cls.ng.ask("ping")["result"] == "pong":
                    return
            except OSError:
                time.sleep(0.1)
        raise LabError("rtpengine does not answer:\n" + cls.rtpengine.log())

    def differences(self, folder):
        """The first reply that is not as the case says, or None."""
        for step, _, reply, masked, _ in cases.play(
                self.ng, folder, Names()):
            ours = cases.text_of(folder / f"{step}_out.sdp")
            ours = ours and re.sub(r"\b(P\d+)\+1\b", r"\1", ours)
            told = cases.json_of(folder / f"{step}_reply.json",
                                      {"result": "ok"})
            told.pop("detail", None)
            if masked != ours or cases.cut(reply, told) != told:
                return f"step {step}: {reply} {masked}"
        return None

    def test_every_case(self):
        same = 0
        for folder in cases.FOLDERS:
            with self.subTest(folder.name):
                why = cases.text_of(folder / "differs")
                found = self.differences(folder)
                same += found is None
                if why is None:
                    self.assertIsNone(found)
                else:
                    self.assertIsNotNone(found, "they do not differ")
        print(f"      {same} of {len(cases.FOLDERS)} cases get the same "
              "replies of rtpengine", flush=True)


if __name__ == "__main__":
    unittest.main()
