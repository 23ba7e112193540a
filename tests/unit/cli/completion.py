#!/usr/bin/env python3
"""The bash completion offers the verbs and what belongs to them."""
import subprocess
import sys

SCRIPT, FOLDER = sys.argv[1], sys.argv[2]


def complete(*words):
    line = f'PATH="{FOLDER}:$PATH"; . "{SCRIPT}"; COMP_WORDS=({" ".join(words) or chr(39) * 2}); ' \
           f'COMP_CWORD={len(words) - 1}; _medik; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return subprocess.run(['bash', '-c', line], capture_output=True, text=True, check=True).stdout.split()


CASES = [(('medik', 'fl'), 'flash'), (('medik', 'flash', '--scene', 'up'), 'upgrade'),
         (('medik', 'table', 'rep'), 'repair'), (('medik', 'phone', 'mt6577'), 'mt6577-9300'),
         (('medik', 'save', '--preset', 'id'), 'identity'), (('medik', 'erase', '--exc'), '--except-identity'),
         (('medik', 'wa'), 'watch'), (('medik', 'doctor', '--inst'), '--install-rules'), (('medik', 'flash', '--al'), '--all')]
print(f'1..{len(CASES)}')
for number, (words, wanted) in enumerate(CASES, 1):
    print(f'{"ok" if wanted in complete(*words) else "not ok"} {number} {" ".join(words)}')
