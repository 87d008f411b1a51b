# SPDX-License-Identifier: BSD-3-Clause
"""A web server for the relay's webhook."""

import http.server
import json
import socket
import threading
import time

HOOK_PORT = 9099


class Hook:
    """A web server in the relay's namespace. @answers are the statuses of
    the next requests; then it is 204. @delay_s passes before each reply."""

    def __init__(self, ns):
        self.ns = ns
        self.events = []  # (status that was sent, body)
        self.answers = []
        self.delay_s = 0
        self.server = None
        self.connections = set()

    def open(self):
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                hook.connections.add(self.connection)

            def finish(self):
                hook.connections.discard(self.connection)
                super().finish()

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(size))
                time.sleep(hook.delay_s)
                status = hook.answers.pop(0) if hook.answers else 204
                hook.events.append((status, body, dict(self.headers)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:8080/")
                self.end_headers()

            def log_message(self, *_):
                pass

        listener = self.ns.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", HOOK_PORT))
        listener.listen(16)
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", HOOK_PORT), Handler, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = listener
        self.server.daemon_threads = True
        # A client that went away in the meantime is what some tests want.
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever,
                         kwargs={"poll_interval": 0.02},
                         daemon=True).start()

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        for connection in list(self.connections):
            connection.shutdown(socket.SHUT_RDWR)

    def of(self, call, event="call_end"):
        return [(status, body) for status, body, _ in list(self.events)
                if body["call_id"] == call.call_id and body["event"] == event]
