"""What the reference says of a schema: its fields as a table, its type and bounds in words, an example."""

import json
from collections.abc import Iterator, Mapping
from html import escape

from infra.local.examples import DEPTH, Json, contents_of, example, resolve
from infra.local.markup import both, head, table_of, text_of

# In both languages, chosen by index.
_LIMITS = {
    "minimum": ("≥ {}", "≥ {}"),
    "maximum": ("≤ {}", "≤ {}"),
    "minLength": ("{} or more characters", "至少 {} 个字符"),
    "maxLength": ("at most {} characters", "最多 {} 个字符"),
    "minItems": ("{} or more items", "至少 {} 项"),
    "maxItems": ("at most {} items", "最多 {} 项"),
    "pattern": ("pattern {}", "格式 {}"),
    "format": ("{}", "{}"),
}
_NOT_EMPTY = ("not empty", "不能为空")
_OR = (" or ", " 或 ")
_ARRAY = ("array of {}", "{} 的数组")
_OBJECT = ("object of {}", "值为 {} 的对象")


def body_of(document: Mapping[str, Json], title: str, holder: Json, *, shown: bool = True, opened: bool = False) -> str:
    """Fields of a body under a title in HTML, with an example if it is `shown`."""
    if not holder:
        return ""
    contents = contents_of(document, holder)
    if not contents:
        return f"<p>{title}</p>"
    return "".join(
        _content(document, title, kind, media, shown=shown or place > 0, opened=opened and place == 0)
        for place, (kind, media) in enumerate(contents)
    )


def _content(
    document: Mapping[str, Json], title: str, kind: str, media: Mapping[str, Json], *, shown: bool, opened: bool
) -> str:
    schema = media.get("schema") or {}
    rows = list(_rows(document, schema, "", 0))
    table = table_of(head(("Field", "字段"), ("Type", "类型"), ("", "")), rows) if rows else ""
    about = "" if rows else text_of(resolve(document, schema).get("description", ""))
    value = example(document, schema, media)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return (
        f"<details{' open' if opened else ''}><summary>{title} <span class=quiet>{escape(kind)}</span></summary>"
        f"{about}{table}{f'<pre>{escape(text)}</pre>' if shown else ''}</details>"
    )


def _rows(document: Mapping[str, Json], schema: Json, prefix: str, depth: int) -> Iterator[str]:
    schema = resolve(document, schema)
    if depth > DEPTH:
        return
    if schema.get("items"):
        yield from _rows(document, schema["items"], f"{prefix}[]", depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        options = schema.get(key) or []
        forms = [resolve(document, option) for option in options]
        several = key != "allOf" and sum("properties" in form for form in forms) > 1
        for option, form in zip(options, forms, strict=True):
            if several and "properties" in form:
                named = (
                    f"{escape(str(form.get('title', 'or')))}</th><th></th><th>{text_of(form.get('description', ''))}"
                )
                yield f"<tr><th>{named}</th></tr>"
            yield from _rows(document, option, prefix, depth + 1)
    required = schema.get("required") or []
    for name, inner in (schema.get("properties") or {}).items():
        target = resolve(document, inner)
        label = f"{prefix}.{name}" if prefix else name
        yield (
            f"<tr><td><code>{escape(label)}</code></td><td>{kind_of(document, inner)}"
            f"{'' if name in required else both(', optional', '，可选')}</td>"
            f"<td>{text_of(inner.get('description') or _about(document, target))}</td></tr>"
        )
        yield from _rows(document, target, label, depth + 1)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _rows(document, schema["additionalProperties"], f"{prefix}.*", depth + 1)


def _about(document: Mapping[str, Json], schema: Mapping[str, Json]) -> str:
    """The description of a field, or of its items."""
    if schema.get("description"):
        return str(schema["description"])
    held = [schema.get("items"), schema.get("additionalProperties"), *(schema.get("anyOf") or [])]
    return next(
        (text for value in held if isinstance(value, dict) and (text := _about(document, resolve(document, value)))), ""
    )


def kind_of(document: Mapping[str, Json], schema: Json) -> str:
    return both(_kind_in(document, schema, 0), _kind_in(document, schema, 1))


def _kind_in(document: Mapping[str, Json], schema: Json, language: int) -> str:
    schema = resolve(document, schema)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return _OR[language].join(_kind_in(document, option, language) for option in options)
    if schema.get("enum") or "const" in schema:
        choices = schema.get("enum") or [schema["const"]]
        return escape(" | ".join(json.dumps(value, ensure_ascii=False) for value in choices))
    kind = schema.get("type", "object" if "properties" in schema else "any")
    kinds = []
    for name in kind if isinstance(kind, list) else [kind]:
        if name == "array":
            kinds.append(_ARRAY[language].format(_kind_in(document, schema.get("items") or {}, language)))
        elif name == "object" and isinstance(schema.get("additionalProperties"), dict):
            kinds.append(_OBJECT[language].format(_kind_in(document, schema["additionalProperties"], language)))
        else:
            kinds.append(escape(str(name)))
    return _OR[language].join(kinds) + _limits(schema, language)


def _limits(schema: Mapping[str, Json], language: int) -> str:
    limits = [
        (_NOT_EMPTY if (key, schema[key]) == ("minLength", 1) else text)[language].format(schema[key])
        for key, text in _LIMITS.items()
        if key in schema
    ]
    if isinstance(schema.get("default"), str | int) and schema["default"] != "":
        default = json.dumps(schema["default"], ensure_ascii=False)
        limits.append(("{} if left out", "缺省为 {}")[language].format(default))
    return "".join(f"{(', ', '，')[language]}{escape(text)}" for text in limits)


def field_names(document: Mapping[str, Json], schema: Json, depth: int) -> Iterator[str]:
    schema = resolve(document, schema)
    if depth > DEPTH or not isinstance(schema, Mapping):
        return
    for name, inner in (schema.get("properties") or {}).items():
        yield name
        yield from field_names(document, inner, depth + 1)
    for inner in (
        schema.get("items"),
        schema.get("additionalProperties"),
        *(option for key in ("anyOf", "oneOf", "allOf") for option in schema.get(key) or []),
    ):
        yield from field_names(document, inner, depth + 1)
