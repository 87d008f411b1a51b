# SPDX-License-Identifier: BSD-3-Clause
"""What offers and answers do to keys: again and changed, forks, early media,
transfer, OSRTP, realms that require SRTP, keys end to end."""

import re

from lab import sdp, srtp, town
from lab.case import DRAIN_S
from lab.srtp_case import AVP, SAVP, SrtpCase

GRACE_S = 5.0


def crypto(text):
    return re.findall(r"^a=crypto:.*$", text.replace("\r", ""), re.M)


class Keys(SrtpCase):
    def test_the_same_offer_gets_the_same_keys(self):
        call = self.bridge(self.srtp_phone(), self.srtp_phone("callee"))
        self.assert_burst(call)
        first = list(call.replies)
        for by in (call.caller, call.caller):
            self.connect(call, by=by)
            self.assertEqual(call.replies[-2:], first)
            self.assert_burst(call)
        self.connect(call, by=call.callee)
        ours = {keys.key for text in first for keys in srtp.read(text)}
        again = {srtp.read(call.replies[-1])[0].key}
        self.assertLessEqual(again, ours)
        self.assert_burst(call)
        self.assertEqual([len(each.receivers) for each
                          in (call.caller, call.callee)], [1, 1])

    def under(self, call, context, frames=5):
        """The caller speaks under @context; how many frames are heard."""
        caller, before = call.caller, len(call.callee.heard)
        now, caller.sender = caller.sender, context
        said = self.said(caller, frames)
        caller.sender = now
        heard = self.payloads(call.callee, before)
        self.assertIn(heard, ([], said))
        return len(heard)

    def changed_keys(self, call):
        """The caller offers other keys; its old Context."""
        old = call.caller.sender
        call.caller.new_keys()
        self.connect(call)
        self.assertIsNot(call.caller.sender, old)
        self.addCleanup(old.close)
        return old

    def test_old_keys_are_heard_until_the_new_ones_are(self):
        """SEC-26, and never again after."""
        for suite in (srtp.CM_128_80, srtp.GCM_128):
            with self.subTest(suite):
                call = self.bridge(self.srtp_phone(suites=[suite]))
                self.assert_burst(call)
                old = self.changed_keys(call)
                self.assertEqual(self.under(call, old), 5)
                new = call.caller.sender
                self.assertEqual(self.under(call, new), 5)
                self.assertEqual(self.under(call, old), 0)
                self.assertEqual(self.dropped(call)["srtp_auth"], 5)
                self.assert_burst(call)
                # A second change: the first keys of all stay dead.
                older, old = old, self.changed_keys(call)
                self.assertEqual(self.under(call, older), 0)
                self.assertEqual(self.under(call, old), 5)
                self.assert_burst(call)

    def test_old_keys_are_heard_for_five_seconds(self):
        call = self.bridge()
        self.assert_burst(call)
        old = self.changed_keys(call)
        self.assertEqual(self.under(call, old), 5)
        self.run_for(GRACE_S + 0.3)
        self.assertEqual(self.under(call, old), 0)
        self.assert_burst(call)

    def test_new_keys_of_either_side_are_not_heard(self):
        """Both talk on while keys change; nothing is lost."""
        call = self.bridge(self.srtp_phone(suites=[srtp.CM_256_80]),
                           self.srtp_phone("callee"))
        self.assert_burst(call)
        pair = call.caller, call.callee
        starts = [(len(each.sent), len(each.heard)) for each in pair]
        for each in pair:
            each.talk()
        for by in (call.caller, call.callee, call.caller):
            self.run_for(0.15)
            by.new_keys()
            self.connect(call, by=by)
        self.run_for(0.2)
        for each in pair:
            each.mute()
        self.run_for(DRAIN_S)
        for one, two in ((0, 1), (1, 0)):
            self.assert_heard(pair[one], pair[two], starts[one][0],
                              starts[two][1])

    def test_another_suite_in_a_re_offer(self):
        caller = self.srtp_phone()
        call = self.bridge(caller)
        self.assert_burst(call)
        for suite in (srtp.GCM_256, srtp.CM_128_32, srtp.CM_128_80):
            caller.suites = [suite]
            caller.new_keys()
            self.connect(call)
            self.assertEqual(caller.chosen[1], suite)
            self.assert_burst(call)

    def test_from_rtp_to_srtp_and_back(self):
        """The callee changes its protocol in offers of its own."""
        call = self.bridge(self.srtp_phone(), self.phone("callee"))
        self.assert_burst(call)
        plain, keyed = call.callee, self.srtp_phone("callee")
        for callee in (keyed, plain, keyed):
            call.callee = callee
            self.connect(call, by=callee)
            self.assertEqual(bool(crypto(call.replies[-1])),
                             callee is keyed)
            self.assert_burst(call)

    def test_transfer_to_a_new_party(self):
        """The callee's side goes on elsewhere: another phone with other
        keys, then one without, then the first again. The caller is not
        told, and its own keys stay."""
        call = self.bridge(self.srtp_phone(), self.srtp_phone("callee"))
        self.assert_burst(call)
        first = call.callee
        others = [self.srtp_phone("callee", suites=[srtp.GCM_256]),
                  self.phone("callee"), first]
        context = call.caller.receivers[0]
        for number, party in enumerate(others, 2):
            call.callee = party
            party.answering = None
            call.offer(party.offer_sdp(version=number), by=party,
                       transport=SAVP)
            call.answer(by=call.caller)
            self.assert_burst(call)
        self.assertIs(call.caller.receivers[0], context)

    def test_nothing_half_applies(self):
        """A refused re-offer changes nothing of the call."""
        call = self.bridge()
        self.assert_burst(call)
        good = call.caller.offer_sdp(version=2)
        call.caller.offering = None
        for bad in (re.sub("AES_CM_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_80",
                           good),
                    re.sub("inline:...", "inline:", good),
                    re.sub(r"a=crypto:.*\r\n", "", good)):
            self.assert_refused(422, call.offer, bad, aim=False)
            self.assert_burst(call)

    def test_an_answer_without_keys_is_refused(self):
        """And the next one is taken: ringing may go on elsewhere."""
        call = self.call(self.phone("alice"), self.srtp_phone("callee"))
        self.offer(call)
        good = call.callee.sdp()
        call.callee.offering = None
        for bad in (call.callee.sdp(lines=[]),
                    good.replace("AES_CM_128_HMAC_SHA1_80",
                                 "AES_192_CM_HMAC_SHA1_80"),
                    good.replace(SAVP, AVP).replace("a=crypto", "a=x")):
            self.assert_refused(409, call.answer, bad, aim=False)
        call.answer()
        self.assert_burst(call)

    def test_what_was_not_offered_is_not_taken(self):
        call = self.call(self.phone("alice"), self.srtp_phone("callee"))
        self.offer(call)
        keys = srtp.Keys.new(srtp.CM_128_80, tag=99)
        self.assert_refused(409, call.answer, call.callee.sdp(lines=[keys]),
                            aim=False)
        call.answer()
        self.assert_burst(call)


