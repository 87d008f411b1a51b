# SPDX-License-Identifier: BSD-3-Clause
"""Rows as pictures: gnuplot makes an SVG and a PNG of each."""

import itertools
import math
import shutil
import subprocess

# Okabe and Ito's, which differ for colour-blind eyes, too; and in print the
# marks do.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9",
           "#000000")
MARKS = (7, 5, 9, 13, 11, 15, 3)
# Who has the same look everywhere.
KNOWN = {"sallyport": 0, "sallyport af_xdp": 0, "rtpengine": 1, "macswap": 1}
TERMINALS = {
    "svg": "svg size {},600 dynamic font 'sans,16' background 'white'",
    "png": "pngcairo size {},600 font 'sans,13'"}
ROOM = 1.15        # above the highest bar or point, for what is written there
WIDE = 50          # from the least to the most: then the scale is logarithmic
FEW = 24           # bars whose numbers fit above them, level
TICKS_APART = 1.2  # at least, where x is logarithmic
LEVEL = 75         # characters below the bars that fit, level
ALL = 80           # bars that have room for numbers at all
LITTLE = 0.3       # below, a share is told as a fraction


def available():
    return shutil.which("gnuplot") is not None


def quoted(text):
    """As gnuplot reads it; without its mark-up."""
    return '"' + str(text).replace("\\", "").replace('"', "'") + '"'


def short(value):
    """A number to be written above a bar."""
    if value == 0:
        return "0"
    if value >= 10000:
        return f"{value:,.0f}"
    digits = max(0, 2 - int(math.floor(math.log10(abs(value)))))
    return f"{value:,.{digits}f}"


class Picture:
    """One picture; @series is {name: {x or label: value}}."""

    def __init__(self, name, title, unit, series, note=None):
        self.name, self.title, self.unit = name, title, unit
        self.series = {who: values for who, values in series.items()
                       if any(value is not None for value in values.values())}
        self.note = note
        values = [value for each in self.series.values()
                  for value in each.values() if value is not None]
        self.most = max(values, default=0)
        least = min((value for value in values if value > 0), default=1)
        self.wide = self.most > WIDE * least
        self.least = 10 ** math.floor(math.log10(least))

    def axes(self):
        """What all have. A scale begins at zero, or says that it doesn't."""
        lines = ["set encoding utf8", "set grid ytics lt 1 lc rgb '#dddddd'",
                 "set border 3 lc rgb '#444444'", "set tics nomirror",
                 f"set title {quoted(self.title)} noenhanced font ',17'",
                 "set key at screen 0.5,0.045 center bottom horizontal "
                 "noenhanced width 2",
                 "set format y '%.10g'", "set bmargin 8"]
        unit = self.unit
        if self.wide:
            lines += ["set logscale y",
                      f"set yrange [{self.least}:"
                      f"{10 ** math.ceil(math.log10(self.most * ROOM))}]"]
            unit += ", logarithmic"
        else:
            lines += [f"set yrange [0:{self.most * ROOM or 1}]"]
        lines.append(f"set ylabel {quoted(unit)} noenhanced")
        if self.note:
            lines.append(f"set label 99 {quoted(self.note)} noenhanced at "
                         "screen 0.99,0.022 right font ',11' "
                         "tc rgb '#666666'")
        return lines

    def width(self):
        return 1000

    def looks(self):
        """A number for each series, of its colour and mark."""
        taken = [KNOWN[who] for who in self.series if who in KNOWN]
        free = (n for n in range(len(COLOURS)) if n not in taken)
        return [KNOWN[who] if who in KNOWN else next(free, 0)
                for who in self.series]

    def draw(self, folder):
        """Answers the PNG's path."""
        script = folder / f"{self.name}.gnuplot"
        body = "\n".join(self.axes() + self.body())
        script.write_text("".join(
            f"set terminal {terminal.format(self.width())}\n"
            f"set output {quoted(folder / f'{self.name}.{kind}')}\n"
            f"{body}\n" for kind, terminal in TERMINALS.items()),
            encoding="utf-8")
        subprocess.run(["gnuplot", str(script)], check=True)
        return folder / f"{self.name}.png"


