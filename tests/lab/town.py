# SPDX-License-Identifier: BSD-3-Clause
"""The network most tests use, and calls over it.

    lan: caller 192.168.1.20 -- nat 203.0.113.9 --+
    alice   203.0.113.20  2001:db8:a::20 ---------+ public --- core --- inner
    mallory 203.0.113.66  2001:db8:a::66 ---------+            host     switch
                                                                 |        |
    relay: 203.0.113.1, 2001:db8:a::1 on pub0; 10.0.0.1,         callee 10.0.0.20
    2001:db8:b::1 on core0. The core host does not forward: audio that
    arrives came through the relay.
"""

import itertools

from . import sdp
from .media import Loop, Phone
from .netns import Lab

PUBLIC4, PUBLIC6 = "203.0.113.1", "2001:db8:a::1"
CORE4, CORE6 = "10.0.0.1", "2001:db8:b::1"
NAT4 = "203.0.113.9"
ALICE4, ALICE6 = "203.0.113.20", "2001:db8:a::20"
MALLORY4, MALLORY6 = "203.0.113.66", "2001:db8:a::66"
CALLEE4, CALLEE6 = "10.0.0.20", "2001:db8:b::20"
CALLER4 = "192.168.1.20"

_numbers = itertools.count(1)


def realms(**changes):
    """The two realms of the town; changes by name, as public={...}."""
    both = {
        "public": {"name": "public", "interface": "pub0",
                   "addresses": [PUBLIC4, PUBLIC6], "ports": "30000-30999"},
        "core": {"name": "core", "interface": "core0",
                 "addresses": [CORE4, CORE6], "ports": "20000-20999"},
    }
    for name, change in changes.items():
        both[name].update(change)
    return list(both.values())


class Town:
    def __init__(self, queues=1):
        self.lab = lab = Lab()
        try:
            self._build(lab, queues)
        except BaseException:
            lab.close()
            raise

    def _build(self, lab, queues):
        self.core = lab.namespace("core")
        self.public = lab.switch("public")
        self.inner = lab.switch("inner")
        lab.plug(self.public, self.core, "pub0", f"{PUBLIC4}/24",
                 f"{PUBLIC6}/64", queues=queues)
        lab.plug(self.inner, self.core, "core0", f"{CORE4}/24",
                 f"{CORE6}/64", queues=queues)
        self.alice = self._host("alice", self.public, ALICE4, ALICE6)
        self.mallory = self._host("mallory", self.public, MALLORY4, MALLORY6)
        self.callee = self._host("callee", self.inner, CALLEE4, CALLEE6)
        self.nat = self._host("nat", self.public, NAT4)
        self.lan = lab.namespace("lan")
        lab.link(self.nat, "home0", self.lan, "eth0")
        lab.address(self.nat, "home0", "192.168.1.1/24")
        lab.address(self.lan, "eth0", f"{CALLER4}/24")
        self.lan.ip("route add default via 192.168.1.1")
        lab.nat(self.nat, "home0", "eth0")
        self.loop = Loop()
        lab.on_close(self.loop.close)

    def _host(self, name, switch, *addresses):
        ns = self.lab.namespace(name)
        self.lab.plug(switch, ns, "eth0",
                      *[each + ("/64" if ":" in each else "/24")
                        for each in addresses])
        return ns

    def phone(self, where, address=None, *, kind=Phone, **options):
        """A phone on the host named @where, at its IPv4 or @address."""
        default = {"alice": ALICE4, "mallory": MALLORY4, "callee": CALLEE4,
                   "lan": CALLER4, "nat": NAT4}
        return kind(self.loop, self.lab.namespaces[where],
                    address or default[where], **options)

    def close(self):
        self.lab.close()


class Call:
    """A call between two phones, as a proxy would set it up."""

    def __init__(self, api, caller, callee, *, from_realm="public",
                 to_realm="core", **options):
        number = next(_numbers)
        self.api, self.caller, self.callee = api, caller, callee
        self.check = sdp.parse  # of what the relay wrote
        self.call_id = f"call-{number}@lab.example"
        self.tags = f"from-{number}", f"to-{number}"
        self.realms = {"from_realm": from_realm, "to_realm": to_realm}
        self.options = options  # of both requests, signalling_source apart
        self.signalling_source = self.options.pop("signalling_source", None)
        self.replies = []       # SDPs as the relay wrote them
        self.last = {}          # who: their SDP that the relay saw last

    def offer(self, text=None, by=None, aim=True, **more):
        """@by, the caller unless given, offers; the other side is aimed at
        what the relay made of it. Returns the reply."""
        by = by or self.caller
        other = self.callee if by is self.caller else self.caller
        text = text or by.offer_sdp()
        fields = dict(call_id=self.call_id, from_tag=self._tag(by), sdp=text,
                      **self.options)
        if by is self.caller:
            fields.update(self.realms)
            if self.signalling_source:
                fields["signalling_source"] = self.signalling_source
        if self.replies or by is not self.caller:
            fields["to_tag"] = self._tag(other)
        fields.update(more)
        reply = self.api.offer(**fields)
        return self._use(reply, by, text, other if aim else None)

    def answer(self, text=None, by=None, aim=True, **more):
        by = by or self.callee
        other = self.callee if by is self.caller else self.caller
        text = text or by.sdp()
        fields = dict(call_id=self.call_id, from_tag=self._tag(other),
                      to_tag=self._tag(by), sdp=text, **self.options)
        if by is self.caller and self.signalling_source:
            fields["signalling_source"] = self.signalling_source
        fields.update(more)
        reply = self.api.answer(**fields)
        return self._use(reply, by, text, other if aim else None)

    def connect(self):
        self.offer()
        self.answer()
        return self

    def _tag(self, phone):
        return self.tags[0] if phone is self.caller else self.tags[1]

    def _use(self, reply, by, text, other):
        self.last[by] = text
        self.check(reply["sdp"])
        self.replies.append(reply["sdp"])
        if other:
            other.aim(reply["sdp"])
        return reply

    def media(self, reply=-1):
        """The m-lines of one of the relay's SDPs, its last unless given."""
        return sdp.parse(self.replies[reply])

    def query(self):
        return self.api.query(self.call_id)

    def delete(self, **fields):
        return self.api.delete(self.call_id, **fields)
