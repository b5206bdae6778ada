from __future__ import annotations

from airflow_provider_mics.bulk.reasons import Reason, describe_reasons, group_reasons
from tests.unit.bulk.executions import execution
from tests.unit.bulk.test_verdict import SAMPLE_MESSAGE

ID = "9d5016ea-6b7b-4c64-bc74-60ba207e3bed"


def test_groups_the_vendors_sample() -> None:
    (reason,) = group_reasons([execution(message=SAMPLE_MESSAGE)])

    assert reason == Reason("No profile id found while upserting a user profile", 4, ID)


def test_errors_that_differ_in_values_only_are_one_reason() -> None:
    message = (
        "1 success, 3 failures\nSaved errors:\n"
        f"Unknown segment 9001 for 'jeanne@example.org' Error id = {ID}.\n"
        f"Unknown segment 9002 for 'paul@example.org' Error id = {ID}.\n"
        f"Something else Error id = {ID}.\n"
    )

    reasons = group_reasons([execution(1, message=message), execution(2, message=message)])

    assert [(reason.text, reason.count) for reason in reasons] == [
        ("Unknown segment <n> for <value>", 4),
        ("Something else", 2),
    ]


def test_texts_of_another_form_are_grouped_by_line() -> None:
    (reason,) = group_reasons([execution(message="Bad line 3.\nBad line 4.\n")])

    assert (reason.text, reason.count, reason.error_id) == ("Bad line <n>.", 2, None)


def test_no_message_no_reason() -> None:
    assert group_reasons([execution(), execution(message="")]) == []


def test_describes_the_commonest_and_counts_the_silent() -> None:
    reasons = [Reason(f"reason {number}", 1) for number in range(12)]

    text = describe_reasons(reasons, rejected=20)

    assert text.startswith("1 x reason 0; 1 x reason 1;")
    assert text.endswith("1 x reason 9; 2 other reasons; 8 x no reason given")
