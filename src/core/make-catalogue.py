#!/usr/bin/env python3
"""Turns data/errors.csv (every code), data/explanations.csv (what it means) and data/findings.csv (what checks say) into the C tables of the
error catalogue (spec behaviour.md 9 and Appendix A, brom.md 5, checks.md)."""
import csv
import sys


def quote(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def main(errors, explanations, findings, output):
    with open(explanations, encoding='utf-8', newline='') as source:
        meanings = {row['name']: row for row in csv.DictReader(source)}
    with open(errors, encoding='utf-8', newline='') as source:
        rows = list(csv.DictReader(source))
    unused = set(meanings) - {row['explanation'] for row in rows}
    if unused:
        sys.exit(f'{explanations}: nobody refers to {sorted(unused)}')
    with open(findings, encoding='utf-8', newline='') as source:
        said = list(csv.DictReader(source))
    with open(output, 'w', encoding='utf-8') as out:
        out.write('#include "core/catalogue.h"\n\nconst MkCatalogueRow mk_catalogue_rows[] = {\n')
        for row in rows:
            meaning = meanings[row['explanation']] if row['explanation'] else {}
            texts = [row['symbol'], row['id']] + [meaning.get(key, '') for key in ('when', 'cause', 'cure')]
            texts.append(row['phrases'])
            out.write('    {%s, %s, %s},\n' % (row['old'] or 0, row['new'] or 0, ', '.join(map(quote, texts))))
        out.write('};\nconst size_t mk_catalogue_count = %d;\n' % len(rows))
        out.write('\nconst MkCatalogueFinding mk_catalogue_findings[] = {\n')
        for row in said:
            out.write('    {%s},\n' % ', '.join(quote(row[key]) for key in ('id', 'why', 'cure')))
        out.write('};\nconst size_t mk_catalogue_findings_count = %d;\n' % len(said))


main(*sys.argv[1:])
