# Run on a node's host, as `sh -e kubernetes_node.sh DISK ADDRESS`: the places that a kubelet has written into it are given to it,
# on the node's own disk. Harmless when they were. The machine has no /var/lib/kubelet as a rule, and in a user namespace
# nobody may make one there: then /var/lib is made anew, of all that is in it.
disk=$1
# Of the cluster's DNS, which every node answers itself.
ip addr replace "$2/32" dev lo
mkdir -p "$disk/kubelet" "$disk/log/pods" "$disk/log/containers" "$disk/below"
if mountpoint -q /var/lib/kubelet; then exit 0; fi
if [ ! -d /var/lib/kubelet ]; then
    mount --rbind /var/lib "$disk/below"
    mount -t tmpfs -o mode=755 none /var/lib
    for each in "$disk"/below/*; do
        here="/var/lib/${each##*/}"
        if [ -L "$each" ]; then
            cp -P "$each" "$here"
        elif [ -d "$each" ]; then
            mkdir "$here"
            mount --rbind "$each" "$here"
        elif [ -f "$each" ]; then
            : >"$here"
            mount --bind "$each" "$here"
        fi
    done
    umount --lazy "$disk/below"
    mkdir /var/lib/kubelet
fi
mount --bind "$disk/kubelet" /var/lib/kubelet
mount --bind "$disk/log" /var/log
