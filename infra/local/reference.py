"""Renders an OpenAPI 3.1 document as one self-contained HTML page: every operation with its fields, answers and a curl
command that can be copied."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

Json = Any
METHODS = ("get", "post", "put", "patch", "delete")
_DEPTH = 6  # schemas may refer to themselves
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


def render(document: Mapping[str, Json], server: str) -> str:
    """The reference's HTML, without the page around it. `server` is the address that the curl commands call."""
    info = document.get("info") or {}
    groups: dict[str, list[tuple[str, str, Mapping[str, Json]]]] = {}
    for path, method, operation in operations(document):
        tags = operation.get("tags") or [path.strip("/").split("/")[1] if path.count("/") > 1 else "other"]
        groups.setdefault(str(tags[0]), []).append((method, path, operation))
    events = [
        (name, operation)
        for name, item in (document.get("webhooks") or {}).items()
        for method, operation in item.items()
        if method in METHODS
    ]
    main = [f"{_text(info.get('description', ''))}<p class=quiet>Version {escape(str(info.get('version')))}</p>"]
    for group, entries in groups.items():
        main.append(f'<h2 id="{_anchor("group", group)}">{escape(_title(group))}</h2>')
        main += [_operation(document, server, method, path, operation) for method, path, operation in entries]
    if events:
        main.append('<h2 id="group-events">Events</h2>')
        main += [_webhook(document, name, operation) for name, operation in events]
    contents = "".join(
        f"<details><summary>{escape(_title(group))}</summary>{''.join(_link(*entry) for entry in entries)}</details>"
        for group, entries in groups.items()
    )
    if events:
        links = "".join(f'<a href="#{_anchor("event", name)}">{escape(name)}</a>' for name, _ in events)
        contents += f"<details><summary>Events</summary>{links}</details>"
    return f"<div class=reference><nav>{contents}</nav><main>{''.join(main)}</main></div>"


def _link(method: str, path: str, operation: Mapping[str, Json]) -> str:
    name = operation.get("summary") or path
    return f'<a href="#{_anchor(method, path)}" title="{method.upper()} {escape(path)}">{escape(str(name))}</a>'


def _title(group: str) -> str:
    return group[:1].upper() + group[1:].replace("-", " ")


def operations(document: Mapping[str, Json]) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
    """Path, method and operation, in the document's order."""
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters") or []
                operation = item[method]
                yield path, method, {**operation, "parameters": [*shared, *(operation.get("parameters") or [])]}


def curl(document: Mapping[str, Json], server: str, method: str, path: str, operation: Mapping[str, Json]) -> str:
    """A command line that makes the call, with the document's own examples; a script where the call is signed."""
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
    if callers:
        headers.insert(0, f"authorization: Bearer ${'KEY' if callers == ['key'] else 'TOKEN'}")
    lines = [f"curl -X {method.upper()} " + shlex.quote(server + address + ("?" + "&".join(query) if query else ""))]
    content = _content(document, operation.get("requestBody"))
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
    """Paragraphs and lists of plain text with `code`."""
    blocks = []
    for block in escape(str(text)).split("\n\n"):
        pieces = block.split("`")
        marked = "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
        if marked.startswith("- "):
            entries = "".join(f"<li>{entry}</li>" for entry in marked[2:].split("\n- "))
            blocks.append(f"<ul>{entries}</ul>")
        elif marked.strip():
            blocks.append(f"<p>{marked}</p>")
    return "".join(blocks)


def _content(document: Mapping[str, Json], holder: Json) -> tuple[str, Mapping[str, Json]] | None:
    content = (resolve(document, holder) or {}).get("content") if holder else None
    return next(iter(content.items())) if content else None


def _operation(document: Mapping[str, Json], server: str, method: str, path: str, operation: Mapping[str, Json]) -> str:
    parts = [
        f'<h3 id="{_anchor(method, path)}">{_inline(str(operation.get("summary", "")))}</h3>',
        f"<p class=path><code>{method.upper()} {escape(path)}</code>{_callers(document, operation)}</p>",
        _text(operation.get("description", "")),
    ]
    rows = []
    for entry in operation["parameters"]:
        parameter = resolve(document, entry)
        if parameter["name"] == "Accept-Language":  # every operation takes it; the introduction says so
            continue
        optional = "" if parameter.get("required") else ", optional"
        rows.append(
            f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(str(parameter.get('in')))}</td>"
            f"<td>{_kind(document, parameter.get('schema') or {})}{optional}</td>"
            f"<td>{_text(parameter.get('description', ''))}</td></tr>"
        )
    if rows:
        parts.append(_table("<th>Parameter</th><th>In</th><th>Type</th><th></th>", rows))
    parts.append(_body(document, "Body", operation.get("requestBody"), shown=False))
    parts.append(f"<pre>{escape(curl(document, server, method, path, operation))}</pre>")
    refusals = []
    for status, entry in (operation.get("responses") or {}).items():
        answer = resolve(document, entry)
        if status.startswith("2"):
            parts.append(_body(document, f"{status} {answer.get('description', '')}", answer))
        else:
            refusals.append(f"<tr><td>{status}</td><td>{_text(answer.get('description', ''))}</td></tr>")
    if refusals:
        table = _table("<th>Status</th><th>Codes</th>", refusals)
        parts.append(f"<details><summary>Refusals</summary>{table}</details>")
    return f"<section>{''.join(parts)}</section>"


