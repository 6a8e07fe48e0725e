"""Takes the pictures of the README from a running workbench of the demo.

make demo                                     # prints users and passwords; leave it running
python docs/screenshots.py http://127.0.0.1:8700 zhou PASSWORD
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
SIZE = {"width": 1440, "height": 900}
COLOURS = 256
"""A palette keeps each picture under 200 kB."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("name")
    parser.add_argument("password")
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        sign_in(page, asked.url, asked.name, asked.password)
        for name, path in paths(page, asked.url).items():
            shoot(page, asked.url + path, name)
        browser.close()


def sign_in(page: Page, url: str, name: str, password: str) -> None:
    page.goto(f"{url}/login")
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.click("[type=submit]")
    page.wait_for_selector("#page > *")


def paths(page: Page, url: str) -> dict[str, str]:
    """The first ring of the queue by size, its case, and the dealer of most of its applications."""
    page.goto(f"{url}/queue")
    page.wait_for_selector("#queue .ag-center-cols-container a[href^='/dealer/'], #queue a[href^='/ring/']")
    page.wait_for_timeout(1_000)
    ring = page.get_attribute("#queue a[href^='/ring/']", "href") or "/"
    case = page.get_attribute("#queue a[href^='/case/']", "href") or "/"
    page.goto(f"{url}/dealers")
    page.wait_for_selector("a[href^='/dealer/']")
    dealer = page.get_attribute("a[href^='/dealer/']", "href") or "/"
    return {"overview": "/", "queue": "/queue", "ring": ring, "case": case, "dealer": dealer, "vehicles": "/vehicles",
            "labels": "/labels", "models": "/models"}  # fmt: skip


def shoot(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.wait_for_selector("#page > *")
    page.wait_for_timeout(4_000)
    page.wait_for_selector(".lens-waiting", state="detached", timeout=120_000)
    page.wait_for_timeout(1_000)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small(picture).save(HERE / f"{name}.png", optimize=True)


def small(picture: Image.Image) -> Image.Image:
    """Half of the palette is for what is often there (pale greys), half for what is rare (one red bar)."""
    half, colours = COLOURS // 2, list[int]()
    for method in (Image.Quantize.MEDIANCUT, Image.Quantize.FASTOCTREE):
        colours += (picture.quantize(half, method=method).getpalette() or [])[: 3 * half]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
