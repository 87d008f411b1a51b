# SPDX-License-Identifier: BSD-3-Clause
"""Session descriptions: what a phone writes and what it reads."""

import difflib
import ipaddress
from collections import namedtuple

Media = namedtuple("Media", "kind address port rtcp_address rtcp_port mux "
                            "direction protocol")


def family(address):
    return "IP6" if ":" in address else "IP4"


def write(address, *lines, session=1, version=1):
    """A whole SDP; @lines are media sections as `audio` makes them."""
    kind = family(address)
    return "".join(line + "\r\n" for line in (
        "v=0", f"o=phone {session} {version} IN {kind} {address}", "s=call",
        f"c=IN {kind} {address}", "t=0 0", *lines))


def audio(port, *, rtcp_port=None, rtcp_address=None, mux=False,
          direction="sendrecv", address=None, protocol="RTP/AVP", crypto=()):
    lines = [f"m=audio {port} {protocol} 0 8 101"]
    if address:
        lines.append(f"c=IN {family(address)} {address}")
    lines += ["a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000",
              "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
              "a=ptime:20"]
    if rtcp_port:
        lines.append(f"a=rtcp:{rtcp_port}" + (
            f" IN {family(rtcp_address)} {rtcp_address}"
            if rtcp_address else ""))
    if mux:
        lines.append("a=rtcp-mux")
    lines.append(f"a={direction}")
    lines += crypto
    return "\r\n".join(lines)


def image(port):
    return "\r\n".join((f"m=image {port} udptl t38", "a=T38FaxVersion:0",
                        "a=T38MaxBitRate:14400",
                        "a=T38FaxRateManagement:transferredTCF"))


def parse(text):
    """The m-lines of @text, each a Media; addresses inherited."""
    session_address = None
    session_direction = "sendrecv"
    sections = []
    for line in text.replace("\r\n", "\n").split("\n"):
        kind, _, value = line.partition("=")
        if kind == "m":
            what, port, protocol = value.split()[:3]
            sections.append(dict(
                kind=what, address=session_address, port=int(port),
                rtcp_address=None, rtcp_port=None, mux=False,
                direction=session_direction, protocol=protocol))
        elif kind == "c":
            address = str(ipaddress.ip_address(
                value.split()[2].split("/")[0]))
            if sections:
                sections[-1]["address"] = address
            else:
                session_address = address
        elif kind == "a":
            name, _, rest = value.partition(":")
            if name in ("sendrecv", "sendonly", "recvonly", "inactive"):
                if sections:
                    sections[-1]["direction"] = name
                else:
                    session_direction = name
            elif name == "rtcp-mux" and sections:
                sections[-1]["mux"] = True
            elif name == "rtcp" and sections:
                words = rest.split()
                sections[-1]["rtcp_port"] = int(words[0])
                if len(words) > 3:
                    sections[-1]["rtcp_address"] = words[3]
    for each in sections:
        # RFC 3605 or, without it, the next port; mux has its own way.
        each["rtcp_port"] = each["rtcp_port"] or each["port"] + 1
        each["rtcp_address"] = each["rtcp_address"] or each["address"]
    return [Media(**each) for each in sections]


def changes(before, after):
    """The lines that differ, as ('-' or '+', line)."""
    old = before.replace("\r\n", "\n").strip().split("\n")
    new = after.replace("\r\n", "\n").strip().split("\n")
    result = []
    for line in difflib.ndiff(old, new):
        if line[0] in "-+":
            result.append((line[0], line[2:]))
    return result
