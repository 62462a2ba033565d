import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_pages_say_what_the_program_does():
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_a_stale_page_is_named(tmp_path):
    copy = tmp_path / "docs"
    (copy / "reference").mkdir(parents=True)
    for program in (ROOT / "docs").glob("*.py"):
        (copy / program.name).write_text(program.read_text())
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "RESULTS.md").write_text((ROOT / "bench" / "RESULTS.md").read_text())
    for page in (ROOT / "docs" / "methodology.md", *(ROOT / "docs" / "reference").iterdir()):
        to = copy / page.relative_to(ROOT / "docs")
        to.write_text(page.read_text() + ("stale\n" if page.name == "metrics.md" else ""))
    done = subprocess.run(
        [sys.executable, str(copy / "generate.py"), "--check"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 1
    assert done.stderr.startswith("docs: reference/metrics.md no longer say")


def test_the_map_in_the_readme_names_files_that_are_there():
    import re

    readme = (ROOT / "README.md").read_text()
    rooms = re.findall(r"^\| `(\w+)/`[^|]*\|[^|]*\| (.*) \|$", readme, re.MULTILINE)
    assert len(rooms) >= 9
    for room, start in rooms:
        for name in re.findall(r"`([\w./]+)`", start):
            if name == "__init__.py":
                continue
            found = any((ROOT / place).exists() for place in (f"{room}/{name}", name)) or not (ROOT / room).is_dir()
            assert found, f"{room}/{name}"
