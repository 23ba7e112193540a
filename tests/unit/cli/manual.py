#!/usr/bin/env python3
"""What is taken is written down as the sources name it: states, faults and orders of the virtual phone, dangers to be accepted."""
import pathlib
import re
import subprocess
import sys

ROOT, MEDIK = pathlib.Path(sys.argv[1]), sys.argv[2]


def names(path, begin):
    text = (ROOT / path).read_text('utf-8')
    start = text.index(begin)
    return [name.rstrip('=') for name in re.findall(r'"([a-z0-9-]+=?)"', text[start:text.index('};', start)])]


def dangers():
    """Ids of what makes a gate of the kind DANGER: the plans' own, and what the checks of a ROM find. "D-" has gates of its own there."""
    own = ''.join(path.read_text('utf-8') for path in sorted((ROOT / 'src/flash').glob('plan-*.c')))
    found = ''.join(path.read_text('utf-8') for path in sorted((ROOT / 'src/rom').glob('checks*.c')))
    checks = set(re.findall(r'MK_SEVERITY_DANGER[^;"]*"([A-Z-]+)"', found))
    return sorted(set(re.findall(r'MK_GATE_DANGER, "([A-Z-]+)"', own)) | {name for name in checks if name[:2] != 'D-'})


def missing(wanted, text):
    return [name for name in wanted if not re.search(rf'(?<![A-Za-z0-9-]){name}(?![A-Za-z0-9-])', text)]


manual, guide = (ROOT / 'docs/medik.1.scd').read_text('utf-8'), (ROOT / 'docs/guide.md').read_text('utf-8')
states = names('src/phone/content-damage.c', 'mk_content_states[] = {')
faults = names('src/phone/fault-injection.c', 'kinds[] = {') + names('src/phone/fault-injection.c', 'things[] = {')
orders = names('src/phone/orders.c', '} orders[] = {')
usage, plans = (subprocess.run([MEDIK, *words], capture_output=True, text=True, check=True).stdout
                for words in (['phone', '--help'], ['flash', '--help-plan']))
LISTS = [('states in the manual', states, manual), ('states in the guide', states, guide), ('states in --help', states, usage),
         ('faults in the manual', faults, manual), ('orders in the manual', orders, manual),
         ('dangers in the manual', dangers(), manual), ('dangers in --help', dangers(), plans)]
print(f'1..{len(LISTS)}')
for number, (words, wanted, text) in enumerate(LISTS, 1):
    gone = missing(wanted, text)
    print(f'{"ok" if len(wanted) > 4 and not gone else "not ok"} {number} {words} {gone}')
