# SPDX-License-Identifier: BSD-3-Clause
"""The daemon's own manners: options, configuration, rights, starting over."""

import os
import re
import signal
import socket
import unittest
import unittest.mock
from pathlib import Path

from lab import town
from lab.case import RelayCase
from lab.netns import Lab
from lab.relay import Relay, binary, once, yaml

EXAMPLE = """\
control:
  http: 127.0.0.1:8080          # JSON API, /metrics, /healthz
  ng: [127.0.0.1:2223]          # rtpengine-compatible, UDP
  token_file: {token}
dataplane:
  workers: 1                    # number of cores, or a list of CPU ids
  hugepages: false
  idle: sleep                   # sleep | busy
  max_calls: 20000
realms:
  - name: public
    interface: eth0
    addresses: [203.0.113.10, "2001:db8::10"]
    advertise: [198.51.100.7]
    ports: 30000-39999
    latch: restricted
  - name: core
    device: "net_memif0,role=server,id=0,socket={socket}"
    vlan: 120
    addresses: [10.0.0.10/24]
    gateway: 10.0.0.1
    ports: 20000-29999
timeouts: {{media_s: 60, hold_s: 3600, offer_s: 300, delete_delay_s: 5}}
"""
NEEDED = "net_admin", "net_raw", "bpf", "ipc_lock"


def as_nobody(*capabilities):
    """A wrapper that leaves root behind, but for @capabilities."""
    names = ",".join(["-all"] + [f"+{each}" for each in capabilities])
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            f"--inh-caps={names}", f"--ambient-caps={names}",
            f"--bounding-set={names}", "--no-new-privs"]