class Early(SrtpCase):
    def test_nothing_is_heard_before_the_keys_are_known(self):
        """The callee speaks before its answer has come: held back, not
        passed as it is. What was held is heard once there are keys."""
        for suite in (srtp.CM_128_80, srtp.GCM_128):
            with self.subTest(suite):
                call = self.call(self.phone("alice"),
                                 self.srtp_phone("callee", suites=[suite]))
                self.offer(call)
                self.said(call.callee, 10)
                self.assertEqual(call.caller.heard, [])
                call.answer()
                self.burst(call.caller, call.callee)
                self.assert_heard(call.caller, call.callee)
                heard = self.payloads(call.caller)
                self.assertGreater(len(heard), 20, "some were held")
                self.assertEqual(heard, [each.payload for each
                                         in call.callee.sent[-len(heard):]])

    def test_early_media_and_then_the_answer(self):
        """183 and 200 with the same keys, as phones do."""
        call = self.call(self.srtp_phone(), self.srtp_phone("callee"))
        self.offer(call)
        call.answer()
        start = len(call.callee.sent)
        self.burst(call.callee)
        self.assert_heard(call.callee, call.caller, start)
        offering = call.caller.offering
        reply = call.answer(aim=False)
        self.assertEqual(reply["sdp"], call.replies[-2])
        self.assertIsNone(offering)
        self.assert_burst(call)

    def fork(self, caller, *callees):
        """Offers of one INVITE to several phones, each a branch; a Call for
        each of them."""
        calls = []
        text = caller.offer_sdp()
        for number, callee in enumerate(callees):
            call = self.call(caller, callee)
            if calls:
                call.call_id = calls[0].call_id
                call.tags = calls[0].tags[0], call.tags[1]
            call.options["branch"] = f"branch-{number}"
            self.offer(call, text=text)
            calls.append(call)
        return calls

    def test_forks_with_different_suites(self):
        """One callee gives early media under one suite, another answers
        under another; the third speaks RTP."""
        for keyed in (True, False):
            with self.subTest(caller="SRTP" if keyed else "RTP"):
                caller = self.srtp_phone() if keyed else self.phone("alice")
                calls = self.fork(
                    caller,
                    self.srtp_phone("callee", suites=[srtp.CM_128_32]),
                    self.srtp_phone("callee", suites=[srtp.GCM_128]),
                    self.phone("callee"))
                ours = [each.key for call in calls for reply in call.replies
                        for each in srtp.read(reply)]
                self.assertEqual(len(ours), len(set(ours)),
                                 "each branch has keys of its own")
                lines = caller.offering if keyed else None
                for call in calls:
                    if keyed:
                        caller.offering = dict(lines)
                    del caller.heard[:], caller.sent[:]
                    call.answer()
                    self.assert_burst(call)
                calls[2].delete(to_tag=calls[2].tags[1])


