#!/usr/bin/env python3
"""The other duties: copies, layouts, tables, modes, locks, bad bits, and words for all of it."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

from harness import MEDIK, fails, ok, run_module


def test_whole_device_saved_and_put_back(desk):
    phone = desk.phone('mt6582-dreamuno')
    backup = desk.folder / 'backup'
    ok(phone.medik('save', backup))
    manifest = json.loads((backup / 'manifest.json').read_text())
    assert {'boot1.bin', 'boot2.bin', 'user.bin'} <= {os.path.basename(file['file']) for file in manifest['files']}
    refused = fails(phone.medik('save', backup), 2)  # a complete backup is never overwritten
    assert 'backup' in refused.text
    phone.reboot()
    partial = desk.folder / 'partial'
    ok(phone.medik('save', partial, 'boot', 'logo'))
    original = next(partial.glob('BOOT*')).read_bytes()
    phone.reboot()
    image = desk.folder / 'broken.img'
    image.write_bytes(original[:1 << 20][::-1])
    fails(phone.medik('write', 'boot', image, '--yes'), 5, '--accept=F-KIND')
    phone.reboot()
    ok(phone.medik('write', 'boot', image, '--yes', '--accept', 'F-KIND'))
    phone.boots_to('boot')
    phone.reboot()
    ok(phone.medik('write', '--backup', partial, '--yes'))
    phone.boots_to('home')


def test_save_continues(desk):
    """An interrupted save goes on; what was read is not read again."""
    phone = desk.phone('mt6582-a106-4g', faults=['unplug@tx:52000000'])
    folder = desk.folder / 'copy'
    arguments = ['save', folder, '--region', 'user', '--length', '64M']
    assert phone.medik(*arguments).code == 3
    phone.reboot()
    before = phone.state()['tx']
    ok(phone.medik(*arguments))
    assert phone.state()['tx'] - before < 40 << 20
    saved, flash = next(folder.glob('*.bin')), phone.flash / 'user.img'
    with open(flash, 'rb') as chip:
        assert saved.read_bytes() == chip.read(64 << 20)


def test_a_mistake_leaves_the_phone_answering(desk):
    """A command that fails once the agent runs restarts the phone; what cannot work is said without a phone."""
    phone = desk.phone('mt6735-energy2')
    image, copy = desk.folder / 'x.img', desk.folder / 'copy'
    image.write_bytes(bytes(4096))
    ok(phone.medik('save', copy, 'boot'))
    for command in (['write', 'nosuch', image, '--yes'], ['erase', 'nosuch', '--yes'], ['save', desk.folder / 'y', 'nosuch'],
                    ['verify', 'nosuch', image]):
        fails(phone.medik(*command), 4, 'nosuch', 'E-LAYOUT', 'recovery')
    fails(phone.medik('write', 'recvery', image, '--yes'), 4, 'near names are: recovery.')
    fails(desk.run('flash', desk.rom('mt6735-energy2'), '--only', 'bootimg2'), 4, 'E-LAYOUT', 'near names are: boot')
    bare = desk.phone('mt6737-zc520tl', 'no-table')
    for _ in range(2):
        fails(bare.medik('table', 'repair', '--from', 'copy', '--yes'), 4, 'E-TABLE-NONE')
    nowhere = ['--port', desk.folder / 'nowhere', '--timeout', '1']
    missing = desk.folder / 'missing.img'
    for command in (['write', 'recovery', missing], ['write', '--backup', missing], ['verify', 'boot', missing],
                    ['save', copy], ['table', 'diff', missing], ['table', 'save', image],
                    ['identity', 'restore', missing], ['info', '--preloader', missing]):
        fails(desk.run(*command, *nowhere), 2)


def test_resized_layout_kept(desk):
    phone = desk.phone('mt6577-9300', 'resized')
    rom = desk.rom('mt6577-9300')
    fails(phone.medik('flash', rom, '--yes'), 4, 'E-LAYOUT', 'system', 'cache moved')
    ok(phone.medik('flash', rom, '--yes', '--layout', 'keep'))
    assert phone.boots_to('home')['imei'] == 'present'
    phone.reboot()
    ok(phone.medik('table', 'diff', rom / 'MT6577_Android_scatter_emmc.txt'))


def test_gpt_from_its_other_copy(desk):
    for state in 'bad-primary-gpt', 'bad-backup-gpt':
        phone = desk.phone('mt6735-energy2', state, name=state)
        fails(phone.medik('table', 'check'), 6, 'E-TABLE-BAD')
        phone.reboot()
        ok(phone.medik('table', 'repair', '--from', 'copy', '--yes'))
        phone.reboot()
        ok(phone.medik('table', 'check'))
        phone.boots_to('home')


def test_table_of_a_gpt_phone_from_the_scatter(desk):
    phone = desk.phone('mt6737-zc520tl', 'no-table')
    rom = desk.rom('mt6737-zc520tl')
    scatter = next(rom.glob('*scatter*'))
    ok(phone.medik('table', 'repair', '--from', scatter, '--yes'))
    assert phone.boots_to('home')['imei'] == 'present'


def test_meta(desk):
    phone = desk.phone('mt6582-dreamuno', key='none')
    answer = ok(phone.desk.run('boot', 'meta', '--port', phone.port, '--timeout', '20', '--json')).event('result')[0]
    assert answer['answer'].startswith('ATEM') and answer['port'], answer
    assert phone.state()['mode'] == 'meta'


def test_fastboot_through_the_worldphone_dialogue(desk):
    phone = desk.phone('mt6735-energy2', key='none')
    ok(phone.desk.run('boot', 'fastboot', '--port', phone.port, '--timeout', '20'))
    assert phone.state()['mode'] == 'fastboot'


def test_swapped_and_repacked_images(desk):
    """Boot and recovery swapped, a boot image without MediaTek's headers: refused before anything is written."""
    phone = desk.phone('mt6577-9300')
    rom = desk.rom('mt6577-9300')
    (rom / 'boot.img').rename(rom / 'x')
    (rom / 'recovery.img').rename(rom / 'boot.img')
    (rom / 'x').rename(rom / 'recovery.img')
    result = phone.medik('flash', rom, '--yes')
    assert result.code in (4, 5) and 'swapped' in result.text, result.text
    phone.boots_to('home')


