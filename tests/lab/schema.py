# SPDX-License-Identifier: BSD-3-Clause
"""Values against schemas: the part of OpenAPI 3.0 that control/openapi.yaml
uses. A keyword that is not known here is an error, not a pass."""

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (isinstance(value, int)
                              and not isinstance(value, bool)),
    "number": lambda value: (isinstance(value, (int, float))
                             and not isinstance(value, bool)),
}
SILENT = {"description", "default", "example"}


class Document:
    """One description; @tree is the JSON of it."""

    def __init__(self, tree):
        self.tree = tree

    def resolve(self, node):
        while "$ref" in node:
            target = self.tree
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def operations(self):
        """(path, method, operation, parameters), as they are written."""
        for path, item in self.tree["paths"].items():
            shared = item.get("parameters", [])
            for method, operation in item.items():
                if method != "parameters":
                    yield (path, method, operation,
                           shared + operation.get("parameters", []))

    def errors(self, schema, value, where="$"):
        """What is wrong with @value, as a list of sentences."""
        schema = self.resolve(schema)
        parts = [self.resolve(part) for part in schema.get("allOf", [])]
        if value is None and schema.get("nullable"):
            return []
        found = self._own_errors(schema, value, where)
        for part in parts:
            found += self._own_errors(part, value, where)
        return found + self._unknown([schema, *parts], value, where)

    def _unknown(self, schemas, value, where):
        """Members that are not described are not there."""
        known = {}
        for schema in schemas:
            known.update(schema.get("properties", {}))
        others = [schema["additionalProperties"] for schema in schemas
                  if "additionalProperties" in schema]
        if not isinstance(value, dict) or True in others:
            return []
        found = []
        for name in value.keys() - known.keys():
            if others and others[0]:
                found += self.errors(others[0], value[name],
                                     f"{where}.{name}")
            else:
                found.append(f"{where}.{name} is not described")
        return found

    def _own_errors(self, schema, value, where):
        found = []
        for keyword, given in schema.items():
            if keyword in SILENT or keyword in (
                    "allOf", "nullable", "additionalProperties"):
                continue
            check = getattr(self, "_" + keyword, None)
            if check is None:
                raise ValueError(f"{where}: what is {keyword}?")
            found += check(given, value, where)
        return found

    def _type(self, given, value, where):
        if TYPES[given](value):
            return []
        return [f"{where} is {value!r}, not of type {given}"]

    def _enum(self, given, value, where):
        return [] if value in given else [f"{where} is {value!r}"]

    def _required(self, given, value, where):
        return [f"{where}.{name} is missing"
                for name in given if name not in value]

    def _properties(self, given, value, where):
        found = []
        for name, schema in given.items():
            if isinstance(value, dict) and name in value:
                found += self.errors(schema, value[name], f"{where}.{name}")
        return found

    def _items(self, given, value, where):
        found = []
        for index, item in enumerate(value if isinstance(value, list)
                                     else []):
            found += self.errors(given, item, f"{where}[{index}]")
        return found

    def _minLength(self, given, value, where):
        return [] if len(value) >= given else [f"{where} is too short"]

    def _maxLength(self, given, value, where):
        return [] if len(value) <= given else [f"{where} is too long"]

    _minItems, _maxItems = _minLength, _maxLength

    def _minimum(self, given, value, where):
        return [] if value >= given else [f"{where} is {value}"]

    def _maximum(self, given, value, where):
        return [] if value <= given else [f"{where} is {value}"]
