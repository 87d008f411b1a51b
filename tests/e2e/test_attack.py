# SPDX-License-Identifier: BSD-3-Clause
"""Who is believed: SECURITY properties SEC-1 to SEC-5, 8, 9 and 11."""

from lab import rtp, sdp, town
from lab.api import Refused
from lab.attack import Spray
from lab.case import DRAIN_S, RelayCase
from lab.media import compare
from lab.relay import once, yaml
from lab.stalls import (GRANT_S, LEAST_S, Disturbed, Stalls, due_within,
                        undisturbed)

PORTS = 30000, 30999
FRAME_PACE = 1000 * 50  # a frame every 20 ms to each port of the range


class Sprayed(RelayCase):
    """An attacker who can't spoof sends to the whole range, all the time,
    while calls are set up, offered again and talk. Release build: what
    counts here is rate. The worker never sleeps, as it can't tell how late
    it was woken, and what the machine takes from it must be known."""

    speed = True
    options = {"dataplane": {"idle": "busy"}}

    def _attack(self, rate, mode):
        undisturbed(self, lambda stalls: self._attempt(rate, mode, stalls))

    def _attempt(self, rate, mode, stalls):
        spray = Spray(self.town.lab, self.town.mallory, town.PUBLIC4, PORTS,
                      rate, 3.5, mode)
        before = self.api.verdicts()
        self.run_for(0.3)
        calls = []
        for number in range(10):
            call = self.nat_call() if number % 2 else self.call()
            calls.append(call.connect())
            self.run_for(0.02)
            if number % 3 == 0:
                call.connect()
            call.caller.talk(1.6)
            call.callee.talk(1.2, start=0.4)
        self.run_for(0.8)
        for call in calls[::3]:
            call.connect()
        self.run_for(1.0 + DRAIN_S)
        self.assertTrue(spray.running(), "the attack lasted to the end")
        self.assertTrue(self.relay.alive())
        sent, received, octets = spray.wait()
        self.assertGreater(sent, 30000)
        self.assertEqual((received, octets), (0, 0),
                         "media reached the attacker")
        self._all_is_well(calls, stalls)
        after = self.api.verdicts()
        self.assertEqual(sum(after.values()), self.api.received(),
                         "each packet ends in exactly one verdict")
        spoken = sum(len(call.caller.sent) + len(call.callee.sent)
                     for call in calls)
        self.assertLessEqual(after["forwarded"] - before["forwarded"],
                             spoken)

    def _all_is_well(self, calls, stalls):
        """Nothing foreign, and no party that hears less than nearly all,
        but for what was due while the relay had no CPU."""
        displaced = min(stalls.seconds("displaced"), GRANT_S)
        stood = stalls.seconds()
        for call in calls:
            for talker, listener in ((call.caller, call.callee),
                                     (call.callee, call.caller)):
                said = {(each.seq, each.payload) for each in talker.sent}
                got = [(each.rtp.seq, each.rtp.payload) if each.rtp
                       else each.data for each in listener.heard]
                self.assertLessEqual(set(got), said, "foreign packets")
                lost = len(said) - len(got)
                if lost <= 0.05 * len(said) + due_within(talker, displaced):
                    continue
                how = f"{compare(talker, listener)}{self._drops()}, {stalls}"
                if lost <= 0.05 * len(said) + due_within(talker, stood):
                    raise Disturbed(how)
                self.fail(how)

    def test_sec_1_one_packet_to_every_port(self):
        self._attack(300_000, "constant")

    def test_sec_2_valid_rtp_to_every_port(self):
        self._attack(FRAME_PACE, "sequential")


class SprayedSignalled(Sprayed):
    realm_changes = {"public": {"latch": "signalled"}}

    def nat_call(self, **options):
        return self.call(**options)  # a NAT caller can't speak under this


