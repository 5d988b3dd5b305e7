"""The report and the shell: whole, without a network, in both languages, on empty warehouses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go
import pytest
from sample_tables import DAY, publish

from dashboards.app import make_app, shown
from dashboards.nodes import charts_of, text_of
from dashboards.pages.book import PAGES
from dashboards.pages.context import Context
from dashboards.report import report_html, write_report
from dashboards.warehouse import READABLE
from jobs.runtime.errors import UsageError


class Reader(HTMLParser):
    """What a browser would fetch, and the ids, charts and words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.figures: list[dict[str, object]] = []
        self._takes = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.fetched += [given[key] for key in ("src", "srcset", "data", "poster", "action") if key in given]
        self.links += [given["href"]] if "href" in given else []
        self.fetched += [given["href"]] if tag == "link" else []
        self.ids += [given["id"]] if "id" in given else []
        self._takes = given.get("data-chart", "") if tag == "script" else ""

    def handle_data(self, data: str) -> None:
        if self._takes:
            self.figures.append(json.loads(data))
            self._takes = ""


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_the_report_is_one_file_that_fetches_nothing(filled: Path, conf_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "index.html"
    write_report(filled, conf_dir, out)
    html = out.read_text(encoding="utf-8")
    page = read(html)
    assert page.fetched == []
    assert all(link.startswith(("#", "data:text/csv")) for link in page.links)
    assert "default-src 'none'" in html
    assert "connect-src" not in html
    assert len(html.encode()) < 8_000_000
    assert html.count("plotly.js v") == 1
    assert {f"page-{name}" for name in PAGES} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert len(page.figures) >= 12
    assert [path.name for path in out.parent.iterdir()] == ["index.html"]


def test_the_report_says_what_it_is_as_of_and_is_the_same_bytes_each_time(filled: Path, conf_dir: Path) -> None:
    context = Context.open(filled, conf_dir, None, "en")
    html = report_html(context)
    for words in (
        "As of 2026-07-01",
        "spend through 2026-06-23",
        "money in CNY",
        "Asia/Shanghai",
        "Cost per good customer",
    ):
        assert words in html
    assert report_html(Context.open(filled, conf_dir, DAY, "en")) == html


def test_every_figure_has_data_with_intervals_and_hollow_marks_where_not_final(filled: Path, conf_dir: Path) -> None:
    context = Context.open(filled, conf_dir, None, "en")
    figures = {name: charts_of(page(context)) for name, page in PAGES.items()}
    assert {name for name, found in figures.items() if not found} == {"dictionary"}
    history, campaign = figures["overview"][0].data
    assert isinstance(history, go.Scatter)
    assert set(history.marker.symbol) == {"circle"}
    assert set(campaign.marker.symbol) == {"diamond-open"}
    assert all(width > 0 for width in (*history.error_x.array, *campaign.error_x.arrayminus))
    assert len(campaign.x) < len(history.x), "channels with fewer than 11 good customers are hidden"


def test_the_models_page_tells_the_verdict_on_the_challenger(filled: Path, conf_dir: Path) -> None:
    page = report_html(Context.open(filled, conf_dir, None, "en"))
    assert "The newly trained models against those in force" in page
    assert "refused: worse beyond its interval, the model in force goes on" in page


def test_the_bands_page_tells_which_segments_drift(filled: Path, conf_dir: Path) -> None:
    said = text_of(PAGES["bands"](Context.open(filled, conf_dir, None, "en")))
    assert "Segments in a week" in said
    assert said.count("drifts") == 1
    assert said.count("within chance") == 1
    assert "Whom segments share" in said


def test_chinese_labels_come_from_metrics_yaml(filled: Path, conf_dir: Path) -> None:
    context = Context.open(filled, conf_dir, None, "zh")
    said = text_of(PAGES["channels"](context))
    for name in ("cost_per_good", "cost_per_funded", "spend"):
        assert context.conf.metrics[name].label["zh"] in said
        assert context.conf.metrics[name].label["en"] not in said
    assert '<html lang="zh-CN">' in report_html(context)
    with pytest.raises(UsageError, match="en, zh"):
        Context.open(filled, conf_dir, None, "fr")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_dictionary_tells_every_metric_of_conf(filled: Path, conf_dir: Path, lang: str) -> None:
    context = Context.open(filled, conf_dir, None, lang)
    said = text_of(PAGES["dictionary"](context))
    for name, metric in context.conf.metrics.items():
        assert name in said
        assert metric.label[lang] in said
    assert "spend / good where channel <> '(unattributed)'" in said


def test_the_plans_notes_stand_above_every_page(tmp_path: Path, conf_dir: Path) -> None:
    plan = {"channel": "(all)", "currency": "CNY", "audience_size": 0, "expected_spend": 0.0, "expected_good": 0.0}
    publish(tmp_path, "channel_plan", [{**plan, "note": "day zero: no model was fitted yet; intervals: of the draw"}])
    html = report_html(Context.open(tmp_path, conf_dir, None, "en"))
    banner = re.search(r'<div class="banner warning".*?</div>', html)
    assert banner is not None
    assert "day zero: no model" in banner[0]
    assert "intervals:" not in banner[0]


@pytest.mark.parametrize(
    ("share", "lang", "words"), [(0.05, "en", "first 5.0 %"), (0.05, "zh", "5.0 %"), (1.0, "en", "")]
)
def test_a_plan_held_back_says_so_above_every_page(
    tmp_path: Path, conf_dir: Path, share: float, lang: str, words: str
) -> None:
    row = {"outcome": "value", "people": 9, "opportunities": 9.0, "ess": 3.0, "max_weight": 2.0, "is_passed": False}
    told = {"mode": "ramp", "released_share": share, "reason": "effective people 3 of at least 5,000"}
    publish(tmp_path, "plan_gate", [{**row, **told}])
    html = report_html(Context.open(tmp_path, conf_dir, None, lang))
    banner = re.search(r'<div class="banner warning".*?</div>', html)
    said = banner[0] if banner else ""
    assert words in said
    assert ("effective people 3" in said) == (share < 1)


@pytest.mark.parametrize("published", [(), READABLE, ("channel_costs",)])
def test_missing_and_empty_tables_say_which_command_fills_them(
    tmp_path: Path, conf_dir: Path, published: tuple[str, ...]
) -> None:
    for name in published:
        publish(tmp_path, name, [])
    context = Context.open(tmp_path, conf_dir, date(2026, 1, 2) if not published else None, "en")
    for name in set(PAGES) - {"dictionary"}:
        assert f"huoke run --day {context.as_of}" in text_of(PAGES[name](context))
    assert read(report_html(context)).figures == []


@pytest.mark.parametrize("missing", READABLE)
def test_any_one_table_may_be_missing(filled: Path, conf_dir: Path, tmp_path: Path, missing: str) -> None:
    shutil.copytree(filled, tmp_path / "w")
    shutil.rmtree(tmp_path / "w" / "tables" / missing)
    said = [text_of(page(Context.open(tmp_path / "w", conf_dir, None, "en"))) for page in PAGES.values()]
    assert any(f"Table {missing} has no rows" in text for text in said)


def test_the_shell_shows_the_same_pages(filled: Path, conf_dir: Path) -> None:
    client = make_app(filled, conf_dir).server.test_client()
    assert client.get("/", headers={"Host": "127.0.0.1"}).status_code == 200
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400
    context = Context.open(filled, conf_dir, None, "en")
    for name, page in PAGES.items():
        _, body = shown(filled, conf_dir, name, "newest", "en")
        graphs = [item for item in body._traverse() if type(item).__name__ == "Graph"]
        assert len(graphs) == len(charts_of(page(context)))
    _, refused = shown(filled, conf_dir, "overview", "not-a-day", "en")
    assert "YYYY-MM-DD" in str(refused)


def test_a_browser_draws_every_chart_without_an_error(filled: Path, conf_dir: Path, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    html = report_html(Context.open(filled, conf_dir, None, "zh"))
    watch = (
        "<script>window.faults=[];addEventListener('error',e=>faults.push(e.message));"
        "addEventListener('securitypolicyviolation',e=>faults.push(e.blockedURI));"
        "addEventListener('load',()=>{dispatchEvent(new Event('beforeprint'));"
        "document.querySelectorAll('th button').forEach(b=>b.click());"
        "setTimeout(()=>{document.title='drawn '+document.querySelectorAll('.main-svg:first-child').length"
        "+' faults '+JSON.stringify(faults)},1500)})</script>"
    )
    page = tmp_path / "page.html"
    page.write_text(html.replace("<style>", watch + "<style>", 1), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None
    assert title[1] == f"drawn {len(read(html).figures)} faults []"
