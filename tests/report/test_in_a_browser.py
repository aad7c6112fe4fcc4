"""The page in headless Chromium: no errors, no requests, the slider works, nothing is wider than the window, axe.

Skipped where no Chromium is found: `SNGAN_CHROMIUM` names one. axe-core is run where `SNGAN_AXE` names its axe.min.js.
"""
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

NAMES = 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome-headless-shell'
CHROMIUM = os.environ.get('SNGAN_CHROMIUM') or next(filter(None, map(shutil.which, NAMES)), None)
AXE = os.environ.get('SNGAN_AXE')
pytestmark = [pytest.mark.long,
              pytest.mark.skipif(CHROMIUM is None, reason='no Chromium found; SNGAN_CHROMIUM names one')]
VIEWS = pytest.mark.parametrize('width, scheme', [(375, 'light'), (1200, 'dark')])
SECONDS = 60  # a page may take
SHOWN = "[...document.querySelectorAll('.time img')].map(image => image.getClientRects().length)"


class Browser:
    """One page of a Chromium by its debugging pipe (DevTools protocol); `problems` and `requests` are what it tells."""

    def __init__(self, executable, profile):
        to_child, self._write = os.pipe()
        self._read, from_child = os.pipe()
        self._process = subprocess.Popen(  # Chromium reads commands from 3 and writes answers to 4
            ['bash', '-c', f'exec "$@" 3<&{to_child} 4>&{from_child}', 'bash', executable, '--headless', '--no-sandbox',
             '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', f'--user-data-dir={profile}',
             '--remote-debugging-pipe', 'about:blank'],
            pass_fds=(to_child, from_child), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self._n, self._buffer, self._session = 0, b'', None
        self.problems, self.requests = [], []
        target = self.send('Target.createTarget', url='about:blank')['targetId']
        self._session = self.send('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.send(f'{domain}.enable')

    def close(self):
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        self._process.wait(10)

    def send(self, method, **params):
        self._n += 1
        message = {'id': self._n, 'method': method, 'params': params}
        if self._session:
            message['sessionId'] = self._session
        content = json.dumps(message).encode() + b'\0'
        while content:
            content = content[os.write(self._write, content):]
        answer = self._wait(lambda m: m.get('id') == self._n)
        if 'error' in answer:
            raise RuntimeError(f'{method}: {answer["error"]}')
        return answer['result']

    def _wait(self, wanted):
        end = time.monotonic() + SECONDS
        while True:
            while b'\0' not in self._buffer:
                ready, _, _ = select.select([self._read], [], [], max(0, end - time.monotonic()))
                part = os.read(self._read, 2 ** 16) if ready else b''
                if not part:
                    raise TimeoutError('Chromium gave no answer')
                self._buffer += part
            message, _, self._buffer = self._buffer.partition(b'\0')
            message = json.loads(message)
            self._note(message)
            if wanted(message):
                return message

    def _note(self, message):
        kind, params = message.get('method'), message.get('params', {})
        if kind in ('Runtime.exceptionThrown', 'Log.entryAdded'):
            self.problems.append(params['entry' if kind == 'Log.entryAdded' else 'exceptionDetails']['text'])
        elif kind == 'Network.requestWillBeSent':
            self.requests.append(params['request']['url'])

    def open(self, url, width, scheme='light'):
        self.problems, self.requests = [], []
        self.send('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.send('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])
        self.send('Page.navigate', url=url)
        self._wait(lambda m: m.get('method') == 'Page.loadEventFired')

    def run(self, script):
        """The value of a JavaScript expression, awaited."""
        result = self.send('Runtime.evaluate', expression=script, awaitPromise=True, returnByValue=True)
        if 'exceptionDetails' in result:
            raise RuntimeError(result['exceptionDetails'])
        return result['result'].get('value')


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    browser = Browser(CHROMIUM, tmp_path_factory.mktemp('profile'))
    yield browser
    browser.close()


@VIEWS
def test_it_loads_without_errors_or_requests(browser, reported, width, scheme):
    browser.open(reported.as_uri(), width, scheme)
    assert browser.problems == []
    assert [url for url in browser.requests if not url.startswith('data:')] == [reported.as_uri()]
    assert browser.run('[...document.images].filter(i => i.getClientRects().length && !i.naturalWidth).length') == 0
    assert browser.run('innerWidth') == width
    assert browser.run('document.documentElement.scrollWidth') <= width
    background = browser.run('getComputedStyle(document.body).backgroundColor')
    assert background == {'light': 'rgb(255, 255, 255)', 'dark': 'rgb(20, 23, 28)'}[scheme]


def test_the_slider(browser, reported):
    browser.open(reported.as_uri(), 375)
    assert browser.run(SHOWN) == [0, 1]
    browser.run("document.querySelector('.time input').focus()")
    for kind in ('keyDown', 'keyUp'):
        browser.send('Input.dispatchKeyEvent', type=kind, key='ArrowLeft', code='ArrowLeft', windowsVirtualKeyCode=37)
    assert browser.run(SHOWN) == [1, 0]
    assert browser.run("document.querySelector('.time output').textContent") == '2'
    assert browser.run("document.querySelector('.time input').getAttribute('aria-valuetext')") == 'iteration 2'


@pytest.mark.skipif(AXE is None, reason='SNGAN_AXE names no axe.min.js')
@VIEWS
def test_accessibility(browser, reported, width, scheme):
    browser.open(reported.as_uri(), width, scheme)
    browser.run(Path(AXE).read_text(encoding='utf-8') + '; 0')
    result = browser.run('axe.run(document).then(r => [r.violations.map(v => [v.id, v.nodes[0].html]), r.passes.map('
                         'v => v.id)])')
    assert result[0] == []
    assert {'color-contrast', 'image-alt', 'label', 'svg-img-alt'} <= set(result[1])
