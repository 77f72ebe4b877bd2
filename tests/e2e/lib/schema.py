"""Checks values against the part of JSON Schema that /openapi.json uses. What it does
not know it refuses, so that no keyword is there in vain."""

import re

from served import UUID

SAID_ONLY = {"description", "example", "examples", "default", "title", "deprecated"}
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


class Schema:
    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        """Follow a $ref."""
        while "$ref" in node:
            target = self.document
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def wrong(self, schema, value, where="$"):
        """What is wrong with the value, as a list of sentences."""
        schema, found = self.resolve(schema), []
        for keyword, rule in schema.items():
            if keyword in SAID_ONLY:
                continue
            check = getattr(self, "_" + keyword, None)
            if check is None:
                found.append(f"{where}: the schema says {keyword}, which is not checked")
                continue
            found += check(rule, value, where, schema) or []
        return found

    def _type(self, rule, value, where, _):
        kinds = rule if isinstance(rule, list) else [rule]
        if not any(is_kind(value, kind) for kind in kinds):
            return [f"{where}: {value!r} is not of type {rule}"]

    def _enum(self, rule, value, where, _):
        if value not in rule:
            return [f"{where}: {value!r} is none of {rule}"]

    def _required(self, rule, value, where, _):
        if isinstance(value, dict):
            return [f"{where}: no {name}" for name in rule if name not in value]

    def _properties(self, rule, value, where, _):
        if isinstance(value, dict):
            return [each for name in rule if name in value
                    for each in self.wrong(rule[name], value[name], f"{where}.{name}")]

    def _additionalProperties(self, rule, value, where, schema):
        if isinstance(value, dict) and rule is False:
            return [f"{where}: {name} is not in the schema" for name in value
                    if name not in schema.get("properties", {})]

    def _items(self, rule, value, where, _):
        if isinstance(value, list):
            return [each for n, item in enumerate(value)
                    for each in self.wrong(rule, item, f"{where}[{n}]")]

    def _oneOf(self, rule, value, where, _):
        if sum(not self.wrong(each, value, where) for each in rule) != 1:
            return [f"{where}: {value!r} is not exactly one of the schema's {len(rule)}"]

    def _not(self, rule, value, where, _):
        if not self.wrong(rule, value, where):
            return [f"{where}: {value!r} is what the schema excludes"]

    def _pattern(self, rule, value, where, _):
        if isinstance(value, str) and not re.search(rule, value):
            return [f"{where}: {value!r} does not match {rule}"]

    def _format(self, rule, value, where, _):
        if rule == "uuid" and isinstance(value, str) and not UUID.fullmatch(value):
            return [f"{where}: {value!r} is no UUID"]

    def _minLength(self, rule, value, where, _):
        if isinstance(value, str) and len(value) < rule:
            return [f"{where}: shorter than {rule}"]

    def _maxLength(self, rule, value, where, _):
        if isinstance(value, str) and len(value) > rule:
            return [f"{where}: longer than {rule}"]

    def _minItems(self, rule, value, where, _):
        if isinstance(value, list) and len(value) < rule:
            return [f"{where}: fewer than {rule} items"]

    def _maxItems(self, rule, value, where, _):
        if isinstance(value, list) and len(value) > rule:
            return [f"{where}: more than {rule} items"]

    def _minimum(self, rule, value, where, _):
        if isinstance(value, int) and value < rule:
            return [f"{where}: {value} is less than {rule}"]

    def _maximum(self, rule, value, where, _):
        if isinstance(value, int) and value > rule:
            return [f"{where}: {value} is more than {rule}"]


def is_kind(value, kind):
    if kind in ("integer", "number"):
        numbers = int if kind == "integer" else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])
