# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# To be sourced by the checks of an installed service on another system: functions to check with, and
# run_checks. The script sets before `bound`, the seconds until something has to be true, and `interval`,
# those between two looks at it; and it defines tell_more, which prints the reason of a failure as far as a
# log knows it.

: "${bound:?}" "${interval:?}"

fail() {
    echo "line ${BASH_LINENO[1]}: $*" >&2
    exit 1
}

is() {
    [[ $1 == "$2" ]] || fail "got '$1', want '$2'"
}

has() {
    [[ $1 == *"$2"* ]] || fail "'$1' does not have '$2'"
}

# until_true COMMAND...: asks again, but not for ever
until_true() {
    local deadline=$((SECONDS + bound))
    until "$@"; do
        ((SECONDS < deadline)) || fail "'$*' never came true"
        sleep "$interval"
    done
}

# ends STATUS COMMAND...: sets `said`
ends() {
    local want=$1 status=0
    shift
    said=$("$@" 2>&1) || status=$?
    ((status == want)) || fail "'$*' ended with $status, not $want: $said"
}

state_of() {
    vmsctl --json list "$1" | sed 's/.*"State": *"\([^"]*\)".*/\1/'
}

is_state() {
    [[ $(state_of "$1") == "$2" ]]
}

is_available() {
    vmsctl service >/dev/null
}

# run_checks NAME...: of the functions check_NAME; prints a line for each: its name, OK or FAIL, and
# seconds. A check that fails does not end the others.
run_checks() {
    local check before result
    for check; do
        before=$SECONDS result=OK
        # In the background, as errexit has no effect where a status is looked at.
        (set -e && "check_$check") </dev/null >/tmp/said 2>&1 &
        wait $! || result=FAIL
        if [[ $result != OK ]]; then
            { cat /tmp/said && tell_more; } >&2 || true
        fi
        echo "$check $result $((SECONDS - before))"
    done
}
