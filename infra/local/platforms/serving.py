"""The login platforms of this machine behind one address: each under its name, such as `/wechat`.

Beside what the platforms themselves answer:

| Endpoint | What it does |
|---|---|
| `GET /` | the platforms, each with its apps |
| `GET /{platform}/codes?person=anna&phone=&app_id=` | what this person's mini-program would get (below) |
| `POST /{platform}/modes {"modes": ["busy", "stall"]}` | what happens to the platform's next calls, in their order |

The codes are `login_code`, and with a `phone` the `phone_code`; without `app_id` those of the platform's first app.

Apps with their secrets and keys are made once and kept in a file. People need none: any name is one. Codes are kept in
memory, for their five minutes.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.local.platforms.alipay import Alipay, new_app
from infra.local.platforms.douyin import Douyin
from infra.local.platforms.douyin import new_app as new_douyin_app
from infra.local.platforms.people import Asked, LoginPlatform, WrongCallError, json_answer, json_object, pairs
from infra.local.platforms.wechat import Wechat
from infra.local.server import HttpAnswer
from infra.local.small_server import SmallServer

Apps = dict[str, dict[str, dict[str, Any]]]
"""Platform -> app id -> secrets and keys."""


def new_apps() -> Apps:
    """Apps of one developer: two mini-programs of WeChat, a new and an old app of Alipay, one of Douyin."""
    wechat = {f"wx{number:016}": {"secret": secrets.token_hex(16), "developer": "brand"} for number in (1, 2)}
    alipay = {"2021000000000001": new_app("brand"), "2021000000000002": new_app("brand", names="user_id")}
    return {"wechat": wechat, "alipay": alipay, "douyin": {"tt00000001": new_douyin_app("brand")}}


def kept_apps(book: Path | None) -> Apps:
    """The apps of the file, which is made if it is missing."""
    if book is not None and book.exists():
        kept: Apps = json.loads(book.read_text(encoding="utf-8"))
        if kept.keys() >= {"wechat", "alipay", "douyin"}:
            return kept
    else:
        kept = {}
    made = new_apps() | kept
    if book is not None:
        book.touch(mode=0o600)
        book.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return made


class LoginPlatforms:
    """The platforms, and their server."""

    def __init__(self, *, now: Callable[[], datetime], book: Path | None = None) -> None:
        self.apps = kept_apps(book)
        self.by_name: dict[str, LoginPlatform] = {
            "wechat": Wechat(self.apps["wechat"], now),
            "alipay": Alipay(self.apps["alipay"], now),
            "douyin": Douyin(self.apps["douyin"], now),
        }
        self.url = ""
        self._server = SmallServer(self.answer, name="platforms")

    def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve on `port` (0: any free one) in a background thread. Returns the URL."""
        self.url = self._server.start(host=host, port=port)
        return self.url

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer to a request. Raises NoAnswerError and HalfAnswerError, as a platform does."""
        path, _, query = target.partition("?")
        name, _, rest = path.removeprefix("/").partition("/")
        if not name and method == "GET":
            return json_answer({known: list(each.apps) for known, each in self.by_name.items()})
        platform = self.by_name.get(name)
        if platform is None:
            return _refused(404, f"there are {', '.join(self.by_name)}")
        asked = Asked(method, f"/{rest}", query, headers, body)
        try:
            if (method, rest) == ("GET", "codes"):
                return json_answer(_codes(platform, asked))
            if (method, rest) == ("POST", "modes"):
                return json_answer(_modes(platform, asked))
        except WrongCallError as error:
            return _refused(400, str(error))
        return platform.answer(asked)


def _codes(platform: LoginPlatform, asked: Asked) -> dict[str, str]:
    given = pairs(asked.query) or {}
    if not given.get("person") or set(given) - {"person", "app_id", "phone"}:
        raise WrongCallError("?person=NAME is needed; app_id and phone may follow")
    app_id = given.get("app_id") or next(iter(platform.apps))
    found = {"platform": platform.name, "app_id": app_id, "login_code": platform.login_code(app_id, given["person"])}
    if given.get("phone"):
        found["phone_code"] = platform.phone_proof(app_id, given["person"], given["phone"])
    return found


def _modes(platform: LoginPlatform, asked: Asked) -> dict[str, Any]:
    given = json_object(asked) or {}
    modes = given.get("modes")
    if set(given) != {"modes"} or not isinstance(modes, list) or not all(isinstance(mode, str) for mode in modes):
        raise WrongCallError('{"modes": ["busy", ...]} is needed')
    platform.fail_next(modes)
    return {"modes": modes}


def _refused(status: int, message: str) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json"}, json.dumps({"message": message}).encode())
