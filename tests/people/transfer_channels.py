"""WeChat Pay and Alipay as we meet them: they check every signature, know every number, and answer as documented.

`trouble` is what happens to the next calls, in their order: the call is lost on its way (`lost`), carried out but its
answer lost (`answer_lost`), or answered with something that must not be believed.
"""

import base64
import json
from collections.abc import Callable
from datetime import timedelta, timezone
from functools import cache
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cardstock.clock import Clock

Trouble: TypeAlias = Literal[
    "fine", "lost", "answer_lost", "server_error", "refused", "too_many", "not_json", "unsigned", "forged", "stale",
    "other_key", "other_number", "unreachable",
]  # fmt: skip
UNBELIEVABLE: tuple[Trouble, ...] = (
    "lost", "answer_lost", "server_error", "refused", "too_many", "not_json", "unsigned", "forged", "stale",
    "other_key", "other_number", "unreachable",
)  # fmt: skip


@cache
def keys(owner: str) -> rsa.RSAPrivateKey:
    """A key pair per owner, made once: it costs 100 ms."""
    return rsa.generate_private_key(65537, 2048)


def private_pem(owner: str) -> str:
    raw = keys(owner).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return raw.decode()


def public_pem(owner: str) -> str:
    raw = (
        keys(owner)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return raw.decode()


def bare(pem: str) -> str:
    """The base64 alone, as Alipay's console shows keys."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


def signed_by(owner: str, message: bytes) -> str:
    return base64.b64encode(keys(owner).sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def check(owner: str, message: bytes, signature: str) -> None:
    """Raises InvalidSignature."""
    public = keys(owner).public_key()
    public.verify(base64.b64decode(signature), message, padding.PKCS1v15(), hashes.SHA256())


def wechat_account(**changed: Any) -> dict[str, Any]:
    return {
        "mch_id": "1900000001",
        "app_id": "wx1234567890abcdef",
        "serial_no": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
        "private_key": private_pem("merchant"),
        "public_key_id": "PUB_KEY_ID_0119000000012026",
        "public_key": public_pem("wechat"),
        "job": "推广员",
        "pay_note": "推广服务佣金",
        **changed,
    }


def alipay_account(**changed: Any) -> dict[str, Any]:
    return {
        "app_id": "2021000000000001",
        "private_key": bare(private_pem("merchant")),
        "public_key": bare(public_pem("alipay")),
        "pay_note": "推广服务佣金",
        **changed,
    }


class _Stranger:
    """What the two have in common."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.trouble: list[Trouble] = []
        self.calls: list[str] = []
        self.transport = httpx.MockTransport(self._meet)

    def _meet(self, request: httpx.Request) -> httpx.Response:
        trouble = self.trouble.pop(0) if self.trouble else "fine"
        if trouble == "unreachable":
            raise httpx.ConnectError("refused", request=request)
        if trouble == "lost":
            raise httpx.ConnectTimeout("late", request=request)
        if trouble in ("server_error", "refused", "too_many"):
            status, code = {
                "server_error": (500, "SYSTEM_ERROR"), "refused": (400, "INVALID_REQUEST"),
                "too_many": (429, "FREQUENCY_LIMITED"),
            }[trouble]  # fmt: skip
            self.calls.append(trouble)
            return httpx.Response(status, json={"code": code, "message": "..."})
        if trouble == "not_json":
            self.calls.append(trouble)
            return httpx.Response(200, content=b"<html>")
        response = self.answer(request, trouble)
        if trouble == "answer_lost":
            raise httpx.ReadTimeout("late", request=request)
        return response

    def answer(self, request: httpx.Request, trouble: Trouble) -> httpx.Response:
        raise NotImplementedError


class Wechat(_Stranger):
    """`states` says how a bill of a number stands; `WAIT_USER_CONFIRM` if it says nothing."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.bills: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.first_state = "WAIT_USER_CONFIRM"
        self.reasons: dict[str, str] = {}
        self.beyond_retry: set[str] = set()
        """Numbers that were refused when they were new, and whose time to be submitted again is over."""
        self.moved: dict[str, int] = {}
        """What reached payees, in fen: more than once for a number would be money lost."""

    def answer(self, request: httpx.Request, trouble: Trouble) -> httpx.Response:
        self._check(request)
        path = request.url.path
        base = "/v3/fund-app/mch-transfer/transfer-bills"
        if (request.method, path) == ("POST", base):
            # The gateway takes JSON alone, and reads it as UTF-8 whatever the header says.
            assert request.headers["content-type"].partition(";")[0] == "application/json"
            self.calls.append("transfer")
            status, body = self._transfer(json.loads(request.content.decode("utf-8")))
        else:
            number = path.removeprefix(f"{base}/out-bill-no/").removesuffix("/cancel")
            if number not in self.bills:
                self.calls.append("unknown")
                return self._said(404, {"code": "NOT_FOUND", "message": "记录不存在"}, trouble)
            if path.endswith("/cancel"):
                assert request.method == "POST"
                assert request.content == b""
                self.calls.append("cancel")
                status, body = self._cancel(number)
            else:
                assert request.method == "GET"
                self.calls.append("query")
                status, body = 200, self._bill(number)
        return self._said(status, body, trouble)

    def _check(self, request: httpx.Request) -> None:
        scheme, _, rest = request.headers["authorization"].partition(" ")
        parts = dict(part.split("=", 1) for part in rest.split(","))
        given = {name: value.strip('"') for name, value in parts.items()}
        account = wechat_account()

        assert scheme == "WECHATPAY2-SHA256-RSA2048"
        assert set(given) == {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
        assert (given["mchid"], given["serial_no"]) == (account["mch_id"], account["serial_no"])
        assert abs(int(given["timestamp"]) - self.clock.now().timestamp()) <= 300
        assert request.headers["accept"] == "application/json"
        assert request.headers["user-agent"]
        assert request.headers["wechatpay-serial"] == account["public_key_id"]
        target = request.url.raw_path.decode()
        message = f"{request.method}\n{target}\n{given['timestamp']}\n{given['nonce_str']}\n".encode()
        check("merchant", message + request.content + b"\n", given["signature"])

    def _transfer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        number = body["out_bill_no"]
        if number not in self.bills and number in self.beyond_retry:
            return 400, {"code": "INVALID_REQUEST", "message": "对应单号已超出重试期,请查单确认后决定是否换单请求"}
        infos = body["transfer_scene_report_infos"]
        assert number.isalnum()
        assert len(number) <= 32
        assert body["appid"] == wechat_account()["app_id"]
        assert body["transfer_scene_id"] == "1005"
        assert [info["info_type"] for info in infos] == ["岗位类型", "报酬说明"]
        assert all(1 <= len(info["info_content"]) <= 32 for info in infos)
        assert 1 <= len(body["transfer_remark"]) <= 32
        assert body["transfer_amount"] >= 10
        assert ("user_name" in body) is (body["transfer_amount"] >= 200_000)
        if "user_name" in body:
            oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
            name = keys("wechat").decrypt(base64.b64decode(body.pop("user_name")), oaep).decode()
            assert self.names.setdefault(number, name) == name
        if self.bills.setdefault(number, body) != body:
            return 400, {"code": "INVALID_REQUEST", "message": "商户单号已存在，参数不一致"}
        self._settle(number)
        shown = {name: self._bill(number)[name] for name in ("out_bill_no", "transfer_bill_no", "create_time", "state")}
        if shown["state"] == "WAIT_USER_CONFIRM":
            shown["package_info"] = f"package/{number}=="
        if shown["state"] == "FAIL":
            shown["fail_reason"] = self.reasons.get(number, "ACCOUNT_FROZEN")
        return 200, shown

    def _cancel(self, number: str) -> tuple[int, dict[str, Any]]:
        if self.states.get(number, self.first_state) not in (
            "WAIT_USER_CONFIRM",
            "ACCEPTED",
            "PROCESSING",
            "CANCELING",
        ):
            return 400, {"code": "INVALID_REQUEST", "message": "当前状态不允许撤销"}
        self.states[number] = "CANCELING"
        return 200, {
            "out_bill_no": number, "transfer_bill_no": f"wx{number}", "state": "CANCELING",
            "update_time": "2026-12-01T12:00:00+08:00",
        }  # fmt: skip

    def _settle(self, number: str) -> None:
        if self.states.get(number, self.first_state) == "SUCCESS" and number not in self.moved:
            self.moved[number] = self.bills[number]["transfer_amount"]

    def _bill(self, number: str) -> dict[str, Any]:
        self._settle(number)
        state = self.states.get(number, self.first_state)
        bill = {
            "mch_id": wechat_account()["mch_id"],
            "out_bill_no": number,
            "transfer_bill_no": f"wx{number}",
            "appid": wechat_account()["app_id"],
            "state": state,
            "transfer_amount": self.bills[number]["transfer_amount"],
            "transfer_remark": self.bills[number]["transfer_remark"],
            "openid": self.bills[number]["openid"],
            "create_time": "2026-12-01T11:00:00+08:00",
            "update_time": "2026-12-01T12:00:00+08:00",
        }
        return bill | ({"fail_reason": self.reasons.get(number, "ACCOUNT_FROZEN")} if state == "FAIL" else {})

    def _said(self, status: int, body: dict[str, Any], trouble: Trouble) -> httpx.Response:
        if trouble == "other_number":
            body = {**body, "out_bill_no": "0" * 32, "state": "SUCCESS"}
        raw = json.dumps(body, ensure_ascii=False).encode()
        moment = self.clock.now() - (timedelta(minutes=6) if trouble == "stale" else timedelta(0))
        timestamp, nonce = str(int(moment.timestamp())), "c5ac7061fccab6bf3e254dcf98995b8c"
        signature = signed_by(
            "stranger" if trouble == "forged" else "wechat", f"{timestamp}\n{nonce}\n".encode() + raw + b"\n"
        )
        serial = "PUB_KEY_ID_OF_ANOTHER" if trouble == "other_key" else wechat_account()["public_key_id"]
        headers = {
            "Wechatpay-Timestamp": timestamp, "Wechatpay-Nonce": nonce, "Wechatpay-Signature": signature,
            "Wechatpay-Serial": serial,
        }  # fmt: skip
        return httpx.Response(status, content=raw, headers={} if trouble == "unsigned" else headers)


class Alipay(_Stranger):
    """`states` says how the transfer of a number stands (`SUCCESS` if it says nothing); `refusals` has a `sub_code` for
    numbers whose transfer is refused without being remembered."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.transfers: dict[str, dict[str, Any]] = {}
        self.states: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        self.moved: dict[str, str] = {}

    def answer(self, request: httpx.Request, trouble: Trouble) -> httpx.Response:
        # As the gateway does: the URL's charset decides, whatever the body says of itself; without one it is GBK.
        assert request.method == "POST"
        assert request.headers["content-type"].partition(";")[0] == "application/x-www-form-urlencoded"
        charset = request.url.params.get("charset", "gbk")
        given = dict(
            parse_qsl(request.content.decode("ascii"), strict_parsing=True, encoding=charset, errors="replace")
        )
        message = "&".join(f"{name}={given[name]}" for name in sorted(given) if name != "sign" and given[name])
        try:
            check("merchant", message.encode(given["charset"], "replace"), given["sign"])
        except InvalidSignature:
            self.calls.append("invalid_signature")
            refused = {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
            return self._said(f"{given['method'].replace('.', '_')}_response", refused, trouble)
        beijing = self.clock.now().astimezone(timezone(timedelta(hours=8)))
        assert given["timestamp"] == beijing.strftime("%Y-%m-%d %H:%M:%S")
        assert (given["app_id"], given["sign_type"], given["charset"]) == ("2021000000000001", "RSA2", "utf-8")
        content = json.loads(given["biz_content"])
        assert (content["product_code"], content["biz_scene"]) == ("TRANS_ACCOUNT_NO_PWD", "DIRECT_TRANSFER")
        handle: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "alipay.fund.trans.uni.transfer": self._transfer,
            "alipay.fund.trans.common.query": self._query,
        }
        self.calls.append(given["method"].rpartition(".")[2])
        return self._said(f"{given['method'].replace('.', '_')}_response", handle[given["method"]](content), trouble)

    def _transfer(self, content: dict[str, Any]) -> dict[str, Any]:
        number = content["out_biz_no"]
        if number in self.refusals:
            return {"code": "40004", "msg": "Business Failed", "sub_code": self.refusals[number], "sub_msg": "..."}
        # What new merchants' transfers are refused without.
        assert content["transfer_scene_name"] == "佣金报酬"
        (info,) = content["transfer_scene_report_infos"]
        assert info["info_type"] == "佣金报酬说明"
        assert info["info_content"]
        assert content["payee_info"]["name"]
        assert content["order_title"]
        if self.transfers.setdefault(number, content) != content:
            return {"code": "40004", "msg": "Business Failed", "sub_code": "REQUEST_INCONSISTENT", "sub_msg": "..."}
        state = self.states.get(number, "SUCCESS")
        self._settle(number)
        return {"code": "10000", "msg": "Success", "out_biz_no": number, "order_id": f"al{number}", "status": state}

    def _query(self, content: dict[str, Any]) -> dict[str, Any]:
        number = content["out_biz_no"]
        if number not in self.transfers:
            return {
                "code": "40004",
                "msg": "Business Failed",
                "sub_code": "ORDER_NOT_EXIST",
                "sub_msg": "转账订单不存在",
            }
        self._settle(number)
        found = {"code": "10000", "msg": "Success", "out_biz_no": number, "order_id": f"al{number}"}
        found |= {"status": self.states.get(number, "SUCCESS"), "trans_amount": self.transfers[number]["trans_amount"]}
        return found | ({"error_code": "PAYEE_CARD_INFO_ERROR"} if found["status"] == "FAIL" else {})

    def _settle(self, number: str) -> None:
        if self.states.get(number, "SUCCESS") == "SUCCESS":
            self.moved.setdefault(number, self.transfers[number]["trans_amount"])

    def _said(self, node: str, body: dict[str, Any], trouble: Trouble) -> httpx.Response:
        if trouble == "other_number":
            body = {**body, "code": "10000", "out_biz_no": "0" * 32, "status": "SUCCESS"}
        # As it comes: escaped slashes and spaces are part of what is signed.
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ": ")).replace("/", "\\/").encode()
        owner = {"forged": "stranger", "other_key": "wechat"}.get(trouble, "alipay")
        signature = json.dumps(signed_by(owner, raw)).encode()
        if trouble == "stale":  # Alipay's answers carry no time: an old one is one about another call.
            node = "alipay_trade_query_response"
        signed = b"" if trouble == "unsigned" else b',"sign":' + signature
        return httpx.Response(200, content=b'{"' + node.encode() + b'":' + raw + signed + b"}")
