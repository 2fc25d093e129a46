"""JUnit XML: what fails, what passes, and that it is valid XML for any text of an estate."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.reports.formats.junit import junit_xml
from migrate.reports.report import ItemDetail, Report, ReportItem
from tests.reports.hostile import HOSTILE, hostile
from tests.reports.sample_reports import equal, reports


def suite(report: Report) -> ElementTree.Element:
    found = ElementTree.fromstring(junit_xml(report).encode("utf-8")).find("testsuite")
    assert found is not None
    return found


def results(report: Report) -> dict[str, list[str]]:
    """Test case -> the tags below it."""
    return {case.get("name", ""): [child.tag for child in case] for case in suite(report).iter("testcase")}


def test_each_difference_fails_and_the_rest_passes() -> None:
    found = results(reports()["diff"])
    assert found["Gardener [asst_1 -> office-gardener] changed"] == ["failure"]
    assert found["16 of 17 assistants as expected"] == []
    assert found["thread * on the right: this service lists no threads"] == ["error"]


def test_the_numbers_are_those_of_the_cases() -> None:
    for report in reports().values():
        found = suite(report)
        for child, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(found.get(attribute, "-1")) == len(found.findall(f"testcase/{child}"))
        assert int(found.get("tests", "-1")) == len(found.findall("testcase"))


def test_a_message_names_the_fields_and_the_body_the_words() -> None:
    failure = suite(reports()["diff"]).find("testcase/failure")
    assert failure is not None
    assert (
        failure.get("message") == "changed: instructions, temperature, tools[function:water].function.strict"
    )
    assert "[-one sentence-]{+at most two short sentences+}" in (failure.text or "")


def test_an_accepted_loss_is_skipped_and_an_adapted_one_passes() -> None:
    cases = list(suite(reports()["assess"]).iter("testcase"))
    tags = [(case.get("name"), [child.tag for child in case]) for case in cases]
    assert ("Gardener [asst_1] lost", ["failure"]) in tags
    assert ("Gardener [asst_1] lost", ["skipped"]) in tags
    assert ("Gardener [asst_1] adapted", ["system-out"]) in tags


def test_no_difference_is_a_passing_case_and_not_an_empty_file() -> None:
    assert results(equal()) == {"17 of 17 assistants as expected": []}


def test_hostile_text_is_text() -> None:
    found = suite(hostile())
    assert {e.tag for e in found.iter()} == {"testsuite", "testcase", "failure", "error", "system-out"}
    names = " ".join(case.get("name", "") for case in found.iter("testcase"))
    assert HOSTILE[0] in names
    assert "\\x1b[31mred" in names
    assert "\\ud800" in names


characters = st.text(
    st.characters() | st.sampled_from("\x00\x08\x0b\x1b\x7f\x85\ud800\udfff\ufffe\uffff]]>&<\r\n")
)


@given(characters, characters)
def test_any_text_gives_valid_xml(one: str, other: str) -> None:
    details = (ItemDetail(one, other, one, other, one), ItemDetail("instructions", one, other))
    item = ReportItem("differences", "changed", one, other, one, other, one, "warning", details, other, one)
    report = Report("diff", one, one, other, False, other, items=(item,), gaps=(one,), notes=(other,))
    assert len(list(suite(report).iter("testcase"))) == 2


@pytest.mark.parametrize("name", ["diff", "assess", "plan", "verify"])
def test_a_case_is_reported_once(name: str) -> None:
    cases = [
        (c.get("classname"), c.get("name"), [e.tag for e in c])
        for c in suite(reports()[name]).iter("testcase")
    ]
    assert len(cases) == len({str(case) for case in cases})
