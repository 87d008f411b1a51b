# SPDX-License-Identifier: BSD-3-Clause
"""The relay's HTTP API, called from inside its namespace."""

import http.client
import json
import re
import socket
import urllib.parse


class Refused(Exception):
    """The relay answered with a problem (RFC 9457)."""

    def __init__(self, status, problem, headers):
        super().__init__(f"{status} {problem}")
        self.status = status
        self.problem = problem
        self.headers = headers


class _Connection(http.client.HTTPConnection):
    def __init__(self, ns, host, port, timeout):
        super().__init__(host, port, timeout=timeout)
        self.ns = ns

    def connect(self):
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.sock = self.ns.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect((self.host, self.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Api:
    def __init__(self, ns, host="127.0.0.1", port=8080, timeout=10,
                 token=None):
        self.ns, self.host, self.port = ns, host, port
        self.timeout = timeout
        self.token = token

    def request(self, method, path, body=None, headers=None):
        """Status, headers and bytes of one exchange; the token is sent
        unless @headers are given."""
        if headers is None:
            headers = self._headers()
        connection = _Connection(self.ns, self.host, self.port, self.timeout)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def _headers(self, has_body=False):
        headers = {"Content-Type": "application/json"} if has_body else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def json(self, method, path, body=None):
        """The JSON that came back; Refused when it was a problem."""
        data = None if body is None else json.dumps(body)
        status, headers, raw = self.request(
            method, path, data, self._headers(data is not None))
        kind = headers.get_content_type()
        value = json.loads(raw) if raw and "json" in kind else raw.decode()
        if status >= 400:
            raise Refused(status, value, headers)
        return value

    def offer(self, **fields):
        return self.json("POST", "/v1/offer", fields)

    def answer(self, **fields):
        return self.json("POST", "/v1/answer", fields)

    def delete(self, call_id, **fields):
        return self.json("POST", "/v1/delete", {"call_id": call_id, **fields})

    def query(self, call_id):
        return self.json("GET", "/v1/calls/"
                         + urllib.parse.quote(call_id, safe=""))

    def list(self, **options):
        return self.json("GET", "/v1/calls?"
                         + urllib.parse.urlencode(options))

    def drain(self):
        return self.json("POST", "/v1/drain")

    def ready(self):
        return self.request("GET", "/readyz")[0] == 200

    def metrics(self):
        """{(name, ((label, value), ...)): number}"""
        text = self.request("GET", "/metrics")[2].decode()
        result = {}
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            found = re.fullmatch(r'([a-zA-Z_:]\w*)(?:\{(.*)\})? (\S+)', line)
            if not found:
                raise ValueError(f"not a metric: {line!r}")
            labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"',
                                             found.group(2) or "")))
            result[found.group(1), labels] = float(found.group(3))
        return result

    def received(self):
        """Packets that the NICs gave to all workers."""
        return sum(int(value) for (name, _), value in self.metrics().items()
                   if name == "sallyport_received_total")

    def verdicts(self):
        """{label: packets}, summed over workers and realms."""
        result = {}
        for (name, labels), value in self.metrics().items():
            if name == "sallyport_packets_total":
                verdict = dict(labels)["verdict"]
                result[verdict] = result.get(verdict, 0) + int(value)
        return result

    def forwarded(self):
        """{worker: packets}"""
        result = {}
        for (name, labels), value in self.metrics().items():
            labels = dict(labels)
            if (name == "sallyport_packets_total"
                    and labels["verdict"] == "forwarded"):
                worker = labels["worker"]
                result[worker] = result.get(worker, 0) + int(value)
        return result
