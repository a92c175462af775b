"""Family name and given name of a name that a person wrote in one piece."""

import re
from typing import Final

from cardstock.texts import one_line

_COMPOUND: Final = (
    "欧阳歐陽太史端木上官司马司馬东方東方独孤獨孤南宫南宮万俟萬俟闻人聞人夏侯诸葛諸葛尉迟尉遲公羊赫连"
    "赫連澹台澹臺皇甫宗政濮阳濮陽公冶太叔申屠公孙公孫慕容仲孙仲孫钟离鐘離长孙長孫宇文司徒鲜于鮮于司空"
    "司寇巫马巫馬漆雕乐正樂正拓跋轩辕軒轅令狐百里呼延东郭東郭南门南門西门西門左丘梁丘第五纳兰納蘭"
)
"""Family names of two characters, one after another."""
_HAN: Final = "[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_LETTERS: Final = "[A-Za-z\u00c0-\u024f\u1e00-\u1eff\u0370-\u052f'’.-]+"
_LONGEST: Final = 4
"""Characters of a Chinese name at most; what is longer is no person's."""


def name_parts(name: str) -> tuple[str, str]:
    """Family name and given name, as a telephone joins them to the name again. What is not certainly a Chinese name, or
    words of letters, is a given name as a whole."""
    whole = one_line(name)
    if re.fullmatch(f"{_HAN}{{2,{_LONGEST}}}", whole):
        at = 2 if len(whole) > 2 and whole[:2] in re.findall("..", _COMPOUND) else 1
        return whole[:at], whole[at:]
    if chinese := re.fullmatch(f"({_HAN}{{1,2}}) +({_HAN}{{1,3}})", whole):
        return chinese[1], chinese[2]
    if last_first := re.fullmatch(f"({_LETTERS}), *({_LETTERS}(?: {_LETTERS})*)", whole):
        return last_first[1], last_first[2]
    if words := re.fullmatch(f"({_LETTERS}(?: {_LETTERS})*) ({_LETTERS})", whole):
        return words[2], words[1]
    return "", whole
