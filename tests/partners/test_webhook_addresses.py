"""Where outgoing webhooks may go, and where never."""

import ipaddress
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


SPECIAL_V4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
)  # fmt: skip
"""Ranges of the IANA registry that no partner has servers in, written out again: the list of the code may be wrong."""
SPECIAL_V6 = (
    "::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/32",
    "2001::/23", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "4000::/3",
)  # fmt: skip
EMBEDDING = ("::ffff:0:0/96", "64:ff9b::/96")
"""Ranges whose last 32 bits are the IPv4 address that is called."""


def one_of(networks: Sequence[str]) -> st.SearchStrategy[Any]:
    """Any address of these networks, the first and the last ones most of all."""
    found = [ipaddress.ip_network(each) for each in networks]
    return st.one_of(
        *(st.sampled_from((each[0], each[-1])) for each in found),
        *(st.integers(0, each.num_addresses - 1).map(each.__getitem__) for each in found),
    )


@given(one_of(SPECIAL_V4 + SPECIAL_V6))
def test_no_address_of_a_special_range_is_public(address: Any) -> None:
    assert not is_public(address)


@given(one_of(SPECIAL_V4), st.sampled_from(EMBEDDING))
def test_no_special_address_is_public_inside_another(address: Any, range_: str) -> None:
    base = ipaddress.IPv6Network(range_)

    assert not is_public(base[int(address)])


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_is_public_is_public_for_this_python_too(address: Any) -> None:
    if is_public(address):
        inside = getattr(address, "ipv4_mapped", None) or address

        assert (inside.is_global, inside.is_multicast) == (True, False)


@pytest.mark.parametrize("address", ["192.0.0.9", "192.0.0.192", "192.0.0.170", "100.127.255.255", "2002:808:808::1"])
def test_an_address_that_some_pythons_take_for_global_is_refused(address: str) -> None:
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


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "a.localhost", "intranet", "intranet.", "a..example.com", ".example.com", "example.com..", ".",
        f"{'a' * 64}.example.com", f"{'a.' * 125}example.com", "-a.example.com", "a-.example.com", "%65xample.com",
        "exa$mple.com", "example.com:0", "example.com:80", "10.0.0.1", "8.8.8.8", "[2001:4860:4860::8888]",
    ],
)  # fmt: skip
def test_what_the_first_call_would_refuse_is_refused_when_it_is_saved(host: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_url(f"https://{host}/hook")

    assert [(found.pointer, found.code) for found in refused.value.pointers] == [("/url", "URL")]


@pytest.mark.parametrize("host", ["a..b", "-a.test", "partner.test:0", f"{'a' * 64}.test", "exa$mple"])
def test_a_name_that_cannot_be_resolved_is_refused_in_a_private_network_too(host: str) -> None:
    with pytest.raises(InvalidError, match="URL_REFUSED"):
        check_url(f"http://{host}/hook", parse_networks("127.0.0.0/8"))

    check_url("http://localhost:9000/hook", parse_networks("127.0.0.0/8"))


@pytest.mark.parametrize("host", ["example.com", "EXAMPLE.com.", "a_b.example.com:443", "xn--fsqu00a.com", "1a.2b.c3"])
def test_a_name_is_not_resolved_when_it_is_saved(host: str) -> None:
    check_url(f"https://{host}/hook")


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/", "https://192.168.1.1/", "http://169.254.169.254/latest", "http://2130706433/", "http://0x7f000001/",
     "http://[::1]/", "http://127.1/", "https://1.1.1.1/"],
)  # fmt: skip
def test_an_address_outside_the_opened_networks_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(InvalidError, match="URL_REFUSED"):
        check_url(url, parse_networks("127.0.0.0/8"))

    check_url("http://127.0.0.1:9000/hook", parse_networks("127.0.0.0/8"))
    check_url("http://partner.test:9000/hook", parse_networks("127.0.0.0/8"))


def test_a_name_is_refused_when_one_of_its_addresses_is_inside() -> None:
    outcome = post("https://example.com/", {}, b"{}", resolver=lambda host, port: ["1.1.1.1", "127.0.0.1"])

    assert (outcome.status, outcome.error) == (None, "ADDRESS_REFUSED")


def test_a_name_nobody_knows_is_an_outcome_not_an_exception() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    assert post("https://example.com/", {}, b"{}", resolver=unknown).error == "HOST_UNKNOWN"


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://example.com:8443/", "http://example.com:443/", "https://example.com:80/"]
)
@pytest.mark.parametrize("found", [["1.1.1.1"], ["127.0.0.1", "1.1.1.1"]])
def test_outside_of_the_opened_networks_only_https_on_443_is_called(url: str, found: list[str]) -> None:
    outcome = post(url, {}, b"{}", allowed=parse_networks("127.0.0.0/8"), resolver=lambda host, port: found)

    assert (outcome.status, outcome.error) == (None, "ADDRESS_REFUSED")


def test_an_operator_can_open_a_private_network_and_no_other() -> None:
    allowed = parse_networks("127.0.0.0/8, ::1/128")

    refused = post("http://inside.test:1/", {}, b"{}", allowed=allowed, resolver=lambda host, port: ["10.0.0.1"])

    assert refused.error == "ADDRESS_REFUSED"
