"""The metric catalogue: every quantity netready measures or derives, said once.

The store, the exporter, the roadmap and the reports read their names, units and directions from here and nowhere else.
Units are base units: bit/s, seconds, bytes, ratio (0 to 1), watts, and plain counts.
"""

from enum import StrEnum

import msgspec


class Unit(StrEnum):
    """Base unit of a metric's value."""

    BITS_PER_SECOND = "bit/s"
    SECONDS = "s"
    BYTES = "bytes"
    RATIO = "ratio"
    COUNT = "1"
    DAYS = "days"
    WATTS = "W"


class Better(StrEnum):
    """Which way is good news."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the catalogue.

    `derived` metrics are computed by the judgement from others and from the site's own facts; every other metric is
    yielded by at least one instrument (a test proves it). A `counter` only ever grows, until the device starts again.
    """

    name: str
    unit: Unit
    help: str
    better: Better = Better.NEITHER
    derived: bool = False
    counter: bool = False


def _m(name: str, unit: Unit, better: Better, text: str, *, derived: bool = False, counter: bool = False) -> Metric:
    return Metric(name=name, unit=unit, help=text, better=better, derived=derived, counter=counter)


_BPS, _S, _B, _R, _N, _W = Unit.BITS_PER_SECOND, Unit.SECONDS, Unit.BYTES, Unit.RATIO, Unit.COUNT, Unit.WATTS
_HI, _LO, _NE = Better.HIGHER, Better.LOWER, Better.NEITHER

