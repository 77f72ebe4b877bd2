#!/bin/sh
# Runs a command under a systemd of its own, in a copy of this system that goes away with it:
# nothing is started there but what the command starts. Needs root, and the right to mount
# and to make cgroups (CAP_SYS_ADMIN). Ends as the command does; 125: none can be booted.
#
#   booted.sh COMMAND...
set -eu

all=/sys/fs/cgroup
hierarchies() { # that systemd uses: the unified one, and its own beside those of version 1
    if [ -e $all/cgroup.controllers ]; then echo $all; else ls -d $all/unified $all/systemd; fi
}

leave_nothing() {
    for each in $own; do
        find "$each" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    done
    rm -rf "$DAYBOOK_BOOTED"
}

if [ -z "${DAYBOOK_BOOTED:-}" ]; then
    DAYBOOK_BOOTED=$(mktemp -d)
    own=
    trap leave_nothing EXIT
    export DAYBOOK_BOOTED
    (
        [ -n "$(hierarchies)" ] || exit 1
        for each in $(hierarchies); do # what it makes of them stays below these
            mkdir "$each/daybook-$$" || exit 1
            echo 0 >"$each/daybook-$$/cgroup.procs" || exit 1 # this process
        done
        exec unshare --mount --propagation private --cgroup --uts --ipc --pid --fork \
            --kill-child -- "$0" "$@"
    ) >"$DAYBOOK_BOOTED/console" 2>&1 || true
    for each in $(hierarchies); do own="$own $each/daybook-$$"; done
    if [ ! -s "$DAYBOOK_BOOTED/status" ]; then
        tail -n 5 "$DAYBOOK_BOOTED/console" >&2
        exit 125
    fi
    cat "$DAYBOOK_BOOTED/output"
    exit "$(cat "$DAYBOOK_BOOTED/status")"
fi

place=$DAYBOOK_BOOTED here=$(pwd -P) root=/mnt/root
version=$(if [ -e $all/cgroup.controllers ]; then echo 2; else echo 1; fi)
mount -t tmpfs none /mnt
mkdir /mnt/changes /mnt/work $root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/changes,workdir=/mnt/work $root
mount -t proc proc $root/proc
mount --bind $root/proc/sys $root/proc/sys
mount -o remount,bind,ro $root/proc/sys # it is the whole system's
for directory in /dev /tmp "$here"; do
    mount --rbind "$directory" "$root$directory"
done
mount -t tmpfs none $root/run
mount -t tmpfs none $root/sys
mkdir -p $root$all
if [ "$version" = 2 ]; then
    mount -t cgroup2 cgroup2 $root$all
else
    mount -t tmpfs -o mode=755 none $root$all
    mkdir $root$all/unified $root$all/systemd
    mount -t cgroup2 cgroup2 $root$all/unified
    mount -t cgroup -o none,name=systemd cgroup $root$all/systemd
fi

# Of what would start by itself, nothing does.
units=$root/etc/systemd/system
rm -rf $root/usr/lib/systemd/system/*.wants $units/*.wants
for name in sysinit basic; do
    rm -f $units/$name.target
    printf '[Unit]\nDefaultDependencies=no\n' >$units/$name.target
done
{
    printf "cd '%s'\n" "$here"
    for word; do printf "'%s' " "$word"; done
    printf '>%s/output 2>&1\n' "$place"
    printf 'echo $? >%s/status\nsystemctl exit --force --force\n' "$place"
} >"$place/command"
cat >$units/command.service <<END
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh $place/command
END
printf '[Unit]\nDefaultDependencies=no\nWants=command.service\n' >$units/command.target

cd $root # a chroot may make no user namespaces, which the units want
mkdir before
pivot_root . before
cd /
umount -l /before
mount --make-rshared / # else what systemd mounts for a unit, as its credentials, is not there
exec env -i container=daybook-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=command.target --log-target=console --show-status=no
