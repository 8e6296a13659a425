"""The page of a report in a browser, opened from a file without a network, against what a reader may expect of it:
nothing cut, overlapping, unlabelled, untranslated or unreadable, in both languages, on a phone and on a desk."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from itertools import combinations
from pathlib import Path

import pytest

from chalicelib.domain.period import Period
from chalicelib.store.report_page import report_page
from tests.support.report_looks import TEXTS, contrast, overlap
from tests.support.report_samples import NAME, as_json, made

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
HAN = re.compile(r"[\u4e00-\u9fff]")
SIZES = {"desk": (1280, 900), "phone": (360, 800)}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Path and values by name."""
    month = made("2026-11", 60, Period.of("2026-11-24").last)
    day = made("2026-11-20", 4, None)
    values = {
        "province": month["province"],
        "region": month["region/%E8%BF%9E%E4%BA%91%E6%B8%AF"],
        "hospital": day["H0002"],
        "named": day["H0001"],
        "empty": made("2026-W47", 0, None, trend=False)["province"],
        "idle": day["H0003"],
        "unannounced": made("2027-01", 3, Period.of("2027-01-20").last)["province"],
    }
    folder, written = tmp_path_factory.mktemp("pages"), {}
    for name, report in values.items():
        path = folder / f"{name}.html"
        path.write_text(report_page(as_json(report)), encoding="utf-8")
        written[name] = (path, as_json(report))
    return written


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, pages):
    contexts, faults = [], []

    def open_page(name, lang="en", size="desk"):
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True, locale="de-DE")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("request", lambda request: None if request.url.startswith("file:") else faults.append(request.url))
        page.goto(f"file://{pages[name][0]}#{lang}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def data_texts(report):
    """What hospitals are registered as: no page translates it."""
    rows = [report, *report.get("hospitals", ()), *report.get("regions", ())]
    return sorted(
        {row[name] for row in rows for name in ("name", "region", "level") if row[name]}, key=len, reverse=True
    )


def without(text, parts):
    for part in parts:
        text = text.replace(part, "")
    return text


@needs_browser
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", ["province", "region", "hospital", "named", "empty", "idle", "unannounced"])
def test_nothing_is_cut_overlapping_untranslated_or_unreadable(opened, pages, name, lang, size):
    page = opened(name, lang, size)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    texts = page.evaluate(TEXTS)
    assert texts
    for text in texts:
        inside = text["within"]
        assert inside["left"] - 1 <= text["left"] and text["right"] <= inside["right"] + 1, text  # noqa: PT018 - one fact
        assert inside["top"] - 1 <= text["top"] and text["bottom"] <= inside["bottom"] + 1, text  # noqa: PT018 - one fact
        assert text["size"] >= 11, text
        assert contrast(text["ink"], text["ground"]) >= 4.5, text
    for one, other in combinations(texts, 2):
        assert not (one["svg"] == other["svg"] and overlap(one, other)), (one, other)
    known, said = data_texts(pages[name][1]), [text["text"] for text in texts]
    if lang == "en":
        assert [text for text in said if HAN.search(without(text, ["中文", *known]))] == []
    else:
        words = [*known, "English", "min"]
        assert [text for text in said if re.search(r"[A-Za-z]{3,}", without(text, words)) and "UTC" not in text] == []
    assert page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en"}[lang]


@needs_browser
def test_every_chart_is_named_for_eyes_and_for_screen_readers(opened):
    page = opened("province", "en")
    titles = page.locator("#charts h2").all_inner_texts()
    assert titles == [
        "Against the periods before",
        "Day by day",
        "From exam end to complete images",
        "Open flags by rule",
        "On-time rate by region",
    ]
    assert page.locator("#charts .chart").count() == len(titles)
    assert page.locator("#charts [aria-label]").count() == len(titles)
    drawn = " ".join(page.locator("#charts svg").all_text_contents())
    for axis in (
        "missed (exams)",
        "on time (%)",
        "exams",
        "up to so many hours after exam end",
        "12-hour limit",
        "flags",
    ):
        assert axis in drawn


@needs_browser
@pytest.mark.parametrize("size", SIZES)
def test_every_bar_of_the_delays_has_its_hours_beside_it(opened, size):
    page = opened("province", "en", size)
    drawn = page.locator("#part-delays svg text").all_text_contents()
    assert [text for text in drawn if text in {*map(str, range(1, 13)), "18", "24", "48", "72", ">72"}] == [
        *map(str, range(1, 13)),
        *("18", "24", "48", "72", ">72"),
    ]


@needs_browser
@pytest.mark.parametrize(("lang", "words"), [("en", "were not announced"), ("zh", "尚未公布")])
def test_a_year_whose_holidays_are_not_known_is_told(opened, lang, words):
    assert words in opened("unannounced", lang).locator("#notes").inner_text()
    assert words not in opened("province", lang).locator("#notes").inner_text()


@needs_browser
def test_the_figures_shown_are_the_reports(opened, pages):
    page, report = opened("province", "en"), pages["province"][1]
    cards = dict(zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=True))
    assert cards["Exams due"] == f"{report['due']:,} exams"
    assert cards["Missing"] == f"{report['missing']:,} exams"
    assert cards["On-time rate"].strip() == f"{float(report['rate']) * 100:.2f}%"
    p90 = report["delay_p90_minutes"]
    assert cards["Delay p90"].strip() == f"{p90 // 60} h {p90 % 60:02d} min"
    first = page.locator("#ranking tbody tr").first.locator("td").all_inner_texts()
    best = min((row for row in report["hospitals"] if row["rank"]), key=lambda row: (row["rank"], row["hospital_id"]))
    assert first[:5] == [
        "1",
        f"{best['name_en'] or best['name']}\n{best['hospital_id']}",
        f"{float(best['rate']) * 100:.2f}%",
        f"{best['due']:,}",
        f"{best['on_time']:,}",
    ]


