"""Build the wheel, install it alone in a fresh environment, and run the suite from a folder where the checkout is not."""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What the wheel may hold at its top level: exactly the packages that pyproject lists, and its own metadata.
PACKAGES = {
    "agent", "census", "collectors", "lab", "netready", "probes", "readiness", "report_templates", "reports", "store",
    "testpoint",
}  # fmt: skip


def main() -> None:
    """Exit with the suite's status."""
    with tempfile.TemporaryDirectory(prefix="netready-wheel-") as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT))
        (wheel,) = folder.glob("*.whl")
        check_contents(wheel)
        home = folder / "venv"
        venv.create(home, with_pip=True)
        python = str(home / "bin" / "python")
        constraints = str(ROOT / "constraints.txt")
        pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", constraints)
        run(*pip, f"netready[dev] @ {wheel.as_uri()}")
        suite = folder / "suite"
        suite.mkdir()
        shutil.copytree(ROOT / "tests", suite / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        for extra in ("pyproject.toml", "deploy", "docs", "bench", "README.md", "Makefile"):
            source = ROOT / extra
            (shutil.copytree if source.is_dir() else shutil.copy)(source, suite / extra)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment["PATH"] = f"{home / 'bin'}:{environment.get('PATH', '')}"
        expression = os.environ.get("NETREADY_WHEEL_TESTS", "not namespaces")
        done = subprocess.run(
            [python, "-P", "-m", "pytest", "-q", "-n", "3", "-p", "no:cacheprovider", "-m", expression],
            cwd=suite,
            env=environment,
            check=False,
        )
        sys.exit(done.returncode)


def check_contents(wheel: Path) -> None:
    """Refuse a wheel that installs anything but the listed packages."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    strangers = {top for top in tops if not top.endswith(".dist-info")} ^ PACKAGES
    if strangers:
        sys.exit(f"{wheel.name}: top-level packages differ from the list: {', '.join(sorted(strangers))}")


def run(*argv: str) -> None:
    """Run a step, loudly when it fails."""
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    main()
