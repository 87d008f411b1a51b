# SPDX-License-Identifier: BSD-3-Clause
"""Run unittest files and count: python3 -m lab.runner [options] NAME...

A line a test, the reason under it when it failed; ends with the line
`N passed, N failed` and a status to match. A skipped test is a failed one:
nothing here may go untested in silence. NAME is test_file, or
test_file.Class, or test_file.Class.test_name.
"""

import argparse
import contextlib
import sys
import time
import unittest
from pathlib import Path

from .storm import storm

TESTS = Path(__file__).resolve().parents[1]
FIRST = "test_call"  # the thin slice: without it nothing else can work


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = 0
        self.failed = 0
        self._wrong = []

    def startTest(self, test):
        super().startTest(test)
        self._start = time.monotonic()
        self._wrong = []

    def stopTest(self, test):
        super().stopTest(test)
        took = time.monotonic() - self._start
        name = test.id()
        if self._wrong:
            self.failed += 1
            print(f"FAIL  {name} ({took:.1f} s)")
            for each in self._wrong:
                print("      " + each.rstrip().replace("\n", "\n      "))
        else:
            self.passed += 1
            print(f"ok    {name} ({took:.1f} s)")
        sys.stdout.flush()

    def _outside(self, test, error):
        """setUpClass and its cleanups fail outside of any test."""
        text = self._exc_info_to_string(error, test)
        self.failed += 1
        print(f"FAIL  {test.id()}\n      "
              + text.rstrip().replace("\n", "\n      "), flush=True)

    def addError(self, test, err):
        if isinstance(test, unittest.TestCase):
            self._wrong.append(self._exc_info_to_string(err, test))
        else:
            self._outside(test, err)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._wrong.append(f"{subtest.id()}\n"
                               + self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        self._wrong.append(f"skipped: {reason}")

    def addUnexpectedSuccess(self, test):
        self._wrong.append("unexpected success")


def flatten(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flatten(each)
        else:
            yield each


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--folder", default="e2e", help="of the files, "
                        "below tests/ (e2e)")
    parser.add_argument("--counts", metavar="FILE", help="write "
                        "'PASSED FAILED' there instead of the last line")
    parser.add_argument("--storm", metavar="SEED", type=int, help="take CPUs "
                        "away meanwhile, as hosts of virtual machines do")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    folder = TESTS / options.folder
    sys.path.insert(0, str(folder))
    names = options.names or sorted(
        (path.stem for path in folder.glob("test_*.py")),
        key=lambda name: (name != FIRST, name))
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    if options.list:
        print("\n".join(test.id() for test in flatten(suite)))
        return 0
    result = Result()
    blown = contextlib.nullcontext() if options.storm is None else \
        storm(options.storm)
    try:
        with blown:
            suite.run(result)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        result.failed += 1
    if options.counts:
        with open(options.counts, "w", encoding="ascii") as file:
            file.write(f"{result.passed} {result.failed}\n")
    else:
        print(f"{result.passed} passed, {result.failed} failed", flush=True)
    return 0 if result.passed and not result.failed else 1


if __name__ == "__main__":
    sys.exit(main())
