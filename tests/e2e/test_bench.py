# SPDX-License-Identifier: BSD-3-Clause
"""What bench/run makes of rows: the claims' table and the pictures."""

import importlib
import importlib.machinery
import importlib.util
import re
import sys
import tempfile
import unittest
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

pictures = importlib.import_module("pictures")
Rows = importlib.import_module("rows").Rows


def script(name):
    """A script of bench/, as a module; it keeps no compiled copy."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader(name, str(BENCH / name))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


class Reading(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "rows.json"
        self.run_script = script("run")

    def rows(self):
        return self.run_script.read(self.path)

    def write_limit(self):
        rows = Rows(self.path, "limit")
        for calls, ours, theirs in ((10, 4.0, 5.0), (10000, 3.0, 4.0)):
            for relay, rate in (("sallyport", ours), ("macswap", theirs)):
                rows.add(relay=relay, case="rate", calls=calls,
                         rate_pps=rate * 1e6, ns_a_packet=1e3 / rate)
        return rows


class Claims(Reading):
    def test_an_aim_is_met_on_its_side_only(self):
        rows = Rows(self.path, "setup")
        self.assertTrue(rows.aim("calls a second", 10, 10, "more"))
        self.assertFalse(rows.aim("calls a second", 9.9, 10, "more"))
        self.assertTrue(rows.aim("packets lost", 0, 0, "less"))
        self.assertFalse(rows.aim("packets lost", 1, 0, "less"))
        with self.assertRaises(ValueError):
            rows.aim("packets lost", 1, 0, "fewer")
        said = self.run_script.summary(self.rows())
        self.assertEqual([line.split()[-1] for line in said[1:-1]],
                         ["met", "MISSED", "met", "MISSED"])
        self.assertEqual(said[-1], "2 of 4 aims are met")

    def test_without_a_file_nothing_is_written(self):
        rows = Rows(None, "setup")
        rows.add(relay="sallyport", case="any", calls=1)
        self.assertFalse(rows.aim("packets lost", 1, 0, "less"))
        self.assertEqual(self.run_script.summary(self.rows()),
                         ["no script told an aim"])

    def test_lines_of_a_program_become_rows(self):
        self.run_script.keep_rows(
            "crypto", 'a table\n{"bench": "srtp relay", "cycles": 3.5}\n',
            self.path)
        self.assertEqual(self.rows(), [{
            "bench": "crypto", "relay": "sallyport", "case": "srtp relay",
            "cycles": 3.5}])

    def test_all_that_run_knows_is_there(self):
        for name in self.run_script.SCRIPTS:
            self.assertTrue((BENCH / name).exists(), name)


class Pictures(Reading):
    def drawn(self, name):
        for make in (pictures.limit, pictures.memory):
            for picture in make(self.rows()):
                if picture.name == name:
                    return picture, "\n".join(picture.axes()
                                              + picture.body())
        return self.fail(f"no picture {name}")

    def test_a_title_says_the_claim_and_a_scale_begins_at_zero(self):
        self.write_limit()
        picture, body = self.drawn("limit_rate")
        self.assertIn("0.75 times macswap's", picture.title)
        self.assertRegex(body, r"set yrange \[0:")
        self.assertIn('set ylabel "million packets a second"', body)
        self.assertIn("10 4.0\n10000 3.0\nend", body)
        self.assertNotIn("logarithmic", body)

    def test_a_logarithmic_scale_says_so_and_shows_what_is_zero(self):
        rows = Rows(self.path, "memory")
        for relay, size in (("sallyport", 0), ("other", 1000),
                            ("rtpengine", 100000)):
            rows.add(relay=relay, case="rtp", bytes_a_call=size)
        _, body = self.drawn("memory")
        self.assertIn('set ylabel "bytes, logarithmic"', body)
        self.assertEqual(re.findall(r'^\S+ \S+ "(.*)"$', body, re.M),
                         ["0", "1,000", "100,000"])

    def test_half_a_run_draws_what_it_has(self):
        self.write_limit()
        self.assertEqual(
            [picture.name for picture in pictures.limit(self.rows())
             if picture.series], ["limit_rate", "limit_cost"])

    def test_names_cannot_break_a_script(self):
        self.assertEqual(pictures.quoted('a "b" \\n'), "\"a 'b' n\"")

    def test_gnuplot_draws_both_kinds(self):
        self.write_limit()
        for path in pictures.draw(self.rows(), self.folder):
            self.assertEqual(path.read_bytes()[:4], b"\x89PNG")
            self.assertIn("<svg", path.with_suffix(".svg").read_text(
                encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
