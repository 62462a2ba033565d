"""The config: netready.toml, read strictly. Every refusal is one sentence with the file, the field and what was expected."""

from collections.abc import Callable
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from agent.budget import BudgetSettings
from agent.clock import SystemClock
from agent.line import LineSettings
from agent.roster import RosterSettings, completed, count, told
from netready.authority import Authority
from netready.clock import Clock
from netready.instrument import Instrument
from netready.privacy import Change
from netready.rate import duration, rate, size
from netready.refusal import Unfit, fit, near, toml
from netready.roster import Roster, Users
from netready.site import Site
from readiness.forecast import HEADROOM, Programme
from readiness.plan import Prices, Wanted

DEFAULT_NAME = "netready.toml"
SYSTEM_FILE = Path("/etc/netready/netready.toml")


class ConfigError(Exception):
    """Something that a run rests on cannot be used; the message is one sentence of advice. Nothing was done."""


class SurveySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How surveys are made.

    interval     time between surveys of `netready run`, seconds ("6h" in the file)
    window_days  how far back the judgement looks
    widest_scan  the largest number of addresses one scan may cover
    skip         instruments that are not to be used
    exam_days    days of examinations, local: only what sends nothing runs
    """

    interval: Annotated[float, Meta(ge=60, le=31 * 86400)] = 6 * 3600.0
    window_days: Annotated[int, Meta(ge=1, le=366)] = 90
    widest_scan: Annotated[int, Meta(ge=1, le=65536)] = 4096
    skip: tuple[str, ...] = ()
    exam_days: tuple[date, ...] = ()


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the records are kept."""

    path: Annotated[str, Meta(min_length=1)] = "netready.sqlite"


class ExporterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where `netready run` serves /metrics; loopback unless somebody decides otherwise."""

    listen: Annotated[str, Meta(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$")] = "127.0.0.1:9810"


class ReadinessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data that judgements rest on; empty means the data netready ships.

    standard  id of one of `netready standards` that reports hold the line against, beside the roadmap's two thresholds
    """

    roadmap: str = ""
    standards: str = ""
    standard: str = ""
    policy: str = ""
    wave: str = ""
    attestations: str = ""
    waivers: str = ""


class InventorySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What packets alone cannot tell: whose computer it is, where a socket leads, and how long clients are remembered.

    student_names, staff_names  how devices are named, as patterns such as "chromebook-*"
    student_units, staff_units  organisational units of an asset list, as patterns such as "/Students/*"
    rooms         a CSV file: which socket of which switch, and which access point, is in which room
    lists         asset lists and DHCP lease files, read at every survey
    dhcp_servers  addresses of the school's own DHCP servers; any other that is heard is a finding
    specification name of the specification that student devices are held against
    pseudonyms    how often the key behind clients' pseudonyms changes
    keys          the file with these keys, readable by nobody else
    retention     how long clients are remembered, seconds ("30d" in the file)
    """

    student_names: tuple[str, ...] = ()
    staff_names: tuple[str, ...] = ()
    student_units: tuple[str, ...] = ()
    staff_units: tuple[str, ...] = ()
    rooms: str = ""
    lists: tuple[str, ...] = ()
    dhcp_servers: tuple[str, ...] = ()
    specification: str = ""
    pseudonyms: Change = Change.MONTH
    keys: Annotated[str, Meta(min_length=1)] = "netready.keys"
    retention: Annotated[float, Meta(ge=3600, le=366 * 86400)] = 30 * 86400.0

    def __post_init__(self) -> None:
        for address in self.dhcp_servers:
            ip_address(address)


class ForecastSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the next years bring, as the school plans them.

    users_growth  of students and staff, ratio a year
    users         students and staff of this year and the next ones, instead of a growth
    headroom      ratio added to the busiest minutes, so that they are not full
    standards     ids of `netready standards` that the contract is held against, beside the roadmap's two thresholds
    programmes    what adds demand once; `rate` for each active user ("500k" in the file)
    """

    users_growth: Annotated[float, Meta(ge=-0.5, le=1)] = 0.0
    users: tuple[Annotated[int, Meta(ge=1, le=1_000_000)], ...] = ()
    headroom: Annotated[float, Meta(ge=0, le=3)] = HEADROOM
    standards: tuple[str, ...] = ()
    programmes: tuple[Programme, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run needs to know. `folder` is what relative paths in the file are relative to; `counted` is of [roster]."""

    file: Path
    folder: Path
    site: Site
    survey: SurveySettings
    store: StoreSettings
    exporter: ExporterSettings
    readiness: ReadinessSettings
    inventory: InventorySettings
    forecast: ForecastSettings
    line: LineSettings
    budget: BudgetSettings
    roster: RosterSettings
    counted: Roster | None
    users: Users
    prices: Prices
    wanted: Wanted
    tables: dict[str, dict[str, Any]]  # the instruments' own tables, decoded when an instrument asks for its settings

    def path(self, text: str) -> Path:
        """A path from the file, made absolute."""
        return (self.folder / text).absolute()

    def users_from(self) -> tuple[str, ...]:
        """Where the number of users comes from, and what about it needs a look, one sentence each."""
        return self.users.said

    def settings(self, instrument: Instrument) -> Any:
        """The instrument's settings: its table in the file, completed with what the site says."""
        raw = dict(self.tables.get(instrument.config_table, {}))
        for name in instrument.files:
            raw = self._absolute(raw, name)
        settings = fit(raw, str(self.file), instrument.settings, instrument.config_table)
        return instrument.fit(settings, self.site)

    def _absolute(self, table: dict[str, Any], name: str) -> dict[str, Any]:
        """The table with the path under `name` made absolute; in `rows.name`, that of each of its rows."""
        name, _, inner = name.partition(".")
        found = table.get(name)
        if inner and isinstance(found, list):
            return table | {name: [self._absolute(row, inner) if isinstance(row, dict) else row for row in found]}
        return table | {name: str(self.path(found))} if isinstance(found, str) and found else table


TABLES: dict[str, type[Any]] = {
    "site": Site,
    "survey": SurveySettings,
    "store": StoreSettings,
    "exporter": ExporterSettings,
    "readiness": ReadinessSettings,
    "inventory": InventorySettings,
    "forecast": ForecastSettings,
    "line": LineSettings,
    "budget": BudgetSettings,
    "roster": RosterSettings,
    "prices": Prices,
    "wanted": Wanted,
}
_RATES = (
    ("site", "circuits", ("contracted_down", "contracted_up")),
    ("forecast", "programmes", ("rate",)),
    ("prices", "circuits", ("rate",)),
)
# Fields that people may write with a unit, and how they are read.
_QUANTITIES: dict[str, dict[str, Callable[[str], float]]] = {
    "survey": {"interval": duration},
    "inventory": {"retention": duration},
    "line": {"look": duration, "wait": duration},
    "budget": {"per_day": size, "per_month": size},
    "throughput": {"at_least": rate, "most_bytes": size},
    "wanted": {"internet_down": rate, "internet_up": rate},
}


def find(option: str | None) -> Path:
    """The config file to use: the one named, else ./netready.toml, else the system's."""
    if option is not None:
        return Path(option)
    here = Path(DEFAULT_NAME)
    if here.exists() or not SYSTEM_FILE.exists():
        return here
    return SYSTEM_FILE


def load(path: Path, instruments: tuple[Instrument, ...], clock: Clock | None = None) -> Config:
    """Read and check the whole file, the instruments' tables included, before anything is done with any of it.

    A roster that it names is counted at once, so that no command judges with another number of users than the next.
    """
    raw = _read(path)
    known = {*TABLES, *(row.config_table for row in instruments)}
    for name, table in raw.items():
        if name not in known:
            raise Unfit(str(path), name, f"unknown table; {near(name, known)}")
        if not isinstance(table, dict):
            raise Unfit(str(path), name, f"expected a table, [{name}]")
    if "site" not in raw:
        raise Unfit(str(path), "site", "the table [site] is missing; `netready init` writes a complete file")
    _read_quantities(raw, path)
    counted = count(fit(raw.get("roster", {}), str(path), RosterSettings, "roster"), path, clock or SystemClock())
    given = frozenset(raw["site"])
    raw["site"] = completed(raw["site"], counted)
    parts = {name: fit(raw.get(name, {}), str(path), kind, name) for name, kind in TABLES.items()}
    tables = {name: table for name, table in raw.items() if name not in TABLES}
    users = told(parts["site"], given, path.name, counted)
    config = Config(file=path, folder=path.absolute().parent, tables=tables, counted=counted, users=users, **parts)
    for row in instruments:
        config.settings(row)
    names = {row.name for row in instruments}
    for index, name in enumerate(config.survey.skip):
        if name not in names:
            raise Unfit(str(path), f"survey.skip[{index}]", f'no instrument is called "{name}"; {near(name, names)}')
    for index, network in enumerate(config.site.authorised):
        # An IPv6 network is never asked address by address.
        if network.version == 4 and network.num_addresses > config.survey.widest_scan:
            widest = f"expected at most {config.survey.widest_scan:,} addresses (survey.widest_scan)"
            raise Unfit(str(path), f"site.networks[{index}]", f"{widest}; {network} has {network.num_addresses:,}")
    return config


def authority(config: Config, instruments: tuple[Instrument, ...]) -> Authority:
    """What this config allows: its networks, and the hosts it names as test servers, endpoints and resolvers."""
    hosts = {host for row in instruments for host in row.hosts(config.settings(row))}
    return Authority(
        networks=config.site.authorised,
        hosts=frozenset(host.strip("[]").lower().rstrip(".") for host in hosts if host),
        widest=config.survey.widest_scan,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; `netready init` asks what it must know and writes one") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    return toml(data, str(path))


def _read_quantities(raw: dict[str, Any], path: Path) -> None:
    """Turn "300M", "5G" and "6h" into base units in place; numbers are already base units."""
    for table, rows, names in _RATES:
        found = raw.get(table)
        listed = found.get(rows) if isinstance(found, dict) else None
        for index, row in enumerate(listed if isinstance(listed, list) else ()):
            for name in names:
                if isinstance(row, dict) and isinstance(row.get(name), str):
                    row[name] = _quantity(rate, row[name], path, f"{table}.{rows}[{index}].{name}")
    for table, fields in _QUANTITIES.items():
        found = raw.get(table)
        for name, parse in fields.items():
            if isinstance(found, dict) and isinstance(found.get(name), str):
                found[name] = _quantity(parse, found[name], path, f"{table}.{name}")


def _quantity(parse: Callable[[str], float], text: str, path: Path, field: str) -> float:
    try:
        return parse(text)
    except ValueError as error:
        raise Unfit(str(path), field, str(error)) from error
