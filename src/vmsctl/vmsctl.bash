# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of vmsctl(1) for bash: commands and options come from its own help, VMs and jobs from
# the service, by the same bus and instance as on the line that is being completed.

# Options of the line that say which service is asked.
_vmsctl_connection() {
    local i
    connection=(--no-ask-password)
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        --session | --address=* | --host=* | --instance=*) connection+=("${words[i]}") ;;
        --address | --host | -H | --instance | -i)
            connection+=("${words[i]}" "${words[i + 1]-}")
            ;;
        esac
    done
}

# The command is the first word that is neither an option nor the value of one.
_vmsctl_find_command() {
    local i
    command='' command_at=0
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        --address | --host | -H | --instance | -i) ((i++)) ;;
        -*) ;;
        *)
            command=${words[i]} command_at=$i
            return
            ;;
        esac
    done
}

_vmsctl_commands() {
    "${words[0]}" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)\( .*\)\?$/\1/p'
}

_vmsctl_options() {
    # shellcheck disable=SC2086 # without a command there is no word
    "${words[0]}" $command --help 2>/dev/null |
        grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+=?' | grep -oE -- '--[a-z-]+=?'
}

# Adds each line of standard input that begins with what was typed, quoted for the shell.
_vmsctl_add_lines() {
    local line typed=${cur//\\/}
    while IFS= read -r line; do
        [[ $line == "$typed"* ]] && COMPREPLY+=("$(printf %q "$line")")
    done
}

_vmsctl_add_vms() {
    _vmsctl_add_lines < <(
        "${words[0]}" "${connection[@]}" list --cached --names "$@" 2>/dev/null)
}

_vmsctl_add_jobs() {
    _vmsctl_add_lines < <(
        "${words[0]}" "${connection[@]}" --no-legend jobs 2>/dev/null |
            sed -n 's/^ *\([0-9]\+\) .*/\1/p')
}

_vmsctl_add_snapshots() {
    _vmsctl_add_lines < <(
        "${words[0]}" "${connection[@]}" --json snapshot "$vm" list 2>/dev/null |
            grep -o '"Name":"[^"\\]*"' | sed 's/^"Name":"\(.*\)"$/\1/')
}

_vmsctl_add_words() {
    _vmsctl_add_lines < <(printf '%s\n' "$@")
}

_vmsctl_files() {
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

# The value of an option of the command.
_vmsctl_value() {
    local option=${cur%%=*} head=${cur%"${cur##*[=,]}"}
    case $option in
    --state) cur=${cur##*[=,]} ;;
    *) cur=${cur#*=} head=$option= ;;
    esac
    case $option in
    --state)
        compopt -o nospace
        _vmsctl_add_words nostate running idle paused shutdown shutoff crashed pmsuspended
        ;;
    --source) _vmsctl_add_words lease agent arp ;;
    esac
    COMPREPLY=("${COMPREPLY[@]/#/$head}")
    # What readline sees begins after the "=".
    [[ ${COMP_WORDBREAKS} == *=* ]] && COMPREPLY=("${COMPREPLY[@]#"$option="}")
}

# The arguments of the command: neither options nor their values.
_vmsctl_find_arguments() {
    local i valued
    valued=" $("${words[0]}" "$command" --help 2>/dev/null |
        sed -nE 's/^ +((-[a-zA-Z]), )?(--[a-z-]+)=.*/\2 \3/p' | tr '\n' ' ') "
    arguments=()
    for ((i = command_at + 1; i < cword; i++)); do
        case ${words[i]} in
        -*) [[ $valued == *" ${words[i]} "* ]] && ((i++)) ;;
        *) arguments+=("${words[i]}") ;;
        esac
    done
}

_vmsctl_arguments() {
    local arguments
    _vmsctl_find_arguments
    local n=$((${#arguments[@]} + 1)) vm=${arguments[0]-}

    case $command:$n in
    start:*) _vmsctl_add_vms --state=shutoff,paused,pmsuspended ;;
    stop:* | reboot:*) _vmsctl_add_vms --state=running,idle,paused,pmsuspended,shutdown ;;
    force-stop:* | reset:*)
        _vmsctl_add_vms --state=running,idle,paused,pmsuspended,shutdown,crashed
        ;;
    pause:* | save:*) _vmsctl_add_vms --state=running,idle ;;
    resume:*) _vmsctl_add_vms --state=paused,pmsuspended ;;
    cancel:*)
        _vmsctl_add_jobs
        _vmsctl_add_vms
        ;;
    autostart:1) _vmsctl_add_vms ;;
    autostart:*)
        _vmsctl_add_words on off
        _vmsctl_add_vms
        ;;
    define:* | screenshot:2 | attach:2 | detach:2 | update:2) _vmsctl_files ;;
    suspend:2) _vmsctl_add_words memory disk hybrid ;;
    snapshot:2) _vmsctl_add_words list create revert delete xml ;;
    snapshot:3) [[ ${arguments[1]} == create ]] || _vmsctl_add_snapshots ;;
    list:* | status:* | monitor:* | top:* | discard:* | undefine:*) _vmsctl_add_vms ;;
    service:* | jobs:* | reconnect:*) ;;
    *:1) _vmsctl_add_vms ;;
    esac
}

_vmsctl() {
    # shellcheck disable=SC2034 # all of them are set by _init_completion
    local cur prev words cword connection command command_at
    _init_completion -n =: || return

    _vmsctl_connection
    _vmsctl_find_command
    if [[ $cur == --*=* ]]; then
        _vmsctl_value
    elif [[ $cur == -* ]]; then
        _vmsctl_add_lines < <(_vmsctl_options)
        [[ ${COMPREPLY[*]} == *= ]] && compopt -o nospace
    elif [[ -z $command ]]; then
        _vmsctl_add_lines < <(_vmsctl_commands)
    else
        _vmsctl_arguments
    fi
    __ltrim_colon_completions "$cur"
}

complete -F _vmsctl vmsctl
