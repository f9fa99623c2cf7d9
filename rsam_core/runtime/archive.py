"""A folder or a zip archive as a set of named files; archives are never unpacked to disk."""

from __future__ import annotations

import io
import os
import stat
import threading
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from rsam_core.errors import DatasetError

MAX_FILES = 100_000
MAX_BYTES = 1 << 30
"""Largest single file, unpacked."""
MAX_TOTAL = 16 << 30
"""Largest archive, unpacked."""
MAX_RATIO = 200
"""Pictures hardly shrink in an archive. A file that grows more than this is a trap unless it is a
raster without compression, such as a label image, which may shrink to a thousandth."""
MAX_SWOLLEN = 512 << 20
"""Largest such raster, unpacked."""

_SMALL = 10 << 20
_RASTERS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM", b"SQLite format 3\0")

Source = str | os.PathLike[str] | bytes | BinaryIO


class Files(Protocol):
    """Named files, wherever they lie.

    Attributes
    ----------
    label : str
        Name to show.
    names : tuple of str
        Paths inside, with forward slashes, sorted; without hidden files.
    """

    label: str
    names: tuple[str, ...]

    def read(self, name: str) -> bytes:
        """Content of a file."""
        ...

    def stamp(self, name: str) -> str:
        """Text that changes when the file changes."""
        ...


class FolderFiles:
    """The files of a folder; see :class:`Files`. Links that lead out of it are left out."""

    def __init__(self, folder: Path) -> None:
        self._root = folder.resolve()
        self.label = self._root.name
        self._paths: dict[str, Path] = {}
        for parent, folders, files in os.walk(self._root):
            folders[:] = [name for name in folders if not _hidden(name)]
            for name in files:
                path = Path(parent, name)
                # Neither links that lead out, nor pipes and devices, which may never end.
                if _hidden(name) or not _leads_inside(path, self._root) or not path.is_file():
                    continue
                # Some systems take letters with accents apart, others do not.
                shown = unicodedata.normalize("NFC", path.relative_to(self._root).as_posix())
                self._paths.setdefault(shown, path)
                if len(self._paths) > MAX_FILES:
                    raise DatasetError(
                        f"“{self.label}” holds more than {MAX_FILES:,} files. Choose the folder "
                        "of one data set."
                    )
        self.names = tuple(sorted(self._paths))

    def read(self, name: str) -> bytes:
        """Content of a file.

        Raises
        ------
        DatasetError
            If it cannot be read.
        """
        try:
            return self._paths[name].read_bytes()
        except OSError as error:
            raise DatasetError(f"“{name}” cannot be read: {error.strerror}.") from error

    def stamp(self, name: str) -> str:
        """Size and time of the last change."""
        try:
            status = self._paths[name].stat()
        except OSError as error:
            raise DatasetError(f"“{name}” cannot be read: {error.strerror}.") from error
        return f"{name} {status.st_size} {status.st_mtime_ns}"