class Configuration(unittest.TestCase):
    """A host with eth0, and what --check says of files."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab = Lab()
        cls.addClassCleanup(lab.close)
        cls.host = lab.namespace("host")
        other = lab.namespace("other")
        lab.link(cls.host, "eth0", other, "eth0")
        lab.address(cls.host, "eth0", "203.0.113.10/24", "2001:db8::10/64")
        cls.host.ip("route add default via 203.0.113.1")
        cls.token = lab.path("token")
        Path(cls.token).write_text("0123456789abcdef0123\n",
                                   encoding="ascii")
        os.chmod(cls.token, 0o600)
        cls.example = EXAMPLE.format(token=cls.token,
                                     socket=lab.path("core.sock"))

    def check(self, text):
        path = Path(self.lab.path("check.yaml"))
        path.write_text(text, encoding="utf-8")
        return once(self.host, "--check", "--config", str(path))

    def with_xdp(self, text):
        built = Path(binary()).parents[1] / "dataplane/xdp_filter.bpf.o"
        return text.replace("dataplane:\n",
                            f"dataplane:\n  xdp_program: {built}\n")

    def test_version_and_help(self):
        for option, word in (("--version", "sallyport 0."),
                             ("--help", "--config")):
            status, said = once(self.host, option)
            self.assertEqual(status, 0)
            self.assertIn(word, said)

    def test_an_unknown_option_is_an_error(self):
        status, said = once(self.host, "--confg", "x")
        self.assertNotEqual(status, 0)
        self.assertIn("confg", said)

    def test_the_documented_shape_is_accepted(self):
        status, said = self.check(self.with_xdp(self.example))
        self.assertEqual((status, said.strip().count("error")), (0, 0), said)

    def test_the_documented_shape_starts(self):
        path = Path(self.lab.path("start.yaml"))
        path.write_text(self.with_xdp(self.example), encoding="utf-8")
        relay = Relay(self.lab, self.host, [], token="0123456789abcdef0123",
                      start=False)
        relay.command = lambda: [binary(), "--config", str(path)]
        relay.start()
        self.assertEqual(relay.stop(), [])

    def test_every_mistake_names_line_key_and_cure(self):
        good = self.with_xdp(self.example)
        for old, new, words in (
                ("max_calls", "max_cals", ("max_cals", "max_calls")),
                ("idle: sleep ", "idle: slep ", ("idle",)),
                ("idle: sleep ", "srtp: ipsecmb #", ("srtp", "ipsec-mb")),
                ("latch: restricted", "require_srtp: 1",
                 ("require_srtp",)),
                ("workers: 1 ", "workers: 0 ", ("workers",)),
                ("http: 127.0.0.1:8080", "http: 127.0.0.1", ("http",)),
                ("interface: eth0", "interface: eth7", ("eth7",)),
                ("203.0.113.10,", "203.0.113.11,", ("addresses",)),
                ("203.0.113.10,", "203.0.113.10.1,", ("addresses",)),
                ("ports: 30000-39999", "ports: 39999-30000", ("ports",)),
                ("ports: 30000-39999", "ports: 30000-70000", ("ports",)),
                ("latch: restricted", "latch: restrictd", ("latch",)),
                ("vlan: 120", "vlan: 5000", ("vlan",)),
                ("gateway: 10.0.0.1\n", "gateway: 10.9.9.1\n", ("gateway",)),
                ("name: core", "name: public", ("name",)),
                ("media_s: 60", "media_s: sixty", ("media_s",)),
                ("  - name: public", "  - nme: public", ("nme",)),
                ("realms:", "realms: [", ())):
            with self.subTest(change=new):
                self.assertIn(old, good)
                status, said = self.check(good.replace(old, new, 1))
                self.assertNotIn(status, (0, None), said)
                lines = [each for each in said.splitlines() if each.strip()]
                self.assertEqual(len(lines), 1, said)
                self.assertRegex(lines[0], r"check\.yaml:\d+")
                for word in words:
                    self.assertIn(word, lines[0])

    def test_http_off_loopback_needs_a_token(self):
        text = self.with_xdp(self.example).replace(
            "127.0.0.1:8080", "203.0.113.10:8080").replace(
            f"  token_file: {self.token}\n", "")
        status, said = self.check(text)
        self.assertNotIn(status, (0, None))
        self.assertIn("token_file", said)

    def test_files_that_are_none(self):
        for text in ("", "\0\0", "[]", "x", "realms: 7\n", "- a\n- b\n",
                     "a: &a [*a]\n", "realms:\n" + " - name: x\n" * 40,
                     "x: " + "[" * 1000):
            with self.subTest(text=text[:20]):
                status, said = self.check(text)
                self.assertIn(status, (0, 1, 2), said)
                self.assertNotIn("Sanitizer", said)
        status, said = once(self.host, "--config", self.lab.path("absent"))
        self.assertNotIn(status, (0, None))
        self.assertIn("absent", said)

    def test_missing_rights_are_named(self):
        for missing in ("net_admin", "net_raw"):
            with self.subTest(missing=missing):
                path = Path(self.lab.path("rights.yaml"))
                path.write_text(yaml({"realms": [town.realms()[0] | {
                    "interface": "eth0", "addresses": ["203.0.113.10"]}]}),
                    encoding="utf-8")
                os.chmod(self.lab.folder.name, 0o755)
                status, said = once(
                    self.host, "--config", str(path), wrapper=as_nobody(
                        *(each for each in NEEDED if each != missing)))
                self.assertNotIn(status, (0, None), said)
                self.assertIn(missing, said.lower())


class WithoutAFile(RelayCase):
    """One realm on the interface of the default route."""

    @classmethod
    def setUpClass(cls):
        cls.town = town.Town()
        cls.addClassCleanup(cls.town.close)
        cls.town.core.ip(f"route add default via {town.ALICE4}")
        cls.relay = Relay(cls.town.lab, cls.town.core, [], start=False)
        cls.relay.command = lambda: [cls.relay.binary]
        cls.relay.start()
        cls.api = cls.relay.api
        cls.addClassCleanup(cls._stop)

    def test_two_parties_of_one_network_talk(self):
        call = self.call(self.phone("alice"), self.phone("mallory"),
                         from_realm="default", to_realm="default").connect()
        self.assertIn(call.media()[0].port, range(30000, 40000))
        self.assert_two_way(call, 0.5)

    def test_a_slower_driver_is_said(self):
        """Not installed, it may have no XDP program: then it says so."""
        if self.relay.drivers()["default"] != "af_xdp":
            self.assertEqual(self.relay.drivers()["default"], "af_packet")
            self.assertRegex(self.relay.log(), r"warning.*(AF_XDP|af_xdp)")


    def test_the_srtp_engine_and_its_cost_are_said(self):
        said = re.search(r" info srtp engine=(\S+) library=(\"[^\"]+\"|\S+) "
                         r"protect_ns=(\d+) unprotect_ns=(\d+) "
                         r"legs_a_worker=(\d+)", self.relay.log())
        self.assertTrue(said, self.relay.log())
        self.assertTrue(all(int(each) > 0 for each in said.groups()[2:]))
        metrics = self.api.metrics()
        self.assertEqual(1, metrics["sallyport_srtp_engine_info", (
            ("engine", said.group(1)),
            ("library", said.group(2).strip('"')))])
        self.assertEqual(int(said.group(5)),
                         metrics["sallyport_srtp_legs_max", ()])
        self.assertEqual(int(said.group(3)), round(1e9 * metrics[
            "sallyport_srtp_packet_seconds", (("work", "protect"),)]))


class LittleRights(RelayCase):
    """Another user, with the capabilities of the unit file and no more."""

    options = {"wrapper": as_nobody(*NEEDED)}

    @classmethod
    def prepare(cls):
        os.chmod(cls.town.lab.folder.name, 0o755)

    def test_two_way_audio(self):
        self.assert_two_way(self.call().connect(), 0.5)

    def test_it_is_not_root(self):
        status = Path(f"/proc/{self.relay.process.pid}/status").read_text(
            encoding="ascii")
        self.assertIn("Uid:\t65534\t65534", status)

    def test_no_core_file_and_no_peeping(self):
        """The kernel gives /proc/PID to root, of a process that is not to
        be dumped; other processes of its user can't read its memory."""
        process = Path(f"/proc/{self.relay.process.pid}")
        for name in ("mem", "environ", "maps"):
            self.assertEqual((process / name).stat().st_uid, 0)
        self.assertRegex((process / "limits").read_text(encoding="ascii"),
                         r"Max core file size +0 +0 ")


