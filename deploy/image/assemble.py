"""`python -m deploy.image.assemble PACKAGES TARGET`: lays out the platform in an image, as the Lambda package has it.

Run in the checkout, with PACKAGES on the PYTHONPATH. The rules of what is left out are those of the Lambda package.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.package.hook import SOURCES, collect_static, compile_bytecode, stays

SCRIPTS = ("healthcheck.py", "init")


def main(packages: Path, target: Path) -> None:
    for root, names in ((packages, [path.name for path in packages.iterdir()]), (Path(), SOURCES)):
        for file in _files(root, names):
            name = file.relative_to(root)
            if stays(name.as_posix()):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target / name)
    for script in SCRIPTS:
        shutil.copy(Path(__file__).with_name(script), target / script)
    collect_static(target)
    compile_bytecode(target, seen_at=str(target))


def _files(root: Path, names: tuple[str, ...] | list[str]) -> Iterator[Path]:
    for name in names:
        path = root / name
        yield from (each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
