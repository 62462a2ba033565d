#!/bin/sh
# Makes the captures beside it anew: real programs in network namespaces of their own, on one bridge. See README.md.
# Needs root, and: iproute2 busybox tcpdump wireshark-common dnsmasq-base udhcpc isc-dhcp-client lldpd avahi-daemon samba minidlna
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" != inside ]; then
    exec unshare -nmpf --mount-proc sh "$0" inside
fi
work=$(mktemp -d)
mount -t tmpfs none /run
mkdir -p /run/netns /run/lldpd
mount -t tmpfs none /var/lib/samba
hostname school-gate
sysctl -qw net.ipv6.conf.default.disable_ipv6=1

space() { # NAME MAC: a namespace with one cable, `eth0`, to the bridge
    ip netns add "$1"
    ip link add "port-$1" address "02:5c:00:00:01${2#02:5c:00:00:00}" type veth peer name eth0 netns "$1" address "$2"
    ip link set "port-$1" master bridge up
    bridge link set dev "port-$1" learning off # as a hub: every port hears everything
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 up
}
in_() { name=$1; shift; ip netns exec "$name" "$@"; }
record() { seconds=$1; shift; ip netns exec ear timeout "$seconds" "$@" || true; } # what the listener hears meanwhile

ip link set lo up
ip link add bridge address 02:5c:00:00:00:01 type bridge stp_state 1 forward_delay 200 hello_time 100
ip link set bridge up
space router 02:5c:00:00:00:10
space laptop 02:5c:00:00:00:20
space tablet 02:5c:00:00:00:30
space phone 02:5c:00:00:00:40
space disks 02:5c:00:00:00:50
space printer 02:5c:00:00:00:70
space ear 02:5c:00:00:00:60
in_ ear ip link set eth0 promisc on
ip -n router address add 10.66.0.1/24 dev eth0
ip -n router address add fd66::1/64 dev eth0
ip -n disks address add 10.66.0.50/24 dev eth0
ip -n phone address add 10.66.0.40/24 dev eth0
ip -n printer address add 10.66.0.70/24 dev eth0
sleep 5 # until the bridge forwards

# --- DHCP, ARP ---------------------------------------------------------------------------------------------------------
cat >"$work/script" <<'END'
#!/bin/sh
[ "$1" = bound ] && ip address add "$ip/24" dev "$interface"
exit 0
END
chmod +x "$work/script"
cat >"$work/dhclient.conf" <<'END'
send host-name "chromebook-12";
send vendor-class-identifier "dhcpcd-9.4.1:Linux-5.15";
request subnet-mask, routers, domain-name-servers, domain-name, interface-mtu;
END
in_ router dnsmasq -k -C /dev/null --port=0 --interface=eth0 --bind-interfaces --dhcp-range=10.66.0.100,10.66.0.150,1h \
    --dhcp-range=fd66::100,fd66::150,64,1h --enable-ra --leasefile-ro --user=root --pid-file= --no-ping &
(
    sleep 1
    in_ laptop udhcpc -q -n -i eth0 -s "$work/script" -x hostname:laptop-7 -V "udhcp 1.35.0" || true
    in_ tablet dhclient -1 -4 -cf "$work/dhclient.conf" -lf "$work/leases" -pf "$work/pid" eth0 || true
    in_ laptop busybox ping -c 1 -W 1 10.66.0.1 || true
) &
record 8 tcpdump -q -i eth0 -w "$here/dhcp.pcap" "arp or udp port 67 or udp port 68"

# --- IPv6 --------------------------------------------------------------------------------------------------------------
cat >"$work/dhclient6.conf" <<'END'
send fqdn.fqdn "chromebook-12.school.test.";
send dhcp6.vendor-class 0:0:1:37:0:8:4d:53:46:54:20:35:2e:30;
END
(
    sleep 1
    in_ tablet timeout 6 dhclient -1 -6 -cf "$work/dhclient6.conf" -lf "$work/leases6" -pf "$work/pid6" eth0 || true
    ip -n laptop link set eth0 down
    ip -n laptop link set eth0 up # it looks for routers
    in_ tablet busybox ping6 -c 1 -W 1 fd66::1 || true
) &
record 9 tcpdump -q -i eth0 --time-stamp-precision=nano -w "$here/ipv6.pcap" "icmp6 or udp port 546 or udp port 547"

# --- LLDP, CDP, spanning tree ------------------------------------------------------------------------------------------
in_ phone lldpd -d -k -ccc -l -M 3 -u /run/lldpd.socket -I eth0 -C eth0 -S "IP telephone, firmware 5.2" >/dev/null 2>&1 &
(
    sleep 2
    lldpcli -u /run/lldpd.socket <<'END'
configure system hostname phone-40
configure inventory manufacturer "Handset Works"
configure inventory model "HW 52"
configure inventory serial-number SN0040
configure inventory firmware-revision 5.2
configure inventory software-revision 9.1
configure lldp tx-interval 2
update
END
) >/dev/null &
timeout 10 dumpcap -q -i port-phone -c 14 -f "ether proto 0x88cc or ether dst 01:00:0c:cc:cc:cc or stp" -w "$here/neighbours.pcapng" || true
# The kernel and the processor that it was made on are nobody's business.
perl -pi -e 's/(Linux \d)([^\0]*)/$1 . "x" x length $2/ge; s/((?:AMD|Intel)[^\0]*)/"x" x length $1/ge' "$here/neighbours.pcapng"

# --- mDNS, SSDP, NetBIOS -----------------------------------------------------------------------------------------------
mkdir -p "$work/avahi/services" "$work/media" /run/dbus
mount --bind "$work/avahi" /etc/avahi
cat >"$work/avahi/avahi-daemon.conf" <<'END'
[server]
host-name=office-printer
enable-dbus=no
[rlimits]
END
cat >"$work/avahi/services/printer.service" <<'END'
<service-group><name>Office LaserJet</name><service><type>_ipp._tcp</type><port>631</port>
<txt-record>ty=LaserJet 400 M401dn</txt-record><txt-record>usb_MFG=HP</txt-record><txt-record>note=Room 7</txt-record>
</service></service-group>
END
cat >"$work/minidlna.conf" <<END
network_interface=eth0
media_dir=$work/media
friendly_name=Media shelf
db_dir=$work/media
log_dir=$work/media
notify_interval=2
END
cat >"$work/smb.conf" <<END
[global]
netbios name = DISKSTATION
workgroup = SCHOOL
interfaces = eth0
bind interfaces only = yes
private dir = $work
lock directory = $work
state directory = $work
cache directory = $work
pid directory = $work
log file = $work/log
END
(
    sleep 1
    in_ disks minidlnad -S -f "$work/minidlna.conf" >/dev/null 2>&1 &
    in_ disks nmbd -F -s "$work/smb.conf" >/dev/null 2>&1 &
    in_ printer ip -6 address flush dev eth0
    in_ printer avahi-daemon --no-drop-root --no-chroot >/dev/null 2>&1 &
) &
record 9 tcpdump -q -i eth0 -c 60 -w "$work/names.pcap" "udp port 5353 or udp port 1900 or udp port 137"
gzip -9nc "$work/names.pcap" >"$here/names.pcap.gz"

# --- A cooked capture of all interfaces --------------------------------------------------------------------------------
ip -n laptop neigh flush all
(sleep 1; in_ laptop busybox ping -c 1 -W 1 10.66.0.1 || true) &
in_ laptop timeout 4 tcpdump -q -i any -w "$here/cooked.pcap" arp || true
ls -l "$here"
