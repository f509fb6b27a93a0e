# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium for tests, driven through its DevTools pipe: no driver, no port, no package."""
import base64
import json
import os
import shutil
import subprocess
import time


def chromium():
    """The program, None when there is none: then a test ends with 77, skipped."""
    return shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')


def check(holds, what):
    if not holds:
        raise SystemExit(f'failed: {what}')


class Browser:
    """Chromium by its DevTools pipe: JSON messages that end in NUL."""

    def __init__(self, program, folder):
        to_browser, from_browser = os.pipe(), os.pipe()
        self.out, self.buffer, self.n, self.events = from_browser[0], b'', 0, []

        def hand_over():
            # 3 and 4 are what Chromium reads from and writes to; above both first, so that neither is overwritten
            a, b = os.dup2(to_browser[0], 100), os.dup2(from_browser[1], 101)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, '--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', f'--user-data-dir={folder}/profile',
             '--no-first-run', '--disable-extensions', '--disable-background-networking', 'about:blank'],
            preexec_fn=hand_over, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser[0])
        os.close(from_browser[1])
        self.pipe = to_browser[1]
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        self.call('Page.enable')
        self.call('Network.enable')
        self.call('Log.enable')
        self.call('Runtime.enable')

    def call(self, method, **parameters):
        self.n += 1
        message = {'id': self.n, 'method': method, 'params': parameters}
        if hasattr(self, 'session') and not method.startswith(('Target.', 'Browser.')):
            message['sessionId'] = self.session
        os.write(self.pipe, json.dumps(message).encode() + b'\0')
        while True:
            answer = self.read()
            if answer.get('id') == self.n:
                if 'error' in answer:
                    raise SystemExit(f'{method}: {answer["error"]}')
                return answer['result']
            self.events.append(answer)

    def read(self):
        while b'\0' not in self.buffer:
            part = os.read(self.out, 1 << 16)
            if not part:
                raise SystemExit('Chromium ended')
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b'\0')
        return json.loads(message)

    def open(self, path, ready='true'):
        """Loads a file and waits until the script `ready` says so."""
        self.run('window.before = true')
        self.call('Page.navigate', url='file://' + path)
        for _ in range(600):
            if self.run('!window.before && document.readyState === "complete"') and self.run(ready):
                return
            time.sleep(.05)
        raise SystemExit('the page does not load')

    def run(self, script):
        result = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in result:
            raise SystemExit(f'{script}: {result["exceptionDetails"]}')
        return result['result'].get('value')

    def size(self, width, height, phone=False):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def picture(self, path):
        """The whole page as PNG."""
        data = self.call('Page.captureScreenshot', captureBeyondViewport=True)['data']
        with open(path, 'wb') as file:
            file.write(base64.b64decode(data))

    def key(self, name, **more):
        for kind in ('keyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=name, code=name, **more)

    def asked_outside(self, folder):
        """Requests for anything that is not in the folder."""
        return [e for e in self.events if e.get('method') == 'Network.requestWillBeSent' and not
                e['params']['request']['url'].startswith(('file://' + folder, 'blob:', 'about:'))]

    def errors(self):
        return [e for e in self.events if e.get('method') in ('Log.entryAdded', 'Runtime.exceptionThrown')]

    def close(self):
        os.close(self.pipe)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
