#!/usr/bin/env python3
"""What the virtual phone takes is written down: its states, faults and orders, as the sources name them."""
import pathlib
import re
import subprocess
import sys

ROOT, MEDIK = pathlib.Path(sys.argv[1]), sys.argv[2]


def names(path, begin):
    text = (ROOT / path).read_text('utf-8')
    start = text.index(begin)
    return [name.rstrip('=') for name in re.findall(r'"([a-z0-9-]+=?)"', text[start:text.index('};', start)])]


def missing(wanted, text):
    return [name for name in wanted if not re.search(rf'(?<![a-z0-9-]){name}(?![a-z0-9-])', text)]


manual, guide = (ROOT / 'docs/medik.1.scd').read_text('utf-8'), (ROOT / 'docs/guide.md').read_text('utf-8')
states = names('src/phone/content-damage.c', 'mk_content_states[] = {')
faults = names('src/phone/fault-injection.c', 'kinds[] = {') + names('src/phone/fault-injection.c', 'things[] = {')
orders = names('src/phone/orders.c', '} orders[] = {')
usage = subprocess.run([MEDIK, 'phone', '--help'], capture_output=True, text=True, check=True).stdout
LISTS = [('states in the manual', states, manual), ('states in the guide', states, guide), ('states in --help', states, usage),
         ('faults in the manual', faults, manual), ('orders in the manual', orders, manual)]
print(f'1..{len(LISTS)}')
for number, (words, wanted, text) in enumerate(LISTS, 1):
    gone = missing(wanted, text)
    print(f'{"ok" if len(wanted) > 4 and not gone else "not ok"} {number} {words} {gone}')
