"""The page in headless Chromium: no errors, no requests, the slider works, nothing is wider than the window, axe.

Skipped where no Chromium is found: `SNGAN_CHROMIUM` names one. axe-core is run where `SNGAN_AXE` names its axe.min.js.
"""
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from evaluations import report
from tests.narrow import run
from tests.report.made_run import make_run

import pytest

NAMES = 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome-headless-shell'
CHROMIUM = os.environ.get('SNGAN_CHROMIUM') or next(filter(None, map(shutil.which, NAMES)), None)
AXE = os.environ.get('SNGAN_AXE')
pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(CHROMIUM is None, reason='no Chromium found; SNGAN_CHROMIUM names one')]

# Before all else in the page, so that it hears of every error.
LISTEN = '''<script>
window.problems = [];
addEventListener('error', e => problems.push('error: ' + (e.message || e.target.outerHTML.slice(0, 80))), true);
addEventListener('securitypolicyviolation', e => problems.push('asked for ' + e.blockedURI));
</script>'''
# After all else: what a reader would do and see, as JSON in the page.
TRY = '''<script>
const images = [...document.querySelectorAll('.time img')];
const seen = () => images.map(image => image.getClientRects().length);
const found = {before: seen()};
const slider = document.querySelector('.time input');
slider.value = 0;
slider.dispatchEvent(new Event('input'));
found.after = seen();
found.said = document.querySelector('.time output').textContent;
found.valuetext = slider.getAttribute('aria-valuetext');
addEventListener('load', async () => {
  found.broken = [...document.images].filter(image => !image.naturalWidth).length;
  found.width = document.documentElement.scrollWidth - innerWidth;
  found.background = getComputedStyle(document.body).backgroundColor;
  found.requests = performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:'));
  found.problems = problems;
  if (window.axe) {
    const result = await axe.run(document);
    found.violations = result.violations.map(v => v.id + ': ' + v.nodes[0].html);
    found.n_passed = result.passes.length;
  }
  const note = document.createElement('pre');
  note.id = 'found';
  note.textContent = JSON.stringify(found);
  document.body.append(note);
});
</script>'''


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    folder = make_run(tmp_path_factory.mktemp('results') / 'run')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(tmp_path_factory.mktemp('cache')))
        assert run(report.main, folder, '--gpu', -1) == 0
    return folder / 'report.html'


def in_browser(page, tmp_path, width, extra='', *arguments):
    text = page.read_text().replace('<meta name="viewport"', f'{LISTEN}{extra}<meta name="viewport"', 1)
    changed = tmp_path / 'page.html'
    changed.write_text(text.replace('</body>', f'{TRY}</body>', 1))
    process = subprocess.run(
        [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={tmp_path / "profile"}',
         f'--window-size={width},900', '--virtual-time-budget=20000', *arguments, '--dump-dom', changed.as_uri()],
        capture_output=True, text=True, timeout=120)
    match = re.search('<pre id="found">(.*?)</pre>', process.stdout, re.S)
    assert match, process.stderr[-2000:]
    return json.loads(html.unescape(match[1]))


@pytest.mark.parametrize('width', [500, 1200])
def test_it_loads_and_the_slider_works(page, tmp_path, width):
    found = in_browser(page, tmp_path, width)
    assert found['problems'] == found['requests'] == []
    assert (found['broken'], found['width']) == (0, 0)
    assert (found['before'], found['after']) == ([0, 1], [1, 0])
    assert (found['said'], found['valuetext']) == ('2', 'iteration 2')


def test_what_it_asks_for_would_be_seen(page, tmp_path):
    found = in_browser(page, tmp_path, 500, '<img src="http://127.0.0.1:9/x.png" alt="">')
    assert any('asked for http://127.0.0.1:9/x.png' in problem for problem in found['problems'])


def test_dark(page, tmp_path):
    light, dark = (in_browser(page, tmp_path, 500, '', *arguments)['background']
                   for arguments in ((), ('--force-dark-mode', '--blink-settings=preferredColorScheme=0')))
    assert (light, dark) == ('rgb(255, 255, 255)', 'rgb(20, 23, 28)')


@pytest.mark.skipif(AXE is None, reason='SNGAN_AXE names no axe.min.js')
@pytest.mark.parametrize('width', [500, 1200])
def test_accessibility(page, tmp_path, width):
    found = in_browser(page, tmp_path, width, f'<script>{Path(AXE).read_text()}</script>')
    assert found['violations'] == [] and found['n_passed'] > 20
