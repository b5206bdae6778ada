from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from airflow_provider_mics.bulk.mapping import EmailHash
from airflow_provider_mics.bulk.mapping.emails import NORMALIZATIONS
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError
from tests.unit.bulk.mapping.mapped import one

#: Of user@example.com, published at unifiedid.com/docs/getting-started/gs-normalization-encoding.
USER = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"
#: Of janesaoirse@gmail.com and, by mistake as it is, of JANESaoirse@gmail.com: the same page, in base64.
JANE = base64.b64decode("ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8=").hex()
JANE_AS_SHE_IS = base64.b64decode("VpLXEp5N1bj/V1WzjgZsC+FfuYdntAOywSVIO00FD/E=").hex()


def email(normalization: Any = "trim_lower", **others: Any) -> EmailHash:
    return EmailHash("c", **({"algorithm": "sha256", "normalization": normalization} | others))


@pytest.mark.parametrize(
    ("normalization", "address", "published"),
    [
        ("trim_lower", "USER@example.com", USER),
        ("trim_lower", "\t user@Example.com \n", USER),
        ("trim_lower", "JANESaoirse@gmail.com", JANE),
        ("gmail", "USER@example.com", USER),
        ("gmail", "JANESaoirse@gmail.com", JANE),
        ("gmail", "jane.saoirse@gmail.com", JANE),
        ("gmail", " JaneSaoirse+UID2@Gmail.com", JANE),
        ("none", "user@example.com", USER),
        ("none", "JANESaoirse@gmail.com", JANE_AS_SHE_IS),
    ],
)
def test_published_hashes(normalization: str, address: str, published: str) -> None:
    assert one(email(normalization), address) == published


@pytest.mark.parametrize(
    ("normalization", "address", "normalized"),
    [
        # Published at developers.google.com/data-manager/api/devguides/concepts/formatting.
        ("gmail", "cloudy.sanfrancisco+shopping@gmail.com", "cloudysanfrancisco@gmail.com"),
        ("gmail", "user.name+NYC@Example.com", "user.name+nyc@example.com"),
        ("gmail", "Cloudy.SanFrancisco@GoogleMail.com", "cloudysanfrancisco@googlemail.com"),
        ("gmail", "a.b@mail.gmail.com", "a.b@mail.gmail.com"),
        ("gmail", "a.b@notgmail.com", "a.b@notgmail.com"),
        ("trim_lower", " Jean.Dupont+x@GMAIL.com ", "jean.dupont+x@gmail.com"),
        ("trim_lower", "ÉLODIE@example.com", "élodie@example.com"),
        ("none", " Jean@Example.com ", " Jean@Example.com "),
    ],
)
def test_normalizations(normalization: Any, address: str, normalized: str) -> None:
    assert NORMALIZATIONS[normalization](address) == normalized
    assert one(email(normalization), address) == hashlib.sha256(normalized.encode()).hexdigest()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_algorithms(algorithm: str) -> None:
    expected = hashlib.new(algorithm, b"user@example.com").hexdigest()
    assert one(email(algorithm=algorithm), "user@example.com", "other@example.com") == expected


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("change", [str.lower, str.upper, " {} ".format])
@pytest.mark.parametrize("invalid", ["fail", "null"])
def test_a_hash_is_never_hashed(algorithm: str, change: Any, invalid: str) -> None:
    value = change(hashlib.new(algorithm, b"user@example.com").hexdigest())
    with pytest.raises(MicsInputError, match=r"row 1: column c .* is a hash already; map it with Column") as raised:
        one(email(invalid=invalid), value)
    assert value.strip() not in str(raised.value)


@pytest.mark.parametrize("normalization", ["none", "trim_lower", "gmail"])
@pytest.mark.parametrize("value", [None, "", "  ", "\t\n"])
def test_an_empty_address_is_a_null(normalization: str, value: str | None) -> None:
    assert one(email(normalization), value) == "left out"
    assert one(email(normalization, null="null"), value) is None
    with pytest.raises(MicsInputError, match="column c is null"):
        one(email(normalization, null="fail"), value)


@pytest.mark.parametrize("value", ["n/a", "jean.dupont", "@example.com", "jean@", "a@b@c", "jean dupont@example.com"])
def test_what_is_no_address_would_be_shared(value: str) -> None:
    with pytest.raises(MicsInputError, match="must be an e-mail address, but is another text") as raised:
        one(email(), value)
    assert value not in str(raised.value)
    assert one(email(invalid="null"), value, "user@example.com") == "left out"


@pytest.mark.parametrize("value", [12, b"user@example.com", True])
def test_only_text_is_an_address(value: Any) -> None:
    with pytest.raises(MicsInputError, match="must be an e-mail address, but is"):
        one(email(invalid="null"), value)


def test_half_a_character() -> None:
    with pytest.raises(MicsInputError, match="half a character"):
        one(email(), "\ud800@example.com")


@pytest.mark.parametrize("missing", ["algorithm", "normalization"])
def test_nothing_is_assumed(missing: str) -> None:
    arguments = {"algorithm": "sha256", "normalization": "none"}
    del arguments[missing]
    with pytest.raises(TypeError, match=missing):
        EmailHash("c", **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"algorithm": "sha512"}, {"normalization": "lower"}, {"invalid": "omit"}])
def test_words_that_mean_nothing_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(MicsConfigurationError, match=f"{next(iter(wrong))} must be one of"):
        email(**wrong)