def ids(page):
    return page.locator("#ranking .id").all_inner_texts()


@needs_browser
def test_a_ranking_is_searched_filtered_sorted_and_paged(opened, pages):
    page, rows = opened("province", "zh"), pages["province"][1]["hospitals"]
    assert len(ids(page)) == 25
    seen = ids(page)
    page.get_by_text("下一页").click()
    page.get_by_text("下一页").click()
    assert page.locator("#pager span").inner_text() == "第 51–60 家，共 60 家"
    assert page.get_by_text("下一页").is_disabled()
    assert set(ids(page)).isdisjoint(seen)
    page.locator("th button", has_text="应传检查").click()
    ordered = [row["hospital_id"] for row in sorted(rows, key=lambda row: (-row["due"], row["hospital_id"]))]
    assert ids(page) == ordered[:25]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    page.select_option("#size", "0")
    assert ids(page) == ordered
    page.select_option("#region", "苏州")
    assert sorted(ids(page)) == sorted(row["hospital_id"] for row in rows if row["region"] == "苏州")
    page.fill("#find", "h0008")
    assert ids(page) == ["H0008"]
    page.fill("#find", "没有这家")
    assert page.locator("#ranking tbody").inner_text() == "没有符合条件的医院"


@needs_browser
def test_a_language_is_switched_in_the_page_and_the_readers_place_is_kept(opened):
    page = opened("province", "zh")
    page.fill("#find", "第5")
    before = ids(page)
    page.get_by_role("button", name="English").click()
    assert (ids(page), page.locator("#find").input_value()) == (before, "第5")
    assert page.locator("#title").inner_text() == "Province · Image upload compliance"
    assert "daily" not in page.title()


@needs_browser
def test_a_name_that_is_a_program_is_shown_and_not_run(opened):
    page = opened("named", "en")
    assert page.locator("#title").inner_text().startswith(NAME)
    assert page.locator("img").count() == 0


@needs_browser
def test_on_paper_it_fits_the_sheet(opened, tmp_path):
    page = opened("province", "zh")
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page\n") <= 6
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    widths = page.evaluate(
        "[...document.querySelectorAll('#charts svg')].map((svg) => svg.getBoundingClientRect().right)"
    )
    assert widths
    assert max(widths) <= 703


def test_the_charting_library_is_the_build_that_is_on_record():
    recorded, name = (ROOT / "infra/charts/SHA256SUMS").read_text(encoding="utf-8").split()
    shipped = ROOT / "chalicelib/store/report_page" / name
    assert hashlib.sha256(shipped.read_bytes()).hexdigest() == recorded
    wanted = json.loads((ROOT / "infra/charts/package.json").read_text(encoding="utf-8"))
    version = wanted["dependencies"]["echarts"]
    assert f"Apache ECharts {version}" in (shipped.parent / "echarts.LICENSE.txt").read_text(encoding="utf-8")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_every_word_is_in_both_languages():
    words = json.loads((ROOT / "chalicelib/store/report_page/words.json").read_text(encoding="utf-8"))
    program = (ROOT / "chalicelib/store/report_page/page.js").read_text(encoding="utf-8")
    for key, (chinese, english) in words.items():
        assert chinese, key
        assert not HAN.search(english), key
        assert set(re.findall(r"\{\w+\}", chinese)) == set(re.findall(r"\{\w+\}", english)), key
    assert [key for key in re.findall(r'say\("(\w+)"', program) if key not in words] == []


def test_nothing_is_drawn_for_who_has_no_program(pages):
    assert "<noscript>" in pages["empty"][0].read_text(encoding="utf-8")
