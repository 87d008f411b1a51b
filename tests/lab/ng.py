# SPDX-License-Identifier: BSD-3-Clause
"""The ng protocol from the client's end, as SIP proxies speak it: bencode or
JSON behind a cookie, over UDP or as the body of an HTTP request. Written
from the protocol, not from the relay's own reader and writer."""

import itertools
import json
import os
import socket

from .api import Refused

MEDIA_TYPE = "application/x-rtpengine-ng"
REPLY_MAX = 65536
TIMEOUT_S = 5


def encode(value):
    """Bencode; keys stay in their order, as Kamailio's do."""
    if isinstance(value, bool):
        raise TypeError("bencode has no booleans")
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return b"%d:" % len(value) + value
    if isinstance(value, dict):
        return b"d" + b"".join(encode(each) for pair in value.items()
                               for each in pair) + b"e"
    return b"l" + b"".join(map(encode, value)) + b"e"


def decode(data):
    """The value of all of @data; ValueError when it is not bencode."""
    value, end = _value(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes behind the value")
    return value


def _value(data, at):
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = _value(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        if len(items) % 2:
            raise ValueError("a key without a value")
        return dict(zip(items[::2], items[1::2])), at + 1
    colon = data.index(b":", at)
    size = int(data[at:colon])
    text = data[colon + 1:colon + 1 + size]
    if len(text) != size:
        raise ValueError("a text is cut off")
    return text.decode("utf-8", "surrogateescape"), colon + 1 + size


def family(address):
    return "IP6" if ":" in address else "IP4"


class Ng:
    """A proxy's end of the UDP protocol. Its socket is connected, so that a
    reply from another address than the one asked is never seen."""

    def __init__(self, ns, host="127.0.0.1", port=2223, *, source=None,
                 as_json=False, timeout=TIMEOUT_S):
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.as_json = as_json
        self.socket = ns.socket(kind, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.settimeout(timeout)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))
        self.prefix = os.urandom(4).hex()
        self._numbers = itertools.count()

    def close(self):
        self.socket.close()

    def cookie(self):
        return f"{self.prefix}_{next(self._numbers)}"

    def pack(self, keys, cookie=None):
        """One datagram."""
        body = (json.dumps(keys).encode() if self.as_json else encode(keys))
        return (cookie or self.cookie()).encode() + b" " + body

    def unpack(self, data):
        """(cookie, dictionary) of a reply."""
        cookie, _, body = data.partition(b" ")
        value = json.loads(body) if body[:1] == b"{" else decode(body)
        return cookie.decode(), value

    def exchange(self, datagram):
        """Send bytes, return the bytes of the reply to that cookie."""
        self.socket.send(datagram)
        cookie = datagram.partition(b" ")[0]
        while True:
            reply = self.socket.recv(REPLY_MAX)
            if reply.partition(b" ")[0] == cookie:
                return reply

    def ask(self, command, keys=(), **more):
        """The reply's dictionary; keys by keyword have '_' for '-'."""
        keys = {"command": command, **dict(keys)}
        keys.update((name.replace("_", "-"), value)
                    for name, value in more.items())
        return self.unpack(self.exchange(self.pack(keys)))[1]

    def silent(self, datagram, seconds=0.3):
        """Nothing comes back to @datagram."""
        before = self.socket.gettimeout()
        self.socket.send(datagram)
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(REPLY_MAX)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(before)


class HttpNg(Ng):
    """The same protocol in bodies of POST /ng."""

    def __init__(self, api, as_json=False, path="/ng", kind=MEDIA_TYPE):
        self.api, self.as_json = api, as_json
        self.path, self.kind = path, kind
        self.prefix = os.urandom(4).hex()
        self._numbers = itertools.count()

    def close(self):
        """Every request has its own connection."""

    def exchange(self, datagram):
        status, headers, body = self.api.request(
            "POST", self.path, datagram, {"Content-Type": self.kind})
        if status != 200:
            raise Refused(status, body.decode(), headers)
        return body


class Door:
    """What town.Call asks of an API, asked over ng."""

    def __init__(self, ng, *flags, **keys):
        self.ng, self.flags, self.keys = ng, list(flags), keys

    def _ask(self, command, fields):
        fields = dict(fields)
        keys = {"supports": ["load limit"]}
        realms = fields.pop("from_realm", None), fields.pop("to_realm", None)
        if all(realms):
            keys["direction"] = list(realms)
        source = fields.pop("signalling_source", None)
        if source:
            keys["received-from"] = [family(source), source]
        flags = self.flags + fields.pop("flags", [])
        if flags:
            keys["flags"] = flags
        keys["replace"] = ["origin", "session-connection"]
        keys.update((name.replace("_", "-"), value) for name, value
                    in {**self.keys, **fields}.items())
        reply = self.ng.ask(command, keys)
        if reply.get("result") != "ok":
            raise Refused(reply.get("result"),
                          reply.get("error-reason", reply), {})
        return reply

    def offer(self, **fields):
        return self._ask("offer", fields)

    def answer(self, **fields):
        return self._ask("answer", fields)

    def delete(self, call_id, **fields):
        fields = {"delete_delay": 0, **fields}
        return self._ask("delete", {"call_id": call_id, **fields})

    def query(self, call_id):
        return self._ask("query", {"call_id": call_id})
