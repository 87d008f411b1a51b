# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of SRTP share: phones with keys, calls that bridge, streams
that are quicker than speech, and the relay's counts of what it dropped."""

from . import sofia, town
from .case import DRAIN_S, RelayCase
from .ng import Door, Ng
from .srtp import SrtpPhone

NG_PORT = 2223
SAVP, AVP = "RTP/SAVP", "RTP/AVP"
PACE_S = 0.002     # between the packets of a burst
JUMP = 30000       # sequence numbers, less than half of all
WRAP = 1 << 16


class SrtpCase(RelayCase):
    options = {"control": {"ng": [f"127.0.0.1:{NG_PORT}"]}}

    def srtp_phone(self, where="alice", address=None, **options):
        return self.phone(where, address, kind=SrtpPhone, **options)

    def bridge(self, caller=None, callee=None, transport=None, **options):
        """A connected call; SRTP from alice to RTP unless said. What the
        callee is offered follows from its kind."""
        call = self.call(caller or self.srtp_phone(), callee, **options)
        self.connect(call, transport)
        return call

    def ng_call(self, caller=None, callee=None, flags=(), **keys):
        """A call over ng that is not offered yet."""
        ng = Ng(self.town.core, "127.0.0.1", NG_PORT)
        self.addCleanup(ng.close)
        call = town.Call(Door(ng, *flags, **keys),
                         caller or self.srtp_phone(),
                         callee or self.phone("callee"))
        call.check = sofia.check
        self.calls.append(call)
        return call

    @staticmethod
    def protocol(phone):
        return getattr(phone, "protocol", AVP)

    def connect(self, call, transport=None, by=None, sdes=None, **offer):
        """Offer and answer, from @by or the caller, in the protocol that the
        other side speaks; @sdes are wishes as the relay knows them."""
        self.offer(call, transport, by, sdes, **offer)
        call.answer(by=call.caller if by is call.callee else call.callee)
        return call

    def offer(self, call, transport=None, by=None, sdes=None, **more):
        by = by or call.caller
        other = call.callee if by is call.caller else call.caller
        names = (("transport_protocol", "SDES")
                 if isinstance(call.api, Door) else ("transport", "sdes"))
        values = transport or self.protocol(other), sdes
        more.update((name, value) for name, value in zip(names, values)
                    if value)
        return call.offer(by=by, **more)

    # media

    def assert_all_two_way(self, calls, seconds=0.4, reports=True):
        """Many calls at once, RTCP too: each side of each gets all."""
        pairs = [pair for call in calls for pair in (
            (call.caller, call.callee), (call.callee, call.caller))]
        starts = [(len(talker.sent), len(listener.heard),
                   len(talker.reported), len(listener.heard_rtcp))
                  for talker, listener in pairs]
        for number, (talker, _) in enumerate(pairs):
            # Not all in the same millisecond.
            talker.talk(seconds, start=number % 20 / 1000)
            if reports:
                self.town.loop.after(seconds / 2, talker.report)
        self.run_for(seconds + 0.02 + DRAIN_S)
        for (talker, listener), (sent, heard, reported, got) in zip(
                pairs, starts):
            self.assert_heard(talker, listener, sent, heard)
            self.assertEqual([each.data for each
                              in listener.heard_rtcp[got:]],
                             talker.reported[reported:], "RTCP")

    def burst(self, *phones, frames=20, pace=PACE_S):
        """Each sends @frames, quicker than speech."""
        for _ in range(frames):
            for phone in phones:
                phone.send_frame()
            self.run_for(pace)
        self.run_for(DRAIN_S)

    def assert_burst(self, call, frames=20):
        """Both sides speak quickly, and hear each other wholly."""
        pair = call.caller, call.callee
        before = [(len(each.sent), len(each.heard)) for each in pair]
        self.burst(*pair, frames=frames)
        for talker, listener in ((0, 1), (1, 0)):
            self.assert_heard(pair[talker], pair[listener],
                              before[talker][0], before[listener][1])

    @staticmethod
    def set_seq(phone, seq):
        """Before its first packet: where its stream begins."""
        assert not phone.sent
        phone.seq = seq & 0xffff

    def advance(self, phone, to):
        """Let @phone's sequence numbers run on to @to (of this round or the
        next), in steps that nobody can mistake, one packet each."""
        left = (to - phone.seq) % WRAP
        while left > JUMP:
            phone.seq = (phone.seq + JUMP) & 0xffff
            phone.timestamp = (phone.timestamp + JUMP * 160) & 0xffffffff
            phone.send_frame()
            self.run_for(0.005)
            left = (to - phone.seq) % WRAP
        phone.seq = to & 0xffff
        phone.timestamp = (phone.timestamp + left * 160) & 0xffffffff

    def said(self, phone, frames=5):
        """Send some frames; the payloads of these."""
        start = len(phone.sent)
        for _ in range(frames):
            phone.send_frame()
            self.run_for(PACE_S)
        self.run_for(DRAIN_S)
        return [each.payload for each in phone.sent[start:]]

    @staticmethod
    def payloads(phone, since=0):
        return [each.rtp.payload for each in phone.heard[since:] if each.rtp]

    # what the relay says

    def dropped(self, call):
        """{verdict: packets} of all flows of @call."""
        result = {}

        def walk(value):
            if isinstance(value, dict):
                for key, each in value.items():
                    if key == "dropped" and isinstance(each, dict):
                        for name, count in each.items():
                            result[name] = result.get(name, 0) + count
                    else:
                        walk(each)
            elif isinstance(value, list):
                for each in value:
                    walk(each)

        walk(self.api.query(call.call_id))
        return result

    def roc_of(self, talker, listener):
        """The rollover counter of @talker's stream, as the SRTP side of the
        two has it."""
        side = talker.sender if isinstance(talker, SrtpPhone) \
            else listener.receivers[0]
        return side.roc(talker.ssrc)

    def assert_own_keys(self, call):
        """No key of one party was told to the other."""
        for phone in (call.caller, call.callee):
            for each in getattr(phone, "own", {}).values():
                for reply in call.replies:
                    self.assertNotIn(each.line().split("inline:")[1][:30],
                                     reply)
