# SPDX-License-Identifier: BSD-3-Clause
"""The lab itself, without the relay: what it says is heard must be so."""

import unittest

from lab import baresip, media, rtp, sdp, speech, town
from lab.netns import Lab
from lab.vlan import Tagger


class Phones(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.town = town.Town()
        cls.addClassCleanup(cls.town.close)

    def pair(self, **options):
        talker = self.town.phone("alice", **options)
        listener = self.town.phone("mallory")
        self.addCleanup(talker.close)
        self.addCleanup(listener.close)
        talker.remote = listener.address, listener.port
        return talker, listener

    def test_a_clean_stream_is_clean(self):
        talker, listener = self.pair()
        talker.talk(0.3)
        self.town.loop.run(0.4)
        self.assertEqual(media.compare(talker, listener), [])
        self.assertEqual(len(listener.heard), 15)

    def test_pace_is_twenty_milliseconds(self):
        talker, listener = self.pair()
        talker.talk(1.0)
        self.town.loop.run(1.1)
        took = listener.heard[-1].at_ns - listener.heard[0].at_ns
        self.assertAlmostEqual(took / 1e9, 49 * rtp.FRAME_S, delta=0.03)

    def test_loss_order_damage_and_strangers_are_seen(self):
        for change, word in (
                (lambda heard: heard.pop(4), "lost"),
                (lambda heard: heard.insert(3, heard.pop(4)), "order"),
                (lambda heard: heard.append(heard[-1]), "twice"),
                (lambda heard: heard.__setitem__(2, heard[2]._replace(
                    rtp=heard[2].rtp._replace(payload=b"?" * 160))),
                 "other bytes"),
                (lambda heard: heard.append(heard[2]._replace(
                    rtp=heard[2].rtp._replace(ssrc=1))), "somebody else")):
            with self.subTest(word=word):
                talker, listener = self.pair()
                talker.talk(0.2)
                self.town.loop.run(0.25)
                change(listener.heard)
                self.assertIn(word, str(media.compare(talker, listener)))

    def test_silence_is_not_a_clean_stream(self):
        talker, listener = self.pair()
        self.assertIn("nothing was said",
                      str(media.compare(talker, listener)))

    def test_a_nat_hides_and_guards(self):
        inside = self.town.phone("lan")
        outside = self.town.phone("alice")
        self.addCleanup(inside.close)
        self.addCleanup(outside.close)
        inside.remote = outside.address, outside.port
        inside.talk(0.1)
        self.town.loop.run(0.2)
        self.assertEqual({each.source[0] for each in outside.heard},
                         {town.NAT4})
        self.assertNotIn(inside.port,
                         {each.source[1] for each in outside.heard})
        outside.remote = outside.heard[0].source
        outside.send_frame()
        outside.send_raw(b"unasked", (town.NAT4, inside.port))
        self.town.loop.run(0.1)
        self.assertEqual(len(inside.heard), 1)

    def test_the_relays_host_does_not_forward(self):
        talker = self.town.phone("alice")
        listener = self.town.phone("callee")
        self.addCleanup(talker.close)
        self.addCleanup(listener.close)
        self.town.alice.ip(f"route replace 10.0.0.0/24 via {town.PUBLIC4}")
        talker.remote = listener.address, listener.port
        talker.talk(0.1)
        self.town.loop.run(0.2)
        self.assertEqual(listener.heard, [])


class Vlans(unittest.TestCase):
    def test_a_tag_goes_on_and_off(self):
        with Lab() as lab:
            hosts = [lab.namespace(name) for name in ("left", "right")]
            trunk = [lab.namespace(name) for name in ("tag", "untag")]
            lab.link(trunk[0], "up0", trunk[1], "up0")
            taggers = []
            for host, switch, address in zip(
                    hosts, trunk, ("10.9.0.1/24", "10.9.0.2/24")):
                lab.link(host, "eth0", switch, "acc0")
                lab.address(host, "eth0", address)
                taggers.append(Tagger(lab, switch, "up0", "acc0", 120))
            hosts[0].run("ping", "-q", "-c", "2", "-i", "0.1", "-W", "1",
                         "10.9.0.2")
            self.assertGreaterEqual(taggers[0].tagged, 2)
            taggers[1].vlan = 121
            out = hosts[0].run("ping", "-q", "-c", "1", "-W", "1",
                               "10.9.0.2", check=False)
            self.assertIn("100% packet loss", out)


class Texts(unittest.TestCase):
    def test_mu_law_of_known_samples(self):
        for sample, code in ((0, 0xff), (-1, 0x7f), (32635, 0x80),
                             (-32635, 0x00), (1000, 0xce), (-1000, 0x4e)):
            self.assertEqual(speech.encode_sample(sample), code, sample)
        for code in range(256):
            sample = speech.decode_sample(code)
            self.assertEqual(speech.encode_sample(sample) | (sample == 0) << 7,
                             code | (sample == 0) << 7)

    def test_a_law_of_known_samples(self):
        for code, sample in ((0xd5, 8), (0x55, -8), (0xaa, 32256),
                             (0x2a, -32256), (0x80, 5504)):
            self.assertEqual(speech.decode_a_law(code), sample, code)
        self.assertEqual(len({speech.decode_a_law(code)
                              for code in range(256)}), 256)

    def test_frames_of_a_recording_are_counted_one_by_one(self):
        with Lab() as lab:
            said = baresip.codes("a", 20)
            baresip.write_wav(lab.path("all.wav"), said)
            self.assertEqual(baresip.heard(lab.path("all.wav"), said),
                             list(range(20)))
            noise = baresip.codes("b", 3)
            baresip.write_wav(lab.path("some.wav"),
                              noise + said[5:9] + noise + said[11:])
            self.assertEqual(baresip.heard(lab.path("some.wav"), said),
                             [*range(5, 9), *range(11, 20)])
            self.assertGreater(baresip.energy(lab.path("all.wav")), 1e6)

    def test_opinion_scores(self):
        self.assertGreater(speech.mos(0, 1, 1), 4.3)
        self.assertLess(speech.mos(0.05, 1, 1), 4.0)
        self.assertLess(speech.mos(0, 400, 1), 3.7)
        self.assertEqual(speech.mos(1, 2000, 500), 1.0)

    def test_sdp_of_rtcp_attributes(self):
        media_lines = sdp.parse(sdp.write("192.0.2.1", sdp.audio(
            4000, rtcp_port=5001, rtcp_address="192.0.2.9", mux=True)))
        self.assertEqual(media_lines[0][1:6],
                         ("192.0.2.1", 4000, "192.0.2.9", 5001, True))
