from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from airflow_provider_mics.api.settings import APISettings, checked_base_url, is_loopback
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

PROXY_NAMES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
CA_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_NAMES, *(name.upper() for name in PROXY_NAMES), *CA_NAMES):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.mediarithmics.com", "https://api.mediarithmics.com"),
        ("https://api.mediarithmics.com/", "https://api.mediarithmics.com"),
        (" https://api.mediarithmics.com/base// ", "https://api.mediarithmics.com/base"),
        ("https://api.mediarithmics.com:8443", "https://api.mediarithmics.com:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://données.example.com", "https://données.example.com"),
        ("http://localhost:8010", "http://localhost:8010"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://127.0.0.1:8010", "http://127.0.0.1:8010"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8010", "http://[::1]:8010"),
    ],
)
def test_https_and_this_machine_are_addresses(url: str, expected: str) -> None:
    assert APISettings(base_url=url).base_url == expected


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.mediarithmics.com", "only over https"),
        ("HTTP://api.mediarithmics.com", "only over https"),
        ("http://0.0.0.0", "only over https"),
        ("http://[::]", "only over https"),
        ("http://192.168.1.1", "only over https"),
        ("http://localhost.evil.example", "only over https"),
        ("http://127.0.0.1.evil.example", "only over https"),
        ("http://2130706433", "only over https"),
        ("ftp://api.mediarithmics.com", "must be an address"),
        ("file:///etc/passwd", "must be an address"),
        ("api.mediarithmics.com", "must be an address"),
        ("https://", "must be an address"),
        ("", "must be an address"),
        ("https://user:s3cret@api.mediarithmics.com", "carries a user name"),
        ("https://s3cret@api.mediarithmics.com", "carries a user name"),
        ("https://:s3cret@api.mediarithmics.com", "carries a user name"),
        ("https://@api.mediarithmics.com", "carries a user name"),
        ("http://localhost@evil.example", "carries a user name"),
        ("https://api.mediarithmics.com\\@evil.example", "carries a user name"),
        ("https://api.mediarithmics.com?token=s3cret", "no [?] or # in it"),
        ("https://api.mediarithmics.com/#s3cret", "no [?] or # in it"),
        ("https://[::1", "not an address"),
        ("https://::1", "not an address"),
        ("https://api.mediarithmics.com:port", "not an address"),
        ("https://api.mediarithmics.com:99999", "not an address"),
        ("https://api..com", "not an address"),
        (f"https://{'a' * 64}.com", "not an address"),
    ],
)
def test_anything_that_tokens_must_not_travel_to_is_refused(url: str, said: str) -> None:
    with pytest.raises(MicsConfigurationError, match=said) as caught:
        checked_base_url(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("::ffff:8.8.8.8", False), ("example.com", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize("name", ["timeout_s", "rate_limit"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), float("-inf")])
def test_numbers_must_be_positive_and_finite(name: str, value: float) -> None:
    with pytest.raises(MicsConfigurationError, match=name.removesuffix("_s")):
        APISettings(**cast("dict[str, Any]", {name: value}))


class TestProxy:
    def test_the_one_of_the_settings_wins_even_for_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://other.example:1")
        monkeypatch.setenv("NO_PROXY", "*")
        settings = APISettings(base_url="https://127.0.0.1", proxy="http://proxy.example:3128")
        assert settings.effective_proxy == "http://proxy.example:3128"

    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({}, None),
            ({"HTTPS_PROXY": "http://proxy.example:3128"}, "http://proxy.example:3128"),
            ({"https_proxy": "http://proxy.example:3128"}, "http://proxy.example:3128"),
            ({"https_proxy": "proxy.example:3128"}, "http://proxy.example:3128"),
            ({"HTTP_PROXY": "http://proxy.example:3128"}, None),
            ({"HTTPS_PROXY": "http://p.example", "NO_PROXY": "mediarithmics.com"}, None),
            ({"HTTPS_PROXY": "http://p.example", "NO_PROXY": "*"}, None),
            ({"HTTPS_PROXY": "http://p.example", "NO_PROXY": "example.com"}, "http://p.example"),
            ({"HTTPS_PROXY": ""}, None),
        ],
    )
    def test_the_environment_s_serves_without_one(
        self, environment: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert APISettings().effective_proxy == expected

    def test_it_is_looked_up_when_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = APISettings()
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
        assert settings.effective_proxy == "http://proxy.example:3128"

    @pytest.mark.parametrize("proxy", ["socks5://user:s3cret@p.example", "http://", "http://[::1", "http://p:x", "?"])
    def test_another_kind_of_proxy_is_refused_and_its_password_not_shown(
        self, proxy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(MicsConfigurationError, match="HTTP proxy") as caught:
            APISettings(proxy=proxy)
        assert "s3cret" not in str(caught.value)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(MicsConfigurationError, match="HTTP proxy"):
            _ = APISettings().effective_proxy

    def test_its_password_is_in_no_repr(self) -> None:
        assert "s3cret" not in repr(APISettings(proxy="http://user:s3cret@proxy.example:3128"))


class TestVerify:
    def test_by_default_the_certificate_is_checked(self) -> None:
        assert APISettings().effective_verify is True

    @pytest.mark.parametrize("name", CA_NAMES)
    def test_a_ca_file_of_the_environment_serves_without_one(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "ca.pem").touch()
        monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
        assert APISettings().effective_verify == str(tmp_path / "ca.pem")

    @pytest.mark.parametrize("own", [False, "own.pem"])
    def test_what_the_settings_say_wins(self, own: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "own.pem").touch()
        (tmp_path / "ca.pem").touch()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        verify = str(tmp_path / own) if own else own
        assert APISettings(verify=verify).effective_verify == verify

    def test_a_file_of_the_environment_that_is_absent_is_passed_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
        assert APISettings().effective_verify is True

    def test_a_file_of_the_settings_that_is_absent_is_an_error(self) -> None:
        with pytest.raises(MicsConfigurationError, match="does not exist here"):
            _ = APISettings(verify="/nowhere/ca.pem").effective_verify
