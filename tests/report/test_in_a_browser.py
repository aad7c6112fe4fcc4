"""The page in headless Chromium: no errors, no requests, the slider works, nothing is wider than the window, axe.

Skipped where no Chromium is found: `SNGAN_CHROMIUM` names one. axe-core is run where `SNGAN_AXE` names its axe.min.js.
"""
import os
import shutil
from pathlib import Path

from tests.report.browser import Browser

import pytest

NAMES = 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome-headless-shell'
CHROMIUM = os.environ.get('SNGAN_CHROMIUM') or next(filter(None, map(shutil.which, NAMES)), None)
AXE = os.environ.get('SNGAN_AXE')
pytestmark = [pytest.mark.long,
              pytest.mark.skipif(CHROMIUM is None, reason='no Chromium found; SNGAN_CHROMIUM names one')]
VIEWS = pytest.mark.parametrize('width, scheme', [(375, 'light'), (1200, 'dark')])
SHOWN = "[...document.querySelectorAll('.time img')].map(image => image.getClientRects().length)"


@pytest.fixture
def page(reported):
    return reported / 'report.html'


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with Browser(CHROMIUM, tmp_path_factory.mktemp('profile')) as browser:
        yield browser


@VIEWS
def test_it_loads_without_errors_or_requests(browser, page, width, scheme):
    browser.open(page.as_uri(), width, scheme)
    assert browser.problems == []
    assert [url for url in browser.requests if not url.startswith('data:')] == [page.as_uri()]
    assert browser.run('[...document.images].filter(i => i.getClientRects().length && !i.naturalWidth).length') == 0
    assert browser.run('innerWidth') == width
    assert browser.run('document.documentElement.scrollWidth') <= width
    background = browser.run('getComputedStyle(document.body).backgroundColor')
    assert background == {'light': 'rgb(255, 255, 255)', 'dark': 'rgb(20, 23, 28)'}[scheme]


def test_the_slider(browser, page):
    browser.open(page.as_uri(), 375)
    assert browser.run(SHOWN) == [0, 1]
    browser.run("document.querySelector('.time input').focus()")
    for kind in ('keyDown', 'keyUp'):
        browser.send('Input.dispatchKeyEvent', type=kind, key='ArrowLeft', code='ArrowLeft', windowsVirtualKeyCode=37)
    assert browser.run(SHOWN) == [1, 0]
    assert browser.run("document.querySelector('.time output').textContent") == '2'
    assert browser.run("document.querySelector('.time input').getAttribute('aria-valuetext')") == 'iteration 2'


@pytest.mark.skipif(AXE is None, reason='SNGAN_AXE names no axe.min.js')
@VIEWS
def test_accessibility(browser, page, width, scheme):
    browser.open(page.as_uri(), width, scheme)
    browser.run(Path(AXE).read_text(encoding='utf-8') + '; 0')
    result = browser.run('axe.run(document).then(r => [r.violations.map(v => [v.id, v.nodes[0].html]), r.passes.map('
                         'v => v.id)])')
    assert result[0] == []
    assert {'color-contrast', 'image-alt', 'label', 'svg-img-alt'} <= set(result[1])
