#!/bin/sh
# Runs a command on this system as it is, in a copy that goes away with it: what it changes
# outside /tmp and the working directory, nobody else sees. Needs root, and the right to
# mount (CAP_SYS_ADMIN).
#
#   apart.sh COMMAND...
set -eu

if [ "${DAYBOOK_APART:-}" != inside ]; then
    DAYBOOK_APART=inside exec unshare --mount --propagation private -- "$0" "$@"
fi
here=$(pwd -P)
mount -t tmpfs none /mnt
mkdir /mnt/changes /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/changes,workdir=/mnt/work /mnt/root
for directory in /proc /sys /dev /tmp "$here"; do
    mount --rbind "$directory" "/mnt/root$directory"
done
mount -t tmpfs none /mnt/root/run # no systemd to talk to
exec chroot /mnt/root sh -c 'cd "$0" && exec "$@"' "$here" "$@"