class Lines(Picture):
    """Values over a number: a line for each series."""

    def __init__(self, *arguments, x, log_x=False, **more):
        super().__init__(*arguments, **more)
        self.x, self.log_x = x, log_x

    def body(self):
        lines = [f"set xlabel {quoted(self.x)} noenhanced",
                 "set format x '%.10g'"]
        every = sorted({x for each in self.series.values() for x in each})
        if self.log_x:
            lines += ["set logscale x",
                      f"set xrange [{every[0] / 1.3}:{every[-1] * 1.3}]"]
        else:
            lines.append(f"set xrange [0:{every[-1] * 1.03}]")
        # Two numbers at one place could not be read.
        every = [x for x, after in zip(every, [*every[1:], float("inf")])
                 if after > x * TICKS_APART or not self.log_x]
        lines.append("set xtics ("
                     + ", ".join(f'"{x:,}" {x}' for x in every) + ")")
        plots = []
        for number, (who, values), look in zip(
                itertools.count(), self.series.items(), self.looks()):
            at = sorted((x, value) for x, value in values.items()
                        if value is not None and (value > 0 or not self.wide))
            lines += [f"$data{number} << end",
                      *[f"{x} {value}" for x, value in at], "end"]
            colour, mark = COLOURS[look], MARKS[look]
            plots.append(f"$data{number} using 1:2 with linespoints lw 2.5 "
                         f"pt {mark} ps 1.3 lc rgb '{colour}' "
                         f"title {quoted(who)}")
        return lines + ["plot " + ", \\\n  ".join(plots)]


class Bars(Picture):
    """Values by label: a group of bars for each label, a bar a series."""

    def labels(self):
        return list(dict.fromkeys(
            label for each in self.series.values() for label in each))

    def bars(self):
        return len(self.labels()) * len(self.series)

    def width(self):
        return 1000 if self.bars() <= FEW else 1500

    def body(self):
        labels, bars = self.labels(), self.bars()
        width = 0.8 / len(self.series)
        font = 11 if bars > 14 else 13
        turned = sum(len(label) + 2 for label in labels) > LEVEL
        lines = ["set boxwidth " + str(width * 0.94),
                 "set style fill solid 0.9 noborder",
                 f"set xrange [-0.6:{len(labels) - 0.4}]",
                 "set xtics (" + ", ".join(
                     f"{quoted(label)} {n}"
                     for n, label in enumerate(labels))
                 + f") noenhanced font ',{font}' scale 0"
                 + (" rotate by -20" if turned else ""),
                 "set rmargin " + ("8" if turned else "3")]
        plots = []
        base = self.least * 1.01 if self.wide else 0
        for number, (who, values), look in zip(
                itertools.count(), self.series.items(), self.looks()):
            at = (number - (len(self.series) - 1) / 2) * width
            rows = [(n + at, values[label], short(values[label]))
                    for n, label in enumerate(labels)
                    if values.get(label) is not None]
            lines += [f"$data{number} << end"]
            lines += [f"{x:.4f} {max(value, base)} {quoted(text)}"
                      for x, value, text in rows]
            lines += ["end"]
            colour = COLOURS[look]
            plots.append(f"$data{number} using 1:2 with boxes "
                         f"lc rgb '{colour}' title {quoted(who)}")
            how = ("offset 0,0.6" if bars <= FEW
                   else "left rotate by 90 offset 0,0.3")
            if bars <= ALL:
                plots.append(f"$data{number} using 1:2:3 with labels {how} "
                             f"font ',{font - 2}' noenhanced notitle")
        return lines + ["plot " + ", \\\n  ".join(plots)]


def by(rows, key, value, name=lambda row: row["relay"], scale=1):
    """{name: {key: value}} of rows that have both; the last one counts."""
    series = {}
    for row in rows:
        if row.get(key) is not None and row.get(value) is not None:
            series.setdefault(name(row), {})[row[key]] = row[value] * scale
    return series


XDP = "sallyport af_xdp"
NOT_JUDGED = "that nobody can tell from the victim's own"
CALLS = "calls, of 100 packets a second each"


def pick(rows, bench, case=None):
    return [row for row in rows if row["bench"] == bench
            and (row["case"] == case if case else row["case"] != "aim")]


