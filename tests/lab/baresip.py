# SPDX-License-Identifier: BSD-3-Clause
"""baresip, a phone with an SRTP of its own (libre's), told what to do over
TCP. It plays a file in which every frame of 20 ms differs from every other,
and records what it hears, so that frames can be counted one by one."""

import json
import random
import re
import socket
import time
import wave
from pathlib import Path

from . import rtp, speech
from .netns import LabError
from .proxy import CORE4, Program

MODULES = "/usr/lib/baresip/modules"
READY_S = 20
FRAME_BYTES = 2 * rtp.FRAME


def codes(seed, frames):
    """Noise as G.711 A-law, whole frames of it."""
    chance = random.Random(seed)
    return [chance.randbytes(rtp.FRAME) for _ in range(frames)]


def samples(frame):
    """A frame of A-law as a WAV file has it. These values are the ones that
    A-law knows: coded again, they are the same octets."""
    return b"".join(
        speech.decode_a_law(each).to_bytes(2, "little", signed=True)
        for each in frame)


def write_wav(path, frames):
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rtp.CLOCK)
        file.writeframes(b"".join(map(samples, frames)))


def heard(recording, spoken):
    """Which of the frames @spoken are in the file @recording, by number in
    the order of the recording."""
    with wave.open(str(recording), "rb") as file:
        if (file.getframerate(), file.getnchannels()) != (rtp.CLOCK, 1):
            raise LabError(f"{recording}: not 8 kHz, mono")
        data = file.readframes(file.getnframes())
    numbers = {samples(frame): number for number, frame in enumerate(spoken)}
    found = (numbers.get(data[at:at + FRAME_BYTES])
             for at in range(0, len(data), FRAME_BYTES))
    return [each for each in found if each is not None]


def energy(recording):
    """The mean square of the samples of a WAV file."""
    with wave.open(str(recording), "rb") as file:
        data = file.readframes(file.getnframes())
    values = [int.from_bytes(data[at:at + 2], "little", signed=True)
              for at in range(0, len(data) - 1, 2)]
    return sum(each * each for each in values) / max(1, len(values))


class Baresip(Program):
    """One phone: @user at @address:@port, with @encryption as baresip's
    mediaenc has it, or none. Whoever calls it is answered at once."""

    def __init__(self, network, ns, user, address, port, encryption=None,
                 seconds=15, priority=()):
        self.user, self.address, self.port = user, address, port
        self.folder = Path(network.lab.path(f"baresip-{user}"))
        self.records = self.folder / "records"
        self.records.mkdir(parents=True)
        self.spoken = codes(user, round(seconds / rtp.FRAME_S))
        write_wav(str(self.folder / "voice.wav"), self.spoken)
        self._configure(encryption)
        super().__init__(network.lab, ns, f"baresip-{user}",
                         [*priority, "baresip", "-4", "-v", "-f",
                          str(self.folder)])
        self.events = []
        self._buffer = b""
        self.control = self._connect()
        network.lab.on_close(self.control.close)

    def _configure(self, encryption):
        control = self.port + 1000
        (self.folder / "config").write_text("\n".join((
            f"sip_listen {self.address}:{self.port}",
            f"audio_source aufile,{self.folder}/voice.wav",
            "audio_player aubridge,nil", "audio_alert aubridge,nil2",
            "ausrc_srate 8000", "auplay_srate 8000", "ausrc_channels 1",
            "auplay_channels 1", "audio_buffer 40-200", "call_max_calls 4",
            f"rtp_ports {20000 + self.port % 100 * 20}-"
            f"{20018 + self.port % 100 * 20}",
            "rtp_stats yes", "rtcp_mux no", "jitter_buffer_delay 0-1",
            f"module_path {MODULES}",
            *[f"module {name}.so" for name in (
                "g711", "aufile", "aubridge", "sndfile", "srtp", "cons")],
            *[f"module_app {name}.so" for name in (
                "account", "menu", "ctrl_tcp")],
            f"ctrl_tcp_listen {self.address}:{control}",
            f"cons_listen {self.address}:{control + 1000}",
            f"snd_path {self.records}", "")))
        (self.folder / "accounts").write_text(
            f"<sip:{self.user}@{CORE4}>;regint=0;answermode=auto;"
            f"audio_codecs=PCMA;outbound=\"sip:{CORE4}\""
            + (f";mediaenc={encryption}" if encryption else "") + "\n")
        (self.folder / "contacts").write_text("")

    def _connect(self):
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self.process.poll() is None:
            sock = self.ns.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                sock.connect((self.address, self.port + 1000))
                return sock
            except OSError:
                sock.close()
                time.sleep(0.05)
        raise LabError(f"{self.name} does not start:\n{self.log()[-4000:]}")

    def command(self, command, parameters=""):
        body = json.dumps({"command": command, "params": parameters,
                           "token": "1"}).encode()
        self.control.sendall(b"%d:%s," % (len(body), body))

    def _listen(self, seconds):
        """Netstrings, each a JSON text, into `events`."""
        self.control.settimeout(max(0.01, seconds))
        try:
            data = self.control.recv(65536)
        except TimeoutError:
            return
        self._buffer += data
        while b":" in self._buffer:
            size, _, rest = self._buffer.partition(b":")
            if len(rest) <= int(size):
                return
            self.events.append(json.loads(rest[:int(size)]))
            self._buffer = rest[int(size) + 1:]

    def wait_for(self, kind, seconds=10):
        """The first event of @kind that was not waited for before."""
        end = time.monotonic() + seconds
        while True:
            for event in self.events:
                if event.get("type") == kind:
                    self.events.remove(event)
                    return event
            if time.monotonic() >= end:
                raise LabError(f"{self.name}: no {kind}, but {self.events}:\n"
                               + self.log()[-4000:])
            self._listen(end - time.monotonic())

    def dial(self, user):
        self.command("dial", f"sip:{user}@{CORE4}")

    def hang_up(self):
        self.command("hangup")

    def press(self, key):
        """A key of its console: x holds the call, X resumes it."""
        with self.ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(key, (self.address, self.port + 2000))

    def suites(self):
        """Of each SRTP that it began, as its log says."""
        mark = "cryptosuite="
        return [line.partition(mark)[2].rstrip(")\r ")
                for line in self.log().split("\n") if mark in line]

    def packets(self):
        """(sent, received) of its only call, as its log says at the end."""
        found = re.findall(r"^packets: +(\d+) +(\d+)", self.log(), re.M)
        if len(found) != 1:
            raise LabError(f"{self.name}: statistics of {len(found)} calls")
        return tuple(map(int, found[0]))

    def recording(self):
        """What it heard in its only call."""
        found = sorted(self.records.glob("*-dec.wav"))
        if len(found) != 1:
            raise LabError(f"{self.name}: recordings {found}")
        return found[0]