class Opportunistic(SrtpCase):
    """OSRTP (RFC 8643)."""

    def osrtp_phone(self, where="alice", **options):
        return self.srtp_phone(where, protocol=AVP, **options)

    def test_offered_and_accepted(self):
        call = self.call(self.phone("alice"), self.osrtp_phone("callee"))
        self.offer(call, osrtp=["offer"])
        self.assertEqual(call.media()[0].protocol, AVP)
        self.assertTrue(crypto(call.replies[0]))
        call.answer()
        self.assertIsNotNone(call.callee.sender)
        self.assertEqual(crypto(call.replies[1]), [])
        self.assert_burst(call)
        self.connect(call, osrtp=["offer"])
        self.assert_burst(call)

    def test_offered_and_not_accepted(self):
        call = self.call(self.srtp_phone(), self.phone("callee"))
        self.offer(call, osrtp=["offer"])
        self.assertTrue(crypto(call.replies[0]))
        call.answer()
        self.assertTrue(crypto(call.replies[1]))
        self.assert_burst(call)
        self.assertEqual(call.callee.unreadable, [])

    def test_an_offer_of_it_is_accepted_when_asked(self):
        call = self.call(self.osrtp_phone(), self.phone("callee"))
        self.offer(call, osrtp=["accept"])
        self.assertEqual(crypto(call.replies[0]), [])
        call.answer()
        self.assertEqual(len(crypto(call.replies[1])), 1)
        self.assertEqual(call.media()[0].protocol, AVP)
        self.assertIsNotNone(call.caller.sender)
        self.assert_burst(call)

    def test_an_offer_of_it_is_in_the_clear_else(self):
        call = self.call(self.osrtp_phone(), self.phone("callee"))
        self.offer(call)
        call.answer()
        self.assertEqual(crypto(call.replies[0] + call.replies[1]), [])
        self.assertIsNone(call.caller.sender)
        self.assert_burst(call)


