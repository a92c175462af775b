"""The sandbox's pay page as HTML: an amount, an order, what has become of it, and a button."""

from collections.abc import Mapping
from html import escape
from string import Template
from urllib.parse import quote

from infra.local.texts import text, web_file

_FIELD = '<input type="hidden" name="{name}" value="{value}">'


def pay_page(
    order_no: str,
    amount_fen: int,
    *,
    hidden: Mapping[str, str],
    message: str,
    button: str | None,
    language: str,
    action: str = "/pay/",
) -> str:
    """The page of an order, or of an agreement.

    `message` is HTML; `button` is the name of its text, None for a page without one; `hidden` is what it posts.
    """
    form = ""
    if button is not None:
        fields = [_FIELD.format(name=name, value=escape(value)) for name, value in hidden.items()]
        form = f"{''.join(fields)}<button>{text('pay', button, language)}</button>"
    return Template(web_file("pay.html")).substitute(
        lang="en" if language == "en" else "zh-CN",
        title=text("pay", "title", language),
        note=text("pay", "note", language),
        order=escape(order_no),
        action=action + quote(order_no, safe=""),
        amount=f"¥{amount_fen // 100:,}.{amount_fen % 100:02d}",
        message=message,
        button=form,
    )
