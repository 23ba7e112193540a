#!/usr/bin/env python3
"""./do demo: the phone of the first message that Medik exists for, dead and brought back before the reader's eyes.

It fails (exit code 1) if the phone does not reach its home screen with its identity."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

MEDIK = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build/src/cli/medik')
PAUSE = 0 if not sys.stdout.isatty() or os.environ.get('CI') else 1.2


def say(text):
    print(f'\n\033[1m{text}\033[0m' if sys.stdout.isatty() else f'\n== {text}', flush=True)
    time.sleep(PAUSE)


def show(command, env, folder, wanted=0):
    words = ' '.join(str(word) for word in command).replace(MEDIK, 'medik').replace(f'{folder}/', '')
    print(f'$ {words}', flush=True)
    code = subprocess.run([str(word) for word in command], env=env, cwd=folder).returncode
    if code != wanted:
        sys.exit(f'demo: this ended with {code} instead of {wanted}')


def wait_for(words, log, seconds=30):
    end = time.monotonic() + seconds
    while not re.search(words, log.read_text(errors='replace')):
        if time.monotonic() > end:
            sys.exit(f'demo: the phone did not get to "{words}":\n{log.read_text()}')
        time.sleep(0.05)


def order(folder, *words):
    subprocess.run([MEDIK, 'phone', 'ctl', folder / 'phone.ctl', *words], check=True, stdout=subprocess.DEVNULL)


def rescue(folder, env):
    log = folder / 'phone.log'
    say('The patient: a 9300+ clone (MT6577). Somebody wrote another phone\'s ROM and its partition table onto it.')
    subprocess.run([MEDIK, 'phone', 'rom', 'mt6577-9300', folder / 'rom'], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([MEDIK, 'phone', 'da', folder / 'MTK_AllInOne_DA.bin', '--release', 'G1'], check=True,
                   stdout=subprocess.DEVNULL)
    with open(log, 'w') as out:
        phone = subprocess.Popen([MEDIK, 'phone', 'mt6577-9300', '--state', 'wrong-rom', '--flash', folder / 'flash',
                                  '--link', f'pty:{folder}/phone', '--control', folder / 'phone.ctl'], stdout=out,
                                 stderr=subprocess.STDOUT)
    try:
        wait_for('screen:', log)
        print('It is switched on. Its owner sees:', re.findall(r'screen: (.*)', log.read_text())[-1])
        say('Is the ROM folder that the owner found in order, and is it for this phone?')
        show([MEDIK, 'rom', 'check', folder / 'rom'], env, folder)
        say('Medik is started first and waits. Then the owner takes the battery out and plugs the phone in.')
        order(folder, 'battery', 'out')
        order(folder, 'unplug')
        wait = subprocess.Popen(['sh', '-c', f'sleep 1.5; "{MEDIK}" phone ctl "{folder}/phone.ctl" battery in >/dev/null;'
                                 f' "{MEDIK}" phone ctl "{folder}/phone.ctl" plug >/dev/null'])
        show([MEDIK, 'flash', 'rom', '--layout', 'change', '--erase-user-data', '--yes', '--port', './phone', '--da',
              'MTK_AllInOne_DA.bin'], env, folder)
        wait.wait()
        say('The phone restarts by itself.')
        wait_for(r'screen: the home screen; everything works', log)
        print('Its owner sees:', re.findall(r'screen: (.*)', log.read_text())[-1])
        order(folder, 'quit')
        phone.wait(10)
        show([MEDIK, 'phone', 'check', 'mt6577-9300', folder / 'flash'], env, folder)
    finally:
        phone.kill()


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='medik-demo-'))
    env = dict(os.environ, MEDIK_HOME=str(folder / 'home'))
    try:
        rescue(folder, env)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say('With a real phone it is the same command:')
    print('  medik flash ROM-FOLDER --port /dev/ttyACM0 --da MTK_AllInOne_DA.bin')
    print('Without --yes the plan is shown and asked about first; --dry-run only shows it. README.md tells the rest.')


main()
