# SPDX-License-Identifier: BSD-3-Clause
"""Ways to have a NIC: dedicated ones, VLANs, and one address twice."""

import time

from lab import frames, rtp, town
from lab.case import DRAIN_S, RelayCase
from lab.frames import Wire
from lab.netns import Lab
from lab.relay import Relay
from lab.vlan import Tagger

FAR4 = "198.51.100.20"


def dedicate(ns, interface):
    """Take the kernel's addresses off, so that DPDK alone answers."""
    ns.ip(f"addr flush dev {interface}")
    ns.sysctl(**{f"net__ipv6__conf__{interface}__disable_ipv6": 1})


class Dedicated(RelayCase):
    """DPDK owns the public link: no kernel address on it. Mallory's host
    is the gateway to the network of a phone far away."""

    realm_changes = {"public": {
        "interface": None, "device": "net_af_packet0,iface=pub0",
        "addresses": [f"{town.PUBLIC4}/24", f"{town.PUBLIC6}/64"],
        "gateway": town.MALLORY4}}

    @classmethod
    def realms(cls):
        found = super().realms()
        return [{key: value for key, value in each.items()
                 if value is not None} for each in found]

    @classmethod
    def prepare(cls):
        lab, gateway = cls.town.lab, cls.town.mallory
        dedicate(cls.town.core, "pub0")
        far = lab.namespace("far")
        lab.link(gateway, "far0", far, "eth0")
        lab.address(gateway, "far0", "198.51.100.1/24")
        lab.address(far, "eth0", f"{FAR4}/24")
        far.ip("route add default via 198.51.100.1")
        gateway.sysctl(net__ipv4__ip_forward=1)
        cls.mac = cls.town.core.mac("pub0")

    def test_two_way_audio(self):
        self.assert_two_way(self.call().connect())

    def test_two_way_audio_over_ipv6(self):
        call = self.call(self.phone("alice", town.ALICE6))
        call.offer(address_family="IP4")
        call.answer()
        self.assert_two_way(call)

    def test_arp_and_ping_are_answered(self):
        alice = self.town.alice
        alice.ip("neigh flush dev eth0")
        alice.run("ping", "-q", "-c", "3", "-i", "0.1", "-W", "1",
                  town.PUBLIC4)
        self.assertIn(self.mac,
                      alice.run("ip", "neigh", "show", town.PUBLIC4))

    def test_neighbour_discovery_and_ping6_are_answered(self):
        alice = self.town.alice
        alice.ip("neigh flush dev eth0")
        alice.run("ping", "-q", "-c", "3", "-i", "0.1", "-W", "1",
                  town.PUBLIC6)
        self.assertIn(self.mac,
                      alice.run("ip", "neigh", "show", town.PUBLIC6))

    def test_a_large_ping_comes_back_whole(self):
        self.town.alice.run("ping", "-q", "-c", "1", "-W", "1", "-s", "1400",
                            town.PUBLIC4)

    def test_the_gateway_leads_to_far_networks(self):
        far = self.phone("far", FAR4)
        self.assert_two_way(self.call(far).connect())

    def test_a_flood_of_arp_does_not_push_out_a_neighbour(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        wire = Wire(self.town.mallory, "eth0")
        self.addCleanup(wire.close)
        us = frames.ipaddress.ip_address(town.PUBLIC4).packed
        for number in range(3000):
            fake = b"\x02\x66" + number.to_bytes(4, "big")
            wire.sock.send(
                b"\xff" * 6 + wire.mac + b"\x08\x06"
                + b"\0\x01\x08\0\x06\x04\0\x01" + fake
                + bytes([203, 0, 113, 100 + number % 100])
                + b"\0" * 6 + us)
        self.assert_two_way(call, 0.5)

    def test_every_broken_frame_has_its_verdict(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        heard = len(call.callee.heard)
        target = frames.mac(self.mac)
        wire = Wire(self.town.mallory, "eth0")
        self.addCleanup(wire.close)
        port = call.caller.remote[1]
        voice = rtp.pack(b"z" * 160, 1, 160, 7)
        good = frames.udp(call.caller.port, port, voice)
        source, us = call.caller.address, town.PUBLIC4

        def v4(**changes):
            return frames.ipv4(source, us, good, **changes)

        extension = bytes([17, 0, 1, 4, 0, 0, 0, 0])
        for verdict, packet in (
                ("bad_sum", v4(sum_error=0x1111)),
                ("ip_options", v4(options=b"\x01\x01\x01\x00")),
                ("ip_options", frames.ipv6(town.ALICE6, town.PUBLIC6,
                                           extension + good,
                                           next_header=60)),
                ("fragment", frames.ipv6(town.ALICE6, town.PUBLIC6,
                                         bytes([17, 0, 0, 1, 0, 0, 0, 9])
                                         + good, next_header=44)),
                ("bad_frame", v4(length=1400)),
                ("bad_frame", v4(length=10)),
                ("bad_frame", v4()[:24]),
                ("bad_frame", frames.ipv4(source, us, frames.udp(
                    1, port, voice, length=4))),
                ("bad_frame", frames.ipv4(source, us, frames.udp(
                    1, port, voice, length=900))),
                ("not_ours", frames.ipv4(source, "203.0.113.77", good)),
                ("not_ours", v4(protocol=132)),
                ("no_flow", frames.ipv4(source, us, frames.udp(
                    1, 30998, voice)))):
            with self.subTest(verdict=verdict, length=len(packet),
                              start=packet[:10].hex()):
                before = self.api.verdicts()
                for _ in range(4):
                    wire.send_ip(target, packet)
                self.run_for(0.05)
                after = self.api.verdicts()
                change = {name: after[name] - before[name] for name in after
                          if after[name] != before[name]}
                self.assertEqual(change.get(verdict), 4, change)
        self.assertEqual(len(call.callee.heard), heard)
        self.assert_two_way(call, 0.2)


class AnotherDevice(Dedicated):
    """Any device string of DPDK's: here the one on libpcap, which, unlike
    af_packet, does not have fragments put together by the kernel first."""

    realm_changes = {"public": dict(
        Dedicated.realm_changes["public"],
        device="net_pcap0,rx_iface_in=pub0,tx_iface=pub0")}

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.mac = "02:70:63:61:70:00"  # it has one of its own

    def test_fragments_have_their_verdict(self):
        port = self.call().connect().caller.remote[1]
        target = frames.mac(self.mac)
        wire = Wire(self.town.mallory, "eth0")
        self.addCleanup(wire.close)
        before = self.api.verdicts()["fragment"]
        good = frames.udp(4000, port, rtp.pack(b"z" * 160, 1, 160, 7))
        for fragment in (0x2000, 10, 0x2000 | 20):
            wire.send_ip(target, frames.ipv4(
                town.ALICE4, town.PUBLIC4, good, fragment=fragment))
        self.run_for(0.1)
        self.assertEqual(self.api.verdicts()["fragment"] - before, 3)


class VlanRealm(RelayCase):
    """The core side of the relay is VLAN 120 of its link."""

    @classmethod
    def prepare(cls):
        lab = cls.town.lab
        dedicate(cls.town.core, "core0")
        cls.town.core.ip("link del dev core0")
        trunk = lab.namespace("trunk")
        lab.link(cls.town.core, "core0", trunk, "up0")
        lab.plug(cls.town.inner, trunk, "acc0")
        for interface in ("up0", "acc0"):
            trunk.sysctl(**{
                f"net__ipv6__conf__{interface}__disable_ipv6": 1})
        dedicate(cls.town.core, "core0")
        cls.tagger = Tagger(lab, trunk, "up0", "acc0", 120)

    @classmethod
    def realms(cls):
        public, _ = town.realms()
        return [public, {
            "name": "core", "device": "net_af_packet0,iface=core0",
            "vlan": 120, "ports": "20000-20999",
            "addresses": [f"{town.CORE4}/24", f"{town.CORE6}/64"]}]

    def test_two_way_audio_through_the_vlan(self):
        before = self.tagger.untagged
        call = self.call().connect()
        self.assert_two_way(call)
        self.assertGreaterEqual(self.tagger.untagged - before,
                                len(call.caller.sent))

    def test_two_way_audio_through_the_vlan_over_ipv6(self):
        call = self.call(callee=self.phone("callee", town.CALLEE6))
        call.offer(address_family="IP6")
        call.answer()
        self.assert_two_way(call)

    def test_ping_is_answered_in_the_vlan(self):
        self.town.callee.run("ping", "-q", "-c", "2", "-i", "0.1", "-W", "1",
                             town.CORE4)


class SameAddressTwice(RelayCase):
    """Both realms are 10.1.1.1 and both phones 10.1.1.20, on two NICs."""

    @classmethod
    def setUpClass(cls):
        lab = Lab()
        cls.addClassCleanup(lab.close)
        core = lab.namespace("core")
        for side in ("left", "right"):
            ns = lab.namespace(side)
            lab.link(core, side, ns, "eth0")
            lab.address(ns, "eth0", "10.1.1.20/24")
            dedicate(core, side)
        cls.town = _TwoHosts(lab, core)
        cls.relay = Relay(lab, core, [
            {"name": side, "device": f"net_af_packet{number},iface={side}",
             "addresses": ["10.1.1.1/24"], "ports": "30000-30199"}
            for number, side in enumerate(("left", "right"))])
        cls.api = cls.relay.api
        cls.addClassCleanup(cls._stop)

    def test_two_way_audio(self):
        for _ in range(3):
            call = self.call(self.phone("left"), self.phone("right"),
                             from_realm="left", to_realm="right").connect()
            self.assert_two_way(call, 0.5)

    def test_a_ping_from_each_side(self):
        for side in ("left", "right"):
            self.town.lab.namespaces[side].run(
                "ping", "-q", "-c", "2", "-i", "0.1", "-W", "1", "10.1.1.1")


class _TwoHosts:
    def __init__(self, lab, core):
        self.lab, self.core = lab, core
        self.loop = town.Loop()
        lab.on_close(self.loop.close)

    def phone(self, where, address=None, **options):
        return town.Phone(self.loop, self.lab.namespaces[where],
                          address or "10.1.1.20", **options)


class NeighbourChanges(RelayCase):
    """The kernel's routes and neighbours are followed while media flows."""

    def test_a_changed_hardware_address_is_followed(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.3)
        self.town.alice.ip("link set dev eth0 down",
                           "link set dev eth0 address 02:77:00:00:00:01",
                           "link set dev eth0 up")
        self.town.lab.address(self.town.alice, "eth0",
                              f"{town.ALICE6}/64")
        end = time.monotonic() + 3
        self.town.alice.run("ping", "-q", "-c", "1", "-W", "1", town.PUBLIC4)
        call.callee.talk()
        start = len(call.caller.heard)
        while time.monotonic() < end and len(call.caller.heard) == start:
            self.run_for(0.1)
        call.callee.mute()
        self.run_for(DRAIN_S)
        self.assertGreater(len(call.caller.heard), start,
                           "audio finds the new hardware address")
        self.assert_two_way(call, 0.3)

    def test_a_changed_route_is_followed(self):
        """A far phone behind mallory's host, later behind alice's."""
        lab, core = self.town.lab, self.town.core
        routers = self.town.mallory, self.town.alice
        far = lab.namespace("far")
        for number, router in enumerate(routers):
            lab.link(router, "far0", far, f"eth{number}")
            lab.address(router, "far0", f"10.77.{number}.1/24")
            lab.address(far, f"eth{number}", f"10.77.{number}.2/24")
            router.sysctl(net__ipv4__ip_forward=1)
            router.ip(f"route add {FAR4} via 10.77.{number}.2")
        lab.address(far, "eth0", f"{FAR4}/32")
        far.ip("route add default via 10.77.0.1")
        core.ip(f"route add {FAR4} via {town.MALLORY4}")
        call = self.call(self.phone("far", FAR4)).connect()
        self.assert_two_way(call, 0.3)
        self.assertLess(self._forwarded(routers[1]), 8)  # ND has a few
        core.ip(f"route replace {FAR4} via {town.ALICE4}")
        self.run_for(0.3)
        before = [self._forwarded(each) for each in routers]
        self.assert_two_way(call, 0.3)
        after = [self._forwarded(each) for each in routers]
        self.assertLess(after[0] - before[0], 8)
        self.assertGreaterEqual(after[1] - before[1], 15)

    @staticmethod
    def _forwarded(router):
        """Packets that @router sent on to the far phone."""
        for line in router.read("/proc/thread-self/net/dev").splitlines():
            name, _, counts = line.partition(":")
            if name.strip() == "far0":
                return int(counts.split()[9])
        return 0
