"""Other versions of a package: the same zip with the source of some modules changed."""

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath


def make_variant(package: Path, target: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    """Copy the zip to `target`, replacing one text by another in the named files. Their bytecode stays behind."""
    stale = {str(PurePosixPath(name).parent / "__pycache__" / PurePosixPath(name).stem) for name in changes}
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(target, "w") as copy:  # stored: it is not sent far
        for member in source.infolist():
            if member.filename.partition(".")[0] in stale:
                continue
            content = source.read(member)
            if member.filename in changes:
                old, new = (text.encode() for text in changes[member.filename])
                assert content.count(old) == 1, f"{member.filename} does not have {old!r} once"
                content = content.replace(old, new)
            copy.writestr(zipfile.ZipInfo(member.filename), content)
        assert changes.keys() <= set(source.namelist())
    return target
