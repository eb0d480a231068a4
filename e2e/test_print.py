"""Paper is white: a page prints in its light colours, whatever the screen shows, and without buttons."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.conftest import Lab
from e2e.replaying import recorded

pytestmark = pytest.mark.browser


def test_prints_in_light_colours(page: Page, lab: Lab) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{lab.address}/races/")
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(html).to_have_attribute("data-theme", "light")
    expect(page.locator(".tools")).to_be_hidden()
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(html).to_have_attribute("data-theme", "dark")


# What of a printed report is missing, can be pressed, is pale, or is cut between two pages
AMISS = """() => {
  const amiss = [];
  const ink = getComputedStyle(document.querySelector('.sheet h2')).color.match(/\\d+/g).map(Number);
  if (Math.max(...ink) > 80) amiss.push(`pale ink: ${ink}`);
  for (const one of document.querySelectorAll('button, form, nav, .button')) {
    if (one.offsetWidth && !one.closest('.record')) amiss.push(`to press: ${one.outerHTML.slice(0, 60)}`);
  }
  for (const box of document.querySelectorAll('.scroll')) {
    if (box.scrollHeight > box.clientHeight + 1) amiss.push(`folded: ${box.getAttribute('aria-label')}`);
  }
  for (const line of document.querySelectorAll('.words li')) if (!line.offsetHeight) amiss.push(line.textContent);
  for (const part of document.querySelectorAll('.sheet details:not([open])')) amiss.push(part.textContent.slice(0, 60));
  for (const chart of document.querySelectorAll('.chart')) {
    if (getComputedStyle(chart).breakInside !== 'avoid') amiss.push('a chart on two pages');
    const heading = chart.closest('.sheet').querySelector('h2');
    if (getComputedStyle(heading).breakAfter !== 'avoid') amiss.push(`apart from its chart: ${heading.textContent}`);
  }
  return amiss;
}"""


@pytest.mark.full
def test_a_report_prints_whole(page: Page, lab: Lab, chromium: Browser) -> None:
    """From the dark theme: dark ink, every line and table, each chart with its heading, and nothing to press."""
    race = recorded(lab, chromium, "laps=4&pace=60&seed=7&circuit=spielberg")
    page.emulate_media(color_scheme="dark")
    page.goto(lab.address + race)
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".chart").count() >= 5
    assert page.evaluate(AMISS) == []
