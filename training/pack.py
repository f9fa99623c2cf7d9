"""Carry the training data elsewhere: ``python -m training.pack --data DIR --rendered DIR OUT.zip``.

Pictures become WebP of moderate quality, which is what training blurs and recolours anyway; label
images stay exact. On the other machine, ``python -m training.pack --unpack OUT.zip DIR`` gives
folders as `training.train` reads them: ``DIR/data`` and ``DIR/towns``.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import cv2
import numpy as np

from .sources import PHOTOGRAPHS, SOURCES

LIMIT = 55_000_000
_QUALITY, _TOWN_QUALITY = 75, 60
_HEADERS = 300
"""Bytes of an archive's two headers for a file, or more."""


def _webp(image: np.ndarray, quality: int) -> bytes:
    done, data = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise ValueError("a picture could not be written as WebP")
    return data.tobytes()


def _png(labels: np.ndarray) -> bytes:
    data = cv2.imencode(".png", labels, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    return data.tobytes()


def pack(
    data: Path,
    rendered: Path | None,
    target: Path,
    *,
    quality: int = _QUALITY,
    town_quality: int = _TOWN_QUALITY,
    limit: int = LIMIT,
) -> tuple[int, int]:
    """Write the archive.

    Parameters
    ----------
    data, rendered : Path
        As for `training.train`.
    target : Path
    quality, town_quality : int
        WebP quality of real pictures and of rendered towns.
    limit : int
        Bytes; towns that do not fit are left out. They can be rendered on the other machine.

    Returns
    -------
    size : int
        Bytes written.
    towns : int
        Towns that found room.

    Raises
    ------
    ValueError
        If the real pictures alone are larger than the limit.
    """
    folders = [source.folder for source in SOURCES]
    folders += [f"{PHOTOGRAPHS.folder}/{part}" for part in ("train", "val")]
    towns = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for folder in folders:
            for path in sorted((data / folder).glob("*/*")):
                name = f"data/{folder}/{path.parent.name}/{path.stem}"
                if path.parent.name == "images":
                    archive.writestr(f"{name}.webp", _webp(cv2.imread(str(path)), quality))
                else:
                    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
                    archive.writestr(f"{name}.png", _png(labels))
            if (data / folder / "classes.json").exists():
                archive.write(data / folder / "classes.json", f"data/{folder}/classes.json")
        if target.stat().st_size > limit:
            raise ValueError(f"The pictures alone take {target.stat().st_size:,} bytes.")
        spent = archive.fp.tell() + _HEADERS * len(archive.infolist())
        for path in sorted(rendered.glob("town*.npz")) if rendered else ():
            town = np.load(path)
            parts = {
                "webp": _webp(np.ascontiguousarray(town["image"][..., ::-1]), town_quality),
                "png": _png(town["labels"]),
                "kinds": town["kinds"].tobytes(),
            }
            size = sum(len(part) + _HEADERS for part in parts.values())
            if spent + size > limit:
                break
            for ending, part in parts.items():
                archive.writestr(f"towns/{path.stem}.{ending}", part)
            spent += size
            towns += 1
    return target.stat().st_size, towns


def unpack(archive: Path, target: Path) -> None:
    """Write the folders that `training.train` reads."""
    with zipfile.ZipFile(archive) as source:
        for name in source.namelist():
            if not name.startswith("towns/"):
                source.extract(name, target)
        (target / "towns").mkdir(parents=True, exist_ok=True)
        for name in source.namelist():
            if name.startswith("towns/") and name.endswith(".webp"):
                stem = Path(name).stem

                def read(ending: str, stem: str = stem) -> np.ndarray:
                    return np.frombuffer(source.read(f"towns/{stem}.{ending}"), np.uint8)

                image = cv2.imdecode(read("webp"), cv2.IMREAD_COLOR)
                np.savez(
                    target / "towns" / f"{stem}.npz",
                    image=np.ascontiguousarray(image[..., ::-1]),
                    labels=cv2.imdecode(read("png"), cv2.IMREAD_UNCHANGED),
                    kinds=read("kinds").view(np.int8),
                )


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line; pack or unpack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", type=Path, nargs="+", help="OUT.zip, or ARCHIVE.zip DIR to unpack")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rendered", type=Path)
    parser.add_argument("--quality", type=int, default=_QUALITY)
    parser.add_argument("--town-quality", type=int, default=_TOWN_QUALITY)
    parser.add_argument("--unpack", action="store_true")
    args = parser.parse_args(arguments)
    if len(args.paths) != (2 if args.unpack else 1) or not (args.unpack or args.data):
        parser.error("give --data DIR OUT.zip to pack, or --unpack ARCHIVE.zip DIR")
    if args.unpack:
        unpack(*args.paths)
        return
    size, towns = pack(
        args.data,
        args.rendered,
        args.paths[0],
        quality=args.quality,
        town_quality=args.town_quality,
    )
    print(f"{size:,} bytes with {towns} rendered towns")


if __name__ == "__main__":
    main()
