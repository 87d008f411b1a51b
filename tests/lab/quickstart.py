# SPDX-License-Identifier: BSD-3-Clause
"""One real call through sallyport, told step by step: deploy/quickstart."""

import statistics
import sys
import textwrap
import time

from . import rtp, sdp, speech, town
from .api import Refused
from .media import compare, jitter_ns, unwrap
from .netns import LabError
from .relay import ROOT, Relay, binary

SECONDS = 10
CALLEE_WAITS_S = 0.3   # people take a breath; and the NAT is learnt meanwhile
PROBE_EVERY_S = 0.1
PROBE_PORT = 5004      # outside of the relay's ranges: the kernel's
STRANGER_PACKETS = 200
KEEP = ROOT / "build" / "quickstart"
SENTENCES = {
    "caller": "Hello, this is the caller. I am sitting behind a home router, "
              "and nobody out there knows my real address.",
    "callee": "Good morning, this is the callee. I hear every word of yours, "
              "from the first syllable to the last.",
}


def title(text):
    print(f"\n{text}\n{'-' * len(text)}")


def say(text):
    for line in textwrap.dedent(text).strip().split("\n"):
        print(textwrap.fill(line, 76, initial_indent="  ",
                            subsequent_indent="  ") if line else "")
    sys.stdout.flush()


class Hop:
    """One-way times between two kernel sockets, for comparison."""

    def __init__(self, phone_a, phone_b):
        self.from_phone, self.to_phone = phone_a, phone_b
        self.sent = []

    def probe(self, to):
        number = len(self.sent)
        data = rtp.pack(b"probe" * 32, number, 0, id(self) & 0xffffffff)
        self.sent.append(time.clock_gettime_ns(time.CLOCK_REALTIME))
        self.from_phone.send_raw(data, to)

    def delays(self):
        """Microseconds, of those that came."""
        mine = id(self) & 0xffffffff
        return [(each.at_ns - self.sent[each.rtp.seq]) / 1000
                for each in self.to_phone.heard
                if each.rtp and each.rtp.ssrc == mine]


class Kernel:
    """Probes over the same two hops, answered by the core host's kernel
    instead of the relay: what the network alone takes."""

    def __init__(self, network):
        phone = network.phone
        self.outside = town.Phone(network.loop, network.core, town.PUBLIC4,
                                  PROBE_PORT, name="kernel outside")
        self.inside = town.Phone(network.loop, network.core, town.CORE4,
                                 PROBE_PORT, name="kernel inside")
        self.near, self.far = phone("lan"), phone("callee")
        self.loop = network.loop
        self.hops = {
            "in": Hop(self.near, self.outside),
            "on": Hop(self.inside, self.far),
            "back in": Hop(self.far, self.inside),
            "back on": Hop(self.outside, self.near),
        }

    def tick(self):
        self.hops["in"].probe((town.PUBLIC4, PROBE_PORT))
        self.hops["on"].probe((self.far.address, self.far.port))
        self.hops["back in"].probe((town.CORE4, PROBE_PORT))
        if self.outside.heard:  # the way back through the NAT
            self.hops["back on"].probe(self.outside.heard[-1].source)
        self.loop.after(PROBE_EVERY_S, self.tick)

    def delay(self, first, second):
        """Median of both hops together, in microseconds."""
        return (statistics.median(self.hops[first].delays())
                + statistics.median(self.hops[second].delays()))


def open_relay(network):
    """AF_XDP; af_packet where that can't be had, and says so."""
    binary(speed=True)  # not built is no matter of drivers
    try:
        relay = Relay(network.lab, network.core, town.realms(), speed=True)
    except LabError as error:
        say(f"AF_XDP did not work here ({str(error).splitlines()[-1]}); "
            "trying af_packet.")
        packet = {"driver": "af_packet"}
        relay = Relay(network.lab, network.core,
                      town.realms(public=packet, core=packet), speed=True)
    return relay


def show_changes(before, after, whose):
    print(f"  {whose}")
    for sign, line in sdp.changes(before, after):
        print(f"    {'was' if sign == '-' else 'now'}  {line}")


def set_up(call):
    caller, callee = call.caller, call.callee
    call.offer()
    call.answer()
    say("The lines of SDP that the relay changed (all others left as they "
        "came):")
    print()
    show_changes(call.last[caller], call.replies[0],
                 "offer, on its way to the callee")
    print()
    show_changes(call.last[callee], call.replies[1],
                 "answer, on its way to the caller")


