"""Examples of an OpenAPI document: of a schema, and of a call as a command line."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

Json = Any
METHODS = ("get", "post", "put", "patch", "delete")
DEPTH = 6  # schemas may refer to themselves
_SIGNED = """\
SECRET={secret}
ID=msg_$(date +%s) AT=$(date +%s) BODY={body}
KEY=$(printf %s "${{SECRET#whsec_}}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
SIGNATURE=$(printf %s "$ID.$AT.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)
curl -X {method} {address} \\
  -H "webhook-id: $ID" \\
  -H "webhook-timestamp: $AT" \\
  -H "webhook-signature: v1,$SIGNATURE" \\
  -H "content-type: application/json" \\
  -d "$BODY\""""
_EXAMPLE_KEY = "whsec_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4"


def operations(document: Mapping[str, Json]) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
    """Path, method and operation, in the document's order."""
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters") or []
                operation = item[method]
                yield path, method, {**operation, "parameters": [*shared, *(operation.get("parameters") or [])]}


def curl(document: Mapping[str, Json], server: str, method: str, path: str, operation: Mapping[str, Json]) -> str:
    """A command line that makes the call, with the document's own examples; a script if the call is signed."""
    address = path
    query: list[str] = []
    headers: list[str] = []
    for entry in operation["parameters"]:
        parameter = resolve(document, entry)
        value = example(document, parameter.get("schema") or {}, parameter)
        name, place = parameter["name"], parameter.get("in")
        if place == "path":
            address = address.replace("{" + name + "}", str(value))
        elif place == "query" and parameter.get("required"):
            query.append(f"{name}={value}")
        elif place == "header" and parameter.get("required"):
            headers.append(f"{name.lower()}: {value}")
    callers = [name for entry in operation.get("security", document.get("security")) or [] for name in entry]
    cookies = {
        name: scheme["name"]
        for name, scheme in document.get("components", {}).get("securitySchemes", {}).items()
        if scheme.get("in") == "cookie"
    }
    if callers and callers[0] in cookies:
        headers.insert(0, f"cookie: {cookies[callers[0]]}=$SESSION")
    elif callers:
        headers.insert(0, f"authorization: Bearer ${'KEY' if callers[0] == 'key' else 'TOKEN'}")
    lines = [f"curl -X {method.upper()} " + shlex.quote(server + address + ("?" + "&".join(query) if query else ""))]
    content = content_of(document, operation.get("requestBody"))
    if content is not None:
        kind, media = content
        headers.append(f"content-type: {kind}")
        body = example(document, media.get("schema") or {}, media)
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        if any(header.startswith("webhook-signature: ") for header in headers):
            place = shlex.quote(server + address)
            return _SIGNED.format(secret=_EXAMPLE_KEY, body=shlex.quote(text), method=method.upper(), address=place)
        lines += [f'-H "{header}"' for header in headers] + [f"-d {shlex.quote(text)}"]
    else:
        lines += [f'-H "{header}"' for header in headers]
    return " \\\n  ".join(lines)


def resolve(document: Mapping[str, Json], value: Json) -> Json:
    """`value`, or what its `$ref` points to within the document."""
    while isinstance(value, dict) and isinstance(value.get("$ref"), str) and value["$ref"].startswith("#/"):
        target: Json = document
        for part in value["$ref"][2:].split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        value = target
    return value


def example(
    document: Mapping[str, Json], schema: Json, holder: Mapping[str, Json] | None = None, depth: int = 0
) -> Json:
    """An example value: the holder's own, the schema's own, or one made from its parts."""
    schema = resolve(document, schema)
    for source in (holder or {}, schema):
        if (found := list(_examples(document, source))) and depth <= DEPTH:
            return found[0]
    options = next((schema[key] for key in ("anyOf", "oneOf", "allOf") if schema.get(key)), None)
    if options:
        return example(document, options[0], None, depth + 1) if depth <= DEPTH else None
    return _made_up(document, schema, depth)


def _examples(document: Mapping[str, Json], source: Mapping[str, Json]) -> Iterator[Json]:
    if "example" in source:
        yield source["example"]
    examples = source.get("examples") or []
    if isinstance(examples, dict):
        examples = [resolve(document, entry).get("value") for entry in examples.values()]
    yield from examples
    for key in ("default", "const"):
        if key in source:
            yield source[key]
    yield from source.get("enum") or []


def _made_up(document: Mapping[str, Json], schema: Mapping[str, Json], depth: int) -> Json:
    kind = schema.get("type")
    kind = next((entry for entry in kind if entry != "null"), None) if isinstance(kind, list) else kind
    if depth > DEPTH:
        return None
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        wanted = schema.get("required") or list(properties)
        return {name: example(document, properties[name], None, depth + 1) for name in properties if name in wanted}
    if kind == "array":
        return [example(document, schema.get("items") or {}, None, depth + 1)]
    return {"integer": schema.get("minimum", 1), "number": 1, "boolean": True, "null": None}.get(str(kind), "text")


def contents_of(document: Mapping[str, Json], holder: Json) -> list[tuple[str, Mapping[str, Json]]]:
    """Every media type of a body or an answer."""
    content = (resolve(document, holder) or {}).get("content") if holder else None
    return list(content.items()) if content else []


def content_of(document: Mapping[str, Json], holder: Json) -> tuple[str, Mapping[str, Json]] | None:
    """The first media type of a body or an answer; None without any."""
    return next(iter(contents_of(document, holder)), None)
