# SPDX-License-Identifier: BSD-3-Clause
"""Keys stay where they belong: SEC-27 (in nothing that the daemon says; that
it leaves no core file is in test_start) and SEC-30 (nowhere in its memory once
their call is over).

What a party sends under begins with a mark that all of a class's keys share,
and so does its salt. A search for two short texts then finds any of them, as
octets, in base64 and in hex.
"""

import base64
import itertools
import json
import os
import re
import time
from pathlib import Path

from lab import sdp, srtp, town
from lab.api import Refused
from lab.case import RelayCase
from lab.hook import HOOK_PORT, Hook
from lab.ng import HttpNg, Ng

CALLS = 1000
HELD = 40           # calls of a look at the memory
MARK = 6            # octets, which base64 writes as eight characters
WINDOW = 12         # characters of base64 that give a key away
CHUNK = 1 << 20     # of memory at a time
SHADOW = 1 << 36    # what is larger is a sanitizer's
PAGE, ENTRY = os.sysconf("SC_PAGE_SIZE"), 8  # of /proc/PID/pagemap
QUIET_S = 10        # for what need not be done when the reply is there

_numbers = itertools.count(1)


class Marks:
    """Two marks, and everything that shows one of them."""

    def __init__(self):
        self.key, self.salt = os.urandom(MARK), os.urandom(MARK)
        self.needles = {}
        for name in ("key", "salt"):
            octets = getattr(self, name)
            for form, needle in (
                    ("octets", octets), ("base64", base64.b64encode(octets)),
                    ("hex", octets.hex().encode()),
                    ("HEX", octets.hex().upper().encode())):
                self.needles[f"{name} in {form}"] = needle

    def keys(self, suite, **options):
        """New keys with both marks. The salt's is where base64 begins a
        group of four, so that it looks the same in every key."""
        keys = srtp.Keys.new(suite, **options)
        at = -(-srtp.SUITES[suite].key // 3) * 3
        whole = bytearray(keys.key)
        whole[:MARK] = self.key
        whole[at:at + MARK] = self.salt
        keys.key = bytes(whole)
        return keys

    def found(self, data):
        return [name for name, needle in self.needles.items()
                if needle in data]


class Talk:
    """One call, by SDP alone: both parties have a key for each SDP."""

    def __init__(self, marks, suite, secure=(True, True), mki_len=0):
        self.number = next(_numbers)
        self.call_id = f"secret-{self.number}@lab.example"
        self.tags = f"a-{self.number}", f"b-{self.number}"
        self.marks, self.suite, self.secure = marks, suite, secure
        self.mki_len = mki_len
        self.own = {}       # by party: its line
        self.ours = []      # what the relay wrote
        self.chosen = None  # of the relay's last offer

    def sdp(self, party, fresh=False, lines=None):
        """What @party writes: 0 offers, 1 answers."""
        protocol, crypto = "RTP/AVP", []
        if self.secure[party]:
            protocol = "RTP/SAVP"
            suite = self.suite
            if party == 1 and self.chosen:
                suite = self.chosen.suite
            if fresh or party not in self.own or (
                    self.own[party].suite != suite):
                self.own[party] = self.marks.keys(
                    suite, mki_len=self.mki_len)
            own = self.own[party]
            if party == 1 and self.chosen:
                own.tag, own.mki = self.chosen.tag, self.chosen.mki
            crypto = [own.line()] if lines is None else lines
        address = (town.ALICE4, town.CALLEE4)[party]
        return sdp.write(address, sdp.audio(
            5000 + 2 * (self.number % 1000), protocol=protocol,
            crypto=crypto))

    def heard(self, text, offer):
        """The relay wrote @text; False: with a mark of somebody's."""
        keys = srtp.read(text)
        self.ours += keys
        if offer and keys:
            self.chosen = next((each for each in keys
                                if each.suite == self.suite), keys[0])
        return not self.marks.found(text.encode())


class HttpDoor:
    """Calls by the HTTP API."""

    def __init__(self, api):
        self.api = api

    def offer(self, talk, text, **more):
        fields = {"call_id": talk.call_id, "from_tag": talk.tags[0],
                  "from_realm": "public", "to_realm": "core", "sdp": text,
                  **more}
        if talk.secure[0] != talk.secure[1]:
            fields["transport"] = "RTP/SAVP" if talk.secure[1] else "RTP/AVP"
        return self.api.offer(**fields)

    def answer(self, talk, text, **more):
        return self.api.answer(**{
            "call_id": talk.call_id, "from_tag": talk.tags[0],
            "to_tag": talk.tags[1], "sdp": text, **more})

    def query(self, talk):
        return self.api.query(talk.call_id)

    def delete(self, talk):
        return self.api.delete(talk.call_id)


class NgDoor:
    """Calls by ng, whatever carries it."""

    def __init__(self, ng):
        self.ng = ng

    def _ask(self, command, talk, **keys):
        reply = self.ng.ask(command, {"call-id": talk.call_id, **{
            name.replace("_", "-"): value for name, value in keys.items()}})
        if reply.get("result") != "ok":
            raise Refused(400, reply, {})
        return reply

    def offer(self, talk, text, **more):
        if talk.secure[0] != talk.secure[1]:
            more["transport_protocol"] = ("RTP/SAVP" if talk.secure[1]
                                          else "RTP/AVP")
        return self._ask("offer", talk, from_tag=talk.tags[0], sdp=text,
                         direction=["public", "core"],
                         flags=["no-such-flag"], **more)

    def answer(self, talk, text, **more):
        return self._ask("answer", talk, sdp=text, **{
            "from_tag": talk.tags[0], "to_tag": talk.tags[1], **more})

    def query(self, talk):
        return self._ask("query", talk)

    def delete(self, talk):
        return self._ask("delete", talk, delete_delay=0)


class SecretsCase(RelayCase):
    # Not the sanitizers' build: that one keeps what was freed.
    speed = True
    engine = "auto"
    realm_changes = {"public": {"ports": "30000-39999"},
                     "core": {"ports": "20000-29999"}}

    @classmethod
    def prepare(cls):
        cls.marks = Marks()
        cls.records = cls.town.lab.path("calls.json")
        cls.hook = Hook(cls.town.core)
        cls.hook.open()
        cls.addClassCleanup(cls.hook.close)
        cls.options = {"dataplane": {"srtp": cls.engine}, "control": {
            "records": cls.records,
            "webhook": f"http://127.0.0.1:{HOOK_PORT}/calls"}}

    def setUp(self):
        super().setUp()
        self.said = []  # (what, octets)

    def note(self, what, value):
        """The daemon said @value, which is not SDP."""
        if not isinstance(value, bytes):
            value = json.dumps(value, ensure_ascii=False).encode(
                "utf-8", "surrogateescape")
        self.said.append((what, value))

    def reply(self, talk, what, reply, offer=False):
        """The SDP of @reply is for a party, the rest for everybody."""
        self.assertTrue(talk.heard(reply["sdp"], offer),
                        f"{what}: a party's key was passed on")
        self.note(what, {name: value for name, value in reply.items()
                         if name != "sdp"})

    def refused(self, what, function, *arguments, **more):
        with self.assertRaises(Refused, msg=what) as caught:
            function(*arguments, **more)
        self.note(what, caught.exception.problem)

    def assert_clean(self, ours):
        """Nothing that was said has a mark, or a piece of one of @ours."""
        pieces = set()
        for keys in ours:
            text = base64.b64encode(keys.key)
            pieces.update(text[at:at + WINDOW] for at in
                          range(0, len(text) - WINDOW, 4))
            pieces.update(keys.key.hex().encode()[at:at + WINDOW]
                          for at in range(0, 2 * len(keys.key) - WINDOW, 2))
        self.assertGreater(len(pieces), 0)
        for what, data in self.said:
            self.assertEqual(self.marks.found(data), [], what)
            for at in range(len(data) - WINDOW + 1):
                if data[at:at + WINDOW].lower() in pieces or (
                        data[at:at + WINDOW] in pieces):
                    self.fail(f"{what}: a piece of a key of ours")

    def connect(self, door, talk):
        self.reply(talk, "offer", door.offer(talk, talk.sdp(0)), True)
        self.reply(talk, "answer", door.answer(talk, talk.sdp(1)))


class Said(SecretsCase):
    """SEC-27: many calls, and all that is said about them."""

    def doors(self):
        udp = Ng(self.town.core)
        text = Ng(self.town.core, as_json=True)
        self.addCleanup(udp.close)
        self.addCleanup(text.close)
        return (HttpDoor(self.api), NgDoor(udp), NgDoor(text),
                NgDoor(HttpNg(self.api)))

    def misuse(self, door, talk):
        """What is refused, with keys in it."""
        other = Talk(self.marks, talk.suite)
        good = other.sdp(0)
        line = other.own[0].line()
        key = line.partition("inline:")[2]
        for what, lines in (
                ("a key cut short", [line.replace(key, key[:20])]),
                ("a key with a stranger's letter",
                 [line.replace(key, key[:20] + "!" + key[21:])]),
                ("a suite nobody knows",
                 [line.replace(talk.suite, "F8_128_HMAC_SHA1_80")]),
                ("a tag that is none", [line.replace(":1 ", ":x ")])):
            self.refused(what, door.offer, other,
                         other.sdp(0, lines=lines))
        self.refused("a line that is none", door.offer, other,
                     good + f"inline:{key}\r\n")
        self.refused("no such call", door.answer, other, good)
        self.refused("an answer of nobody's", door.answer, talk,
                     talk.sdp(1), from_tag="nobody")

    def life(self, door, talk):
        """All that can be asked about one call."""
        self.connect(door, talk)
        self.note("query", door.query(talk))
        self.reply(talk, "re-offer", door.offer(
            talk, talk.sdp(0), to_tag=talk.tags[1]), True)
        self.reply(talk, "its answer", door.answer(talk, talk.sdp(1)))
        self.reply(talk, "new keys", door.offer(
            talk, talk.sdp(0, fresh=True), to_tag=talk.tags[1]), True)
        if talk.number % 10 == 0:
            self.misuse(door, talk)
            self.note("list", self.api.list())
        self.note("query over HTTP", self.api.query(talk.call_id))
        self.reply(talk, "their answer",
                   door.answer(talk, talk.sdp(1, fresh=True)))
        self.note("delete", door.delete(talk))

    def test_of_many_calls_nothing_names_a_key(self):
        doors = self.doors()
        suites = list(srtp.SUITES)
        kinds = ((True, True), (True, False), (False, True))
        ours = []
        for number in range(CALLS):
            talk = Talk(self.marks, suites[number % len(suites)],
                        kinds[number // 2 % len(kinds)],
                        mki_len=number % 5 == 0)
            self.life(doors[number % len(doors)], talk)
            ours += talk.ours
        for path in ("/metrics", "/v1/statistics", "/v1/calls"):
            self.note(path, self.api.request("GET", path)[2])
        self.note("statistics over ng", doors[1].ng.ask("statistics"))
        self.note("list over ng", doors[1].ng.ask("list", limit=1000))
        self.told(CALLS)
        self.note("log", self.relay.log().encode())
        self.assertGreater(len(ours), CALLS)
        self.assert_clean(ours)

    def told(self, calls):
        """Wait for records and webhook, and note them."""
        end = time.monotonic() + QUIET_S
        path = Path(self.records)

        def lines():
            return path.read_bytes().count(b"\n") if path.exists() else 0

        while lines() < calls or len(self.hook.events) < calls:
            self.assertLess(time.monotonic(), end,
                            f"{lines()} records and {len(self.hook.events)} "
                            f"by the webhook, of {calls}")
            time.sleep(0.05)
        self.note("records", path.read_bytes())
        self.note("webhook", [body for _, body, _ in self.hook.events])

    def test_a_search_like_that_would_find_them(self):
        talk = Talk(self.marks, srtp.CM_128_80)
        own = Talk(self.marks, srtp.GCM_256)
        for text in (talk.sdp(0), own.sdp(0)):
            self.assertEqual(self.marks.found(text.encode()),
                             ["key in base64", "salt in base64"])
        self.note("SDP", srtp.Keys.new().line().encode())
        self.assert_clean([srtp.Keys.new()])
        keys = srtp.Keys.new()
        for shown in (keys.line().encode(), keys.key.hex().encode()):
            self.said = [("what shows a key", b"key=" + shown)]
            with self.assertRaises(AssertionError):
                self.assert_clean([keys])


def memory(pid):
    """(start, octets, whose) of all that the process could write to and has
    used; not what a sanitizer knows about the rest."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            first, last, rights, name = re.match(
                r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line).groups()
            first, last = int(first, 16), int(last, 16)
            if not rights.startswith("rw") or last - first > SHADOW:
                continue
            tail = b""
            for at in range(first, last, CHUNK):
                size = min(CHUNK, last - at)
                pagemap.seek(at // PAGE * ENTRY)
                if not any(pagemap.read(size // PAGE * ENTRY)[ENTRY - 1::
                                                              ENTRY]):
                    tail = b""
                    continue  # nobody ever touched it
                try:
                    mem.seek(at)
                    data = mem.read(size)
                except OSError:
                    break  # a NIC's ring: no memory of its own
                yield at - len(tail), tail + data, name
                tail = data[-64:]


class Left(SecretsCase):
    """SEC-30: the whole memory of the process, while calls are there and
    when they have ended."""

    forms = ("key in octets", "key in base64", "salt in octets",
             "salt in base64")

    def assert_nothing(self, ours=()):
        """A reply may be there before the call's last free()."""
        found = self.search(ours)
        end = time.monotonic() + QUIET_S
        while found and time.monotonic() < end:
            time.sleep(0.2)
            found = self.search(ours)
        self.assertEqual(found, {})

    def search(self, ours):
        """{form: places} of all that shows a key; @ours are the relay's."""
        needles = {form: self.marks.needles[form] for form in self.forms}
        for keys in ours:
            needles[f"ours, octets {id(keys)}"] = keys.key[:16]
            needles[f"ours, base64 {id(keys)}"] = base64.b64encode(
                keys.key)[:20]
        found = {}
        for start, data, name in memory(self.relay.process.pid):
            for form, needle in needles.items():
                at = data.find(needle)
                if at >= 0:
                    found.setdefault(re.sub(r" \d+$", "", form), []).append(
                        f"{name or '?'} at {start + at:x}")
        return found

    def test_nothing_is_left_of_calls_that_have_ended(self):
        door, ours, talks = HttpDoor(self.api), [], []
        suites = list(srtp.SUITES)
        for number in range(HELD):
            talk = Talk(self.marks, suites[number % len(suites)],
                        (True, number % 2 == 0), mki_len=number % 4)
            self.connect(door, talk)
            talks.append(talk)
        # Where they must be now, the search finds them.
        ours = [keys for talk in talks[:4] for keys in talk.ours[-1:]]
        held = self.search(ours)
        self.assertIn("key in octets", held)
        self.assertIn("ours, octets", held)
        for talk in talks:
            door.delete(talk)
        self.assert_nothing(ours)

    def test_nothing_is_left_of_what_was_refused(self):
        door = HttpDoor(self.api)
        for number in range(10):
            talk = Talk(self.marks, srtp.CM_128_80)
            talk.sdp(0)
            line = talk.own[0].line()
            self.refused("a broken tag", door.offer, talk,
                         talk.sdp(0, lines=[line.replace(":1 ", ":x ")]))
            self.refused("no such realm", door.offer, talk, talk.sdp(0),
                         to_realm=f"realm{number}")
            self.refused("no such call", door.answer, talk, talk.sdp(0))
        self.assert_nothing()

    def test_nothing_is_left_of_requests_by_ng(self):
        """Replies are kept a minute for those who ask again; what the
        parties sent under is in none of them."""
        ng = Ng(self.town.core)
        self.addCleanup(ng.close)
        door = NgDoor(ng)
        for suite in srtp.SUITES:
            talk = Talk(self.marks, suite)
            self.connect(door, talk)
            door.delete(talk)
        self.assert_nothing()


class LeftWithLibsrtp(Left):
    """The same with the other engine. Its library, NSS, does not overwrite
    an IV that is made of a salt; salts may be public (RFC 3711, 3.2.1)."""

    engine = "libsrtp"
    forms = ("key in octets", "key in base64", "salt in base64")

    def test_it_is_said_to_be_slow(self):
        log = self.relay.log()
        self.assertRegex(log, " info srtp engine=libsrtp ")
        self.assertRegex(log, " warning srtp_slow .*no more than 100 ")