class SprayedSetUps(RelayCase):
    """SEC-1 at its full count: a thousand set-ups, three in ten of them
    offered again, while the attacker sends as fast as it can."""

    speed = True
    options = {"dataplane": {"idle": "busy"}}
    ports = 30000, 33999
    realm_changes = {"public": {"ports": "30000-33999"},
                     "core": {"ports": "20000-23999"}}

    def _spray(self):
        return Spray(self.town.lab, self.town.mallory, town.PUBLIC4,
                     self.ports, 1_000_000, 5, "constant")

    def _hello(self, caller, callee, number):
        """Each says two frames and hears one. Answers whether the relay's
        CPU was taken just then, so that it took more."""
        heard = len(caller.heard), len(callee.heard)
        for again in (False, True):
            stalls = Stalls(self.api)
            for _ in range(2):
                caller.send_frame()
                callee.send_frame()
            if self.run_for(2, lambda: len(caller.heard) > heard[0]
                            and len(callee.heard) > heard[1]):
                return again
            if stalls.seconds() < LEAST_S:
                break
        self.assertGreater(len(caller.heard), heard[0],
                           f"set-up {number}: the caller is deaf")
        return self.assertGreater(len(callee.heard), heard[1],
                                  f"set-up {number}: the callee is deaf")

    def test_sec_1_a_thousand_set_ups(self):
        disturbed = 0
        before = self.api.verdicts()["forwarded"]
        pairs = [(self.phone("alice"), self.phone("callee"))
                 for _ in range(10)]
        sprays = [self._spray()]
        for number in range(1000):
            if not sprays[-1].running():
                sprays.append(self._spray())
            caller, callee = pairs[number % len(pairs)]
            call = town.Call(self.api, caller, callee).connect()
            if number % 10 < 3:
                call.connect()
            disturbed += self._hello(caller, callee, number)
            call.delete()
        self.assertLess(disturbed, 10)
        for sent, received, octets in (each.wait() for each in sprays):
            self.assertGreater(sent, 30000)
            self.assertEqual((received, octets), (0, 0),
                             "media reached the attacker")
        for phone, other in pairs + [(b, a) for a, b in pairs]:
            self.assertLessEqual({(each.rtp.seq, each.rtp.payload)
                                  for each in phone.heard},
                                 {(each.seq, each.payload)
                                  for each in other.sent}, "foreign packets")
        spoken = sum(len(phone.sent) for pair in pairs for phone in pair)
        self.assertLessEqual(self.api.verdicts()["forwarded"] - before,
                             spoken)


