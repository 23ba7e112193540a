#!/usr/bin/env python3
"""Turns data/chips.csv into the C table of the room soc. Columns: spec chips.md."""
import csv
import re
import sys


def hexadecimal(text):
    return int(text, 16) if text else 0


def first(row, *columns):
    return next((row[c] for c in columns if re.fullmatch(r'[0-9a-fA-F]{4,8}', row[c])), '')


def watchdog(row):
    value = row['wdt_disable_spft'] or row['wdt_disable_mtkclient']
    if value == 'by-DA':
        return 'MK_WDT_BY_DA', 0
    if value == 'none':
        return 'MK_WDT_NONE', 0
    if value.startswith('rmw:'):
        return 'MK_WDT_READ_MODIFY_WRITE', int(value.rsplit('|', 1)[1], 16)
    return ('MK_WDT_WRITE', int(value, 16)) if value else ('MK_WDT_UNKNOWN', 0)


def text(value):
    return '"' + value.replace('\\', '\\\\').replace('"', '\\"') + '"'


def entry(row):
    action, value = watchdog(row)
    fields = {
        'hw_code': hexadecimal(row['hw_code']),
        'spft_code': hexadecimal(row['spft_code'] or row['hw_code']),
        'spft_known': int(bool(row['spft_code'])),
        'da_code': hexadecimal(first(row, 'da_file_hw_code', 'dacode', 'spft_code', 'hw_code')),
        'names': text(row['names']), 'spft_names': text(row['spft_names']), 'marketing': text(row['marketing']),
        'codename': text(row['codename']), 'era': text(row['era']),
        'da_family': {'legacy': 'MK_DA_LEGACY', 'xflash': 'MK_DA_XFLASH', 'xml': 'MK_DA_XML', '': 'MK_DA_UNKNOWN'}[row['da_family']],
        'da1_load_addr': hexadecimal(row['da1_load_addr']), 'da2_load_addr': hexadecimal(row['da2_load_addr']),
        'preloader_da_addr': hexadecimal(row['preloader_da_addr'] or row['mtkclient_pl_payload_addr']),
        'preloader_bl_ver': int((row['preloader_bl_ver'] or '0')[0]),
        'wdt_base': hexadecimal(row['wdt_base_spft'] or row['wdt_base']),
        'wdt_width': int(row['wdt_width'] or 0), 'wdt_action': action, 'wdt_value': value,
        'uart_base': hexadecimal(row['uart_base']),
        'jump64': int(row['jump64'] == 'yes'), 'has_me_id': int(row['me_id'] == 'yes'), 'has_soc_id': int(row['soc_id'] == 'yes'),
        'efuse_base': hexadecimal(row['efuse_base_preloader'] or row['efuse_base']),
        'storage': text(row['storage']), 'sub_hwver_swver': text(row['sub_hwver_swver']),
        'iot': int(row['iot'] == 'yes'), 'flags': text(row['flags']),
    }
    return '    {' + ', '.join(f'.{k} = {v:#x}' if isinstance(v, int) else f'.{k} = {v}' for k, v in fields.items()) + '},'


def main():
    with open(sys.argv[1], newline='') as file:
        rows = list(csv.DictReader(file))
    with open(sys.argv[2], 'w') as out:
        out.write('/* Made from data/chips.csv by make-table.py. */\n#include "soc/soc.h"\n\n#include "soc/table.h"\n\n')
        out.write('const MkSoc mk_soc_rows[] = {\n' + '\n'.join(map(entry, rows)) + '\n};\n')
        out.write(f'const size_t mk_soc_row_count = {len(rows)};\n')


main()
