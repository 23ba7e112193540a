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
    medik phone rom mt6577-9300 /tmp/rom
    medik phone da /tmp/da --release G1
    phone 0 mt6577-9300 wrong-rom --manual
    cable 0
    medik flash /tmp/rom --layout change --erase-user-data --yes --port /dev/ttyACM0 --da /tmp/da >/tmp/medik 2>&1 &
    flash=$!
    sleep 1
    ctl 0 plug
    wait $flash
    screen 0 home
}
