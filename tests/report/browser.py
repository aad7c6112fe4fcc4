"""Headless Chromium by its debugging pipe (the DevTools protocol): as much as a test of a page needs."""
import fcntl
import json
import os
import select
import subprocess
import time

SECONDS = 60  # a page may take


class Browser:
    """One page of a Chromium; `problems` and `requests` gather what its console and network tell."""

    def __init__(self, executable, profile):
        to_child, self._write = os.pipe()
        self._read, from_child = os.pipe()

        def place():  # Chromium reads commands from 3 and writes answers to 4
            ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_child, from_child)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)
        self._process = subprocess.Popen(
            [executable, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
             '--no-first-run', f'--user-data-dir={profile}', '--remote-debugging-pipe', 'about:blank'],
            preexec_fn=place, pass_fds=(3, 4, to_child, from_child), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self._n, self._buffer, self._session = 0, b'', None
        self.problems, self.requests = [], []
        target = self.send('Target.createTarget', url='about:blank')['targetId']
        self._session = self.send('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.send(f'{domain}.enable')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        self._process.wait(10)

    def send(self, method, **params):
        self._n += 1
        message = {'id': self._n, 'method': method, 'params': params}
        if self._session:
            message['sessionId'] = self._session
        self._write_all(json.dumps(message).encode() + b'\0')
        answer = self._wait(lambda m: m.get('id') == self._n)
        if 'error' in answer:
            raise RuntimeError(f'{method}: {answer["error"]}')
        return answer['result']

    def _write_all(self, content):
        while content:
            content = content[os.write(self._write, content):]

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
        params = message.get('params', {})
        if message.get('method') == 'Runtime.exceptionThrown':
            self.problems.append(params['exceptionDetails']['text'])
        elif message.get('method') == 'Log.entryAdded':
            self.problems.append(params['entry']['text'])
        elif message.get('method') == 'Network.requestWillBeSent':
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
