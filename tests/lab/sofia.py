# SPDX-License-Identifier: BSD-3-Clause
"""The SDP parser of Sofia-SIP, the library of many phones and switches: a
second opinion on what the relay writes (SEC-35)."""

import ctypes

from . import sdp

LIBRARY = "libsofia-sip-ua.so.0"
STRICT = 1 << 0  # sdp_f_strict of sofia-sip/sdp.h
ROOM = 1 << 17

_library = None


def _load():
    global _library
    if _library is None:
        _library = ctypes.CDLL(LIBRARY)
        for name, result, arguments in (
                ("sdp_parse", ctypes.c_void_p,
                 (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ssize_t,
                  ctypes.c_int)),
                ("sdp_parsing_error", ctypes.c_char_p, (ctypes.c_void_p,)),
                ("sdp_session", ctypes.c_void_p, (ctypes.c_void_p,)),
                ("sdp_parser_free", None, (ctypes.c_void_p,)),
                ("sdp_print", ctypes.c_void_p,
                 (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p,
                  ctypes.c_ssize_t, ctypes.c_int)),
                ("sdp_message", ctypes.c_char_p, (ctypes.c_void_p,)),
                ("sdp_printer_free", None, (ctypes.c_void_p,))):
            function = getattr(_library, name)
            function.restype, function.argtypes = result, arguments
    return _library


def reprint(text):
    """@text as Sofia-SIP understood it, in its own words; ValueError with
    its complaint when it did not."""
    library = _load()
    data = text.encode()
    parser = library.sdp_parse(None, data, len(data), STRICT)
    try:
        complaint = library.sdp_parsing_error(parser)
        if complaint:
            raise ValueError(complaint.decode())
        printer = library.sdp_print(None, library.sdp_session(parser), None,
                                    ROOM, 0)
        try:
            printed = library.sdp_message(printer)
            if printed is None:
                raise ValueError("it can't be printed again")
            return printed.decode()
        finally:
            library.sdp_printer_free(printer)
    finally:
        library.sdp_parser_free(parser)


def check(text):
    """ValueError unless Sofia-SIP and the lab's own parser read the same m=
    lines in @text."""
    theirs, ours = sdp.parse(reprint(text)), sdp.parse(text)
    if theirs != ours:
        raise ValueError(f"Sofia-SIP reads {theirs}, the lab {ours}")
