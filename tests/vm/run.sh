# Runs the tests of tests.sh and usb-tests.sh, or those that are named, and says how it went in TAP.
. /tests/lib.sh
all=$(sed -n 's/^\(test_[a-z0-9_]*\)().*/\1/p' /tests/tests.sh /tests/usb-tests.sh)
[ $# -eq 0 ] || all=$*
echo "1..$(echo $all | wc -w)"
number=0
for name in $all; do
    number=$((number + 1))
    run_test $number "$name"
done
echo "# vm: the end"
