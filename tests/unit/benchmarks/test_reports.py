"""What benchmarks make of their figures."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from benchmarks import imports
from benchmarks.measuring import Spread, ratios
from benchmarks.others import figures, targets
from benchmarks.picture import draw


def test_a_ratio_is_taken_in_each_round() -> None:
    assert ratios([2, 40, 3], [1, 10, 3]) == Spread(2, 1, 4)
    assert ratios([2, 40, 3], [1, 10, 3]).text() == "2.00 (1.00 - 4.00)"


@pytest.mark.parametrize(
    ("line", "target", "measured", "met"),
    [
        ("  -> 5.9 times as fast as json.loads + the same checks; target 5: reached", "5", "5.9", True),
        ("  -> 3.66 times as long as split -C, its copy; target 1.8: MISSED", "1.8", "3.66", False),
        ("lag p99, ms: 3.10 (target 10, met)", "10", "3.10", True),
        ("list calls an interval: 110.0 (target 100, missed)", "100", "110.0", False),
        ("tracking.py: 30.1 ms, 22.0 of them Airflow's own, 8.1 ours (target: 10, met)", "10", "8.1", True),
    ],
)
def test_a_report_says_whether_a_target_is_met(line: str, target: str, measured: str, *, met: bool) -> None:
    (found,) = targets(f"Profiles, 5 MB; grown by 1 MB\n{line}\n", "X1")

    assert (found["id"], found["target"], found["measured"], found["met"]) == ("X1", target, measured, met)
    assert str(found["what"]).startswith("Profiles, 5 MB: ")


def test_all_public_modules_have_a_target_beside_the_example_dags(capsys: pytest.CaptureFixture[str]) -> None:
    done = imports.subjects(None)
    for subject in done:
        subject.ms = [{imports.ON_PARSING: 15.0, imports.FLOOR: 3.5}.get(subject.name, 20.0)]

    assert imports.report(done)

    found = targets(capsys.readouterr().out, "I1")
    assert len(found) == len(imports.EXAMPLES) + 1
    assert found[-1] == {
        "id": "I1",
        "what": "Beyond airflow.sdk: all public modules without triggers: 15.0 ms, 3.5 of them Airflow's own",
        "target": "10",
        "measured": "11.5",
        "met": False,
    }


def test_the_last_table_of_waits_is_shown() -> None:
    table = (
        "\n{} waits over 100 imports, looked at every 30 s\n| kind | requests |\n| shared | {} | 1 |\n| asleep | 0 |\n"
    )

    assert figures(table.format(1000, 90) + table.format(10000, 100)) == {
        "10000 waits over 100 imports: requests, an interval|this provider": 100
    }
    assert figures("nothing of the kind") == {}


def test_the_picture_has_a_bar_for_each_figure() -> None:
    root = ET.fromstring(draw({"Time, s|this provider": 1.5, "Time, s|a < b & c": 3, "Memory, MB|curl": 1234}))  # noqa: S314 - our own

    bars = [element for element in root if element.tag.endswith("rect")]
    texts = [element.text for element in root if element.tag.endswith("text")]
    assert [2 * float(bar.attrib["width"]) for bar in bars[:2]] == [
        float(bars[1].attrib["width"]),
        2 * float(bars[1].attrib["width"]),
    ]
    assert "a < b & c" in texts
    assert "1,234 MB" in texts