class Required(SrtpCase):
    """SEC-29: a realm that never answers in clear."""

    realm_changes = {"public": {"require_srtp": True}}

    def refused_before(self):
        return self.api.metrics()["sallyport_srtp_refused_total", ()]

    def test_offers_without_keys_are_refused(self):
        before = self.refused_before()
        plain = self.phone("alice")
        both = self.srtp_phone(protocol=AVP)
        for phone in (plain, both):
            call = self.call(phone, self.phone("callee"))
            for more in ({}, {"osrtp": ["accept"]}, {"osrtp": ["offer"]},
                         {"transport": AVP}):
                refused = self.assert_refused(422, call.offer, **more)
                self.assertIn("srtp", str(refused.problem).lower())
        self.assertEqual(self.refused_before() - before, 8)
        self.assertEqual(self.api.list()["calls"], [])

    def test_weak_lines_do_not_count(self):
        for name in ("UNENCRYPTED_SRTP", "UNAUTHENTICATED_SRTP"):
            call = self.call(self.srtp_phone(parameters=[name]),
                             self.phone("callee"))
            self.assert_refused(422, call.offer, transport=AVP)

    def test_a_call_from_there_is_srtp_all_its_life(self):
        call = self.bridge()
        self.assert_burst(call)
        mine = call.caller
        plain = sdp.write(mine.address, sdp.audio(mine.port), version=2)
        with_key = plain.rstrip() + "\r\n" + mine.own[
            srtp.CM_128_80].line() + "\r\n"
        for text in (plain, with_key):
            self.assert_refused(422, call.offer, text, aim=False)
            self.assert_refused(422, call.offer, text, aim=False,
                                osrtp=["accept"])
            self.assert_burst(call)
        self.connect(call)
        self.assert_burst(call)

    def test_what_goes_there_is_srtp_without_being_asked_for(self):
        call = self.call(self.phone("callee"), self.srtp_phone(),
                         from_realm="core", to_realm="public")
        call.offer()
        self.assertEqual(call.media()[0].protocol, SAVP)
        for lines in ([], [srtp.Keys.new(parameters=["UNENCRYPTED_SRTP"])]):
            self.assert_refused(409, call.answer,
                                call.callee.sdp(lines=lines), aim=False)
        call.callee.offering = None
        self.assert_refused(
            409, call.answer, sdp.write(call.callee.address,
                                        sdp.audio(call.callee.port)),
            aim=False)
        call.answer()
        self.assert_burst(call)
        # Its own re-offers, too.
        self.assert_refused(
            422, call.offer, sdp.write(call.callee.address, sdp.audio(
                call.callee.port)), by=call.callee, aim=False)
        self.connect(call, by=call.callee)
        self.assert_burst(call)

    def test_a_proxy_can_not_ask_for_less(self):
        call = self.call(self.phone("callee"), self.srtp_phone(),
                         from_realm="core", to_realm="public")
        self.assert_refused(422, call.offer, transport=AVP)
        self.assert_refused(422, call.offer, transport=AVP, osrtp=["offer"])
        self.assert_refused(422, call.offer, transport=SAVP, sdes=["off"])
        ng = self.ng_call(self.phone("callee"), self.srtp_phone())
        ng.realms = call.realms
        with self.assertRaises(Exception) as caught:
            ng.offer(transport_protocol=AVP)
        self.assertIn("srtp", str(caught.exception).lower())


class EndToEnd(SrtpCase):
    def test_keys_pass_only_when_asked(self):
        call = self.call(self.srtp_phone(), self.srtp_phone("callee"))
        call.offer(sdes=["pass"])
        self.assertEqual(crypto(call.replies[0]), crypto(call.last[
            call.caller]))
        call.answer(sdes=["pass"])
        self.assertEqual(crypto(call.replies[1]), crypto(call.last[
            call.callee]))
        self.assert_burst(call)

    def test_they_end_here_otherwise(self):
        call = self.bridge(self.srtp_phone(), self.srtp_phone("callee"))
        self.assert_own_keys(call)
        self.assert_burst(call)
        report = self.api.query(call.call_id)
        self.assertNotIn("inline", str(report))
        for phone in (call.caller, call.callee):
            self.assertNotIn(phone.own[srtp.CM_128_80].key.hex(),
                             str(report))

    def test_dtls_passes_and_its_crypto_lines_do_not(self):
        """UDP/TLS with a=crypto beside the fingerprint (JSSIP, browsers)."""
        prints = ("a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
                  "a=setup:actpass")
        call = self.call()
        text = sdp.write(town.ALICE4, sdp.audio(
            5004, protocol="UDP/TLS/RTP/SAVP",
            crypto=[*prints, srtp.Keys.new().line()]))
        call.offer(text, aim=False)
        self.assertIn(prints[0], call.replies[0])
        self.assertEqual(crypto(call.replies[0]), [])

