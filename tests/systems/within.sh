#!/bin/sh
# Runs a command in the system below ROOT, as its root. What it mounts and starts is gone
# with it, however it ends. Needs root, and the right to mount (CAP_SYS_ADMIN).
#
#   within.sh ROOT COMMAND...
#   within.sh --outside COMMAND...    mounts and processes apart, but in this system
set -eu

if [ "${DAYBOOK_WITHIN:-}" != apart ]; then
    DAYBOOK_WITHIN=apart exec unshare --mount --propagation private --ipc --pid --fork \
        --kill-child=KILL -- "$0" "$@"
fi
root=$1
shift
if [ "$root" = --outside ]; then
    mount -t proc proc /proc
    exec "$@"
fi
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 none "$root/dev/shm"
exec chroot "$root" "$@"
