#!/usr/bin/env python3
"""run.py FOLDER SECONDS: runs every libFuzzer target of the build in FOLDER for SECONDS, from its seeds.
run.py --count FOLDER: how many targets the sources in FOLDER hold."""
import pathlib
import subprocess
import sys
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parent


def targets():
    return sorted(path.stem for path in SOURCES.glob('*.c') if path.stem != 'seeds-main')


def run(folder, name, seconds):
    seeds = SOURCES / 'seeds' / name
    with tempfile.TemporaryDirectory() as corpus:
        command = [folder / f'fuzz-{name}', f'-max_total_time={seconds}', '-timeout=10', '-rss_limit_mb=1024',
                   '-max_len=262144', '-print_final_stats=0', '-verbosity=0', f'-artifact_prefix={folder}/', corpus]
        if seeds.is_dir():
            command.append(seeds)
        ok = subprocess.run(command).returncode == 0
    print(f'fuzz {name}: {"nothing found" if ok else "FOUND SOMETHING"} in {seconds} s', flush=True)
    return ok


def main():
    if sys.argv[1] == '--count':
        print(len(targets()))
        return 0
    folder, seconds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    return 0 if all([run(folder, name, seconds) for name in targets()]) else 1


sys.exit(main())
