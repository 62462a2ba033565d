"""The shelf: where the data that judgements rest on is read from, ours or the site's own."""

from datetime import date
from importlib.resources import files
from pathlib import Path

from agent.config import Config, ConfigError
from netready.metric import CATALOGUE
from readiness.evidence import Attestation, parse_attestations
from readiness.policy import Policy, Waiver, parse_policy, parse_waivers
from readiness.roadmap import Roadmap
from readiness.roadmap import parse as parse_roadmap
from readiness.standards import Standards
from readiness.standards import parse as parse_standards

_SHIPPED = files("readiness") / "data"


def roadmap(config: Config | None = None) -> Roadmap:
    """The site's roadmap, or the one netready ships."""
    data, name = _bytes(config.readiness.roadmap if config else "", "roadmap.toml", config)
    return parse_roadmap(data, name, CATALOGUE)


def standards(config: Config | None = None) -> Standards:
    """The site's list of bandwidth standards, or the one netready ships."""
    data, name = _bytes(config.readiness.standards if config else "", "standards.toml", config)
    return parse_standards(data, name)


def policy(config: Config, continuum: Roadmap, option: str | None = None) -> Policy:
    """The gate policy: the one named on the command line, else the config's, else the one netready ships."""
    if option:
        return parse_policy(_read(Path(option)), option, continuum, CATALOGUE)
    data, name = _bytes(config.readiness.policy, "policies/cbe-platform.toml", config)
    return parse_policy(data, name, continuum, CATALOGUE)


def attestations(config: Config, continuum: Roadmap, today: date) -> tuple[Attestation, ...]:
    """What people have vouched for; none when the config names no file."""
    if not config.readiness.attestations:
        return ()
    path = config.path(config.readiness.attestations)
    return parse_attestations(_read(path), str(path), continuum, today)


def waivers(config: Config, rules: Policy) -> tuple[Waiver, ...]:
    """Risks that somebody accepted; none when the config names no file."""
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
