"""The hook's methods about what an organisation has, against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsAuthenticationError, MicsConfigurationError, MicsNotFoundError
from airflow_provider_mics.hooks.mics import MicsHook

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.hooks.conftest import SetConnection


@pytest.fixture
def hook(set_connection: SetConnection) -> MicsHook:
    set_connection()
    return MicsHook()


def test_segments(hook: MicsHook) -> None:
    found = hook.find_audience_segment("vip")
    assert found is not None
    assert (found.id, found.name, found.type, found.feed_type) == ("9001", "Very important", "USER_LIST", "FILE_IMPORT")
    assert hook.get_audience_segment("9001") == found
    assert hook.find_audience_segment("VIP") is None
    assert [item.id for item in hook.list_audience_segments().items] == ["9001", "9002", "9003"]
    page = hook.list_audience_segments(first_result=1, max_results=1)
    assert ([item.id for item in page.items], page.total) == (["9002"], 3)
    with pytest.raises(MicsNotFoundError):
        hook.get_audience_segment("1")


def test_compartments_channels_and_processings(hook: MicsHook) -> None:
    assert [item.compartment_id for item in hook.list_compartments().items] == ["1000", "1201"]
    assert [item.compartment_id for item in hook.list_compartments(first_result=1, max_results=1).items] == ["1201"]
    (default,) = hook.list_compartments(default=True).items
    assert (default.compartment_id, default.id, default.default) == ("1000", "41", True)
    assert [item.domain for item in hook.list_channels().items] == ["shop.example.com", None]
    assert [item.type for item in hook.list_channels(first_result=1, max_results=1).items] == ["MOBILE_APPLICATION"]
    assert [item.technical_name for item in hook.list_processings().items] == ["newsletter", "targeted_ads"]
    assert [item.id for item in hook.list_processings(first_result=1, max_results=1).items] == ["451"]
    assert hook.list_processings(community_id="77").items == ()
    assert hook.get_processing("450").legal_basis == "CONSENT"
    with pytest.raises(MicsNotFoundError):
        hook.get_processing("1")


def test_labels(hook: MicsHook) -> None:
    import_id = str(hook.create_document_import(document_type="USER_PROFILE", name="Profiles").id)
    hook.create_document_import(document_type="USER_PROFILE", name="Others")
    label = hook.create_label("crm, nightly")
    assert [item.name for item in hook.list_labels().items] == ["nightly", "crm", "crm, nightly"]
    assert hook.list_labels(first_result=2, max_results=1).items == (label,)
    for _ in range(2):
        hook.label_document_import(import_id, str(label.id))
    labelled = hook.list_document_imports(label_ids=[str(label.id)])
    assert [item.id for item in labelled.items] == [import_id]
    hook.unlabel_document_import(import_id, str(label.id))
    assert hook.list_document_imports(label_ids=[str(label.id)]).items == ()


def test_api_tokens(set_connection: SetConnection, hook: MicsHook, monkeypatch: pytest.MonkeyPatch) -> None:
    masked: list[Any] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", masked.append)
    made = hook.create_api_token("nightly")
    assert made.value is not None
    assert made.value in masked
    assert made.value not in repr(made)
    (listed,) = hook.list_api_tokens().items
    assert (listed.id, listed.name, listed.value, listed.expires_at) == (made.id, "nightly", None, made.expires_at)
    set_connection(password=made.value)
    replaced = MicsHook()
    assert replaced.get_datamart().id == "1509"
    hook.revoke_api_token(str(made.id))
    with pytest.raises(MicsAuthenticationError):
        replaced.get_datamart()
    assert hook.list_api_tokens().items == ()
    for ask in (hook.list_api_tokens, lambda **who: hook.revoke_api_token("7001", **who)):
        with pytest.raises(MicsNotFoundError):
            ask(user_id="12")


def test_an_organisation_of_the_connection_is_not_asked_for(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection(extra={"datamart_id": "1509", "organisation_id": "1426"})
    assert MicsHook().find_audience_segment("vip") is not None
    assert sandbox.count("get_datamart") == 0
    set_connection(extra={"organisation_id": "1426"})
    with pytest.raises(MicsConfigurationError, match="No datamart is named"):
        MicsHook().find_audience_segment("vip")
