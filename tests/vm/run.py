#!/usr/bin/env python3
"""run.py BUILD-FOLDER [TEST... | bench]: boots a Debian kernel under QEMU (software emulation) with Medik inside, and passes on what its tests
say in TAP. BUILD-FOLDER/vm is what fetch.sh made."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = int(os.environ.get('MEDIK_VM_SECONDS', '720'))
MODULES = ('vhci-hcd', 'cdc-acm')


def libraries(program):
    """Every library PROGRAM loads, and the loader itself."""
    said = subprocess.run(['ldd', program], capture_output=True, text=True).stdout
    return [pathlib.Path(path) for path in re.findall(r'(?:=> |^\s*)(/\S+)', said, re.MULTILINE)]


def put(root, source, place, strip=False):
    target = root / place.lstrip('/')
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    if strip and not os.environ.get('MEDIK_VM_SYMBOLS'):
        subprocess.run(['strip', target], check=True)


def put_program(root, source, place):
    put(root, source, place, strip=True)
    for library in libraries(source):
        put(root, library, str(library))


def put_modules(root, kernel):
    """The modules and the order in which they load."""
    version = (kernel / 'version').read_text().strip()
    order = []
    for module in MODULES:
        said = subprocess.run(['modprobe', '-d', kernel, '-S', version, '--show-depends', module], check=True,
                              capture_output=True, text=True).stdout
        for path in re.findall(r'^insmod (\S+)', said, re.MULTILINE):
            if path not in order:
                order.append(path)
    for path in order:
        put(root, path, f'modules/{os.path.basename(path)}')
    (root / 'modules/order').write_text('\n'.join(map(os.path.basename, order)) + '\n')


def make_initramfs(folder, build, kernel):
    root = folder / 'root'
    put(root, '/bin/busybox', 'bin/busybox')
    put_program(root, build / 'src/cli/medik', 'bin/medik')
    put_program(root, build / 'tests/vm/vm-plug', 'bin/plug')
    put_program(root, build / 'bench/bench-usb', 'bin/bench-usb')
    put_program(root, kernel / 'usbip', 'bin/usbip')
    put_program(root, kernel / 'udevadm', 'bin/udevadm')
    (root / 'bin/udevd').symlink_to('udevadm')
    put_program(root, '/sbin/mke2fs', 'bin/mke2fs')
    put(root, '/etc/mke2fs.conf', 'etc/mke2fs.conf')
    put_modules(root, kernel)
    put(root, HERE / 'init', 'init')
    for script in HERE.glob('*.sh'):
        put(root, script, f'tests/{script.name}')
    shutil.copytree(HERE.parent.parent / 'data', root / 'data')
    for place in ('proc', 'sys', 'dev', 'tmp'):
        (root / place).mkdir()
    names = '\0'.join(sorted(str(path.relative_to(root)) for path in root.rglob('*')))
    image = folder / 'initramfs'
    with open(image, 'wb') as out:
        subprocess.run(['cpio', '--null', '--create', '--format=newc', '--quiet', '--owner=0:0'], cwd=root, check=True,
                       input=names.encode(), stdout=out)
    return image


def boot(kernel, image, tests):
    words = ['console=ttyS0', 'quiet', 'panic=-1', 'mitigations=off', 'no_timer_check', f'medik.tests={",".join(tests)}' if tests else '']
    command = ['qemu-system-x86_64', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1536', '-nodefaults', '-display', 'none',
               '-no-reboot', '-serial', 'stdio', '-kernel', kernel / 'vmlinuz', '-initrd', image, '-append', ' '.join(words)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main():
    build, tests = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    kernel = build / 'vm'
    if not (kernel / 'udevadm').exists():
        print('1..0 # SKIP there is no kernel yet; ./do vm fetches it')
        return 0
    ended = False
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix='medik-vm-', dir=os.environ.get('TMPDIR', '/var/tmp')) as folder:
        image = make_initramfs(pathlib.Path(folder), build, kernel)
        machine = boot(kernel, image, tests)
        bomb = threading.Timer(SECONDS, machine.kill)
        bomb.start()
        try:
            for raw in machine.stdout:
                line = raw.decode('utf-8', 'replace').strip('\r\n')
                is_tap = re.match(r'(ok|not ok) \d+|1\.\.\d+|# |Bail out!', line)
                print(line if is_tap else f'# console: {line}', flush=True)
                ended = ended or line == '# vm: the end'
        finally:
            bomb.cancel()
            machine.kill()
            machine.wait()
    if not ended:
        print(f'Bail out! the machine ended before its tests did (at most {SECONDS} s)')
    return 0 if ended else 1


sys.exit(main())
