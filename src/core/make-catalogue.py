#!/usr/bin/env python3
"""Turns data/errors.csv into the C table of the error catalogue (spec behaviour.md 9 and Appendix A, brom.md 5)."""
import csv
import sys


def text(value):
    return '"' + value.replace('\\', '\\\\').replace('"', '\\"') + '"'


def main(source, target):
    with open(source, encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    with open(target, 'w', encoding='utf-8') as out:
        out.write('#include "core/catalogue.h"\n\nconst MkCatalogueRow mk_catalogue_rows[] = {\n')
        for row in rows:
            numbers = ', '.join(['%su' % n for n in row['numbers'].split()] + ['0'])
            fields = ', '.join(text(row[c]) for c in ('symbols', 'when', 'cause', 'cure', 'phrases'))
            out.write('    {(const uint32_t[]){%s}, %s},\n' % (numbers, fields))
        out.write('};\nconst size_t mk_catalogue_count = %d;\n' % len(rows))


main(sys.argv[1], sys.argv[2])
