# What the client over libusb promises its user, beyond the rescues of tests.sh.

# Two windows at the same time: each phone gets its turn, under its own name.
test_all_phones() {
    medik phone da /tmp/da --release G1 >/dev/null
    phone 0 mt6577-9300 stock --manual
    phone 1 mt6582-a106-4g stock --manual --agent-release G1
    cable 0
    cable 1
    medik save /tmp/copies boot --all --timeout 6 --json --da /tmp/da >/tmp/medik-json 2>/tmp/medik-words &
    all=$!
    wait_for 60 grep -q 'Waiting for phones' /tmp/medik-words
    ctl 0 plug
    ctl 1 plug
    wait $all
    grep -q '"t":"result".*"bus_path":"1-1"' /tmp/medik-json
    grep -q '"t":"result".*"bus_path":"1-2"' /tmp/medik-json
    grep -q '"phones":2,"ok":true' /tmp/medik-json
    grep -q '^\[1-1\] Saved 1 file,' /tmp/medik-words
    [ "$(find /tmp/copies -name manifest.json | wc -l)" = 2 ]
}

# Phones that look alike are not mixed up: one gets its copies, the other is refused.
test_all_alike() {
    medik phone da /tmp/da --release G1 >/dev/null
    phone 0 mt6577-9300 stock --manual
    phone 1 mt6577-9300 stock --manual
    cable 0
    cable 1
    medik identity save --all --timeout 6 --da /tmp/da >/tmp/medik 2>&1 &
    all=$!
    wait_for 60 grep -q 'Waiting for phones' /tmp/medik
    ctl 0 plug
    ctl 1 plug
    code=0
    wait $all || code=$?
    [ $code = 5 ]
    grep -q 'identity set is saved' /tmp/medik
    grep -q 'tells the same identity' /tmp/medik
}

# The phone that leaves for high speed and does not come back is tried once more, at the speed it has.
test_high_speed_fails() {
    rom mt6582-a106-4g G3
    phone 0 mt6582-a106-4g stock --key download
    cable 0
    wait_for 20 has_ids 0 0e8d:0003
    kill "$(cat /tmp/cable0.pid)"
    medik info --da /tmp/da --preloader /tmp/rom-mt6582-a106-4g/preloader_a106.bin >/tmp/medik 2>&1 &
    info=$!
    wait_for 60 grep -q 'did not come back at high speed' /tmp/medik
    ctl 0 battery out
    ctl 0 unplug
    ctl 0 battery in
    cable 0
    ctl 0 plug
    wait $info
    [ "$(grep -c 'back at high speed' /tmp/phone0.log)" = 1 ]
}

# given N BYTES: phone N has sent so much.
given() {
    [ "$(ctl "$1" state | sed -n 's/.*"tx":\([0-9]*\).*/\1/p')" -gt "$2" ]
}

# A phone at work: another one that appears changes nothing; who asks for it hears who has it; taken away by force, the work ends with a fault.
test_phone_at_work() {
    medik phone da /tmp/da --release G1 >/dev/null
    phone 0 mt6577-9300 stock --manual --rate 400K
    phone 1 mt6577-9300 stock --key download
    cable 0
    medik save /tmp/copy boot recovery logo --da /tmp/da >/tmp/medik-first 2>&1 &
    first=$!
    waits /tmp/medik-first
    ctl 0 plug
    wait_for 60 given 0 500000
    cable 1
    wait_for 20 has_ids 1 0e8d:0003
    code=0
    medik info --target --port 1-1 --timeout 5 >/tmp/medik-second 2>&1 || code=$?
    [ $code = 3 ]
    grep -q "held by medik ($first)" /tmp/medik-second
    medik doctor >/tmp/medik-doctor 2>&1
    grep -q "medik ($first) has the phone on 1-1 open" /tmp/medik-doctor
    medik info --target --port 1-2 --timeout 5 >/tmp/medik-other 2>&1
    kill -0 $first
    echo 1-1:1.0 >/sys/bus/usb/drivers/usbfs/unbind
    code=0
    wait $first || code=$?
    [ $code = 3 ]
}

# The kernel's driver is moved aside and comes back; whoever watches sees the phone come, and go when it is switched off.
test_driver_comes_back() {
    medik watch --json >/tmp/medik-json 2>&1 &
    watch=$!
    phone 0 mt6577-9300 stock --key download
    cable 0
    wait_for 20 test -c /dev/ttyACM0
    medik info --target >/tmp/medik 2>&1
    grep -q 'Caught in: BootROM' /tmp/medik
    wait_for 5 test -c /dev/ttyACM0
    grep -q '"came","port":"1-1","mode":"bootrom","vid":3725,"pid":3' /tmp/medik-json
    ctl 0 battery out
    ctl 0 unplug
    wait_for 20 grep -q '"left","port":"1-1","mode":"bootrom"' /tmp/medik-json
    kill -INT $watch
    wait $watch
}

# A rescue system without udev: Medik looks for itself, and still catches the window.
test_without_udev() {
    killall udevd
    rm -f /run/udev/control
    phone 0 mt6577-9300 stock --manual
    cable 0
    medik info --target >/tmp/medik 2>&1 &
    info=$!
    waits /tmp/medik
    ctl 0 plug
    code=0
    wait $info || code=$?
    udevd --daemon
    [ $code = 0 ]
    grep -q 'Caught in: preloader' /tmp/medik
}
