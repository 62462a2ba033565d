"""The shelf: where the data that judgements rest on is read from, ours or the site's own."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import msgspec

from agent.config import Config, ConfigError
from netready.metric import CATALOGUE
from readiness.evidence import Attestation, parse_attestations
from readiness.policy import Policy, parse_policy
from readiness.roadmap import Roadmap
from readiness.roadmap import parse as parse_roadmap
from readiness.standards import Standards, choose
from readiness.standards import parse as parse_standards
from readiness.waiver import Waiver, parse_waivers

_SHIPPED = files("readiness") / "data"


def roadmap(config: Config | None = None) -> Roadmap:
    """The site's roadmap, or the one netready ships."""
    return parse_roadmap(*roadmap_file(config), CATALOGUE)


def roadmap_file(config: Config | None = None) -> tuple[bytes, str]:
    """The bytes of the roadmap's file, and its name."""
    return _bytes(config.readiness.roadmap if config else "", "roadmap.toml", config)


def standards(config: Config | None = None) -> Standards:
    """The site's list of bandwidth standards, or the one netready ships."""
    data, name = _bytes(config.readiness.standards if config else "", "standards.toml", config)
    return parse_standards(data, name)


def chosen(config: Config) -> Standards:
    """The list with nothing but the roadmap's two thresholds and the standard that the config chose."""
    found = standards(config)
    wanted = (config.readiness.standard,) if config.readiness.standard else ()
    kept = choose(found, wanted, str(config.file), "readiness.standard")
    return msgspec.structs.replace(found, standards=kept)


def policy(config: Config | None, continuum: Roadmap, option: str | None = None) -> Policy:
    """The gate policy: the one named on the command line, else the config's, else the one netready ships."""
    return parse_policy(*policy_file(config, option), continuum, CATALOGUE)


def policy_file(config: Config | None, option: str | None = None) -> tuple[bytes, str]:
    """The bytes of that policy's file, and its name."""
    if option:
        return _read(Path(option)), option
    return _bytes(config.readiness.policy if config else "", "policies/cbe-platform.toml", config)


def attestations(config: Config, continuum: Roadmap, today: date) -> tuple[Attestation, ...]:
    """What people have vouched for; none when the config names no file."""
    if not config.readiness.attestations:
        return ()
    path = config.path(config.readiness.attestations)
    return parse_attestations(_read(path), str(path), continuum, today)


def waivers(config: Config, rules: Policy) -> tuple[Waiver, ...]:
    """Risks that somebody accepted, of the config's file; none when it names none. `waiving` knows those of the store."""
    if not config.readiness.waivers:
        return ()
    path = config.path(config.readiness.waivers)
    return parse_waivers(_read(path), str(path), rules)


def _bytes(own: str, shipped: str, config: Config | None) -> tuple[bytes, str]:
    if own and config is not None:
        path = config.path(own)
        return _read(path), str(path)
    return _SHIPPED.joinpath(shipped).read_bytes(), shipped


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