class Sources(RelayCase):
    # As many as SDP may have: what follows must hold without that bound.
    options = {"dataplane": {"max_media": 32}}

    def attacker(self, where="mallory", **options):
        return self.phone(where, name="attacker", **options)

    def test_sec_3_the_address_of_the_sdp_beats_a_neighbour(self):
        """Somebody on the victim's own address is quicker; the first packet
        from the place that SDP names ends it."""
        call = self.call().connect()
        thief = self.attacker("alice")
        thief.remote = call.caller.remote
        thief.talk(0.3)
        self.run_for(0.35)
        call.callee.talk()
        self.run_for(0.05)
        heard = len(call.callee.heard)
        call.caller.talk(0.4)
        self.run_for(0.02)
        stolen = len(thief.heard)
        thief.talk(0.3)
        self.run_for(0.4 + DRAIN_S)
        self.assertEqual(len(thief.heard), stolen, "displaced at once")
        self.assert_heard(call.caller, call.callee, 0, heard)

    def test_sec_3_one_latch_and_a_rival_is_told_of(self):
        """Two streams behind one NAT: the first that is believed stays."""
        call = self.nat_call().connect()
        rival = self.attacker("lan")
        rival.remote = call.caller.remote
        call.caller.talk(0.8)
        rival.talk(0.7, start=0.1)
        call.callee.talk(0.5, start=0.3)
        self.run_for(0.8 + DRAIN_S)
        self.assertEqual(rival.heard, [])
        self.assert_heard(call.caller, call.callee)
        self.assert_heard(call.callee, call.caller)
        self.assertIn("contested", str(call.query()).lower())

    def test_sec_4_an_unchanged_offer_does_not_open_learning(self):
        call = self.nat_call().connect()
        call.caller.talk()
        call.callee.talk(start=0.2)
        self.run_for(0.3)
        thieves = [self.attacker("mallory"), self.attacker("lan"),
                   self.attacker("nat")]
        for thief in thieves:
            thief.remote = call.caller.remote
            thief.talk()
        for _ in range(4):
            call.connect()
            self.run_for(0.12)
        for each in (*thieves, call.caller, call.callee):
            each.mute()
        self.run_for(DRAIN_S)
        self.assertEqual([thief.heard for thief in thieves], [[], [], []])
        self.assert_heard(call.caller, call.callee)
        self.assert_heard(call.callee, call.caller)

    def test_sec_5_rtcp_of_a_stranger_goes_nowhere(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        thief = self.attacker()
        for _ in range(5):
            thief.send_raw(rtp.sender_report(1, 2, 3, 4),
                           call.caller.remote_rtcp, "rtcp")
            thief.send_raw(b"\x80\xc8\0\0", call.caller.remote_rtcp, "rtcp")
        self.run_for(DRAIN_S)
        self.assertEqual(call.callee.heard_rtcp, [])
        call.callee.report()
        call.caller.report()
        self.run_for(DRAIN_S)
        self.assertEqual(thief.heard_rtcp, [])
        self.assertEqual(len(call.caller.heard_rtcp), 1)
        self.assertEqual(len(call.callee.heard_rtcp), 1)

    def test_sec_5_broken_rtcp_is_dropped(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        whole = rtp.sender_report(call.caller.ssrc, 1, 2, 3)
        before = self.api.verdicts()["malformed"]
        broken = [b"\x80\xc8\0\0", whole[:4], whole[:11], whole[:-1],
                  b"\x81\xc9\0\x07" + b"\0" * 8,
                  whole[:2] + b"\xff\xff" + whole[4:]]
        for data in broken:
            call.caller.send_raw(data, channel="rtcp")
        self.run_for(DRAIN_S)
        self.assertEqual(call.callee.heard_rtcp, [])
        self.assertEqual(self.api.verdicts()["malformed"] - before,
                         len(broken))

    def test_sec_8_an_unknown_policy_is_an_error(self):
        for value in ("anyy", "ANY", "", "off", "latch_any", 1, True, None):
            with self.subTest(value=value):
                with self.assertRaises(Refused) as caught:
                    self.call().offer(latch=value)
                self.assertIn(caught.exception.status, (400, 422))

    def test_sec_8_an_unknown_policy_stops_the_start(self):
        for value in ("anyy", "off", "Restricted", "true"):
            with self.subTest(value=value):
                config = dict(self.relay.config,
                              realms=town.realms(public={"latch": value}))
                path = self.town.lab.path("bad.yaml")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(yaml(config) + "\n")
                status, said = once(self.town.core, "--check", "--config",
                                    path)
                self.assertNotEqual(status, 0)
                self.assertIn("latch", said)

    def test_sec_9_sdp_can_not_aim_us_at_ourselves(self):
        """Ours, loopback, multicast, broadcast, link-local, cloud metadata,
        and each of them dressed up as IPv6."""
        for address in (
                "127.0.0.1", "127.99.1.2", "0.1.2.3", "224.0.0.1",
                "239.255.255.255", "255.255.255.255", "169.254.169.254",
                "169.254.0.1", town.PUBLIC4, town.CORE4, "::1", "ff02::1",
                "fe80::1", town.PUBLIC6, town.CORE6, "::ffff:127.0.0.1",
                "::ffff:169.254.169.254", f"::ffff:{town.CORE4}",
                "::127.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
                "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"):
            with self.subTest(address=address):
                call = self.call()
                with self.assertRaises(Refused) as caught:
                    call.offer(call.caller.sdp(address=address))
                self.assertIn(caught.exception.status, (400, 403, 422))
                self.assert_refused(404, call.query)

    def test_sec_9_nor_by_the_rtcp_attribute(self):
        for address in ("127.0.0.1", "::ffff:127.0.0.1", town.CORE4):
            with self.subTest(address=address):
                call = self.call()
                text = sdp.write(call.caller.address, sdp.audio(
                    call.caller.port, rtcp_port=5005, rtcp_address=address))
                with self.assertRaises(Refused) as caught:
                    call.offer(text)
                self.assertIn(caught.exception.status, (400, 403, 422))

    def test_sdp_does_not_fill_the_hosts_neighbour_table(self):
        """Every m-line names another address of our link that nobody has;
        the kernel's table has 1,024 places for the whole host."""
        offers = []
        for i in range(1, 13):
            offers.append(self.call())
            lines = [sdp.audio(4000, address=f"2001:db8:a::{i:x}:{m:x}")
                     for m in range(1, 33)]
            offers[-1].offer(sdp.write(town.ALICE6, *lines), aim=False)
        asked = self.town.core.run("ip", "-6", "neigh", "show", "dev", "pub0",
                                   "nud", "incomplete").count("\n")
        self.assertGreater(asked, 30)
        self.assertLess(asked, 300)
        for offer in offers:
            offer.delete()

    def test_sec_11_ports_are_not_foretold(self):
        ports = []
        for _ in range(24):
            call = self.call()
            call.offer()
            ports.append(call.media()[0].port)
        steps = [second - first for first, second in zip(ports, ports[1:])]
        self.assertEqual(len(set(ports)), len(ports))
        self.assertGreater(len(set(steps)), 12, ports)
        self.assertGreater(len([each for each in steps if each < 0]), 3)

    def test_sec_11_freed_ports_wait(self):
        """Sixty calls come and go over five hundred pairs of ports: without
        quarantine some port comes back at once, nearly surely."""
        seen = set()
        caller, callee = self.phone("alice"), self.phone("callee")
        for _ in range(60):
            call = town.Call(self.api, caller, callee)
            call.offer()
            port = call.media()[0].port
            self.assertNotIn(port, seen)
            seen.add(port)
            call.delete()

    def test_sec_11_a_late_packet_goes_nowhere(self):
        old = self.call().connect()
        self.assert_two_way(old, 0.2)
        old.delete()
        new = self.call().connect()
        old.caller.talk(0.3)
        self.assert_two_way(new, 0.3)
        self.assertEqual({each.rtp.ssrc for each in new.callee.heard},
                         {new.caller.ssrc})