def _callers(document: Mapping[str, Json], operation: Mapping[str, Json]) -> str:
    schemes = [name for entry in operation.get("security", document.get("security")) or [] for name in entry]
    return f" <span class=quiet>{escape(' or '.join(schemes))}</span>" if schemes else ""


def _webhook(document: Mapping[str, Json], name: str, operation: Mapping[str, Json]) -> str:
    return (
        f'<section><h3 id="{_anchor("event", name)}">{escape(name)}</h3>'
        f"<p>{escape(str(operation.get('summary', '')))}</p>{_text(operation.get('description', ''))}"
        f"{_body(document, 'Body', operation.get('requestBody'))}</section>"
    )


def _table(head: str, rows: Iterable[str]) -> str:
    return f"<div class=wide><table><tr>{head}</tr>{''.join(rows)}</table></div>"


def _body(document: Mapping[str, Json], title: str, holder: Json, *, shown: bool = True) -> str:
    """Fields of a body, with an example if it is `shown`."""
    if not holder:
        return ""
    content = _content(document, holder)
    if content is None:
        return f"<p>{escape(title)}</p>"
    kind, media = content
    rows = list(_rows(document, media.get("schema") or {}, "", 0))
    table = _table("<th>Field</th><th>Type</th><th></th>", rows) if rows else ""
    value = example(document, media.get("schema") or {}, media)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    opened = " open" if title == "Body" else ""
    return (
        f"<details{opened}><summary>{_inline(title)} <span class=quiet>{escape(kind)}</span></summary>"
        f"{table}{f'<pre>{escape(text)}</pre>' if shown else ''}</details>"
    )


def _inline(text: str) -> str:
    return _text(text).removeprefix("<p>").removesuffix("</p>")


def _rows(document: Mapping[str, Json], schema: Json, prefix: str, depth: int) -> Iterator[str]:
    schema = resolve(document, schema)
    if depth > _DEPTH:
        return
    if schema.get("items"):
        yield from _rows(document, schema["items"], f"{prefix}[]", depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        options = schema.get(key) or []
        forms = [resolve(document, option) for option in options]
        several = key != "allOf" and sum("properties" in form for form in forms) > 1
        for option, form in zip(options, forms, strict=True):
            if several and "properties" in form:
                named = f"{escape(str(form.get('title', 'or')))}</th><th></th><th>{_text(form.get('description', ''))}"
                yield f"<tr><th>{named}</th></tr>"
            yield from _rows(document, option, prefix, depth + 1)
    required = schema.get("required") or []
    for name, inner in (schema.get("properties") or {}).items():
        target = resolve(document, inner)
        label = f"{prefix}.{name}" if prefix else name
        yield (
            f"<tr><td><code>{escape(label)}</code></td><td>{_kind(document, inner)}"
            f"{'' if name in required else ', optional'}</td><td>{_text(_about(document, target))}</td></tr>"
        )
        yield from _rows(document, target, label, depth + 1)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _rows(document, schema["additionalProperties"], f"{prefix}.*", depth + 1)


def _about(document: Mapping[str, Json], schema: Mapping[str, Json]) -> str:
    """What is said about a field, or about the things that it holds."""
    if schema.get("description"):
        return str(schema["description"])
    held = [schema.get("items"), schema.get("additionalProperties"), *(schema.get("anyOf") or [])]
    return next(
        (text for value in held if isinstance(value, dict) and (text := _about(document, resolve(document, value)))), ""
    )


_LIMITS = {
    "minimum": "≥ {}", "maximum": "≤ {}", "minLength": "{} or more characters", "maxLength": "at most {} characters",
    "minItems": "{} or more items", "maxItems": "at most {} items", "pattern": "pattern {}", "format": "{}",
}  # fmt: skip


def _kind(document: Mapping[str, Json], schema: Json) -> str:
    schema = resolve(document, schema)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(_kind(document, option) for option in options)
    if schema.get("enum") or "const" in schema:
        choices = schema.get("enum") or [schema["const"]]
        return escape(" | ".join(json.dumps(value, ensure_ascii=False) for value in choices))
    kind = schema.get("type", "object" if "properties" in schema else "any")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if text == "array":
        text = f"array of {_kind(document, schema.get('items') or {})}"
        return text + _limits(schema)
    if isinstance(schema.get("additionalProperties"), dict):
        text = f"object of {_kind(document, schema['additionalProperties'])}"
        return text + _limits(schema)
    return escape(text) + _limits(schema)


def _limits(schema: Mapping[str, Json]) -> str:
    told = [
        "not empty" if (key, schema[key]) == ("minLength", 1) else text.format(schema[key])
        for key, text in _LIMITS.items()
        if key in schema
    ]
    if isinstance(schema.get("default"), str | int) and schema["default"] != "":
        told.append(f"{json.dumps(schema['default'], ensure_ascii=False)} if left out")
    return "".join(f", {escape(text)}" for text in told)
