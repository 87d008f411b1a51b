# SPDX-License-Identifier: BSD-3-Clause
"""The description of the API, held against a live relay: each operation is
asked from its example, and what comes back is what is described."""

import json
import urllib.parse

from lab.case import RelayCase
from lab.schema import Document

JSON = "application/json"
NO_CALL = "no-such-call"


class ApiCase(RelayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        raw = cls.api.request("GET", "/openapi.json")[2]
        cls.document = Document(json.loads(raw))

    # one exchange

    def _body(self, operation, kind=JSON):
        content = operation.get("requestBody", {}).get("content", {})
        return content.get(kind, {}).get("example")

    def _path(self, path, parameters, **others):
        for each in parameters:
            if each["in"] == "path":
                value = others.get(each["name"], each["example"])
                path = path.replace("{" + each["name"] + "}",
                                    urllib.parse.quote(value, safe=""))
        return path

    def _ask(self, method, path, body, kind=JSON):
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        headers = {"Content-Type": kind} if body is not None else {}
        return self.api.request(method.upper(), path, body, headers)

    def _check(self, operation, reply):
        """@reply has a status, a type and a body that are described."""
        status, headers, raw = reply
        name = f"{operation['operationId']} {status}"
        self.assertIn(str(status), operation["responses"], f"{name} {raw}")
        described = self.document.resolve(
            operation["responses"][str(status)])
        kind = headers.get_content_type()
        self.assertIn(kind, described["content"], name)
        value = json.loads(raw) if "json" in kind else raw.decode()
        self.assertEqual(self.document.errors(
            described["content"][kind]["schema"], value), [], name)
        for header in described.get("headers", {}):
            self.assertIn(header, headers, name)
        return value

    def _refused(self, status, operation, reply):
        self.assertEqual(reply[0], status, reply[2])
        return self._check(operation, reply)

    # the call of the examples

    def _set_up(self):
        for path in ("/v1/offer", "/v1/answer"):
            operation = self.document.tree["paths"][path]["post"]
            status, _, raw = self._ask("POST", path, self._body(operation))
            self.assertEqual(status, 200, raw)


class Described(ApiCase):
    def test_each_example_is_answered_as_described(self):
        """Drain, after which no call is taken, has a relay of its own."""
        count = 0
        for path, method, operation, parameters in \
                self.document.operations():
            if path == "/v1/drain":
                continue
            with self.subTest(operation["operationId"]):
                self._set_up()
                reply = self._ask(method, self._path(path, parameters),
                                  self._body(operation))
                self.assertEqual(reply[0], 200, reply[2])
                self._check(operation, reply)
                count += 1
        self.assertGreater(count, 15)

    def test_each_example_is_as_its_schema(self):
        count = 0
        for _, _, operation, parameters in self.document.operations():
            content = operation.get("requestBody", {}).get("content", {})
            for kind, each in content.items():
                self.assertEqual(self.document.errors(
                    each["schema"], each["example"]), [],
                    operation["operationId"])
                count += 1
        self.assertGreater(count, 9)

    def test_each_mistake_is_refused_as_described(self):
        self._set_up()
        for path, method, operation, _ in self.document.operations():
            example = self._body(operation)
            if example is None or path == "/ng":
                continue
            with self.subTest(operation["operationId"]):
                def ask(body, kind=JSON):
                    return self._ask(method, path, body, kind)
                self._refused(400, operation,
                              ask({**example, "no_such_field": 1}))
                self._refused(400, operation, ask("{"))
                self._refused(413, operation, ask(" " * 65537))
                self._refused(415, operation, ask(example, "text/plain"))
                if "sdp" in example:
                    wrong = {**example, "sdp": "v=1\r\n"}
                    self._refused(422, operation, ask(wrong))
                if "404" in operation["responses"] and \
                        operation["operationId"] != "offer":
                    other = {**example, "call_id": NO_CALL}
                    self._refused(404, operation, ask(other))

    def test_a_call_that_is_not_there_is_refused_as_described(self):
        for path, method, operation, parameters in \
                self.document.operations():
            if "{call_id}" not in path:
                continue
            for call_id, status in ((NO_CALL, 404), ("x" * 256, 400)):
                self._refused(status, operation, self._ask(
                    method, self._path(path, parameters, call_id=call_id),
                    None))

    def test_each_parameter_is_as_described(self):
        self._set_up()
        for path, method, operation, parameters in \
                self.document.operations():
            for each in parameters:
                if each["in"] != "query":
                    continue
                good = 5 if each["schema"]["type"] == "integer" else "x"
                reply = self._ask(method, f"{path}?{each['name']}={good}",
                                  None)
                self.assertEqual(reply[0], 200, reply[2])
                self._check(operation, reply)
                bad = 0 if good == 5 else "x" * 256
                self._refused(400, operation, self._ask(
                    method, f"{path}?{each['name']}={bad}", None))

    def test_ng_answers_in_both_types(self):
        operation = self.document.tree["paths"]["/ng"]["post"]
        for kind, each in operation["requestBody"]["content"].items():
            reply = self._ask("POST", "/ng", each["example"], kind)
            self.assertEqual(reply[0], 200, reply[2])
            self.assertEqual(reply[1].get_content_type(), kind)
            self._check(operation, reply)
        self._refused(400, operation, self._ask("POST", "/ng", "nonsense"))
        self._refused(415, operation, self._ask("POST", "/ng", "1 {}",
                                                "text/plain"))
        self._check(operation, self._ask("POST", "/ng", {"command": "xyz"}))

    def test_what_a_call_with_media_shows_is_described(self):
        call = self.call(label="lobby", metadata="of mine").connect()
        self.assert_two_way(call, 0.3)
        self.api.json("POST", "/v1/block_dtmf", {"call_id": call.call_id})
        for on in (True, False):
            shown = call.query()
            self.assertEqual(self.document.errors(
                {"$ref": "#/components/schemas/Call"}, shown), [])
            for party in shown["parties"]:
                line = party["media"][0]
                self.assertEqual(line["on"], on, line)
                self.assertIn("mos", line if on else line["earlier"])
                self.assertEqual(party["blocked"], ["dtmf"])
            if on:
                call.offer(call.caller.sdp(port=0, version=2), aim=False)
                call.answer(call.callee.sdp(port=0, version=2), aim=False)


class Drained(ApiCase):
    def test_a_relay_that_drains_answers_as_described(self):
        paths = self.document.tree["paths"]
        self._set_up()  # so that it has something to wait for
        reply = self._ask("POST", "/v1/drain", None)
        self.assertEqual(reply[0], 200)
        self._check(paths["/v1/drain"]["post"], reply)
        offer = paths["/v1/offer"]["post"]
        other = {**self._body(offer), "call_id": NO_CALL}
        self._refused(503, offer, self._ask("POST", "/v1/offer", other))
        self._refused(503, paths["/readyz"]["get"],
                      self._ask("GET", "/readyz", None))
