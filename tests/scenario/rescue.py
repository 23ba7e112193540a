#!/usr/bin/env python3
"""The messages that drove people to despair, each met, explained and cured."""
import json

from harness import fails, ok, run_module


def test_wrong_rom(desk):
    """The phone of the first message: another phone's ROM, a table that no longer matches, a good NVRAM."""
    phone = desk.phone('mt6577-9300', 'wrong-rom')
    rom = desk.rom('mt6577-9300')
    fails(phone.medik('flash', rom, '--yes'), 4, 'E-LAYOUT', 'system moved')
    for given in [], ['--erase-user-data']:  # the loss is said in either case, before anything is done, and never denied
        plan = ok(phone.medik('flash', rom, '--dry-run', '--layout', 'change', *given)).text
        assert 'user data will be lost. [--erase-user-data]' in plan and 'user data stays' not in plan, plan
        assert 'Left alone, identity and security: ' in plan and 'NVRAM' in plan.split('Left alone')[1], plan
        phone.reboot()
    fails(phone.medik('flash', rom, '--yes', '--layout', 'change'), 5, '--erase-user-data')
    done = ok(phone.medik('flash', rom, '--yes', '--layout', 'change', '--erase-user-data'))
    assert 'all of it was read back and compared' in done.text
    assert 'Identity set:' in done.text
    state = phone.boots_to('home')
    assert state['imei'] == 'present'


def test_upgrade_without_pmt(desk):
    """"Firmware Upgrade could not be executed without PMT": repaired from the scatter, then upgraded."""
    phone = desk.phone('mt6577-9300', 'no-table')
    rom = desk.rom('mt6577-9300')
    fails(phone.medik('flash', rom, '--yes', '--scene', 'upgrade'), 4, 'E-TABLE-NONE', 'PMT', 'table repair')
    scatter = rom / 'MT6577_Android_scatter_emmc.txt'
    ok(phone.medik('table', 'repair', '--from', scatter, '--yes'))
    ok(phone.medik('flash', rom, '--yes', '--scene', 'upgrade'))
    assert phone.boots_to('home')['imei'] == 'present'


def test_storage_mismatch(desk):
    """"The load and the target are inconsistent", first meaning: the ROM is for another kind of storage."""
    phone = desk.phone('mt6577-9300')
    rom = desk.rom('mt6575-nand')
    fails(phone.medik('flash', rom, '--yes'), 4, 'E-STOR-MISMATCH')
    assert phone.boots_to('home')['imei'] == 'present'


def test_storage_none(desk):
    """... second meaning: no storage answers. Nothing is written, and the words differ."""
    phone = desk.phone('mt6577-9300', faults=['no-storage'])
    rom = desk.rom('mt6577-9300')
    result = fails(phone.medik('flash', rom, '--yes'), 4, 'E-STOR-NONE', 'inconsistent')
    assert 'E-STOR-MISMATCH' not in result.text


def test_wrong_chip(desk):
    """A ROM for another chip is refused before the first byte."""
    phone = desk.phone('mt6582-a106-4g')
    rom = desk.rom('mt6589-mi350n')
    fails(phone.medik('flash', rom, '--yes'), 4, 'E-CHIP')
    phone.boots_to('home')


def test_wrong_model(desk):
    """The ROM of another model with the same chip goes on only with the words that say so, and never its preloader."""
    phone = desk.phone('mt6768-g85', 'no-system')
    rom = desk.rom('mt6768-a15')
    refused = fails(phone.medik('flash', rom, '--yes', '--only', 'boot'), 5, 'k69v1_a15', '--i-know-this-does-not-match')
    assert 'boot region' in refused.text and 'label' in refused.text
    ok(phone.medik('flash', desk.rom(phone.model), '--yes'))
    phone.boots_to('home')


def test_nand_backup(desk):
    """A NAND's whole-device backup goes back partition by partition; what a dump of pages cannot hold is left alone."""
    phone = desk.phone('mt6575-nand')
    ok(phone.medik('save', desk.folder / 'backup'))
    refused = fails(phone.medik('erase', 'nvram', '--yes'), 5, '--erase-identity')
    ok(phone.medik('erase', 'nvram', '--yes', '--erase-identity=' + refused.text.split('--erase-identity=')[1][:8]))
    ok(phone.medik('erase', 'LOGO', '--yes'))
    done = ok(phone.medik('write', '--backup', desk.folder / 'backup', '--yes'))
    for left in 'PRELOADER', '__NODL_BMTPOOL', 'ANDROID':
        assert f'{left} is left alone' in done.text, done.text
    ok(phone.medik('verify', 'LOGO', cut(desk, 'LOGO')))
    assert phone.boots_to('home')['imei'] == 'present'


