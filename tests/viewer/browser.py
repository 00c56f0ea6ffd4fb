"""A headless Chromium for the tests: found on this machine, never downloaded."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

__all__ = ["Window", "launch", "opened"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WAIT_MS = 60_000
WIDE = (1440, 900)
# Read before tests begin: none of them sees a FAREBOX_ variable of the shell.
SCREENSHOTS = os.environ.get("FAREBOX_SCREENSHOTS")

# Source: WCAG 2.2, relative luminance and contrast ratio; behind a text are all layers down to one that is opaque.
FAINT = """() => {
  const channels = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const share = (colour) => colour[3] ?? 1;
  const over = (front, back) => front.slice(0, 3)
    .map((each, at) => each * share(front) + back[at] * (1 - share(front)));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (share(colour) > 0) layers.push(colour);
      if (share(colour) === 1) break;
    }
    return layers.reverse().reduce((back, front) => over(front, back), [255, 255, 255]);
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    const style = getComputedStyle(element);
    if (!node.textContent.trim() || !element.getClientRects().length || style.visibility === 'hidden') continue;
    const back = behind(element);
    const [one, other] = [light(over(channels(style.color), back)), light(back)].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const said = node.textContent.trim().slice(0, 40);
    if (ratio < needed) found.push(`${said}: ${ratio.toFixed(2)} of ${needed}, ${style.color} on ${back}`);
  }
  return [...new Set(found)];
}"""


@contextmanager
def launch() -> Iterator[Browser]:
    """Start the browser; without one the test is skipped, or fails where CI=true says that there must be one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        words = f"no Chromium on this machine ({', '.join(NAMES)}): apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@dataclass
class Window:
    """A page of the viewer, and what went wrong in it: errors of its console, and requests to anywhere else."""

    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda asked: self._watch(asked.url))
        self.page.set_default_timeout(WAIT_MS)

    def go(self, path: str) -> None:
        """Open an address of the viewer and wait until its panels are drawn."""
        self.page.goto(self.url + path)
        self.settle()

    def settle(self) -> None:
        """Wait until no panel waits for data."""
        from playwright.sync_api import expect

        # A panel asks once it is seen to be in sight, which is not yet the case when it is first drawn.
        drawn = ".panel:not([data-state=unseen], [data-state=loading]), main .list, main table, .said"
        self.page.locator(drawn).first.wait_for()
        expect(self.page.locator(".panel[data-state=loading], .panel[aria-busy=true]")).to_have_count(
            0, timeout=WAIT_MS
        )

    def panel(self, title: str) -> Locator:
        """Find a panel by its title."""
        return self.page.locator(".panel").get_by_role("region", name=re.compile(rf"^{re.escape(title)}$"))

    def rows(self, title: str) -> list[list[str]]:
        """Read the rows of a table, as they are shown."""
        rows = self.panel(title).locator("[role=row]").all()[1:]
        return [[cell.inner_text().strip() for cell in row.locator("[role=gridcell]").all()] for row in rows]

    def errors(self) -> list[str]:
        """Read what the page and its panels say that went wrong."""
        return self.page.locator(".said").all_inner_texts()

    def faint(self) -> list[str]:
        """Name the texts whose contrast is less than WCAG's AA asks for: 4.5, of large ones 3."""
        found: list[str] = self.page.evaluate(FAINT)
        return found

    def keep(self, name: str) -> None:
        """Keep a screenshot where CI collects them."""
        if SCREENSHOTS:
            Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")

    def _watch(self, url: str) -> None:
        if not url.startswith((self.url, "data:")):
            self.wrong.append(f"asks {url}")


@contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int] = WIDE, colours: str = "dark") -> Iterator[Window]:
    """Open a window of its own, with nothing kept from another."""
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="light" if colours == "light" else "dark",
        reduced_motion="reduce",
    )
    window = Window(context.new_page(), url)
    yield window
    context.close()
