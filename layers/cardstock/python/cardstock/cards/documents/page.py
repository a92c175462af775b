"""The public page of a card: one HTML document that loads nothing else and is readable without its script.

Its policy (`POLICY`) allows exactly the style and the script below, by their hashes, and calls only to this site.
"""

import base64
import hashlib
from html import escape
from string import Template
from typing import Final

import msgspec

from cardstock.cards.documents.vcard import dialled
from cardstock.cards.model import Face
from cardstock.texts import lines_of, one_line

_LONG_NAME: Final = 18

_TEXTS: Final = {
    "zh": {
        "lang": "zh-CN",
        "call": "拨打电话",
        "mail": "发送邮件",
        "chat": "微信",
        "copied": "已复制",
        "save": "保存到通讯录",
        "phone": "电话",
        "email": "邮箱",
        "wechat": "微信号",
        "address": "地址",
        "website": "网站",
        "scan": "扫一扫，收下这张名片",
        "about": "关于我",
        "missing": "名片不存在",
        "missing_why": "链接可能不完整，或名片已被主人收回。",
    },
    "en": {
        "lang": "en",
        "call": "Call",
        "mail": "Email",
        "chat": "WeChat",
        "copied": "Copied",
        "save": "Save to contacts",
        "phone": "Phone",
        "email": "Email",
        "wechat": "WeChat",
        "address": "Address",
        "website": "Website",
        "scan": "Scan to keep this card",
        "about": "About",
        "missing": "No such card",
        "missing_why": "The link may be incomplete, or its owner has taken the card back.",
    },
}

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#16201d;--soft:#66736e;--line:#e6ebe8;--paper:#fff;--ground:#f2f5f3;--deep:#0d3b33;
--leaf:#157a63;--gold:#e2b96b}
@media(prefers-color-scheme:dark){:root{--ink:#eef3f0;--soft:#9aa9a3;--line:#26332e;--paper:#16201c;--ground:#0d1412;
--leaf:#3fb595}}
*{box-sizing:border-box;margin:0}
body{font:16px/1.55 -apple-system,BlinkMacSystemFont,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei","Segoe UI",
Roboto,sans-serif;
color:var(--ink);background:var(--ground);-webkit-text-size-adjust:100%;overflow-wrap:anywhere}
main{max-width:30rem;margin:0 auto;padding:0 1rem 2.5rem}
header{position:relative;overflow:hidden;margin:0 -1rem;padding:3.25rem 1.5rem 5.75rem;color:#fff;
background:radial-gradient(90% 120% at 100% 0,#1f8a70 0,transparent 60%),linear-gradient(150deg,#0d3b33,#092a25)}
header:after{content:"";position:absolute;right:-5rem;bottom:-7rem;width:17rem;height:17rem;border-radius:50%;
border:1px solid rgba(226,185,107,.38);box-shadow:0 0 0 2.4rem rgba(226,185,107,.06),0 0 0 4.8rem rgba(226,185,107,.04)}
.company{font-size:.8125rem;letter-spacing:.12em;color:var(--gold);min-height:1.3em;padding-right:5.25rem}
h1.long{font-size:1.45rem}
h1{font-size:2rem;line-height:1.2;hyphens:auto;font-weight:650;letter-spacing:.01em;margin-top:.4rem;padding-right:5.25rem}
.title{margin-top:.35rem;color:rgba(255,255,255,.78);padding-right:5.25rem}
.mono{position:absolute;z-index:1;right:1.5rem;top:3.25rem;width:4.5rem;height:4.5rem;border-radius:1.35rem;display:grid;
place-items:center;font-size:1.9rem;font-weight:600;color:var(--deep);background:linear-gradient(160deg,#f3dcae,#d9aa55);
box-shadow:0 .6rem 1.6rem rgba(0,0,0,.28)}
.tags{display:flex;flex-wrap:wrap;gap:.4rem;margin-top:1.1rem;padding:0;list-style:none;position:relative;z-index:1}
.tags li{font-size:.78rem;padding:.16rem .65rem;border-radius:1rem;background:rgba(255,255,255,.11);
color:rgba(255,255,255,.92)}
section{background:var(--paper);border-radius:1.1rem;padding:1.15rem 1.25rem;margin-top:.9rem;
box-shadow:0 1px 2px rgba(9,42,37,.05),0 .5rem 1.6rem rgba(9,42,37,.06)}
.first{margin-top:-3.4rem;position:relative;z-index:2}
.actions{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:.5rem;margin-bottom:.9rem}
.actions a,.actions button{display:grid;justify-items:center;gap:.3rem;padding:.55rem .2rem;border:0;
border-radius:.9rem;background:none;font:inherit;font-size:.8125rem;color:var(--ink);text-decoration:none;cursor:pointer}
.actions svg{width:1.5rem;height:1.5rem;stroke:var(--leaf);fill:none;stroke-width:1.7;stroke-linecap:round;
stroke-linejoin:round}
.save{display:block;text-align:center;padding:.85rem;border-radius:.9rem;font-weight:600;color:#fff;text-decoration:none;
background:linear-gradient(135deg,#157a63,#0f5c4b)}
a:focus-visible,button:focus-visible{outline:3px solid var(--gold);outline-offset:2px}
h2{font-size:.8125rem;font-weight:600;letter-spacing:.06em;color:var(--soft);margin-bottom:.4rem}
.intro{white-space:pre-line}
.rows{padding-top:.45rem;padding-bottom:.45rem}
dl{display:grid;grid-template-columns:auto 1fr}
dt,dd{padding:.62rem 0;border-bottom:1px solid var(--line)}
dt{color:var(--soft);font-size:.875rem;line-height:1.77;white-space:nowrap}
dd{padding-left:1.25rem;text-align:right}
dl>:nth-last-child(-n+2){border-bottom:0}
dd a{color:inherit;text-decoration:none}
.scan{display:flex;align-items:center;gap:1.1rem}
.scan figure{flex:none;width:7.25rem;height:7.25rem;padding:.3rem;border-radius:.7rem;background:#fff;
border:1px solid var(--line)}
.scan svg{display:block;width:100%;height:100%}
.scan p{color:var(--soft);font-size:.9375rem}
.none{text-align:center;padding-top:30vh}
.none p{color:var(--soft);margin-top:.5rem}
.none h1{padding:0;font-size:1.4rem}
@media(min-width:32rem){header{border-radius:0 0 1.8rem 1.8rem}}
@media print{body{background:#fff}.actions,.save{display:none}}
"""

# Reports the view when the page opens, and its seconds when the page is left.
_SCRIPT: Final = """
(function(){var d=document.body.dataset,t=Date.now(),sent=false;
function tell(s){var b={ticket:d.ticket,scene:"h5"};if(s!==null)b.seconds=s;b=JSON.stringify(b);
if(s!==null&&navigator.sendBeacon){navigator.sendBeacon("/v1/card-views",new Blob([b],{type:"application/json"}))}
else{fetch("/v1/card-views",{method:"POST",keepalive:true,headers:{"Content-Type":"application/json"},body:b}).catch(function(){})}}
if(d.ticket){tell(null);addEventListener("pagehide",function(){if(!sent){sent=true;
tell(Math.min(86400,Math.round((Date.now()-t)/1000)))}})}
var c=document.getElementById("chat");if(c)c.addEventListener("click",function(){
var l=c.querySelector("span"),o=l.textContent;
if(navigator.clipboard)navigator.clipboard.writeText(c.dataset.id).then(function(){l.textContent=c.dataset.done;
setTimeout(function(){l.textContent=o},1600)}).catch(function(){})})})();
"""

_PAGE: Final = Template("""<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">
<meta name="theme-color" content="#0d3b33">
<meta name="robots" content="noindex">
<meta name="format-detection" content="telephone=no">
<meta property="og:title" content="$heading">
<meta property="og:description" content="$summary">
<title>$heading</title>
<style>$style</style>
</head>
<body data-ticket="$ticket">
<main>
$content
</main>
<script>$script</script>
</body>
</html>
""")

_ICONS: Final = {
    "call": '<path d="M6 3h3l1.6 4.2-2 1.5a13 13 0 0 0 6.7 6.7l1.5-2L21 15v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3'
    ' 0 0 1 3-3z"/>',
    "mail": '<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m4 7.5 8 6 8-6"/>',
    "chat": '<path d="M9.5 4C5.4 4 2 6.7 2 10.1c0 1.9 1.1 3.6 2.8 4.7L4 17.5l2.9-1.5c.8.2 1.7.3 2.6.3"/>'
    '<path d="M22 14.6c0-2.9-2.8-5.2-6.3-5.2s-6.3 2.3-6.3 5.2 2.8 5.2 6.3 5.2c.8 0 1.5-.1 2.2-.3l2.4 1.2-.6-2.2'
    'c1.4-1 2.3-2.4 2.3-3.9z"/>',
}


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_hash(_STYLE)}'; script-src 'sha256-{_hash(_SCRIPT)}'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy that belongs to every page made here."""


class Links(msgspec.Struct, frozen=True):
    """Links of a page: the path of its vCard, its QR code as an SVG element, and the ticket for reporting its view."""

    vcard: str
    qr_svg: str
    ticket: str


def page_of(face: Face, links: Links, language: str) -> str:
    """The page of a card in `zh` or `en`; below 30 KB. All texts are escaped, `links.qr_svg` is taken as it is."""
    texts = _TEXTS[language]
    content = [_head(face), _actions(face, links, texts)]
    if face.intro:
        intro = escape("\n".join(lines_of(face.intro)))
        content.append(f"<section><h2>{texts['about']}</h2><p class=intro>{intro}</p></section>")
    content.append(_details(face, texts))
    content.append(f"<section class=scan><figure>{links.qr_svg}</figure><p>{texts['scan']}</p></section>")
    heading = " · ".join(part for part in (face.name, face.company) if part)
    return _document(texts, heading, face.title or face.intro[:80], links.ticket, "\n".join(content))


def missing_page(language: str) -> str:
    """The page for a key that leads to no card."""
    texts = _TEXTS[language]
    content = f"<div class=none><h1>{texts['missing']}</h1><p>{texts['missing_why']}</p></div>"
    return _document(texts, texts["missing"], "", "", content)


def _document(texts: dict[str, str], heading: str, summary: str, ticket: str, content: str) -> str:
    return _PAGE.substitute(
        lang=texts["lang"],
        heading=_shown(heading),
        summary=_shown(summary),
        ticket=escape(ticket),
        style=_STYLE,
        script=_SCRIPT,
        content=content,
    )


def _shown(text: str) -> str:
    """The text on one line, without what would hide or turn its neighbours, as it stands in HTML."""
    return escape(one_line(text))


def _call_link(phone: str) -> str:
    """The URI that dials a number (RFC 3966)."""
    number, extension = dialled(phone)
    return f"tel:{number};ext={extension}" if extension else f"tel:{number}"


def _head(face: Face) -> str:
    title = f"<p class=title>{_shown(face.title)}</p>" if face.title else ""
    heading = "<h1 class=long>" if len(one_line(face.name)) > _LONG_NAME else "<h1>"
    tags = "".join(f"<li>{_shown(tag)}</li>" for tag in face.tags)
    return (
        f"<header><p class=company>{_shown(face.company)}</p>{heading}{_shown(face.name)}</h1>{title}"
        f"<div class=mono aria-hidden=true>{_shown(one_line(face.name)[:1].upper())}</div>"
        f"{f'<ul class=tags>{tags}</ul>' if tags else ''}</header>"
    )


def _actions(face: Face, links: Links, texts: dict[str, str]) -> str:
    def icon(name: str) -> str:
        return f"<svg viewBox='0 0 24 24' aria-hidden=true>{_ICONS[name]}</svg><span>{texts[name]}</span>"

    buttons = []
    if face.phone:
        buttons.append(f'<a href="{escape(_call_link(face.phone))}">{icon("call")}</a>')
    if face.email:
        buttons.append(f'<a href="mailto:{escape(face.email)}">{icon("mail")}</a>')
    if face.wechat:
        buttons.append(
            f'<button id=chat type=button data-id="{_shown(face.wechat)}" data-done="{texts["copied"]}">'
            f"{icon('chat')}</button>"
        )
    row = f"<div class=actions>{''.join(buttons)}</div>" if buttons else ""
    return f'<section class=first>{row}<a class=save href="{escape(links.vcard)}">{texts["save"]}</a></section>'


def _details(face: Face, texts: dict[str, str]) -> str:
    rows = [
        (texts["phone"], face.phone, _call_link(face.phone)),
        (texts["email"], face.email, f"mailto:{face.email}"),
        (texts["wechat"], face.wechat, ""),
        (texts["address"], face.address, ""),
        (texts["website"], face.website, face.website),
    ]
    items = []
    for label, value, link in rows:
        if value:
            text = _shown(value.removeprefix("https://"))
            inner = f'<a href="{escape(link)}" rel="noopener nofollow">{text}</a>' if link else text
            items.append(f"<dt>{label}</dt><dd>{inner}</dd>")
    return f"<section class=rows><dl>{''.join(items)}</dl></section>" if items else ""
