"""`schedule.yaml`: without it everything runs as usual; a mistake in it is said with its field and its remedy."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from graph.errors import InputError
from graph.settings import Settings
from workbench.reports.catalogue import REPORTS
from workbench.schedule import jobs
from workbench.schedule.settings import JobPlan, Plan, ReportPlan, WatchPlan, read

SOME = """
jobs:
  rings: {enabled: false}
  alerts: {at: "03:15"}
reports:
  daily:
    to: [risk@lender.example, risk@lender.example, ann@lender.example]
    languages: [en]
    formats: [html, pdf]
watch: {reveals: 5}
"""


def plan(folder: Path, text: str) -> Plan:
    (folder / "schedule.yaml").write_text(text, encoding="utf-8")
    there = Settings.read({"RINGROAD_HOME": str(folder)})
    return read(there, jobs=["rings", "alerts"], reports=["daily"])


def test_what_it_says(tmp_path: Path) -> None:
    found = plan(tmp_path, SOME)
    assert found.job("rings") == JobPlan(enabled=False)
    assert found.job("alerts") == JobPlan(at=time(3, 15))
    assert found.job("other") == JobPlan()
    assert found.report("daily") == ReportPlan(("risk@lender.example", "ann@lender.example"), ("en",), ("html", "pdf"))
    assert found.watch == WatchPlan(reveals=5)


@pytest.mark.parametrize("text", ["", "jobs:\n", "# nothing\n", "reports:\n  daily:\n"])
def test_what_it_leaves_out_is_as_usual(tmp_path: Path, text: str) -> None:
    found = plan(tmp_path, text)
    assert (found.job("rings"), found.report("daily"), found.watch) == (JobPlan(), ReportPlan(), WatchPlan())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("job: {}", "there is no job; there are jobs, reports, watch"),
        ("jobs: {ring: {}}", "there is no jobs.ring; there are alerts, rings"),
        ("jobs: [rings]", "jobs is no section"),
        ("jobs: {rings: {of: true}}", "there is no jobs.rings.of; there are at, enabled"),
        ("jobs: {rings: {enabled: 1}}", "jobs.rings.enabled is neither true nor false"),
        ("jobs: {rings: {at: 6:30}}", 'jobs.rings.at is no time of day; write it in quotation marks, "06:30"'),
        ('jobs: {rings: {at: "24:00"}}', "jobs.rings.at is no time of day"),
        ("reports: {weekly: {}}", "there is no reports.weekly; there are daily"),
        ("reports: {daily: {to: risk@lender.example}}", "reports.daily.to is no list"),
        ("reports: {daily: {to: [risk@lender.example, secret name]}}", "number 2 of reports.daily.to is no mail"),
        ('reports: {daily: {to: ["a@b.example\\nBcc: c@d.example"]}}', "number 1 of reports.daily.to is no mail"),
        ("reports: {daily: {languages: []}}", "reports.daily.languages is no list of zh, en"),
        ("reports: {daily: {formats: [docx]}}", "reports.daily.formats is no list of pdf, html, csv, xlsx"),
        ("watch: {reveals: 0}", "watch.reveals is no whole number"),
        ("watch: {exports: true}", "watch.exports is no whole number"),
        ("jobs: {rings: ", "is no YAML near line 1"),
        ("[" * 5000, "is no YAML"),
        ("x" * 300_000, "has more than 256,000 bytes"),
        ("- a", "the file is no section"),
    ],
)
def test_a_mistake_is_said_with_what_would_be_right(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        plan(tmp_path, text)
    assert says in refused.value.message
    assert refused.value.message.startswith("schedule.yaml")
    assert "secret" not in refused.value.message
    assert "Bcc" not in refused.value.message


def test_more_recipients_than_a_letter_each_is_meant_for_are_refused(tmp_path: Path) -> None:
    many = ", ".join(f"a{at}@lender.example" for at in range(51))
    with pytest.raises(InputError, match="51 addresses; 50 at most"):
        plan(tmp_path, f"reports: {{daily: {{to: [{many}]}}}}")


def test_every_report_has_a_job_and_the_lender_s_own_time_counts(tmp_path: Path) -> None:
    (tmp_path / "schedule.yaml").write_text('jobs: {report-daily: {at: "08:05"}, rings: {enabled: false}}')
    found, there = jobs.read(Settings.read({"RINGROAD_HOME": str(tmp_path)}))
    by_name = {job.name: job for job in there}
    assert {f"report-{name}" for name in REPORTS} <= by_name.keys()
    assert by_name["report-daily"].at == time(8, 5)
    assert all(by_name[f"report-{name}"].cadence is kind.cadence for name, kind in REPORTS.items())
    assert not found.job("rings").enabled
    assert [job.name for job in there][:2] == ["rings", "alerts"]
    assert all(len(job.name) <= 32 for job in there)
