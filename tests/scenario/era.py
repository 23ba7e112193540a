#!/usr/bin/env python3
"""The phones since 2016: what drove people to despair there, each met, explained and cured, on XFlash and XML agents, eMMC and UFS."""
import functools
import os
import pathlib
import shutil

from harness import RELEASES, fails, main, ok, share

DATA = pathlib.Path(os.environ.get('MEDIK_DATA_DIR', pathlib.Path(__file__).parents[2] / 'data')) / 'phones'


def short_id(refused):
    return refused.text.split('--erase-identity=')[1][:8]


def scatter(rom):
    return next(path for path in rom.iterdir() if 'scatter' in path.name and 'checksum' not in path.name)


def healed(phone):
    assert phone.boots_to('home')['imei'] == 'present'


# --- the rescues of the first phones, on both dialects -------------------------------------------------------------------------

def wrong_rom(model, desk):
    """A table that no longer matches, another phone's system, a good NVRAM."""
    phone, rom = desk.phone(model, 'wrong-rom'), desk.rom(model)
    fails(phone.medik('flash', rom, '--yes'), 4, 'E-LAYOUT', 'super moved')
    done = ok(phone.medik('flash', rom, '--yes', '--layout', 'change', '--erase-user-data'))
    assert 'all of it was read back and compared' in done.text and 'Identity set:' in done.text
    healed(phone)


def no_table(model, desk):
    """No copy of the GPT is left: the upgrade says so, the scatter brings it back, the upgrade goes."""
    phone, rom = desk.phone(model, 'no-table'), desk.rom(model)
    fails(phone.medik('flash', rom, '--yes', '--scene', 'upgrade'), 4, 'E-TABLE-NONE', 'PMT', 'table repair')
    ok(phone.medik('table', 'repair', '--from', scatter(rom), '--yes'))
    ok(phone.medik('flash', rom, '--yes', '--scene', 'upgrade'))
    healed(phone)


def torn_gpt(model, desk):
    """Another tool's flash was interrupted: the GPT is half written, the system has hardly begun. Nothing of the identity is lost."""
    phone, rom = desk.phone(model, 'torn-gpt'), desk.rom(model)
    fails(phone.medik('table', 'check'), 4, 'E-TABLE-NONE')
    ok(phone.medik('table', 'repair', '--from', scatter(rom), '--yes'))
    done = ok(phone.medik('flash', rom, '--yes', json_mode=True)).event('result')[-1]
    assert done['verified'] and done['identity_set'], done
    assert {'nvram.img', 'nvdata.img'} <= set(os.listdir(done['identity_set']))
    healed(phone)


def one_copy(model, desk):
    phone = desk.phone(model, 'bad-primary-gpt')
    fails(phone.medik('table', 'check'), 6, 'E-TABLE-BAD')
    ok(phone.medik('table', 'repair', '--from', 'copy', '--yes'))
    ok(phone.medik('table', 'check'))
    healed(phone)


def format_all(model, desk):
    """Everything is erased, nvram and nvdata come back from the copies; the empty phone takes its table first."""
    phone, rom = desk.phone(model, 'bad-boot'), desk.rom(model)
    refused = fails(phone.medik('flash', rom, '--yes', '--scene', 'format-all'), 5, '--erase-identity')
    ok(phone.medik('flash', rom, '--yes', '--scene', 'format-all', '--erase-user-data',
                   f'--erase-identity={short_id(refused)}'))
    healed(phone)


def lost_identity(model, desk):
    """Saved while it was good, lost, restored; another phone's is refused whatever is typed."""
    phone = desk.phone(model)
    ok(phone.medik('identity', 'save'))
    typed = f'--erase-identity={short_id(fails(phone.medik("erase", "nvram", "--yes"), 5, "--erase-identity"))}'
    ok(phone.medik('erase', 'nvram', '--yes', typed))
    ok(phone.medik('erase', 'nvdata', '--yes', typed))
    phone.boots_to('no-nvram')
    phone.reboot()
    sets = ok(desk.run('identity', 'list', '--json')).event('identity')
    oldest = sorted(event['folder'] for event in sets)[0]
    ok(phone.medik('identity', 'restore', oldest, '--yes', typed))
    healed(phone)
    other = desk.phone('mt6765-p35' if model != 'mt6765-p35' else 'mt6768-g85')
    fails(other.medik('identity', 'restore', oldest, '--yes'), 5, 'E-ID-FOREIGN')


def storage_none(model, desk):
    phone = desk.phone(model, faults=['no-storage'])
    result = fails(phone.medik('flash', desk.rom(model), '--yes'), 4, 'E-STOR-NONE')
    assert 'E-STOR-MISMATCH' not in result.text


