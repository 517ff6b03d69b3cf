"""Packages for tests, so that pip has something to install where there is no index."""

from __future__ import annotations

import zipfile
from pathlib import Path


def build(folder: Path, name: str, version: str, source: str) -> None:
    """Put a wheel into the folder: a package of one module, and a command of the same name."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f'__version__ = "{version}"\n{source}',
        f"{name}/lazily.py": "loaded = True\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        rows = [f"{path},,{len(text)}\n" for path, text in files.items()]
        wheel.writestr(f"{info}/RECORD", f"{''.join(rows)}{info}/RECORD,,\n")
