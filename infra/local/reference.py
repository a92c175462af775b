"""Renders an OpenAPI 3.1 document as one self-contained HTML page, in Chinese and English: every operation with its
fields, answers, a curl command to copy and, if the API runs on the same server, a form that calls it."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape

from infra.local.examples import METHODS, Json, content_of, curl, example, operations, resolve
from infra.local.markup import anchor, both, head, inline, table_of, text_of
from infra.local.schema_tables import body_of, field_names, kind_of
from infra.local.texts import web_file

SCRIPT = web_file("reference.js")
"""The page's script: language, search, and the forms. It calls only the server that the page came from."""


def policy(style: str) -> str:
    """The content security policy of the page: this script and this style, calls to its own server, nothing else."""
    script, sheet = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (SCRIPT, style))
    return (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{sheet}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def render(
    document: Mapping[str, Json],
    server: str,
    *,
    addresses: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> str:
    """The reference's HTML, without the page around it. `server` is the address of the page.

    `addresses` are those of the document's servers; an operation's curl commands call the first of its servers in it,
    the page's own if that is among them, and `server` if there is none. With `now`, the time of the API on this server,
    every operation of the page's own server has a form that calls it.
    """
    info = document.get("info") or {}
    titles = {str(tag["name"]): tag.get("x-title") or {} for tag in document.get("tags") or []}
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
    version = f"<p class=quiet>{both('Version', '版本')} {escape(str(info.get('version')))}</p>"
    main = [f"{_first_calls(info.get('x-first-calls') or [], server)}{_about_both(info)}{version}"]
    links = []
    for group, entries in groups.items():
        title = _title(group, titles)
        sections = "".join(
            _operation(
                document,
                address,
                method,
                path,
                operation,
                title=title,
                live=now is not None and address == server,
                elsewhere=f"{address}/docs#{anchor(method, path)}" if now is not None and address != server else "",
            )
            for method, path, operation in entries
            for address in [_address(document, operation, addresses or {}, server)]
        )
        main.append(_group(document, group, title, sections))
        links.append(_contents(title, "".join(_link(*entry) for entry in entries)))
    if events:
        title = _title("events", titles)
        main.append(_group(document, "events", title, "".join(_webhook(document, *event) for event in events)))
        named = (
            f'<a href="#{anchor("event", name)}">{both(escape(name), _titles_of(operation, name)[1])}</a>'
            for name, operation in events
        )
        links.append(_contents(title, "".join(named)))
    clock = f' data-now="{now.isoformat()}"' if now else ""
    return (
        f"<div class=reference{clock}>{_BAR}<nav data-en=Contents data-zh=目录><details open>"
        f"<summary>{both('Contents', '目录')}</summary>{''.join(links)}</details></nav>"
        f"<main>{''.join(main)}</main></div><script>{SCRIPT}</script>"
    )


_BAR = (
    '<div class=bar role=search><input id=find type=search autocomplete=off spellcheck=false aria-label="Search" '
    'aria-keyshortcuts="/" data-en="Path, code or field" data-zh="路径、错误码、字段">'
    "<output id=found for=find></output>"
    '<button id=language type=button><span lang="en">中文</span><span lang="zh">English</span></button></div>'
)


def _address(
    document: Mapping[str, Json], operation: Mapping[str, Json], addresses: Mapping[str, str], own: str
) -> str:
    """The address of an operation: the page's own if possible."""
    servers = operation.get("servers") or (document.get("servers") or [])[:1]
    found = [addresses[url] for entry in servers if (url := str(entry["url"])) in addresses]
    return own if own in found or not found else found[0]


def _group(document: Mapping[str, Json], group: str, title: str, sections: str) -> str:
    tag: Mapping[str, Json] = next((tag for tag in document.get("tags") or [] if tag["name"] == group), {})
    return f'<div class=group><h2 id="{anchor("group", group)}">{title}</h2>{_about_both(tag)}{sections}</div>'


def _about_both(holder: Mapping[str, Json]) -> str:
    """The description of `holder`, in Chinese too if it has one (`x-description`)."""
    english = text_of(holder.get("description", ""))
    chinese = (holder.get("x-description") or {}).get("zh")
    return f'<div lang="en">{english}</div><div lang="zh">{text_of(chinese)}</div>' if chinese else english


def _first_calls(calls: Iterable[Mapping[str, Json]], server: str) -> str:
    """The calls to begin with, as shell lines to copy one after the other."""
    steps = [
        f"<li>{both(inline(call['title']['en']), inline(call['title']['zh']))}"
        f"<pre>{escape(call['lines'].replace('{server}', server))}</pre></li>"
        for call in calls
    ]
    title = both("First calls", "最初的几个调用")
    return f"<div class=first><h2>{title}</h2><ol>{''.join(steps)}</ol></div>" if steps else ""


def _titles_of(operation: Mapping[str, Json], otherwise: str) -> tuple[str, str]:
    """An operation's short title in English and in Chinese, as HTML."""
    known = operation.get("x-title") or {}
    english = inline(str(known.get("en") or operation.get("summary") or otherwise))
    return english, inline(str(known["zh"])) if known.get("zh") else english


def _contents(title: str, links: str) -> str:
    return f"<details><summary>{title}</summary>{links}</details>"


def _link(method: str, path: str, operation: Mapping[str, Json]) -> str:
    name = both(*_titles_of(operation, path))
    return f'<a href="#{anchor(method, path)}" title="{method.upper()} {escape(path)}">{name}</a>'


def _title(group: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    plain = group[:1].upper() + group[1:].replace("-", " ")
    said = titles.get(group) or {}
    return both(escape(said.get("en", plain)), escape(said.get("zh", said.get("en", plain))))


def _operation(
    document: Mapping[str, Json],
    server: str,
    method: str,
    path: str,
    operation: Mapping[str, Json],
    *,
    title: str,
    live: bool,
    elsewhere: str = "",
) -> str:
    summary = str(operation.get("summary", ""))
    parts = [
        f"<h3>{both(*_titles_of(operation, path))}</h3>",
        f"<p class=path><code><b class={method}>{method.upper()}</b> {escape(path)}</code>"
        f"{_callers(document, operation)}</p>",
        text_of(f"{summary}." if summary and operation.get("x-title") else ""),
        text_of(operation.get("description", "")),
    ]
    rows = []
    for parameter in _shown_parameters(document, operation):
        optional = "" if parameter.get("required") else both(", optional", "，可选")
        rows.append(
            f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(str(parameter.get('in')))}</td>"
            f"<td>{kind_of(document, parameter.get('schema') or {})}{optional}</td>"
            f"<td>{text_of(parameter.get('description', ''))}</td></tr>"
        )
    if rows:
        parts.append(table_of(head(("Parameter", "参数"), ("In", "位置"), ("Type", "类型"), ("", "")), rows))
    parts.append(body_of(document, both("Body", "请求体"), operation.get("requestBody"), shown=False, opened=True))
    parts.append(f"<pre>{escape(curl(document, server, method, path, operation))}</pre>")
    refusals = []
    for status, entry in (operation.get("responses") or {}).items():
        answer = resolve(document, entry)
        if status.startswith("2"):
            parts.append(body_of(document, f"{status} {inline(str(answer.get('description', '')))}", answer))
        else:
            refusals.append(f"<tr><td>{status}</td><td>{_refusal(document, operation, status, answer)}</td></tr>")
    if refusals:
        table = table_of(head(("Status", "状态码"), ("Codes", "错误码")), refusals)
        parts.append(f"<details><summary>{both('Refusals', '错误响应')}</summary>{table}</details>")
    if live:
        parts.append(form_of(document, method, path, operation))
    if elsewhere:
        link = f'<a href="{escape(elsewhere)}">'
        parts.append(f"<p>{link}{both('Try it on the other API', '在另一个接口上试用')}</a></p>")
    words = _words(document, method, path, operation, title)
    return f'<section id="{anchor(method, path)}" data-find="{escape(words)}">{"".join(parts)}</section>'


def _shown_parameters(document: Mapping[str, Json], operation: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """All parameters but the one that every operation takes, which the introduction explains."""
    found = [resolve(document, entry) for entry in operation["parameters"]]
    return [parameter for parameter in found if parameter["name"] != "Accept-Language"]


def _refusal(document: Mapping[str, Json], operation: Mapping[str, Json], status: str, answer: Json) -> str:
    """The answer of this status: its codes with their texts, or its own description."""
    texts = document.get("x-codes") or {}
    codes = (operation.get("x-codes") or {}).get(status) or []
    entries = [
        f"<li><code>{escape(code)}</code> {both(escape(texts[code]['en']), escape(texts[code]['zh']))}</li>"
        for code in codes
        if code in texts
    ]
    return f"<ul>{''.join(entries)}</ul>" if entries else text_of(answer.get("description", ""))


def _words(document: Mapping[str, Json], method: str, path: str, operation: Mapping[str, Json], title: str) -> str:
    """The search text of an operation: path, summary, id, family, codes and fields, in lower case."""
    names = [parameter["name"] for parameter in _shown_parameters(document, operation)]
    for holder in (operation.get("requestBody"), *(operation.get("responses") or {}).values()):
        content = content_of(document, holder)
        if content is not None and not content[0].startswith("application/problem"):
            names += field_names(document, content[1].get("schema") or {}, 0)
    codes = [code for listed in (operation.get("x-codes") or {}).values() for code in listed]
    family = title.replace('<span lang="en">', " ").replace('<span lang="zh">', " ").replace("</span>", " ")
    titles = (operation.get("x-title") or {}).values()
    said = (method, path, operation.get("summary", ""), operation.get("operationId", ""), family, *titles)
    return " ".join(dict.fromkeys(" ".join((*map(str, said), *codes, *names)).lower().split()))


def form_of(document: Mapping[str, Json], method: str, path: str, operation: Mapping[str, Json]) -> str:
    """A form that makes the call from the page."""
    parameters = _shown_parameters(document, operation)
    fields = []
    for parameter in parameters:
        name, place = parameter["name"], parameter.get("in")
        if place not in ("path", "query"):
            continue
        shown = example(document, parameter.get("schema") or {}, parameter)
        required = " required" if parameter.get("required") else ""
        field = (
            f'<input name="{escape(name)}" data-in={place} placeholder="{escape(str(shown))}" '
            f"autocomplete=off{required}>"
        )
        fields.append(f"<label><code>{escape(name)}</code>{field}</label>")
    callers = [name for entry in operation.get("security", document.get("security")) or [] for name in entry]
    if callers and callers != ["session"]:  # a browser sends the cookie of a session by itself
        fields.append(
            f"<label>{both('Bearer token, kept in this tab', '令牌，仅保存在本标签页')}"
            "<input data-in=token autocomplete=off spellcheck=false "
            f'placeholder="{_TOKENS[callers[0] == "key"]}"></label>'
        )
    if any(parameter["name"] == "webhook-signature" for parameter in parameters):
        fields.append(
            f"<label>{both('Secret that signs it', '用于签名的密钥')}"
            "<input data-in=secret autocomplete=off spellcheck=false placeholder=whsec_... required></label>"
        )
    content = content_of(document, operation.get("requestBody"))
    if content is not None:
        body = json.dumps(example(document, content[1].get("schema") or {}, content[1]), ensure_ascii=False, indent=2)
        rows = min(16, body.count("\n") + 1)
        fields.append(
            f"<label>{both('Body', '请求体')}<textarea rows={rows} spellcheck=false>{escape(body)}</textarea></label>"
        )
    gives = " data-gives=key" if operation.get("operationId") == "createKey" else ""
    return (
        f"<details class=try><summary>{both('Try it', '试一试')}</summary>"
        f'<form data-method={method.upper()} data-path="{escape(path)}"{gives}>{"".join(fields)}'
        f"<button>{both('Send', '发送')}</button><div class=answer aria-live=polite></div></form></details>"
    )


_TOKENS = {False: "eyJ...", True: "csk_..."}


def _callers(document: Mapping[str, Json], operation: Mapping[str, Json]) -> str:
    schemes = [name for entry in operation.get("security", document.get("security")) or [] for name in entry]
    if not schemes:
        return ""
    said = both(*(escape(f" {word} ".join(known.get(name, name) for name in schemes)) for word, known in _CALLERS))
    return f" <span class=quiet>{said}</span>"


_CALLERS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("or", {"member": "member", "key": "API key", "session": "session of the console"}),
    ("或", {"member": "会员", "key": "接口密钥", "session": "控制台会话"}),
)


def _webhook(document: Mapping[str, Json], name: str, operation: Mapping[str, Json]) -> str:
    chinese = str((operation.get("x-title") or {}).get("zh", ""))
    words = f"{name} {operation.get('summary', '')} {operation.get('operationId', '')} {chinese}".lower()
    heading = escape(name) + (f' <span lang="zh">{escape(chinese)}</span><span lang="en"></span>' if chinese else "")
    return (
        f'<section id="{anchor("event", name)}" data-find="{escape(words)}"><h3>{heading}</h3>'
        f"<p>{escape(str(operation.get('summary', '')))}</p>{text_of(operation.get('description', ''))}"
        f"{body_of(document, both('Body', '请求体'), operation.get('requestBody'))}</section>"
    )
