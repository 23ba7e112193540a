#!/usr/bin/env python3
"""make-ids.py USB-IDS.CSV OUTPUT.C: the table of USB identities in C."""
import csv
import sys

MODES = {'bootrom', 'preloader', 'da', 'meta', 'fastboot', 'android', 'unknown'}

rows, seen = [], set()
with open(sys.argv[1], newline='') as file:
    for vid, pid, mode, interface, name in csv.reader(line for line in file if line.strip() and line[0] != '#'):
        assert mode in MODES and (vid, pid) not in seen, (vid, pid, mode)
        seen.add((vid, pid))
        rows.append(f'    {{0x{vid}, 0x{pid}, MK_USB_{mode.upper()}, {interface or -1}, "{name}"}},\n')
with open(sys.argv[2], 'w') as out:
    out.write('/* Made from data/usb-ids.csv; do not edit. */\n#include "link/usb-ids.h"\n\nconst MkUsbId mk_usb_ids[] = {\n')
    out.writelines(rows)
    out.write(f'}};\nconst size_t mk_usb_id_count = {len(rows)};\n')
