from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.addresses import Reach, Refused, checked, is_this_server, origin, reach_of, verdict


@pytest.mark.parametrize(
    ("typed", "tidy"),
    [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("  HTTPS://API.Example.com:8443/V1 ", "https://api.example.com:8443/V1"),
        ("https://api.example.com.", "https://api.example.com"),
        ("https://xn--bcher-kva.example/v1", "https://xn--bcher-kva.example/v1"),
        ("https://[2606:4700::1111]:8443/v1", "https://[2606:4700::1111]:8443/v1"),
    ],
)
def test_a_good_address_is_tidied(typed, tidy):
    assert checked(typed) == tidy
    assert checked(tidy) == tidy


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "api.example.com/v1",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///v1",
        "https://user:secret@api.example.com/v1",
        "https://key@api.example.com",
        "https://api.example.com/v1#frag",
        "https://api.example.com/v1?key=1",
        "https://api.example.com/v1?",
        "https://api.example.com:99999/v1",
        "https://api.example.com:0/v1",
        "https://api.example.com:x/v1",
        "https://[::1/v1",
        "https://exa mple.com/v1",
        "https://example.com\\@evil.example/v1",
        "https://bücher.example/v1",
        "https://example.com/%2e%2e/v1",
        "https://example.com/\r\nx: y",
        "https://example.com/\0",
        "simulator:/groq/openai/v1",
    ],
)
def test_a_bad_address_is_refused_with_a_sentence(typed):
    with pytest.raises(Refused) as refused:
        checked(typed, may_be_local=True, local=True)
    assert str(refused.value).endswith(".") or "..." in str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "0.0.0.0",
        "0",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
    ],
)
def test_metadata_and_link_local_are_always_refused_however_written(host):
    with pytest.raises(Refused, match="metadata"):
        checked(f"http://{host}/v1", may_be_local=True, local=True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "[::1]", "ollama.localhost"])
def test_this_machine_is_for_generic_providers_only(host):
    assert checked(f"http://{host}:11434/v1/", may_be_local=True) == f"http://{host}:11434/v1"
    with pytest.raises(Refused, match="generic"):
        checked(f"http://{host}:11434/v1")


@pytest.mark.parametrize("host", ["10.0.0.5", "192.168.1.4", "172.16.3.3", "[fd12::5]", "nas", "gpu.local"])
def test_a_private_network_wants_to_be_said(host):
    assert checked(f"http://{host}:8000/v1", may_be_local=True, local=True)
    with pytest.raises(Refused, match="local"):
        checked(f"http://{host}:8000/v1", may_be_local=True)
    with pytest.raises(Refused, match="local"):
        checked(f"http://{host}:8000/v1", local=True)


def test_the_way_back_to_this_server_is_known():
    assert is_this_server("http://localhost:8000/v1", "127.0.0.1", 8000)
    assert is_this_server("http://rotation.example/v1", "rotation.example", 80)
    assert is_this_server("https://rotation.example/v1", "rotation.example", 443)
    assert not is_this_server("http://localhost:11434/v1", "127.0.0.1", 8000)
    assert not is_this_server("https://api.example.com:8000/v1", "127.0.0.1", 8000)


def test_an_origin_is_scheme_host_and_port():
    assert origin("https://api.example.com/v1") == origin("https://API.example.com:443/other")
    assert origin("https://api.example.com/v1") != origin("http://api.example.com/v1")
    assert origin("https://api.example.com") != origin("https://api.example.com:8443")
    assert origin("simulator:/groq/openai/v1") == origin("simulator:/openai/v1")


@given(st.ip_addresses())
def test_every_address_has_a_verdict_and_only_global_ones_are_public(address):
    found = verdict(address)
    assert found is not Reach.PUBLIC or address.is_global or getattr(address, "sixtofour", None) is not None


@given(st.text(max_size=60))
def test_no_text_breaks_the_check(text):
    assert isinstance(reach_of(text), Reach)
    try:
        tidy = checked(text)
    except Refused:
        return
    assert checked(tidy) == tidy


def test_wrapped_ipv4_is_judged_as_ipv4():
    assert verdict(ip_address("::ffff:10.0.0.1")) is Reach.PRIVATE
    assert verdict(ip_address("::ffff:8.8.8.8")) is Reach.PUBLIC
    assert verdict(ip_address("64:ff9b::7f00:1")) is Reach.LOOPBACK
