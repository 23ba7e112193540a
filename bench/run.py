#!/usr/bin/env python3
"""./do bench: reading and writing 1 GiB through the agents of all three dialects, as ratios to plain copying in the same run.

usage: bench/run.py MEDIK [MIB [DIALECT...]]"""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

MEDIK = os.path.abspath(sys.argv[1])
SIZE = int(sys.argv[2] if len(sys.argv) > 2 else 1024) << 20
WANTED = sys.argv[3:]

# Name, model, release of its agent, the partition that is written, and its image in the ROM.
DIALECTS = [('legacy', 'mt6582-a106-8g', 'G3', 'ANDROID', 'system.img'),
            ('XFlash', 'mt6765-p35', 'X2', 'userdata', 'userdata.img'),
            ('XML', 'mt6835-d6100', 'V1', 'userdata', 'userdata.img')]


def timed(command, env=None, part=None):
    """Seconds of wall clock (of the transfer of PART only, if one is named), seconds of CPU, peak KiB, output."""
    begin, end, lines = time.monotonic(), None, []
    process = subprocess.Popen([str(word) for word in command], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    for line in process.stdout:
        lines.append(line)
        event = json.loads(line) if part and line.startswith('{"t":"progress"') else {}
        if event.get('part', '').endswith(part or '-'):
            begin = begin if end else time.monotonic()
            end = time.monotonic()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, ''.join(lines)
    return (end or time.monotonic()) - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, ''.join(lines)


class Bench:
    def __init__(self, folder, model, release, image):
        self.folder, self.model = folder, model
        self.env = dict(os.environ, MEDIK_HOME=str(folder / 'home'))
        self.data = folder / 'data.bin'
        with open('/dev/urandom', 'rb') as source, open(self.data, 'wb') as target:
            for _ in range(SIZE >> 20):
                target.write(source.read(1 << 20))
        subprocess.run([MEDIK, 'phone', 'da', folder / 'da', '--release', release], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([MEDIK, 'phone', 'rom', model, folder / 'rom'], check=True, stdout=subprocess.DEVNULL)
        # An image of the ROM grows to the size that is measured: a file system in front, noise behind it; a sparse one gives way to noise.
        path = folder / 'rom' / image
        if path.read_bytes()[:4] == b'\x3a\xff\x26\xed':
            path.unlink()
        with open(path, 'ab') as system, open(self.data, 'rb') as noise:
            shutil.copyfileobj(noise, system)
            system.truncate(SIZE)
        self.preloader = next((folder / 'rom').glob('preloader*'))
        self.starts = 0

    def phone(self, *extra):
        self.starts += 1
        port = self.folder / f'port-{self.starts}'
        phone = subprocess.Popen([MEDIK, 'phone', self.model, '--flash', self.folder / 'flash', '--link', f'socket:{port}',
                                  '--key', 'download', *extra], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        while not phone.stdout.readline().startswith('port:'):
            pass
        return phone, port

    def medik(self, words, part=None, extra=()):
        phone, port = self.phone(*extra)
        try:
            return timed([MEDIK, *words, '--port', f'socket:{port}', '--da', self.folder / 'da', '--preloader', self.preloader],
                         self.env, part)
        finally:
            phone.terminate()
            phone.wait()

    def plain(self, source, target, offset=0):
        """The same bytes from file to file through a Unix socket."""
        port = self.folder / 'plain'
        port.unlink(missing_ok=True)
        give = subprocess.Popen(['socat', '-b', str(1 << 20), '-u', f'OPEN:{source},rdonly,seek={offset},readbytes={SIZE}',
                                 f'UNIX-LISTEN:{port}'])
        while not port.exists():
            time.sleep(0.01)
        seconds, _, _, _ = timed(['socat', '-b', str(1 << 20), '-u', f'UNIX-CONNECT:{port}', f'OPEN:{target},creat,wronly'])
        give.wait()
        return seconds

    def checksum_cpu(self):
        """CPU of summing and hashing the same bytes, which is not counted."""
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(['openssl', 'dgst', '-sha256', str(self.data)], check=True, stdout=subprocess.DEVNULL)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime


def report(name, value, wanted, good):
    print(f'{name:<64} {value:>10}   wanted {wanted:<10} {"ok" if good else "NOT REACHED"}', flush=True)
    return good


def place_of(card, partition):
    """Where the partition begins in the user area, by the phone's own table, or 1 GiB: far from any table."""
    return next((part['start'] for part in card.get('partitions', []) if part['name'] == partition), 1 << 30)


def measure(folder, dialect, model, release, partition, image):
    gib = SIZE / (1 << 30)
    bench = Bench(folder, model, release, image)
    hash_cpu = bench.checksum_cpu()
    idle = bench.medik(['info', '--json'])
    # What a flash takes before and after the transfer, above all the identity: a flash of next to nothing.
    little = bench.medik(['flash', folder / 'rom', '--only', 'logo', '--yes', '--verify', 'none', '--json'])
    card = next(json.loads(line) for line in idle[3].splitlines() if line.startswith('{"t":"result"'))
    start = place_of(card, partition)
    write = bench.medik(['flash', folder / 'rom', '--only', partition, '--erase-user-data', '--yes', '--verify', 'none', '--json'],
                        part=f'write {partition}')
    plain_write = bench.plain(bench.data, folder / 'copy')
    range_of = ['--region', 'user', '--offset', hex(start), '--length', hex(SIZE)]
    read = bench.medik(['save', folder / 'saved', *range_of, '--json'], part=f'user-{start:#x}')
    plain_read = bench.plain(folder / 'flash' / 'user.img', folder / 'copy-2', start)
    good = [report(f'{dialect}: writing {gib:g} GiB, of plain copying', f'{plain_write / write[0]:.0%}', '80 %',
                   plain_write / write[0] >= 0.8),
            report(f'{dialect}: reading {gib:g} GiB, of plain copying', f'{plain_read / read[0]:.0%}', '80 %',
                   plain_read / read[0] >= 0.8)]
    # The file is hashed before the phone is touched and again before it is sent; what is read is hashed once.
    for name, run, base, hashes in (('writing', write, little, 2), ('reading', read, idle, 1)):
        cpu = (run[1] - base[1] - hashes * hash_cpu) / gib
        good.append(report(f'{dialect}, {name}: CPU of medik beyond hashing, per GiB', f'{cpu:.2f} s', '0.50 s', cpu < 0.5))
        good.append(report(f'{dialect}, {name}: peak memory of medik', f'{run[2] / 1024:.0f} MiB', '64 MiB', run[2] < 64 << 10))
    range_of[-1] = hex(SIZE // 4)
    held = bench.medik(['save', folder / 'held', *range_of, '--json'], part=f'user-{start:#x}',
                       extra=['--rate', '40000000', '--turnaround', '125us'])
    share = SIZE // 4 / 40e6 / held[0]
    good.append(report(f'{dialect}: reading over a link of 40 MB/s and 125 us', f'{share:.1%}', '97 %', share >= 0.97))
    return all(good)


def main():
    good = True
    for dialect, *rest in DIALECTS:
        if WANTED and dialect not in WANTED:
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix='medik-bench-', dir=os.environ.get('TMPDIR', '/var/tmp')))
        try:
            good = measure(folder, dialect, *rest) and good
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


sys.exit(main())