def test_nand_formatted_and_written_anew(desk):
    """Format All spares what Medik cannot write to a NAND, the preloader, and what is the agent's, the pool of bad blocks."""
    phone, rom = desk.phone('mt6575-nand', 'no-system'), desk.rom('mt6575-nand')
    words = ['flash', rom, '--scene', 'format-all', '--erase-user-data', '--yes']
    refused = fails(phone.medik(*words), 5, '--erase-identity')
    identity = '--erase-identity=' + refused.text.split('--erase-identity=')[1][:8]
    assert 'the preloader stays' in ok(phone.medik(*words, identity)).text
    assert phone.boots_to('home')['imei'] == 'present'
    phone.reboot()
    fails(phone.medik('erase', '--all', '--yes', '--erase-user-data', identity), 5, '--expert')
    ok(phone.medik('erase', '--all', '--yes', '--erase-user-data', identity, identity.replace('erase-identity', 'expert')))


def test_another_rom_is_no_bad_memory(desk):
    """Comparing writes nothing and accuses nothing; a backup is compared by its manifest."""
    phone = desk.phone('mt6577-9300')
    ok(phone.medik('save', desk.folder / 'backup', 'boot', 'recovery'))
    same = ok(phone.medik('verify', desk.folder / 'backup'))
    assert '2 compared in full: equal' in same.text, same.text
    ok(phone.medik('write', 'recovery', desk.rom('mt6577-9300') / 'boot.img', '--yes', '--accept=K-NAME'))
    differs = fails(phone.medik('verify', desk.folder / 'backup'), 7, 'does not hold', '1 differ, 1 are equal')
    assert 'worn' not in differs.text and 'bad' not in differs.text, differs.text


def cut(desk, name):
    """A partition out of the backup of a NAND."""
    manifest = json.loads((desk.folder / 'backup' / 'manifest.json').read_text())
    place = next(part for part in manifest['layout'] if part['name'] == name)
    with open(desk.folder / 'backup' / 'nand.bin', 'rb') as dump:
        dump.seek(place['start'])
        (desk.folder / name).write_bytes(dump.read(place['size']))
    return desk.folder / name


def test_larger_variant(desk):
    """The 8 GB ROM on the 4 GB phone."""
    phone = desk.phone('mt6582-a106-4g')
    rom = desk.rom('mt6582-a106-8g')
    result = phone.medik('flash', rom, '--yes')
    assert result.code == 4, result.text
    phone.boots_to('home')


def test_format_all_keeps_identity(desk):
    """Format All + Download: the identity is saved before and put back after."""
    phone = desk.phone('mt6589-mi350n', 'no-system')
    rom = desk.rom('mt6589-mi350n')
    refused = fails(phone.medik('flash', rom, '--yes', '--scene', 'format-all'), 5, '--erase-identity')
    short_id = refused.text.split('--erase-identity=')[1][:8]
    ok(phone.medik('flash', rom, '--yes', '--scene', 'format-all', '--erase-user-data', f'--erase-identity={short_id}'))
    assert phone.boots_to('home')['imei'] == 'present'


def test_formatted_phone_gets_its_identity_back(desk):
    """Saved while it was good, lost, restored."""
    phone = desk.phone('mt6582-a106-4g')
    ok(phone.medik('identity', 'save'))
    refused = fails(phone.medik('erase', 'nvram', '--yes'), 5, '--erase-identity')
    short_id = refused.text.split('--erase-identity=')[1][:8]
    erased = ok(phone.medik('erase', 'nvram', '--yes', f'--erase-identity={short_id}'))
    assert 'Identity set:' in erased.text and 'its NVRAM is blank' not in erased.text, erased.text
    phone.boots_to('no-nvram')
    phone.reboot()
    restored = ok(phone.medik('identity', 'restore', '--yes', f'--erase-identity={short_id}'))
    assert '(its NVRAM is blank)' in restored.text, restored.text
    assert phone.boots_to('home')['imei'] == 'present'


def test_foreign_identity(desk):
    """Another phone's identity is refused, whatever is typed."""
    one = desk.phone('mt6582-a106-4g')
    other = desk.phone('mt6582-dreamuno')
    ok(one.medik('identity', 'save'))
    folder = ok(desk.run('identity', 'list', '--json')).event('identity')[0]['folder']
    fails(other.medik('identity', 'restore', folder, '--yes'), 5, 'E-ID-FOREIGN')
    other.boots_to('home')


run_module()
