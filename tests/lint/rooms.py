#!/usr/bin/env python3
"""The rules of the house that a script can see: arrows between rooms, sizes of files and functions, unfinished marks."""
import os
import re
import sys

RANK = {'core': 0, 'proto': 1, 'soc': 2, 'link': 2, 'store': 2, 'layout': 3, 'image': 3, 'rom': 4, 'boot': 4, 'agent': 4,
        'flash': 5, 'cli': 6, 'app': 6}
PHONE_MAY = {'core', 'proto', 'soc', 'link', 'store', 'layout', 'image', 'phone'}
MAX_FILE, MAX_FUNCTION = 800, 90
MARKS = re.compile(r'\b(TO' r'DO|FIX' r'ME|X' r'XX|HA' r'CK|not imple' r'mented|unimple' r'mented|st' r'ub)\b', re.I)


def arrow(room, to):
    """Why ROOM may not include a header of TO, or None."""
    if to == room:
        return None
    if room == 'phone':
        return f'phone must not know {to}' if to in RANK and to not in PHONE_MAY else None
    if room not in RANK:
        return None
    if to == 'phone' and room not in ('cli', 'app'):
        return f'{room} must not know phone'
    if RANK.get(to, 0) > RANK[room]:
        return f'{room} points up at {to}'
    return None


def check_arrows(path, lines):
    place = re.match(r'src/(\w+)/', path)
    if not place:
        return
    for number, line in enumerate(lines, 1):
        include = re.match(r'\s*#\s*include\s+["<](?:\.\./)*(?:src/)?(\w+)/', line)
        why = include and arrow(place.group(1), include.group(1))
        if why:
            yield f'{path}:{number}: {why}'


def check_sizes(path, lines):
    if len(lines) > MAX_FILE:
        yield f'{path}: {len(lines)} lines, at most {MAX_FILE}'
    start = 0
    for number, line in enumerate(lines, 1):
        if line == '{':
            start = number
        elif line == '}' and start:
            if number - start > MAX_FUNCTION:
                yield f'{path}:{start}: a function of {number - start} lines, at most {MAX_FUNCTION}'
            start = 0


def check_marks(path, lines):
    for number, line in enumerate(lines, 1):
        if MARKS.search(line):
            yield f'{path}:{number}: unfinished: {line.strip()[:90]}'


def sources():
    """All files of the project, without asking git: a copy without its history is checked alike."""
    for folder, folders, files in os.walk('.'):
        folders[:] = sorted(name for name in folders if name != '.git' and not name.startswith('build'))
        for name in sorted(files):
            yield os.path.relpath(os.path.join(folder, name), '.')


def check_translations():
    """Every source with words for the user is named in po/POTFILES.in, and nothing else."""
    with open('po/POTFILES.in') as file:
        named = set(file.read().split())
    for path in sorted({path for path in sources() if path.startswith('src/') and path.endswith('.c')} | named):
        has_words = os.path.isfile(path) and re.search(r'\bN?_\(', open(path, errors='replace').read())
        if bool(has_words) != (path in named):
            yield f'po/POTFILES.in: {path} is {"missing" if has_words else "named without reason"}'


def main():
    complaints = list(check_translations())
    for path in sources():
        if not path.endswith(('.c', '.h', '.py', '.sh', '.md', 'do')) or path == 'CHANGELOG.md':
            continue
        with open(path, errors='replace') as file:
            lines = file.read().splitlines()
        if path.endswith(('.c', '.h')):
            complaints += check_arrows(path, lines)
            complaints += check_sizes(path, lines)
        complaints += check_marks(path, lines)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


sys.exit(main())