def claim(text, series, one, other, at):
    """@text with what @one has of @other's at label @at."""
    try:
        share = series[one][at] / series[other][at]
    except (KeyError, ZeroDivisionError):
        return text
    if share == 0:
        return text
    if share < LITTLE:
        return f"{text}: 1/{1 / share:.0f} of {other}'s"
    return f"{text}: {share:.{2 if share < 2 else 1}f} times {other}'s"


def limit(rows):
    rates = by(pick(rows, "limit", "rate"), "calls", "rate_pps", scale=1e-6)
    costs = by(pick(rows, "limit", "rate"), "calls", "ns_a_packet")
    half = pick(rows, "limit", "half")
    yield Lines("limit_rate",
                claim("Highest rate without loss, one core, memif, 10,000 "
                      "calls", rates, "sallyport", "macswap", 10000),
                "million packets a second", rates, x="calls", log_x=True,
                note="214-byte frames; the generator may be the limit")
    yield Lines("limit_cost",
                claim("What a packet costs the core, memif, 10,000 calls",
                      costs, "sallyport", "macswap", 10000), "nanoseconds", costs, x="calls", log_x=True,
                note="214-byte frames, as many as the generator can send")
    for share, key in (("median", "p50_us"), ("p99.9", "p999_us")):
        series = by(half, "calls", key)
        yield Lines(f"limit_latency_{key[:-3]}",
                    claim(f"Latency at half the relay's highest rate, {share},"
                          " 10,000 calls", series, "sallyport", "macswap",
                          10000), "microseconds", series, x="calls",
                    log_x=True)


def peer(rows):
    rate = by(pick(rows, "peer", "rate"), "case", "rate_pps", scale=1e-3)
    rate = {who: {"": value for value in values.values()}
            for who, values in rate.items()}
    yield Bars("peer_rate", claim("Highest rate without loss, veth, one core",
                                  rate, XDP, "rtpengine", ""),
               "thousand packets a second", rate)
    calls = pick(rows, "peer", "calls")
    for share, key in (("median", "p50_us"), ("p99", "p99_us")):
        series = by(calls, "calls", key)
        yield Lines(f"peer_latency_{key[:-3]}",
                    claim(f"Latency over veth, {share}, 1,000 calls", series,
                          XDP, "rtpengine", 1000), "microseconds", series,
                    x=CALLS, log_x=True)
    yield Lines("peer_loss", "Packets lost by number of calls", "per cent",
                by(calls, "calls", "lost_share", scale=100), x=CALLS,
                log_x=True)
    cores = by(calls, "calls", "cpu_cores")
    yield Lines("peer_cpu", claim("CPU that relaying takes, 1,000 calls",
                                  cores, XDP, "rtpengine", 1000), "cores",
                cores, x=CALLS, log_x=True)
    load = pick(rows, "peer", "load")
    yield Lines("peer_loss_by_rate", "Packets lost by rate", "per cent",
                by(load, "offered_pps", "lost_share", scale=100),
                x="packets offered a second")


def srtp(rows):
    rows = pick(rows, "srtp")
    yield Bars("srtp_rate", "Rate without loss of ways with SRTP, of the "
               "rate of RTP to RTP", "share",
               by(rows, "case", "ratio"))
    yield Bars("srtp_cost", "What a packet costs the relay's core",
               "nanoseconds", by(rows, "case", "ns_a_packet"))


def door(row):
    """full speed ng, veth: the door, and whether media ran"""
    return row["case"].partition(" ")[2].removeprefix("speed ")


def setup(rows):
    rows = pick(rows, "setup")
    fast = [dict(row, door=door(row)) for row in rows
            if row["case"].startswith("full speed")]
    rates = by(fast, "door", "calls_per_s")
    yield Bars("setup_rate", claim("Calls a second over ng, one core, no "
                                   "media", rates, "sallyport", "rtpengine",
                                   "ng, no media"),
               "calls a second", rates)
    costs = by(fast, "door", "cpu_us_a_call")
    yield Bars("setup_cpu", claim("CPU time of a call's set-up and deletion",
                                  costs, "sallyport", "rtpengine",
                                  "ng, no media"), "microseconds", costs)
    paced = [dict(row, name=f"{row['relay']}, {door(row)}") for row in rows
             if row["case"].startswith("paced ng,")]
    yield Bars("setup_latency", "Time to answer ng requests at 2,000 calls a "
               "second, p99", "microseconds",
               by(paced, "verb", "p99_us", lambda row: row["name"]))


