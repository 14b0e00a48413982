#!/bin/bash
# A Ceph cluster of one node on this machine, in memory, with its object gateway (S3) on 127.0.0.1:7480, for tests
# against a second implementation than moto. As root, on Debian:
#   apt-get install --no-install-recommends ceph-mon ceph-osd ceph-mgr ceph-common radosgw
#   tests/ceph.sh start FOLDER      prints what to export
#   tests/ceph.sh stop FOLDER
set -euo pipefail
folder=$(realpath -m "${2:?a folder}")
conf=$folder/ceph.conf

stop() {
    for pid in "$folder"/run/*.pid; do
        [ -e "$pid" ] && kill -9 "$(cat "$pid")" 2>/dev/null || true  # all of it is in memory
    done
}

if [ "$1" = stop ]; then stop; exit; fi

mkdir -p "$folder"/{mon,osd,mgr,rgw,run,log}
fsid=$(cat /proc/sys/kernel/random/uuid)
cat > "$conf" <<END
[global]
fsid = $fsid
mon host = v2:127.0.0.1:13300
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
osd objectstore = memstore
memstore device bytes = 4294967296
ms bind msgr1 = false
run dir = $folder/run
admin socket = $folder/run/\$name.asok
pid file = $folder/run/\$name.pid
log file = $folder/log/\$name.log
mon data = $folder/mon
osd data = $folder/osd
mgr data = $folder/mgr
keyring = $folder/keyring
mon data avail crit = 1
mon data avail warn = 1
rgw data = $folder/rgw
rgw frontends = beast endpoint=127.0.0.1:7480
rgw thread pool size = 32
END
all=(--cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *')
ceph-authtool -C "$folder/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
for name in client.admin client.rgw mgr.x osd.0; do
    ceph-authtool "$folder/keyring" --gen-key -n $name "${all[@]}"
done
ceph="timeout 60 ceph -c $conf"
monmaptool --create --fsid "$fsid" --addv a '[v2:127.0.0.1:13300]' "$folder/monmap" >/dev/null
ceph-mon -c "$conf" -i a --mkfs --monmap "$folder/monmap" --keyring "$folder/keyring"
ceph-mon -c "$conf" -i a
osd=$(cat /proc/sys/kernel/random/uuid)
$ceph osd new "$osd"
ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd"
ceph-osd -c "$conf" -i 0
ceph-mgr -c "$conf" -i x
radosgw -c "$conf" -n client.rgw --keyring "$folder/keyring"
for _ in $(seq 120); do
    curl -s -o /dev/null http://127.0.0.1:7480 && break
    sleep 1
done
timeout 120 radosgw-admin -c "$conf" user create --uid=tester --display-name=tester --access-key=tester \
    --secret-key=a-very-secret-key >/dev/null
echo 'export HOLOTYPE_TEST_S3="http://127.0.0.1:7480 tester a-very-secret-key"'
