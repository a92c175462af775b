"""What the SDK does for a call that moto answers, without what moto does not read.

botocore chooses an endpoint by rules, describes the client twice in a header and signs: a third of its time per call.
moto reads the address, the target and whose key it is. Calls that leave this process are botocore's own.

Each of a process's sessions would read the services' models from its files: here all share one reader of them.
"""

from functools import cache
from typing import Any

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.endpoint import Endpoint
from botocore.loaders import create_loader
from botocore.regions import EndpointRulesetResolver
from botocore.useragent import UserAgentString
from moto.core.models import botocore_stubber

from tests.house.swaps import swap

_SIGNED = "AWS4-HMAC-SHA256 Credential=testing/20261201/ap-east-1/service/aws4_request, SignedHeaders=host, Signature=0"

_botocore_creates = Endpoint.create_request
_botocore_constructs = EndpointRulesetResolver.construct_endpoint
_botocore_describes = UserAgentString.to_string


def _is_ours(operation_model: Any) -> bool:
    """Whether moto answers, and the body alone says what is asked."""
    return bool(botocore_stubber.enabled and operation_model and operation_model.service_model.protocol == "json")


def _create(endpoint: Endpoint, params: dict[str, Any], operation_model: Any = None) -> Any:
    if not _is_ours(operation_model) or not isinstance(params["body"], bytes):
        return _botocore_creates(endpoint, params, operation_model)
    headers = HeadersDict(params["headers"])
    headers["Authorization"] = _SIGNED
    return AWSPreparedRequest(params["method"], params["url"], headers, params["body"], stream_output=False)


def _construct(resolver: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
    if not _is_ours(operation_model):
        return _botocore_constructs(resolver, operation_model, call_args, request_context)
    known = vars(resolver).setdefault("constructed", {})
    if operation_model.name not in known:
        known[operation_model.name] = _botocore_constructs(resolver, operation_model, call_args, request_context)
    return known[operation_model.name]


def _describe(agent: Any) -> str:
    if not botocore_stubber.enabled:
        return str(_botocore_describes(agent))
    known = vars(agent)
    if "described" not in known:
        known["described"] = _botocore_describes(agent)
    return str(known["described"])


def pytest_configure() -> None:
    """From the first call on."""
    swap(Endpoint, "create_request", _create)
    swap(EndpointRulesetResolver, "construct_endpoint", _construct)
    swap(UserAgentString, "to_string", _describe)
    swap(botocore.session, "create_loader", cache(create_loader))