def memory(rows):
    rows = pick(rows, "memory")
    series = by(rows, "case", "bytes_a_call")
    plain = next(iter(series.get("sallyport", {"": 0})))
    yield Bars("memory", claim("Memory of a held two-party call", series,
                               "sallyport", "rtpengine", plain), "bytes",
               series)


def attack(rows):
    rows = pick(rows, "attack")
    total = {}
    for row in rows:
        sums = total.setdefault(row["relay"], {"leaked": 0, "injected": 0,
                                               "lost": 0})
        sums["leaked"] += row["leaked"]
        sums["lost"] += row["lost_direct"] + row["lost_nat"]
        if row["judged"]:
            sums["injected"] += row["injected"]
    yield Bars("attack_total", "Packets that all attacks together leaked, "
               "injected, lost", "packets", total,
               note=f"injected: without those {NOT_JUDGED}")
    for key, what in (("leaked", "leaked to the attacker"),
                      ("injected", "injected into calls"),
                      ("lost_direct", "of direct callers lost"),
                      ("lost_nat", "of callers behind NAT lost")):
        series = by(rows, "case", key)
        if series:
            yield Bars(f"attack_{key}", f"Packets {what}, by attack",
                       "packets", series,
                       note=f"address, source: packets {NOT_JUDGED}"
                       if key == "injected" else None)


def scale(rows):
    flows = pick(rows, "scale", "flows")
    series = by(flows, "flows", "cycles_a_packet",
                lambda row: "classify to rewritten frame")
    series.update(by(flows, "flows", "floor_cycles",
                     lambda row: "floor: look up, copy, count"))
    yield Lines("scale_flows", "What a packet costs in memory, by flows in "
                "random order", "TSC cycles", series, x="flows", log_x=True)
    yield Lines("scale_calls", "What a packet costs the daemon, by calls",
                "nanoseconds", by(pick(rows, "scale", "calls"), "calls",
                                  "ns_a_packet"), x="calls", log_x=True)
    ring = pick(rows, "scale", "handover")
    yield Lines("scale_handover", "A packet handed to another worker",
                "TSC cycles",
                {what: values for key, what in (
                    ("own_cycles", "own packet"),
                    ("give_cycles", "given: the giver's part"),
                    ("take_cycles", "given: the owner's part"))
                 for values in by(ring, "flows", key).values()},
                x="flows", log_x=True)


def latency(rows):
    rows = pick(rows, "latency")
    series = {}
    for key in ("p50_us", "p99_us"):
        for row in rows:
            if row.get(key) is not None:
                series.setdefault(f"{row['relay']}, {key[:-3]}", {})[
                    f"idle: {row['case']}"] = row[key]
    yield Bars("latency", "One way between two hosts, beside the kernel's "
               "forwarding", "microseconds", series)
    yield Bars("idle", "CPU that the relay uses while little happens",
               "per cent of a core",
               by([dict(row, calls=f"calls: {row['calls']}")
                   for row in rows if row["case"] == "idle"],
                  "calls", "cpu_share", scale=100))


def path(rows):
    rows = [row for row in pick(rows, "path") if row["name"] == "IPv4"]
    series = {name: values for name, key in (
        ("classify to rewritten frame", "least"),
        ("floor: look up, copy, count", "floor"))
        for values in by(rows, "flows", key).values()}
    yield Lines("path", "What a packet costs in memory, by flows in random "
                "order", "TSC cycles", series, x="flows", log_x=True)


def crypto(rows):
    rows = pick(rows, "crypto", "srtp relay")
    yield Bars("crypto_relay", "What a packet costs in memory, through all "
               "stages, 160 bytes of payload", "TSC cycles",
               {name: values for name, key in (
                   ("all stages", "cycles"), ("those of SRTP", "srtp"),
                   ("with a wrong tag", "forged"))
                for values in by([row for row in rows if row[key]],
                                 "way", key).values()})


def draw(rows, folder):
    """All pictures that @rows have something for, in @folder: their paths."""
    drawn = []
    for each in (limit, peer, srtp, setup, memory, attack, scale, latency,
                 path, crypto):
        for picture in each(rows):
            if picture.series:
                drawn.append(picture.draw(folder))
    return drawn