def emmc_scatter(model, desk):
    """The eMMC variant's ROM for a phone with UFS: refused, and nothing was written."""
    phone, rom = desk.phone(model), desk.rom(model)
    path = scatter(rom)
    text = path.read_text()
    if path.suffix == '.txt':
        text = text[:text.index('- storage_type: UFS')]
    else:
        for ufs, emmc in (('UFS_LU0_LU1', 'EMMC_BOOT1_BOOT2'), ('UFS_LU2', 'EMMC_USER'), ('UFS', 'EMMC')):
            text = text.replace(ufs, emmc)
    path.write_text(text)
    before = phone.state()['rx']
    result = fails(phone.medik('flash', rom, '--yes'), 4, 'E-STOR-MISMATCH', 'eMMC', 'UFS')
    assert 'E-STOR-NONE' not in result.text and phone.state()['rx'] - before < 2_000_000
    healed(phone)


def wrong_chip(model, rom_model, desk):
    phone = desk.phone(model)
    fails(phone.medik('flash', desk.rom(rom_model), '--yes'), 4, 'E-CHIP')
    healed(phone)


# --- what is new with these phones ---------------------------------------------------------------------------------------------

def foreign_settings(rom, name, flash_id):
    """A preloader of the same chip whose memory settings are for another flash chip."""
    path = next(rom.glob('preloader*'))
    data = path.read_bytes()
    at = data.index(flash_id, data.index(b'MTK_BLOADER_INFO'))
    other = rom / name
    other.write_bytes(data[:at] + b'\x70\x01\x00EMMC08'.ljust(len(flash_id), b'8')[:len(flash_id)] + data[at + len(flash_id):])
    return path, other


def preloader_of_another_board(model, desk):
    """Beside a ROM it is refused before anything is sent; if it was named it is doubted aloud and tried; the right one is found by
    the flash chip that stage 1 reports."""
    phone, rom = desk.phone(model), desk.rom(model)
    card = ok(phone.medik('info', json_mode=True)).event('result')[0]
    flash_id = bytes.fromhex(card['cid'])[:9] if card.get('cid') else card['ufs'].encode()
    own, other = foreign_settings(rom, 'preloader_other.bin', flash_id)
    words = ['flash', rom, '--dry-run', '--port', phone.port, '--da', desk.da(phone.release), '--timeout', '25']
    phone.reboot()
    assert 'Doubtful' not in ok(desk.run(*words)).text  # both there: the right one is found
    own.rename(desk.folder / 'own')
    phone.reboot()
    fails(desk.run(*words), 6, 'E-PL-EMI', 'does not list', 'Nothing was sent')
    phone.reboot()
    fails(desk.run(*words, '--preloader', other), 6, 'E-PL-EMI', 'Doubtful', 'DRAM_TEST_FAILED')
    phone.reboot('none')  # caught in its preloader a phone needs no settings, but it must not get these either
    fails(phone.medik('flash', rom, '--yes'), 5, '--accept=I-DRAM')
    phone.reboot()
    ok(desk.run(*words, '--preloader', desk.folder / 'own'))
    healed(phone)


def super_and_seals(model, desk):
    """A super partition brings its seals along; a boot image that nobody sealed is refused unless its danger is accepted."""
    phone, rom = desk.phone(model, 'no-system'), desk.rom(model)
    done = ok(phone.medik('flash', rom, '--only', 'super', '--yes', '-v'))
    assert 'vbmeta_system' in done.text and 'vbmeta_vendor' in done.text
    healed(phone)
    phone.reboot()
    boot = rom / 'boot.img'
    image = bytearray(boot.read_bytes())
    image[5000] ^= 1
    boot.write_bytes(image)
    fails(phone.medik('flash', rom, '--yes'), 5, 'verified boot', '--accept=K-VERITY')
    healed(phone)


def slots(model, desk):
    """Pairs of slots are one partition to the owner."""
    phone, rom = desk.phone(model), desk.rom(model)
    card = ok(phone.medik('info', json_mode=True)).event('result')[0]
    assert 'boot' in card['slots'].split(', ')
    assert {part['name']: part.get('slot') for part in card['partitions'] if part['name'].startswith('boot')}['boot_b'] == 'b'
    plan = ok(phone.medik('flash', rom, '--dry-run')).text
    assert 'Only slot a is written of:' in plan
    done = ok(phone.medik('write', 'boot', rom / 'boot.img', '--yes'))
    assert 'boot_a and boot_b' in done.text
    ok(phone.medik('verify', 'boot', rom / 'boot.img'))
    healed(phone)


