from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api.redaction import MAX_TEXT_LENGTH, redact, template_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resource Not Found", "Resource Not Found"),
        ("User is not authorized to perform this operation", "User is not authorized to perform this operation"),
        ("mime type: expected NDJSON", "mime type: expected NDJSON"),
        ("price @ 5 euros", "price @ 5 euros"),
        ("line 17 of 20", "line 17 of 20"),
        ("No user jeanne.d'arc@example.com", "No user <email>"),
        ("No user jeanne@example.com, none", "No user <email>, none"),
        ("<jeanne+crm@example.co.uk>", "<<email>>"),
        ("email_hash=3f2a99c0aa", "email_hash=<value>"),
        ("jeanne%40example.com is unknown", "<email> is unknown"),
        ("token api:abc-DEF_123.x is wrong", "token <token> is wrong"),
        ("Authorization: Bearer eyJhbGci.x.y", "Authorization: <token>"),
        ("GET /v1/x?access_token=abc&uri=1", "GET /v1/x?<token>&uri=<value>"),
        ("hash 5d41402abc4b2a76b9719d911017c592", "hash <hash>"),
        ("Error id = 9d5016ea-6b7b-4c64-bc74-60ba207e3bed.", "Error id = <uuid>."),
        ("value \"Jeanne Dupont\" of 'city' and `x y`", "value <value> of <value> and <value>"),
        ('"jeanne dupont"@example.com', "<email>"),
        ("account crm-0012345 is unknown", "account <id> is unknown"),
        ("phone 0612345678", "phone <id>"),
        ("a@b@example.com", "<email>"),
        ("", ""),
    ],
)
def test_what_may_be_personal_goes_and_the_wording_stays(text: str, expected: str) -> None:
    assert redact(text) == expected


AROUND = st.text(max_size=40) | st.sampled_from(["'", '"', "@", "email=", "mailto:", "x", "<", "(", "\n", "%40", ":"])


@given(AROUND, st.emails(), AROUND)
def test_no_email_survives_wherever_it_stands(before: str, email: str, after: str) -> None:
    assert email not in redact(before + email + after)


@given(AROUND, AROUND)
def test_neither_half_of_an_ordinary_email_survives(before: str, after: str) -> None:
    shown = redact(f"{before}jeanne.dupont@zqx-shop.example{after}")
    assert "jeanne.dupont" not in shown
    assert "zqx-shop" not in shown


LETTERS = string.ascii_letters + string.digits


@given(AROUND, st.text(LETTERS + "-_.~+/=", min_size=8, max_size=80), AROUND)
def test_no_token_with_its_prefix_survives(before: str, secret: str, after: str) -> None:
    assert f"api:{secret}" not in redact(f"{before}api:{secret}{after}")
    assert f"earer {secret}" not in redact(f"{before}Bearer {secret}{after}")


@given(AROUND, st.text(LETTERS + "-_", min_size=12, max_size=80), AROUND)
def test_no_bare_token_survives(before: str, secret: str, after: str) -> None:
    secret += "7"
    assert secret not in redact(before + secret + after)


@given(AROUND, st.uuids(), AROUND)
def test_no_uuid_survives(before: str, uuid: object, after: str) -> None:
    assert str(uuid) not in redact(f"{before}{uuid}{after}")


@given(AROUND, st.binary(min_size=16, max_size=32), AROUND)
def test_no_hash_survives(before: str, digest: bytes, after: str) -> None:
    written = digest.hex()
    # A hash without any digit, or all of one, does not occur.
    if any(character.isdigit() for character in written):
        assert written not in redact(before + written + after)


@given(st.text("abc \t.,", max_size=20).map(lambda text: f'"{text}"'))
def test_no_quoted_value_survives(quoted: str) -> None:
    assert quoted not in redact(f"The value {quoted} is wrong")


@given(st.text(max_size=3000))
def test_a_text_is_cut(text: str) -> None:
    assert len(redact(text)) <= MAX_TEXT_LENGTH + len("...")


@pytest.mark.parametrize("piece", ["a", "a-", "1", "a.", "'", '"', "@", "a@", "=", ": ", "api:", "%", "ab12 "])
def test_the_time_it_takes_does_not_explode_with_the_length(piece: str) -> None:
    """Time that grows with the square of the length would be minutes here; it is some 20 ms."""
    started = time.process_time()
    redact(piece * (300_000 // len(piece)))
    assert time.process_time() - started < 5


def test_errors_that_differ_in_ids_and_numbers_only_have_one_template() -> None:
    texts = [
        f"Line {n}: no profile  for user-{n:06} Error id = 9d5016ea-6b7b-4c64-bc74-60ba207e3be{n}." for n in range(9)
    ]
    assert {template_of(text) for text in texts} == {"Line <n>: no profile for <id> Error id = <uuid>."}
