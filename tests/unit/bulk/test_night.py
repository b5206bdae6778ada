from __future__ import annotations

import datetime as dt

import pendulum
import pytest

from airflow_provider_mics.bulk.night import name_of_night


@pytest.mark.parametrize(
    ("moment", "zone", "night"),
    [
        ("2026-11-23T02:00:00+00:00", "UTC", "2026-11-23"),
        # Two in the morning in Paris is the evening before in New York.
        ("2026-11-23T01:00:00+00:00", "Europe/Paris", "2026-11-23"),
        ("2026-11-23T01:00:00+00:00", "America/New_York", "2026-11-22"),
        ("2026-11-22T23:30:00+00:00", "Europe/Paris", "2026-11-23"),
        # The hour that summer time skips, and the one that it repeats.
        ("2026-03-29T01:30:00+00:00", "Europe/Paris", "2026-03-29"),
        ("2026-10-25T00:30:00+00:00", "Europe/Paris", "2026-10-25"),
        ("2026-12-31T23:00:00+00:00", "Asia/Tokyo", "2027-01-01"),
    ],
)
def test_the_night_is_the_date_in_the_dags_time_zone(moment: str, zone: str, night: str) -> None:
    instant = dt.datetime.fromisoformat(moment)

    assert (
        name_of_night("User profiles from CRM", instant, pendulum.timezone(zone)) == f"User profiles from CRM - {night}"
    )
