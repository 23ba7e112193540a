# Runs the tests of *tests.sh, or those that are named, and says how it went in TAP. "bench" measures instead.
. /tests/lib.sh
if [ "$*" = bench ]; then
    set -e
    . /tests/bench.sh
    echo "# vm: the end"
    exit
fi
all=$(sed -n 's/^\(test_[a-z0-9_]*\)().*/\1/p' /tests/*tests.sh)
[ $# -eq 0 ] || all=$*
echo "1..$(echo $all | wc -w)"
number=0
for name in $all; do
    number=$((number + 1))
    run_test $number "$name"
done
echo "# vm: the end"