def test_flash_xml_names_everything(desk):
    """What SP Flash Tool v6 is given is enough: flash.xml names scatter and agent."""
    phone, rom = desk.phone('mt6789-g99', 'no-system'), desk.rom('mt6789-g99')
    shutil.copy(desk.da('V1'), rom / 'download_agent' / 'DA_BR.bin')
    ok(desk.run('rom', 'check', rom))
    ok(desk.run('flash', rom / 'download_agent' / 'flash.xml', '--yes', '--port', phone.port, '--timeout', '25'))
    healed(phone)


def test_agent_demands_its_owner(desk):
    phone = desk.phone('mt6768-a15', 'no-system')
    rom = desk.rom('mt6768-a15')
    fails(phone.medik('flash', rom, '--yes'), 10, 'E-AUTH-NEEDED', '--key')
    phone.reboot()
    ok(phone.medik('flash', rom, '--yes', '--key', DATA / 'virtual-owner.pem'))
    healed(phone)


def unsigned_agent(model, desk):
    """The phone wants a signed agent and the file's is not: explained, and the phone is as it was."""
    ini = desk.folder / 'secured.ini'
    ini.write_text((DATA / f'{model}.ini').read_text().replace('target-config=0', 'target-config=4'))
    for form in DATA.glob(f'{model}.scatter.*'):
        shutil.copy(form, desk.folder / f'secured.scatter{form.suffix}')
    auth = desk.folder / 'auth'
    auth.write_bytes(b'of the maker' * 20)
    agent = bytearray(desk.da(RELEASES[model]).read_bytes())
    words = (0x100).to_bytes(4, 'little')
    at = agent.index(b'\xda\xda')
    for place in range(at, at + 0x2000, 4):  # no region of the file has a signature any more
        if agent[place:place + 4] == words:
            agent[place:place + 4] = bytes(4)
    unsigned = desk.folder / 'unsigned.bin'
    unsigned.write_bytes(agent)
    phone = desk.phone(str(ini), name='secured', release=RELEASES[model], key='none')
    words = ['info', '--port', phone.port, '--da', unsigned, '--timeout', '25']
    fails(desk.run(*words), 10, 'E-DA-SIGN', '7024')
    phone.reboot()  # BootROM says so before it takes a byte of it
    fails(desk.run(*words, '--auth', auth, '--preloader', next(desk.rom(model).glob('preloader*'))), 10, 'E-DA-SIGN')
    healed(phone)


def test_health_and_ids_on_the_card(desk):
    text = ok(desk.phone('mt6785-g90').medik('info')).text
    for words in ('Health:', 'random id:', 'HRID:', 'RPMB key', 'LPDDR4X', 'UFS:'):
        assert words in text, f'{words} is not said:\n{text}'


def test_agent_of_2015(desk):
    phone, rom = desk.phone('mt6755-p10', 'wrong-rom', key='none'), desk.rom('mt6755-p10')
    fails(phone.medik('flash', rom, '--yes'), 4, 'E-LAYOUT')
    phone.reboot('none')
    ok(phone.medik('flash', rom, '--yes', '--layout', 'change', '--erase-user-data'))
    healed(phone)


CASES = [
    (wrong_rom, 'mt6785-g90'), (wrong_rom, 'mt6789-g99'), (wrong_rom, 'mt6855-d7020'),
    (no_table, 'mt6765-p35'), (no_table, 'mt6835-d6100'),
    (torn_gpt, 'mt6785-g90'), (torn_gpt, 'mt6895-d8100'),
    (one_copy, 'mt6785-g90'), (one_copy, 'mt6835-d6100'),
    (format_all, 'mt6768-g85'), (format_all, 'mt6855-d7020'),
    (lost_identity, 'mt6765-p35'), (lost_identity, 'mt6835-d6100'),
    (storage_none, 'mt6785-g90'), (storage_none, 'mt6789-g99'),
    (emmc_scatter, 'mt6785-g90'), (emmc_scatter, 'mt6789-g99'),
    (wrong_chip, 'mt6765-p35', 'mt6768-g85'), (wrong_chip, 'mt6895-d8100', 'mt6789-g99'),
    (preloader_of_another_board, 'mt6765-p35'), (preloader_of_another_board, 'mt6785-g90'),
    (super_and_seals, 'mt6785-g90'), (super_and_seals, 'mt6855-d7020'),
    (slots, 'mt6768-g85'), (slots, 'mt6835-d6100'),
    (unsigned_agent, 'mt6765-p35'), (unsigned_agent, 'mt6789-g99'),
]


def test_for(function, *arguments):
    test = functools.partial(function, *arguments)
    test.__name__ = f'{function.__name__}-{arguments[0]}'
    return test


TESTS = [test_for(*case) for case in CASES] + [test_flash_xml_names_everything, test_agent_demands_its_owner,
                                               test_health_and_ids_on_the_card, test_agent_of_2015]
main(share(TESTS))