class StartingOver(RelayCase):
    def test_a_killed_daemon_leaves_nothing_in_the_way(self):
        self.relay.process.send_signal(signal.SIGKILL)
        self.relay.process.wait()
        self.relay.start()
        self.assert_two_way(self.call().connect(), 0.4)

    def test_a_stopped_dpdk_process_is_not_waited_for(self):
        """It holds DPDK's telemetry socket, and takes no more calls."""
        folder = Path(self.town.lab.path("run"))
        path = folder / "dpdk/sallyport/dpdk_telemetry.v2"
        path.parent.mkdir(parents=True)
        stopped, callers = socket.socket(
            socket.AF_UNIX, socket.SOCK_SEQPACKET), []
        self.addCleanup(stopped.close)
        stopped.bind(str(path))
        stopped.listen(0)
        with self.assertRaises(BlockingIOError):
            for _ in range(100):
                callers.append(socket.socket(socket.AF_UNIX,
                                             socket.SOCK_SEQPACKET))
                self.addCleanup(callers[-1].close)
                callers[-1].setblocking(False)
                callers[-1].connect(str(path))
        self.assertEqual(self.relay.stop(), [])
        with unittest.mock.patch.dict(os.environ,
                                      RUNTIME_DIRECTORY=str(folder)):
            self.relay.start()
        self.assert_two_way(self.call().connect(), 0.2)

    def test_a_second_one_is_refused_and_harms_nothing(self):
        call = self.call().connect()
        self.assert_two_way(call, 0.2)
        status, said = once(self.town.core, "--config",
                            self.relay.config_path)
        self.assertNotIn(status, (0, None), said)
        self.assert_two_way(call, 0.4)

    def test_an_interrupt_is_a_clean_stop_too(self):
        self.relay.process.send_signal(signal.SIGINT)
        self.assertEqual(self.relay.process.wait(10), 0)
        self.assertEqual(self.relay.log_complaints(), [])
        self.relay.start()
        self.assert_two_way(self.call().connect(), 0.3)
