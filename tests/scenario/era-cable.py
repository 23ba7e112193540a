#!/usr/bin/env python3
"""The phones since 2016, with the cable pulled at the moments that are special to their agents: between the two stages, in the middle of a
packet, between the last acknowledge and the final word, between the two copies of a table, in the preloader. The phone still answers, its
identity is intact, and the same command goes on to a phone that boots."""
import functools
import re

from harness import main, ok, share

JOBS = {
    'xflash': ('mt6765-p35', 'wrong-rom', ['flash', 'ROM', '--layout', 'change', '--erase-user-data']),
    'xflash-ufs': ('mt6785-g90', 'torn-gpt', ['table', 'repair', '--from', 'SCATTER']),
    'format-all': ('mt6768-g85', 'no-system', ['flash', 'ROM', '--scene', 'format-all', '--erase-user-data', 'ID']),
    'agent-of-2015': ('mt6755-p10', 'no-system', ['flash', 'ROM']),
    'xml': ('mt6835-d6100', 'wrong-rom', ['flash', 'ROM', '--layout', 'change', '--erase-user-data']),
    'xml-ufs': ('mt6789-g99', 'torn-gpt', ['table', 'repair', '--from', 'SCATTER']),
}
STAGE2 = re.compile(r'# (010008 BOOT_TO|CMD:BOOT-TO)')
WRITE = re.compile(r'# (010004 WRITE_DATA|CMD:WRITE-FLASH)')
WHOLE = {}


def words_of(phone, name):
    rom = phone.desk.rom(phone.model)
    words = {'ROM': rom, 'SCATTER': next(path for path in rom.iterdir() if 'Android_scatter' in path.name),
             'ID': f'--erase-identity={WHOLE.get((name, "id"))}'}
    return [words.get(word, word) for word in JOBS[name][2]]


def read_trace(path):
    """For every line: bytes to the phone and from it so far, and the line."""
    sent = heard = 0
    for line in path.read_text().splitlines():
        parts = line.split()
        if len(parts) > 2 and parts[1] in '<>':
            length = int(parts[2][4:]) if parts[2].startswith('len=') else len(parts[2]) // 2
            if parts[1] == '>':
                sent += length
            else:
                heard += length
        yield sent, heard, line


def measure(desk, name):
    """One undisturbed run of the job, and where in it the special moments are, as fault positions."""
    if name in WHOLE:
        return WHOLE[name]
    model, state, arguments = JOBS[name]
    phone, trace = desk.phone(model, state, name=f'whole-{name}'), desk.folder / f'{name}.trace'
    if 'ID' in arguments:
        WHOLE[name, 'id'] = ok(phone.medik('info', json_mode=True)).event('result')[0]['phone']
        phone.reboot()
    before = phone.state()
    ok(phone.medik(*words_of(phone, name), '--yes', '--trace', trace))
    after = phone.state()
    phone.stop()
    lines = list(read_trace(trace))
    trace.unlink()
    stage2 = next(sent for sent, _, line in lines if STAGE2.search(line))
    writes = [number for number, (_, _, line) in enumerate(lines) if WRITE.search(line)]
    last = writes[-1]
    # What comes from the phone until the next command; the last word of it is the final status.
    final, word = 0, lines[last][1]
    for _, heard, line in lines[last + 1:]:
        if ' # ' in line[:20]:
            break
        if ' < ' in line[:20] and heard != final:
            word, final = final or word, heard
    WHOLE[name] = {'all': after['rx'] - before['rx'], 'stage2': stage2, 'write': lines[writes[len(writes) // 2]][0], 'last': lines[last][0],
                   'final': word, 'writes': [lines[number][0] for number in writes]}
    return WHOLE[name]


def pulled(name, where, desk):
    model, state, _ = JOBS[name]
    whole = measure(desk, name)
    fault = {'between-the-stages': f'unplug@rx:{whole["stage2"] - 1}', 'in-stage-2': f'unplug@rx:{whole["stage2"] + 50000}',
             'in-mid-packet': f'unplug@rx:{whole["write"] + 700}', 'before-the-final-word': f'unplug@tx:{whole["final"] + 1}',
             'in-the-first-write': f'unplug@rx:{whole["writes"][0] + 300}', 'in-the-last-write': f'unplug@rx:{whole["last"] + 300}',
             'brownout': f'brownout@rx:{(whole["write"] + whole["last"]) // 2}'}[where]
    desk.env['MEDIK_HOME'] = str(desk.folder / 'home-2')
    phone = desk.phone(model, state, faults=[fault])
    words = words_of(phone, name)
    broken = phone.medik(*words, '--yes')
    assert broken.code in (3, 6, 7), f'exit {broken.code}\n{broken.text}'
    phone.reboot()
    card = ok(phone.medik('info', '--target', json_mode=True)).event('result')[0]
    assert card['chip'], card
    phone.reboot()
    done = ok(phone.medik(*words, '--yes'))
    if 'goes on where this one stopped' in broken.text:
        assert 'goes on where it stopped' in done.text, done.text
    if JOBS[name][2][0] == 'table':  # the table alone does not bring the half-written system back
        phone.reboot()
        ok(phone.medik('flash', desk.rom(model), '--yes', '--verify', 'quick'))
    assert phone.boots_to('home')['imei'] == 'present'


CASES = [('xflash', 'between-the-stages'), ('xflash', 'in-mid-packet'), ('xflash', 'before-the-final-word'), ('xflash', 'in-the-last-write'),
         ('xflash', 'brownout'), ('xflash-ufs', 'in-the-first-write'), ('xflash-ufs', 'in-the-last-write'), ('format-all', 'in-the-first-write'),
         ('format-all', 'in-mid-packet'), ('agent-of-2015', 'in-stage-2'), ('agent-of-2015', 'in-mid-packet'), ('xml', 'between-the-stages'),
         ('xml', 'in-mid-packet'), ('xml', 'before-the-final-word'), ('xml', 'in-the-last-write'), ('xml-ufs', 'in-the-first-write')]


def test_for(name, where):
    test = functools.partial(pulled, name, where)
    test.__name__ = f'{name}-{where}'
    return test


# The jobs of each half are measured there: they are not divided.
main(share([[test_for(*case) for case in CASES if case[0].startswith('xml') == late] for late in (False, True)], nested=True))
