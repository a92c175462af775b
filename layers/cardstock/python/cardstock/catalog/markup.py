"""HTML of descriptions as a page may show it (nh3, in a layer of its own)."""

from typing import Final

import nh3

TAGS: Final = frozenset(
    {
        *("a", "b", "blockquote", "br", "caption", "div", "em", "figcaption", "figure", "h2", "h3", "h4", "hr", "i"),
        *("img", "li", "ol", "p", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr"),
        *("u", "ul"),
    }
)
ATTRIBUTES: Final = {"a": {"href"}, "img": {"src", "alt", "width", "height"}, "td": {"colspan"}, "th": {"colspan"}}


def clean_html(text: str) -> str:
    """HTML without scripts, styles, forms, frames, handlers and comments. Addresses are https. Text stays as it is."""
    return nh3.clean(
        text,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes={"https"},
        link_rel="noopener noreferrer nofollow",
    )
