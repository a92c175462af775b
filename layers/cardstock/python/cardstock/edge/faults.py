"""Why a body or a query is refused: which field, by a pointer that resolves in what was sent, which bound was broken,
and what a person reads about it.

Imported for refusals alone. What msgspec says about a field is read here and nowhere else.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from cardstock.edge.fields import NO_PHONE
from cardstock.errors import Pointer, Refusal, escape

_PATH: Final = re.compile(r" - at (?:(?P<key>`key` in ))?`\$(?P<path>[^`]*)`\Z")
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[0-9]+|\.\.\.)\]")
_BOUND: Final = re.compile(r"Expected `(?P<kind>\w+)` (?P<length>of length )?(?P<sign>>=|<=|>|<) (?P<value>-?[0-9]+)")
_TYPE: Final = re.compile(r"Expected `(?P<expected>[^`]+)`(?:, got `(?P<got>\w+)`)?")
_MOST_NAMED: Final = 10
_TRIES: Final = 300
"""Members of a map that are tried one by one to find the wrong one."""

_TYPES: Final = {
    "str": ("文本", "a text"), "int": ("整数", "an integer"), "bool": ("true 或 false", "true or false"),
    "float": ("数字", "a number"), "object": ("对象", "an object"), "array": ("数组", "an array"),
    "null": ("null", "null"),
}  # fmt: skip

PATTERNS: Final[Mapping[str, tuple[str, str]]] = {
    r"\S": ("不能为空白", "a text that is not blank"),
    r"^[^\r\n]*\S[^\r\n]*$": ("一行文字，不能为空白", "one line that is not blank"),
    r"^[^\r\n]*$": ("一行文字", "one line"),
    r"^([^,\r\n]{1,64}(,[^,\r\n]{1,64}){0,49})?$": (
        "用逗号分隔的货号，至多 50 个",
        "at most 50 article numbers with commas between them",
    ),
    r"^[A-Za-z0-9._-]{1,40}(,[A-Za-z0-9._-]{1,40}){0,99}$": (
        "用逗号分隔的商品编号，至多 100 个",
        "at most 100 ids of products with commas between them",
    ),
    r"^(upl_[0-9a-z]{26}|https://[A-Za-z0-9.-]{1,100}/[!-~]{0,400})$": (
        "上传编号（upl_ 开头），或 https 地址",
        "the id of an upload (`upl_` and 26 letters or digits), or an https address",
    ),
    r"^https://[A-Za-z0-9.-]{1,100}/[!-~]{0,400}$": ("https 地址", "an https address"),
    r"^[a-z0-9][a-z0-9-]{0,39}$": (
        "分类编号（小写字母、数字和连字符）",
        "the id of a category (small letters, digits, hyphens)",
    ),
    r"^sup_[0-9a-z]{1,26}$": ("供应商编号（sup_ 开头）", "the id of a supplier (`sup_` and letters or digits)"),
    r"^mem_[0-9a-z]{26}$": ("会员编号（mem_ 开头）", "the id of a member (`mem_` and 26 letters or digits)"),
    r"^ord_[0-9a-z]{26}$": ("订单编号（ord_ 开头）", "the id of an order (`ord_` and 26 letters or digits)"),
    r"^(mem_[0-9a-z]{26}|[0-9a-z]{10,12})$": (
        "会员编号或名片分享码",
        "the id of a member, or the key of a card or share",
    ),
    r"^mem_[0-9a-z_]{1,26}$": ("会员编号", "the id of a member"),
    r"^benefit\.mem_[0-9a-z_]{1,26}\.[0-9]{1,6}$": ("优惠券编号", "the id of a coupon"),
    r"^20[0-9]{2}-(0[1-9]|1[0-2])$": ("月份，如 2026-11", "a month such as 2026-11"),
    r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$": ("日期，如 2026-11-21", "a day such as 2026-11-21"),
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$": (
        "货号：至多 40 个字母、数字、点、下划线或连字符",
        "an article number: at most 40 letters, digits, dots, underscores or hyphens",
    ),
    r"^[a-z0-9][a-z0-9_-]{0,23}$": (
        "运费模板编号：至多 24 个小写字母、数字、下划线或连字符",
        "the id of a freight template: at most 24 small letters, digits, underscores or hyphens",
    ),
    r"^[0-9a-z]{32}$": ("转账单号：32 个小写字母或数字", "a transfer's number: 32 small letters or digits"),
    r"^stf_[0-9a-z]{26}$": ("员工编号（stf_ 开头）", "the id of a person (`stf_` and 26 letters or digits)"),
    r"^(root|stf_[0-9a-z]{26})$": ("员工编号（stf_ 开头）或 root", "the id of a person (`stf_...`), or `root`"),
    r"^[0-9]{2}$": ("两位数字", "two digits"),
    r"^[0-9]{6}$": ("六位行政区划代码", "the code of a region, six digits"),
    r"^[0-9a-f]{64}$": ("64 个十六进制字符", "64 hexadecimal characters"),
    r"^([A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})?$": ("邮箱地址", "an e-mail address"),
    r"^([A-Za-z][A-Za-z0-9_-]{5,19})?$": (
        "微信号：字母开头，6 至 20 个字母、数字、下划线或连字符",
        "a WeChat account: a letter, then 5 to 19 letters, digits, underscores or hyphens",
    ),
    r"^(https://[A-Za-z0-9._~:/?#@!$&()*+,;=%-]+)?$": ("https:// 开头的网址", "an address that begins with https://"),
    r"^[A-Za-z0-9_-]{1,64}$": (
        "至多 64 个字母、数字、下划线或连字符",
        "at most 64 letters, digits, underscores or hyphens",
    ),
    r"^[a-z][a-z0-9_]{0,15}$": (
        "人群名：小写字母开头，至多 16 个小写字母、数字或下划线",
        "an audience: a small letter, then at most 15 small letters, digits or underscores",
    ),
    r"^[a-z0-9_-]{1,16}$": (
        "至多 16 个小写字母、数字、下划线或连字符",
        "at most 16 small letters, digits, underscores or hyphens",
    ),
    r"^[a-z0-9_-]{1,32}$": (
        "至多 32 个小写字母、数字、下划线或连字符",
        "at most 32 small letters, digits, underscores or hyphens",
    ),
    r"^[^\W\d_][^\d_<>\"\r\n\t]*$": ("姓名，不含数字和符号", "a name without digits and signs"),
    r"^[2-9A-HJKMNP-Za-hjkmnp-z]{12}$": ("12 个字母和数字", "12 letters and digits"),
    r"^[a-z0-9.+-]+/[a-z0-9.+-]+$": ("小写的媒体类型，例如 image/jpeg", "a media type in small letters: image/jpeg"),
    r"^([a-z0-9][a-z0-9-]{0,39})?$": (
        "分类编号：至多 40 个小写字母、数字或连字符",
        "the id of a category: at most 40 small letters, digits or hyphens",
    ),
    r"^[0-9a-f]{16}\.[0-9]{1,5}$": ("上一页的 next_cursor", "the `next_cursor` of the page before"),
    r"^([0-9a-f]{10}\.[0-9a-f]{10}(,[0-9a-f]{10}\.[0-9a-f]{10}){0,19})?$": (
        "筛选项：facet.value，以逗号分隔，至多 20 个",
        "values of facets as `facet.value`, separated by commas, at most 20",
    ),
    r"^[!-~]{1,128}$": ("至多 128 个可见 ASCII 字符", "at most 128 visible ASCII characters"),
}
"""Pattern -> what it demands, in Chinese and English. A test holds that every pattern of a body or query is here."""

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "MISSING": ("缺少 {field}。", "{field} is missing."),
    "UNKNOWN_FIELD": ("没有名为 {field} 的字段。", "There is no field named {field}."),
    "JSON": ("不是有效的 JSON。", "This is not valid JSON."),
    "ENCODING": ("不是有效的 UTF-8 或 Base64。", "This is not valid UTF-8 or base64."),
    "TEXT_CONTROL_CHARACTER": ("含有不允许的控制字符。", "It has a control character that is not allowed."),
    "NUMBER": ("数字超出范围。", "The number is out of range."),
    "NO_DAY": ("没有这一天。", "There is no such day."),
    "DUPLICATE": ("有重复的项。", "An item occurs twice."),
}


def fault_in_body(decoder: Any, content: bytes, message: str) -> Pointer:
    """The field of the JSON `content` that `decoder` refused with `message`."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError):  # a number beyond every bound
        return Pointer("", "OUT_OF_RANGE")

    def same_fault(changed: Any) -> bool:
        try:
            decoder.decode(msgspec.json.encode(changed))
        except msgspec.ValidationError as error:
            return str(error) == message
        except (msgspec.MsgspecError, RecursionError):
            return False
        return False

    return _fault(value, message, decoder.type, same_fault)


