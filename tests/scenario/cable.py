#!/usr/bin/env python3
"""The cable pulled, the power lost: at every step of every kind of job the phone still answers, the identity is intact, and the same command
goes on to a phone that boots."""
import functools

from harness import main, ok

JOBS = {
    'change-layout': ('mt6577-9300', 'wrong-rom', ['flash', 'ROM', '--layout', 'change', '--erase-user-data']),
    'format-all': ('mt6589-mi350n', 'no-system', ['flash', 'ROM', '--scene', 'format-all', '--erase-user-data', 'ID']),
    'upgrade': ('mt6582-a106-4g', 'no-system', ['flash', 'ROM', '--scene', 'upgrade']),
    'repair-table': ('mt6577-9300', 'no-table', ['table', 'repair', '--from', 'SCATTER']),
    'gpt': ('mt6735-energy2', 'no-system', ['flash', 'ROM', '--erase-user-data']),
    'nand': ('mt6575-nand', 'no-system', ['flash', 'ROM']),
}
IDS = {}


def job(phone, name):
    """Runs the job; the phone's short id comes from a first dry run."""
    rom = phone.desk.rom(phone.model)
    words = {'ROM': rom, 'SCATTER': next(rom.glob('*scatter*'))}
    if 'ID' in JOBS[name][2]:
        words['ID'] = f'--erase-identity={IDS[phone.model]}'
    return phone.medik(*[words.get(word, word) for word in JOBS[name][2]], '--yes')


def learn_id(desk, model):
    if model not in IDS:
        phone = desk.phone(model, name='learn')
        IDS[model] = ok(phone.medik('info', json_mode=True)).event('result')[0]['phone']
        phone.stop()


def traffic(desk, name):
    """How many bytes the undisturbed job takes in each direction."""
    model, state, _ = JOBS[name]
    phone = desk.phone(model, state, name='whole')
    before = phone.state()
    ok(job(phone, name))
    after = phone.state()
    phone.stop()
    return {'rx': after['rx'] - before['rx'], 'tx': after['tx'] - before['tx']}


def survivor(phone):
    """Whatever happened, the phone answers BootROM or preloader, and says who it is."""
    phone.reboot('download')
    card = ok(phone.medik('info', '--target', json_mode=True)).event('result')[0]
    assert card['chip'], card
    phone.reboot('download')


def pulled(name, share, direction, fault, desk):
    model, state, _ = JOBS[name]
    learn_id(desk, model)
    at = int(traffic(desk, name)[direction] * share)
    desk.env['MEDIK_HOME'] = str(desk.folder / 'home-2')
    phone = desk.phone(model, state, faults=[f'{fault}@{direction}:{at}'])
    broken = job(phone, name)
    assert broken.code in (3, 6, 7), f'exit {broken.code}\n{broken.text}'
    survivor(phone)
    done = ok(job(phone, name))
    if 'goes on where this one stopped' in broken.text:
        assert 'goes on where it stopped' in done.text, done.text
    assert phone.boots_to('home')['imei'] == 'present'


def test_for(name, share, direction, fault):
    test = functools.partial(pulled, name, share, direction, fault)
    test.__name__ = f'{name}-{fault}-{direction}-{int(share * 1000)}'
    return test


def tests():
    for share in (0.004, 0.2, 0.6, 0.9, 0.97, 0.985, 0.992, 0.994, 0.996, 0.998, 0.999):
        yield test_for('change-layout', share, 'rx', 'unplug')
    for share in (0.001, 0.7, 0.99):
        yield test_for('change-layout', share, 'tx', 'unplug')
    for share in (0.3, 0.9, 0.99):
        yield test_for('change-layout', share, 'rx', 'brownout')
    for name, shares in (('format-all', (0.01, 0.1, 0.3, 0.6, 0.9, 0.99)), ('upgrade', (0.1, 0.9, 0.99)),
                         ('repair-table', (0.97, 0.99, 0.995)), ('gpt', (0.5, 0.95, 0.995)), ('nand', (0.3, 0.6, 0.95))):
        for share in shares:
            yield test_for(name, share, 'rx', 'unplug')


main(list(tests()))