CATALOGUE: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        # --- measured by probes -------------------------------------------------------------------------------------
        _m("throughput_down", _BPS, _HI, "Rate at which a test server filled the line towards the school"),
        _m("throughput_up", _BPS, _HI, "Rate at which the school filled the line towards a test server, counted at the server"),
        _m(
            "throughput_down_reaches",
            _N,
            _HI,
            "Whether the line carries at least the asked rate towards the school: 1 yes, 0 no",
        ),
        _m("throughput_up_reaches", _N, _HI, "Whether the line carries at least the asked rate from the school: 1 yes, 0 no"),
        _m(
            "latency_loaded_down",
            _S,
            _LO,
            "Median round-trip time to the test server while the line towards the school is full",
        ),
        _m("latency_loaded_up", _S, _LO, "Median round-trip time to the test server while the line from the school is full"),
        _m("responsiveness_down", _N, _HI, "Round trips a minute (RPM) while the line towards the school is full"),
        _m("responsiveness_up", _N, _HI, "Round trips a minute (RPM) while the line from the school is full"),
        _m("path_mtu", _B, _NE, "Largest IP packet that passes whole to the test server, by address family"),
        _m(
            "path_changes",
            _N,
            _LO,
            "Ways in which something on the path alters connections to the test server (proxy, TLS, MSS)",
        ),
        _m("latency_rtt", _S, _LO, "Median round-trip time to a named endpoint while the line is otherwise left alone"),
        _m("latency_rtt_p95", _S, _LO, "95th percentile of the round-trip time to a named endpoint"),
        _m("latency_jitter", _S, _LO, "Mean difference between consecutive round-trip times (RFC 3550 style, not smoothed)"),
        _m("packet_loss", _R, _LO, "Share of latency probes that got no answer"),
        _m("dns_lookup_time", _S, _LO, "Time until the resolver answered one query"),
        _m("http_total_time", _S, _LO, "Time from the start of the name look-up to the last byte of the page"),
        _m("http_first_byte_time", _S, _LO, "Time from the start of the name look-up to the first byte of the answer"),
        _m("tls_certificate_left", _S, _HI, "Time until the endpoint's certificate expires"),
        _m("sign_in_redirects", _N, _NE, "Redirects from an app's sign-in address to the page where people sign in"),
        _m("page_blocked", _N, _NE, "Whether a named test page is blocked on a nominated network: 1 yes, 0 no"),
        _m("barrier_crossed", _N, _LO, "Whether an address was reached from a network that must not reach it: 1 yes, 0 no"),
        _m("stored_page_time", _S, _LO, "Time until a page of material that is kept in the school had come whole"),
        _m("circuit_page_time", _S, _LO, "Time until a platform's page had come whole over one circuit by itself"),
        _m("arp_hosts", _N, _NE, "Hosts that answered an ARP sweep of an authorised network"),
        _m("icmp_hosts", _N, _NE, "Hosts that answered an ICMP echo sweep of an authorised network behind routers"),
        _m("nd_hosts", _N, _NE, "Hosts that answered an IPv6 neighbour sweep of an interface in an authorised network"),
        # --- read by collectors -------------------------------------------------------------------------------------
        _m("host_cpu_busy", _R, _LO, "Share of processor time this machine was busy while it was observed"),
        _m("host_memory_available", _B, _HI, "Memory of this machine that programs could still take"),
        _m("host_disk_free", _B, _HI, "Space left where netready keeps its records"),
        _m("host_uptime", _S, _NE, "Time since this machine was started"),
        _m("interface_speed", _BPS, _HI, "Nominal speed of a network interface"),
        _m("interface_received", _B, _NE, "Bytes a network interface has received since its counter began", counter=True),
        _m("interface_sent", _B, _NE, "Bytes a network interface has sent since its counter began", counter=True),
        _m("device_uptime", _S, _NE, "Time since a network device's management was started (sysUpTime)"),
        _m("listen_frames", _N, _NE, "Frames in which devices spoke of themselves while somebody listened"),
        _m("listen_dropped", _N, _LO, "Frames that this machine had no room for while it listened"),
        _m(
            "interface_errors_received",
            _N,
            _LO,
            "Packets that a network interface received broken, since its counter began",
            counter=True,
        ),
        _m(
            "interface_errors_sent",
            _N,
            _LO,
            "Packets that a network interface failed to send, since its counter began",
            counter=True,
        ),
        _m("interface_half_duplex", _N, _LO, "Whether a working interface takes turns with its neighbour: 1 yes, 0 no"),
        _m("poe_power_available", _W, _HI, "Power that a switch's supply can give to devices over their network cables"),
        _m("poe_power_used", _W, _NE, "Power that devices take from a switch's supply over their network cables"),
        _m("poe_port_power", _W, _NE, "Power that a device takes from one port of a switch"),
        _m("access_point_clients", _N, _NE, "Wireless devices that an access point serves at this moment"),
        _m("radio_utilisation", _R, _LO, "Share of time in which an access point finds its radio channel busy"),
        _m("ups_charge", _R, _HI, "Charge of an uninterruptible power supply's battery"),
        _m("ups_time_left", _S, _HI, "Time for which an uninterruptible power supply says that it could carry its load"),
        _m("ups_load", _R, _LO, "Share of its power that an uninterruptible power supply's load takes"),
        _m("printer_pages", _N, _NE, "Pages that a printer has printed in its life", counter=True),
        _m("printer_supply_left", _R, _HI, "Share that is left of a printer's toner, ink or other supply"),
        _m("device_memory", _B, _HI, "Memory of a server or other managed device"),
        _m("device_storage_used", _R, _LO, "Share of a managed device's disk that is taken"),
        _m("device_processor_busy", _R, _LO, "Share of the last minute in which a managed device's processors were busy"),
        # --- derived by the judgement from the above, the devices and the site --------------------------------------
        _m(
            "internet_down_per_1000",
            _BPS,
            _HI,
            "Internet rate towards the school, at least, for each 1,000 users",
            derived=True,
        ),
        _m("internet_up_per_1000", _BPS, _HI, "Internet rate from the school, at least, for each 1,000 users", derived=True),
        _m(
            "contracted_down_per_1000",
            _BPS,
            _HI,
            "Contracted Internet rate towards the school for each 1,000 users",
            derived=True,
        ),
        _m("contracted_up_per_1000", _BPS, _HI, "Contracted Internet rate from the school for each 1,000 users", derived=True),
        _m("test_days", Unit.DAYS, _HI, "School days on which both directions of the line were tested", derived=True),
        _m("platform_success", _R, _HI, "Share of checks in which an endpoint of a given role answered properly", derived=True),
        _m("platform_time_p95", _S, _LO, "95th percentile of page time over the endpoints of a given role", derived=True),
        _m("platform_hosts", _N, _HI, "Endpoints of a given role that answered properly", derived=True),
        _m(
            "platform_certificate_left",
            _S,
            _HI,
            "Time until the first certificate of the endpoints of a given role expires",
            derived=True,
        ),
        _m(
            "five_jobs_success",
            _R,
            _HI,
            "Lowest share of checks answered properly among the endpoints of the tools' five jobs",
            derived=True,
        ),
        _m(
            "seven_jobs_success",
            _R,
            _HI,
            "Lowest share of checks answered properly among the endpoints of the tools' seven jobs",
            derived=True,
        ),
        _m(
            "single_sign_on",
            _R,
            _HI,
            "Share of apps with student data whose sign-in leads to one host, encrypted all the way",
            derived=True,
        ),
        _m(
            "filter_blocks",
            _R,
            _HI,
            "Share of test pages that must be blocked on networks of students, and are",
            derived=True,
        ),
        _m("filter_open", _R, _HI, "Share of pages that must open on networks of staff, and do", derived=True),
        _m(
            "filter_tiers",
            _R,
            _HI,
            "Share of test pages that students' and staff's networks treat as told, the same or not",
            derived=True,
        ),
        _m(
            "network_rules",
            _R,
            _HI,
            "Share of the site's rules on blocked pages and on addresses out of reach that hold",
            derived=True,
        ),
        _m("stored_material", _R, _HI, "Share of the material kept in the school that opens at its own address", derived=True),
        _m("circuits_working", _N, _HI, "Circuits that carry a platform's page by themselves", derived=True),
        _m("devices", _N, _HI, "Devices of a given kind seen on the authorised networks", derived=True),
        _m("student_devices_per_classroom", _N, _HI, "Student devices seen for each classroom, on average", derived=True),
        _m("students_per_device", _N, _LO, "Students for each student device seen", derived=True),
        _m("access_points_per_classroom", _N, _HI, "Access points seen for each classroom, on average", derived=True),
        _m(
            "clients_per_access_point",
            _N,
            _LO,
            "Clients of the fullest access point in the busy hour, where told; else end devices seen for each, on average",
            derived=True,
        ),
        _m("labs_and_carts", _N, _HI, "Computer labs and mobile carts in the school's own list", derived=True),
        _m("audit_age", Unit.DAYS, _LO, "Days since the last audit that could be completed", derived=True),
        _m("inventory_age", Unit.DAYS, _LO, "Days since the devices were last counted", derived=True),
        _m("devices_in_support", _R, _HI, "Share of the devices seen whose maker still supports them", derived=True),
        _m(
            "devices_held_to_specification",
            _N,
            _HI,
            "Student devices seen that could be held against the minimum specification the site chose",
            derived=True,
        ),
        *(
            _m(f"fit_gap_{name}", _N, _HI, f"Known parts of the fit-gap analysis of {what}", derived=True)
            for name, what in (
                ("hardware", "classroom hardware"),
                ("wireless", "the wireless network"),
                ("line", "the line to the Internet"),
                ("servers", "own servers and online services"),
                ("growth", "growth of traffic"),
            )
        ),
    )
}


def metric(name: str) -> Metric:
    """The catalogue's row for `name`; KeyError names the metric when there is none."""
    return CATALOGUE[name]