def talk(network, call, kernel):
    """The conversation; returns what the stranger heard."""
    caller, callee = call.caller, call.callee
    stranger = network.phone("mallory", name="stranger")
    frames = round(SECONDS / rtp.FRAME_S)
    caller.talk(frames=frames)
    callee.talk(frames=frames, start=CALLEE_WAITS_S)
    for phone in (caller, callee):
        network.loop.after(1.0, lambda phone=phone: phone.report(every=1.0))
    kernel.tick()

    def spray(left=STRANGER_PACKETS):
        port = (caller.remote[1] if left % 2 else 30000 + left * 2)
        stranger.send_raw(rtp.pack(b"s" * 160, left, 0, 0x5712a),
                          (town.PUBLIC4, port))
        if left > 1:
            network.loop.after(0.02, lambda: spray(left - 1))

    network.loop.after(3.0, spray)
    network.loop.run(SECONDS + CALLEE_WAITS_S + 0.3)
    return stranger


def direction(talker, listener, kernel_us):
    """What one direction was like, for people; returns complaints."""
    heard = [each for each in listener.frames_heard()
             if each.rtp.ssrc == talker.ssrc]
    wrong = compare(talker, listener)
    sent, got = len(talker.sent), len({each.rtp.seq for each in heard})
    loss = 1 - got / sent if sent else 1.0
    at = {each.seq: each.at_ns for each in talker.sent}
    delays = [(each.at_ns - at[each.rtp.seq]) / 1000 for each in heard
              if each.rtp.seq in at]
    print(f"  {talker.name} to {listener.name}")
    if not delays:
        print("    nothing came\n")
        return wrong
    jitter_ms = jitter_ns((at[each.rtp.seq], each.at_ns) for each in heard
                          if each.rtp.seq in at) / 1e6
    order = unwrap([each.rtp.seq for each in heard])
    delay = statistics.median(delays)
    late = sorted(delays)[int(len(delays) * 0.99)]
    rows = (
        ("packets", f"{sent} sent, {len(heard)} received"),
        ("lost", f"{sent - got} ({100 * loss:.2f} %)"),
        ("out of order", str(sum(b < a for a, b in zip(order, order[1:])))),
        ("jitter", f"{jitter_ms:.3f} ms"),
        ("delay", f"{delay:.0f} us in the median, 99 % below {late:.0f} us"),
        ("added", f"{delay - kernel_us:.0f} us by the relay (the same two "
                  f"hops through the kernel: {kernel_us:.0f} us)"),
        ("MOS", f"{speech.mos(loss, delay / 1000, jitter_ms):.2f} of 4.41 "
                "(G.711, E-model)"),
        ("RTCP", f"{talker.reports} reports sent, "
                 f"{len(listener.heard_rtcp)} received"),
    )
    for name, value in rows:
        print(f"    {name:<13}{value}")
    said = b"".join(each.payload for each in talker.sent)
    came = b"".join(each.rtp.payload for each in heard)
    if speech.samples(said) == speech.samples(came):
        print(f"    {'speech':<13}identical: all {len(came)} samples as they "
              "were spoken")
    else:
        print(f"    {'speech':<13}NOT identical: {len(said)} samples spoken, "
              f"{len(came)} heard")
        wrong = wrong or ["the speech differs"]
    print()
    return wrong


RIGHTS = {
    "exact": "the address and port of its SDP",
    "same_ip": "the address of its SDP, another port",
    "signalling_source": "the address its signalling came from",
}
ROLES = {"caller": "caller", "branch": "callee"}


def show_latches(told):
    """Who was believed, by which right, and when."""
    for party in told["parties"]:
        for media in party["media"]:
            for what, flow in (("RTP", media), ("RTCP", media["rtcp"])):
                if not flow or not flow["latched"]:
                    continue
                right = RIGHTS.get(flow["class"], flow["class"])
                if what == "RTCP":
                    right = "the address that its RTP comes from"
                at = flow["latched_at_ms"]
                when = "" if at is None else f"after {at} ms: "
                print(f"  {ROLES[party['role']]:<7} {what:<5}"
                      f"{flow['latched']:<19}{when}{right}")


def show_drops(verdicts):
    dropped = {name: count for name, count in verdicts.items()
               if count and name != "forwarded"}
    total = verdicts.get("forwarded", 0)
    print(f"  forwarded {total:>7}")
    for name, count in sorted(dropped.items(), key=lambda each: -each[1]):
        print(f"  {name:<10}{count:>7}  {MEANINGS.get(name, '')}")


MEANINGS = {
    "no_flow": "no call uses that port: the stranger's guesses",
    "source": "not from the party's address: the stranger again",
    "probation": "from a source not yet believed, and not held",
    "no_remote": "nowhere to send it yet",
}


