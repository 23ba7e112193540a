#!/usr/bin/env python3
"""Phones with XML agents: from BootROM and preloader, write and read back, every way out, and what their agents do to a host that trusts them."""
import os
import pathlib
import re

from harness import fails, main, ok

DATA = pathlib.Path(os.environ.get('MEDIK_DATA_DIR', 'data')) / 'phones'
LOGO = {'mt6789-g99': ('lu2.img', 0x3ba80000), 'mt6835-d6100': ('user.img', 0x3ba80000)}


def image(desk, size=3 << 20):
    path = desk.folder / 'logo.bin'
    path.write_bytes(bytes(i * 7 >> 3 & 0xff for i in range(4096)) * (size // 4096))
    return path


def stored(phone, size):
    name, start = LOGO[phone.model]
    with open(phone.flash / name, 'rb') as flash:
        flash.seek(start)
        return flash.read(size)


def write(phone, *args):
    return phone.medik('write', 'logo_a', image(phone.desk), '--yes', '--no-identity-backup', *args)


def test_described_from_both_sides(desk):
    for model, kind in (('mt6789-g99', 'UFS'), ('mt6835-d6100', 'eMMC')):
        phone = desk.phone(model)
        for key, stage in (('download', 'BootROM'), ('none', 'preloader')):
            phone.reboot(key)
            before = phone.state()['tx']
            card = ok(phone.medik('info', json_mode=True)).event('result')[0]
            assert card['stage'] == stage and kind in str(card), card
            # To look at a phone takes little, also where a slot is blank from end to end.
            assert phone.state()['tx'] - before < 24 << 20, phone.state()


def test_borders_of_packets(desk):
    """Nothing that a real USB endpoint would have thrown away."""
    phone = desk.phone('mt6835-d6100', key='none', link='socket', extra=['--borders'])
    ok(write(phone))
    assert phone.state()['border_violations'] == 0


def test_written_and_read_back(desk):
    for model in LOGO:
        phone = desk.phone(model, key='none')
        ok(write(phone))
        assert stored(phone, 3 << 20) == image(desk).read_bytes()
        phone.boots_to('home')


def test_acknowledged_but_not_stored(desk):
    """The agent acknowledges every packet and tells of the lost one at the end."""
    phone = desk.phone('mt6789-g99', key='none', faults=['late=2'])
    fails(write(phone), 6, 'logo_a')
    phone.reboot('none')
    ok(write(phone))
    assert stored(phone, 3 << 20) == image(desk).read_bytes()


def test_frames_that_get_lost(desk):
    for fault in ('drop=40', 'cut=40'):
        phone = desk.phone('mt6835-d6100', key='none', faults=[fault])
        result = phone.medik('info', timeout=150)
        assert result.code not in (0, 70) and 'says nothing' in result.text, result.text


def test_second_stage_that_is_dead(desk):
    phone = desk.phone('mt6789-g99', key='none', faults=['no-stage2'])
    fails(phone.medik('info'), 6, 'second part')
    phone.reboot('none')
    assert phone.state()['mode'] != 'off'


def test_memory_that_does_not_start(desk):
    phone = desk.phone('mt6789-g99', faults=['no-dram'])
    fails(phone.medik('info'), 6, 'DRAM Init FAIL')


def test_cable_pulled_while_writing(desk):
    phone = desk.phone('mt6789-g99', key='none')
    phone.ctl('fault', f'unplug@rx:{phone.state()["rx"] + 400000 + (2 << 20)}')
    phone.reboot('none')
    fails(write(phone), 3, 'E-GONE')
    phone.reboot('none')
    ok(write(phone))
    assert stored(phone, 3 << 20) == image(desk).read_bytes()
    phone.boots_to('home')


def test_left_in_meta_and_fastboot(desk):
    phone = desk.phone('mt6789-g99', key='none')
    for state in ('meta', 'fastboot'):
        ok(phone.medik('info', '--after', state))
        phone.wait_for(lambda: phone.state()['mode'] == state)
        phone.reboot('none')


def test_owner_is_asked_for(desk):
    """A newer agent: it is locked until its owner answers, and goes to high speed."""
    text = (DATA / 'mt6789-g99.ini').read_text()
    model = desk.folder / 'locked.ini'
    model.write_text(f'{text}\nagent-key={DATA / "virtual-owner.pub.pem"}\n')
    (desk.folder / 'locked.scatter.xml').write_text((DATA / 'mt6789-g99.scatter.xml').read_text())
    phone = desk.phone(str(model), name='locked', release='V1', key='none')
    fails(phone.medik('info'), 10, 'SLA')
    phone.reboot('none')
    card = ok(phone.medik('info', '--key', DATA / 'virtual-owner.pem'))
    assert re.search(r'boot_a +lu2', card.text), card.text


main([value for name, value in list(globals().items()) if name.startswith('test_')])
