"""The types say what users may pass: mypy and pyright take the documented calls, and refuse wrong ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SRC = ROOT / "src"
MYPY = f"""[mypy]
python_version = 3.11
mypy_path = {SRC}
check_untyped_defs = true
allow_redefinition_new = true
local_partial_types = true
"""


def mypy(paths, folder):
    """(file name, line) of each error mypy finds."""
    (folder / "mypy.ini").write_text(MYPY)
    params = [f"--config-file={folder / 'mypy.ini'}", f"--cache-dir={folder / 'cache'}", "--show-absolute-path"]
    command = [sys.executable, "-m", "mypy", *params, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    found = re.findall(r"^(.*?):(\d+): error: .*$", done.stdout, re.MULTILINE)
    return {(Path(path).name, int(line)) for path, line in found}, done.stdout


def pyright(paths, folder):
    """The same by pyright's standard rules, out of a wheel that brings Node along."""
    names = {"typeCheckingMode": "standard", "pythonVersion": "3.11", "extraPaths": [str(SRC)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(names | {"include": list(map(str, paths))}))
    params = ["--outputjson", f"--pythonpath={sys.executable}", "-p", str(folder / "pyrightconfig.json")]
    command = [sys.executable, "-m", "basedpyright", *params]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    found = [each for each in json.loads(done.stdout)["generalDiagnostics"] if each["severity"] == "error"]
    return {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in found}, done.stdout


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_types_take_what_is_documented_and_refuse_what_is_wrong(checker, tmp_path):
    """No error in the documented calls and in the README's code; one in each marked line of the wrong ones."""
    readme = tmp_path / "readme.py"
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    readme.write_text("\n".join(blocks), encoding="utf-8")
    wrong = HERE / "wrong.py"
    lines = wrong.read_text(encoding="utf-8").splitlines()
    marked = {("wrong.py", number) for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    found, told = checker([HERE / "api.py", readme, wrong], tmp_path)
    assert found == marked, told
