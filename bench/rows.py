# SPDX-License-Identifier: BSD-3-Clause
"""What a script says to programs: rows of one JSON object a line, for
bench/run's summary and pictures."""

import json


class Rows:
    """Rows of @bench, written to the file @path; nowhere if that is None."""

    def __init__(self, path, bench):
        self.bench = bench
        self.path = path

    def add(self, *, relay, case, **numbers):
        """One relay in one case; units are in the names of @numbers."""
        self._write({"relay": relay, "case": case, **numbers})

    def aim(self, claim, value, limit, better):
        """A number that has an aim: @better is "more" or "less". Answers
        whether it is met."""
        if better not in ("more", "less"):
            raise ValueError(better)
        met = value >= limit if better == "more" else value <= limit
        self._write({"case": "aim", "claim": claim, "value": value,
                     "limit": limit, "better": better, "met": met})
        return met

    def _write(self, row):
        if self.path:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"bench": self.bench, **row}) + "\n")
