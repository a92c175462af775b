"""What the API document says in prose, in English and Chinese: introduction, first calls, events."""

ABOUT = """\
What mini-programs, suppliers and staff call. While `make serve` runs, members call port 8700 with a session token, and
staff and partners call port 8702 with an API key. `make serve` writes the logins, API keys with their persons and
scopes, inbox secrets, cards and SKUs that it has seeded to `.local/serve/seed.json`.

Amounts are integers in fen (1/100 CNY), times RFC 3339 in UTC, ids opaque strings. Success is the bare resource, or
`items` with `next_cursor` for lists; a refusal is `application/problem+json` (RFC 9457) with a stable `code`, a
`detail` in the language of `Accept-Language` (zh-CN unless it starts with `en`), `trace_id`, `retryable` and
`errors` that point at fields. An operation's `x-codes` lists the codes that it may answer, by status; the document's
own `x-codes` has their texts in both languages. With `Accept: application/vnd.cardstock.envelope+json` both come as
`{code, data, msg, trace_id}`.

A POST that lists the header `Idempotency-Key` needs one: a repeat with the same key and body is answered as the
first time, with `Idempotent-Replayed: true`; the same key with another body is refused.

Unknown fields are refused, types are strict, a body is at most 256 KB. A path that is none of these is answered 404,
by the gateway with `{"message": "Not Found"}` or as `ROUTE_UNKNOWN`. The local gateway adds a `hint` if the other
port has the path.

Webhooks, in both directions, are signed by Standard Webhooks 1.0. The key is the secret after `whsec_`, decoded from
base64; what is signed is the message's id, its time (seconds since 1970) and the raw bytes of the body with a `.`
between them; the signature is HMAC-SHA256, in base64. The headers are `webhook-id`, `webhook-timestamp` and
`webhook-signature`, which has `v1,` before each signature and a space between several: one that holds is enough.
Refuse what is more than five minutes from now, and what you have seen under the same id. Of messages to us,
`SIGNATURE_MISSING` means a missing or malformed header, `SIGNATURE_INVALID` a wrong secret or other bytes, and
`SIGNATURE_STALE` a right signature at a wrong time."""
ABOUT_ZH = """\
小程序、供应商和员工调用的接口。`make serve` 运行时，会员用登录凭证访问 8700 端口，员工和合作方用接口密钥访问 8702 \
端口。预置的登录名、接口密钥（及其人员和权限范围）、收件密钥、名片和 SKU 都写在 `.local/serve/seed.json` 里。标题、\
分组和错误说明是中文；字段的说明目前只有英文。

金额是以分为单位的整数，时间用 RFC 3339（UTC），编号是不解释的字符串。成功时直接返回资源，列表返回 `items` 和 \
`next_cursor`；拒绝时返回 `application/problem+json`（RFC 9457），其中有稳定的 `code`、按 `Accept-Language` 选择语言\
的 `detail`（默认 zh-CN，以 `en` 开头时用英文）、`trace_id`、`retryable`，以及指明出错字段的 `errors`。每个接口的\
 `x-codes` 按状态码列出可能的错误码，文档的 `x-codes` 有全部错误码的中英文说明。请求带 `Accept: \
application/vnd.cardstock.envelope+json` 时，成功和拒绝都返回 `{code, data, msg, trace_id}`。

列出 `Idempotency-Key` 请求头的 POST 需要它：同样的键和内容再次发送，得到与第一次相同的应答，并带有\
 `Idempotent-Replayed: true`；键相同而内容不同则被拒绝。

未知字段会被拒绝，类型严格检查，请求体最大 256 KB。不存在的路径返回 404：网关返回 `{"message": "Not Found"}`，或者错\
误码 `ROUTE_UNKNOWN`。

收发的 webhook 都按 Standard Webhooks 1.0 签名。密钥是 `whsec_` 之后的部分，用 base64 解码；签名内容是消息编号、时间\
（1970 年以来的秒数）和请求体的原始字节，中间用 `.` 连接；签名是 HMAC-SHA256，用 base64 编码。请求头是 `webhook-id`\
、`webhook-timestamp` 和 `webhook-signature`；每个签名前有 `v1,`，多个签名用空格分开，其中一个有效即可。时间与现在相\
差超过五分钟的，或编号已经收到过的，都应拒绝。发给我们的消息：`SIGNATURE_MISSING` 是缺少请求头或格式不正确，\
`SIGNATURE_INVALID` 是密钥或内容不符，`SIGNATURE_STALE` 是签名正确但时间不符。"""

FIRST_CALLS: tuple[tuple[str, str, str], ...] = (
    (
        "Log in as a member: `dev:` and any name, on this machine only",
        "以会员身份登录：`dev:` 加任意名字，只在本机可用",
        """\
API={server}
field() { python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
TOKEN=$(curl -s $API/v1/auth/sessions -H "content-type: application/json" \\
  -d '{"platform": "dev", "app_id": "wxdemo", "login_code": "dev:first-buyer",
       "consents": [{"purpose": "account", "version": 1}]}' | field access_token)""",
    ),
    ("Get a product that is seeded", "查看一件预置的商品", "curl -s $API/v1/products/85123A | python3 -m json.tool"),
    (
        "Quote two units",
        "获取两件的报价",
        """\
QUOTE=$(curl -s $API/v1/quotes -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \\
  -d '{"lines": [{"sku": "85123A", "units": 2}]}' | field quote)""",
    ),
    (
        "Place the order",
        "下单",
        """\
ORDER=$(curl -s $API/v1/orders -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \\
  -H "idempotency-key: first-$(date +%s)" \\
  -d '{"quote": "'$QUOTE'", "receiver": {"name": "王小明", "phone": "13800138000", "address": "上海市南京西路1号"}}' \\
  | field order_id)""",
    ),
    (
        "Pay: open the address that is printed and press the button",
        "支付：打开打印出来的地址，按下按钮",
        """\
curl -s $API/v1/orders/$ORDER/payments -H "authorization: Bearer $TOKEN" -H "content-type: application/json" \\
  -d '{"channel": "sandbox"}' | field pay_url""",
    ),
)
"""Title, Chinese title and shell lines of the calls from the log-in to the payment; `{server}` is the API's address."""

EVENTS_ABOUT = """\
Sent to webhook endpoints that subscribed to it, signed with the endpoint's secret. Answer with 2xx; anything else is
tried again for three days. The same event may come more than once and events may come in any order: `id` tells repeats
apart, `sequence` sorts."""
EVENTS_ABOUT_ZH = """\
发送给订阅了它的 webhook 地址，用该地址的密钥签名。请返回 2xx；其他应答会在三天内重试。同一事件可能到达多次，次序也\
可能颠倒：`id` 用来识别重复，`sequence` 用来排序。"""
CHALLENGE_ABOUT = """\
Sent to every new endpoint with a URL, signed with its secret: check the signature, as of any event, and answer with
2xx. The endpoint is active from then on. It cannot be subscribed to."""
