# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A bus of one's own, which starts no services; for scripts that source this.

# private_bus DIR: keeps its files in DIR and listens when this returns. Sets `bus`, its process, and
# exports DBUS_SESSION_BUS_ADDRESS.
private_bus() {
    cat >"$1/bus.conf" <<XML
<busconfig>
  <type>custom</type>
  <listen>unix:path=$1/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
XML
    # It tells its address when it listens.
    exec 3< <(exec dbus-daemon --nofork --config-file="$1/bus.conf" --print-address=1 2>"$1/bus.log")
    # shellcheck disable=SC2034 # the script that sources this ends it
    bus=$!
    read -r DBUS_SESSION_BUS_ADDRESS <&3
    export DBUS_SESSION_BUS_ADDRESS
}
