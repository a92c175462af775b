"""Renders an OpenAPI 3.1 document as one self-contained HTML page: every operation with its fields, answers and a curl
command that can be copied."""

import json
import shlex
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Json = Any
METHODS = ("get", "post", "put", "patch", "delete")
_DEPTH = 6  # schemas may refer to themselves


def render(document: Mapping[str, Json], server: str) -> str:
    """The reference's HTML, without the page around it. `server` is the address that the curl commands call."""
    info = document.get("info") or {}
    groups: dict[str, list[tuple[str, str, Mapping[str, Json]]]] = {}
    for path, method, operation in operations(document):
        tags = operation.get("tags") or [path.strip("/").split("/")[1] if path.count("/") > 1 else "other"]
        groups.setdefault(str(tags[0]), []).append((method, path, operation))
    parts = [
        f"<p>{_text(info.get('description', ''))}</p><p class=quiet>Version {escape(str(info.get('version')))}</p>"
    ]
    parts.append("<ul>")
    for group, entries in groups.items():
        links = ", ".join(
            f'<a href="#{_anchor(method, path)}"><code>{method.upper()} {escape(path)}</code></a>'
            for method, path, _ in entries
        )
        parts.append(f"<li><strong>{escape(group)}</strong>: {links}</li>")
    parts.append("</ul>")
    for group, entries in groups.items():
        parts.append(f"<h2>{escape(group)}</h2>")
        for method, path, operation in entries:
            parts.append(_operation(document, server, method, path, operation))
    for name, item in (document.get("webhooks") or {}).items():
        if name == next(iter(document["webhooks"])):
            parts.append("<h2>webhooks</h2>")
        parts += [_webhook(document, name, operation) for method, operation in item.items() if method in METHODS]
    return "".join(parts)


def operations(document: Mapping[str, Json]) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
    """Path, method and operation, in the document's order."""
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters") or []
                operation = item[method]
                yield path, method, {**operation, "parameters": [*shared, *(operation.get("parameters") or [])]}


def curl(document: Mapping[str, Json], server: str, method: str, path: str, operation: Mapping[str, Json]) -> str:
    """A command line that makes the call, with the document's own examples."""
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
    if operation.get("security", document.get("security")):
        headers.insert(0, "authorization: Bearer $TOKEN")
    lines = [f"curl -X {method.upper()} " + shlex.quote(server + address + ("?" + "&".join(query) if query else ""))]
    content = _content(document, operation.get("requestBody"))
    if content is not None:
        kind, media = content
        headers.append(f"content-type: {kind}")
        body = example(document, media.get("schema") or {}, media)
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
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
        if (found := list(_examples(document, source))) and depth <= _DEPTH:
            return found[0]
    options = next((schema[key] for key in ("anyOf", "oneOf", "allOf") if schema.get(key)), None)
    if options:
        return example(document, options[0], None, depth + 1) if depth <= _DEPTH else None
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
    if depth > _DEPTH:
        return None
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        wanted = schema.get("required") or list(properties)
        return {name: example(document, properties[name], None, depth + 1) for name in properties if name in wanted}
    if kind == "array":
        return [example(document, schema.get("items") or {}, None, depth + 1)]
    return {"integer": schema.get("minimum", 1), "number": 1, "boolean": True, "null": None}.get(str(kind), "text")


def _anchor(method: str, path: str) -> str:
    return method + "".join(letter if letter.isalnum() else "-" for letter in path)


def _text(text: str) -> str:
    """Plain text with paragraphs and `code`."""
    pieces = escape(str(text)).split("`")
    marked = "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
    return marked.replace("\n\n", "</p><p>")


def _content(document: Mapping[str, Json], holder: Json) -> tuple[str, Mapping[str, Json]] | None:
    content = (resolve(document, holder) or {}).get("content") if holder else None
    return next(iter(content.items())) if content else None


