#!/usr/bin/env python3
"""run.py FOLDER SECONDS: runs every libFuzzer target of the build in FOLDER for SECONDS, from its seeds.
Two at a time where there are two cores; what a target says is shown if it found something."""
import concurrent.futures
import os
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
        env = dict(os.environ, UBSAN_OPTIONS='halt_on_error=1:print_stacktrace=1')
        result = subprocess.run(command, env=env, stderr=subprocess.PIPE)
        ok = result.returncode == 0
        if not ok:
            sys.stderr.buffer.write(result.stderr)
    print(f'fuzz {name}: {"nothing found" if ok else "FOUND SOMETHING"} in {seconds} s', flush=True)
    return ok


def main():
    folder, seconds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return 0 if all(list(pool.map(lambda name: run(folder, name, seconds), targets()))) else 1


sys.exit(main())
