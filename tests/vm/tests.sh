# Each test_* runs in a shell of its own with `set -e`. Nothing of one is left for the next.

# What a kernel reads from BootROM and preloader is what the phone has (spec brom.md 1.1, 1.2).
test_descriptors() {
    phone 0 mt6577-9300 stock --key download
    cable 0
    wait_for 20 has_ids 0 0e8d:0003
    place=$(device 0)
    [ "$(cat "$place/speed")" = 12 ]
    wait_for 5 test -e /dev/ttyACM0
    ctl 0 battery out
    ctl 0 unplug
    wait_for 5 test ! -e "$place"
    ctl 0 hold none
    ctl 0 battery in
    ctl 0 plug
    wait_for 20 has_ids 0 0e8d:2000
    [ "$(cat "$place/speed")" = 480 ]
    [ "$(cat "$place/manufacturer")" = MediaTek ]
    [ "$(cat "$place/product")" = "MT65xx Preloader" ]
    [ ! -e "$place/serial" ]
    [ "$(cat "$place"/*:1.0/bInterfaceClass)" = 0a ]
    [ "$(cat "$place"/*:1.1/bInterfaceClass)" = 02 ]
    [ "$(cat "$place"/*:1.0/ep_81/wMaxPacketSize)" = 0200 ]
    [ "$(cat "$place"/*:1.1/ep_83/bInterval)" = 0a ]
    # The window closes by itself and the phone starts.
    wait_for 20 test ! -e "$place"
    ctl 0 wait booted 20
}

# The way of the guide: the usbip program lists, attaches, and pulls the cable when it detaches.
test_usbip_program() {
    phone 0 mt6577-9300 stock --key download
    wait_for 20 grep -q '^port: usbip:127.0.0.1:3240' /tmp/phone0
    usbip list -r 127.0.0.1 | grep -q '1-1: .*(0e8d:0003)'
    usbip attach -r 127.0.0.1 -b 1-1
    wait_for 20 has_ids 0 0e8d:0003
    usbip port | grep -q 'Port 00: <Port in Use> at Full Speed'
    usbip detach -p 0
    ctl 0 wait off 20
    usbip attach -r 127.0.0.1 -b 1-1
    wait_for 20 has_ids 0 0e8d:0003
}

# Medik waits first; the phone is plugged in cold, its preloader caught in the window, and the phone rescued over the kernel's own driver.
test_acm_rescue() {
    rom mt6577-9300 G1
    phone 0 mt6577-9300 wrong-rom --manual
    cable 0
    medik flash /tmp/rom-mt6577-9300 --layout change --erase-user-data --yes --port /dev/ttyACM0 --da /tmp/da >/tmp/medik 2>&1 &
    flash=$!
    waits /tmp/medik
    ctl 0 plug
    wait $flash
    screen 0 home
}

# The same over libusb, which hears of the phone through udev; the preloader's window is two seconds.
test_usb_cold() {
    model mt6577-9300 window-ms=2000
    rom mt6577-9300 G1
    phone 0 mt6577-9300 wrong-rom --manual
    cable 0
    medik flash /tmp/rom-mt6577-9300 --layout change --erase-user-data --yes --port usb --da /tmp/da >/tmp/medik 2>&1 &
    flash=$!
    waits /tmp/medik
    ctl 0 plug
    wait $flash
    screen 0 home
}

# BootROM at full speed; the agent changes to high speed and comes back under another identity.
test_usb_high_speed() {
    rom mt6582-a106-4g G3
    phone 0 mt6582-a106-4g stock --key download
    cable 0
    medik save /tmp/copy boot logo --port usb --da /tmp/da --preloader /tmp/rom-mt6582-a106-4g/preloader_a106.bin >/tmp/medik 2>&1
    grep -q 'off the bus, and back at high speed' /tmp/phone0.log
    grep -q 'Saved 2 files' /tmp/medik
}

# The cable slips in the middle of the writing; the same command goes on.
test_usb_unplug() {
    rom mt6577-9300 G1
    phone 0 mt6577-9300 wrong-rom --manual
    set -- flash /tmp/rom-mt6577-9300 --layout change --erase-user-data --yes --port usb --da /tmp/da
    cable 0
    medik "$@" >/tmp/medik-1 2>&1 &
    broken=$!
    waits /tmp/medik-1
    ctl 0 plug
    wait_for 60 took 0 12000000
    unplug 0
    code=0
    wait $broken || code=$?
    [ $code = 3 ]
    ctl 0 wait off 20
    medik "$@" >/tmp/medik-2 2>&1 &
    whole=$!
    waits /tmp/medik-2
    cable 0
    wait $whole
    grep -q 'goes on where it stopped' /tmp/medik-2
    screen 0 home
}

# Two phones: each has its own bus path, and Medik chooses neither by itself.
test_usb_two() {
    rom mt6577-9300 G1
    phone 0 mt6577-9300 stock --key download
    phone 1 mt6577-9300 stock --key download
    cable 0
    cable 1
    wait_for 20 has_ids 0 0e8d:0003
    wait_for 20 has_ids 1 0e8d:0003
    code=0
    medik info --target --port usb --timeout 10 >/tmp/medik 2>&1 || code=$?
    [ $code = 3 ]
    set -- boot logo --da /tmp/da --preloader /tmp/rom-mt6577-9300/preloader_bird77_cu_ics2.bin
    medik save /tmp/copy-0 "$@" --port 1-1 >/tmp/medik-0 2>&1 &
    first=$!
    medik save /tmp/copy-1 "$@" --port 1-2 >/tmp/medik-1 2>&1
    wait $first
}

# A token in the window, and the phone comes back as the kernel's factory mode.
test_usb_meta() {
    phone 0 mt6577-9300 stock --manual
    cable 0
    medik boot meta --port usb >/tmp/medik 2>&1 &
    boot=$!
    waits /tmp/medik
    ctl 0 plug
    wait $boot
    wait_for 20 has_ids 0 0e8d:2007
}

# Endpoints that halt in the middle of the work, in both directions: Medik clears them and goes on.
test_usb_stall() {
    rom mt6577-9300 G1
    phone 0 mt6577-9300 no-system --manual --fault stall@rx:3000000 --fault stall@tx:9000000
    cable 0
    medik flash /tmp/rom-mt6577-9300 --only ANDROID --yes --port usb --da /tmp/da >/tmp/medik 2>&1 &
    flash=$!
    waits /tmp/medik
    ctl 0 plug
    wait $flash
    [ "$(grep -c 'the endpoint halts' /tmp/phone0.log)" = 2 ]
    screen 0 home
}

# framed_dialect MODEL RELEASE PARTITION: over real packets, byte by byte, in pieces, and back at high speed.
framed_dialect() {
    rom "$1" "$2"
    phone 0 "$1" stock --key download
    cable 0
    medik save /tmp/copy "$3" --port usb --da /tmp/da --preloader "$(echo /tmp/rom-"$1"/preloader*)" >/tmp/medik 2>&1
    grep -q 'Saved 1 file' /tmp/medik
    grep -q 'back at high speed' /tmp/phone0.log
}

test_usb_xflash() {
    framed_dialect mt6765-p35 X2 boot
}

test_usb_xml() {
    model mt6895-d8100 flavour=2024 # the first that changes its speed
    framed_dialect mt6895-d8100 V2 proinfo
}
