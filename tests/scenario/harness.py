"""What the scenarios share: a virtual phone in a process of its own, the real medik, and TAP."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback

MEDIK = sys.argv[1] if len(sys.argv) > 1 else 'build/src/cli/medik'
# The agent that each model is used with.
LEGACY = {'mt6577-9300': 'G1', 'mt6575-nand': 'G1', 'mt6589-mi350n': 'G2', 'mt6572-s10': 'G2', 'mt6582-a106-4g': 'G3',
          'mt6582-a106-8g': 'G3', 'mt6582-dreamuno': 'G3', 'mt6752': 'G3', 'mt6735-energy2': 'G4',
          'mt6737-zc520tl': 'G4'}
XFLASH = {'mt6755-p10': 'X1', 'mt6765-p35': 'X2', 'mt6768-g85': 'X2', 'mt6785-g90': 'X2', 'mt6768-a15': 'X3'}
XML = {'mt6789-g99': 'V1', 'mt6855-d7020': 'V1', 'mt6835-d6100': 'V1', 'mt6895-d8100': 'V2'}
RELEASES = {**LEGACY, **XFLASH, **XML}


class Result:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr
        self.text = self.out + self.err

    def events(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith('{')]

    def event(self, kind):
        return [event for event in self.events() if event.get('t') == kind]


class Desk:
    """A folder with a home for Medik, DA files, ROMs and phones; gone at the end."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='medik-scenario-'))
        self.phones = []
        self.env = dict(os.environ, MEDIK_HOME=str(self.folder / 'home'), LC_ALL='C.UTF-8')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for phone in self.phones:
            phone.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *args, timeout=120):
        command = [MEDIK, *map(str, args)]
        return Result(subprocess.run(command, capture_output=True, text=True, env=self.env, timeout=timeout,
                                     stdin=subprocess.DEVNULL))

    def da(self, release):
        path = self.folder / f'DA-{release}.bin'
        if not path.exists():
            ok(self.run('phone', 'da', path, '--release', release))
        return path

    def rom(self, model, name=None):
        path = self.folder / (name or f'rom-{model}')
        if not path.exists():
            ok(self.run('phone', 'rom', model, path))
        return path

    def phone(self, model, state='stock', **options):
        phone = Phone(self, model, state, **options)
        self.phones.append(phone)
        return phone


class Phone:
    def __init__(self, desk, model, state='stock', key='download', name=None, faults=(), extra=(), release=None, link=None):
        self.desk, self.model = desk, model
        self.name = name or f'{model}-{len(desk.phones)}'
        self.release = release or RELEASES[model]
        self.flash = desk.folder / f'{self.name}.flash'
        place = desk.folder / f'{self.name}.port'
        self.port = f'socket:{place}' if link == 'socket' else place
        self.control = desk.folder / f'{self.name}.control'
        command = [MEDIK, 'phone', model, '--flash', str(self.flash), '--state', state, '--link',
                   str(self.port) if link == 'socket' else f'pty:{place}',
                   '--control', str(self.control), '--key', key]
        for fault in faults:
            command += ['--fault', fault]
        self.log = open(desk.folder / f'{self.name}.log', 'w')
        self.process = subprocess.Popen(command + list(extra), stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env=desk.env)
        self.said = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait_for(lambda: any(line.startswith('port:') for line in self.said) or '--manual' in extra)

    def _read(self):
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def wait_for(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f'{self.name} did not get there: {self.said[-3:]}'
            assert self.process.poll() is None, f'{self.name} ended by itself: {self.said[-3:]}'
            time.sleep(0.01)

    def ctl(self, *order):
        answer = self.desk.run('phone', 'ctl', self.control, *order)
        assert answer.code == 0, answer.text
        return json.loads(answer.out)

    def state(self):
        return self.ctl('state')

    def medik(self, verb, *args, json_mode=False, **options):
        extra = ['--port', self.port, '--da', self.desk.da(self.release), '--timeout', '25']
        if '--preloader' not in args and self.model in RELEASES:
            extra += ['--preloader', next(self.desk.rom(self.model).glob('preloader*'))]
        return self.desk.run(verb, *args, *extra, *(['--json'] if json_mode else []), **options)

    def reboot(self, key='download'):
        """Battery and cable out, then in again with the key held or not."""
        self.ctl('battery', 'out')
        self.ctl('unplug')
        self.wait_for(lambda: self.state()['mode'] == 'off')
        self.ctl('hold', key)
        self.ctl('battery', 'in')
        self.ctl('plug')

    def boots_to(self, screen='home'):
        """What the owner sees after an ordinary start."""
        self.reboot('none')
        self.wait_for(lambda: self.state()['mode'] in ('booted', 'bootrom'))
        state = self.state()
        shown = state['screen'] if state['mode'] == 'booted' else 'preloader'
        assert shown == screen, f'{self.name}: {shown} instead of {screen}: {state}'
        return state

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.log.close()


def ok(result):
    assert result.code == 0, f'exit {result.code}\n{result.text}'
    return result


def fails(result, code, *words):
    assert result.code == code, f'exit {result.code} instead of {code}\n{result.text}'
    for word in words:
        assert word in result.text, f'"{word}" is not said:\n{result.text}'
    return result


def main(tests):
    print(f'1..{len(tests)}', flush=True)
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace('test_', '').replace('_', '-')
        try:
            with Desk() as desk:
                test(desk)
            print(f'ok {number} {name}', flush=True)
        except Exception:
            for line in traceback.format_exc().splitlines():
                print(f'# {line}')
            print(f'not ok {number} {name}', flush=True)


def share(tests, nested=False):
    """The tests of this run: "1/2" behind the program's name asks for every second one (NESTED: of lists of tests that stay together)."""
    part, parts = (int(number) for number in (sys.argv[2] if len(sys.argv) > 2 else '1/1').split('/'))
    chosen = tests[part - 1::parts]
    return [test for group in chosen for test in group] if nested else chosen


def tests_of(module):
    return [value for name, value in vars(module).items() if name.startswith('test_')]


def run_module():
    main(tests_of(sys.modules['__main__']))