def faults_in_body(decoder: Any, content: bytes, message: str) -> tuple[Pointer, ...]:
    """The field that `decoder` refused with `message`, then the other members of the top-level object that are wrong by
    themselves; at most ten in all.

    Each member is tried alone against its declared type, and one fault of each is named.
    """
    first = fault_in_body(decoder, content, message)
    try:
        value = msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError):
        return (first,)
    found = [first]
    for other in _faults_of_members(decoder.type, value) if isinstance(value, dict) else ():
        if not any(_same_place(other, known) for known in found):
            found.append(other)
        if len(found) == _MOST_NAMED:
            break
    return tuple(found)


def _faults_of_members(kind: Any, value: dict[str, Any]) -> Iterator[Pointer]:
    structs = [one for one in _flat(msgspec.inspect.type_info(kind)) if isinstance(one, msgspec.inspect.StructType)]
    meant = [one for one in structs if one.tag_field is None or value.get(one.tag_field) == one.tag]
    if len(meant) != 1:
        return
    [struct] = meant
    for field in msgspec.structs.fields(struct.cls):
        if field.encode_name in value:
            yield from _fault_alone(field.encode_name, field.type, value[field.encode_name])
        elif field.required:
            yield Pointer("", "MISSING", {"field": field.encode_name})
    known = {field.encode_name for field in struct.fields} | {struct.tag_field}
    if struct.forbid_unknown_fields:
        for name in value.keys() - known:
            yield Pointer(f"/{escape(name)}", "UNKNOWN_FIELD", {"field": name})