class ZipFiles:
    """The files of a zip archive; see :class:`Files`.

    Nothing is written to disk, so that no name inside can reach outside; names that try are
    refused all the same, and so are archives that unpack to a multiple of what images do.

    Raises
    ------
    DatasetError
        If it is no zip archive, damaged, encrypted, or unsafe.
    """

    def __init__(self, source: bytes | BinaryIO | Path, label: str) -> None:
        self.label = label
        self._lock = threading.Lock()
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise DatasetError(
                f"“{label}” is not a zip archive, or it is damaged. Pack the folder again."
            ) from error
        members = clean_names(self._zip, label)
        self._check(members)
        self._members = members
        self.names = tuple(sorted(members))

    def _check(self, members: Mapping[str, zipfile.ZipInfo]) -> None:
        if len(members) > MAX_FILES:
            raise DatasetError(f"“{self.label}” holds more than {MAX_FILES:,} files. Split it.")
        if sum(member.file_size for member in members.values()) > MAX_TOTAL:
            raise DatasetError(
                f"“{self.label}” unpacks to more than {MAX_TOTAL >> 30} GB. Split it into parts."
            )
        for name, member in members.items():
            if member.flag_bits & 1:
                raise DatasetError(f"“{self.label}” is protected by a password. Pack it without.")
            if member.file_size > MAX_BYTES or not self._likely(member):
                raise DatasetError(
                    f"“{name}” in “{self.label}” unpacks to "
                    f"{member.file_size / 2**20:,.0f} MB, more than an image should. It was not "
                    "opened."
                )

    def _likely(self, member: zipfile.ZipInfo) -> bool:
        """Whether a file may grow as much as it does."""
        swollen = member.file_size > MAX_RATIO * max(member.compress_size, 1)
        if not swollen or member.file_size <= _SMALL:
            return True
        if member.file_size > MAX_SWOLLEN:
            return False
        try:
            with self._zip.open(member) as file:
                return file.read(16).startswith(_RASTERS)
        except Exception:  # zlib and lzma have errors of their own
            return False

    def read(self, name: str) -> bytes:
        """Content of a file.

        Raises
        ------
        DatasetError
            If the archive is damaged there.
        """
        member = self._members[name]
        try:
            with self._lock, self._zip.open(member) as file:
                # The size in the directory may lie; never read on beyond it.
                content = file.read(member.file_size + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError) as error:
            raise DatasetError(
                f"“{name}” in “{self.label}” is damaged. Pack the folder again."
            ) from error
        except Exception as error:  # zlib and lzma have errors of their own
            raise DatasetError(f"“{name}” in “{self.label}” cannot be unpacked.") from error
        if len(content) != member.file_size:
            raise DatasetError(f"“{name}” in “{self.label}” is damaged. Pack the folder again.")
        return content

    def stamp(self, name: str) -> str:
        """Size and check sum."""
        member = self._members[name]
        return f"{name} {member.file_size} {member.CRC:08x}"


def open_files(source: Source, name: str | None = None) -> Files:
    """Open a folder or a zip archive.

    Parameters
    ----------
    source : path, bytes or binary file object
        A path leads to a folder or a zip file; anything else is a zip archive.
    name : str, optional
        Name to show.

    Raises
    ------
    DatasetError
        If there is none, or the archive is not fit to be opened.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        try:
            if path.is_dir():
                return FolderFiles(path)
            found = path.is_file()
        except (OSError, ValueError) as error:
            raise DatasetError(f"“{source}” cannot be opened: {error}.") from error
        if not found:
            raise DatasetError(f"There is no folder “{source}”. Check the path and its spelling.")
        return ZipFiles(path, name or path.name)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return ZipFiles(bytes(source), name or "archive")
    label = name or str(getattr(source, "name", "archive"))
    return ZipFiles(source, Path(label).name)


def clean_names(archive: zipfile.ZipFile, label: str) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip archive by their paths as everybody else writes them.

    Backslashes of Windows become slashes, letters with accents are put together, and what other
    systems add (``__MACOSX``, ``.DS_Store``) is left out, as are links.

    Raises
    ------
    DatasetError
        If a path leads out of the archive.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = _clean(member)
        path = PurePosixPath(name)
        drive = bool(path.parts) and len(path.parts[0]) > 1 and path.parts[0][1] == ":"
        if path.is_absolute() or ".." in path.parts or drive:
            raise DatasetError(
                f"“{label}” holds a file with the unsafe path “{name[:100]}”. Pack the folder "
                "again with an ordinary archiver."
            )
        if member.is_dir() or name.endswith("/") or stat.S_ISLNK(member.external_attr >> 16):
            continue
        if path.parts and not any(_hidden(part) for part in path.parts):
            found[str(path)] = member
    return found


def _clean(member: zipfile.ZipInfo) -> str:
    """Name of a file in an archive, with slashes and composed letters."""
    name = member.filename
    if not member.flag_bits & 0x800 and not name.isascii():
        # Without the mark for UTF-8 the letters are those of DOS; many programs forget the mark.
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = member.filename
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _leads_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        # A link to itself leads nowhere.
        return False


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")
