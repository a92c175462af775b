"""The sandbox's pay page as HTML: an amount, an order, what has become of it, and a button."""

from html import escape
from string import Template
from urllib.parse import quote

from infra.local.texts import text, web_file

_BUTTON = (
    '<input type="hidden" name="amount_fen" value="{fen}">'
    '<input type="hidden" name="expires_at" value="{expires_at}"><button>{label}</button>'
)


def pay_page(
    order_no: str, amount_fen: int, *, expires_at: str, message: str, button: str | None, language: str
) -> str:
    """The page of an order. `message` is HTML; `button` is the name of its text, None for a page without one."""
    form = ""
    if button is not None:
        form = _BUTTON.format(fen=amount_fen, expires_at=escape(expires_at), label=text("pay", button, language))
    return Template(web_file("pay.html")).substitute(
        lang="en" if language == "en" else "zh-CN",
        title=text("pay", "title", language),
        note=text("pay", "note", language),
        order=escape(order_no),
        action="/pay/" + quote(order_no, safe=""),
        amount=f"¥{amount_fen // 100:,}.{amount_fen % 100:02d}",
        message=message,
        button=form,
    )
