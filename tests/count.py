#!/usr/bin/env python3
"""Prints "N passed, N failed" from meson's JUnit files; a failed run without a failed test (build, lint, fuzz) counts as one."""
import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    passed = failed = 0
    for case in ElementTree.parse(path).iter('testcase'):
        if case.find('failure') is not None or case.find('error') is not None:
            failed += 1
        elif case.find('skipped') is None:
            passed += 1
    return passed, failed


def main():
    status, paths = int(sys.argv[1]), sys.argv[2:]
    passed = failed = 0
    for path in paths:
        try:
            more_passed, more_failed = count(path)
        except (OSError, ElementTree.ParseError) as error:
            print(f'{path}: {error}')
            more_passed, more_failed = 0, 1
        passed += more_passed
        failed += more_failed
    if status and not failed:
        failed = 1
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


sys.exit(main())
