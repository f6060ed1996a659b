"""The page in a real browser, where one is installed (`pip install playwright`, and Chromium)."""

import shutil

import pytest

pytestmark = pytest.mark.slow

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def opened(browser, page):
    tabs = []

    def open_page(width, **options):
        tab = browser.new_page(viewport={"width": width, "height": 800}, offline=True, **options)
        tab.errors = []
        tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.on("console", lambda message: tab.errors.append(message.text))
        tab.on("requestfailed", lambda request: tab.errors.append(request.url))
        tab.goto(page.as_uri())
        tabs.append(tab)
        return tab

    yield open_page
    for tab in tabs:
        assert tab.errors == []
        tab.close()


def luminance(tab, selector, property):
    script = (
        "([s, p]) => getComputedStyle(document.querySelector(s))[p].match(/[\\d.]+/g).map(Number)"
    )
    linear = [(c / 255) ** 2.2 for c in tab.evaluate(script, [selector, property])[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(tab, selector):
    ink, paper = luminance(tab, selector, "color"), luminance(tab, "body", "backgroundColor")
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)


def test_pointing_at_a_feature_shows_it_large(opened, topographic):
    tab = opened(1200)
    features = tab.locator(".mosaic button")
    assert features.count() == len(topographic[0].components_)
    features.nth(5).hover()
    detail = tab.locator(".detail")
    assert detail.locator("h3").inner_text() == "Feature 5"
    large, small = detail.locator("img.feature"), features.nth(5).locator("img")
    assert large.get_attribute("src") == small.get_attribute("src")
    assert large.evaluate("image => image.naturalWidth") == 4
    assert detail.locator("img.gabor").evaluate("image => image.naturalWidth") == 4
    assert "% of patches" in detail.inner_text()


def test_arrow_keys_move_over_the_map(opened):
    tab = opened(1200)
    tab.locator(".mosaic button").first.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowDown")
    assert tab.locator(".detail h3").inner_text() == "Feature 4"
    assert tab.locator(".mosaic [aria-pressed=true]").count() == 1
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("ArrowUp")  # there is none above
    assert tab.locator(".detail h3").inner_text() == "Feature 1"


@pytest.mark.parametrize("width", [320, 390, 800, 1600])
def test_nothing_is_wider_than_the_window(opened, width):
    assert opened(width).evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1280])
def test_panels_have_one_width_and_fill_the_page(opened, width):
    tab = opened(width)
    widths = tab.evaluate("[...document.querySelectorAll('.panels svg')].map(e => e.clientWidth)")
    assert max(widths) - min(widths) <= 1
    rows = tab.evaluate("document.querySelector('main').clientWidth") / max(widths)
    assert rows == pytest.approx(1 if width == 390 else 2, abs=0.2)


def test_a_phone_need_not_scroll_sideways_but_for_formulas(opened):
    script = """[...document.querySelectorAll('main *:not(math *):not(svg *)')].filter(
        e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0
        && getComputedStyle(e).overflowX !== 'visible').map(e => e.className)"""
    assert set(opened(390).evaluate(script)) <= {"scroll", "formula", ""}


def test_on_a_phone_a_tap_shows_a_feature_and_another_hides_it(opened):
    tab = opened(390, has_touch=True, is_mobile=True)
    detail, feature = tab.locator(".detail"), tab.locator(".mosaic button").nth(7)
    assert not detail.is_visible()
    feature.tap()
    assert detail.is_visible()
    assert detail.bounding_box()["height"] < 320
    feature.tap()
    assert not detail.is_visible()
    feature.tap()
    detail.locator(".close").tap()
    assert not detail.is_visible()
    feature.tap()
    tab.keyboard.press("Escape")
    assert not detail.is_visible()
    assert tab.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("selector", ["body", "figcaption", "dt", ".drawing svg", "math"])
def test_text_stands_out_in_light_and_in_the_dark(opened, scheme, selector):
    tab = opened(1200, color_scheme=scheme)
    assert (luminance(tab, "body", "backgroundColor") < 0.2) == (scheme == "dark")
    assert contrast(tab, selector) > 4.5  # what WCAG asks for


def test_mathematics_is_set_as_mathematics(opened):
    tab = opened(1200)
    assert tab.locator("math").count() > 20
    assert tab.locator("math msup").first.evaluate("e => e.getBoundingClientRect().height") > 5
