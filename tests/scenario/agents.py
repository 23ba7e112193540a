#!/usr/bin/env python3
"""Whose agent it is that a virtual phone is given: its own, another chip's, one of another year, one that is not ours."""
import pathlib
import struct

from harness import main, ok


def entries(data):
    """Offset of each entry of a container with full slots."""
    return [0x6C + i * 0xDC for i in range(struct.unpack_from('<I', data, 0x68)[0])]


def altered(desk, release, name, change):
    path = desk.folder / name
    data = bytearray(desk.da(release).read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def info(desk, phone, da):
    return desk.run('info', '--port', phone.port, '--da', da, '--preloader',
                    next(desk.rom(phone.model).glob('preloader*')), '--timeout', '6', '--json')


def the_agent_of_another_chip_hangs(desk):
    def swap(data):
        """The entry of the MT6785 says that it is for the MT6765, and the other way round."""
        for entry in entries(data):
            code = struct.unpack_from('<H', data, entry + 2)[0]
            struct.pack_into('<H', data, entry + 2, {0x6785: 0x6765, 0x6765: 0x6785}.get(code, code))

    phone = desk.phone('mt6765-p35')
    answer = info(desk, phone, altered(desk, 'X2', 'swapped.bin', swap))
    assert answer.code not in (0, 70), answer.text
    assert phone.state()['mode'] == 'halted'
    # Only its battery helps, and then nothing has changed.
    assert phone.boots_to('home')
    phone.reboot()
    ok(phone.medik('info'))


def an_agent_that_is_not_ours_runs(desk):
    def unmark(data):
        for entry in entries(data):
            stage1 = struct.unpack_from('<I', data, entry + 20 + 20)[0]
            data[stage1:stage1 + 16] = b'GENUINE AGENT 01'

    phone = desk.phone('mt6785-g90')
    card = ok(info(desk, phone, altered(desk, 'X2', 'genuine.bin', unmark))).event('result')[0]
    assert card['stage'] == 'BootROM', card


def a_second_stage_of_another_file_is_refused(desk):
    def spoil(data):
        for entry in entries(data):
            stage2 = struct.unpack_from('<I', data, entry + 20 + 40)[0]
            data[stage2 + 0x1000] ^= 1

    phone = desk.phone('mt6765-p35')
    answer = info(desk, phone, altered(desk, 'X2', 'mixed.bin', spoil))
    assert answer.code not in (0, 70), answer.text
    assert '0xC0070004' in answer.text or 'C0070004' in answer.text.upper(), answer.text


def the_agent_of_an_earlier_year_has_no_lock(desk):
    phone = desk.phone('mt6768-a15')
    refused = info(desk, phone, desk.da('X3'))
    assert refused.code == 10, refused.text
    phone.reboot()
    ok(info(desk, phone, desk.da('X2')))


def the_owners_key_opens_the_lock(desk):
    phone = desk.phone('mt6768-a15', 'no-system')
    key = pathlib.Path(__file__).parents[2] / 'data/phones/virtual-owner.pem'
    ok(phone.medik('flash', desk.rom('mt6768-a15'), '--yes', '--key', key))
    assert phone.boots_to('home')['build'].startswith('A15')


def memory_settings_of_another_board_start_no_memory(desk):
    phone = desk.phone('mt6768-g85')
    other = next(desk.rom('mt6768-a15').glob('preloader*'))
    answer = phone.medik('info', '--preloader', other)
    assert answer.code == 6 and 'STATUS_DRAM_TEST_FAILED' in answer.text, answer.text


main([the_agent_of_another_chip_hangs, an_agent_that_is_not_ours_runs, a_second_stage_of_another_file_is_refused,
      the_agent_of_an_earlier_year_has_no_lock, the_owners_key_opens_the_lock,
      memory_settings_of_another_board_start_no_memory])
