"""Refusals as answers: the one table from error kinds to statuses and from codes to what people read (RFC 9457)."""

from cardstock import errors

STATUS: dict[type[errors.CardstockError], int] = {
    errors.InvalidError: 400,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.TooLargeError: 413,
    errors.RefusedError: 422,
    errors.ThrottledError: 429,
    errors.UnavailableError: 503,
}

RETRYABLE = frozenset({429, 503})

# code -> (zh-CN, en). `{name}` takes a fact of the error.
TEXTS: dict[str, tuple[str, str]] = {
    "BODY_INVALID": ("请求内容不正确。", "The request body is not valid."),
    "BODY_TOO_LARGE": ("请求内容超过 256 KB。", "The request body is larger than 256 KB."),
    "QUERY_INVALID": ("查询参数不正确。", "A query parameter is not valid."),
    "HEADER_INVALID": ("请求头 {header} 不正确。", "The header {header} is not valid."),
    "CURSOR_INVALID": ("翻页标记无效，请重新开始。", "The cursor is not valid; start again without it."),
    "IDEMPOTENCY_KEY_MISSING": ("缺少 Idempotency-Key 请求头。", "The Idempotency-Key header is missing."),
    "IDEMPOTENCY_KEY_REUSED": (
        "同一个 Idempotency-Key 被用于不同的请求。",
        "This Idempotency-Key was used with another request body.",
    ),
    "CREDENTIALS_MISSING": ("请先登录。", "Log in first."),
    "TOKEN_INVALID": ("登录凭证无效。", "The token is not valid."),
    "TOKEN_EXPIRED": ("登录已过期，请重新登录。", "The token has expired; log in again."),
    "KEY_INVALID": ("接口密钥无效。", "The API key is not valid."),
    "SCOPE_MISSING": ("没有权限：{scope}。", "This needs the scope {scope}."),
    "NOT_A_MEMBER": ("该接口仅限会员使用。", "Only members can do this."),
    "NOT_A_KEY": ("该接口需要接口密钥。", "Only holders of an API key can do this."),
    "SIGNATURE_INVALID": ("签名无效或已过期。", "The signature is wrong or too old."),
    "NOT_FOUND": ("没有找到。", "Not found."),
    "NOT_SEALED_YET": (
        "该笔记录尚未封存，每晚封存一次，请明天再试。",
        "This entry is not sealed yet; that is done every night.",
    ),
    "ROUTE_UNKNOWN": ("没有这个接口。", "There is no such endpoint."),
    "SCOPE_UNKNOWN": ("没有这些权限：{scopes}。", "There are no such scopes: {scopes}."),
    "SCOPE_FOR_STAFF": ("供应商密钥不能拥有该权限。", "A supplier's key cannot have this scope."),
    "OWNER_UNKNOWN": ("密钥归属须为 staff 或供应商编号。", "The owner of a key is `staff` or a supplier id."),
    "SUPPLIER_ID_INVALID": (
        "供应商编号须为 sup_ 加 1 至 26 位小写字母或数字。",
        "A supplier id is sup_ and 1 to 26 lower-case letters or digits.",
    ),
    "MESSAGE_ID_REUSED": ("同一消息编号对应不同内容。", "This message id came before with another body."),
    "URL_REFUSED": (
        "回调地址须为公网 https 地址（443 端口），且不含账号信息。",
        "A webhook URL is https on port 443 of a public host, without credentials in it.",
    ),
    "TOO_MANY_ENDPOINTS": ("回调地址最多 {limit} 个。", "There can be at most {limit} webhook endpoints."),
    "ENDPOINT_NOT_ACTIVE": (
        "该回调地址未启用，无法投递。",
        "Only an active endpoint with a URL can be delivered to.",
    ),
    "EVENT_UNKNOWN": ("不支持的事件类型。", "This type of event is not taken here."),
    "PLATFORM_UNKNOWN": ("不支持该登录平台。", "This login platform is not available."),
    "LOGIN_CODE_INVALID": ("登录码无效，请重新登录。", "The login code is not valid; log in again."),
    "MEMBER_ERASED": ("账号已注销。", "This account has been erased."),
    "PHONE_TAKEN": ("该手机号已绑定其他账号。", "This telephone number belongs to another member."),
    "ID_NUMBER_INVALID": ("身份证号码不正确。", "The identity number is not valid."),
    "IDENTITY_FIXED": ("已完成实名认证，不能更改。", "The identity has been verified and cannot be changed."),
    "IDENTITY_IN_USE": ("该身份已绑定过多账号。", "Too many members have been verified as this person."),
    "IDENTITY_MISMATCH": ("姓名与身份证号码不一致。", "The name and the identity number do not belong together."),
    "VERIFICATION_MISSING": ("暂不支持实名认证。", "Identity verification is not available here."),
    "CARD_CHANGED": ("名片已被修改，请刷新后重试。", "The card has changed meanwhile; read it again."),
    "AUDIENCE_UNKNOWN": ("名片没有该受众的版本。", "The card has no version for this audience."),
    "QUEUE_UNAVAILABLE": ("系统繁忙，请稍后重试。", "The queue did not answer; try again."),
    "INVITER_UNKNOWN": ("邀请人不存在。", "There is no such inviter."),
    "INVITER_SELF": ("不能邀请自己。", "Nobody can invite himself."),
    "INVITER_BOUND": ("已经绑定了邀请人。", "Another inviter has been bound already."),
    "INVITER_TOO_LATE": ("首次付款后不能再绑定邀请人。", "An inviter cannot be bound after the first paid order."),
    "INVITER_HAS_REFERRED": (
        "已邀请过他人，不能再绑定邀请人。",
        "Who has invited others cannot be bound to an inviter.",
    ),
    "PLAN_INVALID": ("方案参数不正确。", "Parameters of the plan are not valid."),
    "PLAN_REFUSED": ("方案未通过合规检查：{checks}。", "The plan does not pass the compliance guard: {checks}."),
    "MARKET_INVALID": ("模拟参数不正确。", "Parameters of the simulated shop are not valid."),
    "ORDERS_UNSORTED": (
        "历史订单须按下单时间排列：{order_id}。",
        "Recorded orders must be sorted by the time of placing: {order_id} is not.",
    ),
    "ORDER_INVALID": (
        "历史订单 {order_id} 自相矛盾，或编号重复。",
        "The recorded order {order_id} contradicts itself, or its id came before.",
    ),
    "SIMULATION_TOO_LARGE": (
        "在线模拟的规模过大，会员数最多 {limit}；更大规模请使用命令行。",
        "Too large for one call, which takes at most {limit} members; use the command for more.",
    ),
    "APPROVAL_INVALID": ("审批须写明审批人与理由。", "An approval needs a name and a reason."),
    "ALARM_CHANGED": ("该警报刚被更新，请重试。", "The alarm has changed meanwhile; try again."),
    "DEBT_SMALLER": ("欠款少于该金额。", "Less than that is owed."),
    "SECOND_PERSON_NEEDED": ("需由另一人审批。", "Another person has to approve."),
    "REASON_MISSING": ("请填写原因。", "A reason is needed."),
    "COUPON_UNKNOWN": ("没有可用的优惠券。", "There is no such coupon to use."),
    "COUPON_USED": ("优惠券已使用或已失效。", "The coupon has been used, or is no longer valid."),
    "SKU_INVALID": ("商品编号不正确。", "The SKU is not well formed."),
    "SKU_TAKEN": ("商品编号已被其他供应商使用。", "Another supplier has these SKUs."),
    "NOT_FOR_SALE": ("部分商品已下架或不存在。", "Some of the products are not for sale."),
    "STOCK_SHORT": ("部分商品库存不足。", "There is not enough of some products."),
    "PRICE_CHANGED": ("部分商品价格已变动，请重新确认。", "The price of some products has changed; ask again."),
    "AMOUNT_TOO_LARGE": ("订单金额过大。", "The amount is too large for one order."),
    "ATTRIBUTION_INVALID": ("名片来源标记无效。", "The attribution is not valid."),
    "QUOTE_INVALID": ("报价无效，请重新获取。", "The quote is not valid; ask for a new one."),
    "QUOTE_EXPIRED": ("报价已过期，请重新获取。", "The quote has expired; ask for a new one."),
    "CHANNEL_UNKNOWN": ("不支持该支付方式。", "This way to pay is not available."),
    "CHANNEL_UNAVAILABLE": ("支付渠道暂时没有响应，请稍后重试。", "The payment channel did not answer; try again."),
    "PAYMENT_MISMATCH": ("支付金额或币种与订单不符。", "Amount or currency differ from the order's."),
    "ORDER_PAID": ("订单已支付。", "The order has been paid."),
    "ORDER_NOT_PAID": ("订单尚未支付。", "The order has not been paid."),
    "ORDER_CANCELLED": ("订单已取消。", "The order has been cancelled."),
    "ORDER_EXPIRED": ("订单已超时关闭。", "The order has expired."),
    "REFUND_EXCEEDS_PAID": ("退款金额超过实付金额。", "This is more than was paid."),
    "REFUND_TOO_MUCH": ("退款数量超过可退数量。", "This is more than can be refunded."),
    "REFUND_TOO_LATE": ("已超过退款期限。", "The time to refund this payment is over."),
    "REFUND_REFUSED": ("支付渠道拒绝退款。", "The payment channel refuses the refund."),
    "REFUND_PENDING": ("退款正在处理中。", "The refund is being worked on."),
    "NOT_SHIPPED": ("订单尚未全部发货。", "Not everything has been shipped."),
    "SUPPLIER_ORDER_CANCELLED": ("该供应商订单已取消。", "This supplier order has been cancelled."),
    "TOO_MANY_PARCELS": ("包裹数量超过上限 {limit}。", "An order has at most {limit} parcels per supplier."),
    "PERIOD_NOT_OVER": ("{period} 尚未结束或尚未入账。", "{period} is not over yet, or not booked to its end."),
    "PERIOD_PAST": ("{period} 已过，只能发起上一个月的结算。", "{period} is past: only the last month can be opened."),
    "PERIOD_INVALID": ("期间不正确。", "This is not a period."),
    "APPROVER_OPENED_IT": ("开立人不能审批同一批次。", "Who opened a payout cannot approve it."),
    "PAYOUT_STILL_OPENING": ("批次仍在生成，请稍后重试。", "The payout is still being listed; try again."),
    "PAYOUT_CLOSED": ("该批次或账期已结束。", "The payout, or its period, is over."),
    "CHANNEL_SPEAKS_ITSELF": (
        "该批次的结果由支付渠道逐笔返回，不能整批确认。",
        "The channel answers for each transfer; they cannot be confirmed as a whole.",
    ),
    "TRANSFER_WAITS": (
        "收款人仍可领取该笔转账，请等待渠道的最终结果。",
        "The payee can still take the transfer; the channel will say how it ended.",
    ),
    "TRANSFER_NOT_FAILED": (
        "渠道尚未确认该笔转账失败或撤销，不能重新发起。",
        "The channel has not said that the transfer failed or was cancelled.",
    ),
    "RETRIED_ALREADY": ("该笔转账已重新发起过。", "The transfer has been retried already."),
    "PAYOUT_NOT_SENT": ("批次尚未发放。", "The payout has not been sent."),
    "PAYOUT_CHANGED": ("批次刚被更新，请重试。", "The payout has changed meanwhile; try again."),
    "TRANSFER_UNKNOWN": ("部分转账单号不属于该批次。", "Some transfer numbers were not sent in this payout."),
    "TAX_TABLE_MISSING": ("{month} 没有适用的税率表。", "No tax table holds for {month}."),
    "FILE_DIFFERS": ("文件已存在且内容不同。", "The file exists with other contents."),
    "STORE_UNAVAILABLE": ("系统繁忙，请稍后重试。", "The store did not answer; try again."),
    "STORE_BUSY": ("系统繁忙，请稍后重试。", "The store is busy; try again."),
}


def text(code: str, facts: dict[str, object], language: str) -> str:
    """What a person reads for `code` in `zh` or `en`."""
    zh, en = TEXTS[code]
    return (en if language == "en" else zh).format_map(facts)


def status_of(error: errors.CardstockError) -> int:
    """The HTTP status of an error's kind."""
    return STATUS[type(error)]