def test_flipped_bit_is_sent_again(desk):
    phone = desk.phone('mt6589-mi350n', 'no-system', faults=['flip@rx:9000000'])
    ok(phone.medik('flash', desk.rom('mt6589-mi350n'), '--yes'))
    phone.boots_to('home')


def test_worn_storage_is_named(desk):
    phone = desk.phone('mt6582-a106-4g', faults=['worn=user:0x5600000:4096'])
    result = phone.medik('flash', desk.rom('mt6582-a106-4g'), '--yes', '--only', 'ANDROID')
    assert result.code in (6, 7), result.text
    assert 'ANDROID' in result.text


def test_silent_phone(desk):
    phone = desk.phone('mt6577-9300', faults=['silence@rx:20'])
    result = fails(phone.desk.run('info', '--target', '--port', phone.port, '--timeout', '15'), 3)
    assert 'E-SILENT' in result.text


def test_mistakes_on_the_command_line_are_said_in_json_too(desk):
    for command in (['bogus'], ['info', '--bogus'], ['phone', 'rom']):
        result = fails(desk.run(*command, '--json'), 1).event('result')[0]
        assert result['ok'] is False and result['code'] == 'E-USAGE', result
    assert 'idVendor' in ok(desk.run('doctor', '--rules', '--json')).event('result')[0]['rules']
    fails(desk.run('phone', 'rom'), 1, 'medik phone rom takes: MODEL FOLDER')
    shown = ok(desk.run('info', '--help')).text
    assert '--da=FILE' in shown and '--port=PORT' in shown and 'Show the other options about the phone' in shown, shown
    fails(desk.run('phone', 'ctl', desk.folder / 'nowhere', 'state'), 2, 'E-FILE')


