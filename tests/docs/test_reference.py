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
    for program in ("generate.py", "methodology.py"):
        (copy / program).write_text((ROOT / "docs" / program).read_text())
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "RESULTS.md").write_text((ROOT / "bench" / "RESULTS.md").read_text())
    for page in ("methodology.md", *(f"reference/{name}.md" for name in ("commands", "config", "criteria", "metrics"))):
        text = (ROOT / "docs" / page).read_text()
        (copy / page).write_text(text + ("stale\n" if page == "reference/metrics.md" else ""))
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
