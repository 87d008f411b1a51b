# SPDX-License-Identifier: BSD-3-Clause
"""Spoken sentences as G.711, and how good a call sounded."""

import wave

from .netns import run

BIAS, CLIP = 0x84, 32635


def encode_sample(sample):
    """One 16-bit sample as mu-law (ITU-T G.711)."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), CLIP) + BIAS
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0f
    return ~(sign | exponent << 4 | mantissa) & 0xff


def decode_sample(code):
    code = ~code & 0xff
    magnitude = (((code & 0x0f) << 3) + BIAS << (code >> 4 & 7)) - BIAS
    return -magnitude if code & 0x80 else magnitude


def decode_a_law(code):
    code ^= 0x55
    magnitude = ((code & 0x0f) << 4) + 8
    exponent = code >> 4 & 7
    if exponent:
        magnitude = (magnitude + 0x100) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


_ENCODED = bytes(encode_sample(each - 0x10000 if each > 0x7fff else each)
                 for each in range(0x10000))
_DECODED = [decode_sample(each) for each in range(256)]


def say(sentence, wav, seconds, voice="en"):
    """Speak @sentence into the file @wav: 8 kHz, mono, 16 bits, repeated
    and cut to @seconds. Returns it as PCMU."""
    raw = wav + ".raw.wav"
    run("espeak-ng", "-v", voice, "-s", "150", "-w", raw, sentence)
    run("sox", raw, "-r", "8000", "-c", "1", "-b", "16", "-e",
        "signed-integer", wav, "norm", "-3", "pad", "0", "0.4",
        "repeat", "9", "trim", "0", str(seconds))
    return encode(read(wav))


def read(wav):
    with wave.open(wav, "rb") as file:
        if (file.getframerate(), file.getnchannels(),
                file.getsampwidth()) != (8000, 1, 2):
            raise ValueError(f"{wav}: not 8 kHz, mono, 16 bits")
        return file.readframes(file.getnframes())


def write(wav, pcmu):
    with wave.open(wav, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(
            each.to_bytes(2, "little", signed=True)
            for each in samples(pcmu)))


def encode(pcm):
    return bytes(_ENCODED[low | high << 8]
                 for low, high in zip(pcm[::2], pcm[1::2]))


def samples(pcmu):
    return [_DECODED[each] for each in pcmu]


def mos(loss, delay_ms, jitter_ms):
    """Opinion score of a G.711 call with concealment, by the E-model
    (ITU-T G.107). @loss is a share; @delay_ms the network's one way, to
    which the packet and a buffer of twice the jitter, at least 20 ms, add."""
    delay = delay_ms + 20 + max(20.0, 2 * jitter_ms)
    rating = 93.2 - 0.024 * delay
    if delay > 177.3:
        rating -= 0.11 * (delay - 177.3)
    percent = 100 * loss
    rating -= 95 * percent / (percent + 25.1)
    if rating <= 0:
        return 1.0
    return 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
