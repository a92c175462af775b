"""Where outgoing webhooks may go, and where never."""

import ipaddress

import pytest

from cardstock.errors import InvalidError
from cardstock.partners.post import check_url, is_public, parse_networks, post


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fc00::1",
        "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
        "2002:a9fe:a9fe::1", "2002:7f00:1::", "::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
def test_an_address_inside_is_never_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://example.com:8443/", "https://user:pass@example.com/", "https://127.0.0.1/",
        "https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://[::1]/", "ftp://example.com/",
        "https://１２７.0.0.1/", "https:///path", "https://example.com/\n", "https://example.com/#f", "not a url",
        "https://example.com:99999/", "https://127.0.0.1./",
    ],
)  # fmt: skip
def test_a_url_that_could_lead_inside_is_refused(url: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_url(url)

    assert refused.value.code == "URL_REFUSED"


def test_a_name_is_refused_when_one_of_its_addresses_is_inside() -> None:
    outcome = post("https://example.com/", {}, b"{}", resolver=lambda host, port: ["1.1.1.1", "127.0.0.1"])

    assert (outcome.status, outcome.error) == (None, "ADDRESS_REFUSED")


def test_a_name_nobody_knows_is_an_outcome_not_an_exception() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    assert post("https://example.com/", {}, b"{}", resolver=unknown).error == "HOST_UNKNOWN"


def test_an_operator_can_open_a_private_network_and_no_other() -> None:
    allowed = parse_networks("127.0.0.0/8, ::1/128")

    refused = post("http://inside.test:1/", {}, b"{}", allowed=allowed, resolver=lambda host, port: ["10.0.0.1"])

    assert refused.error == "ADDRESS_REFUSED"
