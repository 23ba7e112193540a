#!/usr/bin/env python3
"""Every model of the legacy era: described, rescued with its stock ROM, verified; through BootROM and through the preloader."""
import functools

from harness import LEGACY, main, ok


def rescue(model, key, state, desk):
    phone = desk.phone(model, state, key=key)
    rom = desk.rom(model)
    card = ok(phone.medik('info', json_mode=True)).event('result')[0]
    assert card['stage'] == ('BootROM' if key == 'download' else 'preloader'), card
    extra = ['--scatter', next(rom.glob('*scatter*'))] if model == 'mt6572-s10' else []
    phone.reboot(key)
    done = ok(phone.medik('flash', rom, '--yes', json_mode=True))
    result = done.event('result')[-1]
    assert result['ok'] and result['verified'] and result['identity_set'], result
    phone.reboot(key)
    ok(phone.medik('verify', rom, *extra))
    assert phone.boots_to('home')['imei'] == 'present'


def test_for(model, key, state):
    test = functools.partial(rescue, model, key, state)
    test.__name__ = f'{model}-{"bootrom" if key == "download" else "preloader"}'
    return test


# The preloader of a NAND phone is beyond Medik: there BootROM is entered with the key.
main([test_for(model, key, state) for model in sorted(LEGACY)
      for key, state in (('download', 'no-system' if 'nand' in model else 'no-preloader'), ('none', 'no-system'))])