CONFIGURATION = """\
control:
  http: 127.0.0.1:8080
realms:
  - name: public
    interface: eth0
    addresses: [192.0.2.10]
    ports: 30000-39999
"""
PROXY = """\
Kamailio and OpenSIPS with their module rtpengine: nothing but the address.
  modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:2223")

curl -s http://127.0.0.1:8080/v1/offer --json '{"call_id": "...",
  "from_tag": "...", "sdp": "v=0...", "signalling_source": "..."}'

Kamailio, with its modules http_client, jansson and textopsx:
  modparam("http_client", "httpcon", "relay=>http://127.0.0.1:8080/v1")
  ...
  jansson_set("string", "call_id", "$ci", "$var(o)");
  jansson_set("string", "from_tag", "$ft", "$var(o)");
  jansson_set("string", "sdp", "$rb", "$var(o)");
  jansson_set("string", "signalling_source", "$si", "$var(o)");
  http_connect("relay", "/offer", "application/json", "$var(o)",
               "$var(reply)");
  jansson_get("sdp", "$var(reply)", "$var(sdp)");
  set_body("$var(sdp)", "application/sdp");
"""


def indented(text):
    print("\n" + textwrap.indent(text, "    "))


def tell_result(wrong):
    title("Result")
    if wrong:
        say("\n".join(wrong))
        say("The call did NOT carry the speech both ways as it was spoken.")
    else:
        say("Both heard the other's speech exactly as it was spoken.")


def tell_how_on():
    title("Your own network")
    say("A configuration, sallyport.yaml, for one interface, say eth0 with "
        "the address 192.0.2.10:")
    indented(CONFIGURATION)
    say("Install what was built, check the configuration, start:")
    indented("sudo meson install -C build/release\n"
             "sudo sallyport --config sallyport.yaml --check\n"
             "sudo sallyport --config sallyport.yaml\n")
    say("SSH and the SIP proxy stay on that address: only UDP to the port "
        "range goes to sallyport. It speaks rtpengine's protocol, and takes "
        "JSON: the proxy posts what it has and puts the SDP that comes back "
        "into its message; `/answer` and `/delete` work alike:")
    indented(PROXY)
    say("All keys: deploy/sallyport.yaml. The API: GET /openapi.json.")


def main():
    print("sallyport: one real call, in network namespaces of its own")
    KEEP.mkdir(parents=True, exist_ok=True)
    voices = {}
    for who, voice in (("caller", "en"), ("callee", "en-us")):
        voices[who] = speech.say(SENTENCES[who], str(KEEP / f"{who}.wav"),
                                 SECONDS, voice)
    network = town.Town()
    title("The network")
    say(f"""
        caller {town.CALLER4}, behind a NAT with the public address {town.NAT4}
        callee {town.CALLEE4}, on another network
        relay {town.PUBLIC4} outside, {town.CORE4} inside; its host forwards nothing by itself
        """)
    relay = open_relay(network)
    for realm, driver in relay.drivers().items():
        say(f"realm {realm}: driver {driver}" + (
            "" if driver == "af_xdp" else
            " (AF_XDP could not be had; this is slower)"))
    caller = network.phone("lan", name="caller", audio=voices["caller"])
    callee = network.phone("callee", name="callee", audio=voices["callee"])
    call = town.Call(relay.api, caller, callee,
                     signalling_source=town.NAT4)
    title("The call")
    set_up(call)
    say(f"\nBoth talk for {SECONDS} seconds; meanwhile a stranger at "
        f"{town.MALLORY4} sends RTP to ports of the relay ...")
    kernel = Kernel(network)
    stranger = talk(network, call, kernel)
    told = call.query()
    call.delete()

    title("Who was believed")
    show_latches(told)
    title("What was heard")
    wrong = direction(caller, callee, kernel.delay("in", "on"))
    wrong += direction(callee, caller, kernel.delay("back in", "back on"))
    for who, phone in (("caller", callee), ("callee", caller)):
        speech.write(str(KEEP / f"{who}-as-heard.wav"),
                     b"".join(each.rtp.payload
                              for each in phone.frames_heard()))
    say(f"As WAV files, spoken and heard: {KEEP.relative_to(ROOT)}/")
    title("What the relay did with every packet")
    show_drops(relay.api.verdicts())
    if stranger.heard:
        wrong.append(f"the stranger got {len(stranger.heard)} packets")
    else:
        say("The stranger got nothing back.")
    wrong += relay.stop()
    network.close()
    tell_result(wrong)
    if not wrong:
        tell_how_on()
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LabError, Refused, OSError) as error:
        print(f"\nquickstart could not go on: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nstopped; everything is cleaned up", file=sys.stderr)
        sys.exit(130)
