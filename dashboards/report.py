"""The static report: every page in one HTML file that opens without a network."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from plotly.offline import get_plotlyjs

from dashboards.nodes import HtmlWriter, tag
from dashboards.pages.book import PAGES
from dashboards.pages.context import Context, header, sources, warnings
from jobs.runtime.store import write_whole

ASSETS = Path(__file__).parent / "assets"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


def write_report(warehouse: Path, conf_dir: Path, out: Path, day: date | None = None, lang: str = "en") -> None:
    """Write the report of a warehouse as it stood on a day (the newest when None), in `en` or `zh`.

    Raises UsageError for an unknown language, a broken configuration, or a warehouse with nothing to show and no day.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, report_html(Context.open(warehouse, conf_dir, day, lang)))


def report_html(context: Context) -> str:
    """The whole report as text; the same tables give the same bytes."""
    words, writer = context.words, HtmlWriter()
    links = [tag("a", words(name), href=f"#{name}") for name in PAGES]
    top = tag(
        "header",
        tag("div", tag("h1", words("title")), header(context), tag("nav", *links, class_="pages"), class_="wrap"),
        class_="top",
    )
    pages = [
        tag("article", tag("h2", words(name), class_="page-title"), page(context), class_="page", id=f"page-{name}")
        for name, page in PAGES.items()
    ]
    body = writer.write(tag("main", warnings(context), *pages, sources(context), class_="wrap"))
    title = f"{words('title')} · {context.as_of}"
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if words.lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{writer.write(title)}</title>\n<style>\n{_asset('huoke.css')}</style>\n</head>\n"
        f'<body data-report="1">\n{writer.write(top)}\n{body}\n'
        f"<script>{get_plotlyjs()}</script>\n<script>\n{_asset('huoke.js')}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
