#!/usr/bin/env python3
"""The cable pulled, the power lost, a bit flipped: at every step the phone still answers, the identity is intact, and the same command
goes on to a phone that boots."""
import functools

from harness import main, ok


def job(phone, rom):
    return phone.medik('flash', rom, '--yes', '--layout', 'change', '--erase-user-data')


def survivor(phone):
    """Whatever happened, the phone answers BootROM or preloader, and says who it is."""
    phone.reboot('download')
    card = ok(phone.medik('info', '--target', json_mode=True)).event('result')[0]
    assert card['chip'] == 'MT6577', card


def traffic(desk):
    """How many bytes an undisturbed rescue takes in each direction, up to its last step."""
    phone = desk.phone('mt6577-9300', 'wrong-rom')
    before = phone.state()
    ok(job(phone, desk.rom('mt6577-9300')))
    after = phone.state()
    return after['rx'] - before['rx'], after['tx'] - before['tx']


def pulled(share, direction, fault, desk):
    rx, tx = traffic(desk)
    rom = desk.rom('mt6577-9300')
    at = int((rx if direction == 'rx' else tx) * share)
    desk.env['MEDIK_HOME'] = str(desk.folder / 'home-2')
    phone = desk.phone('mt6577-9300', 'wrong-rom', faults=[f'{fault}@{direction}:{at}'])
    broken = job(phone, rom)
    assert broken.code in (3, 6, 7), f'exit {broken.code}\n{broken.text}'
    survivor(phone)
    phone.reboot('download')
    done = ok(job(phone, rom))
    if 'goes on where this one stopped' in broken.text:
        assert 'goes on where it stopped' in done.text, done.text
    assert phone.boots_to('home')['imei'] == 'present'


def test_for(share, direction, fault):
    test = functools.partial(pulled, share, direction, fault)
    test.__name__ = f'{fault}-{direction}-{int(share * 1000)}'
    return test


SHARES = [0.004, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.992, 0.994, 0.996, 0.998, 0.999]
main([test_for(share, 'rx', 'unplug') for share in SHARES] +
     [test_for(share, 'tx', 'unplug') for share in (0.001, 0.3, 0.7, 0.99)] +
     [test_for(share, 'rx', 'brownout') for share in (0.3, 0.9, 0.99)])
