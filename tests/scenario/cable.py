#!/usr/bin/env python3
"""The cable pulled, the power lost: at the steps of every kind of job the phone still answers, the identity is intact, and the same command goes
on to a phone that boots. The steps are those of a trace of the undisturbed job."""
import functools

from harness import Desk, main, ok

JOBS = {
    'change-layout': ('mt6577-9300', 'wrong-rom', ['flash', 'ROM', '--layout', 'change', '--erase-user-data']),
    'format-all': ('mt6589-mi350n', 'no-system', ['flash', 'ROM', '--scene', 'format-all', '--erase-user-data', 'ID']),
    'upgrade': ('mt6582-a106-4g', 'no-system', ['flash', 'ROM', '--scene', 'upgrade']),
    'repair-table': ('mt6577-9300', 'no-table', ['table', 'repair', '--from', 'SCATTER']),
    'gpt': ('mt6735-energy2', 'no-system', ['flash', 'ROM', '--erase-user-data']),
    'nand': ('mt6575-nand', 'no-system', ['flash', 'ROM']),
}
IDS = {}


def job(phone, name, *extra):
    """Runs the job; the phone's short id comes from a first dry run."""
    rom = phone.desk.rom(phone.model)
    words = {'ROM': rom, 'SCATTER': next(rom.glob('*scatter*'))}
    if 'ID' in JOBS[name][2]:
        words['ID'] = f'--erase-identity={IDS[phone.model]}'
    return phone.medik(*[words.get(word, word) for word in JOBS[name][2]], '--yes', *extra)


def learn_id(desk, model):
    if model not in IDS:
        phone = desk.phone(model, name='learn')
        IDS[model] = ok(phone.medik('info', json_mode=True)).event('result')[0]['phone']
        phone.stop()


def steps_of(trace):
    """Every command of a trace in its order: what it is, and how many bytes went to the phone before it."""
    sent, steps = 0, []
    for line in trace.read_text().splitlines():
        what, _, rest = line.strip().partition(' ')[2].partition(' ')
        if what == '#':
            steps.append((rest, sent))
        elif what == '>':
            sent += int(rest.split('len=')[1].split()[0]) if rest.startswith('len=') else len(rest.split())
    return steps


@functools.cache
def traffic(name):
    """What the undisturbed job takes: bytes in each direction, and its steps."""
    model, state, _ = JOBS[name]
    with Desk() as desk:
        learn_id(desk, model)
        phone = desk.phone(model, state, name='whole')
        before = phone.state()
        ok(job(phone, name, '--trace', desk.folder / 'trace'))
        after = phone.state()
        steps = steps_of(desk.folder / 'trace')
    return {'rx': after['rx'] - before['rx'], 'tx': after['tx'] - before['tx'], 'steps': steps}


def step(name, command, number):
    """Bytes to the phone until one into that command of the job."""
    return [sent for what, sent in traffic(name)['steps'] if what == command][number] + 1


def survivor(phone):
    """Whatever happened, the phone answers BootROM or preloader, and says who it is."""
    phone.reboot('download')
    card = ok(phone.medik('info', '--target', json_mode=True)).event('result')[0]
    assert card['chip'], card
    phone.reboot('download')


def broken_at(name, fault, at, desk):
    """The fault comes when AT says; the job tells so, and the same command brings it to its end."""
    model, state, _ = JOBS[name]
    learn_id(desk, model)
    phone = desk.phone(model, state, faults=[f'{fault}@{at()}'])
    broken = job(phone, name)
    assert broken.code in (3, 6, 7), f'exit {broken.code}\n{broken.text}'
    survivor(phone)
    done = ok(job(phone, name))
    if 'goes on where this one stopped' in broken.text:
        assert 'goes on where it stopped' in done.text, done.text
    assert phone.boots_to('home')['imei'] == 'present'


def at_share(name, share, direction, fault='unplug'):
    """A part of the bytes in one direction: mostly in the middle of data."""
    test = functools.partial(broken_at, name, fault, lambda: f'{direction}:{int(traffic(name)[direction] * share)}')
    test.__name__ = f'{name}-{fault}-{direction}-{int(share * 1000)}'
    return test


def at_step(name, command, number=0):
    """The first byte of a command is the last that arrives."""
    test = functools.partial(broken_at, name, 'unplug', lambda: f'rx:{step(name, command, number)}')
    test.__name__ = f'{name}-unplug-{command.lower().replace(" ", "-").replace("?", "")}-{number}'
    return test


# The steps until an agent runs and says what it found, in the job that takes the least time.
START = ('start handshake', 'FD GET_HW_CODE', 'FC GET_HW_SW_VER', 'D0 READ16', 'D2 WRITE16', 'FE GET_BL_VER', 'E1 GET_ME_ID',
         'D8 GET_TARGET_CONFIG', 'FF GET_VERSION', 'D7 SEND_DA', 'D5 JUMP_DA', 'agent configuration', 'NAND table',
         'E8 ENABLE_DRAM', 'READ_PMT', 'DF NAND_READ_PAGE', 'DD NAND_IMAGE_LIST')
# Commands that change storage, from the first to the last, and reads before, between and after.
CHANGES = {
    'nand': (('DE NAND_WRITE_IMAGE', range(6)), ('DF NAND_READ_PAGE', (4, 8))),
    'change-layout': (('62 WRITE_DATA', (0, 1, 2, 3, 6, 11)), ('D6 READ', (9, 37))),
    'format-all': (('stage 2', (0,)), ('D4 FORMAT', (0,)), ('62 WRITE_DATA', (0, 1, 26)), ('D6 READ', (77,))),
    'upgrade': (('D4 FORMAT', (0, 6)), ('62 WRITE_DATA', (0, 5))),
    'repair-table': (('62 WRITE_DATA', range(4)),),
    'gpt': (('linear or by region?', (0,)), ('62 WRITE_DATA', (0, 1, 8))),
}


def tests():
    for command in START:
        yield at_step('nand', command)
    for name, commands in CHANGES.items():
        for command, numbers in commands:
            for number in numbers:
                yield at_step(name, command, number)
    for share in (0.7, 0.99):
        yield at_share('change-layout', share, 'tx')
    for share in (0.3, 0.99):
        yield at_share('change-layout', share, 'rx', 'brownout')
    for name in ('change-layout', 'format-all', 'gpt', 'nand'):
        yield at_share(name, 0.5, 'rx')


main(list(tests()))