def _operation(document: Mapping[str, Json], server: str, method: str, path: str, operation: Mapping[str, Json]) -> str:
    parts = [
        f'<h3 id="{_anchor(method, path)}"><code>{method.upper()} {escape(path)}</code></h3>',
        f"<p><strong>{_text(operation.get('summary', ''))}</strong></p>",
        f"<p>{_text(operation.get('description', ''))}</p>",
    ]
    rows = []
    for entry in operation["parameters"]:
        parameter = resolve(document, entry)
        optional = "" if parameter.get("required") else ", optional"
        rows.append(
            f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(str(parameter.get('in')))}</td>"
            f"<td>{_kind(document, parameter.get('schema') or {})}{optional}</td>"
            f"<td>{_text(parameter.get('description', ''))}</td></tr>"
        )
    if rows:
        parts.append("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>" + "".join(rows) + "</table>")
    parts.append(_body(document, "Body", operation.get("requestBody")))
    parts.append(f"<pre>{escape(curl(document, server, method, path, operation))}</pre>")
    for status, entry in (operation.get("responses") or {}).items():
        answer = resolve(document, entry)
        parts.append(_body(document, f"{status} {answer.get('description', '')}", answer))
    return "".join(parts)


def _webhook(document: Mapping[str, Json], name: str, operation: Mapping[str, Json]) -> str:
    return (
        f"<h3><code>{escape(name)}</code></h3><p><strong>{_text(operation.get('summary', ''))}</strong></p>"
        f"<p>{_text(operation.get('description', ''))}</p>" + _body(document, "Body", operation.get("requestBody"))
    )


def _body(document: Mapping[str, Json], title: str, holder: Json) -> str:
    if not holder:
        return ""
    content = _content(document, holder)
    if content is None:
        return f"<p>{_text(title)}</p>"
    kind, media = content
    rows = "".join(_rows(document, media.get("schema") or {}, "", 0))
    table = f"<table><tr><th>Field</th><th>Type</th><th></th></tr>{rows}</table>" if rows else ""
    shown = example(document, media.get("schema") or {}, media)
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, indent=2)
    return (
        f"<details{' open' if title == 'Body' else ''}><summary>{_text(title)} <span class=quiet>{escape(kind)}</span>"
        f"</summary>{table}<pre>{escape(text)}</pre></details>"
    )


def _rows(document: Mapping[str, Json], schema: Json, prefix: str, depth: int) -> Iterator[str]:
    schema = resolve(document, schema)
    if depth > _DEPTH:
        return
    if schema.get("items"):
        yield from _rows(document, schema["items"], f"{prefix}[]", depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for option in schema.get(key) or []:
            yield from _rows(document, option, prefix, depth + 1)
    required = schema.get("required") or []
    for name, inner in (schema.get("properties") or {}).items():
        target = resolve(document, inner)
        label = f"{prefix}.{name}" if prefix else name
        yield (
            f"<tr><td><code>{escape(label)}</code></td><td>{_kind(document, inner)}"
            f"{'' if name in required else ', optional'}</td><td>{_text(target.get('description', ''))}</td></tr>"
        )
        yield from _rows(document, target, label, depth + 1)


_LIMITS = {
    "minimum": "≥ {}", "maximum": "≤ {}", "minLength": "at least {} characters", "maxLength": "at most {} characters",
    "minItems": "at least {} items", "maxItems": "at most {} items", "pattern": "pattern {}", "format": "{}",
}  # fmt: skip


def _kind(document: Mapping[str, Json], schema: Json) -> str:
    schema = resolve(document, schema)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(_kind(document, option) for option in options)
    if schema.get("enum"):
        return escape(" | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"]))
    kind = schema.get("type", "object" if "properties" in schema else "any")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if text == "array":
        text = f"array of {_kind(document, schema.get('items') or {})}"
        return text + _limits(schema)
    return escape(text) + _limits(schema)


def _limits(schema: Mapping[str, Json]) -> str:
    return "".join(", " + escape(text.format(schema[key])) for key, text in _LIMITS.items() if key in schema)