def _fault_alone(name: str, kind: Any, member: Any) -> Iterator[Pointer]:
    try:
        content = msgspec.json.encode(member)
        decoder = msgspec.json.Decoder(kind, strict=True)
        decoder.decode(content)
    except msgspec.ValidationError as error:
        found = fault_in_body(decoder, content, str(error))
        yield Pointer(f"/{escape(name)}{found.pointer}", found.code, found.bounds)
    except (msgspec.MsgspecError, RecursionError):
        return


def _same_place(one: Pointer, other: Pointer) -> bool:
    return (one.pointer, one.bounds.get("field")) == (other.pointer, other.bounds.get("field"))


def fault_in_query(kind: type, values: Mapping[str, str], message: str) -> Pointer:
    """The parameter that was refused with `message`: `#query/name`."""
    if message in _TEXTS:
        wrong = next(name for name, value in values.items() if re.search("[\x00\ud800-\udfff]", value))
        return Pointer(f"#query/{escape(wrong)}", message)
    found = _fault(dict(values), message, kind, lambda _: False)
    name = found.pointer or f"/{escape(str(found.bounds.get('field', '')))}"
    return Pointer(f"#query{name}", found.code, found.bounds)


def fault_in_header(name: str, pattern: str) -> Pointer:
    """The header that does not have the form `pattern`: `#header/name`."""
    return Pointer(f"#header/{name}", "OUT_OF_RANGE", {"pattern": PATTERNS[pattern]})


