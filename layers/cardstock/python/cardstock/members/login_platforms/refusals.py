"""What the platforms' adapters share: their apps out of the secret, and our refusals for what a platform says."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeVar

import msgspec

from cardstock.errors import Pointer
from cardstock.members import errors
from cardstock.platforms import calls

App = TypeVar("App")

Report = Callable[[str, str, str], None]
"""Called for every call without a usable answer: platform, app id, and cause (`timeout`, `http_502`)."""
MOST_SECONDS: Final = 3600


class Refusals:
    """Our refusals for what one platform says."""

    def __init__(self, platform: str, report: Report) -> None:
        self._platform = platform
        self._report = report

    @contextmanager
    def of(self, app_id: str, field: Literal["login_code", "phone_code"]) -> Iterator[None]:
        """Turns `PlatformError` into a refusal of the members area, about the request's `field`."""
        try:
            yield
        except calls.BadCodeError as error:
            raise errors.LOGIN_CODE_INVALID(pointers=(Pointer(f"/{field}", "INVALID"),)) from error
        except calls.TooOftenError as error:
            raise errors.LOGIN_TOO_OFTEN(retry_after=min(error.retry_after, MOST_SECONDS)) from error
        except calls.BlockedError as error:
            raise errors.LOGIN_BLOCKED() from error
        except calls.NotGrantedError as error:
            raise errors.PHONE_NOT_GRANTED() from error
        except calls.MisconfiguredError as error:
            # The edge logs the cause of what has an alarm.
            named = calls.MisconfiguredError(f"{self._platform} {app_id} {error.cause}")
            raise errors.PLATFORM_MISCONFIGURED() from named
        except calls.UnansweredError as error:
            self._report(self._platform, app_id, error.cause)
            # A number is asked for after the log-in code was used.
            is_unused = field == "login_code" and isinstance(error, calls.BusyError | calls.UnsentError)
            raise (errors.PLATFORM_UNAVAILABLE if is_unused else errors.LOGIN_CODES_USED)() from error


def apps_of(config: Any, kind: type[App]) -> dict[str, App]:
    """The apps of `{"apps": {id: {...}}}`. Raises ValueError, which names the field and shows no value."""
    if not isinstance(config, dict) or set(config) != {"apps"}:
        raise ValueError("a platform has `apps` and nothing else")
    try:
        return msgspec.convert(config["apps"], dict[str, kind])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def app_in(apps: Mapping[str, App], app_id: str) -> App:
    """The app. Raises `InvalidError` (APP_UNKNOWN)."""
    found = apps.get(app_id)
    if found is None:
        raise errors.APP_UNKNOWN(pointers=(Pointer("/app_id", "UNKNOWN"),))
    return found
