#!/usr/bin/env python3
"""./do bench: reading and writing 1 GiB through the agents of all three dialects, as ratios to plain copying in the same run.

usage: bench/run.py MEDIK [MIB [DIALECT...]]"""
import json
import os
import pathlib
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MEDIK = os.path.abspath(sys.argv[1])
SIZE = int(sys.argv[2] if len(sys.argv) > 2 else 1024) << 20
WANTED = sys.argv[3:]
ROUNDS = 5  # of Medik and plain copying in turn; the middle one counts

# Name, model, release of its agent, the partition that is written, and its image in the ROM.
DIALECTS = [('legacy', 'mt6582-a106-8g', 'G3', 'ANDROID', 'system.img'),
            ('XFlash', 'mt6765-p35', 'X2', 'userdata', 'userdata.img'),
            ('XML', 'mt6835-d6100', 'V1', 'userdata', 'userdata.img')]


def timed(command, env=None, part=None):
    """Seconds of wall clock (of the step PART only, if one is named, with its SHA-256 and its way to the disk), seconds of CPU, peak KiB,
    output."""
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


def folder_for(size):
    """Where the files lie: in memory if there is room, so that two programs are compared and not two moods of a disk."""
    shared = pathlib.Path('/dev/shm')
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > 8 * size
    return tempfile.mkdtemp(prefix='medik-bench-', dir=os.environ.get('TMPDIR', shared if roomy else '/var/tmp'))


def touch_memory():
    """A virtual machine gives free memory back to its host, and the next to use it pays: neither side of a comparison shall."""
    touch = f'import mmap; m = mmap.mmap(-1, {SIZE * 3 // 2})\nfor at in range(0, len(m), mmap.PAGESIZE): m[at] = 1'
    subprocess.run([sys.executable, '-c', touch], check=True)  # not in this process: its peak would be its children's


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

    def plain(self, source, target, summed=False):
        """The same bytes from file to file through a Unix socket, with their SHA-256 beside it if SUMMED. Seconds."""
        port = self.folder / 'plain'
        port.unlink(missing_ok=True)
        touch_memory()
        give = subprocess.Popen(['socat', '-b', str(1 << 20), '-u', f'OPEN:{source},rdonly,readbytes={SIZE}', f'UNIX-LISTEN:{port}'])
        while not port.exists():
            time.sleep(0.01)
        take = ['socat', '-b', str(1 << 20), '-u', f'UNIX-CONNECT:{port}', '-' if summed else f'OPEN:{target},creat,wronly']
        seconds = timed(['sh', '-c', f'{shlex.join(take)} | tee {shlex.quote(str(target))} | openssl dgst -sha256'] if summed else take)[0]
        give.wait()
        return seconds

    def write(self, partition, start):
        """Writes the partition with Medik, then the same bytes by plain copying to the same place of the same chip."""
        chip = self.folder / 'flash' / 'user.img'

        def clear():
            subprocess.run(['fallocate', '--punch-hole', '--offset', str(start), '--length', str(SIZE), chip], check=True)
        clear()
        touch_memory()
        run = self.medik(['flash', self.folder / 'rom', '--only', partition, '--erase-user-data', '--yes', '--verify', 'none',
                          '--json'], part=f'write {partition}')
        clear()
        return run, self.plain(self.data, f'{chip},seek={start}')

    def read(self, start):
        """Saves the same range with Medik and by plain copying, each into a new file."""
        shutil.rmtree(self.folder / 'saved', ignore_errors=True)
        touch_memory()
        run = self.medik(['save', self.folder / 'saved', *range_words(start, SIZE), '--json'], part=f'user-{start:#x}')
        shutil.rmtree(self.folder / 'saved')
        (self.folder / 'copy').unlink(missing_ok=True)
        return run, self.plain(f'{self.folder / "flash" / "user.img"},seek={start}', self.folder / 'copy')

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


def range_words(start, length):
    return ['--region', 'user', '--offset', hex(start), '--length', hex(length)]


def middle(rounds):
    """Of ratios and of what single runs took: the middle ones."""
    ratios = [plain / run[0] for run, plain in rounds]
    print(f'    {" ".join(f"{ratio:.0%}" for ratio in ratios)}', flush=True)
    return statistics.median(ratios), statistics.median(run[1] for run, _ in rounds), max(run[2] for run, _ in rounds)


def measure(folder, dialect, model, release, partition, image):
    gib = SIZE / (1 << 30)
    bench = Bench(folder, model, release, image)
    hash_cpu = bench.checksum_cpu()
    idle = bench.medik(['info', '--json'])
    # What a flash takes before and after the transfer, above all the identity: a flash of next to nothing.
    little = bench.medik(['flash', folder / 'rom', '--only', 'logo', '--yes', '--verify', 'none', '--json'])
    card = next(json.loads(line) for line in idle[3].splitlines() if line.startswith('{"t":"result"'))
    start = place_of(card, partition)
    good = []
    # A file is hashed before the phone is touched and again before it is sent; what is read is hashed once.
    for name, base, hashes, once in (('writing', little, 2, lambda: bench.write(partition, start)),
                                     ('reading', idle, 1, lambda: bench.read(start))):
        rounds = [once() for _ in range(ROUNDS)]
        ratio, cpu, peak = middle(rounds)
        last = rounds[-1][0]
        cpu = (cpu - base[1] - hashes * hash_cpu) / gib
        good.append(report(f'{dialect}: {name} {gib:g} GiB, of plain copying', f'{ratio:.0%}', '80 %', ratio >= 0.8))
        good.append(report(f'{dialect}, {name}: CPU of medik beyond hashing, per GiB', f'{cpu:.2f} s', '0.50 s', cpu < 0.5))
        good.append(report(f'{dialect}, {name}: peak memory of medik', f'{peak / 1024:.0f} MiB', '64 MiB', peak < 64 << 10))
    summed = bench.plain(f'{folder / "flash" / "user.img"},seek={start}', folder / 'copy-2', summed=True)
    print(f'{dialect}: reading, of plain copying with openssl dgst beside it{"":15} {summed / last[0]:>10.0%}   (Medik makes that sum, too)')
    held = bench.medik(['save', folder / 'held', *range_words(start, SIZE // 4), '--json'], part=f'user-{start:#x}',
                       extra=['--rate', '40000000', '--turnaround', '125us'])
    share = SIZE // 4 / 40e6 / held[0]
    good.append(report(f'{dialect}: reading over a link of 40 MB/s and 125 us', f'{share:.1%}', '97 %', share >= 0.97))
    return all(good)


def main():
    good = True
    for dialect, *rest in DIALECTS:
        if WANTED and dialect not in WANTED:
            continue
        folder = pathlib.Path(folder_for(SIZE))
        try:
            good = measure(folder, dialect, *rest) and good
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


sys.exit(main())
