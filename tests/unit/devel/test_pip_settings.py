from __future__ import annotations

from devel.pip_settings import uv_environment

LISTED = """\
:env:.cert='/etc/ssl/ca.pem'
global.extra-index-url='https://one.example/simple https://two.example/simple'
global.find-links='/wheels /more wheels'
global.index-url='https://mirror.example/simple'
global.timeout='60'
freeze.timeout='10'
wheel.find-links='/elsewhere'
"""


def test_what_pip_is_told_is_told_to_uv() -> None:
    assert uv_environment(LISTED, {}) == {
        "SSL_CERT_FILE": "/etc/ssl/ca.pem",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/wheels,/more,wheels",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_what_the_user_set_for_uv_stays() -> None:
    environ = {"UV_DEFAULT_INDEX": "https://mine.example", "UV_INDEX_STRATEGY": "first-index"}
    assert not set(uv_environment(LISTED, environ)) & set(environ)


def test_a_later_source_wins_as_in_pip() -> None:
    listed = "global.index-url='https://file.example'\n:env:.index-url='https://environ.example'\n"
    assert uv_environment(listed, {}) == {"UV_DEFAULT_INDEX": "https://environ.example"}


def test_no_settings_say_nothing() -> None:
    assert uv_environment("", {}) == {}
