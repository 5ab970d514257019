#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completes lines as bash would, against the running service with the VMs "off" and "z\'$z" (shutoff),
# "two words" (paused) and "web" (running), which has the disk "vda", a drive "hdc", a network
# interface, the host's device 1:4 and the snapshots "before the upgrade" and "later"; so has "z\'$z"
# the snapshot "first". $VMSCTL is the program, $VMSCTL_COMPLETION the file.
set -uo pipefail

library=/usr/share/bash-completion/bash_completion
[[ -r $library ]] || {
    echo "there is no bash-completion" >&2
    exit 77
}
shopt -s extglob progcomp
set +u
# shellcheck source=/dev/null
source "$library"
# shellcheck source=src/vmsctl/vmsctl.bash
source "${VMSCTL_COMPLETION:?}"

# Options that bash sets for the running completion need one that runs.
compopt() { :; }
failures=0
hard=$(printf %q "z\\'\$z")

# expect LINE WORD...: what the end of LINE may become, in order.
expect() {
    local line=$1 got
    shift
    COMP_LINE=${line/#vmsctl/$VMSCTL} COMPREPLY=()
    COMP_POINT=${#COMP_LINE}
    # As readline splits it: "=" and ":" are words of their own, and what quotes stays.
    mapfile -t COMP_WORDS < <(grep -oE "('[^']*('|\$)|\"[^\"]*(\"|\$)|\\\\.|[^ =\\'\"])+|=" <<<"$line")
    [[ $line == *" " || $line == *= ]] && COMP_WORDS+=('')
    COMP_WORDS[0]=$VMSCTL
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _vmsctl
    got=${COMPREPLY[*]-}
    [[ $got == "$*" ]] || {
        printf '%s: "%s" instead of "%s"\n' "$line" "$got" "$*" >&2
        failures=$((failures + 1))
    }
}

expect 'vmsctl st' status start stop
expect 'vmsctl force' force-stop
expect 'vmsctl dis' discard disk
expect 'vmsctl --no-l' --no-legend
expect 'vmsctl stop --no' --no-force --no-wait --no-legend --no-ask-password
expect 'vmsctl stop --ti' --timeout=
expect 'vmsctl start ' off 'two\ words' "$hard"
expect 'vmsctl start t' 'two\ words'
expect 'vmsctl start two\ w' 'two\ words'
expect "vmsctl start 'two w" 'two words'
expect 'vmsctl start "two w' 'two words'
expect "vmsctl start z\\\\" "$hard"
expect "vmsctl start 'z\\" "z\\'\\''\$z"
expect 'vmsctl start "z' "z\\\\'\\\$z"
expect 'vmsctl stop ' 'two\ words' web
expect 'vmsctl pause ' web
expect 'vmsctl --no-legend pause w' web
expect 'vmsctl resume ' 'two\ words'
expect 'vmsctl status ' off 'two\ words' web "$hard"
expect 'vmsctl autostart web o' off on off
expect 'vmsctl suspend web ' memory disk hybrid
expect 'vmsctl snapshot web re' revert
expect 'vmsctl snapshot --disk-only -d what web re' revert
expect 'vmsctl xml --inactive w' web
expect 'vmsctl set-memory --live ' off 'two\ words' web "$hard"
expect 'vmsctl set-memory --live web '
expect 'vmsctl list --state=pa' paused
expect 'vmsctl list --state=running,pa' running,paused
expect 'vmsctl addresses --source=a' agent arp
expect 'vmsctl top --sort=c' cpu
expect 'vmsctl list --columns=name,add' name,address
expect 'vmsctl --instance nobody start '
expect 'vmsctl -inobody start '
expect 'vmsctl cancel w' web
expect 'vmsctl list two' 'two\ words'
expect 'vmsctl autostart ' off 'two\ words' web "$hard"
expect 'vmsctl rename web '
expect 'vmsctl snapshot two\ words c' create
expect 'vmsctl jobs '
expect 'vmsctl host ' pci usb
expect 'vmsctl metr' metrics
expect 'vmsctl disk web re' resize
expect 'vmsctl disk web ' list media eject resize commit pull copy
expect 'vmsctl disk web eject ' vda hdc
expect 'vmsctl disk web resize v' vda
expect 'vmsctl disk --force web media h' hdc
expect 'vmsctl disk web resize vda '
expect 'vmsctl disk off eject '
expect 'vmsctl device web a' attach
expect 'vmsctl device web detach 52' 52:54:00:11:22:33
expect 'vmsctl device web detach 1' 1:4
expect 'vmsctl device web link 52' 52:54:00:11:22:33
expect 'vmsctl device web link 52:54:00:11:22:33 ' up down
expect 'vmsctl set web bo' boot-order
expect 'vmsctl set web boot-order ' disk:vda disk:hdc nic:52:54:00:11:22:33 hostdev:1:4
expect 'vmsctl set web boot-order disk:vda di' disk:vda disk:hdc
expect 'vmsctl set web memory '
expect 'vmsctl set web password --va' --valid-for=
expect 'vmsctl snapshot web create '
expect 'vmsctl snapshot web revert ' 'before\ the\ upgrade' later
expect 'vmsctl snapshot web delete b' 'before\ the\ upgrade'
expect "vmsctl snapshot $hard revert " first
expect "vmsctl snapshot 'z\\'\\''\$z' revert " first
expect "vmsctl snapshot \"z\\\\'\\\$z\" revert " first
((failures == 0))
