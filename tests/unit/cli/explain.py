#!/usr/bin/env python3
"""Every id that Medik can print is explained, in any case, and what a locked phone answers is no fault of Medik."""
import json
import pathlib
import re
import subprocess
import sys

SOURCES, MEDIK = pathlib.Path(sys.argv[1]), sys.argv[2]
ID = re.compile(r'"((?:(?:[A-Z]|CON)-[A-Z][A-Z0-9-]*[A-Z0-9])|(?:(?:da|doctor|dumchar|rom|scatter|table)\.[a-z][a-z0-9-]*))"')
# Only in a table of beginnings of ids, or the name of a file.
NO_ID = {'I-CHIP', 'P-NAND', 'S-SCATTER'}


def explain(text):
    done = subprocess.run([MEDIK, 'explain', '--json', '--', text], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if line['t'] == 'explanation']


def known(text):
    return any(line['why'] and line['cure'] for line in explain(text))


ids = set()
for path in [*SOURCES.glob('*/*.c'), *SOURCES.glob('*/*.h')]:
    if path.parent.name != 'phone':
        ids |= {found for found in ID.findall(path.read_text('utf-8')) if not found.endswith(('.c', '.h', '.md'))}
unknown = sorted(name for name in ids - NO_ID if not known(name))
CASES = [(f'all {len(ids)} ids are explained {unknown}', len(ids) > 80 and not unknown),
         ('lower case', known('k-verity') and known('h-life') and known('e-layout')),
         ('symbol in lower case', any(line['symbol'] == 'STATUS_SEC_DL_FORBIDDEN'
                                      for line in explain('status_sec_dl_forbidden'))),
         ('a locked phone', [line['code'] for line in explain('0xC0020004')] == ['E-SEC-FORBIDDEN']),
         ('a refused agent', [line['code'] for line in explain('0xc0060003')] == ['E-DA-SIGN'])]
print(f'1..{len(CASES)}')
for number, (words, good) in enumerate(CASES, 1):
    print(f'{"ok" if good else "not ok"} {number} {words}')
