# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of vmsctl(1) for bash. The commands and their arguments come from vmsctl --completion,
# options from --help; VMs, jobs, snapshots, disks and devices from the service, over the same bus and
# of the same instance as on the line that is being completed.

# The options on the line that select the service.
_vmsctl_connection() {
    local i
    connection=(--no-ask-password)
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
        --session | --address=* | --host=* | --instance=* | -[Hi]?*)
            connection+=("${words[i]}")
            ;;
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

# Without their actions, which have lines of their own.
_vmsctl_commands() {
    "${words[0]}" --completion 2>/dev/null | cut -f 1 | grep -v ' '
}

_vmsctl_options() {
    # shellcheck disable=SC2086 # without a command there is no word
    "${words[0]}" $command --help 2>/dev/null |
        grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+=?' | grep -oE -- '--[a-z-]+=?'
}

_vmsctl_quote="'"
_vmsctl_quote_within="'\\''"

# A word of the line, which is as it was typed, without its quoting; nothing of it is carried out.
_vmsctl_unquote() {
    local text
    case $1 in
    \'*)
        text=${1//"$_vmsctl_quote_within"/$'\n'}
        text=${text//"$_vmsctl_quote"/}
        printf '%s\n' "${text//$'\n'/"$_vmsctl_quote"}"
        ;;
    \"*) sed 's/^"//; s/\([^\\]\)"$/\1/; s/\\\([\\"$`]\)/\1/g' <<<"$1" ;;
    *) sed 's/\\\(.\)/\1/g' <<<"$1" ;;
    esac
}

# A line as it is typed on after what is typed, so that the shell takes it as it is: readline closes
# the quotes.
_vmsctl_as_typed() {
    case $cur in
    \'*) printf '%s\n' "${1//"$_vmsctl_quote"/"$_vmsctl_quote_within"}" ;;
    \"*) sed 's/[\\"$`]/\\&/g' <<<"$1" ;;
    *) printf '%q\n' "$1" ;;
    esac
}

# Adds each line of standard input that begins with what was typed.
_vmsctl_add_lines() {
    local line typed
    typed=$(_vmsctl_unquote "$cur")
    while IFS= read -r line; do
        [[ $line == "$typed"* ]] && COMPREPLY+=("$(_vmsctl_as_typed "$line")")
    done
}

_vmsctl_add_vms() {
    _vmsctl_add_lines < <(
        "${words[0]}" "${connection[@]}" list --cached --completion "$@" 2>/dev/null)
}

_vmsctl_add_jobs() {
    _vmsctl_add_lines < <(
        "${words[0]}" "${connection[@]}" --no-legend jobs 2>/dev/null |
            sed -n 's/^ *\([0-9]\+\) .*/\1/p')
}

# _vmsctl_add_values PREFIX KEY COMMAND...: the values of a key in the JSON of a command
_vmsctl_add_values() {
    local prefix=$1 key=$2
    shift 2
    _vmsctl_add_lines < <(
        "${words[0]}" "${connection[@]}" --json "$@" 2>/dev/null |
            grep -o "\"$key\":\"[^\"\\]*\"" | sed "s/^\"$key\":\"\(.*\)\"\$/$prefix\1/")
}

_vmsctl_add_words() {
    _vmsctl_add_lines < <(printf '%s\n' "$@")
}

_vmsctl_files() {
    compopt -o filenames
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
}

# The columns that the command has for this option: those that it names where one is wrong.
_vmsctl_add_columns() {
    _vmsctl_add_lines < <(
        "${words[0]}" "${connection[@]}" "$command" "$1=" 2>&1 |
            sed -n 's/.*; the columns are: //p' | tr -d ' ' | tr ',' '\n')
}

# The value of an option of the command.
_vmsctl_value() {
    local option=${cur%%=*} head=${cur%"${cur##*[=,]}"}
    case $option in
    --state | --columns) cur=${cur##*[=,]} ;;
    *) cur=${cur#*=} head=$option= ;;
    esac
    case $option in
    --state)
        compopt -o nospace
        _vmsctl_add_words nostate running idle paused shutdown shutoff crashed pmsuspended
        ;;
    --source) _vmsctl_add_words lease agent arp ;;
    --columns)
        compopt -o nospace
        _vmsctl_add_columns "$option"
        ;;
    --sort) _vmsctl_add_columns "$option" ;;
    esac
    COMPREPLY=("${COMPREPLY[@]/#/$head}")
    # For readline the word begins after the "=".
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

# One kind of argument, as in the table of commands; "nic:MAC" has a prefix.
_vmsctl_add_kind() {
    local prefix='' vm
    vm=$(_vmsctl_unquote "${arguments[0]-}")
    [[ $1 == [a-z]*:[A-Z]* ]] && prefix=${1%%:*}:
    case ${1#"$prefix"} in
    VM | PATTERN) _vmsctl_add_vms "${states[@]}" ;;
    JOB) _vmsctl_add_jobs ;;
    FILE) _vmsctl_files ;;
    SNAPSHOT) _vmsctl_add_values '' name snapshot -- "$vm" ;;
    TARGET) _vmsctl_add_values "$prefix" target disk -- "$vm" ;;
    MAC) _vmsctl_add_values "$prefix" mac device -- "$vm" ;;
    ADDRESS)
        if [[ ${arguments[1]} == attach ]]; then
            _vmsctl_add_values '' address host
        else
            _vmsctl_add_values "$prefix" address device -- "$vm"
        fi
        ;;
    [a-z]*) _vmsctl_add_words "$1" ;;
    esac
}

_vmsctl_arguments() {
    local name among line specs states=() arguments i kinds kind
    _vmsctl_find_arguments
    # The action of a command follows its line, and says more.
    while IFS=$'\t' read -r name among line; do
        [[ $name == "$command" || $name == "$command ${arguments[1]-}" ]] || continue
        [[ $among == - ]] || states=("--state=$among")
        read -ra specs <<<"$line"
    done < <("${words[0]}" --completion 2>/dev/null)

    # After an argument that can be repeated comes either the same again or what follows it.
    for ((i = 0; i < ${#arguments[@]}; i++)); do
        [[ ${specs[i]-} == *…* ]] && break
    done
    kinds=("${specs[i]-}")
    ((i < ${#arguments[@]})) && kinds=("${specs[@]:i}")
    IFS='|' read -ra kinds < <(
        IFS='|'
        echo "${kinds[*]}"
    )
    for kind in "${kinds[@]}"; do
        _vmsctl_add_kind "${kind//[^A-Za-z:-]/}"
    done
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