def detail_of(pointer: Pointer, refusal: Refusal, facts: dict[str, object], language: str) -> str:
    """What a person reads about one wrong field, in `zh` or `en`."""
    bounds, english = pointer.bounds, language == "en"
    if "text" in bounds:
        return str(bounds["text"][english])
    if pointer.code in _TEXTS and (pointer.code not in ("MISSING", "UNKNOWN_FIELD") or "field" in bounds):
        return _TEXTS[pointer.code][english].format_map(bounds)
    parts = list(_parts(bounds, english))
    if not parts:
        return refusal.text(facts, language)
    return f"Must be {', '.join(parts)}." if english else f"应为：{'，'.join(parts)}。"


def shown_bounds(pointer: Pointer, language: str) -> dict[str, Any]:
    """The bounds as the problem document names them; `pattern` in words."""
    return {
        name: value[language == "en"] if name in ("pattern", "expected", "given") else value
        for name, value in pointer.bounds.items()
        if name != "text"
    }


def _parts(bounds: Mapping[str, Any], english: bool) -> Iterator[str]:
    for name in ("expected", "pattern"):
        if name in bounds:
            yield bounds[name][english]
    if "allowed" in bounds:
        listed = [str(one) for one in bounds["allowed"]]
        if len(listed) == 1:
            yield listed[0]
        else:
            yield f"one of {', '.join(listed)}" if english else f"{'、'.join(listed)} 之一"
    if "min" in bounds:
        yield f"at least {bounds['min']}" if english else f"不小于 {bounds['min']}"
    if "max" in bounds:
        yield f"at most {bounds['max']}" if english else f"不大于 {bounds['max']}"
    if "min_length" in bounds:
        yield f"at least {bounds['min_length']} long" if english else f"长度不少于 {bounds['min_length']}"
    if "limit" in bounds:
        yield f"at most {bounds['limit']} long" if english else f"长度不超过 {bounds['limit']}"


def _fault(value: Any, message: str, kind: Any, same_fault: Any) -> Pointer:
    found = _PATH.search(message)
    path = found["path"] if found else ""
    steps = [step["name"] if step["name"] is not None else f"[{step['index']}]" for step in _STEP.finditer(path)]
    if found and found["key"]:
        steps.append("[...]")
    keys, wrong = _keys(value, steps, same_fault)
    said = message[: found.start()] if found else message
    code, bounds = _reason(said)
    if code == "UNKNOWN_FIELD" and isinstance(wrong, dict) and bounds["field"] in wrong:
        keys.append(bounds["field"])
    elif said.startswith(NO_PHONE):  # said by the struct, of its field
        keys.append("phone")
    pointer = "".join(f"/{escape(str(key))}" for key in keys)
    if found and found["key"]:  # the name is wrong, not what it names
        return Pointer(pointer, code, bounds)
    if said.startswith("Number out of range"):  # beyond every number: no single bound was looked at
        return Pointer(pointer, code, _range_at(kind, keys, value))
    allowed = _values_at(kind, keys, value) if said.startswith("Invalid ") else ()
    return Pointer(pointer, code, {"allowed": sorted(allowed)} if allowed else bounds)


def _keys(value: Any, steps: list[str], same_fault: Any) -> tuple[list[str | int], Any]:
    """The names and places that `steps` lead along in `value`, and what stands there; as far as they lead."""
    keys: list[str | int] = []
    at = value
    for step in steps:
        key: str | int | None = step
        if step == "[...]" and isinstance(at, dict):
            key = _wrong_member(value, keys, at, same_fault)
        elif step.startswith("["):
            key = None if step == "[...]" else int(step[1:-1])
        known = isinstance(at, dict) and key in at
        if not known and not (isinstance(at, list) and isinstance(key, int) and key < len(at)):
            break
        keys.append(key)  # type: ignore[arg-type]  # known: None is no member's name
        at = at[key]
    return keys, at


def _wrong_member(root: Any, keys: list[str | int], members: dict[str, Any], same_fault: Any) -> str | None:
    """The member of a map that alone is refused for the same reason."""
    if len(members) == 1:
        return next(iter(members))
    for _, (name, item) in zip(range(_TRIES), members.items(), strict=False):
        if same_fault(_with(root, keys, {name: item})):
            return name
    return None


