# What the tests in the VM share: phones on the virtual bus, Medik, and TAP.

export MEDIK_DATA_DIR=/data MEDIK_HOME=/tmp/home
HUB=/sys/devices/platform/vhci_hcd.0

fail() {
    echo "# $*"
    exit 1
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || fail "this did not come true: $*"
        usleep 20000
    done
}

# phone N MODEL STATE OPTION...: a virtual phone, plugged into port N of the hub (it is usb BUS-(N+1)), ordered about at /tmp/ctlN.
phone() {
    number=$1 model=$2 state=$3
    shift 3
    medik phone "$model" --state "$state" --flash "/tmp/flash$number" --link "usbip:$((3240 + number))" \
        --control "/tmp/ctl$number" "$@" >"/tmp/phone$number" 2>"/tmp/phone$number.log" &
    echo $! >"/tmp/phone$number.pid"
    wait_for 20 test -S "/tmp/ctl$number"
}

# cable N: from now on whatever appears there is attached.
cable() {
    plug "$1" "$((3240 + $1))" 2>/dev/null &
    echo $! >"/tmp/cable$1.pid"
}

ctl() {
    number=$1
    shift
    medik phone ctl "/tmp/ctl$number" "$@"
}

# screen N ID: started without a key, the owner of phone N sees that.
screen() {
    ctl "$1" battery out >/dev/null
    ctl "$1" unplug >/dev/null
    ctl "$1" hold none >/dev/null
    ctl "$1" battery in >/dev/null
    ctl "$1" power >/dev/null
    ctl "$1" wait booted 20 >/dev/null
    shown=$(ctl "$1" state | sed -n 's/.*"screen":"\([^"]*\)".*/\1/p')
    [ "$shown" = "$2" ] || fail "the screen shows $shown, not $2"
}

# device N: where sysfs has what is plugged into port N.
device() {
    for place in "$HUB"/usb*/*-"$(($1 + 1))"; do
        [ ! -e "$place/idVendor" ] || [ "$(cat "${place%/*}/speed")" != 480 ] || echo "$place"
    done
}

has_ids() {
    place=$(device "$1")
    [ -n "$place" ] && [ "$(cat "$place/idVendor"):$(cat "$place/idProduct")" = "$2" ]
}

# model MODEL KEY=VALUE: that model, but for one thing.
model() {
    cp -r /data /tmp/data
    export MEDIK_DATA_DIR=/tmp/data
    sed -i "s/^\\[phone\\]$/[phone]\n$2/" "/tmp/data/phones/$1.ini"
}

# rom MODEL RELEASE: its ROM in /tmp/rom-MODEL, an agent file in /tmp/da.
rom() {
    medik phone rom "$1" "/tmp/rom-$1" >/dev/null
    [ -e /tmp/da ] || medik phone da /tmp/da --release "$2" >/dev/null
}

# bytes N: how many bytes phone N has taken from its host.
bytes() {
    ctl "$1" state | sed -n 's/.*"rx":\([0-9]*\).*/\1/p'
}

took() {
    [ "$(bytes "$1")" -gt "$2" ]
}

# waits FILE: the Medik that writes there is ready for the phone.
waits() {
    wait_for 60 grep -q 'Waiting for the phone' "$1"
}

# unplug N: the cable is pulled at the computer's end, and stays out.
unplug() {
    kill "$(cat "/tmp/cable$1.pid")"
    echo "$1" >"$HUB/detach"
}

# What ends with the test: processes, files, devices.
clean_up() {
    for pid in /tmp/cable*.pid /tmp/phone*.pid; do
        [ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null
    done
    sleep 0.2
    rm -rf /tmp/*
}

# run_test NUMBER NAME: in a shell of its own, with a deadline.
run_test() {
    start=$(date +%s)
    if timeout 200 sh -c ". /tests/lib.sh; for file in /tests/*tests.sh; do . \$file; done; set -e; $2" >/run/said 2>&1; then
        echo "ok $1 $(echo "$2" | sed 's/^test_//; s/_/-/g')"
    else
        sed 's/^/# /' /run/said
        for control in /tmp/ctl*; do
            medik phone ctl "$control" state | sed "s|^|# ${control##*/}: |"
        done
        for log in /tmp/phone*.log /tmp/medik*; do
            [ ! -f "$log" ] || tail -40 "$log" | sed "s|^|# ${log##*/}: |"
        done
        echo "not ok $1 $(echo "$2" | sed 's/^test_//; s/_/-/g')"
    fi
    echo "# $(($(date +%s) - start)) s"
    clean_up
}