def test_nobody_there(desk):
    result = fails(desk.run('info', '--port', desk.folder / 'no-such-port', '--timeout', '1', '--json'), 3, 'CON-NONE')
    last = result.event('result')[0]
    assert last['ok'] is False and last['cure'] and last['why']
    if not pathlib.Path('/dev/bus/usb').exists():
        result = fails(desk.run('info', '--timeout', '1', '--json'), 3, 'CON-NONE').event('result')[0]
        assert 'virtual machine' in result['why'] and 'medik doctor' in result['cure'], result


def test_ctrl_c(desk):
    """Stopped by the user: exit 8, and the same command goes on."""
    phone = desk.phone('mt6577-9300', 'wrong-rom', extra=['--rate', '4M'])
    rom = desk.rom('mt6577-9300')
    command = [MEDIK, 'flash', str(rom), '--yes', '--layout', 'change', '--erase-user-data', '--port', str(phone.port),
               '--da', str(desk.da('G1')), '--preloader', str(next(rom.glob('preloader*')))]
    process = subprocess.Popen(command, env=desk.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    phone.wait_for(lambda: phone.state()['rx'] > 12_000_000, 60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 8, (process.returncode, out, err)
    phone.reboot()
    ok(phone.medik('flash', rom, '--yes', '--layout', 'change', '--erase-user-data'))
    assert phone.boots_to('home')['imei'] == 'present'


def test_dry_run_changes_nothing(desk):
    phone = desk.phone('mt6577-9300', 'wrong-rom')
    before = (phone.flash / 'user.img').stat().st_blocks
    ok(phone.medik('flash', desk.rom('mt6577-9300'), '--dry-run', '--layout', 'change'))
    assert (phone.flash / 'user.img').stat().st_blocks == before
    assert not (desk.folder / 'home' / 'phones').exists() or not list((desk.folder / 'home').rglob('nvram*'))


def test_plan_kept_and_done_later(desk):
    """Kept with everything that was asked, done only if nothing has changed; the answer to the plan is not kept."""
    phone, plan = desk.phone('mt6577-9300', 'wrong-rom'), desk.folder / 'plan.json'
    kept = ok(phone.medik('flash', desk.rom('mt6577-9300'), '--layout', 'change', '--erase-user-data', '--plan-out', plan, '--yes'))
    assert str(plan) in kept.text and not list((desk.folder / 'home').rglob('nvram*'))
    phone.reboot()
    fails(desk.run('--run-plan', plan), 5)
    phone.reboot()
    logo = next(desk.rom('mt6577-9300').glob('logo*'))
    whole = logo.read_bytes()
    logo.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    changed = fails(desk.run(f'--run-plan={plan}', '--yes'), 5)
    assert 'LOGO' in changed.text and 'no longer' in changed.text
    logo.write_bytes(whole)
    phone.reboot()
    done = ok(desk.run('--run-plan', plan, '--yes', '--json')).event('result')[0]
    assert done['verified'] is True and phone.boots_to('home')['imei'] == 'present'


def test_plan_of_another_phone(desk):
    one, other, plan = desk.phone('mt6582-a106-8g'), desk.phone('mt6582-a106-4g'), desk.folder / 'plan.json'
    logo = next(desk.rom('mt6582-a106-8g').glob('logo*'))
    ok(one.medik('write', 'logo', logo, '--plan-out', plan))
    refused = fails(desk.run('--run-plan', plan, '--yes', '--port', other.port), 5)
    assert 'this is phone' in refused.text
    fails(desk.run('--run-plan', logo), 2)
    fails(desk.run('--run-plan'), 1)


def test_erase_except_identity(desk):
    phone = desk.phone('mt6589-mi350n')
    refused = fails(phone.medik('erase', '--except-identity', '--yes'), 5)
    assert '--erase-user-data' in refused.text
    ok(phone.medik('erase', '--except-identity', '--yes', '--erase-user-data'))
    phone.reboot()
    ok(phone.medik('flash', desk.rom('mt6589-mi350n'), '--yes', '--layout', 'change', '--erase-user-data'))
    assert phone.boots_to('home')['imei'] == 'present'


def test_scatter_tools(desk):
    rom = desk.rom('mt6735-energy2')
    scatter = next(rom.glob('*scatter*'))
    ok(desk.run('scatter', 'check', scatter))
    made = desk.folder / 'made.txt'
    ok(desk.run('scatter', 'make', scatter, '-o', made))
    assert ok(desk.run('scatter', 'diff', scatter, made, '--json')).event('result')[0]['same'] is True
    fails(desk.run('scatter', 'make', scatter, '-o', made), 2)
    broken = desk.folder / 'MT6735_Android_scatter.txt'
    broken.write_text(scatter.read_text().replace('linear_start_addr: 0x1d80000', 'linear_start_addr: 0xQQ'))
    result = desk.run('scatter', 'check', broken)
    assert result.code == 2 and 'line 144' in result.text, result.text
    # A tab, a name of its own: real files hold such things and are still good; SP Flash Tool's strictness is an option.
    odd = desk.folder / 'my scatter (1).txt'
    odd.write_text(scatter.read_text().replace('  is_download', '\tis_download', 1))
    assert 'scatter.tab' in ok(desk.run('scatter', 'check', odd)).text
    fails(desk.run('scatter', 'check', odd, '--strict'), 2, 'S_DL_SCAT_INCORRECT_FORMAT')


def test_scatter_from_phone(desk):
    """Of the table of a phone, live or in a dump, and of a listing becomes a scatter that says the same places."""
    phone = desk.phone('mt6735-energy2')
    scatter = next(desk.rom('mt6735-energy2').glob('*scatter*'))
    live, dumped = desk.folder / 'live.txt', desk.folder / 'dumped.txt'
    ok(phone.medik('table', 'save', live))
    ok(desk.run('scatter', 'check', live, '--strict'))
    ok(desk.run('scatter', 'make', phone.flash / 'user.img', '--chip', 'MT6735', '-o', dumped))
    for made in live, dumped:
        assert ok(desk.run('scatter', 'diff', scatter, made, '--json')).event('result')[0]['same'] is True
        text = made.read_text()
        for name, operation in ('preloader', 'BOOTLOADERS'), ('nvram', 'BINREGION'), ('sgpt', 'RESERVED'):
            assert f'operation_type: {operation}' in text.split(f'partition_name: {name}\n')[1].split('- partition')[0]
    listing = desk.folder / 'dumchar_info'
    listing.write_text('preloader 0x0000000001400000 0x0000000000000000 2 /dev/misc-sd\n'
                       'mbr 0x0000000000080000 0x0000000000000000 2 /dev/block/mmcblk0\n'
                       'nvram 0x0000000000500000 0x0000000000080000 2 /dev/block/mmcblk0\n')
    result = ok(desk.run('scatter', 'make', listing, '--chip', 'MT6572'))
    assert 'linear_start_addr: 0x1480000' in result.out and 'scatter.line' not in result.text
    assert '0x0001480000' in ok(desk.run('table', 'show', listing)).out


def test_info_says_what_is_wrong(desk):
    """Each damage is a finding with its cure; a phone that is in order has none."""
    wanted = {'stock': None, 'no-table': 'E-TABLE-NONE', 'bad-boot': 'K-VERITY', 'bad-vbmeta': 'F-BLANK', 'no-system': 'F-BLANK',
              'formatted': 'E-ID-BLANK', 'no-preloader': 'B-PL-NONE'}
    for state, identity in wanted.items():
        phone = desk.phone('mt6765-p35', state)
        told = ok(phone.medik('info', json_mode=True))
        findings = [event for event in told.event('finding') if event['severity'] in ('danger', 'block')]
        assert [finding['id'] for finding in findings] == ([identity] if identity else []), (state, findings)
        assert all(finding['message'] and finding['advice'] for finding in findings), (state, findings)
        assert told.event('result')[0]['worst'] == ('danger' if identity else 'note'), state
        phone.ctl('quit')


def test_boot_says_it_in_words(desk):
    phone = desk.phone('mt6577-9300', key='none')
    told = ok(phone.desk.run('boot', 'meta', '--port', phone.port, '--timeout', '20'))
    assert 'META mode' in told.out and 'ATEM' not in told.out, told.text


def test_memory_test(desk):
    phone = desk.phone('mt6582-a106-4g')
    assert 'passed' in ok(phone.medik('info', '--memory-test')).text


def test_borders_of_transfers(desk):
    """A phone as strict about the borders of writes as USB is finds nothing to complain about."""
    phone = desk.phone('mt6582-a106-4g', 'no-system', link='socket', extra=['--borders'])
    ok(phone.medik('flash', desk.rom('mt6582-a106-4g'), '--yes'))
    assert phone.state()['border_violations'] == 0
    phone.boots_to('home')


def test_secured_phone(desk):
    """SLA and DAA are on: without the owner's files nothing goes, with them everything, with foreign ones nothing."""
    data = pathlib.Path(os.environ.get('MEDIK_DATA_DIR', 'data')) / 'phones'
    for name in 'right', 'wrong':
        subprocess.run(['openssl', 'genrsa', '-traditional', '-out', desk.folder / name, '1024'], check=True,
                       capture_output=True)
    subprocess.run(['openssl', 'rsa', '-in', desk.folder / 'right', '-pubout', '-out', desk.folder / 'public'], check=True,
                   capture_output=True)
    model = desk.folder / 'secured.ini'
    model.write_text((data / 'mt6582-a106-4g.ini').read_text().replace('target-config=0', 'target-config=6') +
                     f'sla-key={desk.folder}/public\n')
    shutil.copy(data / 'mt6582-a106-4g.scatter.txt', desk.folder / 'secured.scatter.txt')
    auth = desk.folder / 'auth'
    auth.write_bytes(b'of the maker' * 20)
    phone = desk.phone(str(model), name='secured', release='G3')
    preloader = next(desk.rom('mt6582-a106-4g').glob('preloader*'))
    fails(phone.medik('info', '--preloader', preloader), 10, 'E-AUTH-NEEDED', '--auth')
    phone.reboot()
    fails(phone.medik('info', '--preloader', preloader, '--auth', auth), 10, 'E-AUTH-NEEDED', '--key')
    phone.reboot()
    fails(phone.medik('info', '--preloader', preloader, '--auth', auth, '--key', desk.folder / 'wrong'), 10,
          'E-AUTH-WRONG')
    phone.reboot()
    ok(phone.medik('info', '--preloader', preloader, '--auth', auth, '--key', desk.folder / 'right'))


def test_memory_settings_of_the_right_preloader(desk):
    """Another chip's preloader in the ROM folder does not disturb; two of this chip that differ are not guessed among."""
    phone = desk.phone('mt6577-9300')
    rom = desk.rom('mt6577-9300')
    own, other = next(rom.glob('preloader*')), next(desk.rom('mt6589-mi350n').glob('preloader*'))
    shutil.copy(other, rom / 'preloader_other_chip.bin')
    words = ['flash', rom, '--dry-run', '--port', phone.port, '--da', desk.da('G1'), '--timeout', '25']
    ok(desk.run(*words))
    phone.reboot()
    changed = bytearray(own.read_bytes())
    changed[changed.index(b'MTK_BLOADER_INFO') + 0x80] ^= 1
    (rom / 'preloader_variant.bin').write_bytes(changed)
    fails(desk.run(*words), 2, 'preloader_variant.bin', '--preloader')
    phone.reboot()
    fails(desk.run(*words, '--preloader', rom / 'preloader_other_chip.bin'), 4, 'E-CHIP')


def test_what_is_in_place_stays(desk):
    """The phone's own preloader is compared, found right, and not written again: nothing else can kill a phone."""
    phone = desk.phone('mt6735-energy2')
    rom = desk.rom('mt6735-energy2')
    names = {partition['name']: partition for partition in
             ok(phone.medik('info', '--json')).event('result')[0]['partitions']}
    assert names['boot']['content'] == 'an Android boot image', names
    assert names['system']['content'].startswith('an ext4 file system of'), names
    phone.reboot()
    result = ok(phone.medik('flash', rom, '--yes', '--json')).event('result')[0]
    assert result['already'] > 0 and result['verified'] is True, result
    phone.reboot()
    done = ok(phone.medik('verify', rom, '--json'))
    assert 'preloader' in [event['part'] for event in done.event('compared')], done.out
    phone.reboot()
    other = desk.folder / 'preloader.bin'
    changed = bytearray(next(rom.glob('preloader*')).read_bytes())
    changed[-0x300] ^= 1
    other.write_bytes(changed)
    fails(phone.medik('verify', 'preloader', other), 7, 'E-VERIFY')
    phone.reboot()
    scatter = next(rom.glob('*scatter*'))
    assert ok(phone.medik('table', 'diff', scatter, '--json')).event('result')[0]['same'] is True
    moved = desk.folder / 'moved.txt'
    moved.write_text(scatter.read_text().replace('start_addr: 0x1d80000', 'start_addr: 0x1dc0000'))
    phone.reboot()
    done = ok(phone.medik('table', 'diff', moved, '--json'))
    assert done.event('result')[0]['same'] is False and done.event('diff')[0]['part'] == 'boot', done.out


def test_write_checks_and_erase_proofs(desk):
    """One image is checked like those of a ROM; what was erased is looked at."""
    phone = desk.phone('mt6582-a106-4g')
    rom = desk.rom('mt6582-a106-4g')
    fails(phone.medik('write', 'recovery', rom / 'boot.img', '--yes'), 5, 'K-NAME', 'swapped')
    phone.reboot()
    ok(phone.medik('write', 'recovery', rom / 'recovery.img', '--yes'))
    phone.reboot()
    plain = desk.folder / 'plain.img'
    image = bytearray((rom / 'recovery.img').read_bytes())
    image[2048:2052] = b'\0' * 4  # the kernel's inner header is gone
    plain.write_bytes(image)
    result = phone.medik('write', 'recovery', plain, '--dry-run', '--json')
    assert result.code == 0, result.text
    phone.reboot()
    erased = ok(phone.medik('erase', 'cache', '--yes'))
    assert 'samples of it read as empty' in erased.text and 'OK, verified by samples' in erased.text, erased.text
    phone.reboot()
    result = ok(phone.medik('erase', 'cache', '--yes', '--json')).event('result')[0]
    assert result['erased'] == 126 << 20 and result['written'] == 0, result


def test_usage_is_exit_1(desk):
    for command in (['nonsense'], ['flash'], ['erase', '--port', 'x'], ['boot', 'moon', '--port', '/dev/null']):
        assert desk.run(*command).code == 1, command
    assert desk.run('explain', 'S_BROM_CMD_STARTCMD_FAIL', '(2005)').code == 0
    assert desk.run('explain', 'nothing of this kind').code == 1
    # A status word as some tools print it is text, not an option.
    event = ok(desk.run('explain', '--json', '-1073414139')).event('explanation')[0]
    assert (event['symbol'], event['code']) == ('STATUS_EXT_RAM_EXCEPTION', 'E-PL-EMI'), event


def test_a_phone_says_its_port_once(desk):
    """It stands on the terminal, where the log would be too."""
    phone = desk.phone('mt6577-9300')
    assert [line for line in phone.said if line.startswith('port:')] == [f'port: {phone.port}'], phone.said
    log = (desk.folder / f'{phone.name}.log').read_text()
    assert 'power on' in log and 'port:' not in log and 'control:' not in log, log


def test_combo_rom_names_its_storages(desk):
    """A ROM for both kinds of storage is not taken for the wrong one."""
    assert 'eMMC or UFS' in ok(desk.run('rom', 'show', desk.rom('mt6785-g90'))).text


run_module()
