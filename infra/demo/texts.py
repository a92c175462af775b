"""Texts of the demonstration in Chinese and English: the guides' cards, and Chinese names of popular articles."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

GUIDES: Final = ("guide-lin", "guide-chen", "guide-zhou")
ENGLISH: Final = "english"
"""The audience that sees a card in English."""

# The telephone numbers, addresses and accounts do not exist.
_COMMON: Final[Mapping[str, Mapping[str, Any]]] = {
    "default": {
        "title": "高级导购",
        "company": "Cardstock 演示 · 湖滨店",
        "intro": "八年家居与礼品选购经验，帮你挑到合适的那一件。",
        "address": "杭州市上城区湖滨路 18 号",
        "website": "https://example.com/zh/hubin",
        "tags": ["家居", "礼品", "节日布置"],
    },
    ENGLISH: {
        "title": "Senior guide",
        "company": "Cardstock demonstration, Lakeside store",
        "intro": "Eight years of choosing homeware and gifts: I help you find the piece that fits.",
        "address": "18 Hubin Road, Shangcheng District, Hangzhou",
        "website": "https://example.com/en/hubin",
        "tags": ["home", "gifts", "festive"],
    },
}
_OWN: Final[Mapping[str, Mapping[str, str]]] = {
    "guide-lin": {
        "default": "林晓雨", ENGLISH: "Lin Xiaoyu", "phone": "+86 138 0013 8000", "wechat": "linxiaoyu_home",
        "email": "lin.xiaoyu@example.com",
    },
    "guide-chen": {
        "default": "陈一鸣", ENGLISH: "Chen Yiming", "phone": "+86 138 0013 8001", "wechat": "chenyiming_gift",
        "email": "chen.yiming@example.com",
    },
    "guide-zhou": {
        "default": "周静", ENGLISH: "Zhou Jing", "phone": "+86 138 0013 8002", "wechat": "zhoujing_deco",
        "email": "zhou.jing@example.com",
    },
}  # fmt: skip
_CHINESE: Final[Mapping[str, str]] = {
    "85123A": "白色心形挂式烛台", "22632": "红色波点暖手宝", "22752": "俄罗斯套娃收纳盒七件套",
    "84029G": "英国国旗针织热水袋", "22633": "英国国旗暖手宝", "84029E": "红色白心羊毛热水袋",
    "21730": "磨砂玻璃星形烛台", "84406B": "奶油色丘比特之心衣架", "71053": "白色金属提灯",
    "22726": "绿色复古闹钟", "82483": "白色双抽木柜", "22961": "印花果酱制作套装",
    "84879": "彩色小鸟挂饰", "22960": "果酱制作套装（含罐）", "21731": "红蘑菇 LED 小夜灯",
    "22727": "红色复古闹钟", "22086": "五十年代圣诞纸链", "21068": "复古招牌爱恨马克杯",
    "21071": "复古招牌“喝我”马克杯", "21871": "爱护地球马克杯", "82494L": "仿古白木框",
    "82482": "白色木质相框", "82486": "仿古白木柜三件套", "20679": "爱德华式红色阳伞",
    "37370": "复古咖啡杯", "22114": "“茶与慰藉”热水袋", "21212": "复古波点蛋糕纸杯七十二只",
    "84991": "下午茶小蛋糕纸杯六十只", "22469": "小号柳条心", "22969": "手工果酱香氛蜡烛",
    "22866": "苏格兰犬暖手宝", "21755": "LOVE 积木字牌", "21754": "HOME 积木字牌",
    "21791": "复古头尾配对纸牌", "10002": "充气地球仪", "21033": "查理与劳拉玩具大袋",
    "85099C": "黑白巴洛克大号购物袋", "21975": "恐龙蛋糕纸杯六十只", "20725": "红色复古波点午餐袋",
    "21094": "红色波点纸盘六只",
}  # fmt: skip


def card_of(guide: str, shelf: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The versions of a guide's card, in Chinese for everybody and in English, with every field and these SKUs."""
    own = _OWN[guide]
    contact = {name: own[name] for name in ("phone", "wechat", "email")}
    return {
        audience: {**texts, **contact, "name": own[audience], "shelf": list(shelf)}
        for audience, texts in _COMMON.items()
    }


def name_of_article(code: str, english: str) -> str:
    """The name of an article in both languages, as far as it has a Chinese one and both fit into a name."""
    both = f"{_CHINESE.get(code, '')} {english}".strip()
    return both if len(both) <= 100 else english
