"""The page in a browser: it fits every width, runs nothing that a title would like to run, and prints."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pmosync.reports.html import render
from tests.reports.sample import HOSTILE, sample

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: `apt-get install chromium`")

MEASURE = """
<script>
onload = () => {
  const told = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, wide = page.documentElement;
    const clipped = [...page.querySelectorAll("td, th, dd, dt, p, li, h1, h2, h3")].filter(one =>
      one.getClientRects().length && getComputedStyle(one.closest("thead") || one).clipPath == "none"
      && one.getBoundingClientRect().right > frame.clientWidth + 1);
    return `${frame.width}:${wide.scrollWidth - wide.clientWidth}:${clipped.length}:${page.title}`;
  });
  document.body.dataset.told = told.join("|");
};
</script>
"""


def browse(folder: Path, page: str, *options: str) -> str:
    """What the browser makes of a page."""
    path = folder / "page.html"
    path.write_text(page, "utf-8")
    command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [f"--user-data-dir={folder / 'profile'}", *options, path.as_uri()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def framed(page: str, *widths: int) -> str:
    """The page in frames of these widths, beside a script that measures them; the page itself may not run any."""
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{html.escape(page, quote=True)}"></iframe>' for width in widths
    )
    return f"<!doctype html><body>{frames}{MEASURE}</body>"


def test_the_page_fits_screens_tablets_and_phones_and_no_title_runs(tmp_path: Path) -> None:
    page = render(sample(HOSTILE))
    widths = (1600, 1280, 1024, 800, 390, 320)
    found = browse(
        tmp_path, framed(page, *widths), "--window-size=1700,1000", "--virtual-time-budget=5000", "--dump-dom"
    )
    (told,) = re.findall(r'data-told="([^"]*)"', found)
    title = "Acme: portfolio report, Sunday 22 November 2026"
    assert told.split("|") == [f"{width}:0:0:{title}" for width in widths]


def test_the_page_prints_on_a4_with_its_colours(tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    browse(tmp_path, render(sample()), "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    made = paper.read_bytes()
    assert made.startswith(b"%PDF")
    sizes = {tuple(float(each) for each in box.split()) for box in re.findall(rb"/MediaBox \[([\d. ]+)\]", made)}
    assert len(sizes) == 1
    _, _, width, height = sizes.pop()
    assert (round(width), round(height)) == (595, 842)