def _with(root: Any, keys: list[str | int], changed: Any) -> Any:
    """`root` with `changed` where `keys` lead."""
    if not keys:
        return changed
    copied = root.copy()
    copied[keys[0]] = _with(root[keys[0]], keys[1:], changed)
    return copied


def _reason(said: str) -> tuple[str, dict[str, Any]]:
    """The code of what msgspec said, and the bounds in it."""
    for code, start in (
        ("UNKNOWN_FIELD", "Object contains unknown field `"),
        ("MISSING", "Object missing required field `"),
    ):
        if said.startswith(start):
            return code, {"field": said[len(start) : -1]}
    if said.startswith(NO_PHONE):
        return "OUT_OF_RANGE", {
            "pattern": ("电话号码，可带分机（转802）", "a telephone number, with its extension (x802)")
        }
    if bound := _BOUND.match(said):
        number = int(bound["value"]) + {">": 1, "<": -1}.get(bound["sign"], 0)
        least = bound["sign"].startswith(">")
        name = ("min_length" if least else "limit") if bound["length"] else ("min" if least else "max")
        return "OUT_OF_RANGE", {name: number}
    if " matching regex " in said:
        pattern = str(ast.literal_eval(said.partition(" matching regex ")[2])).replace(r"\Z", "$")
        return "OUT_OF_RANGE", {"pattern": PATTERNS.get(pattern, ("规定的格式", f"of the form {pattern}"))}
    if kind := _TYPE.match(said):
        names = [_TYPES.get(one.strip(), (one.strip(), one.strip())) for one in kind["expected"].split("|")]
        expected = ("或".join(one[0] for one in names), " or ".join(one[1] for one in names))
        return "WRONG_TYPE", {"expected": expected}
    return "OUT_OF_RANGE", {}


def _values_at(kind: Any, keys: list[str | int], value: Any) -> set[Any]:
    """The values that the declared type has for the field at `keys`; empty if it does not list them."""
    return {one for flat in _types_at(kind, keys, value) for one in _listed(flat)}


def _range_at(kind: Any, keys: list[str | int], value: Any) -> dict[str, Any]:
    """The type of the field at `keys`, and its bounds if it is an integer."""
    [found] = [one for one in _types_at(kind, keys, value) if not isinstance(one, msgspec.inspect.NoneType)][:1]
    if not isinstance(found, msgspec.inspect.IntType):
        name = type(found).__name__.removesuffix("Type").lower()
        return {"expected": _TYPES.get(name, (name, name))}
    bounds = {"min": found.ge, "max": found.le}
    return {"expected": _TYPES["int"], **{name: bound for name, bound in bounds.items() if bound is not None}}


def _types_at(kind: Any, keys: list[str | int], value: Any) -> list[Any]:
    types: list[Any] = [msgspec.inspect.type_info(kind)]
    at = value
    for number, key in enumerate(keys):
        types = [one for each in types for one in _members(each, key, at, last=number == len(keys) - 1)]
        at = at[key]
    return [flat for each in types for flat in _flat(each)]


def _flat(kind: Any) -> Iterator[Any]:
    if isinstance(kind, msgspec.inspect.Metadata):
        yield from _flat(kind.type)
    elif isinstance(kind, msgspec.inspect.UnionType):
        for one in kind.types:
            yield from _flat(one)
    else:
        yield kind


def _listed(kind: Any) -> Iterator[Any]:
    if isinstance(kind, msgspec.inspect.LiteralType):
        yield from kind.values
    elif isinstance(kind, msgspec.inspect.EnumType):
        yield from (one.value for one in kind.cls)


def _members(kind: Any, key: str | int, value: Any, *, last: bool) -> Iterator[Any]:
    for one in _flat(kind):
        if isinstance(one, msgspec.inspect.StructType):
            if one.tag_field is not None:
                if one.tag_field == key and last:
                    yield msgspec.inspect.LiteralType((one.tag,))
                if value.get(one.tag_field) != one.tag:
                    continue
            yield from (field.type for field in one.fields if field.encode_name == key)
        elif isinstance(one, msgspec.inspect.DictType):
            yield one.value_type
        elif isinstance(one, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
            yield one.item_type
